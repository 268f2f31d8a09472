//! The thread that waits for changes in the reader.

use crate::card::Notice;
use crate::card::Options;
use crate::card::Shared;
use std::sync::Arc;
use tokio::sync::mpsc;

/// How the last handle ends the wait.
#[derive(Default)]
pub(crate) struct Stop;

impl Stop {
    pub(crate) fn ask(&self) {}
}

pub(crate) fn start(
    _options: Options,
    _notices: mpsc::Sender<Notice>,
    _shared: Arc<Shared>,
    _stop: Arc<Stop>,
) -> std::io::Result<()> {
    Ok(())
}
