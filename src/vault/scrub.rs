//! Shred secrets in a journal that stands aside, overwritten where they lie: a withdrawal that comes later would not find them
//! there, and with them, its holder's card and the device key, what was withdrawn would open.
//!
//! Such a journal is no database any more, and so it is gone through as bytes, its log too. A row of `shred` holds, one behind the
//! other, compartment, patient and the sealed secret: whatever looks like one behind the name of a compartment that stands beside
//! it, or in the state folder, is overwritten. Rows, consents and what waits stay as they were; what the secrets sealed is fetched again.
//!
//! Not found: a secret behind a compartment's name that the disk changed. No program opens that one either.

use crate::vault::Error;
use crate::vault::compartment;
use crate::vault::folder::ASIDE;
use crate::vault::keys::Pseudonym;
use crate::vault::keys::sync_folder;
use crate::vault::seal;
use std::fs::File;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::path::PathBuf;

/// What may hold secrets, in the group that a journal was put aside with.
const FILES: [&str; 2] = ["journal.db", "journal.db-wal"];
/// Says that nothing is left to be done there.
const DONE: &str = "scrubbed";
/// Compartment and patient, before the secret.
const NAMES: usize = 32;
const SECRET: usize = seal::sealed_length(32);
const ROW: usize = NAMES + SECRET;
/// Read in one go; a sector that the disk cannot read costs no more than that.
const PIECE: usize = 64 * 1024;

/// Destroys what is left of them in `aside/`. One that fails is tried again at the next start.
pub(super) fn destroy_secrets(state_folder: &Path) {
    let Ok(groups) = std::fs::read_dir(state_folder.join(ASIDE)) else { return };
    let groups: Vec<PathBuf> = groups.flatten().map(|entry| entry.path()).collect();
    // A cut may have come after the journal stood aside, and before its compartments did; and its log may stand there alone.
    let named: Result<Vec<_>, _> =
        groups.iter().map(PathBuf::as_path).chain([state_folder]).map(compartment::all_in).collect();
    let compartments = match named {
        Ok(named) => named.concat(),
        Err(error) => return tracing::error!(%error, "whose secrets stand aside cannot be told"),
    };
    for group in groups {
        if !FILES.iter().any(|name| group.join(name).exists()) || group.join(DONE).exists() {
            continue;
        }
        match scrub_group(&compartments, &group) {
            Ok(count) => tracing::warn!(count, "secrets in a journal that stands aside are destroyed"),
            Err(error) => tracing::error!(%error, "secrets in a journal that stands aside could not be destroyed"),
        }
    }
}

fn scrub_group(compartments: &[Pseudonym], group: &Path) -> Result<usize, Error> {
    let mut count = 0;
    for name in FILES {
        let mut options = OpenOptions::new();
        match options.read(true).write(true).open(group.join(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            file => {
                let scrubbing = || Error::folder("destroying secrets that stand aside");
                count += file.and_then(|file| scrub(&file, compartments)).map_err(scrubbing())?;
            }
        }
    }
    let done = File::create(group.join(DONE)).and_then(|_| sync_folder(group));
    done.map_err(Error::folder("destroying secrets that stand aside"))?;
    Ok(count)
}

/// How many there were.
fn scrub(file: &File, compartments: &[Pseudonym]) -> std::io::Result<usize> {
    let length = file.metadata()?.len();
    let (mut count, mut from) = (0, 0);
    // Pieces overlap, so that a row that lies over an edge is whole in one of them.
    let mut piece = vec![0; PIECE + ROW];
    while from < length {
        let wanted = usize::try_from(length - from).unwrap_or(usize::MAX).min(piece.len());
        let piece = &mut piece[..wanted];
        // What the disk cannot read, nobody else can.
        if file.read_exact_at(piece, from).is_ok() {
            let found = piece.windows(ROW).enumerate().filter(|(_, row)| is_secret(row, compartments));
            for at in found.map(|(at, _)| from + (at + NAMES) as u64).collect::<Vec<_>>() {
                file.write_all_at(&[0; SECRET], at)?;
                count += 1;
            }
        }
        from += PIECE as u64;
    }
    file.sync_all()?;
    Ok(count)
}

fn is_secret(row: &[u8], compartments: &[Pseudonym]) -> bool {
    seal::begins_like_one(&row[NAMES..]) && compartments.iter().any(|name| row.starts_with(name))
}
