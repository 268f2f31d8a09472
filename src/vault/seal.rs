//! One sealed value: algorithm id (1) ‖ form (1) ‖ nonce (12) ‖ ciphertext and tag.
//!
//! The algorithm stands with each value, because a disk may move from a board with AES instructions to one without.
//! What is authenticated besides names the place: store, device, table, column, row and form, each behind its length, so
//! that a value opens where it was put and nowhere else.

use crate::secret::SecretBytes;
use crate::secret::SecretKey;
use crate::vault::Error;
use crate::vault::keys::derive;
use crate::vault::keys::fill_random;
use crate::vault::reseal::Touched;
use aws_lc_rs::aead::AES_256_GCM;
use aws_lc_rs::aead::Aad;
use aws_lc_rs::aead::CHACHA20_POLY1305;
use aws_lc_rs::aead::LessSafeKey;
use aws_lc_rs::aead::NONCE_LEN;
use aws_lc_rs::aead::Nonce;
use aws_lc_rs::aead::UnboundKey;
use std::sync::LazyLock;

/// What is sealed with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Algorithm {
    Aes256Gcm = 1,
    ChaCha20Poly1305 = 2,
}

/// Where a value stands. `row` is the row's own key, known before it is written.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub table: &'static str,
    pub column: &'static str,
    pub row: &'a [u8],
}

/// Seals and opens under one key, for one store on one device.
pub(super) struct Sealer {
    aes: LessSafeKey,
    chacha: LessSafeKey,
    store: Vec<u8>,
    device: String,
    write_with: Algorithm,
    touched: Touched,
}

/// The shape of what is inside. A new shape is a new number; the old ones stay readable.
const FORM: u8 = 1;
const HEADER: usize = 2 + NONCE_LEN;

impl Algorithm {
    /// The faster one here: without AES instructions ChaCha20 is (facts: Raspberry Pi 4).
    pub fn of_this_machine() -> Algorithm {
        #[cfg(target_arch = "x86_64")]
        let has_aes = std::arch::is_x86_feature_detected!("aes");
        #[cfg(target_arch = "aarch64")]
        let has_aes = std::arch::is_aarch64_feature_detected!("aes");
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let has_aes = false;
        if has_aes { Algorithm::Aes256Gcm } else { Algorithm::ChaCha20Poly1305 }
    }

    fn from_id(id: u8) -> Option<Algorithm> {
        [Algorithm::Aes256Gcm, Algorithm::ChaCha20Poly1305].into_iter().find(|known| *known as u8 == id)
    }

    /// A key of its own for each algorithm: one key under two ciphers is nobody's proof.
    fn key(self, key: &SecretKey) -> LessSafeKey {
        let (cipher, info) = match self {
            Algorithm::Aes256Gcm => (&AES_256_GCM, "chevet/aead/aes-256-gcm/v1"),
            Algorithm::ChaCha20Poly1305 => (&CHACHA20_POLY1305, "chevet/aead/chacha20-poly1305/v1"),
        };
        let own = derive(&[], &[key.show_to_cipher()], &[info.as_bytes()]);
        LessSafeKey::new(UnboundKey::new(cipher, own.show_to_cipher()).expect("both ciphers take 32 bytes"))
    }
}

impl Sealer {
    pub fn new(key: &SecretKey, store: &[u8], device: &str, write_with: Algorithm) -> Sealer {
        let (aes, chacha) = (Algorithm::Aes256Gcm.key(key), Algorithm::ChaCha20Poly1305.key(key));
        let (store, device) = (store.to_vec(), device.to_owned());
        Sealer { aes, chacha, store, device, write_with, touched: Touched::nowhere() }
    }

    /// From now on, what is opened and is not sealed as this one seals is noted there.
    pub fn noting(self, touched: Touched) -> Sealer {
        Sealer { touched, ..self }
    }

    pub fn algorithm(&self) -> Algorithm {
        self.write_with
    }

    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> Vec<u8> {
        self.seal_in(FORM, place, plain)
    }

