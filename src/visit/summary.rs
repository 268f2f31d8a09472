//! The summary: a few documents are fetched, each gets its row, and only then is any of them read, by the sealed worker (P1).
//!
//! What cannot be had is named and passed over. Gathered once, it stays for as long as the record is open: seen again, it is not
//! accounted for again.

use crate::journal::Committed;
use crate::journal::Draft;
use crate::journal::words::Class;
use crate::policy::decide;
use crate::policy::nomenclature;
use crate::record::document::Document;
use crate::record::summary;
use crate::record::summary::Line;
use crate::time::Now;
use crate::trouble::Trouble;
use crate::visit::effect::Effect;
use crate::visit::event::Event;
use crate::visit::facts;
use crate::visit::gate::keep;
use crate::visit::page::Permitted;
use crate::visit::page::Record;
use crate::visit::page::Room;
use crate::visit::page::Visit;
use crate::visit::page::summary::Gathering;
use crate::visit::page::summary::GatheringStep;
use crate::visit::page::summary::Source;
use crate::visit::page::summary::Stands;
use crate::visit::page::summary::Summary;
use crate::visit::page::summary::SummaryLine;
use crate::visit::step::WAIT_MAX;
use std::sync::Arc;

type Turn = (Visit, Vec<Effect>);

impl Visit {
    pub(super) fn show_summary(mut self, mut record: Record, now: Now) -> Turn {
        let is_seen = |place: usize| self.rule_to_see(&record, place, now).is_some();
        if record.summary.as_ref().is_some_and(|summary| summary.places().into_iter().all(is_seen)) {
            record.room = Room::Summary;
            return self.record(record, vec![]);
        }
        if self.allowance_bars(record.ground, now) {
            return self.summary_failed(record, Trouble::AllowanceSpent);
        }
        record.summary = None;
        // The list may have been open for a while: an authorization ends on its hour, not with the visit.
        let may_be_seen: Vec<usize> =
            (0..record.documents.len()).filter(|place| self.rule_to_see(&record, *place, now).is_some()).collect();
        let documents: Vec<&Document> = may_be_seen.iter().map(|place| &record.documents[*place].document).collect();
        let waiting = |at: usize| Source { place: may_be_seen[at], stands: Stands::Waiting };
        let sources: Vec<Source> = summary::sources(&documents).into_iter().map(waiting).collect();
        let ticket = self.ticket();
        let gathering = Gathering { sources, step: GatheringStep::Fetching(0), ticket, until: now.since_boot };
        self.fetch_source(record, gathering, 0, now)
    }

    /// The rule under which that document may be seen now.
    fn rule_to_see(&self, record: &Record, place: usize, now: Now) -> Option<String> {
        let opened =
            facts::to_open(&record.here, &record.answer, Some(record.ground), &record.so_far, &self.rules, now);
        let document = &record.documents[place].document;
        let decision = decide(&facts::to_see(&opened, &record.here, document, &self.rules));
        decision.allow.then(|| decision.rule.id.to_owned())
    }

    fn summary_failed(self, mut record: Record, trouble: Trouble) -> Turn {
        record.room = Room::SummaryFailed { trouble };
        self.record(record, vec![])
    }

    fn gather(self, mut record: Record, gathering: Gathering, effects: Vec<Effect>) -> Turn {
        record.room = Room::Gathering(Box::new(gathering));
        self.record(record, effects)
    }

    fn fetch_source(mut self, record: Record, mut gathering: Gathering, at: usize, now: Now) -> Turn {
        // It may have been spent since the summary was asked for.
        if self.allowance_bars(record.ground, now) {
            return self.summary_failed(record, Trouble::AllowanceSpent);
        }
        let Some(source) = gathering.sources.get(at) else { return self.record_sources(record, gathering, now) };
        let ticket = self.ticket();
        let fetch = Effect::Fetch {
            ticket,
            patient: record.patient.ins.clone(),
            document: Box::new(record.documents[source.place].document.clone()),
            mode: record.so_far.mode(),
            keep: keep(record.ground, &record.here.holder, &record.so_far),
        };
        gathering.step = GatheringStep::Fetching(at);
        (gathering.ticket, gathering.until) = (ticket, now.since_boot + WAIT_MAX);
        self.gather(record, gathering, vec![fetch])
    }

    /// One row for each document whose words will be shown, all in one transaction.
    fn record_sources(mut self, record: Record, mut gathering: Gathering, now: Now) -> Turn {
        let mut rows = Vec::new();
        for source in &mut gathering.sources {
            let Stands::Here(from) = source.stands else { continue };
            let Some(rule) = self.rule_to_see(&record, source.place, now) else {
                source.stands = Stands::Failed(Trouble::Denied);
                continue;
            };
            let document = &record.documents[source.place].document;
            rows.push(Draft {
                ground: Some(record.ground),
                rule,
                document: Some((document.unique_id.clone(), document.type_code.clone())),
                source: from,
                ..self.row_of(&record, Class::Summary, now)
            });
        }
        if rows.is_empty() {
            return self.summary_gathered(record, gathering.sources, vec![]);
        }
        let ticket = self.ticket();
        gathering.step = GatheringStep::Recording;
        (gathering.ticket, gathering.until) = (ticket, now.since_boot + WAIT_MAX);
        self.gather(record, gathering, vec![Effect::Record { ticket, rows, said: vec![] }])
    }

