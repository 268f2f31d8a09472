//! What a file is, by its own first note, and what is in force on the device that `--state` names.

use super::Failure;
use crate::cli::Common;
use crate::config::Config;
use crate::kiosk::rulebook;
use crate::policy::Matrix;
use crate::policy::establishment;
use crate::policy::framework::Framework;
use crate::policy::in_force;
use crate::policy::in_force::Kind;
use crate::policy::in_force::Why;
use crate::policy::matrix::file;
use crate::policy::nomenclature::Lists;
use crate::policy::nomenclature::list::List;
use crate::policy::signed::Standing;
use crate::policy::team::Team;
use crate::time::UnixSeconds;
use crate::time::Wall;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::SystemTime;

/// What is in force here.
pub(in crate::cli) struct Device {
    pub matrix: Matrix,
    pub lists: Lists,
    pub standing: Standing,
    pub left_aside: Vec<in_force::Refused>,
    pub waiting: Vec<(String, String)>,
    pub state: PathBuf,
}

/// A file of ours.
pub(super) enum Data {
    Matrix(Matrix),
    List(List),
}

impl Device {
    /// As a kiosk with these settings would start now. Settings that are not there make a desk.
    pub(super) fn open(common: &Common) -> Result<Device, Failure> {
        Device::read(&common.config, &common.state).map_err(|source| Failure::Rulebook { source })
    }

    pub(in crate::cli) fn read(config: &Path, state: &Path) -> Result<Device, rulebook::Error> {
        let production = Config::read(config).is_ok_and(|config| config.trust.production);
        let standing = if production { Standing::Production } else { Standing::Desk };
        let book = rulebook::open(state, standing, Wall::Is(now()))?;
        Ok(Device {
            matrix: book.chosen.matrix,
            lists: book.lists,
            standing,
            left_aside: book.chosen.refused,
            waiting: book.chosen.waiting,
            state: state.to_owned(),
        })
    }
}

/// An operator's command believes the machine's clock.
pub(in crate::cli) fn now() -> UnixSeconds {
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    UnixSeconds(i64::try_from(clock).unwrap_or(i64::MAX))
}

impl Data {
    /// Reads one of our own forms; whether anybody signed it is not asked.
    pub fn read_unsigned(path: &Path) -> Result<Data, Failure> {
        let bytes = read(path)?;
        match in_force::kind(&bytes) {
            Some(Kind::Matrix) => file::read(&bytes).map(Data::Matrix).map_err(|source| Failure::matrix(path, source)),
            Some(Kind::List) => List::read(&bytes).map(Data::List).map_err(|source| Failure::list(path, source)),
            None => Err(Failure::Refused { path: path.display().to_string(), source: Why::Neither }),
        }
    }

    /// Verifies, then reads.
    pub fn open(bytes: &[u8], signature: &str, standing: Standing) -> Result<Data, Why> {
        match in_force::kind(bytes) {
            Some(Kind::Matrix) => Ok(Data::Matrix(Matrix::open(bytes, signature, standing)?)),
            Some(Kind::List) => Ok(Data::List(List::open(bytes, signature, standing)?)),
            None => Err(Why::Neither),
        }
    }

    /// « Matrix 2026-11-23.1 ».
    pub fn name(&self) -> String {
        match self {
            Data::Matrix(matrix) => format!("Matrix {}", matrix.version),
            Data::List(list) => format!("List {} {}", list.id, list.edition),
        }
    }

    pub fn version(&self) -> &str {
        match self {
            Data::Matrix(matrix) => &matrix.version,
            Data::List(list) => &list.edition,
        }
    }
}

/// What an establishment signed says what it is in its first note: its name and version, or nothing when it is no such
/// file.
pub(super) fn of_establishment(
    bytes: &[u8],
    signature: &str,
    standing: Standing,
) -> Option<Result<(String, String), establishment::Error>> {
    if bytes.starts_with(b"# chevet-framework:") {
        let named = |one: Framework| (format!("Framework {}", one.reference()), one.reference().to_owned());
        return Some(Framework::open(bytes, signature, standing).map(named));
    }
    if bytes.starts_with(b"# chevet-team:") {
        let named = |one: Team| (format!("Team of {}", one.name()), one.name().to_owned());
        return Some(Team::open(bytes, signature, standing).map(named));
    }
    None
}

pub(super) fn signature_beside(path: &Path) -> Result<String, Failure> {
    Ok(String::from_utf8_lossy(&read(&path.with_extension("sig"))?).into_owned())
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|source| Failure::Read { path: path.display().to_string(), source })
}

pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|source| Failure::Write { path: path.display().to_string(), source })
}
