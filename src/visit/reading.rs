//! A record, open: its list, one document, its history. Each is released by its own durable row and by nothing else.

use crate::journal::Committed;
use crate::journal::Draft;
use crate::journal::words::Class;
use crate::journal::words::Ground;
use crate::policy::decide;
use crate::record::filter::Filter;
use crate::record::reading::Reading;
use crate::record::state::Authorization;
use crate::time::Now;
use crate::trouble::Trouble;
use crate::visit::effect::Effect;
use crate::visit::event::Event;
use crate::visit::event::Listing;
use crate::visit::event::StateAnswer;
use crate::visit::event::Touch;
use crate::visit::facts;
use crate::visit::gate::keep;
use crate::visit::gate::row;
use crate::visit::page::Denied;
use crate::visit::page::Page;
use crate::visit::page::Permitted;
use crate::visit::page::Reader;
use crate::visit::page::ReaderStep;
use crate::visit::page::Record;
use crate::visit::page::Room;
use crate::visit::page::Visit;
use crate::visit::page::gate::Gate;
use crate::visit::page::gate::GateStep;
use crate::visit::page::gate::SoFar;
use crate::visit::page::writing::Wanted;
use crate::visit::search;
use crate::visit::step::WAIT_MAX;
use std::cmp::Reverse;
use std::time::Duration;

type Turn = (Visit, Vec<Effect>);

impl Visit {
    /// The rows are durable: the list may be seen, as far as the law goes.
    pub(super) fn show_list(
        self,
        mut gate: Gate,
        answer: StateAnswer,
        ground: Ground,
        listing: Listing,
        rows: Vec<Committed>,
        now: Now,
    ) -> Turn {
        let Listing { documents: held, opened: before, last_visit, source, as_of, lease } = listing;
        let released = match rows.into_iter().find(|row| row.covers_record(&gate.patient.ins)) {
            Some(listed) => held.release(&listed).ok().map(|came| (came, listed)),
            None => None,
        };
        let Some((came, listed)) = released else {
            gate.step = GateStep::Failed { trouble: Trouble::TraceNotWritten };
            return self.turn(Page::Gate(Box::new(gate)), vec![]);
        };
        let Gate { here, patient, mut so_far, .. } = gate;
        let opened = facts::to_open(&here, &answer, Some(ground), &so_far, &self.rules, now);
        let mut documents = Vec::new();
        let mut denied: Vec<Denied> = Vec::new();
        for document in came {
            let decision = decide(&facts::to_see(&opened, &here, &document, &self.rules));
            if decision.allow {
                let opened = before.contains(&document.unique_id);
                let is_new = !opened && last_visit.is_some_and(|at| document.created > at);
                documents.push(Permitted { document, opened, is_new, decision });
                continue;
            }
            // The title is dropped here: what is denied is counted, by class and by rule.
            let class_code = document.class_code.0;
            let same = |d: &&mut Denied| d.class_code == class_code && d.decision.rule == decision.rule;
            match denied.iter_mut().find(same) {
                Some(counted) => counted.count += 1,
                None => denied.push(Denied { class_code, decision, count: 1 }),
            }
        }
        // What is new comes first, then the newest clinical date.
        documents.sort_by_key(|permitted| Reverse((permitted.is_new, permitted.document.service_start)));
        let correcting = so_far.correcting.take();
        let authorized = match answer.state.authorization {
            Authorization::Valid { until } if ground == Ground::Authorization => until,
            _ => None,
        };
        let ends = [lease, authorized].into_iter().flatten().min();
        let record = Record {
            here,
            patient,
            answer,
            ground,
            so_far,
            listed,
            documents,
            denied,
            source,
            as_of,
            ends,
            filter: Filter::default(),
            summary: None,
            room: Room::Documents,
        };
        match correcting {
            Some(refused) => self.write_note(record, Wanted::Correction(refused), now),
            None => self.record(record, vec![]),
        }
    }

    pub(super) fn record(self, record: Record, effects: Vec<Effect>) -> Turn {
        self.turn(Page::Record(Box::new(record)), effects)
    }

    fn document(self, reader: Reader, effects: Vec<Effect>) -> Turn {
        self.turn(Page::Document(Box::new(reader)), effects)
    }

