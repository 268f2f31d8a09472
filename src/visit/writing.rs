//! A note written at the bedside: taken from the desk, given a type, typed, read again, finished. Finished is a row and an item
//! of the outbox in one transaction; until then it is a draft on the holder's desk and nobody else's business.
//!
//! ```text
//! AskingDesk → ChoosingType → Typing ⇄ Checking → Depositing → Deposited
//!      └ a draft with a type ──┘  └ every second: KeepDraft
//! « À régler » ─ a refused note ─ gate ─ AskingDesk: its words, to be put right; deposited, it stands instead of the refused one
//! ```
//!
//! Never: a note under another name than the present holder's, a type that policy does not permit, a deposit that nobody read again.

use crate::identity::holder::Means;
use crate::journal::Draft;
use crate::journal::item::Contribution;
use crate::journal::words::Class;
use crate::patient::ins::Patient;
use crate::policy::Decision;
use crate::policy::decide;
use crate::policy::nomenclature;
use crate::record::document::ClassCode;
use crate::record::document::Label;
use crate::record::document::TypeCode;
use crate::record::document::UniqueId;
use crate::record::note;
use crate::record::note::Note;
use crate::record::note::NoteDraft;
use crate::record::note::Writer;
use crate::time::Now;
use crate::trouble::Trouble;
use crate::visit::effect::Effect;
use crate::visit::event::Event;
use crate::visit::event::Touch;
use crate::visit::facts;
use crate::visit::page::Here;
use crate::visit::page::Record;
use crate::visit::page::Room;
use crate::visit::page::Visit;
use crate::visit::page::writing::Wanted;
use crate::visit::page::writing::Writing;
use crate::visit::page::writing::WritingStep;
use crate::visit::step::WAIT_MAX;
use std::time::Duration;
use uuid::Uuid;

type Turn = (Visit, Vec<Effect>);

impl Visit {
    /// What was begun about this patient is taken up again; else something new is begun.
    pub(super) fn write_note(mut self, mut record: Record, wanted: Wanted, now: Now) -> Turn {
        let ticket = self.ticket();
        let corrects = if let Wanted::Correction(refused) = wanted { Some(refused) } else { None };
        let step = WritingStep::AskingDesk { ticket, until: now.since_boot + WAIT_MAX, wanted };
        let nothing = NoteDraft::new(Uuid::nil());
        let patient = record.patient.ins.clone();
        record.room = Room::Writing(Box::new(Writing { draft: nothing, begun: String::new(), step }));
        self.record(record, vec![Effect::OpenDraft { ticket, patient, corrects }])
    }

    pub(super) fn while_writing(self, mut record: Record, mut writing: Writing, event: Event, now: Now) -> Turn {
        match (&mut writing.step, event) {
            (WritingStep::AskingDesk { ticket, wanted, .. }, Event::DraftCame { ticket: asked, answer })
                if asked == *ticket =>
            {
                let wanted = std::mem::replace(wanted, Wanted::Note);
                match answer {
                    Ok(draft) => return self.draft_came(record, draft, wanted, now),
                    Err(trouble) => writing.step = WritingStep::Failed { trouble },
                }
            }
            (WritingStep::Depositing { ticket, .. }, Event::Recorded { ticket: asked, answer }) if asked == *ticket => {
                let patient = &record.patient.ins;
                let document = writing.unique_id();
                writing.step = match answer {
                    Ok(rows) if rows.iter().any(|row| row.covers_contribution(patient, &document)) => {
                        WritingStep::Deposited
                    }
                    Ok(_) => WritingStep::Failed { trouble: Trouble::TraceNotWritten },
                    Err(trouble) => WritingStep::Failed { trouble },
                };
                if matches!(writing.step, WritingStep::Deposited) {
                    record.room = Room::Writing(Box::new(writing));
                    let (mut visit, mut effects) = self.record(record, vec![]);
                    // It leaves at once; nobody waits for it.
                    effects.push(Effect::Deliver { ticket: visit.ticket() });
                    return (visit, effects);
                }
            }
            (_, Event::Touched(touch)) => return self.touched_while_writing(record, writing, touch, now),
            // Late or doubled: nothing changes.
            _ => {}
        }
        record.room = Room::Writing(Box::new(writing));
        self.record(record, vec![])
    }

