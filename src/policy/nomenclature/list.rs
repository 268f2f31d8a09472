//! One national list: our own form, signed as the matrix is, and the publications it can be made from.
//!
//! ```text
//! # chevet-list: classes
//! # edition: 2026-11-23.1
//! # name: classes de document
//! # version: TRE_A03
//! # source: ANS, nomenclature des objets de santé
//! code,label,short,tile
//! 10,Compte rendu,Comptes rendus,CR
//! ```
//!
//! A newer edition may add codes and rename them, never drop one: a retired code stays readable. Its columns beside the
//! label are Chevet's own (a short name, a tile, the matrix's column) and outlive a publication that does not know them.

use crate::policy::matrix::version_parts;
use crate::policy::signed;
use crate::policy::signed::Standing;
use crate::policy::table;
use serde::Deserialize;

/// One list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    pub id: String,
    /// `YYYY-MM-DD.n`, ours.
    pub edition: String,
    pub name: String,
    /// The publisher's own word.
    pub version: String,
    pub source: String,
    header: Vec<String>,
    /// In the file's order.
    entries: Vec<Vec<String>>,
    /// Places in `entries`, by code.
    sorted: Vec<usize>,
}

/// What is wrong with a list. The one in force stays in force.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the list is not signed by anybody whom we believe")]
    Signature { source: signed::Error },
    #[error("the list is not a table")]
    Table { source: table::Error },
    #[error("the list lacks its {what}")]
    Lacks { what: &'static str },
    #[error("no list is called {found}")]
    UnknownList { found: String },
    #[error("edition {found} is not a day and a number, such as 2026-11-23.1")]
    Edition { found: String },
    #[error("line {line}: no code, or no label")]
    Empty { line: usize },
    #[error("{code} stands twice")]
    Twice { code: String },
    #[error("the header is not that of the list in force: {expected}")]
    Header { expected: String },
    #[error("{code} is in the list in force and not in this one")]
    Lost { code: String },
    #[error("edition {found} is not newer than {in_force}, which is in force")]
    Older { found: String, in_force: String },
    #[error("the publication is neither a table with code and label nor a FHIR code system or value set")]
    Publication,
}

/// One value that differs; a code that is new has no value before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub code: String,
    pub column: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

impl List {
    /// Verifies, then reads.
    pub fn open(bytes: &[u8], signature: &str, standing: Standing) -> Result<List, Error> {
        signed::verify(bytes, signature, standing).map_err(|source| Error::Signature { source })?;
        List::read(bytes)
    }

    /// Reads our own form.
    pub fn read(bytes: &[u8]) -> Result<List, Error> {
        let table = table::read(bytes).map_err(|source| Error::Table { source })?;
        let note = |name, what| table.note(name).filter(|note| !note.is_empty()).ok_or(Error::Lacks { what });
        let (id, edition) = (note("chevet-list", "name: `# chevet-list:`")?, note("edition", "edition")?);
        version_parts(edition).map_err(|_| Error::Edition { found: edition.chars().take(20).collect() })?;
        if table.header.len() < 2 || table.header[..2] != ["code", "label"] {
            return Err(Error::Lacks { what: "columns code and label" });
        }
        if let Some(row) = table.rows.iter().find(|row| row.values[0].is_empty() || row.values[1].is_empty()) {
            return Err(Error::Empty { line: row.line });
        }
        let (name, version) = (note("name", "French name")?, note("version", "publisher’s version")?);
        let mut list = List {
            id: id.to_owned(),
            edition: edition.to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
            source: note("source", "source")?.to_owned(),
            header: table.header.clone(),
            entries: table.rows.iter().map(|row| row.values.clone()).collect(),
            sorted: Vec::new(),
        };
        list.sort()?;
        Ok(list)
    }

    /// Writes our own form.
    pub fn write(&self) -> String {
        let mut text = format!(
            "# chevet-list: {}\n# edition: {}\n# name: {}\n# version: {}\n# source: {}\n",
            self.id, self.edition, self.name, self.version, self.source
        );
        for line in std::iter::once(&self.header).chain(&self.entries) {
            text += &line.iter().map(|value| table::quoted(value)).collect::<Vec<_>>().join(",");
            text.push('\n');
        }
        text
    }