    fn seal_in(&self, form: u8, place: Place<'_>, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        fill_random(&mut nonce);
        let mut sealed = Vec::with_capacity(HEADER + plain.len() + 16);
        sealed.extend_from_slice(&[self.write_with as u8, form]);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let aad = Aad::from(self.aad(place, form, None));
        let tag = self.cipher(self.write_with).seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            aad,
            &mut sealed[HEADER..],
        );
        sealed.extend_from_slice(tag.expect("a value in memory is far below the cipher's limit").as_ref());
        sealed
    }

    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<SecretBytes, Error> {
        let refused = || Error::Sealed { table: place.table, column: place.column };
        let (header, body) = sealed.split_at_checked(HEADER).ok_or_else(refused)?;
        let algorithm = Algorithm::from_id(header[0]).ok_or_else(refused)?;
        let form = header[1];
        if form > FORM {
            return Err(Error::FromTheFuture { found: form.into(), known: FORM.into() });
        }
        let nonce = Nonce::try_assume_unique_for_key(&header[2..]).map_err(|_| refused())?;
        let mut body = body.to_vec();
        let aad = Aad::from(self.aad(place, form, None));
        let length = self.cipher(algorithm).open_in_place(nonce, aad, &mut body).map_err(|_| refused())?.len();
        // What is cut off is the tag, nothing that was secret.
        body.truncate(length);
        if !self.is_in_force(algorithm, form) {
            self.touched.note(place);
        }
        Ok(SecretBytes::new(body))
    }

    /// Whether this one would seal so today.
    fn is_in_force(&self, algorithm: Algorithm, form: u8) -> bool {
        algorithm == self.write_with && form == FORM
    }

    /// Whether this value is to be sealed anew.
    pub fn is_old(&self, sealed: &[u8]) -> bool {
        let [algorithm, form, ..] = sealed else { return false };
        Algorithm::from_id(*algorithm).is_some_and(|algorithm| !self.is_in_force(algorithm, *form))
    }

    /// For `files`: the file at that place was sealed with that algorithm.
    pub fn was_sealed_with(&self, algorithm: Algorithm, place: Place<'_>) {
        if algorithm != self.write_with {
            self.touched.note(place);
        }
    }

    /// For `files`: what is authenticated with chunk `number`.
    pub fn chunk_aad(&self, place: Place<'_>, number: u64) -> Vec<u8> {
        self.aad(place, FORM, Some(number))
    }

    fn cipher(&self, algorithm: Algorithm) -> &LessSafeKey {
        match algorithm {
            Algorithm::Aes256Gcm => &self.aes,
            Algorithm::ChaCha20Poly1305 => &self.chacha,
        }
    }

    fn aad(&self, place: Place<'_>, form: u8, chunk: Option<u64>) -> Vec<u8> {
        let mut aad = Vec::with_capacity(128);
        let parts: [&[u8]; 6] =
            [&self.store, self.device.as_bytes(), place.table.as_bytes(), place.column.as_bytes(), place.row, &[form]];
        for part in parts {
            aad.extend_from_slice(&(part.len() as u32).to_be_bytes());
            aad.extend_from_slice(part);
        }
        if let Some(number) = chunk {
            aad.extend_from_slice(&number.to_be_bytes());
        }
        aad
    }
}

/// Overwrites what a cipher left in the processor's registers, part of its key among it: the library wipes memory and not those, and a
/// thread that waits keeps them for whoever looks at it from beside. The same ways are gone, long and short, under a key of nobody.
pub(super) fn wash_registers() {
    static NOBODYS: LazyLock<[LessSafeKey; 2]> = LazyLock::new(|| {
        [&AES_256_GCM, &CHACHA20_POLY1305]
            .map(|cipher| LessSafeKey::new(UnboundKey::new(cipher, &[0; 32]).expect("both ciphers take 32 bytes")))
    });
    for cipher in &*NOBODYS {
        let mut nothing = [0; 1_000];
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let tag = cipher.seal_in_place_separate_tag(nonce, Aad::empty(), &mut nothing);
        std::hint::black_box((tag.is_ok(), nothing));
    }
}

/// Of a value of that many bytes.
pub(super) const fn sealed_length(plain: usize) -> usize {
    HEADER + plain + 16
}

