//! One entry of a record: its metadata, as PDSm (FHIR) and XDS.b both say it. Content is never here.

use crate::time::UnixSeconds;

/// The producer's identifier, stable for ever (XDS `uniqueId`, FHIR `masterIdentifier`).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UniqueId(pub String);

/// LOINC or CI-SIS type (JDV_J07, ASS_X16): what the matrix is keyed on. Never a label, never a class.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeCode(pub String);

/// TRE_A03, for example `10` (compte rendu).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClassCode(pub String);

/// JDV_J08: one to four at once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    Normal,
    Restricted,
    VeryRestricted,
    /// INVISIBLE_PATIENT
    InvisibleToPatient,
    /// INVISIBLE_REPRESENTANTS_LEGAUX
    InvisibleToLegalRepresentatives,
    /// MASQUE_PS
    MaskedToProfessionals,
    /// A code that this program does not know: the document is denied (P5).
    Unknown(String),
}

/// `DocumentReference.status` with PDSm's `isArchived`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    Current,
    Archived,
    /// Replaced by a newer version.
    Superseded,
    /// `entered-in-error`: withdrawn by its author.
    Deleted,
    Unknown,
}

/// The type of an entry that could not be read: no matrix has it.
pub const UNREADABLE: &str = "unreadable";

/// One document's metadata.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    pub unique_id: UniqueId,
    /// Changes with each version of the metadata (FHIR `id`).
    pub entry_uuid: String,
    /// Stable across versions of the metadata (FHIR `identifier`), where the server gives it.
    pub logical_id: Option<String>,
    pub type_code: TypeCode,
    /// As the server says it; the display name comes from our own nomenclature when the code is known.
    pub type_label: String,
    pub class_code: ClassCode,
    pub title: String,
    /// Never empty once parsed: a document without an author is refused by the parser's caller.
    pub authors: Vec<Author>,
    pub labels: Vec<Label>,
    pub status: Status,
    /// `context.period.start`: the clinical date, which the list is sorted by.
    pub service_start: UnixSeconds,
    pub created: UnixSeconds,
    pub format_code: String,
    pub attachment: Attachment,
    /// Deposited by the patient (types DOCPAT and EXPPAT, or class 90): must look different.
    pub by_patient: bool,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Author {
    /// National identifier where it is a professional.
    pub id: Option<String>,
    pub name: String,
    /// Structure or setting, for people.
    pub structure: Option<String>,
}

/// Where the content is and how to know it again.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Absolute or relative to the server's base.
    pub url: String,
    pub content_type: String,
    pub size_bytes: Option<u64>,
    /// FHIR R4 and XDS: SHA-1. For integrity in transfer, not for trust.
    pub sha1: Option<[u8; 20]>,
}

/// A document as far as policy decides over it and a download needs it, with all that could be shown taken out: what is fetched
/// ahead is fetched unseen.
#[derive(Clone, PartialEq, Eq)]
pub struct Outline(Document);

impl Document {
    /// An entry that could not be read: it stays in the list, denied and counted (P5).
    pub fn unreadable(entry: String) -> Document {
        Document {
            unique_id: UniqueId(format!("{UNREADABLE}:{entry}")),
            entry_uuid: entry,
            logical_id: None,
            type_code: TypeCode(UNREADABLE.to_owned()),
            type_label: String::new(),
            class_code: ClassCode(String::new()),
            title: String::new(),
            authors: vec![Author { id: None, name: "Auteur non précisé".to_owned(), structure: None }],
            labels: vec![Label::Unknown(UNREADABLE.to_owned())],
            status: Status::Unknown,
            service_start: UnixSeconds(0),
            created: UnixSeconds(0),
            format_code: String::new(),
            attachment: Attachment { url: String::new(), content_type: String::new(), size_bytes: None, sha1: None },
            by_patient: false,
        }
    }
}

impl Outline {
    pub fn of(document: &Document) -> Outline {
        let author = |author: &Author| Author { id: author.id.clone(), name: String::new(), structure: None };
        Outline(Document {
            title: String::new(),
            type_label: String::new(),
            class_code: ClassCode(String::new()),
            authors: document.authors.iter().map(author).collect(),
            service_start: UnixSeconds(0),
            created: UnixSeconds(0),
            ..document.clone()
        })
    }

    pub fn document(&self) -> &Document {
        &self.0
    }

    /// As announced; 0 where nothing is.
    pub fn size_bytes(&self) -> u64 {
        self.0.attachment.size_bytes.unwrap_or(0)
    }
}

impl Label {
    /// From JDV_J08's code.
    pub fn from_code(code: &str) -> Label {
        match code {
            "N" => Label::Normal,
            "R" => Label::Restricted,
            "V" => Label::VeryRestricted,
            "INVISIBLE_PATIENT" => Label::InvisibleToPatient,
            "INVISIBLE_REPRESENTANTS_LEGAUX" => Label::InvisibleToLegalRepresentatives,
            "MASQUE_PS" => Label::MaskedToProfessionals,
            other => Label::Unknown(other.to_owned()),
        }
    }

    /// JDV_J08's code, or the one that was not known.
    pub fn code(&self) -> &str {
        match self {
            Label::Normal => "N",
            Label::Restricted => "R",
            Label::VeryRestricted => "V",
            Label::InvisibleToPatient => "INVISIBLE_PATIENT",
            Label::InvisibleToLegalRepresentatives => "INVISIBLE_REPRESENTANTS_LEGAUX",
            Label::MaskedToProfessionals => "MASQUE_PS",
            Label::Unknown(code) => code,
        }
    }
}

impl std::fmt::Debug for UniqueId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UniqueId([REDACTED])")
    }
}

impl std::fmt::Debug for Author {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Author([REDACTED])")
    }
}

impl std::fmt::Debug for Outline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outline([REDACTED])")
    }
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Document([REDACTED])")
    }
}