    /// Every code, in the list's order.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry[0].as_str())
    }

    /// One value of one code.
    pub fn value(&self, code: &str, column: &str) -> Option<&str> {
        let at = self.sorted.binary_search_by(|at| self.entries[*at][0].as_str().cmp(code)).ok()?;
        let entry = &self.entries[self.sorted[at]];
        self.header.iter().position(|name| name == column).map(|at| entry[at].as_str())
    }

    /// Whether it may take the place of another edition of the same list.
    pub fn may_replace(&self, in_force: &List) -> Result<(), Error> {
        if self.header != in_force.header {
            return Err(Error::Header { expected: in_force.header.join(",") });
        }
        if let Some(lost) = in_force.codes().find(|code| self.value(code, "label").is_none()) {
            return Err(Error::Lost { code: lost.to_owned() });
        }
        let parts =
            |list: &List| version_parts(&list.edition).map_err(|_| Error::Edition { found: list.edition.clone() });
        if parts(self)? > parts(in_force)? {
            Ok(())
        } else {
            Err(Error::Older { found: self.edition.clone(), in_force: in_force.edition.clone() })
        }
    }

    /// What this edition changes in the one before, value by value.
    pub fn changes_from(&self, before: &List) -> Vec<Change> {
        let mut found = Vec::new();
        for code in self.codes() {
            for column in &self.header[1..] {
                let (was, is) = (before.value(code, column), self.value(code, column));
                if was != is {
                    let (before, after) = (was.map(str::to_owned), is.map(str::to_owned));
                    found.push(Change { code: code.to_owned(), column: column.clone(), before, after });
                }
            }
        }
        found
    }

    /// The next edition, from a publication: its labels, its new codes; what it does not say stays as it is here.
    pub fn renewed(&self, publication: &[u8], edition: String, version: String, source: String) -> Result<List, Error> {
        let mut next = List { edition, version, source, ..self.clone() };
        for (code, values) in published(publication)? {
            let at = match next.entries.iter().position(|entry| entry[0] == code) {
                Some(at) => at,
                None => {
                    let mut entry = vec![String::new(); next.header.len()];
                    entry[0] = code;
                    next.entries.push(entry);
                    next.entries.len() - 1
                }
            };
            for (column, value) in values {
                let place = next.header.iter().position(|name| *name == column);
                let place = place.ok_or_else(|| Error::Header { expected: self.header.join(",") })?;
                next.entries[at][place] = value;
            }
        }
        next.sort()?;
        List::read(next.write().as_bytes())
    }

    fn sort(&mut self) -> Result<(), Error> {
        let mut sorted: Vec<usize> = (0..self.entries.len()).collect();
        sorted.sort_by(|one, other| self.entries[*one][0].cmp(&self.entries[*other][0]));
        let twice = sorted.windows(2).find(|pair| self.entries[pair[0]][0] == self.entries[pair[1]][0]);
        if let Some(pair) = twice {
            return Err(Error::Twice { code: self.entries[pair[0]][0].clone() });
        }
        self.sorted = sorted;
        Ok(())
    }
}

/// Code, then column and value.
type Published = Vec<(String, Vec<(String, String)>)>;

/// A table with code and label, or FHIR R4 as the ANS publishes it: `CodeSystem`, or a `ValueSet` that lists its concepts.
fn published(bytes: &[u8]) -> Result<Published, Error> {
    if bytes.trim_ascii_start().first() == Some(&b'{') {
        return published_fhir(bytes);
    }
    let table = table::read(bytes).map_err(|source| Error::Table { source })?;
    let code_at = table.place("code").ok_or(Error::Publication)?;
    let mut found: Published = Vec::new();
    for row in &table.rows {
        let code = row.values[code_at].clone();
        if code.is_empty() {
            return Err(Error::Empty { line: row.line });
        }
        if found.iter().any(|(known, _)| *known == code) {
            return Err(Error::Twice { code });
        }
        let values = table.header.iter().zip(&row.values).filter(|(name, _)| *name != "code");
        found.push((code, values.map(|(name, value)| (name.clone(), value.clone())).collect()));
    }
    Ok(found)
}

#[derive(Deserialize)]
struct Resource {
    #[serde(rename = "resourceType")]
    kind: String,
    #[serde(default)]
    concept: Vec<Concept>,
    compose: Option<Compose>,
}

#[derive(Deserialize)]
struct Compose {
    #[serde(default)]
    include: Vec<Include>,
}

#[derive(Deserialize)]
struct Include {
    #[serde(default)]
    concept: Vec<Concept>,
}

#[derive(Deserialize)]
struct Concept {
    code: String,
    display: String,
}

fn published_fhir(bytes: &[u8]) -> Result<Published, Error> {
    if bytes.len() > table::BYTES_MAX {
        return Err(Error::Table { source: table::Error::TooLarge { found: bytes.len() } });
    }
    let resource: Resource = serde_json::from_slice(bytes).map_err(|_| Error::Publication)?;
    let composed = resource.compose.into_iter().flat_map(|compose| compose.include).flat_map(|include| include.concept);
    let concepts: Vec<Concept> = match resource.kind.as_str() {
        "CodeSystem" => resource.concept,
        "ValueSet" => composed.collect(),
        _ => return Err(Error::Publication),
    };
    if concepts.is_empty() {
        return Err(Error::Publication);
    }
    let mut found: Published = Vec::new();
    for Concept { code, display } in concepts {
        if found.iter().any(|(known, _)| *known == code) {
            return Err(Error::Twice { code });
        }
        found.push((code, vec![("label".to_owned(), display)]));
    }
    Ok(found)
}

impl Error {
    /// French, one sentence, for the screen.
    pub fn sentence(&self) -> &'static str {
        match self {
            Error::Signature { .. } => "La signature de cette nomenclature n’est pas reconnue.",
            Error::Table { source: table::Error::TooLarge { .. } | table::Error::TooLong } => {
                "Ce fichier est trop grand pour une nomenclature."
            }
            Error::Older { .. } => "Cette nomenclature n’est pas plus récente que celle en vigueur.",
            Error::Twice { .. } => "Cette nomenclature se répète.",
            Error::Lost { .. } => "Cette nomenclature oublie un code qui est en vigueur.",
            Error::Table { .. }
            | Error::Lacks { .. }
            | Error::UnknownList { .. }
            | Error::Edition { .. }
            | Error::Empty { .. }
            | Error::Header { .. }
            | Error::Publication => "Ce fichier n’est pas une nomenclature lisible.",
        }
    }
}
