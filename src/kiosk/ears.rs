//! The reader thread's notices become events. It only listens: a lost event here would be a visit left open.

use crate::card;
use crate::kiosk::troubles;
use crate::visit::Event;
use crate::visit::event::Insertion;
use crate::visit::event::ReaderState;
use tokio::sync::mpsc;

/// Runs until the reader thread or the loop is gone.
pub async fn run(mut notices: mpsc::Receiver<card::Notice>, events: mpsc::Sender<Event>) {
    while let Some(notice) = notices.recv().await {
        let event = match notice {
            card::Notice::ReaderReady => Event::ReaderIs(ReaderState::Ready),
            card::Notice::ReaderAbsent => Event::ReaderIs(ReaderState::Absent),
            card::Notice::ReaderTrouble(error) => Event::ReaderIs(ReaderState::InTrouble(troubles::of_card(&error))),
            card::Notice::CardIn(insertion) => Event::CardIn(Insertion(insertion)),
            card::Notice::CardOut(_) => Event::CardOut,
            card::Notice::CardMute(insertion) => Event::CardMute(Insertion(insertion)),
            card::Notice::OtherCard(other) => Event::OtherCardIs(other),
        };
        if events.send(event).await.is_err() {
            return;
        }
    }
}
