//! What is inside sealed values: JSON in shapes of the disk's own. The domain's types are free to change; these are not.
//!
//! A field is only ever added, with a default; another meaning is another form byte (`seal`).

mod contribution;
mod list;

pub(super) use contribution::DeskDraft;
pub(super) use list::read_list;
pub(super) use list::write_list;

use crate::identity::holder::HolderId;
use crate::journal::consent::Answer;
use crate::journal::consent::Consent;
use crate::journal::consent::Point;
use crate::journal::consent::Quality;
use crate::journal::consent::Said;
use crate::journal::consent::Scope;
use crate::journal::consent::Shown;
use crate::journal::consent::Signature;
use crate::journal::consent::Speaker;
use crate::journal::words::Ground;
use crate::journal::words::Regime;
use crate::patient::ins::BirthDate;
use crate::patient::ins::Ins;
use crate::patient::ins::InsKind;
use crate::patient::ins::Patient;
use crate::patient::ins::Sex;
use crate::record::document::Attachment;
use crate::record::document::Author;
use crate::record::document::ClassCode;
use crate::record::document::Document;
use crate::record::document::Label;
use crate::record::document::Status;
use crate::record::document::TypeCode;
use crate::record::document::UniqueId;
use crate::record::state::Authorization;
use crate::record::state::ClosureReason;
use crate::record::state::EmergencySwitches;
use crate::record::state::Existence;
use crate::record::state::RecordState;
use crate::record::state::TeamWord;
use crate::secret::SecretBytes;
use crate::time::Now;
use crate::time::UnixSeconds;
use crate::time::Wall;
use crate::vault::Error;
use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use uuid::Uuid;

/// A type of the domain, and its shape on the disk.
pub(super) trait Kept: Sized {
    type Shape: Serialize + DeserializeOwned;
    const WHAT: &'static str;
    fn to_shape(&self) -> Self::Shape;
    /// `None`: written by a program that knew a word this one does not.
    fn from_shape(shape: Self::Shape) -> Option<Self>;
}

pub(super) fn write<T: Kept>(value: &T) -> SecretBytes {
    SecretBytes::new(serde_json::to_vec(&value.to_shape()).expect("shapes are plain structs with text keys"))
}

pub(super) fn read<T: Kept>(bytes: &SecretBytes) -> Result<T, Error> {
    let shape = serde_json::from_slice(bytes.show_bytes()).ok();
    shape.and_then(T::from_shape).ok_or(Error::Shape { what: T::WHAT })
}

#[derive(Serialize, Deserialize)]
pub(super) struct InsShape {
    matricule: String,
    oid: String,
}

impl Kept for Ins {
    type Shape = InsShape;
    const WHAT: &'static str = "an INS";

    fn to_shape(&self) -> InsShape {
        InsShape { matricule: self.matricule.clone(), oid: self.kind.oid().to_owned() }
    }