    /// Whether what is on the screen may not be seen any more. What is being written is not of the record, and stays.
    pub(super) fn is_over(&self, now: Now) -> bool {
        let record = match &self.page {
            Page::Record(record) => record,
            Page::Document(reader) => &reader.record,
            _ => return false,
        };
        let writes = matches!(record.room, Room::Writing(_) | Room::Managing(_));
        !writes && record.ends.is_some_and(|end| now.wall.is_past(end))
    }

    /// It is taken away, whatever was touched.
    pub(super) fn take_away(mut self) -> Turn {
        match std::mem::replace(&mut self.page, Page::Idle) {
            Page::Record(record) => self.home(record.here, Some(Trouble::LeaseEnded), vec![]),
            Page::Document(reader) => self.home(reader.record.here, Some(Trouble::LeaseEnded), vec![]),
            page => self.turn(page, vec![]),
        }
    }

    pub(super) fn record_tick(mut self, now: Now) -> Turn {
        match &mut self.page {
            Page::Record(record) => match &record.room {
                Room::Writing(_) | Room::Managing(_) | Room::Gathering(_) => return self.own_tick(now),
                Room::AskingHistory { until, .. } if now.since_boot >= *until => {
                    record.room = Room::HistoryFailed { trouble: Trouble::ServerTimedOut };
                }
                Room::AskingReceipt { until, .. } if now.since_boot >= *until => {
                    record.room = Room::ReceiptFailed { trouble: Trouble::Internal };
                }
                Room::Searching { until, step, .. } if now.since_boot >= *until => {
                    record.room = Room::SearchFailed { trouble: search::too_late(*step) };
                }
                _ => {}
            },
            Page::Document(reader) => {
                let (until, trouble) = match &reader.step {
                    ReaderStep::Fetching { until, .. } => (*until, Trouble::ServerTimedOut),
                    ReaderStep::Recording { until, .. } => (*until, Trouble::TraceNotWritten),
                    ReaderStep::Rendering { until, .. } => (*until, Trouble::DocumentUnreadable),
                    _ => return (self, vec![]),
                };
                if now.since_boot >= until {
                    reader.step = ReaderStep::Failed { trouble };
                }
            }
            _ => {}
        }
        (self, vec![])
    }

    /// Writing, changing and gathering have waits of their own.
    fn own_tick(mut self, now: Now) -> Turn {
        let mut record = match std::mem::replace(&mut self.page, Page::Idle) {
            Page::Record(record) => record,
            page => return self.turn(page, vec![]),
        };
        match std::mem::replace(&mut record.room, Room::Documents) {
            Room::Gathering(gathering) => self.gathering_tick(*record, *gathering, now),
            room @ Room::Writing(_) => self.writing_tick(Record { room, ..*record }, now),
            room => self.managing_tick(Record { room, ..*record }, now),
        }
    }

    pub(super) fn in_record(self, mut record: Record, event: Event, now: Now) -> Turn {
        match std::mem::replace(&mut record.room, Room::Documents) {
            Room::Writing(writing) => return self.while_writing(record, *writing, event, now),
            Room::Gathering(gathering) if !matches!(event, Event::Touched(_)) => {
                return self.while_gathering(record, *gathering, event, now);
            }
            Room::Managing(managing) => return self.while_managing(record, managing, event, now),
            room => record.room = room,
        }
        match event {
            Event::Touched(touch) => self.touched_in_record(record, touch, now),
            Event::HistoryCame { ticket: asked, answer } => {
                let waited = matches!(record.room, Room::AskingHistory { ticket, .. } if ticket == asked);
                if waited {
                    record.room = match answer
                        .map(|history| (history.lines.release(&record.listed), history.unsent, history.complete))
                    {
                        Ok((Ok(mut lines), unsent, complete)) => {
                            lines.extend(unsent);
                            lines.sort_by_key(|line| std::cmp::Reverse(line.at));
                            Room::History { lines, complete }
                        }
                        Ok((Err(_), _, _)) => Room::HistoryFailed { trouble: Trouble::Internal },
                        Err(trouble) => Room::HistoryFailed { trouble },
                    };
                }
                self.record(record, vec![])
            }
            Event::ReceiptMade { ticket: asked, answer } => {
                if matches!(record.room, Room::AskingReceipt { ticket, .. } if ticket == asked) {
                    record.room = match answer {
                        Ok(receipt) => Room::Receipt(receipt),
                        Err(trouble) => Room::ReceiptFailed { trouble },
                    };
                }
                self.record(record, vec![])
            }
            event => self.while_searching(record, event, now),
        }
    }

