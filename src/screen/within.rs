//! Pages of an open record: documents, why some are not there, history, one document.

use crate::journal::words::Source;
use crate::policy::decision::Obligation;
use crate::policy::nomenclature;
use crate::record::document::ClassCode;
use crate::record::document::Document;
use crate::record::document::Label;
use crate::record::document::Status;
use crate::record::reading::RowKind;
use crate::record::reading::plain_text;
use crate::screen::agreements;
use crate::screen::before;
use crate::screen::gate;
use crate::screen::reasons;
use crate::screen::receipt;
use crate::screen::view::Bar;
use crate::screen::view::Body;
use crate::screen::view::Chip;
use crate::screen::view::DeviceFacts;
use crate::screen::view::DocumentRow;
use crate::screen::view::Documents;
use crate::screen::view::HEADER;
use crate::screen::view::History;
use crate::screen::view::HistoryRow;
use crate::screen::view::Notice;
use crate::screen::view::Pill;
use crate::screen::view::Reader;
use crate::screen::view::Text;
use crate::screen::view::Tone;
use crate::screen::view::Wait;
use crate::screen::view::Why;
use crate::screen::words;
use crate::screen::words::french;
use crate::screen::writing;
use crate::time::Now;
use crate::trouble::Trouble;
use crate::visit::Visit;
use crate::visit::event::LinkState;
use crate::visit::page;
use crate::visit::page::Permitted;
use crate::visit::page::ReaderStep;
use crate::visit::page::Room;
use crate::visit::page::SearchStep;

pub(super) fn record(record: &page::Record, visit: &Visit, now: Now, device: &DeviceFacts) -> Body {
    let bar = |back: &str| bar(back, record, visit, now, device);
    match &record.room {
        Room::Documents { class } => Body::Documents(documents(bar("Tournée"), record, class.as_deref(), device)),
        Room::Why => Body::Why(why(bar("Documents"), record, visit, device)),
        Room::Agreements => Body::Agreements(agreements::page(bar("Documents"), record, visit, device)),
        Room::AskingHistory { .. } => {
            Body::History(History { bar: bar("Documents"), waiting: true, ..History::default() })
        }
        Room::History { lines, complete } => Body::History(history(bar("Documents"), lines, *complete, now, device)),
        Room::AskingWords => Body::Text(asking_words(bar("Documents"))),
        Room::Searching { step, .. } => Body::Wait(searching(bar("Documents"), *step)),
        Room::Found { words, places } => Body::Documents(found(bar("Tous"), record, words, places.len(), device)),
        Room::SearchFailed { trouble } => Body::Documents(not_searched(bar("Tous"), record, *trouble, device)),
        Room::Writing(one) => writing::writing(one, record, bar, visit, device),
        Room::Managing(one) => writing::managing(one, record, bar, visit, device),
        Room::AskingReceipt { .. } => {
            Body::Wait(Wait {
                bar: bar("Documents"), title: french("La borne prépare le reçu…"), hint: String::new()
            })
        }
        Room::Receipt(receipt) => Body::Receipt(receipt::page(receipt, bar("Documents"))),
        Room::ReceiptFailed { trouble } | Room::HistoryFailed { trouble } => {
            let notice = Some(before::notice(*trouble));
            Body::History(History { bar: bar("Documents"), notice, ..History::default() })
        }
    }
}

fn asking_words(bar: Bar) -> Text {
    Text {
        bar,
        title: french("Que cherchez-vous dans ce dossier ?"),
        sentence: french("Dans les titres, et dans les textes déjà ouverts sur cette borne. Le début d'un mot suffit."),
        label: french("Un ou plusieurs mots"),
        digits: false,
        optional: false,
        act_label: "Chercher".to_owned(),
        notice: None,
    }
}

fn searching(bar: Bar, step: SearchStep) -> Wait {
    let hint = match step {
        SearchStep::Recording => "Votre recherche est inscrite dans l'historique du patient…",
        SearchStep::Looking => "La borne lit ce qu'elle garde de ce dossier…",
    };
    Wait { bar, title: french("Recherche…"), hint: french(hint) }
}

/// What was found, as a list with one chip; the first chip leads back to all.
fn found(bar: Bar, record: &page::Record, words: &str, count: usize, device: &DeviceFacts) -> Documents {
    let all = Chip { label: "Tous".to_owned(), class: None, chosen: false };
    let these = Chip { label: french(&format!("« {words} » {count}")), class: None, chosen: true };
    let nothing = format!("« {words} » n'est dans aucun titre ni dans aucun texte déjà ouvert sur cette borne.");
    let empty = if count == 0 { french(&nothing) } else { String::new() };
    Documents { chips: vec![all, these], empty, ..documents(bar, record, None, device) }
}

fn not_searched(bar: Bar, record: &page::Record, trouble: Trouble, device: &DeviceFacts) -> Documents {
    let chips = vec![Chip { label: "Tous".to_owned(), class: None, chosen: false }];
    let words = trouble.words();
    let empty = french(&format!("{} {}", words.happened, words.next));
    Documents { chips, rows: vec![], empty, ..documents(bar, record, None, device) }
}

