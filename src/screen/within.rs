//! Pages of an open record: documents, why some are not there, history, one document.

use crate::journal::words::Source;
use crate::policy::decision::Obligation;
use crate::policy::decision::Owed;
use crate::policy::nomenclature;
use crate::record::document::ClassCode;
use crate::record::document::Document;
use crate::record::document::Label;
use crate::record::document::Status;
use crate::record::filter::Filter;
use crate::record::reading::RowKind;
use crate::record::reading::plain_text;
use crate::say;
use crate::say::Lang;
use crate::screen::agreements;
use crate::screen::before;
use crate::screen::filtering;
use crate::screen::gate;
use crate::screen::identity;
use crate::screen::labels;
use crate::screen::printing;
use crate::screen::reasons;
use crate::screen::receipt;
use crate::screen::summary;
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
    let lang = visit.lang();
    let bar = |back: &str| bar(back, record, visit, now, device);
    match &record.room {
        Room::Documents => Body::Documents(documents(lang, bar(lang.pick("Tournée", "Round")), record, device)),
        Room::Filtering { facet: None } => {
            Body::Choice(filtering::page(lang, bar(lang.pick("Documents", "Documents")), record, None))
        }
        Room::Filtering { facet } => {
            Body::Choice(filtering::page(lang, bar(lang.pick("Filtres", "Filters")), record, *facet))
        }
        Room::Gathering(gathering) => {
            Body::Wait(summary::gathering(lang, bar(lang.pick("Documents", "Documents")), gathering))
        }
        Room::Summary => match &record.summary {
            Some(summary) => {
                Body::Summary(summary::page(lang, bar(lang.pick("Documents", "Documents")), record, summary, device))
            }
            None => summary::failed(lang, bar(lang.pick("Documents", "Documents")), Trouble::Internal),
        },
        Room::SummaryFailed { trouble } => summary::failed(lang, bar(lang.pick("Documents", "Documents")), *trouble),
        Room::Patient => Body::Facts(identity::page(lang, bar(lang.pick("Documents", "Documents")), record, device)),
        Room::Why => Body::Why(why(bar(lang.pick("Documents", "Documents")), record, visit, device)),
        Room::Agreements => {
            Body::Agreements(agreements::page(bar(lang.pick("Documents", "Documents")), record, visit, device))
        }
        Room::AskingHistory { .. } => Body::History(History {
            bar: bar(lang.pick("Documents", "Documents")),
            waiting: true,
            ..History::default()
        }),
        Room::History { lines, complete } => {
            let page = history(lang, bar(lang.pick("Documents", "Documents")), lines, *complete, now, device);
            Body::History(History { print: printing::offer(visit), ..page })
        }
        Room::AskingWords => Body::Text(asking_words(lang, bar(lang.pick("Documents", "Documents")))),
        Room::Searching { step, .. } => Body::Wait(searching(lang, bar(lang.pick("Documents", "Documents")), *step)),
        Room::Found { words, places } => {
            Body::Documents(found(lang, bar(lang.pick("Tous", "All")), record, words, places.len(), device))
        }
        Room::SearchFailed { trouble } => {
            Body::Documents(not_searched(lang, bar(lang.pick("Tous", "All")), record, *trouble, device))
        }
        Room::Writing(one) => writing::writing(one, record, bar, visit, device),
        Room::Managing(one) => writing::managing(one, record, bar, visit, device),
        Room::AskingReceipt { .. } => Body::Wait(Wait {
            bar: bar(lang.pick("Documents", "Documents")),
            title: say!(lang, "La borne prépare le reçu…", "The device is preparing the receipt…"),
            hint: String::new(),
        }),
        Room::Receipt(receipt) => Body::Receipt(receipt::page(
            lang,
            receipt,
            bar(lang.pick("Documents", "Documents")),
            printing::offer(visit),
        )),
        Room::ReceiptFailed { trouble } | Room::HistoryFailed { trouble } => {
            let code = before::code_and_words(visit, *trouble);
            let notice = Some(Notice { code, ..before::notice(lang, *trouble) });
            Body::History(History { bar: bar(lang.pick("Documents", "Documents")), notice, ..History::default() })
        }
    }
}

