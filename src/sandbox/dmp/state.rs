//! What the server keeps: consents, traces, its own access log, what was contributed. In memory, and in one JSON file
//! where a snapshot is wanted, written beside and renamed after each change.

use crate::sandbox::dmp::Error;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// AuditEvents of devices, in the order of arrival, each id once.
    pub traces: Vec<Value>,
    /// Consents as posted, with what the server adds.
    pub consents: Vec<Value>,
    /// What the server saw by itself.
    pub lines: Vec<Line>,
    /// How holders are called, from their certificates.
    pub names: BTreeMap<String, String>,
    /// DocumentReferences and their contents (base64).
    pub contributions: Vec<Contribution>,
    /// Documents of the record whose metadata have changed since, by unique identifier.
    #[serde(default)]
    pub changed: BTreeMap<String, Value>,
}

/// A newer version of a document's metadata, as the patient or its author might make it: what is `None` stays as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amendment {
    /// JDV_J08's codes.
    pub labels: Option<Vec<String>>,
    /// FHIR's word.
    pub status: Option<String>,
    pub archived: Option<bool>,
}

/// One access that the server itself served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// `matricule^oid`.
    pub patient: String,
    pub at: i64,
    pub holder: String,
    pub act: Act,
    /// TRE_R248.
    pub mode: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Asked whether the record is open.
    State,
    Listed,
    Read,
    History,
    Contributed,
    Changed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contribution {
    pub patient: String,
    pub unique_id: String,
    pub author: String,
    pub reference: Value,
    pub data: String,
}

impl State {
    pub fn load(path: Option<&Path>) -> Result<State, Error> {
        let Some(path) = path.filter(|path| path.exists()) else { return Ok(State::default()) };
        let bytes = fs::read(path).map_err(|source| Error::Read { path: path.to_path_buf(), source })?;
        serde_json::from_slice(&bytes).map_err(|_| Error::Snapshot { path: path.to_path_buf() })
    }

    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        let bytes = serde_json::to_vec(self)?;
        let beside = path.with_extension("new");
        fs::write(&beside, bytes)?;
        fs::rename(&beside, path)
    }
}

impl Act {
    /// As the patient reads it.
    pub fn words(self) -> &'static str {
        match self {
            Act::State => "A vérifié l’état du dossier",
            Act::Listed => "A consulté la liste des documents",
            Act::Read => "A ouvert un document",
            Act::History => "A consulté l’historique des accès",
            Act::Contributed => "A ajouté un document",
            Act::Changed => "A modifié l’état d’un de ses documents",
        }
    }

    /// Seeing that a record is open is no access to it.
    pub fn notifies(self) -> bool {
        matches!(self, Act::Listed | Act::Read | Act::History)
    }
}
