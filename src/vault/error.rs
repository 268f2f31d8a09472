//! What can fail in the vault, one variant per operation. No text carries personal data: no path, no value.

/// Why the vault did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the state folder cannot be used ({doing})")]
    Folder { doing: &'static str, source: std::io::Error },
    #[error("another process uses this state folder")]
    InUse,
    #[error("the device key cannot be read or made")]
    KeyFile { source: std::io::Error },
    #[error("the device key is not 32 bytes: give back the file or credential that was made at enrolment")]
    KeyShape,
    #[error("the device key can be read by other users of this machine: take their access away")]
    KeyExposed,
    #[error("there is a journal here and no device key")]
    KeyMissing,
    #[error("there is no journal in this state folder")]
    NoJournal,
    #[error("the database cannot be opened")]
    Open { source: rusqlite::Error },
    #[error("the vault is at version {found}, newer than this program knows ({known})")]
    FromTheFuture { found: i64, known: i64 },
    #[error("the vault is at version {found}: the kiosk brings it to version {known} when it is started")]
    Older { found: i64, known: i64 },
    #[error("step {step} of the vault's schema failed")]
    Step { step: i64, source: rusqlite::Error },
    #[error("this vault was made with another device key or on another device")]
    OtherDevice,
    #[error("the database is damaged")]
    Damaged { source: rusqlite::Error },
    #[error("the disk is full")]
    DiskFull,
    #[error("reading failed ({what})")]
    Read { what: &'static str, source: rusqlite::Error },
    #[error("writing failed ({what})")]
    Write { what: &'static str, source: rusqlite::Error },
    #[error("a sealed file failed ({doing})")]
    File { doing: &'static str, source: std::io::Error },
    #[error("a sealed value does not open where it stands ({table}.{column})")]
    Sealed { table: &'static str, column: &'static str },
    #[error("an opened value is not understood ({what})")]
    Shape { what: &'static str },
    #[error("no compartment is open")]
    Locked,
    #[error("this card's signature does not open the compartment")]
    WrongCard,
    #[error("this slot was made for a card that signs otherwise: a newer version knows how")]
    SlotAlgorithm,
    #[error("the row is about something else: nothing is released")]
    NotCovered,
    #[error("it was finished before: nothing is kept twice")]
    FinishedBefore,
    #[error("it is not here")]
    Absent,
    #[error("the row's body was pruned: only its leaf is left")]
    Pruned,
    #[error("this patient's documents were shredded, nothing of them is kept")]
    Shredded,
    #[error("nobody has vouched for the time over too many starts: no lease can be judged")]
    TimeLost,
    #[error("the vault's thread has stopped")]
    Stopped,
}

impl Error {
    /// For `Trouble::DiskFull`, which has its own next step.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Error::DiskFull)
    }

    /// A schema step that the store itself refuses, whatever the disk does: it would refuse it tomorrow as well.
    pub(super) fn cannot_be_migrated(&self) -> bool {
        use rusqlite::ErrorCode::*;
        let Error::Step { source, .. } = self else { return false };
        let of_the_disk = |code| {
            matches!(
                code,
                SystemIoFailure
                    | ReadOnly
                    | CannotOpen
                    | PermissionDenied
                    | DatabaseBusy
                    | DatabaseLocked
                    | OutOfMemory
                    | DiskFull
                    | OperationInterrupted
                    | FileLockingProtocolFailed
                    | NoLargeFileSupport
            )
        };
        !code(source).is_some_and(of_the_disk)
    }

    pub(super) fn reading(what: &'static str) -> impl FnOnce(rusqlite::Error) -> Error {
        move |source| match code(&source) {
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => Error::Damaged { source },
            _ => Error::Read { what, source },
        }
    }

    pub(super) fn writing(what: &'static str) -> impl FnOnce(rusqlite::Error) -> Error {
        move |source| match code(&source) {
            Some(rusqlite::ErrorCode::DiskFull) => Error::DiskFull,
            _ if is_index_full(&source) => Error::DiskFull,
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => Error::Damaged { source },
            _ => Error::Write { what, source },
        }
    }

    pub(super) fn file(doing: &'static str) -> impl FnOnce(std::io::Error) -> Error {
        move |source| match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Error::DiskFull,
            _ => Error::File { doing, source },
        }
    }

    pub(super) fn folder(doing: &'static str) -> impl FnOnce(std::io::Error) -> Error {
        move |source| match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Error::DiskFull,
            _ => Error::Folder { doing, source },
        }
    }
}

fn code(error: &rusqlite::Error) -> Option<rusqlite::ErrorCode> {
    error.sqlite_error_code()
}

/// A log's index that cannot be made or grow: on a full disk that is what an opening meets first.
fn is_index_full(error: &rusqlite::Error) -> bool {
    let full = [rusqlite::ffi::SQLITE_IOERR_SHMSIZE, rusqlite::ffi::SQLITE_IOERR_SHMOPEN];
    error.sqlite_error().is_some_and(|error| full.contains(&error.extended_code))
}
