//! Whom this device trusts, as files: authorities from the settings and those added since, revocation lists from the folder
//! that the settings name and those fetched since.
//!
//! ```text
//! STATE/trust/*.crt    authorities that `chevet trust add` took, after somebody compared their fingerprints
//! STATE/crl/*.crl      fetched lists, signature checked, never older than the one before
//! STATE/crl/points     where verified cards say that their authority publishes, one address a line
//! ```
//!
//! What a list or an authority means is `identity`'s knowledge. A file is written whole or not at all.

use crate::config;
use crate::identity::anchors;
use crate::identity::anchors::Anchors;
use crate::identity::anchors::Realm;
use crate::identity::crl::Accepted;
use crate::identity::crl::Crls;
use crate::identity::trust::AuthorityLists;
use crate::identity::trust::ListPolicy;
use std::fs;
use std::fs::File;
use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

pub struct Trust {
    pub anchors: Anchors,
    /// Of the settings; read only.
    given: Option<PathBuf>,
    state: PathBuf,
    urls: Vec<String>,
    policy: ListPolicy,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path} cannot be read")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} cannot be written")]
    Write { path: PathBuf, source: io::Error },
    #[error("the authorities of {path} are refused")]
    Authorities { path: PathBuf, source: anchors::Error },
    #[error("the authorities of the settings and of the state folder are refused together")]
    Together { source: anchors::Error },
}

impl Trust {
    /// Reads every authority. Each file is judged alone first, so that the error names the one that is wrong.
    pub fn read(config: &config::Trust, state: &Path) -> Result<Trust, Error> {
        let anchors = together(&authorities(config, state)?)?;
        let urls = config.crl_urls.clone();
        Ok(Trust { anchors, given: config.crls.clone(), state: state.to_owned(), urls, policy: policy(config) })
    }

    /// The revocation lists as they are in their folders now.
    pub fn crls(&self) -> Result<Crls, Error> {
        let mut paths = Vec::new();
        if let Some(folder) = &self.given {
            // A folder that the settings name is there, or that is said.
            fs::read_dir(folder).map_err(|source| Error::Read { path: folder.clone(), source })?;
            paths.append(&mut files(folder, "crl")?);
        }
        paths.append(&mut files(&self.state.join(LISTS), "crl")?);
        let lists = Crls::from_bytes(paths.iter().map(|path| read(path)).collect::<Result<_, _>>()?);
        Ok(lists.under(self.policy))
    }

    /// Keeps a fetched list, over the one before.
    pub fn keep_list(&self, list: &Accepted) -> Result<(), Error> {
        write(&self.state.join(LISTS), &list.name, &list.der)
    }

    /// Where lists are fetched: what the settings name, then what verified cards said.
    pub fn points(&self) -> Result<Vec<String>, Error> {
        let mut points = self.urls.clone();
        points.extend(self.learned()?.into_iter().filter(|point| !self.urls.contains(point)));
        Ok(points)
    }

    /// Remembers what a verified card said of its authority; `true` when some of it is new.
    pub fn learn_points(&self, said: &[String]) -> Result<bool, Error> {
        let mut learned = self.learned()?;
        let new: Vec<&String> =
            said.iter().filter(|point| !learned.contains(point) && !self.urls.contains(point)).collect();
        // A line has no end inside it, and a hierarchy has a handful of authorities.
        if new.is_empty() || new.iter().any(|point| point.contains(char::is_whitespace)) {
            return Ok(false);
        }
        learned.extend(new.into_iter().cloned());
        let first = learned.len().saturating_sub(POINTS_MAX);
        let text = learned[first..].join("\n") + "\n";
        write(&self.state.join(LISTS), POINTS, text.as_bytes())?;
        Ok(true)
    }

    fn learned(&self) -> Result<Vec<String>, Error> {
        let path = self.state.join(LISTS).join(POINTS);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(Error::Read { path, source }),
        }
    }
}

fn policy(config: &config::Trust) -> ListPolicy {
    ListPolicy {
        fresh_days: config.crl_fresh_days,
        tolerated_days: config.crl_tolerated_days,
        authorities: match config.authority_lists {
            config::AuthorityLists::WhereThere => AuthorityLists::WhereThere,
            config::AuthorityLists::Required => AuthorityLists::Required,
        },
    }
}

/// Whether what the settings and the state folder trust would stand with this file too. Nothing is written.
pub fn judge_addition(config: &config::Trust, state: &Path, path: &Path, file: Vec<u8>) -> Result<(), Error> {
    judge_alone(config, path, &file)?;
    let mut all = authorities(config, state)?;
    all.push(file);
    together(&all).map(|_| ())
}

/// Takes authorities into the state folder, under the fingerprint of the first. They have been judged, and accepted.
pub fn keep_authorities(state: &Path, file: &[u8], fingerprint: &[u8; 32]) -> Result<PathBuf, Error> {
    let folder = state.join(AUTHORITIES);
    let name = format!("{}.crt", hex::encode(&fingerprint[..8]));
    write(&folder, &name, file)?;
    Ok(folder.join(name))
}

fn authorities(config: &config::Trust, state: &Path) -> Result<Vec<Vec<u8>>, Error> {
    let mut all = Vec::new();
    for path in config.anchors.iter().cloned().chain(files(&state.join(AUTHORITIES), "crt")?) {
        let file = read(&path)?;
        judge_alone(config, &path, &file)?;
        all.push(file);
    }
    Ok(all)
}

fn judge_alone(config: &config::Trust, path: &Path, file: &[u8]) -> Result<(), Error> {
    let wanted = Realm::wanted(config.production);
    let alone = Anchors::from_pem(&[file]).and_then(|anchors| anchors.of_realm(wanted));
    alone.map(|_| ()).map_err(|source| Error::Authorities { path: path.to_owned(), source })
}

fn together(files: &[Vec<u8>]) -> Result<Anchors, Error> {
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    Anchors::from_pem(&files).map_err(|source| Error::Together { source })
}

/// Files of a folder with this ending, by name; none when there is no folder.
fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::Read { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed(source)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|end| end == ending) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// Beside, synced, renamed, synced: after a power cut there is the old file or the new one.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let path = folder.join(name);
    let failed = |source| Error::Write { path: path.clone(), source };
    fs::create_dir_all(folder).map_err(failed)?;
    let half = folder.join(format!("{name}.half"));
    File::create(&half).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all())).map_err(failed)?;
    fs::rename(&half, &path).map_err(failed)?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

const AUTHORITIES: &str = "trust";
const LISTS: &str = "crl";
const POINTS: &str = "points";
/// Three authorities for persons, whole and delta, twice over for a renewal.
const POINTS_MAX: usize = 12;
