//! gzip on the way out and in (RFC 9110 §8.4.1.3). What comes in is undone in small steps: no answer grows without bound.

use flate2::write::GzDecoder;
use libdeflater::CompressionLvl;
use libdeflater::Compressor;
use std::io;
use std::io::Write;

/// Compressed as far as it goes: the line is slower than any processor.
pub(super) fn compress(plain: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::best());
    let mut packed = vec![0; compressor.gzip_compress_bound(plain.len())];
    let length = compressor.gzip_compress(plain, &mut packed).expect("its own bound is room enough");
    packed.truncate(length);
    packed
}

/// One answer's content, as it was meant.
pub(super) enum Undo {
    Plain,
    Gzip(Box<GzDecoder<Vec<u8>>>),
    /// It was no gzip, or not whole: what follows cannot be undone either.
    Failed,
}

impl Undo {
    /// `None`: a coding that nobody asked for.
    pub(super) fn of(coding: &str) -> Option<Undo> {
        match coding {
            "" | "identity" => Some(Undo::Plain),
            "gzip" | "x-gzip" => Some(Undo::Gzip(Box::new(GzDecoder::new(Vec::new())))),
            _ => None,
        }
    }

    /// Gives `take` what these bytes mean, piece by piece, until it refuses.
    pub(super) fn feed<E: From<io::Error>>(
        &mut self,
        coded: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        for piece in coded.chunks(PIECE) {
            let decoder = match self {
                Undo::Plain => return take(coded),
                Undo::Gzip(decoder) => decoder,
                Undo::Failed => return Err(io::Error::from(io::ErrorKind::InvalidData).into()),
            };
            if let Err(error) = decoder.write_all(piece) {
                *self = Undo::Failed;
                return Err(error.into());
            }
            take(decoder.get_ref())?;
            decoder.get_mut().clear();
        }
        Ok(())
    }

    pub(super) fn has_failed(&self) -> bool {
        matches!(self, Undo::Failed)
    }

    /// After the last byte: what was still inside, checksum and length checked.
    pub(super) fn end<E: From<io::Error>>(&mut self, take: impl FnOnce(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let Undo::Gzip(decoder) = self else { return Ok(()) };
        if let Err(error) = decoder.try_finish() {
            *self = Undo::Failed;
            return Err(error.into());
        }
        take(decoder.get_ref())
    }
}

/// gzip grows a thousandfold at most: this much makes a megabyte.
const PIECE: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn undone(coded: &[u8], limit: usize) -> io::Result<Vec<u8>> {
        let (mut undo, mut plain) = (Undo::of("gzip").expect("known"), Vec::new());
        let mut take = |bytes: &[u8]| {
            plain.extend_from_slice(bytes);
            if plain.len() > limit { Err(io::Error::other("full")) } else { Ok(()) }
        };
        for part in coded.chunks(700) {
            undo.feed(part, &mut take)?;
        }
        undo.end(&mut take)?;
        Ok(plain)
    }

    #[test]
    fn what_was_compressed_comes_back_and_nothing_else() {
        let text: Vec<u8> = (0..50_000u32).flat_map(|number| number.to_string().into_bytes()).collect();
        let coded = compress(&text);
        assert!(coded.len() < text.len() / 2);
        assert_eq!(undone(&coded, usize::MAX).expect("whole"), text);
        assert!(undone(&coded[..coded.len() - 1], usize::MAX).is_err(), "cut");
        assert!(undone(b"<html>", usize::MAX).is_err());
        let mut changed = coded.clone();
        let checksum = coded.len() - 6;
        changed[checksum] ^= 1;
        assert!(undone(&changed, usize::MAX).is_err(), "its checksum");
        assert!(Undo::of("br").is_none());
    }

    #[test]
    fn an_answer_that_swells_is_left_in_time() {
        let bomb = compress(&vec![0; 64 << 20]);
        assert!(bomb.len() < 100_000);
        assert!(undone(&bomb, 1 << 20).is_err());
    }
}
