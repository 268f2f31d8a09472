//! Reading the device key, and everything that is derived from a key.
//!
//! A device key is 32 random bytes. On a desk it is a file for its owner alone; in an image systemd hands it over as a
//! credential (`provider` says which). Never on a command line, never in the environment.

use crate::identity::holder::CertificateKeyId;
use crate::secret::SecretBytes;
use crate::secret::SecretKey;
use crate::vault::Error;
use aws_lc_rs::hkdf::HKDF_SHA256;
use aws_lc_rs::hkdf::Salt;
use aws_lc_rs::hmac;
use rustix::io::retry_on_intr;
use rustix::rand::GetRandomFlags;
use rustix::rand::getrandom;
use std::fs::File;
use std::fs::Metadata;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use zeroize::Zeroizing;

/// The desk's provider: `device.key` in the state folder, mode 0600, made at first use.
///
/// Where a journal is and its key is not, none is made: it would only hide that the key was lost.
pub fn desk_device_key(folder: &Path) -> Result<SecretKey, Error> {
    let path = folder.join(KEY_FILE);
    match device_key_from(&path) {
        Err(Error::KeyFile { source }) if source.kind() == ErrorKind::NotFound => {}
        read => return read,
    }
    if folder.join(super::JOURNAL_FILE).exists() {
        return Err(Error::KeyMissing);
    }
    let key = random_key();
    make_once(folder, KEY_FILE, key.show_to_cipher())?;
    // Read back: when two processes start at once, one file wins for both.
    device_key_from(&path)
}

/// A key in a file that only its owner reads: exactly 32 bytes.
pub fn device_key_from(path: &Path) -> Result<SecretKey, Error> {
    read_key(path, |about| about.mode() & 0o077 == 0)
}

/// A key that systemd hands over. It gives a service's own user access by an access list, whose mask stands where the
/// group's bits are: a file of root and its group then reads 0440, and no group can read it.
pub(super) fn credential_key(path: &Path) -> Result<SecretKey, Error> {
    read_key(path, |about| {
        let roots_own = about.uid() == 0 && about.gid() == 0;
        about.mode() & (if roots_own { 0o037 } else { 0o077 }) == 0
    })
}

/// Whether the desk's file holds this very key. One that cannot be read holds none that serves anybody.
pub(super) fn desk_key_is(folder: &Path, key: &SecretKey) -> bool {
    let file = read_key(&folder.join(KEY_FILE), |_| true);
    file.is_ok_and(|found| found.show_to_cipher() == key.show_to_cipher())
}

fn read_key(path: &Path, is_private: impl FnOnce(&Metadata) -> bool) -> Result<SecretKey, Error> {
    let mut file = File::open(path).map_err(|source| Error::KeyFile { source })?;
    let about = file.metadata().map_err(|source| Error::KeyFile { source })?;
    if !is_private(&about) {
        return Err(Error::KeyExposed);
    }
    if about.len() != 32 {
        return Err(Error::KeyShape);
    }
    let mut read = Ok(());
    let key = SecretKey::fill_with(|bytes| read = file.read_exact(bytes));
    read.map_err(|source| Error::KeyFile { source })?;
    Ok(key)
}

/// The desk's device name: random, made at first use, kept in `device.id`.
pub fn device_id(folder: &Path) -> Result<String, Error> {
    let path = folder.join(ID_FILE);
    let read = || std::fs::read_to_string(&path);
    let text = match read() {
        Err(source) if source.kind() == ErrorKind::NotFound => {
            let mut random = [0; 8];
            fill_random(&mut random);
            make_once(folder, ID_FILE, format!("chevet-{}\n", hex::encode(random)).as_bytes())?;
            read()
        }
        text => text,
    };
    let name = text.map_err(Error::folder("reading the device's name"))?.trim().to_owned();
    if name.is_empty() { Err(Error::Shape { what: "the device's name" }) } else { Ok(name) }
}

/// Writes a file that is either whole or not there, and never over another one.
fn make_once(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
    make_folder(folder)?;
    let draft = folder.join(format!("{name}.{}", std::process::id()));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        match std::fs::hard_link(&draft, folder.join(name)) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    })();
    let removed = std::fs::remove_file(&draft);
    written.and(removed).and_then(|()| sync_folder(folder)).map_err(Error::folder("making a small file"))
}

/// Makes the folder for its owner alone. What is made is on the disk before anything is put into it.
pub(super) fn make_folder(folder: &Path) -> Result<(), Error> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|path| !path.exists()).collect();
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(Error::folder("making it"))?;
    for parent in missing.into_iter().rev().filter_map(Path::parent) {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        sync_folder(parent).map_err(Error::folder("syncing its parent"))?;
    }
    Ok(())
}

