//! Of whom a round can be made: those seen lately, the practice's agenda, the upstream's list.

use crate::exchange::upstream::Upstream;
use crate::journal::words::Mode;
use crate::kiosk::perform::hands::Hands;
use crate::kiosk::troubles;
use crate::patient::agenda;
use crate::patient::agenda::Agenda;
use crate::patient::ins::Ins;
use crate::patient::ins::Patient;
use crate::time::UnixSeconds;
use crate::trouble::Trouble;
use crate::visit::event::Recalled;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

/// The file that the practice's software writes, and where the site is.
pub struct AgendaFile {
    pub path: PathBuf,
    pub zone: String,
}

impl Hands {
    pub(super) async fn recall(&self) -> Result<Recalled, Trouble> {
        let recent = self.vault.recent().await.map_err(|error| troubles::of_vault(&error))?;
        Ok(Recalled { recent, prepared: self.prepared().await, agenda: self.agenda().await })
    }

    /// Read anew each time: it is written while the kiosk runs, on a stick that comes and goes.
    async fn agenda(&self) -> Result<Option<Agenda>, Trouble> {
        let Some(AgendaFile { path, zone }) = &self.agenda else { return Ok(None) };
        let (path, zone, now) = (path.clone(), zone.clone(), self.clock.as_shown());
        let read = tokio::task::spawn_blocking(move || {
            let text = text(&path)?;
            agenda::read(&text, now, &zone).map_err(|error| {
                tracing::warn!(%error, "the agenda is not understood");
                Trouble::AgendaUnreadable
            })
        });
        read.await.unwrap_or(Err(Trouble::AgendaUnreadable)).map(Some)
    }

    pub(super) async fn ask_authorized(&self) -> Result<Vec<(Ins, Option<UnixSeconds>)>, Trouble> {
        let who = self.as_holder(Mode::Normal).await?;
        let answer = self.upstream.authorized(&who).await;
        self.heard(answer).await
    }

    pub(super) async fn keep_round(&self, patients: Vec<Patient>) -> Result<(), Trouble> {
        let kept = self.vault.put_round(patients.clone(), self.clock.as_shown()).await;
        kept.map_err(|error| troubles::of_vault(&error))?;
        self.are_taken(&patients).await;
        Ok(())
    }
}

fn text(path: &Path) -> Result<String, Trouble> {
    let of = |error: std::io::Error| {
        tracing::warn!(error = ?error.kind(), "the agenda cannot be read");
        match error.kind() {
            std::io::ErrorKind::NotFound => Trouble::AgendaMissing,
            _ => Trouble::AgendaUnreadable,
        }
    };
    let file = std::fs::File::open(path).map_err(of)?;
    if !file.metadata().map_err(of)?.is_file() {
        tracing::warn!("the agenda is not a file");
        return Err(Trouble::AgendaUnreadable);
    }
    let mut bytes = Vec::new();
    file.take(AGENDA_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(of)?;
    if bytes.len() as u64 > AGENDA_BYTES_MAX {
        tracing::warn!("the agenda is larger than {AGENDA_BYTES_MAX} bytes");
        return Err(Trouble::AgendaUnreadable);
    }
    // Some programs write Latin-1: then a name is misread, and no number.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Some years of a busy practice.
const AGENDA_BYTES_MAX: u64 = 16 * 1024 * 1024;
