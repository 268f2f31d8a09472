//! The folder `policy/` of the state folder: newer matrices and lists, each signed, that were given to this device; and
//! what the establishment signed and the settings name.
//!
//! Read once, at start and by the operator's verbs; `policy::in_force` chooses. A file is written whole or not at all, its
//! signature first, so that nothing unsigned ever lies there alone.

use crate::config::Site;
use crate::policy::establishment;
use crate::policy::framework::Framework;
use crate::policy::in_force;
use crate::policy::in_force::Chosen;
use crate::policy::in_force::Given;
use crate::policy::in_force::Refused;
use crate::policy::matrix;
use crate::policy::nomenclature;
use crate::policy::nomenclature::Lists;
use crate::policy::signed::Standing;
use crate::policy::table;
use crate::policy::team::Team;
use crate::time::Wall;
use crate::visit::page::Aside;
use crate::visit::page::AsideKind;
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

/// What the establishment signed for itself, as far as it is believed.
pub struct Issued {
    pub team: Team,
    pub framework: Option<Framework>,
    pub left_aside: Vec<Aside>,
}

/// One that is refused stops nothing and gives nobody anything: the team is empty, brain death stays forbidden, and the
/// screen says why.
pub fn issued(site: &Site, standing: Standing) -> Issued {
    let mut left_aside = Vec::new();
    let mut framework = None;
    if let Some(path) = &site.brain_death_framework {
        let open = |bytes: &[u8], signature: &str| Framework::open(bytes, signature, standing)?.of_site(&site.name);
        match believed(path, open) {
            Ok(one) => framework = Some(one),
            Err(why) => left_aside.push(Aside { what: AsideKind::Framework, why }),
        }
    }
    let mut team = Team::named(&site.name, &site.team);
    if let Some(path) = &site.team_list {
        let open = |bytes: &[u8], signature: &str| Team::open(bytes, signature, standing)?.of_site(&site.name);
        match believed(path, open) {
            Ok(one) => team = one,
            Err(why) => left_aside.push(Aside { what: AsideKind::Team, why }),
        }
    }
    Issued { team, framework, left_aside }
}

/// Opens a file with its signature beside it, or says why not, in one French sentence.
fn believed<T>(
    path: &Path,
    open: impl FnOnce(&[u8], &str) -> Result<T, establishment::Error>,
) -> Result<T, &'static str> {
    let read = fs::read(path).and_then(|bytes| Ok((bytes, fs::read_to_string(path.with_extension("sig"))?)));
    let (bytes, signature) = read.map_err(|error| {
        tracing::error!(path = %path.display(), %error, "a file that the settings name cannot be read; it gives nothing");
        "Ce fichier ou sa signature manque."
    })?;
    open(&bytes, &signature).map_err(|error| {
        let why = cause(&error);
        tracing::error!(path = %path.display(), why, "a file that the establishment signed is refused; it gives nothing");
        error.sentence()
    })
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