    fn from_shape(shape: InsShape) -> Option<Ins> {
        Ins::unchecked(&shape.matricule, InsKind::from_oid(&shape.oid)?).ok()
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct PatientShape {
    ins: InsShape,
    birth_name: String,
    birth_given_names: String,
    sex: char,
    born: (u16, u8, u8),
    birth_place: Option<String>,
}

impl Kept for Patient {
    type Shape = PatientShape;
    const WHAT: &'static str = "a patient";

    fn to_shape(&self) -> PatientShape {
        PatientShape {
            ins: self.ins.to_shape(),
            birth_name: self.birth_name.clone(),
            birth_given_names: self.birth_given_names.clone(),
            sex: match self.sex {
                Sex::Male => 'M',
                Sex::Female => 'F',
                Sex::Indeterminate => 'I',
            },
            born: (self.birth_date.year, self.birth_date.month, self.birth_date.day),
            birth_place: self.birth_place.clone(),
        }
    }

    fn from_shape(shape: PatientShape) -> Option<Patient> {
        let (year, month, day) = shape.born;
        Some(Patient {
            ins: Ins::from_shape(shape.ins)?,
            birth_name: shape.birth_name,
            birth_given_names: shape.birth_given_names,
            sex: match shape.sex {
                'M' => Sex::Male,
                'F' => Sex::Female,
                'I' => Sex::Indeterminate,
                _ => return None,
            },
            birth_date: BirthDate { year, month, day },
            birth_place: shape.birth_place,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct StateShape {
    /// never_created | open | closed | unknown
    existence: String,
    /// patient | deceased | other
    closed_for: Option<String>,
    closed_on: Option<i64>,
    /// valid | none | expired | forbidden | unknown
    authorization: String,
    valid_until: Option<i64>,
    blocked: bool,
    /// samu, other professionals, masked documents
    emergency: Option<(bool, bool, bool)>,
    minor: Option<bool>,
    attending_doctor: bool,
    administrator: bool,
    #[serde(default)]
    care_team: Option<String>,
    /// Team, agreed, when, until when
    #[serde(default)]
    team_words: Vec<(String, bool, Option<i64>, Option<i64>)>,
}

impl Kept for RecordState {
    type Shape = StateShape;
    const WHAT: &'static str = "a record's state";

    fn to_shape(&self) -> StateShape {
        let (existence, closed_for, closed_on) = match &self.existence {
            Existence::NeverCreated => ("never_created", None, None),
            Existence::Open => ("open", None, None),
            Existence::Unknown => ("unknown", None, None),
            Existence::Closed { reason, on } => {
                let reason = match reason {
                    ClosureReason::Patient => "patient",
                    ClosureReason::Deceased => "deceased",
                    ClosureReason::Other => "other",
                };
                ("closed", Some(reason.to_owned()), on.map(|at| at.0))
            }
        };
        let (authorization, valid_until) = match self.authorization {
            Authorization::Valid { until } => ("valid", until.map(|at| at.0)),
            Authorization::None => ("none", None),
            Authorization::Expired => ("expired", None),
            Authorization::Forbidden => ("forbidden", None),
            Authorization::Unknown => ("unknown", None),
        };
        StateShape {
            existence: existence.to_owned(),
            closed_for,
            closed_on,
            authorization: authorization.to_owned(),
            valid_until,
            blocked: self.blocked,
            emergency: self.emergency.map(|on| (on.samu, on.other_professionals, on.masked_documents)),
            minor: self.minor,
            attending_doctor: self.attending_doctor,
            administrator: self.administrator,
            care_team: self.care_team.clone(),
            team_words: self
                .team_words
                .iter()
                .map(|word| (word.team.clone(), word.agreed, word.at.map(|at| at.0), word.until.map(|at| at.0)))
                .collect(),
        }
    }

    fn from_shape(shape: StateShape) -> Option<RecordState> {
        let closed_for = || match shape.closed_for.as_deref() {
            Some("patient") => Some(ClosureReason::Patient),
            Some("deceased") => Some(ClosureReason::Deceased),
            Some("other") => Some(ClosureReason::Other),
            _ => None,
        };
        Some(RecordState {
            existence: match shape.existence.as_str() {
                "never_created" => Existence::NeverCreated,
                "open" => Existence::Open,
                "closed" => Existence::Closed { reason: closed_for()?, on: shape.closed_on.map(UnixSeconds) },
                "unknown" => Existence::Unknown,
                _ => return None,
            },
            authorization: match shape.authorization.as_str() {
                "valid" => Authorization::Valid { until: shape.valid_until.map(UnixSeconds) },
                "none" => Authorization::None,
                "expired" => Authorization::Expired,
                "forbidden" => Authorization::Forbidden,
                "unknown" => Authorization::Unknown,
                _ => return None,
            },
            blocked: shape.blocked,
            emergency: shape.emergency.map(|(samu, other_professionals, masked_documents)| EmergencySwitches {
                samu,
                other_professionals,
                masked_documents,
            }),
            minor: shape.minor,
            attending_doctor: shape.attending_doctor,
            administrator: shape.administrator,
            care_team: shape.care_team,
            team_words: shape
                .team_words
                .into_iter()
                .map(|(team, agreed, at, until)| TeamWord {
                    team,
                    agreed,
                    at: at.map(UnixSeconds),
                    until: until.map(UnixSeconds),
                })
                .collect(),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct DocumentShape {
    unique_id: String,
    entry_uuid: String,
    logical_id: Option<String>,
    type_code: String,
    type_label: String,
    class_code: String,
    title: String,
    authors: Vec<AuthorShape>,
    labels: Vec<String>,
    /// current | archived | superseded | deleted | unknown
    status: String,
    service_start: i64,
    created: i64,
    format_code: String,
    url: String,
    content_type: String,
    size_bytes: Option<u64>,
    sha1: Option<[u8; 20]>,
    by_patient: bool,
}

#[derive(Serialize, Deserialize)]
struct AuthorShape {
    id: Option<String>,
    name: String,
    structure: Option<String>,
}

impl Kept for Document {
    type Shape = DocumentShape;
    const WHAT: &'static str = "a document's metadata";

    fn to_shape(&self) -> DocumentShape {
        let author = |author: &Author| AuthorShape {
            id: author.id.clone(),
            name: author.name.clone(),
            structure: author.structure.clone(),
        };
        DocumentShape {
            unique_id: self.unique_id.0.clone(),
            entry_uuid: self.entry_uuid.clone(),
            logical_id: self.logical_id.clone(),
            type_code: self.type_code.0.clone(),
            type_label: self.type_label.clone(),
            class_code: self.class_code.0.clone(),
            title: self.title.clone(),
            authors: self.authors.iter().map(author).collect(),
            labels: self.labels.iter().map(|label| label.code().to_owned()).collect(),
            status: match self.status {
                Status::Current => "current",
                Status::Archived => "archived",
                Status::Superseded => "superseded",
                Status::Deleted => "deleted",
                Status::Unknown => "unknown",
            }
            .to_owned(),
            service_start: self.service_start.0,
            created: self.created.0,
            format_code: self.format_code.clone(),
            url: self.attachment.url.clone(),
            content_type: self.attachment.content_type.clone(),
            size_bytes: self.attachment.size_bytes,
            sha1: self.attachment.sha1,
            by_patient: self.by_patient,
        }
    }

    fn from_shape(shape: DocumentShape) -> Option<Document> {
        let author = |author: AuthorShape| Author { id: author.id, name: author.name, structure: author.structure };
        Some(Document {
            unique_id: UniqueId(shape.unique_id),
            entry_uuid: shape.entry_uuid,
            logical_id: shape.logical_id,
            type_code: TypeCode(shape.type_code),
            type_label: shape.type_label,
            class_code: ClassCode(shape.class_code),
            title: shape.title,
            authors: shape.authors.into_iter().map(author).collect(),
            labels: shape.labels.iter().map(|code| Label::from_code(code)).collect(),
            status: match shape.status.as_str() {
                "current" => Status::Current,
                "archived" => Status::Archived,
                "superseded" => Status::Superseded,
                "deleted" => Status::Deleted,
                "unknown" => Status::Unknown,
                _ => return None,
            },
            service_start: UnixSeconds(shape.service_start),
            created: UnixSeconds(shape.created),
            format_code: shape.format_code,
            attachment: Attachment {
                url: shape.url,
                content_type: shape.content_type,
                size_bytes: shape.size_bytes,
                sha1: shape.sha1,
            },
            by_patient: shape.by_patient,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct ConsentShape {
    id: Uuid,
    patient: InsShape,
    holder: String,
    collected_by: String,
    /// team | holder_once | authorization | event
    scope: String,
    team: Option<String>,
    /// yes | no | withdrawn
    answer: String,
    ground: String,
    regime: String,
    text: String,
    text_version: u32,
    language: String,
    /// Quality and name; absent: the patient spoke for themselves.
    representative: Option<(String, String)>,
    #[serde(default)]
    signature: Option<Vec<Vec<Point>>>,
    time: i64,
    time_is_trusted: bool,
    since_boot_ms: u64,
}

impl Kept for Consent {
    type Shape = ConsentShape;
    const WHAT: &'static str = "a consent";

    fn to_shape(&self) -> ConsentShape {
        let said = &self.said;
        let (scope, team) = match &said.scope {
            Scope::Team(team) => ("team", Some(team.clone())),
            Scope::HolderOnce => ("holder_once", None),
            Scope::Authorization => ("authorization", None),
            Scope::Event(team) => ("event", Some(team.clone())),
        };
        ConsentShape {
            id: self.id,
            patient: said.patient.to_shape(),
            holder: said.holder.0.clone(),
            collected_by: said.collected_by.0.clone(),
            scope: scope.to_owned(),
            team,
            answer: match said.answer {
                Answer::Yes => "yes",
                Answer::No => "no",
                Answer::Withdrawn => "withdrawn",
            }
            .to_owned(),
            ground: said.ground.name().to_owned(),
            regime: said.regime.name().to_owned(),
            text: said.shown.text.clone(),
            text_version: said.shown.version,
            language: said.shown.language.clone(),
            representative: match &said.by {
                Speaker::Patient => None,
                Speaker::Representative { quality, name } => Some((quality.name().to_owned(), name.clone())),
            },
            signature: said.signature.as_ref().map(|signature| signature.strokes().to_vec()),
            time: said.at.wall.value().0,
            time_is_trusted: said.at.wall.is_trusted(),
            since_boot_ms: u64::try_from(said.at.since_boot.as_millis()).unwrap_or(u64::MAX),
        }
    }

    fn from_shape(shape: ConsentShape) -> Option<Consent> {
        let time = UnixSeconds(shape.time);
        Some(Consent {
            id: shape.id,
            said: Said {
                patient: Ins::from_shape(shape.patient)?,
                holder: HolderId(shape.holder),
                collected_by: HolderId(shape.collected_by),
                scope: match (shape.scope.as_str(), shape.team) {
                    ("team", Some(team)) => Scope::Team(team),
                    ("holder_once", None) => Scope::HolderOnce,
                    ("authorization", None) => Scope::Authorization,
                    ("event", Some(team)) => Scope::Event(team),
                    _ => return None,
                },
                answer: match shape.answer.as_str() {
                    "yes" => Answer::Yes,
                    "no" => Answer::No,
                    "withdrawn" => Answer::Withdrawn,
                    _ => return None,
                },
                ground: Ground::from_name(&shape.ground)?,
                regime: Regime::from_name(&shape.regime)?,
                shown: Shown { text: shape.text, version: shape.text_version, language: shape.language },
                by: match shape.representative {
                    None => Speaker::Patient,
                    Some((quality, name)) => Speaker::Representative { quality: Quality::from_name(&quality)?, name },
                },
                signature: match shape.signature {
                    None => None,
                    Some(strokes) => Some(Signature::new(strokes)?),
                },
                at: Now {
                    since_boot: Duration::from_millis(shape.since_boot_ms),
                    wall: if shape.time_is_trusted { Wall::Is(time) } else { Wall::AtLeast(time) },
                },
            },
        })
    }
}