    fn draft_came(self, mut record: Record, mut draft: NoteDraft, wanted: Wanted, now: Now) -> Turn {
        match wanted {
            // What was begun stands: whatever else is to be written waits until it is finished or emptied.
            Wanted::Correction(refused) if draft.corrects != Some(refused) => {
                let trouble = if draft.is_empty() { Trouble::NothingToCorrect } else { Trouble::NoteInTheWay };
                let step = WritingStep::Failed { trouble };
                record.room = Room::Writing(Box::new(Writing { draft, begun: String::new(), step }));
                return self.record(record, vec![]);
            }
            Wanted::NewVersion { replaced, type_code } if draft.is_empty() => {
                (draft.replaces, draft.type_code) = (Some(replaced), Some(type_code));
            }
            Wanted::Note | Wanted::NewVersion { .. } | Wanted::Correction(_) => {}
        }
        let permitted = |code: &TypeCode| self.may_deposit(&record, code, labels_of(&record), now).allow;
        let step = match draft.type_code.clone() {
            Some(code) if permitted(&code) => WritingStep::Typing { save_at: None },
            Some(code) if draft.replaces.is_some() => {
                let decision = Box::new(self.may_deposit(&record, &code, labels_of(&record), now));
                WritingStep::Denied { decision }
            }
            _ => self.choose_type(&record, now),
        };
        let begun = draft.text.clone();
        record.room = Room::Writing(Box::new(Writing { draft, begun, step }));
        self.record(record, vec![])
    }

    /// The types that this holder may deposit in this record, those of a bedside first.
    fn choose_type(&self, record: &Record, now: Now) -> WritingStep {
        let labels = labels_of(record);
        let written = |code: &TypeCode| {
            let class = nomenclature::class_of(code).map(|class| class.0);
            matches!(class.as_deref(), Some("10" | "11")) && !code.0.starts_with("DOCPAT")
        };
        let permitted = |code: &TypeCode| self.may_deposit(record, code, labels.clone(), now).allow;
        let mut types: Vec<TypeCode> = nomenclature::dmp_types().filter(written).filter(permitted).collect();
        types.sort_by_key(|code| BEDSIDE.iter().position(|first| *first == code.0).unwrap_or(BEDSIDE.len()));
        if types.is_empty() {
            let usual = TypeCode(BEDSIDE[0].to_owned());
            return WritingStep::Denied { decision: Box::new(self.may_deposit(record, &usual, labels, now)) };
        }
        WritingStep::ChoosingType { types }
    }

    /// Policy's word on a document of that type, as it would stand in the record. The identity is what the holder attests on
    /// the page before the deposit.
    pub(super) fn may_deposit(&self, record: &Record, code: &TypeCode, labels: Vec<Label>, now: Now) -> Decision {
        let opened =
            facts::to_open(&record.here, &record.answer, Some(record.ground), &record.so_far, &self.rules, now);
        decide(&facts::to_deposit(&opened, &record.here, code, labels, &self.rules))
    }

    fn touched_while_writing(self, mut record: Record, mut writing: Writing, touch: Touch, now: Now) -> Turn {
        let mut effects = Vec::new();
        match (&mut writing.step, touch) {
            // Whatever is left is on the desk first.
            (_, Touch::Quit) => {
                effects.extend(writing.unsaved(&record));
                return self.home(record.here, None, effects);
            }
            (WritingStep::Checking, Touch::Back) => {
                writing.begun.clone_from(&writing.draft.text);
                writing.step = WritingStep::Typing { save_at: None };
            }
            // What is being written to the disk is not left half-way.
            (WritingStep::Depositing { .. }, _) => {}
            (_, Touch::Back | Touch::Understood | Touch::ShowDocuments) => {
                effects.extend(writing.unsaved(&record));
                record.room = Room::Documents;
                return self.record(record, effects);
            }
            (WritingStep::ChoosingType { types }, Touch::Choose(place)) if place < types.len() => {
                writing.draft.type_code = Some(types.swap_remove(place));
                let save_at = (!writing.draft.is_empty()).then_some(now.since_boot);
                writing.step = WritingStep::Typing { save_at };
            }
            (WritingStep::Typing { save_at }, Touch::NoteTyped(text)) => {
                writing.draft.text = text.chars().take(note::CHARACTERS_MAX).collect();
                // The first letter that is not on the desk counts: whoever types on and on is saved all the same.
                save_at.get_or_insert(now.since_boot + SAVE_AFTER);
            }
            (WritingStep::Typing { .. }, Touch::Confirm) if !writing.draft.is_empty() => {
                effects.extend(writing.unsaved(&record));
                writing.step = WritingStep::Checking;
            }
            (WritingStep::Checking, Touch::Yes) => return self.deposit(record, writing, now),
            _ => {}
        }
        record.room = Room::Writing(Box::new(writing));
        self.record(record, effects)
    }