/// A new or renamed name is on the disk only once its folder is.
pub(super) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

/// 32 bytes from the system.
pub(super) fn random_key() -> SecretKey {
    SecretKey::fill_with(|bytes| fill_random(bytes))
}

/// From the kernel, and not from the library's generator, which measures the processor's jitter for 50 ms before its first
/// byte: a command that lives for 50 ms would live twice as long. Up to 256 bytes come whole (getrandom(2)).
pub fn fill_random(bytes: &mut [u8]) {
    let asked = bytes.len();
    let filled = retry_on_intr(|| getrandom(&mut *bytes, GetRandomFlags::empty()));
    assert!(filled == Ok(asked), "the system gives random bytes, or nothing can be sealed at all");
}

/// HKDF-SHA256 (RFC 5869) over the parts of `ikm`, one behind the other: callers give parts of fixed length.
pub(super) fn derive(salt: &[u8], ikm: &[&[u8]], info: &[&[u8]]) -> SecretKey {
    let input = Zeroizing::new(ikm.concat());
    let extracted = Salt::new(HKDF_SHA256, salt).extract(&input);
    SecretKey::fill_with(|bytes| {
        let expanded = extracted.expand(info, HKDF_SHA256).and_then(|okm| okm.fill(bytes));
        expanded.expect("one block of output is always within the limit");
    })
}

/// A compartment's key-encryption key: the card and the device together. A rogue computer with the card lacks
/// the device key and the salt; a stolen device lacks the card.
pub(super) fn key_encryption_key(
    signature: &SecretBytes,
    device_key: &SecretKey,
    salt: &[u8; 32],
    card: CertificateKeyId,
) -> SecretKey {
    let ikm = [signature.show_bytes(), device_key.show_to_cipher().as_slice()];
    derive(salt, &ikm, &[b"chevet/compartment/v1", &card.0])
}

/// What a patient's rows in a compartment are sealed with. Without the shred secret there is no way to it.
pub(super) fn patient_key(compartment: &SecretKey, shred_secret: &SecretKey, patient: &Pseudonym) -> SecretKey {
    let ikm = [compartment.show_to_cipher().as_slice(), shred_secret.show_to_cipher()];
    derive(&[], &ikm, &[b"chevet/patient/v1", patient])
}

/// A name that says nothing without the key it was made with.
pub(super) type Pseudonym = [u8; 16];

/// HMAC-SHA256, cut to 128 bits: lookup keys that are equal for equal names and otherwise say nothing.
pub(super) struct Lookup(hmac::Key);

impl Lookup {
    pub fn new(key: &SecretKey) -> Lookup {
        Lookup(hmac::Key::new(hmac::HMAC_SHA256, key.show_to_cipher()))
    }

    /// `kind` keeps apart what may look alike, such as a holder and a patient.
    pub fn pseudonym(&self, kind: &str, name: &[u8]) -> Pseudonym {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&(kind.len() as u32).to_be_bytes());
        context.update(kind.as_bytes());
        context.update(name);
        let mut short = [0; 16];
        short.copy_from_slice(&context.sign().as_ref()[..16]);
        short
    }
}

const KEY_FILE: &str = "device.key";
const ID_FILE: &str = "device.id";

#[cfg(test)]
mod tests {
    use super::*;

    fn kek(signature: u8, device: u8, salt: u8, card: u8) -> SecretKey {
        let device_key = SecretKey::fill_with(|key| key.fill(device));
        let signature = SecretBytes::new(vec![signature; 256]);
        key_encryption_key(&signature, &device_key, &[salt; 32], CertificateKeyId([card; 32]))
    }

    /// RFC 5869 over DESIGN.md's formula, computed elsewhere (Python's hmac and hashlib).
    #[test]
    fn a_compartments_key_needs_the_cards_signature_the_devices_key_and_the_salt() {
        let right = "ab22d1702b3811fd67603a960680ef8afb732da6841c9b32a4e8bc0f4cfd11f5";
        assert_eq!(hex::encode(kek(3, 5, 7, 9).show_to_cipher()), right);
        for (what, other) in [
            ("another signature", kek(4, 5, 7, 9)),
            ("another device", kek(3, 6, 7, 9)),
            ("another salt", kek(3, 5, 8, 9)),
            ("another card", kek(3, 5, 7, 10)),
        ] {
            assert_ne!(hex::encode(other.show_to_cipher()), right, "{what}");
        }
    }
}
