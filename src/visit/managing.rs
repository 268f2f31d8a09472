//! What an author does later with a document of theirs: replace it, hide it from professionals or show it again, show it to
//! whoever it was kept from (TD3.3b), archive it or
//! take it out of the archive, withdraw it (DMP TD3.3). Each is chosen, then confirmed on a page of its own.
//!
//! Only on one's own documents: what the médecin traitant or an administrator may do besides is not decided here, and so not done.

use crate::journal::Draft;
use crate::journal::item::Contribution;
use crate::journal::item::Deed;
use crate::journal::words::Class;
use crate::record::document::Label;
use crate::record::document::Status;
use crate::record::note::Change;
use crate::record::note::Replaced;
use crate::time::Now;
use crate::trouble::Trouble;
use crate::visit::effect::Effect;
use crate::visit::event::Event;
use crate::visit::event::Touch;
use crate::visit::page::Record;
use crate::visit::page::Room;
use crate::visit::page::Visit;
use crate::visit::page::writing::Managing;
use crate::visit::page::writing::ManagingStep;
use crate::visit::page::writing::Wanted;
use crate::visit::step::WAIT_MAX;
use std::time::Duration;

type Turn = (Visit, Vec<Effect>);

/// What can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Replace,
    Change(Change),
}

impl Record {
    /// Whether this holder wrote the document at that place: then, and only then, it is theirs to change.
    pub fn is_own(&self, place: usize) -> bool {
        let me = self.here.holder.id.0.as_str();
        let permitted = self.documents.get(place);
        permitted.is_some_and(|one| one.document.authors.iter().any(|author| author.id.as_deref() == Some(me)))
    }

    /// What may be done with it as it stands.
    pub fn acts(&self, place: usize) -> Vec<Act> {
        let Some(permitted) = self.documents.get(place).filter(|_| self.is_own(place)) else { return Vec::new() };
        let document = &permitted.document;
        let masked = document.labels.contains(&Label::MaskedToProfessionals);
        let mask = Act::Change(if masked { Change::Show } else { Change::Mask });
        let reveals = [
            (Label::InvisibleToPatient, Change::RevealToPatient),
            (Label::InvisibleToLegalRepresentatives, Change::RevealToRepresentatives),
        ];
        let reveals = reveals.into_iter().filter(|(label, _)| document.labels.contains(label));
        let reveals = reveals.map(|(_, change)| Act::Change(change));
        let before = match document.status {
            Status::Current => vec![Act::Replace, mask],
            Status::Archived => vec![Act::Change(Change::Restore), mask],
            Status::Superseded | Status::Deleted | Status::Unknown => return Vec::new(),
        };
        let archive = (document.status == Status::Current).then_some(Act::Change(Change::Archive));
        before.into_iter().chain(reveals).chain(archive).chain([Act::Change(Change::Withdraw)]).collect()
    }
}

impl Visit {
    pub(super) fn manage(self, mut record: Record, place: usize) -> Turn {
        if !record.acts(place).is_empty() {
            record.room = Room::Managing(Managing { place, step: ManagingStep::Choosing });
        }
        self.record(record, vec![])
    }

    pub(super) fn while_managing(self, mut record: Record, mut managing: Managing, event: Event, now: Now) -> Turn {
        match (&managing.step, event) {
            (ManagingStep::Recording { ticket, change, .. }, Event::Recorded { ticket: asked, answer })
                if asked == *ticket =>
            {
                let document = record.documents[managing.place].document.unique_id.clone();
                let patient = record.patient.ins.clone();
                let change = *change;
                let done = match answer {
                    Ok(rows) if rows.iter().any(|row| row.covers_contribution(&patient, &document)) => Ok(()),
                    Ok(_) => Err(Trouble::TraceNotWritten),
                    Err(trouble) => Err(trouble),
                };
                match done {
                    Ok(()) => {
                        managing.step = ManagingStep::Done { change };
                        record.room = Room::Managing(managing);
                        let (mut visit, mut effects) = self.record(record, vec![]);
                        effects.push(Effect::Deliver { ticket: visit.ticket() });
                        return (visit, effects);
                    }
                    Err(trouble) => managing.step = ManagingStep::Failed { trouble },
                }
            }
            (_, Event::Touched(touch)) => return self.touched_while_managing(record, managing, touch, now),
            _ => {}
        }
        record.room = Room::Managing(managing);
        self.record(record, vec![])
    }

