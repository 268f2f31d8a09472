//! The thread that speaks to the card.

use crate::card::Command;
use crate::card::Shared;
use std::sync::Arc;
use std::sync::mpsc as channel;

pub(crate) fn start(_orders: channel::Receiver<Command>, _shared: Arc<Shared>) -> std::io::Result<()> {
    Ok(())
}