    fn touched_in_record(mut self, mut record: Record, touch: Touch, now: Now) -> Turn {
        match touch {
            Touch::Quit => self.home(record.here, None, vec![]),
            Touch::Back if matches!(record.room, Room::Documents) => self.home(record.here, None, vec![]),
            Touch::Back if matches!(record.room, Room::Filtering { facet: Some(_) }) => {
                record.room = Room::Filtering { facet: None };
                self.record(record, vec![])
            }
            Touch::Back | Touch::ShowDocuments | Touch::Understood => {
                record.room = Room::Documents;
                self.record(record, vec![])
            }
            Touch::FilterClass(class) => {
                record.filter.class = class;
                record.room = Room::Documents;
                self.record(record, vec![])
            }
            Touch::Filter => {
                record.room = Room::Filtering { facet: None };
                self.record(record, vec![])
            }
            Touch::Choose(line) => match record.room {
                Room::Filtering { facet } => self.choose_filter(record, facet, line, now),
                _ => self.record(record, vec![]),
            },
            Touch::ShowPatient => {
                record.room = Room::Patient;
                self.record(record, vec![])
            }
            Touch::ShowSummary => self.show_summary(record, now),
            Touch::Why => {
                record.room = Room::Why;
                self.record(record, vec![])
            }
            Touch::ShowAgreements => {
                record.room = Room::Agreements;
                self.record(record, vec![])
            }
            // The record is left at once: what the patient says next may close it.
            Touch::Withdraw if matches!(record.room, Room::Agreements) => {
                let Record { here, patient, answer, so_far, .. } = record;
                // A glass that was broken is whole again: whoever can answer can be asked.
                let so_far = SoFar { emergency: None, ..so_far };
                let step = GateStep::Failed { trouble: Trouble::Internal };
                self.ask_withdrawal(Gate { here, patient, so_far, step }, answer)
            }
            Touch::WriteNote => self.write_note(record, Wanted::Note, now),
            Touch::Search => {
                record.room = Room::AskingWords;
                self.record(record, vec![])
            }
            Touch::TextTyped(words) if matches!(record.room, Room::AskingWords) => self.search(record, words, now),
            Touch::ShowHistory => {
                let ticket = self.ticket();
                record.room = Room::AskingHistory { ticket, until: now.since_boot + WAIT_MAX };
                let (patient, mode) = (record.patient.ins.clone(), record.so_far.mode());
                self.record(record, vec![Effect::History { ticket, patient, mode }])
            }
            Touch::Print => self.print_room(record, now),
            Touch::ShowReceipt => {
                let (ticket, row) = (self.ticket(), record.listed.index());
                record.room = Room::AskingReceipt { ticket, until: now.since_boot + WAIT_MAX };
                self.record(record, vec![Effect::MakeReceipt { ticket, row }])
            }
            Touch::OpenDocument(shown) => {
                let lists = matches!(record.room, Room::Documents | Room::Found { .. } | Room::Summary);
                match record.shown().get(shown).copied().filter(|_| lists) {
                    Some(place) => self.fetch(record, place, now),
                    None => self.record(record, vec![]),
                }
            }
            _ => self.record(record, vec![]),
        }
    }

    /// After a lock, at the page and the size that it was read in.
    pub(super) fn open_again(self, reader: Reader, now: Now) -> Turn {
        let Reader { record, place, text_percent, begin_at, .. } = reader;
        let (mut visit, effects) = self.fetch(record, place, now);
        if let Page::Document(reader) = &mut visit.page {
            (reader.text_percent, reader.begin_at) = (text_percent, begin_at);
        }
        (visit, effects)
    }

