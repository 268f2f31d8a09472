//! What went over the line today, entered into its ledger every so often, and told to the loop. It decides nothing: the link knows
//! when the day's budget is spent.

use crate::device::clock::Clock;
use crate::link::traffic::Ledger;
use crate::visit::Event;
use crate::visit::event::Spent;
use tokio::sync::mpsc;

/// Runs until the loop is gone; what went since the last entry is lost with the program.
pub async fn run(mut ledger: Ledger, clock: Clock, time_zone: String, events: mpsc::Sender<Event>) {
    loop {
        if let Err(error) = ledger.enter(&clock.as_shown().day_in(&time_zone)) {
            tracing::error!(%error, "what the line cost today cannot be written down");
        }
        let (bytes, budget_bytes) = (ledger.day().bytes, ledger.day().budget_bytes);
        if events.send(Event::SpentIs(Spent { bytes, budget_bytes })).await.is_err() {
            return;
        }
        tokio::time::sleep(clock.until_minute()).await;
    }
}
