//! A document's bytes on their way from the line to where they rest: in memory, or too large for it. Pure.

use crate::secret::SecretBytes;
use std::sync::Arc;

/// Cheap to clone: the bytes are there once.
#[derive(Clone)]
pub enum Content {
    Whole(Arc<SecretBytes>),
    Aside(Arc<dyn Aside>),
}

/// Bytes that lie sealed elsewhere, under a key that is nowhere but here.
pub trait Aside: Send + Sync {
    fn size(&self) -> usize;

    /// In pieces, from the first byte to the last. What was changed meanwhile is an error, never a piece.
    fn pour(&self, into: &mut dyn FnMut(&[u8]) -> std::io::Result<()>) -> std::io::Result<()>;
}

impl Content {
    pub fn new(bytes: Vec<u8>) -> Content {
        Content::Whole(Arc::new(SecretBytes::new(bytes)))
    }

    pub fn size(&self) -> usize {
        match self {
            Content::Whole(bytes) => bytes.show_bytes().len(),
            Content::Aside(aside) => aside.size(),
        }
    }

    /// In pieces of any size.
    pub fn pour(&self, into: &mut dyn FnMut(&[u8]) -> std::io::Result<()>) -> std::io::Result<()> {
        match self {
            Content::Whole(bytes) => into(bytes.show_bytes()),
            Content::Aside(aside) => aside.pour(into),
        }
    }

    /// All of it in memory.
    pub fn whole(&self) -> std::io::Result<Arc<SecretBytes>> {
        match self {
            Content::Whole(bytes) => Ok(Arc::clone(bytes)),
            Content::Aside(aside) => {
                let mut bytes = SecretBytes::with_room(aside.size());
                aside.pour(&mut |piece| {
                    bytes.extend(piece);
                    Ok(())
                })?;
                Ok(Arc::new(bytes))
            }
        }
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Content([REDACTED])")
    }
}
