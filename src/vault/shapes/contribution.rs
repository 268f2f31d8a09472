//! What an author wrote, and what waits of it: on the desk as a draft, in the outbox once finished.

use super::InsShape;
use super::Kept;
use super::PatientShape;
use crate::identity::holder::HolderId;
use crate::identity::holder::ProfessionCode;
use crate::identity::holder::Situation;
use crate::journal::item::Contribution;
use crate::journal::item::Deed;
use crate::patient::ins::Ins;
use crate::patient::ins::Patient;
use crate::record::document::ClassCode;
use crate::record::document::Label;
use crate::record::document::TypeCode;
use crate::record::document::UniqueId;
use crate::record::note::Change;
use crate::record::note::Note;
use crate::record::note::NoteDraft;
use crate::record::note::Replaced;
use crate::record::note::Writer;
use crate::time::UnixSeconds;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde::Serialize;
use uuid::Uuid;

/// Unique id and entry of the version before.
type ReplacedShape = (String, String);

/// A draft, and whose record it is for: a desk that moves to another card must name it anew.
#[derive(Clone)]
pub(in crate::vault) struct DeskDraft {
    pub patient: Ins,
    pub draft: NoteDraft,
}

#[derive(Serialize, Deserialize)]
pub(in crate::vault) struct DeskDraftShape {
    patient: InsShape,
    id: Uuid,
    type_code: Option<String>,
    text: String,
    replaces: Option<ReplacedShape>,
    /// The program before this field reads past it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    corrects: Option<Uuid>,
}

impl Kept for DeskDraft {
    type Shape = DeskDraftShape;
    const WHAT: &'static str = "a draft";

    fn to_shape(&self) -> DeskDraftShape {
        let draft = &self.draft;
        DeskDraftShape {
            patient: self.patient.to_shape(),
            id: draft.id,
            type_code: draft.type_code.as_ref().map(|code| code.0.clone()),
            text: draft.text.clone(),
            replaces: draft.replaces.as_ref().map(replaced),
            corrects: draft.corrects,
        }
    }

    fn from_shape(shape: DeskDraftShape) -> Option<DeskDraft> {
        let draft = NoteDraft {
            id: shape.id,
            type_code: shape.type_code.map(TypeCode),
            text: shape.text,
            replaces: shape.replaces.map(replaces),
            corrects: shape.corrects,
        };
        Some(DeskDraft { patient: Ins::from_shape(shape.patient)?, draft })
    }
}

#[derive(Serialize, Deserialize)]
pub(in crate::vault) struct ContributionShape {
    author: String,
    patient: InsShape,
    unique_id: String,
    type_code: String,
    labels: Vec<String>,
    /// mask | show | archive | restore | withdraw; none: a document is added
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<NoteShape>,
}

#[derive(Serialize, Deserialize)]
struct NoteShape {
    id: Uuid,
    patient: PatientShape,
    writer: WriterShape,
    type_label: String,
    class_code: String,
    text: String,
    replaces: Option<ReplacedShape>,
    at: i64,
    /// base64
    cda: String,
}

#[derive(Serialize, Deserialize)]
struct WriterShape {
    id: String,
    family_name: String,
    given_name: String,
    profession: Option<u16>,
    profession_label: String,
    specialty: Option<String>,
    /// Structure, name, sector
    situation: Option<(String, String, Option<String>)>,
}

impl Kept for Contribution {
    type Shape = ContributionShape;
    const WHAT: &'static str = "a contribution";

    fn to_shape(&self) -> ContributionShape {
        let (labels, change, note) = match &self.deed {
            Deed::Add { note, cda } => (&note.labels, None, Some(note_shape(note, cda))),
            Deed::Change { change, labels } => (labels, Some(change.name().to_owned()), None),
        };
        ContributionShape {
            author: self.author.0.clone(),
            patient: self.patient.to_shape(),
            unique_id: self.unique_id.0.clone(),
            type_code: self.type_code.0.clone(),
            labels: labels.iter().map(|label| label.code().to_owned()).collect(),
            change,
            note,
        }
    }

    fn from_shape(shape: ContributionShape) -> Option<Contribution> {
        let type_code = TypeCode(shape.type_code);
        let labels: Vec<Label> = shape.labels.iter().map(|code| Label::from_code(code)).collect();
        let deed = match (shape.note, shape.change) {
            (Some(note), None) => {
                let cda = BASE64.decode(&note.cda).ok()?;
                Deed::Add { note: Box::new(read_note(note, type_code.clone(), labels)?), cda }
            }
            (None, Some(name)) => Deed::Change { change: Change::from_name(&name)?, labels },
            _ => return None,
        };
        Some(Contribution {
            author: HolderId(shape.author),
            patient: Ins::from_shape(shape.patient)?,
            unique_id: UniqueId(shape.unique_id),
            type_code,
            deed,
        })
    }
}

fn note_shape(note: &Note, cda: &[u8]) -> NoteShape {
    let who = &note.writer;
    NoteShape {
        id: note.id,
        patient: note.patient.to_shape(),
        writer: WriterShape {
            id: who.id.0.clone(),
            family_name: who.family_name.clone(),
            given_name: who.given_name.clone(),
            profession: who.profession.map(|code| code.0),
            profession_label: who.profession_label.clone(),
            specialty: who.specialty.clone(),
            situation: who
                .situation
                .as_ref()
                .map(|place| (place.structure.clone(), place.name.clone(), place.sector.clone())),
        },
        type_label: note.type_label.clone(),
        class_code: note.class_code.0.clone(),
        text: note.text.clone(),
        replaces: note.replaces.as_ref().map(replaced),
        at: note.at.0,
        cda: BASE64.encode(cda),
    }
}

fn read_note(shape: NoteShape, type_code: TypeCode, labels: Vec<Label>) -> Option<Note> {
    let who = shape.writer;
    Some(Note {
        id: shape.id,
        patient: Patient::from_shape(shape.patient)?,
        writer: Writer {
            id: HolderId(who.id),
            family_name: who.family_name,
            given_name: who.given_name,
            profession: who.profession.map(ProfessionCode),
            profession_label: who.profession_label,
            specialty: who.specialty,
            situation: who.situation.map(|(structure, name, sector)| Situation { structure, name, sector }),
        },
        type_code,
        type_label: shape.type_label,
        class_code: ClassCode(shape.class_code),
        text: shape.text,
        labels,
        replaces: shape.replaces.map(replaces),
        at: UnixSeconds(shape.at),
    })
}

fn replaced(replaced: &Replaced) -> ReplacedShape {
    (replaced.unique_id.0.clone(), replaced.entry.clone())
}

fn replaces((unique_id, entry): ReplacedShape) -> Replaced {
    Replaced { unique_id: UniqueId(unique_id), entry }
}