fn asking_words(lang: Lang, bar: Bar) -> Text {
    Text {
        bar,
        title: say!(lang, "Que cherchez-vous dans ce dossier ?", "What are you looking for in this record?"),
        sentence: say!(
            lang,
            "Dans les titres, et dans les textes déjà ouverts sur cette borne. Le début d'un mot suffit.",
            "In the titles, and in the texts opened on this device already. The beginning of a word is enough."
        ),
        label: say!(lang, "Un ou plusieurs mots", "One or more words"),
        digits: false,
        optional: false,
        act_label: say!(lang, "Chercher", "Search"),
        notice: None,
    }
}

fn searching(lang: Lang, bar: Bar, step: SearchStep) -> Wait {
    let hint = match step {
        SearchStep::Recording => lang.pick(
            "Votre recherche est inscrite dans l'historique du patient…",
            "Writing your search into the patient’s history…",
        ),
        SearchStep::Looking => lang.pick(
            "La borne lit ce qu'elle garde de ce dossier…",
            "The device is reading what it keeps of this record…",
        ),
    };
    Wait { bar, title: say!(lang, "Recherche…", "Searching…"), hint: french(hint) }
}

/// What was found, as a list with one chip; the first chip leads back to all.
fn found(lang: Lang, bar: Bar, record: &page::Record, words: &str, count: usize, device: &DeviceFacts) -> Documents {
    let all = Chip { label: say!(lang, "Tous", "All"), class: None, chosen: false };
    let these = Chip { label: say!(lang, "« {words} » {count}", "“{words}” {count}"), class: None, chosen: true };
    let nothing = say!(
        lang,
        "« {words} » n'est dans aucun titre ni dans aucun texte déjà ouvert sur cette borne.",
        "“{words}” is in no title and in no text opened on this device already."
    );
    let empty = if count == 0 { french(&nothing) } else { String::new() };
    Documents { chips: vec![all, these], empty, scope: String::new(), ..documents(lang, bar, record, device) }
}

fn not_searched(lang: Lang, bar: Bar, record: &page::Record, trouble: Trouble, device: &DeviceFacts) -> Documents {
    let chips = vec![Chip { label: say!(lang, "Tous", "All"), class: None, chosen: false }];
    let words = trouble.words_in(lang);
    let empty = french(&format!("{} {}", words.happened, words.next));
    Documents { chips, rows: vec![], empty, scope: String::new(), ..documents(lang, bar, record, device) }
}

/// How old the data is and whether the device is online, in one pill.
pub(super) fn bar(back: &str, record: &page::Record, visit: &Visit, now: Now, device: &DeviceFacts) -> Bar {
    let lang = visit.lang();
    let when = words::moment(lang, record.as_of, now, &device.time_zone);
    let data = if !words::is_today(record.as_of, now, &device.time_zone) {
        say!(lang, "données du {when}", "data of {when}")
    } else {
        say!(lang, "données de {when}", "data of {when}")
    };
    let link = match visit.standing.link {
        LinkState::Online => lang.pick("En ligne", "Online"),
        LinkState::Offline => lang.pick("Hors ligne", "Offline"),
        LinkState::Unknown => lang.pick("Réseau inconnu", "Network unknown"),
    };
    let day = 86_400;
    // How old it is cannot be told by a clock that is only a floor.
    let old = record.source == Source::Cached
        && (!now.wall.is_trusted() || now.wall.value().0.saturating_sub(record.as_of.0) > day);
    let pill = Pill { text: format!("{link} · {data}"), tone: if old { Tone::Care } else { Tone::Quiet } };
    Bar { banner: gate::banner(&record.so_far, visit), ..before::bar(lang, back, &record.patient, pill, true, now) }
}