/// Whether these bytes may begin a sealed value of any form that was ever written.
pub(super) fn begins_like_one(bytes: &[u8]) -> bool {
    matches!(bytes, [algorithm, form, ..] if Algorithm::from_id(*algorithm).is_some() && *form <= FORM)
}

/// One cipher for a whole file, where the nonce is the chunk's number.
pub(super) fn file_cipher(algorithm: Algorithm, key: &SecretKey) -> LessSafeKey {
    algorithm.key(key)
}

pub(super) fn algorithm_from_id(id: u8) -> Option<Algorithm> {
    Algorithm::from_id(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place<'_> = Place { table: "trace", column: "body", row: &[1] };

    fn sealer(key: u8, store: &[u8], device: &str, with: Algorithm) -> Sealer {
        Sealer::new(&SecretKey::fill_with(|bytes| bytes.fill(key)), store, device, with)
    }

    #[test]
    fn a_value_opens_where_it_was_put_and_nowhere_else() {
        let ours = sealer(7, b"store", "device", Algorithm::Aes256Gcm);
        let sealed = ours.seal(HERE, b"plain");
        assert_eq!(ours.open(HERE, &sealed).expect("in its place").show_bytes(), b"plain");
        let elsewhere = [
            Place { table: "consent", ..HERE },
            Place { column: "leaf", ..HERE },
            Place { row: &[2], ..HERE },
            // The parts cannot be shifted into each other.
            Place { table: "traceb", column: "ody", row: &[1] },
        ];
        for place in elsewhere {
            assert!(ours.open(place, &sealed).is_err(), "{}.{}", place.table, place.column);
        }
        for other in [
            sealer(8, b"store", "device", Algorithm::Aes256Gcm),
            sealer(7, b"other", "device", Algorithm::Aes256Gcm),
            sealer(7, b"store", "another", Algorithm::Aes256Gcm),
            sealer(7, b"stored", "evice", Algorithm::Aes256Gcm),
        ] {
            assert!(other.open(HERE, &sealed).is_err());
        }
    }

    #[test]
    fn a_disk_may_move_to_a_board_with_the_other_cipher() {
        let (aes, chacha) =
            (sealer(7, b"s", "d", Algorithm::Aes256Gcm), sealer(7, b"s", "d", Algorithm::ChaCha20Poly1305));
        for (writer, reader) in [(&aes, &chacha), (&chacha, &aes)] {
            let sealed = writer.seal(HERE, b"plain");
            assert_eq!(reader.open(HERE, &sealed).expect("either reads both").show_bytes(), b"plain");
        }
        assert_ne!(aes.seal(HERE, b"plain")[0], chacha.seal(HERE, b"plain")[0]);
    }

    #[test]
    fn what_was_sealed_otherwise_is_noted_when_it_is_opened() {
        let key = |algorithm| sealer(7, b"s", "d", algorithm);
        let (aes, chacha) = (key(Algorithm::Aes256Gcm), key(Algorithm::ChaCha20Poly1305));
        for (sealed, is_old) in [
            (aes.seal(HERE, b"plain"), false),
            (chacha.seal(HERE, b"plain"), true),
            (aes.seal_in(FORM - 1, HERE, b"plain"), true),
        ] {
            let touched = Touched::of_a_store();
            let ours = key(Algorithm::Aes256Gcm).noting(touched.clone());
            assert_eq!(ours.open(HERE, &sealed).expect("either form is read").show_bytes(), b"plain");
            assert_eq!((ours.is_old(&sealed), touched.is_empty()), (is_old, !is_old));
        }
    }

    #[test]
    fn no_byte_can_be_changed_and_no_length_is_a_panic() {
        let ours = sealer(7, b"s", "d", Algorithm::ChaCha20Poly1305);
        let sealed = ours.seal(HERE, b"plain");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(ours.open(HERE, &changed).is_err(), "byte {at}");
            assert!(ours.open(HERE, &sealed[..at]).is_err(), "cut at {at}");
        }
        let mut future = sealed;
        future[1] = 2;
        assert!(matches!(ours.open(HERE, &future), Err(Error::FromTheFuture { found: 2, known: 1 })));
        assert_ne!(ours.seal(HERE, b"plain"), ours.seal(HERE, b"plain"), "a nonce is never used twice");
    }
}
