//! A mark beside a compartment that is open: where it is found and the log is not, the log was removed, and what stood in it is gone.
//!
//! A program that does not know the mark may have closed the compartment since, and its log with it. So the mark says how long the
//! database was and when it was last written, and is believed where that is still so: whoever closes it writes into it what
//! the log holds. Our own checkpoints write there too, and the mark is brought up to date before anybody is answered.
//! A log that goes with a cut between those two is not missed.

use crate::vault::Error;
use crate::vault::keys::sync_folder;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;

/// `None`: it could not be made.
pub(super) struct OpenMark(Option<Kept>);

struct Kept {
    file: File,
    path: PathBuf,
    database: PathBuf,
    log: PathBuf,
    said: Option<State>,
}

/// Length in bytes, and when it was last written: seconds and nanoseconds. Each in 8 bytes, big endian.
type State = [u8; 24];

impl OpenMark {
    /// Says nothing yet. Best effort: without it, a log that somebody removes is missed.
    pub fn put(folder: &Path, name: &str) -> OpenMark {
        let [path, database, log] = places(folder, name);
        match File::create(&path).and_then(|file| sync_folder(folder).map(|()| file)) {
            Ok(file) => OpenMark(Some(Kept { file, path, database, log, said: None })),
            Err(error) => {
                tracing::warn!(%error, "a compartment is open without a mark");
                drop(std::fs::remove_file(&path));
                OpenMark(None)
            }
        }
    }

    /// After whatever may have written. With an empty log there is nothing to miss.
    pub fn bring_up_to_date(&mut self) {
        let Some(kept) = self.0.as_mut().filter(|kept| holds_something(&kept.log)) else { return };
        let state = state_of(&kept.database);
        let Some(new) = state.filter(|_| state != kept.said) else { return };
        if let Err(error) = kept.file.write_all_at(&new, 0).and_then(|()| kept.file.sync_all()) {
            tracing::warn!(%error, "a compartment's mark is not up to date");
        }
        kept.said = state;
    }
}

impl Drop for OpenMark {
    fn drop(&mut self) {
        let Some(Kept { path, .. }) = &self.0 else { return };
        let folder = path.parent().unwrap_or(Path::new("."));
        if let Err(error) = std::fs::remove_file(path).and_then(|()| sync_folder(folder)) {
            tracing::warn!(%error, "a compartment looks left open");
        }
    }
}

/// Whether a process left it open and its log is gone since. One that was left open and has its log is closed by being opened.
pub(super) fn log_is_lost(folder: &Path, name: &str) -> Result<bool, Error> {
    let [mark, database, log] = places(folder, name);
    if !mark.exists() {
        return Ok(false);
    }
    let said = std::fs::read(&mark).map_err(Error::folder("reading a mark"))?;
    if !log.exists() && state_of(&database).is_some_and(|state| said == state) {
        tracing::error!(store = "compartment", "its log is gone: the newest of it may be lost");
        return Ok(true);
    }
    // An upgrade removes the log of what was left open.
    std::fs::remove_file(&mark).and_then(|()| sync_folder(folder)).map_err(Error::folder("removing a mark"))?;
    Ok(false)
}

fn places(folder: &Path, name: &str) -> [PathBuf; 3] {
    ["open", "db", "db-wal"].map(|end| folder.join(format!("{name}.{end}")))
}

fn holds_something(log: &Path) -> bool {
    log.metadata().is_ok_and(|about| about.len() > 0)
}

fn state_of(database: &Path) -> Option<State> {
    let about = database.metadata().ok()?;
    let parts = [about.len().to_be_bytes(), about.mtime().to_be_bytes(), about.mtime_nsec().to_be_bytes()];
    parts.concat().try_into().ok()
}
