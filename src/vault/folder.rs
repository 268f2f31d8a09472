//! The state folder: one process at a time, and a place beside for what could not be opened.

use crate::time::UnixSeconds;
use crate::vault::Error;
use crate::vault::keys::make_folder;
use crate::vault::keys::sync_folder;
use std::fs::File;
use std::fs::OpenOptions;
use std::fs::TryLockError;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The folder, taken for this process. What stands in the lock says whether the last one closed its journal.
pub(super) struct Taken {
    lock: File,
    /// The last process ended before it could say that it closes.
    was_left_open: bool,
}

/// Takes the folder for this process. The lock goes with the file, however the process ends.
pub(super) fn take(folder: &Path) -> Result<Taken, Error> {
    make_folder(folder)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(folder.join(LOCK_FILE)).map_err(Error::folder("opening its lock"))?;
    match file.try_lock() {
        Ok(()) => {
            let mut said = [0; OPEN.len()];
            let length = file.read_at(&mut said, 0).map_err(Error::folder("reading its lock"))?;
            Ok(Taken { was_left_open: said[..length] == *OPEN, lock: file })
        }
        Err(TryLockError::WouldBlock) => Err(Error::InUse),
        Err(TryLockError::Error(source)) => Err(Error::Folder { doing: "locking it", source }),
    }
}

impl Taken {
    /// Whether a database's write-ahead log was removed: a process that did not close leaves one. What it held is gone, and without
    /// it the database looks whole.
    pub fn log_is_lost(&self, database: &Path) -> bool {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        let is_something = database.metadata().is_ok_and(|about| about.len() > 0);
        self.was_left_open && is_something && !Path::new(&log).exists()
    }

    /// For whoever writes a little and leaves: what a crashed process left is for the next kiosk to look at, untouched.
    pub fn if_it_was_closed(self) -> Result<Taken, Error> {
        if self.was_left_open { Err(Error::InUse) } else { Ok(self) }
    }

    /// Once the journal is open, and its log's name on the disk.
    pub fn is_open(&self) -> Result<(), Error> {
        self.say(OPEN).map_err(Error::folder("writing its lock"))
    }

    /// Before the journal is closed, which removes its log.
    pub fn closes(&self) {
        // Twice: a disk that fails for a moment would have the next start miss a log that was closed.
        if self.say(b"").or_else(|_| self.say(b"")).is_err() {
            tracing::warn!("the_folder_looks_left_open");
        }
    }

    fn say(&self, word: &[u8]) -> std::io::Result<()> {
        self.lock.set_len(0)?;
        self.lock.write_all_at(word, 0)?;
        self.lock.sync_all()
    }
}

/// Puts what cannot be opened into `aside/`, all of it under one name, never over something that is there already.
pub(super) fn seal_aside(folder: &Path, names: &[&str], at: UnixSeconds) -> Result<(), Error> {
    let aside = folder.join(ASIDE);
    make_folder(&aside)?;
    let free = |number: &u32| !aside.join(group(at, *number)).exists();
    let number = (0..u32::MAX).find(free).expect("four thousand million damaged stores do not fit on a disk");
    let target = aside.join(group(at, number));
    make_folder(&target)?;
    for name in names {
        let file = Path::new(name).file_name().expect("names in the state folder end in a file's name");
        match std::fs::rename(folder.join(name), target.join(file)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::folder("sealing aside")(error)),
            _ => {}
        }
    }
    for changed in [&target, &aside, folder] {
        sync_folder(changed).map_err(Error::folder("sealing aside"))?;
    }
    Ok(())
}

/// What was sealed aside, by time.
pub(super) fn sealed_aside(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder.join(ASIDE)) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn group(at: UnixSeconds, number: u32) -> String {
    format!("{:012}-{number}", at.0)
}

/// What stands in the lock of an open journal.
const OPEN: &[u8] = b"open";
const LOCK_FILE: &str = "vault.lock";
const ASIDE: &str = "aside";