    fn fetch(mut self, record: Record, place: usize, now: Now) -> Turn {
        if self.allowance_bars(record.ground, now) {
            let step = ReaderStep::Failed { trouble: Trouble::AllowanceSpent };
            return self.document(Reader { record, place, step, text_percent: 100, begin_at: 0 }, vec![]);
        }
        // The list may have been open for a while: an authorization ends on its hour, not with the visit.
        let opened =
            facts::to_open(&record.here, &record.answer, Some(record.ground), &record.so_far, &self.rules, now);
        let document = &record.documents[place].document;
        if !decide(&facts::to_see(&opened, &record.here, document, &self.rules)).allow {
            let step = ReaderStep::Failed { trouble: Trouble::Denied };
            return self.document(Reader { record, place, step, text_percent: 100, begin_at: 0 }, vec![]);
        }
        let ticket = self.ticket();
        let (mode, keep) = (record.so_far.mode(), keep(record.ground, &record.here.holder, &record.so_far));
        let document = Box::new(record.documents[place].document.clone());
        let fetch = Effect::Fetch { ticket, patient: record.patient.ins.clone(), document, mode, keep };
        let step = ReaderStep::Fetching { ticket, until: now.since_boot + FETCH_MAX };
        self.document(Reader { record, place, step, text_percent: 100, begin_at: 0 }, vec![fetch])
    }

    pub(super) fn in_document(self, mut reader: Reader, event: Event, now: Now) -> Turn {
        if let Event::Touched(touch) = event {
            return self.touched_in_document(reader, touch, now);
        }
        let step = std::mem::replace(&mut reader.step, ReaderStep::Failed { trouble: Trouble::Internal });
        match (step, event) {
            (ReaderStep::Fetching { ticket, .. }, Event::Fetched { ticket: asked, answer }) if asked == ticket => {
                match answer {
                    Ok(source) => {
                        let permitted = &reader.record.documents[reader.place];
                        let (id, kind) = (&permitted.document.unique_id, &permitted.document.type_code);
                        let row = Draft {
                            ground: Some(reader.record.ground),
                            rule: permitted.decision.rule.id.to_owned(),
                            document: Some((id.clone(), kind.clone())),
                            source,
                            ..self.row_of(&reader.record, Class::Opened, now)
                        };
                        self.record_opening(reader, row, now)
                    }
                    Err(trouble) => self.reader_failed(reader, trouble),
                }
            }
            (ReaderStep::Recording { ticket, .. }, Event::Recorded { ticket: asked, answer }) if asked == ticket => {
                let document = &reader.record.documents[reader.place].document.unique_id;
                let patient = &reader.record.patient.ins;
                match answer.map(|rows| rows.into_iter().find(|row| row.covers_document(patient, document))) {
                    Ok(Some(committed)) => {
                        reader.record.documents[reader.place].opened = true;
                        let page = reader.begin_at;
                        self.render(reader, committed, page, now)
                    }
                    Ok(None) => self.reader_failed(reader, Trouble::TraceNotWritten),
                    Err(trouble) => self.reader_failed(reader, trouble),
                }
            }
            (ReaderStep::Rendering { ticket, committed, page, .. }, Event::Rendered { ticket: asked, answer })
                if asked == ticket =>
            {
                match answer {
                    Ok(reading) => {
                        reader.step = ReaderStep::Shown { reading, first_page: page, page, committed, ahead: None };
                        self.document(reader, vec![])
                    }
                    Err(trouble) => self.reader_failed(reader, trouble),
                }
            }
            (
                ReaderStep::Shown { reading, first_page, page, committed, ahead: Some((ticket, first)) },
                Event::Rendered { ticket: asked, answer },
            ) if asked == ticket => {
                // Turned back meanwhile, or not drawn: what is here stays.
                let drawn = answer.ok().filter(|drawn| holds(drawn, first, page));
                let (reading, first_page) = drawn.map_or((reading, first_page), |drawn| (drawn, first));
                reader.step = ReaderStep::Shown { reading, first_page, page, committed, ahead: None };
                self.document(reader, vec![])
            }
            (step, _) => {
                reader.step = step;
                self.document(reader, vec![])
            }
        }
    }

    pub(super) fn row_of(&self, record: &Record, class: Class, now: Now) -> Draft {
        row(class, &record.here, &record.patient, &record.so_far, &self.rules, now)
    }

    fn record_opening(mut self, mut reader: Reader, row: Draft, now: Now) -> Turn {
        let ticket = self.ticket();
        reader.step = ReaderStep::Recording { ticket, until: now.since_boot + WAIT_MAX };
        self.document(reader, vec![Effect::Record { ticket, rows: vec![row], said: vec![] }])
    }