    /// Finished: under this holder's name, now.
    fn deposit(mut self, mut record: Record, mut writing: Writing, now: Now) -> Turn {
        let Some(type_code) = writing.draft.type_code.clone() else { return self.record(record, vec![]) };
        let labels = labels_of(&record);
        let decision = self.may_deposit(&record, &type_code, labels.clone(), now);
        if !decision.allow {
            writing.step = WritingStep::Denied { decision: Box::new(decision) };
            record.room = Room::Writing(Box::new(writing));
            return self.record(record, vec![]);
        }
        let holder = &record.here.holder;
        let profession = holder.profession.map_or("", nomenclature::profession_label);
        let note = Note {
            id: writing.draft.id,
            patient: record.patient.clone(),
            writer: Writer::of(holder, profession),
            type_label: nomenclature::type_label(&type_code).to_owned(),
            class_code: nomenclature::class_of(&type_code).unwrap_or(ClassCode(String::new())),
            type_code: type_code.clone(),
            text: writing.draft.text.trim().to_owned(),
            labels,
            replaces: writing.draft.replaces.clone(),
            at: now.wall.value(),
        };
        let mut deed = String::from(if note.replaces.is_some() { "replace" } else { "add" });
        let corrects = writing.draft.corrects;
        if let Some(refused) = corrects {
            // The row of the refused one stays; this one says which it was.
            deed += &format!("; instead of {refused}");
        }
        let row = Draft {
            ground: Some(record.ground),
            rule: decision.rule.id.to_owned(),
            document: Some((note.unique_id(), type_code)),
            // P6: the identity was attested by the holder, and by nobody else.
            reason: Some(format!("{deed}; identity attested by the holder")),
            source: record.source,
            ..self.row_of(&record, Class::Contributed, now)
        };
        let ticket = self.ticket();
        writing.step = WritingStep::Depositing { ticket, until: now.since_boot + WAIT_MAX };
        record.room = Room::Writing(Box::new(writing));
        let (row, id, contribution) = (Box::new(row), Some(note.id), Box::new(Contribution::add(note)));
        self.record(record, vec![Effect::Contribute { ticket, row, id, contribution, corrects }])
    }

    /// A wait is over, or it is time to save.
    pub(super) fn writing_tick(mut self, mut record: Record, now: Now) -> Turn {
        let mut effects = Vec::new();
        let Room::Writing(writing) = &mut record.room else { return self.record(record, vec![]) };
        match &mut writing.step {
            WritingStep::AskingDesk { until, .. } if now.since_boot >= *until => {
                writing.step = WritingStep::Failed { trouble: Trouble::StoreUnreadable };
            }
            WritingStep::Depositing { until, .. } if now.since_boot >= *until => {
                writing.step = WritingStep::Failed { trouble: Trouble::TraceNotWritten };
            }
            WritingStep::Typing { save_at: Some(at) } if now.since_boot >= *at => {
                writing.step = WritingStep::Typing { save_at: None };
                effects.extend(keep(&record.here, &record.patient, &writing.draft));
            }
            _ => {}
        }
        self.page = crate::visit::Page::Record(Box::new(record));
        (self, effects)
    }
}

impl Writing {
    fn unique_id(&self) -> UniqueId {
        note::unique_id(self.draft.id)
    }

    /// What is not on the desk yet, on its way there.
    fn unsaved(&self, record: &Record) -> Option<Effect> {
        let dirty = matches!(self.step, WritingStep::Typing { save_at: Some(_) });
        if dirty { keep(&record.here, &record.patient, &self.draft) } else { None }
    }

    /// When the loop must wake.
    pub(super) fn wait(&self) -> Option<Duration> {
        match &self.step {
            WritingStep::AskingDesk { until, .. } | WritingStep::Depositing { until, .. } => Some(*until),
            WritingStep::Typing { save_at } => *save_at,
            _ => None,
        }
    }
}

/// By telephone there is no desk: a note is finished or gone.
fn keep(here: &Here, patient: &Patient, draft: &NoteDraft) -> Option<Effect> {
    let has_desk = here.holder.means == Means::Card;
    has_desk.then(|| Effect::KeepDraft { patient: patient.ins.clone(), draft: Box::new(draft.clone()) })
}

/// A minor's secret connection deposits nothing that the legal representatives would see (W-06).
fn labels_of(record: &Record) -> Vec<Label> {
    let mut labels = vec![Label::Normal];
    if record.so_far.secret {
        labels.push(Label::InvisibleToLegalRepresentatives);
    }
    labels
}

/// What is written at a bedside, the usual first: visit, care, act, signs, follow-up.
const BEDSIDE: [&str; 6] = ["11488-4", "11506-3", "11505-5", "29274-8", "34875-5", "34133-9"];
/// A card that is pulled costs no more than this much typing.
const SAVE_AFTER: Duration = Duration::from_secs(1);