    /// The next one that has its row, from that place on.
    fn read_source(
        mut self,
        record: Record,
        mut gathering: Gathering,
        from: usize,
        (rows, lines): (Vec<Committed>, Vec<SummaryLine>),
        now: Now,
    ) -> Turn {
        let patient = &record.patient.ins;
        let found = (from..gathering.sources.len()).find_map(|at| {
            let source = gathering.sources[at];
            let document = &record.documents[source.place].document;
            let row = rows.iter().find(|row| row.covers_document(patient, &document.unique_id))?;
            matches!(source.stands, Stands::Here(_)).then(|| (at, document, row.clone()))
        });
        let Some((at, document, committed)) = found else {
            return self.summary_gathered(record, gathering.sources, lines);
        };
        let ticket = self.ticket();
        let (patient, document) = (patient.clone(), Box::new(document.clone()));
        // Its words alone: no page is drawn.
        let render = Effect::Render { ticket, patient, document, committed, pages: 0..0 };
        gathering.step = GatheringStep::Reading { at, rows, lines };
        (gathering.ticket, gathering.until) = (ticket, now.since_boot + WAIT_MAX);
        self.gather(record, gathering, vec![render])
    }

    /// What was read, and what of the list belongs to it.
    fn summary_gathered(self, mut record: Record, mut sources: Vec<Source>, mut lines: Vec<SummaryLine>) -> Turn {
        for source in &mut sources {
            // The row that should account for it did not come back.
            if matches!(source.stands, Stands::Here(_) | Stands::Waiting) {
                source.stands = Stands::Failed(Trouble::TraceNotWritten);
            }
        }
        for (place, Permitted { document, .. }) in record.documents.iter().enumerate() {
            let Some(topic) = summary::named_in_list(document) else { continue };
            let text = nomenclature::type_label(&document.type_code).to_owned();
            let line = Line { topic, section: String::new(), text, details: vec![] };
            lines.push(SummaryLine { place, is_named_only: true, line });
        }
        lines.sort_by_key(|line| line.line.topic);
        let has_synthesis = record.documents.iter().any(|permitted| summary::is_synthesis(&permitted.document));
        record.summary = Some(Arc::new(Summary { lines, sources, has_synthesis }));
        record.room = Room::Summary;
        self.record(record, vec![])
    }

    pub(super) fn while_gathering(self, record: Record, mut gathering: Gathering, event: Event, now: Now) -> Turn {
        let ticket = gathering.ticket;
        match (gathering.step, event) {
            (GatheringStep::Fetching(at), Event::Fetched { ticket: asked, answer }) if asked == ticket => {
                gathering.sources[at].stands = answer.map_or_else(Stands::Failed, Stands::Here);
                gathering.step = GatheringStep::Fetching(at);
                self.fetch_source(record, gathering, at + 1, now)
            }
            (GatheringStep::Recording, Event::Recorded { ticket: asked, answer }) if asked == ticket => match answer {
                Ok(rows) => {
                    gathering.step = GatheringStep::Recording;
                    self.read_source(record, gathering, 0, (rows, vec![]), now)
                }
                Err(trouble) => self.summary_failed(record, trouble),
            },
            (GatheringStep::Reading { at, rows, mut lines }, Event::Rendered { ticket: asked, answer })
                if asked == ticket =>
            {
                let source = &mut gathering.sources[at];
                source.stands = match answer {
                    Ok(reading) => {
                        let place = source.place;
                        let told = |line| SummaryLine { place, is_named_only: false, line };
                        let found = summary::lines(&reading);
                        let stands = if found.is_empty() { Stands::Unrecognised } else { Stands::Read };
                        lines.extend(found.into_iter().map(told));
                        stands
                    }
                    Err(trouble) => Stands::Failed(trouble),
                };
                gathering.step = GatheringStep::Recording;
                self.read_source(record, gathering, at + 1, (rows, lines), now)
            }
            // Late or doubled: nothing changes.
            (step, _) => {
                gathering.step = step;
                self.gather(record, gathering, vec![])
            }
        }
    }

    /// What does not come in time is passed over; no row in time, no summary.
    pub(super) fn gathering_tick(self, record: Record, mut gathering: Gathering, now: Now) -> Turn {
        if now.since_boot < gathering.until {
            return self.gather(record, gathering, vec![]);
        }
        match gathering.step {
            GatheringStep::Fetching(at) => {
                if let Some(source) = gathering.sources.get_mut(at) {
                    source.stands = Stands::Failed(Trouble::ServerTimedOut);
                }
                gathering.step = GatheringStep::Fetching(at);
                self.fetch_source(record, gathering, at + 1, now)
            }
            GatheringStep::Recording => self.summary_failed(record, Trouble::TraceNotWritten),
            GatheringStep::Reading { at, rows, lines } => {
                gathering.sources[at].stands = Stands::Failed(Trouble::DocumentUnreadable);
                gathering.step = GatheringStep::Recording;
                self.read_source(record, gathering, at + 1, (rows, lines), now)
            }
        }
    }
}
