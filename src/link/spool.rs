//! Where a content gathers while it comes: in memory as long as it is small, then sealed in a file that has no name.
//!
//! ```text
//! chunk 0 ‖ tag ‖ chunk 1 ‖ tag ‖ …   64 KB each but the last; the nonce is the chunk's number
//! ```
//!
//! The key is drawn for each content and is never written: what a power cut leaves opens for nobody, and the system frees it
//! at the next start, since no folder names it. A content that begins anew begins with a new key.

use crate::link::Error;
use crate::link::Sink;
use crate::secret::SecretKey;
use crate::secret::content::Aside;
use crate::secret::content::Content;
use aws_lc_rs::aead::Aad;
use aws_lc_rs::aead::CHACHA20_POLY1305;
use aws_lc_rs::aead::LessSafeKey;
use aws_lc_rs::aead::NONCE_LEN;
use aws_lc_rs::aead::Nonce;
use aws_lc_rs::aead::UnboundKey;
use aws_lc_rs::digest;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Gathers one content, and what is to be known of it.
pub struct Spool<'a> {
    /// Where a large one lies; `None`: it stays in memory, whatever its size.
    folder: Option<&'a Path>,
    room: usize,
    /// What is not sealed yet.
    gathered: Zeroizing<Vec<u8>>,
    aside: Option<SealedFile>,
    sha1: digest::Context,
}

/// What came.
pub struct Spooled {
    pub content: Content,
    pub sha1: [u8; 20],
}

struct SealedFile {
    file: File,
    cipher: LessSafeKey,
    size: usize,
}

const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;
/// What is kept in memory: nearly all documents are smaller (facts: median 20 KB).
const MEMORY_MAX: usize = 1024 * 1024;

impl<'a> Spool<'a> {
    /// `expected`: the size that was promised, so that what stays in memory has its room from the beginning.
    pub fn new(folder: Option<&'a Path>, expected: usize) -> Spool<'a> {
        let room = if folder.is_some() && expected > MEMORY_MAX { CHUNK } else { expected };
        Spool { folder, room, gathered: Zeroizing::default(), aside: None, sha1: new_sha1() }
    }

    /// Once all has come.
    pub fn finish(mut self) -> Result<Spooled, Error> {
        let mut sha1 = [0; 20];
        sha1.copy_from_slice(self.sha1.finish().as_ref());
        let content = match self.aside.take() {
            None => Content::new(std::mem::take(&mut *self.gathered)),
            Some(mut aside) => {
                if !self.gathered.is_empty() {
                    aside.seal(&self.gathered).map_err(not_kept)?;
                }
                Content::Aside(Arc::new(aside))
            }
        };
        Ok(Spooled { content, sha1 })
    }

    /// Each full chunk into the file. At the last one nothing may be left over, or everything: it is sealed by [`Spool::finish`].
    fn spill(&mut self, folder: &Path) -> io::Result<()> {
        let aside = match &mut self.aside {
            Some(aside) => aside,
            none => none.insert(SealedFile::new(folder)?),
        };
        let full = self.gathered.len() / CHUNK * CHUNK;
        for chunk in self.gathered[..full].chunks(CHUNK) {
            aside.seal(chunk)?;
        }
        let left = Zeroizing::new(self.gathered[full..].to_vec());
        // Not the room of what was gathered before the file was there.
        self.gathered = Zeroizing::new(Vec::with_capacity(2 * CHUNK));
        self.gathered.extend_from_slice(&left);
        Ok(())
    }
}

impl Sink for Spool<'_> {
    fn begin(&mut self, _content_type: &str) -> Result<(), Error> {
        self.gathered = Zeroizing::new(Vec::with_capacity(self.room));
        (self.aside, self.sha1) = (None, new_sha1());
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.sha1.update(bytes);
        self.gathered.extend_from_slice(bytes);
        match self.folder {
            Some(folder) if self.gathered.len() > self.memory_max() => self.spill(folder).map_err(not_kept),
            _ => Ok(()),
        }
    }
}

impl Spool<'_> {
    fn memory_max(&self) -> usize {
        if self.aside.is_some() { CHUNK } else { MEMORY_MAX }
    }
}

impl SealedFile {
    fn new(folder: &Path) -> io::Result<SealedFile> {
        let key = SecretKey::fill_with(|bytes| {
            aws_lc_rs::rand::fill(bytes).expect("the system gives randomness");
        });
        let key = UnboundKey::new(&CHACHA20_POLY1305, key.show_to_cipher()).expect("32 bytes are a key");
        Ok(SealedFile { file: tempfile::tempfile_in(folder)?, cipher: LessSafeKey::new(key), size: 0 })
    }

