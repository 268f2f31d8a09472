//! The state folder: one process at a time, and a place beside for what could not be opened.

use crate::time::UnixSeconds;
use crate::vault::Error;
use crate::vault::keys::make_folder;
use crate::vault::keys::sync_folder;
use crate::vault::write_ahead;
use crate::vault::write_ahead::Log;
use std::fs::File;
use std::fs::OpenOptions;
use std::fs::TryLockError;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::path::PathBuf;

/// The folder, taken for this process. What stands in the lock says whether the last one closed its journal.
pub(super) struct Taken {
    lock: File,
    /// The last process ended before it could say that it closes.
    was_left_open: bool,
    /// And before it could say that the newest rows may be lost.
    owes_a_word: bool,
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
            let owes_a_word = said[..length] == *LOST;
            Ok(Taken { was_left_open: owes_a_word || said[..length] == *OPEN, owes_a_word, lock: file })
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
        self.owes_a_word || self.was_left_open && is_something && !Path::new(&log).exists()
    }

    /// Before a journal is opened whose log hides what stood in it.
    pub fn has_lost(&self) -> Result<(), Error> {
        self.say(LOST).map_err(Error::folder("writing its lock"))
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
        // Never without a word in between: a full disk would take what was said.
        self.lock.write_all_at(word, 0)?;
        self.lock.set_len(word.len() as u64)?;
        self.lock.sync_all()
    }
}

/// Puts what cannot be opened into `aside/`, all of it under one name, never over something that is there already.
pub(super) fn seal_aside(folder: &Path, names: &[&str], at: UnixSeconds) -> Result<(), Error> {
    let target = make_group(folder, at)?;
    names.iter().try_for_each(|name| put_into(&target, folder, name, |from, to| std::fs::rename(from, to)))?;
    sync_group(&target, folder)
}

/// The same for what another is ready to take the place of: it stands aside whole, and under its own name too until the other
/// takes that, so that a cut leaves one of them there. `beside` goes with it.
pub(super) fn seal_aside_and_leave(folder: &Path, name: &str, beside: &[&str], at: UnixSeconds) -> Result<(), Error> {
    let target = make_group(folder, at)?;
    put_into(&target, folder, name, |from, to| std::fs::hard_link(from, to))?;
    sync_group(&target, folder)?;
    beside.iter().try_for_each(|name| put_into(&target, folder, name, |from, to| std::fs::rename(from, to)))?;
    sync_group(&target, folder)
}

/// Puts a write-ahead log aside that SQLite would not see whole: a copy, for SQLite goes on with what it sees and writes over the
/// rest; or itself, where the database has all of it.
pub(super) fn put_log_aside(folder: &Path, name: &str, log: Log, at: UnixSeconds) -> Result<(), Error> {
    let copy = |from: &Path, to: &Path| std::fs::copy(from, to).and_then(|_| File::open(to)?.sync_all());
    let put = match log {
        Log::Whole => return Ok(()),
        Log::Damaged => copy,
        Log::WrittenBack => |from: &Path, to: &Path| std::fs::rename(from, to),
    };
    tracing::error!(?log, "a write-ahead log stands aside");
    let target = make_group(folder, at)?;
    put_into(&target, folder, name, put).inspect_err(|_| {
        // Half a copy, on a disk that may be full, at each start again.
        drop(Path::new(name).file_name().map(|file| std::fs::remove_file(target.join(file))));
        drop(std::fs::remove_dir(&target));
    })?;
    sync_group(&target, folder)
}

pub(super) fn look_at_log(folder: &Path, name: &str, database: &str) -> Result<Log, Error> {
    let looked = write_ahead::look(&folder.join(name), &folder.join(database));
    looked.map_err(Error::folder("reading a write-ahead log"))
}

fn make_group(folder: &Path, at: UnixSeconds) -> Result<PathBuf, Error> {
    let aside = folder.join(ASIDE);
    make_folder(&aside)?;
    let free = |number: &u32| !aside.join(group(at, *number)).exists();
    let number = (0..u32::MAX).find(free).expect("four thousand million damaged stores do not fit on a disk");
    let target = aside.join(group(at, number));
    make_folder(&target)?;
    Ok(target)
}

/// What is not there is passed over.
fn put_into(
    target: &Path,
    folder: &Path,
    name: &str,
    put: impl FnOnce(&Path, &Path) -> std::io::Result<()>,
) -> Result<(), Error> {
    let file = Path::new(name).file_name().expect("names in the state folder end in a file's name");
    match put(&folder.join(name), &target.join(file)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::folder("sealing aside")(error)),
        _ => Ok(()),
    }
}

fn sync_group(target: &Path, folder: &Path) -> Result<(), Error> {
    for changed in [target, &folder.join(ASIDE), folder] {
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
/// The newest rows may be lost, and no row says so yet.
const LOST: &[u8] = b"lost";
const LOCK_FILE: &str = "vault.lock";
pub(super) const ASIDE: &str = "aside";
