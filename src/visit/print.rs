//! Onto paper: its row first, then the printer. Whatever takes the page away takes back what is not wholly sent.

use crate::journal::Committed;
use crate::journal::Draft;
use crate::journal::words::Class;
use crate::policy::decide;
use crate::time::Now;
use crate::trouble::Trouble;
use crate::visit::effect::Effect;
use crate::visit::effect::Paper;
use crate::visit::event::Event;
use crate::visit::event::Touch;
use crate::visit::facts;
use crate::visit::page::Page;
use crate::visit::page::Reader;
use crate::visit::page::ReaderStep;
use crate::visit::page::Record;
use crate::visit::page::Room;
use crate::visit::page::Visit;
use crate::visit::page::printing::PrintStep;
use crate::visit::page::printing::Printing;
use crate::visit::page::reception::Reception;
use crate::visit::step::INACTIVITY_MAX;
use crate::visit::step::WAIT_MAX;
use std::time::Duration;

type Turn = (Visit, Vec<Effect>);

impl Visit {
    /// The document that is open. It was permitted when it was opened; an authorization ends on its hour.
    pub(super) fn print_document(self, reader: Reader, now: Now) -> Turn {
        let record = &reader.record;
        let (true, ReaderStep::Shown { .. }) = (self.rules.prints, &reader.step) else {
            return self.turn(Page::Document(Box::new(reader)), vec![]);
        };
        let permitted = &record.documents[reader.place];
        let opened =
            facts::to_open(&record.here, &record.answer, Some(record.ground), &record.so_far, &self.rules, now);
        let decision = decide(&facts::to_see(&opened, &record.here, &permitted.document, &self.rules));
        let row = Draft {
            rule: decision.rule.id.to_owned(),
            document: Some((permitted.document.unique_id.clone(), permitted.document.type_code.clone())),
            ..self.row_of_print(record, now)
        };
        let paper = Paper::Document {
            patient: record.patient.clone(),
            document: Box::new(permitted.document.clone()),
            owed: decision.obligations.clone(),
        };
        let under = Page::Document(Box::new(reader));
        if !decision.allow {
            return self.print_failed(under, Trouble::Denied, now);
        }
        self.record_print(under, paper, row, now)
    }

    /// The history or the receipt that is open.
    pub(super) fn print_room(self, record: Record, now: Now) -> Turn {
        let (paper, reason) = match &record.room {
            Room::History { lines, complete } => {
                let (patient, lines) = (record.patient.clone(), lines.clone());
                (Paper::History { patient, lines, complete: *complete }, "history")
            }
            Room::Receipt(receipt) => (Paper::Receipt(receipt.clone()), "receipt"),
            _ => return self.record(record, vec![]),
        };
        if !self.rules.prints {
            return self.record(record, vec![]);
        }
        let row = Draft { reason: Some(reason.to_owned()), ..self.row_of_print(&record, now) };
        self.record_print(Page::Record(Box::new(record)), paper, row, now)
    }

    /// Of nobody, for anybody: no row.
    pub(super) fn print_leaflet(mut self, desk: Reception, now: Now) -> Turn {
        let ticket = self.ticket();
        let under = Box::new(Page::Reception(Box::new(desk)));
        let (step, until) = (PrintStep::Sending { ticket }, now.since_boot + PRINT_MAX);
        let print = Effect::Print { ticket, paper: Box::new(Paper::Leaflet), committed: None };
        self.turn(Page::Printing(Box::new(Printing { under, step, until })), vec![print])
    }

    fn row_of_print(&self, record: &Record, now: Now) -> Draft {
        Draft { ground: Some(record.ground), source: record.source, ..self.row_of(record, Class::Printed, now) }
    }

    fn record_print(mut self, under: Page, paper: Paper, row: Draft, now: Now) -> Turn {
        let ticket = self.ticket();
        let (step, until) = (PrintStep::Recording { ticket, paper: Box::new(paper) }, now.since_boot + WAIT_MAX);
        let page = Page::Printing(Box::new(Printing { under: Box::new(under), step, until }));
        self.turn(page, vec![Effect::Record { ticket, rows: vec![row], said: vec![] }])
    }

