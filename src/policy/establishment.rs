//! What an establishment signs for itself: a small table, for the one site that its settings name.
//!
//! Two exist: its `framework` for brain death and its care `team`. Either says what it is in its first note,
//! `# chevet-<form>: 1`, has its signature beside it as `.sig`, and is of no use at another establishment. One that is
//! refused gives nobody anything: the case stays forbidden, the team stays empty.

use crate::policy::signed;
use crate::policy::signed::Standing;
use crate::policy::table;
use crate::policy::table::Table;

/// Why a file is not believed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the file is not signed by anybody whom we believe")]
    Signature { source: signed::Error },
    #[error("the file is not a table")]
    Table { source: table::Error },
    #[error("the file lacks its {what}")]
    Lacks { what: &'static str },
    #[error("line {line}: {what}")]
    Line { line: usize, what: &'static str },
    #[error("the file is signed for {found}, and this site is called {site}")]
    Establishment { found: String, site: String },
}

/// Verifies, then reads; `form` is the note and the header that the file must have, as a sentence names them.
pub(super) fn read(
    bytes: &[u8],
    signature: &str,
    standing: Standing,
    (note, header, form): (&str, &[&str], &'static str),
) -> Result<Table, Error> {
    signed::verify(bytes, signature, standing).map_err(|source| Error::Signature { source })?;
    let table = table::read(bytes).map_err(|source| Error::Table { source })?;
    if table.note(note) != Some("1") || table.header != header {
        return Err(Error::Lacks { what: form });
    }
    Ok(table)
}

/// Only the establishment for which it was signed may use it: `site` is the name in the settings.
pub(super) fn is_for(found: &str, site: &str) -> Result<(), Error> {
    if found == site.trim() {
        return Ok(());
    }
    Err(Error::Establishment { found: found.to_owned(), site: site.trim().to_owned() })
}

impl Error {
    /// French, one sentence, for the screen.
    pub fn sentence(&self) -> &'static str {
        match self {
            Error::Signature { .. } => "La signature de ce fichier n’est pas reconnue.",
            Error::Establishment { .. } => "Ce fichier signé est celui d’un autre établissement.",
            Error::Table { .. } | Error::Lacks { .. } | Error::Line { .. } => "Ce fichier n’est pas lisible.",
        }
    }
}