    /// The next one; all but the last are whole chunks.
    fn seal(&mut self, chunk: &[u8]) -> io::Result<()> {
        let number = self.size.div_ceil(CHUNK);
        let mut sealed = Vec::with_capacity(chunk.len() + TAG);
        sealed.extend_from_slice(chunk);
        self.cipher
            .seal_in_place_append_tag(nonce(number), Aad::empty(), &mut sealed)
            .expect("a chunk is far below the cipher's limit");
        self.file.write_all_at(&sealed, (number * (CHUNK + TAG)) as u64)?;
        self.size += chunk.len();
        Ok(())
    }
}

impl Aside for SealedFile {
    fn size(&self) -> usize {
        self.size
    }

    fn pour(&self, into: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut buffer = Zeroizing::new(vec![0; CHUNK + TAG]);
        for number in 0..self.size.div_ceil(CHUNK) {
            let plain = CHUNK.min(self.size - number * CHUNK);
            let sealed = &mut buffer[..plain + TAG];
            self.file.read_exact_at(sealed, (number * (CHUNK + TAG)) as u64)?;
            let opened = self.cipher.open_in_place(nonce(number), Aad::empty(), sealed);
            into(opened.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "what was spooled was changed"))?)?;
        }
        Ok(())
    }
}

fn nonce(number: usize) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[4..].copy_from_slice(&(number as u64).to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

fn new_sha1() -> digest::Context {
    digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY)
}

fn not_kept(source: io::Error) -> Error {
    Error::NotKept { source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::digest::digest;

    fn text(size: usize) -> Vec<u8> {
        (0..size).map(|at| (at * 31 % 251) as u8).collect()
    }

    fn spooled(folder: Option<&Path>, text: &[u8], piece: usize) -> Spooled {
        let mut spool = Spool::new(folder, text.len());
        spool.begin("text/plain").expect("begun");
        text.chunks(piece.max(1)).for_each(|piece| spool.take(piece).expect("taken"));
        spool.finish().expect("whole")
    }

    #[test]
    fn whatever_came_comes_back_in_whatever_pieces() {
        let folder = tempfile::tempdir().expect("a folder");
        for size in [0, 1, CHUNK, MEMORY_MAX, MEMORY_MAX + 1, 17 * CHUNK, 18 * CHUNK, 18 * CHUNK + 7] {
            let text = text(size);
            for piece in [CHUNK / 4 - 1, CHUNK, 5 * CHUNK + 1, size] {
                for place in [None, Some(folder.path())] {
                    let came = spooled(place, &text, piece);
                    assert_eq!(came.content.size(), size);
                    assert_eq!(came.content.whole().expect("whole").show_bytes(), text, "{size} by {piece}");
                    assert_eq!(came.sha1, digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &text).as_ref());
                    let is_aside = matches!(came.content, Content::Aside(_));
                    assert_eq!(is_aside, place.is_some() && size > MEMORY_MAX, "{size} by {piece}");
                }
            }
        }
        assert_eq!(folder.path().read_dir().expect("a folder").count(), 0, "no name is left");
    }

    #[test]
    fn what_begins_anew_leaves_nothing_of_what_came_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let (old, new) = (vec![b'x'; 3 * MEMORY_MAX], text(2 * MEMORY_MAX));
        let mut spool = Spool::new(Some(folder.path()), 0);
        for text in [&old, &new] {
            spool.begin("text/plain").expect("begun");
            text.chunks(10_000).for_each(|piece| spool.take(piece).expect("taken"));
        }
        assert_eq!(spool.finish().expect("whole").content.whole().expect("whole").show_bytes(), new);
    }

    /// What lies there says nothing, and a changed byte is found before any of its chunk is handed on.
    #[test]
    fn it_lies_sealed() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut sealed = SealedFile::new(folder.path()).expect("a file");
        [vec![b'x'; CHUNK], vec![b'y'; 100]].iter().for_each(|chunk| sealed.seal(chunk).expect("sealed"));
        let mut bytes = vec![0; CHUNK + 100 + 2 * TAG];
        sealed.file.read_exact_at(&mut bytes, 0).expect("as long as that");
        assert!(!bytes.windows(8).any(|some| some == b"xxxxxxxx" || some == b"yyyyyyyy"));
        let at = (CHUNK + TAG + 3) as u64;
        sealed.file.write_all_at(&[bytes[at as usize] ^ 1], at).expect("changed");
        let mut handed_on = 0;
        let poured = sealed.pour(&mut |piece| {
            handed_on += piece.len();
            Ok(())
        });
        assert_eq!(poured.expect_err("changed").kind(), io::ErrorKind::InvalidData);
        assert_eq!(handed_on, CHUNK);
    }

    #[test]
    fn a_folder_that_takes_nothing_is_said() {
        let mut spool = Spool::new(Some(Path::new("/proc")), 0);
        spool.begin("text/plain").expect("begun");
        assert!(matches!(spool.take(&text(MEMORY_MAX + 1)), Err(Error::NotKept { .. })));
    }
}
