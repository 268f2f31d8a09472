//! Fetches revocation lists while there is a network: at start, then twice a day, and at once when a card came whose list is
//! missing or too old. Who is revoked is read from what lies in the state folder; this task only puts newer lists there.

use crate::identity::crl::Accepted;
use crate::identity::crl::Refused;
use crate::kiosk::trusted;
use crate::kiosk::trusted::Trust;
use crate::link;
use crate::link::plain::Bounds;
use crate::link::plain::Plain;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// What became of one address.
pub struct Fetched {
    pub url: String,
    pub outcome: Result<Accepted, Error>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the revocation list cannot be fetched")]
    Link { source: link::Error },
    #[error("the revocation list is not taken; the one that is here stays")]
    Refused { source: Refused },
    #[error("the revocation list cannot be kept")]
    Keep { source: trusted::Error },
}

/// Runs until nobody can wake it any more. A message means: a list is wanted now.
pub async fn run(trust: Arc<Trust>, mut wanted: mpsc::Receiver<()>) {
    let plain = Plain::new(Bounds::default());
    loop {
        let rest = match round(&trust, &plain).await {
            Ok(fetched) => report(&fetched),
            Err(error) => {
                tracing::error!(%error, "where revocation lists are fetched cannot be read");
                RETRY
            }
        };
        // Whoever puts a card in again and again is not to hammer a public server.
        tokio::time::sleep(PAUSE_MIN).await;
        tokio::select! {
            asked = wanted.recv() => if asked.is_none() { return },
            () = tokio::time::sleep(rest) => {}
        }
    }
}

/// Asks every address once, one after the other.
pub async fn round(trust: &Trust, plain: &Plain) -> Result<Vec<Fetched>, trusted::Error> {
    let mut fetched = Vec::new();
    for url in trust.points()? {
        let outcome = fetch(trust, plain, &url).await;
        fetched.push(Fetched { url, outcome });
    }
    Ok(fetched)
}

async fn fetch(trust: &Trust, plain: &Plain, url: &str) -> Result<Accepted, Error> {
    let bytes = plain.get(url, LIST_BYTES_MAX).await.map_err(|source| Error::Link { source })?;
    // Read anew for each: two addresses may publish one list, and the second is judged against the first.
    let here = trust.crls().map_err(|source| Error::Keep { source })?;
    let list = here.accept(&bytes, &trust.anchors).map_err(|source| Error::Refused { source })?;
    if list.is_news {
        trust.keep_list(&list).map_err(|source| Error::Keep { source })?;
    }
    Ok(list)
}

/// How long to rest.
fn report(fetched: &[Fetched]) -> Duration {
    let mut failed = 0;
    for Fetched { outcome, .. } in fetched {
        match outcome {
            Ok(list) if list.is_news => tracing::info!(made = list.this_update.0, "a newer revocation list is here"),
            Ok(_) => {}
            Err(error) => {
                failed += 1;
                let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
                tracing::warn!(%error, cause, "a revocation list did not come");
            }
        }
    }
    if failed == 0 { REST } else { RETRY }
}

/// Twice a day: fresh is seven days.
const REST: Duration = Duration::from_secs(12 * 3600);
const RETRY: Duration = Duration::from_secs(15 * 60);
const PAUSE_MIN: Duration = Duration::from_secs(5);
/// The largest known public lists have a few megabytes.
const LIST_BYTES_MAX: u64 = 32 << 20;
