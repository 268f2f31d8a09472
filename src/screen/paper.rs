//! The words on paper: what was on the screen, who printed it and when. Pure.

use crate::paper::Code;
use crate::paper::Sheet;
use crate::patient::ins::Patient;
use crate::policy::decision::Owed;
use crate::record::document::Document;
use crate::record::reading::Cell;
use crate::record::reading::Reading;
use crate::record::reading::Row;
use crate::record::reading::RowKind;
use crate::record::reading::Run;
use crate::record::state::Access;
use crate::say::Lang;
use crate::screen::reception::LEAFLET;
use crate::screen::reception::LEAFLET_TITLE;
use crate::screen::within;
use crate::screen::words;
use crate::screen::words::french;
use crate::time::Now;
use crate::visit::event::PatientReceipt;

/// What is handed to somebody, or kept in a folder, is French whatever the screen speaks.
const PAPER: Lang = Lang::French;

/// Who prints, and when.
pub struct Printing<'a> {
    /// Names, as a page shows them.
    pub who: &'a str,
    pub now: Now,
    pub time_zone: &'a str,
}

/// A document's rows, with all that the screen says of it; its pictures come after them. On a printer that others use too,
/// each page says whose it is.
pub fn document(
    patient: &Patient,
    document: &Document,
    owed: &Owed,
    mut reading: Reading,
    printing: &Printing<'_>,
) -> Sheet {
    let title = within::title(PAPER, document);
    if !reading.rows.is_empty() || !reading.header.is_empty() {
        let details = within::details(PAPER, document, printing.time_zone);
        reading.header.insert(0, (french("Date et auteur"), details));
    }
    reading.notices.splice(0..0, within::warnings(PAPER, document, owed));
    let born = words::birth_date(PAPER, patient.birth_date);
    let whose = format!("{}, {born}", words::full_name(&patient.birth_name, &patient.birth_given_names));
    Sheet { foot: format!("{whose} · {title}\n{}", foot("", printing)), title, reading, code: None }
}

/// Who opened that record.
pub fn history(patient: &Patient, lines: &[Access], complete: bool, printing: &Printing<'_>) -> Sheet {
    let title = french("Qui a ouvert ce dossier");
    let cell = |text: &str| Cell { text: vec![Run::plain(text)], columns: 1, rows: 1 };
    let table = |kind, cells: [String; 4]| Row {
        kind,
        level: 0,
        text: Vec::new(),
        cells: cells.iter().map(|text| cell(text)).collect(),
    };
    let head = ["Quand", "Qui", "Action", "Contexte"].map(str::to_owned);
    let mut rows = vec![table(RowKind::TableHead, head)];
    rows.extend(lines.iter().map(|line| {
        let at = words::local(line.at, printing.time_zone);
        let when = format!("{} {}", words::date(PAPER, &at), words::time(PAPER, &at));
        let context = match (line.unsent, line.context.as_str()) {
            // Its own words are that.
            (true, said) if said.is_empty() || said == UNSENT => UNSENT.to_owned(),
            (true, said) => format!("{said} · {UNSENT}"),
            (false, said) => said.to_owned(),
        };
        table(RowKind::TableRow, [when, line.author.clone(), french(&line.action), french(&context)])
    }));
    let header = vec![
        ("Patient".to_owned(), words::full_name(&patient.birth_name, &patient.birth_given_names)),
        (french("Né(e) le"), words::birth_date(PAPER, patient.birth_date)),
    ];
    let not_whole = french(
        "Le serveur n'a pas donné cette liste : elle n'est pas complète. Seuls les accès de cette borne que le serveur ne connaît pas encore y sont.",
    );
    let nobody = french("Personne n'a ouvert ce dossier depuis un an.");
    let notices = match (complete, lines.is_empty()) {
        (false, _) => vec![not_whole],
        (true, true) => vec![nobody],
        (true, false) => Vec::new(),
    };
    let reading = Reading { header, rows, notices, ..Reading::default() };
    Sheet { foot: foot(&title, printing), title, reading, code: None }
}

/// What the patient takes home; no name of theirs is on it.
pub fn receipt(receipt: &PatientReceipt, printing: &Printing<'_>) -> Sheet {
    let mut lines = receipt.sheet.lines();
    let title = lines.next().unwrap_or_default().to_owned();
    let code = Some(Code { side: receipt.side, dark: receipt.dark.to_vec() });
    Sheet { foot: foot(&title, printing), title, reading: paragraphs(lines), code }
}

/// What patients may ask for.
pub fn leaflet(printing: &Printing<'_>) -> Sheet {
    let title = LEAFLET_TITLE.within(PAPER).to_owned();
    let text = french(LEAFLET.within(PAPER));
    Sheet { foot: foot(&title, printing), title, reading: paragraphs(text.lines()), code: None }
}

/// As `kiosk` words a row that the server does not know yet.
const UNSENT: &str = "Pas encore transmis";

fn paragraphs<'a>(lines: impl Iterator<Item = &'a str>) -> Reading {
    let row = |line: &str| Row { kind: RowKind::Paragraph, level: 0, text: vec![Run::plain(line)], cells: Vec::new() };
    Reading { rows: lines.map(row).collect(), ..Reading::default() }
}

/// A clock that is only a floor says so.
fn foot(title: &str, printing: &Printing<'_>) -> String {
    let at = words::local(printing.now.wall.value(), printing.time_zone);
    let when = format!("{} à {}", words::date(PAPER, &at), words::time(PAPER, &at));
    let when = if printing.now.wall.is_trusted() { when } else { format!("{when} au plus tôt") };
    let who = if printing.who.is_empty() { String::new() } else { format!(" par {}", printing.who) };
    let title = if title.is_empty() { String::new() } else { format!("{title} · ") };
    french(&format!("{title}imprimé le {when}{who} · borne Chevet"))
}