    fn print_failed(self, under: Page, trouble: Trouble, now: Now) -> Turn {
        let (step, until) = (PrintStep::Failed { trouble }, now.since_boot + INACTIVITY_MAX);
        self.turn(Page::Printing(Box::new(Printing { under: Box::new(under), step, until })), vec![])
    }

    pub(super) fn while_printing(mut self, mut printing: Printing, event: Event, now: Now) -> Turn {
        let waits = matches!(printing.step, PrintStep::Recording { .. } | PrintStep::Sending { .. });
        match (printing.step, event) {
            (PrintStep::Recording { ticket, paper }, Event::Recorded { ticket: asked, answer }) if asked == ticket => {
                match answer.map(|rows| rows.into_iter().find(|row| covers(row, &paper, &printing.under))) {
                    Ok(Some(committed)) => {
                        let ticket = self.ticket();
                        printing.step = PrintStep::Sending { ticket };
                        printing.until = now.since_boot + PRINT_MAX;
                        let print = Effect::Print { ticket, paper, committed: Some(committed) };
                        self.turn(Page::Printing(Box::new(printing)), vec![print])
                    }
                    Ok(None) => self.print_failed(*printing.under, Trouble::TraceNotWritten, now),
                    Err(trouble) => self.print_failed(*printing.under, trouble, now),
                }
            }
            (PrintStep::Sending { ticket }, Event::Printed { ticket: asked, answer }) if asked == ticket => {
                match answer {
                    Ok(printed) => {
                        printing.step = PrintStep::Done(printed);
                        printing.until = now.since_boot + INACTIVITY_MAX;
                        self.turn(Page::Printing(Box::new(printing)), vec![])
                    }
                    Err(trouble) => self.print_failed(*printing.under, trouble, now),
                }
            }
            (_, Event::Touched(Touch::Back | Touch::Understood | Touch::Stop)) => {
                let stop = if waits { vec![Effect::StopPrint] } else { vec![] };
                if let Page::Reception(desk) = &mut *printing.under {
                    desk.until = now.since_boot + self.rules.patience.lock;
                }
                self.turn(*printing.under, stop)
            }
            (_, Event::Touched(Touch::Quit)) => {
                self.page = *printing.under;
                let (visit, mut effects) = self.on_page(Event::Touched(Touch::Quit), now);
                if waits {
                    effects.insert(0, Effect::StopPrint);
                }
                (visit, effects)
            }
            (step, _) => {
                printing.step = step;
                self.turn(Page::Printing(Box::new(printing)), vec![])
            }
        }
    }

    pub(super) fn print_tick(mut self, now: Now) -> Turn {
        let Page::Printing(printing) = &mut self.page else { return (self, vec![]) };
        if now.since_boot < printing.until {
            return (self, vec![]);
        }
        let (trouble, effects) = match printing.step {
            PrintStep::Recording { .. } => (Trouble::TraceNotWritten, vec![]),
            PrintStep::Sending { .. } => (Trouble::PrinterUnsure, vec![Effect::StopPrint]),
            // Where somebody is here, their own time counts.
            PrintStep::Done(_) | PrintStep::Failed { .. } if matches!(*printing.under, Page::Reception(_)) => {
                return self.end(Page::TakeCard(Trouble::TookTooLong));
            }
            PrintStep::Done(_) | PrintStep::Failed { .. } => {
                printing.until = now.since_boot + INACTIVITY_MAX;
                return (self, vec![]);
            }
        };
        printing.step = PrintStep::Failed { trouble };
        printing.until = now.since_boot + INACTIVITY_MAX;
        (self, effects)
    }
}

/// Whether that row is about what is to be printed.
fn covers(row: &Committed, paper: &Paper, under: &Page) -> bool {
    match (paper, under) {
        (Paper::Document { patient, document, .. }, _) => row.covers_print(&patient.ins, Some(&document.unique_id)),
        (_, Page::Record(record)) => row.covers_print(&record.patient.ins, None),
        _ => false,
    }
}

/// A printer that wakes up, then sixty pages over a thin line.
pub const PRINT_MAX: Duration = Duration::from_secs(240);