/// How old the data is and whether the device is online, in one pill.
fn bar(back: &str, record: &page::Record, visit: &Visit, now: Now, device: &DeviceFacts) -> Bar {
    let when = words::moment(record.as_of, now, &device.time_zone);
    let data = if when.contains('/') { format!("données du {when}") } else { format!("données de {when}") };
    let link = match visit.standing.link {
        LinkState::Online => "En ligne",
        LinkState::Offline => "Hors ligne",
        LinkState::Unknown => "Réseau inconnu",
    };
    let day = 86_400;
    // How old it is cannot be told by a clock that is only a floor.
    let old = record.source == Source::Cached
        && (!now.wall.is_trusted() || now.wall.value().0.saturating_sub(record.as_of.0) > day);
    let pill = Pill { text: format!("{link} · {data}"), tone: if old { Tone::Care } else { Tone::Quiet } };
    Bar { banner: gate::banner(&record.so_far, visit), ..before::bar(back, &record.patient, pill, true, now) }
}

fn documents(bar: Bar, record: &page::Record, chosen: Option<&str>, device: &DeviceFacts) -> Documents {
    let rows: Vec<DocumentRow> =
        record.shown().into_iter().map(|place| row(&record.documents[place], device)).collect();
    let denied: u32 = record.denied.iter().map(|denied| denied.count).sum();
    let empty = match (record.documents.is_empty(), denied) {
        (true, 0) => french("Ce dossier ne contient aucun document des deux dernières années."),
        (true, _) => french("Aucun document de ce dossier ne vous est ouvert."),
        (false, _) => String::new(),
    };
    // Only the matrix denies a profession; what the patient masked is not told as the profession's.
    let by_matrix = record.denied.iter().all(|denied| denied.decision.rule.id.starts_with("M-"));
    let rest = match (denied < 2, by_matrix) {
        (true, true) => "n'est pas montré à votre profession.",
        (true, false) => "n'est pas montré.",
        (false, true) => "ne sont pas montrés à votre profession.",
        (false, false) => "ne sont pas montrés.",
    };
    Documents {
        bar,
        chips: chips(record, chosen),
        rows,
        denied: if denied == 0 { String::new() } else { words::count(denied, "document", "documents") },
        denied_rest: french(rest),
        empty,
    }
}

/// "Tous", then each class that is there, the fullest first.
fn chips(record: &page::Record, chosen: Option<&str>) -> Vec<Chip> {
    let mut classes: Vec<(&str, usize)> = Vec::new();
    for permitted in &record.documents {
        let class = permitted.document.class_code.0.as_str();
        match classes.iter_mut().find(|(known, _)| *known == class) {
            Some((_, count)) => *count += 1,
            None => classes.push((class, 1)),
        }
    }
    classes.sort_by_key(|(class, count)| (std::cmp::Reverse(*count), *class));
    let all = Chip { label: "Tous".to_owned(), class: None, chosen: chosen.is_none() };
    let each = classes.into_iter().map(|(class, count)| Chip {
        label: format!("{} {count}", nomenclature::class_short(&ClassCode(class.to_owned()))),
        class: Some(class.to_owned()),
        chosen: chosen == Some(class),
    });
    std::iter::once(all).chain(each).collect()
}

fn row(permitted: &Permitted, device: &DeviceFacts) -> DocumentRow {
    let document = &permitted.document;
    let title = title(document);
    let details = match permitted.opened {
        true => details(document, device),
        false => format!("Non lu · {}", details(document, device)),
    };
    let pill = state(permitted);
    let label = match pill.text.as_str() {
        "" => format!("{title}, {details}"),
        state => format!("{title}, {details}, {state}"),
    };
    let tile = nomenclature::tile(&document.type_code, &document.class_code).to_owned();
    DocumentRow { tile, title, details, pill, label }
}

/// A human title: what our own list calls the type, never the server's words nor a file's name.
fn title(document: &Document) -> String {
    french(nomenclature::type_label(&document.type_code))
}

/// Clinical date, then author.
fn details(document: &Document, device: &DeviceFacts) -> String {
    let date = words::date(&words::local(document.service_start, &device.time_zone));
    if document.by_patient {
        return french(&format!("{date} · déposé par le patient"));
    }
    let author = match document.authors.first() {
        Some(author) => match &author.structure {
            Some(structure) if author.name.is_empty() => structure.clone(),
            Some(structure) => format!("{}, {structure}", author.name),
            None => author.name.clone(),
        },
        None => french("auteur inconnu"),
    };
    format!("{date} · {author}")
}

fn state(permitted: &Permitted) -> Pill {
    let document = &permitted.document;
    if warns_invisible(permitted) {
        return before::care(nomenclature::label_text(&Label::InvisibleToPatient));
    }
    match document.status {
        Status::Archived => before::quiet("Archivé"),
        Status::Superseded => before::care("Remplacé"),
        Status::Deleted => before::care("Retiré par l'auteur"),
        Status::Unknown => before::care("État inconnu"),
        Status::Current if document.by_patient => before::quiet("Du patient"),
        Status::Current => Pill::default(),
    }
}