fn documents(lang: Lang, bar: Bar, record: &page::Record, device: &DeviceFacts) -> Documents {
    let rows: Vec<DocumentRow> =
        record.shown().into_iter().map(|place| row(lang, &record.documents[place], device)).collect();
    let (denied, denied_rest) = denied(lang, record);
    let empty = match (record.documents.is_empty(), rows.is_empty(), denied.is_empty()) {
        (true, _, true) => say!(
            lang,
            "Ce dossier ne contient aucun document des deux dernières années.",
            "This record holds no document of the last two years."
        ),
        (true, _, false) => {
            say!(lang, "Aucun document de ce dossier ne vous est ouvert.", "No document of this record is open to you.")
        }
        (false, true, _) => say!(lang, "Aucun document ne passe ce filtre.", "No document passes this filter."),
        (false, false, _) => String::new(),
    };
    let filter = &record.filter;
    Documents {
        bar,
        filter: french(&filtering::button(lang, filter)),
        is_filtered: filter.is_narrowed(),
        scope: if record.documents.is_empty() { String::new() } else { summary::scope(lang, record) },
        chips: chips(lang, record, filter.class.as_deref()),
        rows,
        denied,
        denied_rest,
        empty,
    }
}

/// How many are not shown, and to whom; both empty where none is.
pub(super) fn denied(lang: Lang, record: &page::Record) -> (String, String) {
    let denied: u32 = record.denied.iter().map(|denied| denied.count).sum();
    // Only the matrix denies a profession; what the patient masked is not told as the profession's.
    let by_matrix = record.denied.iter().all(|denied| denied.decision.rule.id.starts_with("M-"));
    let rest = match (denied < 2, by_matrix) {
        (true, true) => lang.pick("n'est pas montré à votre profession.", "is not shown to your profession."),
        (true, false) => lang.pick("n'est pas montré.", "is not shown."),
        (false, true) => lang.pick("ne sont pas montrés à votre profession.", "are not shown to your profession."),
        (false, false) => lang.pick("ne sont pas montrés.", "are not shown."),
    };
    match denied {
        0 => (String::new(), String::new()),
        _ => (words::count(lang, denied, ["document", "documents"], ["document", "documents"]), french(rest)),
    }
}

/// "Tous", then each class that the other filters let through, the fullest first.
fn chips(lang: Lang, record: &page::Record, chosen: Option<&str>) -> Vec<Chip> {
    // In the order of all that is there, so that none moves under a finger; counted by what else is chosen.
    let others = Filter { class: None, ..record.filter.clone() };
    let mut classes: Vec<(&str, usize, usize)> = Vec::new();
    for permitted in &record.documents {
        let class = permitted.document.class_code.0.as_str();
        let fits = usize::from(others.fits(&permitted.document));
        match classes.iter_mut().find(|(known, ..)| *known == class) {
            Some((_, all, count)) => (*all, *count) = (*all + 1, *count + fits),
            None => classes.push((class, 1, fits)),
        }
    }
    classes.sort_by_key(|(class, all, _)| (std::cmp::Reverse(*all), *class));
    classes.retain(|(class, _, count)| *count > 0 || chosen == Some(*class));
    let all = Chip { label: say!(lang, "Tous", "All"), class: None, chosen: chosen.is_none() };
    let each = classes.into_iter().map(|(class, _, count)| Chip {
        label: format!("{} {count}", labels::class_short(lang, &ClassCode(class.to_owned()))),
        class: Some(class.to_owned()),
        chosen: chosen == Some(class),
    });
    std::iter::once(all).chain(each).collect()
}

fn row(lang: Lang, permitted: &Permitted, device: &DeviceFacts) -> DocumentRow {
    let document = &permitted.document;
    let title = title(lang, document);
    let details = match (permitted.opened, permitted.is_new) {
        (true, _) => details(lang, document, &device.time_zone),
        (false, true) => say!(lang, "Nouveau · {}", "New · {}", details(lang, document, &device.time_zone)),
        (false, false) => say!(lang, "Non lu · {}", "Unread · {}", details(lang, document, &device.time_zone)),
    };
    let pill = state(lang, permitted);
    let label = match pill.text.as_str() {
        "" => format!("{title}, {details}"),
        state => format!("{title}, {details}, {state}"),
    };
    let tile = nomenclature::tile(&document.type_code, &document.class_code).to_owned();
    DocumentRow { tile, title, details, pill, label }
}

