//! The folder `policy/` of the state folder: newer matrices and lists, each signed, that were given to this device.
//!
//! Read once, at start and by the operator's verbs; `policy::in_force` chooses. A file is written whole or not at all, its
//! signature first, so that nothing unsigned ever lies there alone.

use crate::policy::in_force;
use crate::policy::in_force::Chosen;
use crate::policy::in_force::Given;
use crate::policy::in_force::Refused;
use crate::policy::matrix;
use crate::policy::nomenclature;
use crate::policy::nomenclature::Lists;
use crate::policy::signed::Standing;
use crate::policy::table;
use crate::time::Wall;
use std::fs;
use std::fs::File;
use std::io;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

/// What is in force on a device, and what was left aside.
pub struct Rulebook {
    pub chosen: Chosen,
    pub lists: Lists,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path} cannot be read")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} cannot be written")]
    Write { path: PathBuf, source: io::Error },
    #[error("no matrix is in force")]
    Matrix { source: matrix::Error },
}

const FOLDER: &str = "policy";

/// Reads and chooses, and puts the lists in force for the life of this program.
pub fn open(state: &Path, standing: Standing, now: Wall) -> Result<Rulebook, Error> {
    let given = read(state)?;
    let (lists, mut refused) = in_force::choose_lists(&given, standing);
    if !nomenclature::IN_FORCE.choose(lists.clone()) {
        tracing::debug!("the lists were in force already");
    }
    let mut chosen = in_force::choose_matrix(&given, standing, now).map_err(|source| Error::Matrix { source })?;
    refused.append(&mut chosen.refused);
    for Refused { name, why } in &refused {
        tracing::error!(name, why = cause(why), "a file of the policy folder is left aside; what was in force stays");
    }
    for (version, effective) in &chosen.waiting {
        tracing::info!(version, effective, "a matrix waits for its day");
    }
    chosen.refused = refused;
    Ok(Rulebook { chosen, lists })
}

/// Gives a signed file to the device. [`in_force::may_be_given`] is asked before.
pub fn give(state: &Path, name: &str, bytes: &[u8], signature: &str) -> Result<PathBuf, Error> {
    let folder = state.join(FOLDER);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Write { path, source }
    };
    fs::create_dir_all(&folder).map_err(failed(&folder))?;
    for (end, content) in [("sig", signature.as_bytes()), ("csv", bytes)] {
        let (path, half) = (folder.join(format!("{name}.{end}")), folder.join(format!("{name}.{end}.half")));
        let written = File::create(&half).and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()));
        written.and_then(|()| fs::rename(&half, &path)).map_err(failed(&path))?;
    }
    File::open(&folder).and_then(|folder| folder.sync_all()).map_err(failed(&folder))?;
    Ok(folder.join(format!("{name}.csv")))
}

/// Every table of the folder, by name; none when there is no folder. One without a signature is refused by its absence.
fn read(state: &Path) -> Result<Vec<Given>, Error> {
    let folder = state.join(FOLDER);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Read { path, source }
    };
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(Error::Read { path: folder, source }),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed(&folder))?.path();
        if path.extension().is_some_and(|end| end == "csv") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut given = Vec::new();
    for path in paths {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let signature = fs::read_to_string(path.with_extension("sig")).unwrap_or_default();
        let mut bytes = Vec::new();
        // One byte more than a table may have: it will be refused as too large.
        let whole = File::open(&path).and_then(|file| file.take(table::BYTES_MAX as u64 + 1).read_to_end(&mut bytes));
        whole.map_err(failed(&path))?;
        given.push(Given { name, bytes, signature });
    }
    Ok(given)
}

fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {}", cause(source)))
}
