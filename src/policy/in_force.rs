//! Which matrix and which lists are in force: what came with the program, or something newer that was signed and given to this
//! device. What is wrong is named and left aside; what was in force stays in force.
//!
//! A matrix whose day has not come waits, and so does one of which the clock cannot tell. Bytes come in as values.

use crate::policy::Matrix;
use crate::policy::matrix;
use crate::policy::matrix::version_parts;
use crate::policy::nomenclature::Lists;
use crate::policy::nomenclature::list;
use crate::policy::nomenclature::list::List;
use crate::policy::signed::Standing;
use crate::time::Wall;

/// One file of the state folder, with the signature beside it.
#[derive(Debug, Clone)]
pub struct Given {
    pub name: String,
    pub bytes: Vec<u8>,
    pub signature: String,
}

/// What a file says it is, by its first note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Matrix,
    List,
}

/// A file that was left aside.
#[derive(Debug)]
pub struct Refused {
    pub name: String,
    pub why: Why,
}

#[derive(Debug, thiserror::Error)]
pub enum Why {
    #[error(transparent)]
    Matrix(#[from] matrix::Error),
    #[error(transparent)]
    List(#[from] list::Error),
    #[error("it is neither a matrix nor a list of this program")]
    Neither,
}

/// A matrix, and what did not become it.
#[derive(Debug)]
pub struct Chosen {
    pub matrix: Matrix,
    pub refused: Vec<Refused>,
    /// Version and day of what is signed and has yet to come.
    pub waiting: Vec<(String, String)>,
}

/// What some bytes say they are; whether anybody signed them is another question.
pub fn kind(bytes: &[u8]) -> Option<Kind> {
    let first = bytes.split(|byte| *byte == b'\n').next()?;
    let first = first.strip_prefix("\u{feff}".as_bytes()).unwrap_or(first);
    [(&b"# chevet-matrix:"[..], Kind::Matrix), (b"# chevet-list:", Kind::List)]
        .into_iter()
        .find(|(mark, _)| first.starts_with(mark))
        .map(|(_, kind)| kind)
}

/// The lists: for each, the newest edition that is signed and fits. To be put in force before a matrix is read.
pub fn choose_lists(given: &[Given], standing: Standing) -> (Lists, Vec<Refused>) {
    let (mut lists, mut refused) = (Lists::shipped(), Vec::new());
    let mut read: Vec<(&Given, List)> = Vec::new();
    for file in given {
        match kind(&file.bytes) {
            Some(Kind::List) => match List::open(&file.bytes, &file.signature, standing) {
                Ok(list) => read.push((file, list)),
                Err(why) => refused.push(Refused { name: file.name.clone(), why: why.into() }),
            },
            Some(Kind::Matrix) => {}
            None => refused.push(Refused { name: file.name.clone(), why: Why::Neither }),
        }
    }
    // Oldest first, so that each is measured against the one before it.
    read.sort_by_key(|(_, list)| version_parts(&list.edition).ok());
    for (file, list) in read {
        match lists.clone().with(list) {
            Ok(with) => lists = with,
            // The program itself may have caught up since.
            Err(list::Error::Older { .. }) => {}
            Err(why) => refused.push(Refused { name: file.name.clone(), why: why.into() }),
        }
    }
    (lists, refused)
}

/// The newest matrix that is signed, readable and of which the day has come.
pub fn choose_matrix(given: &[Given], standing: Standing, now: Wall) -> Result<Chosen, matrix::Error> {
    let (mut refused, mut waiting) = (Vec::new(), Vec::new());
    let mut best = Matrix::shipped_for(standing);
    for file in given.iter().filter(|file| kind(&file.bytes) == Some(Kind::Matrix)) {
        let opened = Matrix::open(&file.bytes, &file.signature, standing);
        let matrix = match opened {
            Ok(matrix) => matrix,
            Err(why) => {
                refused.push(Refused { name: file.name.clone(), why: why.into() });
                continue;
            }
        };
        let newer = best.as_ref().map_or(Ok(()), |best| matrix.may_replace(best)).is_ok();
        if !newer {
            continue;
        }
        if matrix.is_effective(now) == Some(true) {
            best = Ok(matrix);
        } else {
            waiting.push((matrix.version.clone(), matrix.effective.clone()));
        }
    }
    let matrix = best?;
    waiting.retain(|(version, _)| version_parts(version).ok() > version_parts(&matrix.version).ok());
    Ok(Chosen { matrix, refused, waiting })
}

/// Whether a signed file may be given to this device, over what is in force there now.
pub fn may_be_given(file: &Given, standing: Standing, matrix: &Matrix, lists: &Lists) -> Result<String, Why> {
    match kind(&file.bytes) {
        Some(Kind::Matrix) => {
            let newer = Matrix::open(&file.bytes, &file.signature, standing)?;
            newer.may_replace(matrix)?;
            Ok(format!("matrix-{}", newer.version))
        }
        Some(Kind::List) => {
            let newer = List::open(&file.bytes, &file.signature, standing)?;
            let name = format!("{}-{}", newer.id, newer.edition);
            lists.clone().with(newer)?;
            Ok(name)
        }
        None => Err(Why::Neither),
    }
}

impl Why {
    /// French, one sentence, for the screen.
    pub fn sentence(&self) -> &'static str {
        match self {
            Why::Matrix(error) => error.sentence(),
            Why::List(error) => error.sentence(),
            Why::Neither => "Ce fichier n’est ni une matrice ni une nomenclature de cette borne.",
        }
    }
}