/// A human title: what our own list calls the type, never the server's words nor a file's name.
pub(super) fn title(lang: Lang, document: &Document) -> String {
    french(labels::document_type(lang, &document.type_code))
}

/// Clinical date, then author.
pub(super) fn details(lang: Lang, document: &Document, time_zone: &str) -> String {
    let date = words::date(lang, &words::local(document.service_start, time_zone));
    if document.by_patient {
        return say!(lang, "{date} · déposé par le patient", "{date} · added by the patient");
    }
    let author = match document.authors.first() {
        Some(author) => match &author.structure {
            Some(structure) if author.name.is_empty() => structure.clone(),
            Some(structure) => format!("{}, {structure}", author.name),
            None => author.name.clone(),
        },
        None => say!(lang, "auteur inconnu", "unknown author"),
    };
    format!("{date} · {author}")
}

fn state(lang: Lang, permitted: &Permitted) -> Pill {
    let document = &permitted.document;
    if warns_invisible(document, &permitted.decision.obligations) {
        return before::care(labels::confidentiality(lang, &Label::InvisibleToPatient));
    }
    match document.status {
        Status::Archived => before::quiet(lang.pick("Archivé", "Archived")),
        Status::Superseded => before::care(lang.pick("Remplacé", "Replaced")),
        Status::Deleted => before::care(lang.pick("Retiré par l'auteur", "Withdrawn by its author")),
        Status::Unknown => before::care(lang.pick("État inconnu", "Unknown state")),
        Status::Current if document.by_patient => before::quiet(lang.pick("Du patient", "From the patient")),
        Status::Current => Pill::default(),
    }
}

fn warns_invisible(document: &Document, owed: &Owed) -> bool {
    document.labels.contains(&Label::InvisibleToPatient) || owed.contains(&Obligation::WarnInvisibleToPatient)
}

/// What is said of a document wherever it is seen: on the screen, and on paper.
pub(super) fn warnings(lang: Lang, document: &Document, owed: &Owed) -> Vec<String> {
    let mut warnings = Vec::new();
    if warns_invisible(document, owed) {
        warnings.push(say!(lang, "Le patient ne voit pas encore ce document. Ne le lui montrez pas avant la consultation d'annonce.", "The patient does not see this document yet. Do not show it to them before the consultation in which they are told."));
    }
    let legal = document.labels.contains(&Label::InvisibleToLegalRepresentatives);
    if legal || owed.contains(&Obligation::WarnInvisibleToLegalRepresentatives) {
        warnings.push(say!(
            lang,
            "Les représentants légaux ne doivent pas voir ce document : le mineur a demandé le secret.",
            "The legal representatives must not see this document: the minor asked for secrecy."
        ));
    }
    if document.by_patient {
        warnings.push(say!(
            lang,
            "Document déposé par le patient, non vérifié par un professionnel.",
            "Document added by the patient, not verified by a professional."
        ));
    }
    match document.status {
        Status::Superseded => warnings.push(say!(
            lang,
            "Une version plus récente de ce document existe.",
            "A newer version of this document exists."
        )),
        Status::Deleted => {
            warnings.push(say!(lang, "L'auteur a retiré ce document.", "Its author withdrew this document."))
        }
        _ => {}
    }
    warnings
}

fn why(bar: Bar, record: &page::Record, visit: &Visit, device: &DeviceFacts) -> Why {
    let lang = visit.lang();
    let all: u32 = record.denied.iter().map(|denied| denied.count).sum();
    let title = match all {
        0 | 1 => say!(
            lang,
            "{} n'est pas montré.",
            "{} is not shown.",
            words::count(lang, all, ["document", "documents"], ["document", "documents"])
        ),
        _ => say!(
            lang,
            "{} ne sont pas montrés.",
            "{} are not shown.",
            words::count(lang, all, ["document", "documents"], ["document", "documents"])
        ),
    };
    let reasons = reasons::by_rule(&record.denied, visit, &device.time_zone);
    Why { bar, title: french(&title), pill: Pill::default(), reasons }
}

