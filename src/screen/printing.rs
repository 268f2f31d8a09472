//! While paper is made, and what became of it.

use crate::say;
use crate::screen::before;
use crate::screen::view::Bar;
use crate::screen::view::DeviceFacts;
use crate::screen::view::Notice;
use crate::screen::view::Pill;
use crate::screen::within;
use crate::screen::words;
use crate::screen::words::french;
use crate::time::Now;
use crate::trouble::Trouble;
use crate::visit::Visit;
use crate::visit::page::Page;
use crate::visit::page::printing::PrintStep;
use crate::visit::page::printing::Printing;

/// What the page shows.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Print {
    pub bar: Bar,
    pub title: String,
    pub sentence: String,
    pub notice: Option<Notice>,
    pub act_label: String,
    /// The act goes on where this was come from; else it stops the printer.
    pub is_over: bool,
}

pub(super) fn page(printing: &Printing, visit: &Visit, now: Now, device: &DeviceFacts) -> Print {
    let lang = visit.lang();
    let bar = bar(printing, visit, now, device);
    let print = |title: &str, sentence: &str| Print {
        bar: bar.clone(),
        title: french(title),
        sentence: french(sentence),
        act_label: say!(lang, "Arrêter l'impression", "Stop printing"),
        ..Print::default()
    };
    let over = |page: Print| Print { act_label: say!(lang, "Fermer", "Close"), is_over: true, ..page };
    match &printing.step {
        PrintStep::Recording { .. } => print(
            lang.pick("Impression…", "Printing…"),
            lang.pick(
                "L'impression est inscrite dans l'historique du patient…",
                "Writing the print into the patient’s history…",
            ),
        ),
        PrintStep::Sending { .. } => print(
            lang.pick("Impression…", "Printing…"),
            lang.pick(
                "Si la visite se termine avant la fin, rien de plus n'est envoyé.",
                "If the visit ends before it is done, nothing more is sent.",
            ),
        ),
        PrintStep::Done(printed) => {
            let pages = words::count(lang, printed.pages, ["page", "pages"], ["page", "pages"]);
            let title = if printed.finished {
                lang.pick("C'est imprimé", "Printed")
            } else {
                lang.pick("Envoyé à l'imprimante", "Sent to the printer")
            };
            over(print(
                title,
                &say!(lang, "{pages}. Ne laissez rien sur l'imprimante.", "{pages}. Leave nothing on the printer."),
            ))
        }
        PrintStep::Failed { trouble } => {
            // Some of it may have come out before it stopped.
            let title = match trouble {
                Trouble::PrinterUnsure => lang.pick("L'impression n'est pas confirmée", "The print is not confirmed"),
                _ => lang.pick("L'impression n'a pas abouti", "The print did not succeed"),
            };
            Print { notice: Some(before::notice(lang, *trouble)), ..over(print(title, "")) }
        }
    }
}

/// The button's words, where the settings name a printer.
pub(super) fn offer(visit: &Visit) -> String {
    let lang = visit.lang();
    if visit.rules().prints { say!(lang, "Imprimer", "Print") } else { String::new() }
}

fn bar(printing: &Printing, visit: &Visit, now: Now, device: &DeviceFacts) -> Bar {
    let lang = visit.lang();
    let record = match &*printing.under {
        Page::Record(record) => record,
        Page::Document(reader) => &reader.record,
        _ => return Bar { name: say!(lang, "Droits du patient", "Patient’s rights"), ..Bar::default() },
    };
    Bar { back: String::new(), pill: Pill::default(), ..within::bar("", record, visit, now, device) }
}