fn warns_invisible(permitted: &Permitted) -> bool {
    permitted.document.labels.contains(&Label::InvisibleToPatient)
        || permitted.decision.obligations.contains(&Obligation::WarnInvisibleToPatient)
}

fn warnings(permitted: &Permitted) -> Vec<String> {
    let mut warnings = Vec::new();
    if warns_invisible(permitted) {
        warnings.push(french(
            "Le patient ne voit pas encore ce document. Ne le lui montrez pas avant la consultation d'annonce.",
        ));
    }
    let legal = &permitted.document.labels.contains(&Label::InvisibleToLegalRepresentatives);
    if *legal || permitted.decision.obligations.contains(&Obligation::WarnInvisibleToLegalRepresentatives) {
        warnings
            .push(french("Les représentants légaux ne doivent pas voir ce document : le mineur a demandé le secret."));
    }
    if permitted.document.by_patient {
        warnings.push(french("Document déposé par le patient, non vérifié par un professionnel."));
    }
    match permitted.document.status {
        Status::Superseded => warnings.push(french("Une version plus récente de ce document existe.")),
        Status::Deleted => warnings.push(french("L'auteur a retiré ce document.")),
        _ => {}
    }
    warnings
}

fn why(bar: Bar, record: &page::Record, visit: &Visit, device: &DeviceFacts) -> Why {
    let all: u32 = record.denied.iter().map(|denied| denied.count).sum();
    let title = match all {
        0 | 1 => format!("{} n'est pas montré.", words::count(all, "document", "documents")),
        _ => format!("{} ne sont pas montrés.", words::count(all, "document", "documents")),
    };
    let reasons = reasons::by_rule(&record.denied, visit, &device.time_zone);
    Why { bar, title: french(&title), pill: Pill::default(), reasons }
}

fn history(
    bar: Bar,
    lines: &[crate::record::state::Access],
    complete: bool,
    now: Now,
    device: &DeviceFacts,
) -> History {
    let today = words::local(now.wall.value(), &device.time_zone).date();
    let rows: Vec<HistoryRow> = lines
        .iter()
        .map(|line| {
            let at = words::local(line.at, &device.time_zone);
            let day =
                if now.wall.is_trusted() && at.date() == today { "Aujourd’hui".to_owned() } else { words::date(&at) };
            let when = format!("{day}, {}", words::time(&at));
            let unsent = if line.unsent { ", pas encore transmis" } else { "" };
            let label = format!("{when}, {}, {}, {}{unsent}", line.author, line.action, line.context);
            HistoryRow {
                when,
                author: line.author.clone(),
                action: french(&line.action),
                context: french(&line.context),
                unsent: line.unsent,
                label,
            }
        })
        .collect();
    let notice = (!complete).then(|| Notice {
        happened: french("Hors ligne : cette liste n'est pas complète."),
        next: french("Seuls les accès de cette borne que le serveur ne connaît pas encore sont montrés."),
        code: String::new(),
    });
    let nobody = rows.is_empty() && complete;
    let empty = if nobody { french("Personne n'a ouvert ce dossier depuis un an.") } else { String::new() };
    History { bar, waiting: false, rows, notice, empty }
}

pub(super) fn reader(reader: &page::Reader, visit: &Visit, now: Now, device: &DeviceFacts) -> Reader {
    let record = &reader.record;
    let bar = bar("Documents", record, visit, now, device);
    let Some(permitted) = record.documents.get(reader.place) else {
        return Reader { bar, ..Reader::default() };
    };
    let mut page = Reader {
        bar,
        title: title(&permitted.document),
        details: details(&permitted.document, device),
        warnings: warnings(permitted),
        text_percent: reader.text_percent,
        manage: if record.acts(reader.place).is_empty() { String::new() } else { french("Gérer") },
        ..Reader::default()
    };
    match &reader.step {
        ReaderStep::Fetching { .. } => page.waiting = french("Le document arrive…"),
        ReaderStep::Recording { .. } => {
            page.waiting = french("Votre lecture est inscrite dans l'historique du patient…")
        }
        ReaderStep::Rendering { .. } => page.waiting = french("Mise en page du document…"),
        ReaderStep::Failed { trouble } => page.notice = Some(before::notice(*trouble)),
        ReaderStep::Shown { reading, first_page, page: number, .. } => {
            page.notices = reading.notices.clone();
            page.sections = reading
                .rows
                .iter()
                .enumerate()
                .filter(|(_, row)| row.kind == RowKind::Heading && row.level <= 1)
                .map(|(place, row)| (plain_text(&row.text), place))
                .chain((!reading.header.is_empty()).then(|| (HEADER.to_owned(), reading.rows.len())))
                .collect();
            let place = number.checked_sub(*first_page).map(|place| place as usize);
            page.picture = place.filter(|place| *place < reading.pages.len());
            page.has_next = number + 1 < reading.page_count;
            page.has_previous = *number > 0;
            if reading.page_count > 1 {
                page.page_label = format!("Page {} sur {}", number + 1, reading.page_count);
            }
            page.reading = Some(reading.clone());
        }
    }
    page
}