    fn touched_while_managing(self, mut record: Record, mut managing: Managing, touch: Touch, now: Now) -> Turn {
        let acts = record.acts(managing.place);
        match (&managing.step, touch) {
            (_, Touch::Quit) => return self.home(record.here, None, vec![]),
            // What is being written to the disk is not left half-way.
            (ManagingStep::Recording { .. }, _) => {}
            (ManagingStep::Confirming { .. }, Touch::Back | Touch::No) => managing.step = ManagingStep::Choosing,
            (_, Touch::Back | Touch::Understood | Touch::ShowDocuments) => {
                record.room = Room::Documents;
                return self.record(record, vec![]);
            }
            (ManagingStep::Choosing, Touch::Choose(place)) => match acts.get(place) {
                Some(Act::Replace) => {
                    let document = &record.documents[managing.place].document;
                    let entry = document.entry_uuid.clone();
                    let replaced = Replaced { unique_id: document.unique_id.clone(), entry };
                    let wanted = Wanted::NewVersion { replaced, type_code: document.type_code.clone() };
                    return self.write_note(record, wanted, now);
                }
                Some(Act::Change(change)) => managing.step = ManagingStep::Confirming { change: *change },
                None => {}
            },
            (ManagingStep::Confirming { change }, Touch::Yes) => {
                let change = *change;
                return self.change(record, managing, change, now);
            }
            _ => {}
        }
        record.room = Room::Managing(managing);
        self.record(record, vec![])
    }

    /// Decided as a deposit of what the document becomes.
    fn change(mut self, mut record: Record, mut managing: Managing, change: Change, now: Now) -> Turn {
        let document = record.documents[managing.place].document.clone();
        let labels = change.labels_after(&document.labels);
        let decision = self.may_deposit(&record, &document.type_code, labels.clone(), now);
        if !decision.allow {
            managing.step = ManagingStep::Denied { decision: Box::new(decision) };
            record.room = Room::Managing(managing);
            return self.record(record, vec![]);
        }
        let row = Draft {
            ground: Some(record.ground),
            rule: decision.rule.id.to_owned(),
            document: Some((document.unique_id.clone(), document.type_code.clone())),
            reason: Some(change.name().to_owned()),
            source: record.source,
            ..self.row_of(&record, Class::Contributed, now)
        };
        let contribution = Contribution {
            author: record.here.holder.id.clone(),
            patient: record.patient.ins.clone(),
            unique_id: document.unique_id,
            type_code: document.type_code,
            deed: Deed::Change { change, labels },
        };
        let ticket = self.ticket();
        managing.step = ManagingStep::Recording { ticket, change, until: now.since_boot + WAIT_MAX };
        record.room = Room::Managing(managing);
        let contribution = Box::new(contribution);
        let row = Box::new(row);
        self.record(record, vec![Effect::Contribute { ticket, row, id: None, contribution, corrects: None }])
    }

    pub(super) fn managing_tick(mut self, mut record: Record, now: Now) -> Turn {
        if let Room::Managing(managing) = &mut record.room
            && managing.wait().is_some_and(|until| now.since_boot >= until)
        {
            managing.step = ManagingStep::Failed { trouble: Trouble::TraceNotWritten };
        }
        self.page = crate::visit::Page::Record(Box::new(record));
        (self, vec![])
    }
}

impl Managing {
    pub(super) fn wait(&self) -> Option<Duration> {
        match &self.step {
            ManagingStep::Recording { until, .. } => Some(*until),
            _ => None,
        }
    }
}
