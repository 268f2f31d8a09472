//! Documents above 256 KB: one sealed file each, in 64 KB chunks (the STREAM construction).
//!
//! ```text
//! algorithm (1) ‖ form (1) ‖ salt (32) ‖ chunk 0 ‖ chunk 1 ‖ … each chunk with its tag; the last one is marked in its nonce
//! ```
//!
//! Each file has a key of its own (patient key and salt), so that a nonce can be a counter. A chunk that was moved, left
//! out or added does not open, nor does a file in another document's place. The name comes into a row only when file and
//! folder are on the disk.
//!
//! *Rejected*: a large one opened by two threads. With both processors idle it takes three quarters of the time, with one of
//! them busy ten times as long, and a kiosk draws meanwhile.

use crate::secret::SecretBytes;
use crate::secret::SecretKey;
use crate::secret::content::Content;
use crate::vault::Error;
use crate::vault::keys::derive;
use crate::vault::keys::fill_random;
use crate::vault::keys::sync_folder;
use crate::vault::seal::Algorithm;
use crate::vault::seal::Place;
use crate::vault::seal::Sealer;
use crate::vault::seal::algorithm_from_id;
use crate::vault::seal::file_cipher;
use aws_lc_rs::aead::Aad;
use aws_lc_rs::aead::LessSafeKey;
use aws_lc_rs::aead::NONCE_LEN;
use aws_lc_rs::aead::Nonce;
use rustix::fs::Advice;
use rustix::fs::fadvise;
use std::fs::File;
use std::fs::OpenOptions;
use std::io::Read;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use zeroize::Zeroizing;

/// Where a file's content belongs, and under whose key.
pub(super) struct Binding<'a> {
    pub sealer: &'a Sealer,
    pub patient_key: &'a SecretKey,
    pub place: Place<'a>,
}

const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;
const FORM: u8 = 1;
const HEADER: usize = 2 + 32;

impl Binding<'_> {
    fn cipher(&self, algorithm: Algorithm, salt: &[u8]) -> LessSafeKey {
        file_cipher(algorithm, &derive(salt, &[self.patient_key.show_to_cipher()], &[b"chevet/file/v1"]))
    }

    fn refused(&self) -> Error {
        Error::Sealed { table: self.place.table, column: self.place.column }
    }
}

/// Writes and syncs the file, then its folder. On an error nothing refers to what may be left.
pub(super) fn seal(folder: &Path, name: &str, binding: &Binding<'_>, content: &Content) -> Result<(), Error> {
    let path = folder.join(name);
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(Error::file("making"))?;
    let written = write_chunks(&mut file, binding, content)
        .and_then(|()| file.sync_all())
        .and_then(|()| sync_folder(folder))
        .map_err(Error::file("writing"));
    if written.is_err() {
        // Best effort: what stays is ciphertext that no row names, and the next opening sweeps it.
        drop(std::fs::remove_file(&path));
    }
    written
}

fn write_chunks(file: &mut File, binding: &Binding<'_>, content: &Content) -> std::io::Result<()> {
    let algorithm = binding.sealer.algorithm();
    let mut header = [0; HEADER];
    header[0] = algorithm as u8;
    header[1] = FORM;
    fill_random(&mut header[2..]);
    file.write_all(&header)?;
    let cipher = binding.cipher(algorithm, &header[2..]);
    let count = content.size().div_ceil(CHUNK).max(1);
    let mut number = 0;
    let mut seal = |buffer: &mut Vec<u8>| {
        let aad = Aad::from(binding.sealer.chunk_aad(binding.place, number));
        let nonce = chunk_nonce(number, number + 1 == count as u64);
        cipher.seal_in_place_append_tag(nonce, aad, buffer).expect("a chunk is far below the cipher's limit");
        number += 1;
        file.write_all(buffer)
    };
    // Only what must be sealed as the last one waits to the end.
    let mut buffer = Vec::with_capacity(CHUNK + TAG);
    content.pour(&mut |mut piece| {
        while !piece.is_empty() {
            if buffer.len() == CHUNK {
                seal(&mut buffer)?;
                buffer.clear();
            }
            let (now, later) = piece.split_at(piece.len().min(CHUNK - buffer.len()));
            buffer.extend_from_slice(now);
            piece = later;
        }
        Ok(())
    })?;
    seal(&mut buffer)
}