    fn render(mut self, mut reader: Reader, committed: Committed, page: u32, now: Now) -> Turn {
        let ticket = self.ticket();
        let render = Effect::Render {
            ticket,
            patient: reader.record.patient.ins.clone(),
            document: Box::new(reader.record.documents[reader.place].document.clone()),
            committed: committed.clone(),
            pages: page..page.saturating_add(PAGES_AT_FIRST),
        };
        reader.step = ReaderStep::Rendering { ticket, committed, page, until: now.since_boot + WAIT_MAX };
        self.document(reader, vec![render])
    }

    fn reader_failed(self, mut reader: Reader, trouble: Trouble) -> Turn {
        reader.step = ReaderStep::Failed { trouble };
        self.document(reader, vec![])
    }

    fn touched_in_document(self, mut reader: Reader, touch: Touch, now: Now) -> Turn {
        match touch {
            Touch::Quit => self.home(reader.record.here, None, vec![]),
            Touch::Back | Touch::Understood => {
                // To where it was opened from.
                self.record(reader.record, vec![])
            }
            Touch::LargerText => {
                reader.text_percent = (reader.text_percent + TEXT_STEP_PERCENT).min(200);
                self.document(reader, vec![])
            }
            Touch::SmallerText => {
                reader.text_percent = reader.text_percent.saturating_sub(TEXT_STEP_PERCENT).max(100);
                self.document(reader, vec![])
            }
            // What is open may be the holder's own.
            Touch::Manage => self.manage(reader.record, reader.place),
            Touch::Print => self.print_document(reader, now),
            Touch::NextPage => self.turn_page(reader, 1, now),
            Touch::PreviousPage => self.turn_page(reader, -1, now),
            _ => self.document(reader, vec![]),
        }
    }

    /// The row that opened the document covers all its pages.
    fn turn_page(mut self, mut reader: Reader, by: i64, now: Now) -> Turn {
        let ticket = self.ticket();
        let ReaderStep::Shown { reading, first_page, page, committed, ahead } = &mut reader.step else {
            return self.document(reader, vec![]);
        };
        let last = i64::from(reading.page_count) - 1;
        let wanted = (i64::from(*page) + by).clamp(0, last.max(0)) as u32;
        if wanted == *page {
            return self.document(reader, vec![]);
        }
        if !holds(reading, *first_page, wanted) {
            let committed = committed.clone();
            return self.render(reader, committed, wanted, now);
        }
        *page = wanted;
        let next = (i64::from(wanted) + by).clamp(0, last.max(0)) as u32;
        if holds(reading, *first_page, next) {
            return self.document(reader, vec![]);
        }
        // The one before, this one and the next: more are not kept.
        let first = wanted.saturating_sub(1);
        *ahead = Some((ticket, first));
        let render = Effect::Render {
            ticket,
            patient: reader.record.patient.ins.clone(),
            document: Box::new(reader.record.documents[reader.place].document.clone()),
            committed: committed.clone(),
            pages: first..wanted.saturating_add(2),
        };
        self.document(reader, vec![render])
    }
}

impl Reader {
    /// Nothing of the content is kept while nobody is there: only where it was read.
    pub(super) fn put_by(&mut self) {
        if let ReaderStep::Shown { page, .. } | ReaderStep::Rendering { page, .. } = &self.step {
            self.begin_at = *page;
        }
        self.step = ReaderStep::Failed { trouble: Trouble::TookTooLong };
        self.record.put_summary_by();
        if matches!(self.record.room, Room::Summary) {
            self.record.room = Room::Documents;
        }
    }
}

impl Record {
    /// Nor of the summary: who was in it comes back to it, and it is gathered anew.
    pub(super) fn put_summary_by(&mut self) {
        self.summary = None;
        if matches!(self.room, Room::Gathering(_)) {
            self.room = Room::Summary;
        }
    }
}

/// Whether that page is among those drawn, of which `first` is the first.
fn holds(reading: &Reading, first: u32, page: u32) -> bool {
    let drawn = u32::try_from(reading.pages.len()).unwrap_or(u32::MAX);
    page >= first && page - first < drawn
}

/// The page asked for and the next one, ready before it is asked.
const PAGES_AT_FIRST: u32 = 2;
const TEXT_STEP_PERCENT: u16 = 25;
/// A large document over a thin line is slow, not broken; the way back is always open.
const FETCH_MAX: Duration = Duration::from_secs(600);
