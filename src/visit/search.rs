//! Search in the open record: the words are asked for, the search is a row, and only then is anything looked for.
//!
//! The words themselves are in no row: what a professional looks for says too much of a patient.

use crate::journal::Draft;
use crate::journal::words::Class;
use crate::policy::decide;
use crate::policy::nomenclature;
use crate::record::document::Document;
use crate::record::document::UniqueId;
use crate::record::search;
use crate::time::Now;
use crate::trouble::Trouble;
use crate::visit::effect::Effect;
use crate::visit::event::Event;
use crate::visit::facts;
use crate::visit::page::Permitted;
use crate::visit::page::Record;
use crate::visit::page::Room;
use crate::visit::page::SearchStep;
use crate::visit::page::Visit;
use crate::visit::step::WAIT_MAX;

type Turn = (Visit, Vec<Effect>);

impl Visit {
    /// The words are typed: that they are looked for is written down first.
    pub(super) fn search(mut self, mut record: Record, words: String, now: Now) -> Turn {
        let words = words.trim().to_owned();
        if words.is_empty() {
            return self.record(record, vec![]);
        }
        if self.allowance_bars(record.ground, now) {
            record.room = Room::SearchFailed { trouble: Trouble::AllowanceSpent };
            return self.record(record, vec![]);
        }
        // The record may have been open for a while: an authorization ends on its hour, not with the visit.
        let decision = decide(&facts::to_open(
            &record.here,
            &record.answer,
            Some(record.ground),
            &record.so_far,
            &self.rules,
            now,
        ));
        if !decision.allow {
            record.room = Room::SearchFailed { trouble: Trouble::Denied };
            return self.record(record, vec![]);
        }
        let ticket = self.ticket();
        let row = Draft {
            ground: Some(record.ground),
            rule: decision.rule.id.to_owned(),
            source: record.source,
            ..self.row_of(&record, Class::Searched, now)
        };
        record.room = Room::Searching { ticket, words, step: SearchStep::Recording, until: now.since_boot + WAIT_MAX };
        self.record(record, vec![Effect::Record { ticket, rows: vec![row], said: vec![] }])
    }

    pub(super) fn while_searching(mut self, mut record: Record, event: Event, now: Now) -> Turn {
        let Room::Searching { ticket, words, step, .. } = &record.room else { return self.record(record, vec![]) };
        let (ticket, words) = (*ticket, words.clone());
        match (step, event) {
            (SearchStep::Recording, Event::Recorded { ticket: asked, answer }) if asked == ticket => {
                let patient = record.patient.ins.clone();
                let row = answer.map(|rows| rows.into_iter().find(|row| row.covers_search(&patient)));
                match row {
                    Ok(Some(committed)) => {
                        let ticket = self.ticket();
                        let (until, question) = (now.since_boot + WAIT_MAX, words.clone());
                        record.room = Room::Searching { ticket, words, step: SearchStep::Looking, until };
                        let search = Effect::Search { ticket, patient, words: question, committed };
                        return self.record(record, vec![search]);
                    }
                    Ok(None) => record.room = Room::SearchFailed { trouble: Trouble::TraceNotWritten },
                    Err(trouble) => record.room = Room::SearchFailed { trouble },
                }
            }
            (SearchStep::Looking, Event::Found { ticket: asked, answer }) if asked == ticket => {
                record.room = match answer {
                    Ok(found) => Room::Found { places: self.places(&record, &found, &words, now), words },
                    Err(trouble) => Room::SearchFailed { trouble },
                };
            }
            // Late or doubled: nothing changes.
            _ => {}
        }
        self.record(record, vec![])
    }

    /// Places in the list of what was found, the best first; then those of which only what the list shows holds the words.
    /// What may not be seen now, or is not in the list any more, is not among them.
    fn places(&self, record: &Record, found: &[UniqueId], words: &str, now: Now) -> Vec<usize> {
        let opened =
            facts::to_open(&record.here, &record.answer, Some(record.ground), &record.so_far, &self.rules, now);
        let may_be_seen = |permitted: &Permitted| {
            decide(&facts::to_see(&opened, &record.here, &permitted.document, &self.rules)).allow
        };
        let place = |id: &UniqueId| record.documents.iter().position(|permitted| permitted.document.unique_id == *id);
        let mut places: Vec<usize> = found.iter().filter_map(place).collect();
        for (place, permitted) in record.documents.iter().enumerate() {
            if !places.contains(&place) && search::holds(&as_listed(&permitted.document), words) {
                places.push(place);
            }
        }
        places.retain(|place| may_be_seen(&record.documents[*place]));
        places
    }
}

/// What the list shows of a document.
fn as_listed(document: &Document) -> String {
    let mut text = format!(
        "{}\n{}\n{}",
        nomenclature::type_label(&document.type_code),
        nomenclature::class_short(&document.class_code),
        document.title
    );
    for author in &document.authors {
        text.push('\n');
        text.push_str(&author.name);
        text.push('\n');
        text.push_str(author.structure.as_deref().unwrap_or(""));
    }
    text
}

/// What is said when it took too long.
pub(super) fn too_late(step: SearchStep) -> Trouble {
    match step {
        SearchStep::Recording => Trouble::TraceNotWritten,
        SearchStep::Looking => Trouble::StoreUnreadable,
    }
}
