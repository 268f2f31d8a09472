//! What went over the line today, entered into its ledger every so often. It decides nothing: the link knows when the day's
//! budget is spent.

use crate::device::clock::Clock;
use crate::link::traffic::Ledger;
use std::time::Duration;

/// Runs for ever; what went since the last entry is lost with the program.
pub async fn run(mut ledger: Ledger, clock: Clock, time_zone: String) {
    loop {
        if let Err(error) = ledger.enter(&clock.as_shown().day_in(&time_zone)) {
            tracing::error!(%error, "what the line cost today cannot be written down");
        }
        tokio::time::sleep(EVERY).await;
    }
}

const EVERY: Duration = Duration::from_secs(60);