/// Reads it whole. `size` is the row's: nothing larger is ever taken into memory.
pub(super) fn open(folder: &Path, name: &str, binding: &Binding<'_>, size: usize) -> Result<SecretBytes, Error> {
    let file = File::open(folder.join(name)).map_err(Error::file("opening"))?;
    let count = size.div_ceil(CHUNK).max(1);
    let length = file.metadata().map_err(Error::file("opening"))?.len();
    if length != (HEADER + size + count * TAG) as u64 {
        return Err(binding.refused());
    }
    // The disk goes ahead while the first chunks are opened. Best effort: without it they come a little later.
    let _asked = fadvise(&file, 0, None, Advice::WillNeed);
    let mut header = [0; HEADER];
    (&file).read_exact(&mut header).map_err(Error::file("reading"))?;
    let algorithm = algorithm_from_id(header[0]).filter(|_| header[1] == FORM).ok_or_else(|| binding.refused())?;
    let cipher = binding.cipher(algorithm, &header[2..]);
    // One chunk at a time, each read to where it stays and opened there while the processor still has it. What is returned has
    // its room from the beginning, which nothing fills before, never moves, and is wiped when a later chunk does not open.
    let mut content = Zeroizing::new(Vec::with_capacity(size + TAG));
    for number in 0..count {
        let start = content.len();
        let plain = CHUNK.min(size - start);
        let read = (&file).take((plain + TAG) as u64).read_to_end(&mut content).map_err(Error::file("reading"))?;
        if read != plain + TAG {
            return Err(binding.refused());
        }
        let aad = Aad::from(binding.sealer.chunk_aad(binding.place, number as u64));
        let nonce = chunk_nonce(number as u64, number + 1 == count);
        cipher.open_in_place(nonce, aad, &mut content[start..]).map_err(|_| binding.refused())?;
        content.truncate(start + plain);
    }
    debug_assert_eq!(content.capacity(), size + TAG, "it has not moved");
    let content = SecretBytes::new(std::mem::take(&mut *content));
    binding.sealer.was_sealed_with(algorithm, binding.place);
    Ok(content)
}

/// Number and last mark: a file cut at a chunk's edge does not open.
fn chunk_nonce(number: u64, is_last: bool) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[3..11].copy_from_slice(&number.to_be_bytes());
    nonce[11] = is_last.into();
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::content::Aside;
    use std::sync::Arc;

    /// Poured by 50,000 bytes, which is no part of a chunk.
    struct Pieces(Vec<u8>);

    impl Aside for Pieces {
        fn size(&self) -> usize {
            self.0.len()
        }

        fn pour(&self, into: &mut dyn FnMut(&[u8]) -> std::io::Result<()>) -> std::io::Result<()> {
            self.0.chunks(50_000).try_for_each(into)
        }
    }

    fn key(byte: u8) -> SecretKey {
        SecretKey::fill_with(|bytes| bytes.fill(byte))
    }

    #[test]
    fn every_length_comes_back_and_no_change_does() {
        let folder = tempfile::tempdir().expect("a folder");
        let (patient_key, other_key) = (key(1), key(2));
        let sealer = Sealer::new(&patient_key, b"store", "device", Algorithm::of_this_machine());
        let place = Place { table: "document", column: "content", row: b"row" };
        let here = Binding { sealer: &sealer, patient_key: &patient_key, place };
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7] {
            let content: Vec<u8> = (0..length).map(|at| (at * 31 % 251) as u8).collect();
            let name = length.to_string();
            seal(folder.path(), &name, &here, &Content::new(content.clone())).expect("written");
            assert_eq!(open(folder.path(), &name, &here, length).expect("read").show_bytes(), content, "{length}");
            let in_pieces = Content::Aside(Arc::new(Pieces(content.clone())));
            seal(folder.path(), &format!("{name}-in-pieces"), &here, &in_pieces).expect("written");
            let opened = open(folder.path(), &format!("{name}-in-pieces"), &here, length).expect("read");
            assert_eq!(opened.show_bytes(), content, "{length}, in pieces");
            let elsewhere = Binding { place: Place { row: b"raw", ..place }, ..here };
            assert!(open(folder.path(), &name, &elsewhere, length).is_err(), "in another row's place");
            let other = Binding { patient_key: &other_key, ..here };
            assert!(open(folder.path(), &name, &other, length).is_err(), "with another patient's key");
        }
        let sealed = std::fs::read(folder.path().join((3 * CHUNK).to_string())).expect("sealed");
        let first = HEADER..HEADER + CHUNK + TAG;
        let second = first.end..first.end + CHUNK + TAG;
        let swapped =
            [&sealed[..HEADER], &sealed[second.clone()], &sealed[first.clone()], &sealed[second.end..]].concat();
        std::fs::write(folder.path().join("swapped"), swapped).expect("written");
        assert!(open(folder.path(), "swapped", &here, 3 * CHUNK).is_err(), "two chunks swapped");
        std::fs::write(folder.path().join("cut"), &sealed[..second.end]).expect("written");
        assert!(open(folder.path(), "cut", &here, 2 * CHUNK).is_err(), "cut at a chunk's edge");
        std::fs::write(folder.path().join("longer"), [sealed.as_slice(), b"x"].concat()).expect("written");
        assert!(open(folder.path(), "longer", &here, 3 * CHUNK).is_err(), "with something behind it");
        for at in [0, 1, 2, HEADER, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            std::fs::write(folder.path().join("changed"), changed).expect("written");
            assert!(open(folder.path(), "changed", &here, 3 * CHUNK).is_err(), "byte {at}");
        }
    }
}
