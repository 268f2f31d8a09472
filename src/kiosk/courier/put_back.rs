//! Whether this disk was put back, or the centre: asked of the upstream before a head of ours goes, and once a day.
//!
//! The upstream has our heads, signed by us. One that is not in our journal any more says that rows are missing here; the vault
//! goes on in a new branch, and the idle page says so. One that is older than what the upstream had taken before says that it came
//! back from a backup; what it forgot goes again (`vault::resend`).

use crate::exchange::upstream;
use crate::exchange::upstream::AsDevice;
use crate::exchange::upstream::Upstream;
use crate::kiosk::courier::Courier;
use crate::kiosk::courier::link_of;
use crate::kiosk::troubles;
use crate::trouble::Trouble;
use crate::vault::Branch;
use crate::vault::Compared;
use crate::visit::Event;
use crate::visit::event::Disk;
use crate::visit::event::LinkState;

/// Whether the upstream's newest head was compared with ours.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    NotCompared,
    Compared,
    /// The server does not answer that question: not asked again before tomorrow.
    CannotBe,
}

/// What came of comparing.
#[derive(PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing is missing.
    Nothing,
    CannotSay,
    Lost,
    /// The centre has forgotten what it had taken: it waits again.
    Forgotten,
    Later,
    Offline,
}

impl Courier {
    /// Before a head goes: which one the upstream has. One that is not in our journal says that this disk
    /// was put back.
    pub(super) async fn compare(&self) -> Result<Told, Trouble> {
        let answer = self.upstream.newest_checkpoints(AsDevice, &self.device).await;
        self.hear_time();
        let notes = match answer {
            Ok(notes) => notes,
            Err(error @ upstream::Error::Failed { status: 500.., .. }) => {
                tracing::info!(%error, "which head the server has is asked again");
                return Ok(Told::Later);
            }
            Err(error @ (upstream::Error::Failed { .. } | upstream::Error::Unreadable { .. })) => {
                tracing::warn!(%error, "the server does not say which head it has: that this disk was put back would not be noticed");
                return Ok(Told::CannotSay);
            }
            Err(error) => {
                self.tell_link(link_of(Some(troubles::of_upstream(&error)))).await;
                return Ok(Told::Offline);
            }
        };
        self.tell_link(LinkState::Online).await;
        for note in notes {
            let compared = self.vault.compare(note, self.clock.now()).await;
            match compared.map_err(|error| troubles::of_vault(&error))? {
                Compared::Foreign => {}
                Compared::Ours | Compared::KnownLost => break,
                Compared::Behind { size } => {
                    let again = self.vault.send_again_from(size).await;
                    let count = again.map_err(|error| troubles::of_vault(&error))?;
                    tracing::warn!(rows = size, count, "the centre came back from a backup: what it forgot goes again");
                    return Ok(Told::Forgotten);
                }
                Compared::Lost(Branch { index, lost_size, .. }) => {
                    tracing::error!(
                        row = index,
                        lost_size,
                        "this disk was put back: rows that the server has seen are missing"
                    );
                    return Ok(Told::Lost);
                }
            }
        }
        Ok(Told::Nothing)
    }

    /// What is missing here, said on the idle page.
    pub(super) async fn tell_disk(&self) {
        let is_sealed_aside = !self.vault.sealed_aside().is_empty();
        match self.vault.branches().await {
            Ok(branches) => {
                let put_back = branches.last().map(|branch| branch.at);
                self.tell(Event::DiskIs(Disk { is_sealed_aside, put_back })).await;
            }
            Err(error) => tracing::error!(%error, "where the journal was put back cannot be read"),
        }
    }
}
