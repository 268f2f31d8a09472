//! The handle on the sealed children: one ready, one per document, all ended at once when the card leaves.

use std::ops::Range;
use std::path::PathBuf;

use crate::record::reading::Reading;
use crate::render::Error;
use crate::render::Limits;
use crate::secret::SecretBytes;

/// Cloned freely; the last one dropped ends every child.
#[derive(Clone)]
pub struct Worker {
    limits: Limits,
}

impl Worker {
    /// Starts the first child and waits until it has sealed itself. `program` is this very binary.
    pub fn start(program: PathBuf, limits: Limits) -> Result<Worker, Error> {
        let _ = program;
        Ok(Worker { limits })
    }

    /// Reads one document in a child of its own. `pages` are drawn, the others only counted.
    pub async fn read(
        &self,
        content: &SecretBytes,
        content_type: &str,
        format_code: &str,
        pages: Range<u32>,
    ) -> Result<Reading, Error> {
        let _ = (content, content_type, format_code, pages, &self.limits);
        Err(Error::NotSealed { what: "not built yet" })
    }

    /// Ends every child that has seen a document, now, and waits for none. What they read is answered [`Error::Killed`].
    pub fn kill(&self) {}
}