fn history(
    lang: Lang,
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
            let day = if now.wall.is_trusted() && at.date() == today {
                say!(lang, "Aujourd’hui", "Today")
            } else {
                words::date(lang, &at)
            };
            let when = format!("{day}, {}", words::time(lang, &at));
            let unsent = if line.unsent { lang.pick(", pas encore transmis", ", not sent yet") } else { "" };
            let [author, action, context] =
                [&line.author, &line.action, &line.context].map(|words| labels::access(lang, words));
            let label = format!("{when}, {author}, {action}, {context}{unsent}");
            HistoryRow { when, author, action, context, unsent: line.unsent, label }
        })
        .collect();
    let notice = (!complete).then(|| Notice {
        happened: say!(
            lang,
            "Le serveur n'a pas donné cette liste : elle n'est pas complète.",
            "The server did not give this list: it is not complete."
        ),
        next: say!(
            lang,
            "Seuls les accès de cette borne que le serveur ne connaît pas encore sont montrés.",
            "Only this device’s accesses that the server does not know yet are shown."
        ),
        code: String::new(),
    });
    let nobody = rows.is_empty() && complete;
    let empty = if nobody {
        say!(lang, "Personne n'a ouvert ce dossier depuis un an.", "Nobody opened this record for a year.")
    } else {
        String::new()
    };
    History { bar, rows, notice, empty, ..History::default() }
}

pub(super) fn reader(reader: &page::Reader, visit: &Visit, now: Now, device: &DeviceFacts) -> Reader {
    let lang = visit.lang();
    let record = &reader.record;
    let back = match record.room {
        Room::Summary => lang.pick("Résumé", "Summary"),
        _ => lang.pick("Documents", "Documents"),
    };
    let bar = bar(back, record, visit, now, device);
    let Some(permitted) = record.documents.get(reader.place) else {
        return Reader { bar, ..Reader::default() };
    };
    let mut page = Reader {
        bar,
        title: title(lang, &permitted.document),
        details: details(lang, &permitted.document, &device.time_zone),
        warnings: warnings(lang, &permitted.document, &permitted.decision.obligations),
        text_percent: reader.text_percent,
        manage: if record.acts(reader.place).is_empty() { String::new() } else { say!(lang, "Gérer", "Manage") },
        ..Reader::default()
    };
    match &reader.step {
        ReaderStep::Fetching { .. } => page.waiting = say!(lang, "Le document arrive…", "The document is coming…"),
        ReaderStep::Recording { .. } => {
            page.waiting = say!(
                lang,
                "Votre lecture est inscrite dans l'historique du patient…",
                "Writing into the patient’s history that you read it…"
            )
        }
        ReaderStep::Rendering { .. } => {
            page.waiting = say!(lang, "Mise en page du document…", "Laying the document out…")
        }
        ReaderStep::Failed { trouble } => {
            let code = before::code_and_words(visit, *trouble);
            page.notice = Some(Notice { code, ..before::notice(lang, *trouble) });
        }
        ReaderStep::Shown { reading, first_page, page: number, .. } => {
            page.print = printing::offer(visit);
            page.notices = reading.notices.clone();
            page.sections = reading
                .rows
                .iter()
                .enumerate()
                .filter(|(_, row)| row.kind == RowKind::Heading && row.level <= 1)
                .map(|(place, row)| (plain_text(&row.text), place))
                .chain((!reading.header.is_empty()).then(|| (HEADER.within(lang).to_owned(), reading.rows.len())))
                .collect();
            let place = number.checked_sub(*first_page).map(|place| place as usize);
            page.picture = place.filter(|place| *place < reading.pages.len());
            page.has_next = number + 1 < reading.page_count;
            page.has_previous = *number > 0;
            if reading.page_count > 1 {
                page.page_label = say!(lang, "Page {} sur {}", "Page {} of {}", number + 1, reading.page_count);
            }
            page.reading = Some(reading.clone());
        }
    }
    page
}
