//! Visits made by hand, one for each page. Everybody in them is invented.

use chevet::identity::holder::CardKind;
use chevet::identity::holder::Holder;
use chevet::identity::holder::HolderId;
use chevet::identity::holder::Means;
use chevet::identity::holder::ProfessionCode;
use chevet::identity::trust::Verified;
use chevet::journal::Committed;
use chevet::journal::Draft;
use chevet::journal::Pending;
use chevet::journal::Trace;
use chevet::journal::consent::Speaker;
use chevet::journal::words::Class;
use chevet::journal::words::Ground;
use chevet::journal::words::Mode;
use chevet::journal::words::Regime;
use chevet::journal::words::Source;
use chevet::patient::ins::BirthDate;
use chevet::patient::ins::Ins;
use chevet::patient::ins::InsKind;
use chevet::patient::ins::Patient;
use chevet::patient::ins::Sex;
use chevet::policy::Decision;
use chevet::policy::Matrix;
use chevet::policy::decision::Obligation;
use chevet::policy::decision::Rule;
use chevet::policy::decision::Value;
use chevet::policy::facts::Cell as MatrixCell;
use chevet::policy::matrix::Column;
use chevet::policy::team::Team;
use chevet::record::document::Attachment;
use chevet::record::document::Author;
use chevet::record::document::ClassCode;
use chevet::record::document::Document;
use chevet::record::document::Label;
use chevet::record::document::Status;
use chevet::record::document::TypeCode;
use chevet::record::document::UniqueId;
use chevet::record::filter::Filter;
use chevet::record::reading;
use chevet::record::reading::Reading;
use chevet::record::reading::Row;
use chevet::record::reading::RowKind;
use chevet::record::reading::Run;
use chevet::record::state::Access;
use chevet::record::state::Authorization;
use chevet::record::state::Existence;
use chevet::record::state::RecordState;
use chevet::record::summary::Line;
use chevet::record::summary::Topic;
use chevet::say::Both;
use chevet::say::Looks;
use chevet::screen::leaves::Contact;
use chevet::screen::leaves::InForce;
use chevet::screen::view::DeviceFacts;
use chevet::secret::PinBuffer;
use chevet::time::Now;
use chevet::time::UnixSeconds;
use chevet::time::Wall;
use chevet::trouble::Trouble;
use chevet::visit::Page;
use chevet::visit::Visit;
use chevet::visit::event::CardRead;
use chevet::visit::event::Insertion;
use chevet::visit::event::Language;
use chevet::visit::event::LinkState;
use chevet::visit::event::PatientReceipt;
use chevet::visit::event::PinEntry;
use chevet::visit::event::ReaderState;
use chevet::visit::event::RoundEntry;
use chevet::visit::event::StateAnswer;
use chevet::visit::event::Ticket;
use chevet::visit::event::Waiting;
use chevet::visit::gentle::Patience;
use chevet::visit::page::AskPin;
use chevet::visit::page::Denied;
use chevet::visit::page::Here;
use chevet::visit::page::Home;
use chevet::visit::page::Permitted;
use chevet::visit::page::Reader;
use chevet::visit::page::ReaderStep;
use chevet::visit::page::Record;
use chevet::visit::page::Room;
use chevet::visit::page::Rules;
use chevet::visit::page::gate::About;
use chevet::visit::page::gate::Gate;
use chevet::visit::page::gate::GateStep;
use chevet::visit::page::gate::Question;
use chevet::visit::page::gate::SoFar;
use chevet::visit::page::reception as desk;
use chevet::visit::page::summary::Source as SummarySource;
use chevet::visit::page::summary::Stands;
use chevet::visit::page::summary::Summary;
use chevet::visit::page::summary::SummaryLine;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

pub const LATER: Duration = Duration::from_secs(60);

/// Monday 23 November 2026, 8 h 42 in Paris.
pub fn now() -> Now {
    Now { since_boot: Duration::from_secs(100), wall: Wall::Is(at("2026-11-23T07:42:00Z")) }
}

pub fn at(text: &str) -> UnixSeconds {
    UnixSeconds::parse(text).expect("a time")
}

pub fn device() -> DeviceFacts {
    DeviceFacts {
        site_name: "Cabinet de la Gare".into(),
        software: "0.1.0".into(),
        key_provider: Both {
            french: "Borne non protégée contre le vol".into(),
            english: "Device not protected against theft".into(),
        },
        time_zone: "Europe/Paris".into(),
        has_scanner: true,
        in_force: InForce {
            connector: Both {
                french: "PDSm (FHIR), non homologué".into(),
                english: "PDSm (FHIR), not approved".into(),
            },
            printer: Some("imprimante.local".into()),
            headset: None,
            has_keys: false,
            contact: Some(Contact { name: "GRADeS de test".into(), phone: "01 99 00 12 34".into() }),
        },
    }
}

pub fn visit(page: Page) -> Visit {
    visit_with(page, |_| ())
}

pub fn visit_with(page: Page, change: impl FnOnce(&mut Rules)) -> Visit {
    let row = |code: &str, cell| (TypeCode(code.into()), vec![cell, MatrixCell::Unknown]);
    let rows = vec![row("11502-2", MatrixCell::Yes), row("11490-0", MatrixCell::Unknown)];
    let columns = vec![Column("60_69".into()), Column("10".into())];
    let mut rules = Rules {
        matrix: Matrix::new("26/10/2023".into(), columns, rows),
        regime: Regime::ConseilEtat2025,
        team: Team::named("Équipe du 2e étage", &["899700000001".into()]),
        colleagues: vec![],
        time_zone: "Europe/Paris".into(),
        duty_days: 180,
        framework: None,
        by_phone: true,
        prints: true,
        looks: Looks::default(),
        patience: Patience::default(),
        left_aside: vec![],
    };
    change(&mut rules);
    let mut visit = Visit::new(Arc::new(rules));
    visit.page = page;
    visit.standing.reader = ReaderState::Ready;
    visit.standing.link = LinkState::Online;
    visit.standing.waiting = Some(Waiting::default());
    visit
}

pub fn waiting(traces: u32) -> Waiting {
    Waiting { traces, oldest: Some(at("2026-11-23T05:30:00Z")), ..Waiting::default() }
}

pub fn holder() -> Holder {
    Holder {
        id: HolderId("899700000001".into()),
        family_name: "Lefèvre-Test".into(),
        given_name: "CAMILLE".into(),
        profession: Some(ProfessionCode(60)),
        in_training: false,
        card_kind: CardKind::Cps,
        means: Means::Card,
        specialty: None,
        pharmacist_section: None,
        situations: None,
    }
}

pub fn patient(birth_name: &str, given: &str, year: u16) -> Patient {
    Patient {
        ins: Ins::unchecked("279035121518989", InsKind::Test).expect("well formed"),
        birth_name: birth_name.into(),
        birth_given_names: given.into(),
        sex: Sex::Female,
        birth_date: BirthDate { year, month: 6, day: 15 },
        birth_place: Some("51215".into()),
    }
}

fn here(round: Vec<RoundEntry>) -> Here {
    Here {
        insertion: Insertion(1),
        // As a card says it once its PIN was typed.
        holder: Holder { situations: Some(vec![]), ..holder() },
        login: 0,
        round,
        recent: vec![],
        card_ends: None,
        national_settled: true,
        until: LATER,
    }
}

/// A visit without a card, just begun.
pub fn home_by_phone() -> Page {
    let insertion = Insertion::by_phone(Ticket(1));
    let here = Here { insertion, holder: Holder { means: Means::ECps, ..holder() }, ..here(vec![]) };
    Page::Home(Box::new(Home {
        here,
        typing: false,
        tray: false,
        leaf: None,
        correcting: None,
        notice: None,
        national: None,
        handing: None,
    }))
}

/// With `digits` typed.
pub fn pin(tries_left: Option<u8>, digits: &[u8], was_wrong: bool, last_try_agreed: bool) -> Page {
    pin_verified(tries_left, digits, was_wrong, last_try_agreed, Verified { crl_age_s: 0, warnings: vec![] })
}

pub fn pin_verified(
    tries_left: Option<u8>,
    digits: &[u8],
    was_wrong: bool,
    last_try_agreed: bool,
    verified: Verified,
) -> Page {
    let card = CardRead {
        holder: holder(),
        tries_left,
        pin_digits: (4, 8),
        pin_entry: PinEntry::Screen,
        is_untried: false,
        verified,
    };
    let mut buffer = PinBuffer::new();
    digits.iter().for_each(|digit| buffer.push(*digit, 8));
    let card = Box::new(card);
    Page::AskPin(AskPin { insertion: Insertion(1), card, digits: buffer, was_wrong, last_try_agreed, until: LATER })
}

/// A CPS4, about to be logged in to.
pub fn pin_of_a_cps4() -> Page {
    let Page::AskPin(mut ask) = pin(Some(3), &[], false, false) else { panic!("a PIN page") };
    ask.card.is_untried = true;
    Page::AskPin(ask)
}

/// The reader has keys, and waits for a PIN on them.
pub fn pin_on_reader(tries_left: u8, was_wrong: bool) -> Page {
    let Page::AskPin(mut ask) = pin(Some(tries_left), &[], was_wrong, true) else { panic!("a PIN page") };
    ask.card.pin_entry = PinEntry::Reader;
    Page::CheckingPin { insertion: ask.insertion, card: ask.card, was_wrong, until: LATER }
}

pub fn home(typing: bool, notice: Option<Trouble>, round: Vec<RoundEntry>) -> Page {
    Page::Home(Box::new(Home {
        here: here(round),
        typing,
        tray: false,
        leaf: None,
        correcting: None,
        notice,
        national: None,
        handing: None,
    }))
}

pub fn round() -> Vec<RoundEntry> {
    let entry = |name: &str, given: &str, year, cached, as_of: Option<&str>| RoundEntry {
        patient: patient(name, given, year),
        cached,
        as_of: as_of.map(at),
        // One was read here and never prepared.
        ready: as_of.filter(|_| cached != 1).map(at),
    };
    vec![
        entry("Patiente-Une", "ODETTE", 1953, 14, Some("2026-11-23T06:30:00Z")),
        entry("Patient-Deux", "JEAN-MARIE", 1968, 9, Some("2026-11-20T06:31:00Z")),
        entry("Patiente-Trois", "ÉLODIE", 1945, 0, None),
        entry("De-La-Rochefoucauld-Montmorency-Test", "MARIE-ANTOINETTE", 1931, 120, Some("2026-11-23T06:33:00Z")),
        entry("Patient-Cinq", "LOUIS", 2019, 1, Some("2026-11-23T06:34:00Z")),
    ]
}

pub fn reception() -> Page {
    at_desk(desk::Room::Front, vec![])
}

pub fn receipt() -> PatientReceipt {
    let code = chevet::journal::receipt::qr(&[0x5A; 700]).expect("a code");
    let dark = code.to_colors().into_iter().map(|module| module == qrcode::Color::Dark).collect();
    let sheet = "REÇU D’ACCÈS\nCet accès à un dossier est inscrit dans le journal de la borne, qui ne peut plus l’effacer sans que cela se voie.\n\n\
                 Acte\u{a0}: liste des documents affichée\nQuand (UTC)\u{a0}: 2026-11-23T07:42:00Z\nMotif\u{a0}: équipe de soins\n\
                 Professionnel\u{a0}: RPPS 99700000607\nBorne\u{a0}: chevet-0011223344556677\nInscrit à la ligne 41 d’un journal de 42 lignes.\n\n\
                 Le code ci-dessous est la preuve.\n";
    PatientReceipt { sheet: sheet.into(), side: code.width(), dark }
}

pub fn at_desk(room: desk::Room, prepared: Vec<Patient>) -> Page {
    let holder = Holder { card_kind: CardKind::Cpe, profession: None, ..holder() };
    let (insertion, until, notice) = (Insertion(1), Duration::from_secs(300), None);
    Page::Reception(Box::new(desk::Reception { insertion, holder, until, prepared, room, notice }))
}

pub fn answer(authorization: Authorization) -> StateAnswer {
    StateAnswer {
        state: RecordState {
            existence: Existence::Open,
            authorization,
            blocked: false,
            emergency: None,
            minor: Some(false),
            attending_doctor: false,
            administrator: false,
            care_team: None,
            team_words: vec![],
        },
        source: Source::Online,
        as_of: at("2026-11-23T07:40:00Z"),
        said: Vec::new(),
        spent: None,
    }
}

pub fn gate(step: GateStep) -> Page {
    let patient = patient("Patiente-Une", "ODETTE MARIE", 1953);
    Page::Gate(Box::new(Gate { here: here(vec![]), patient, so_far: SoFar::nothing(), step }))
}

pub fn decision(allow: bool, id: &'static str, sentence: &'static str, obligations: Vec<Obligation>) -> Decision {
    let rule = Rule { id, law: "arrêté du 26 octobre 2023, art. 1", sentence };
    let facts = [("profession", Value::Code(60)), ("type", Value::from("72170-4"))].into_iter().collect();
    Decision { allow, rule, facts, obligations: obligations.into_iter().collect() }
}

pub fn may_open() -> GateStep {
    let sentence = "Le patient vous a déjà autorisé à consulter son dossier.";
    let answer = answer(Authorization::Valid { until: None });
    GateStep::Standing {
        answer,
        decision: Box::new(decision(true, "A-01", sentence, vec![])),
        ground: Some(Ground::Authorization),
        done: None,
    }
}

pub fn must_ask() -> GateStep {
    let sentence = "L’accord initial du patient pour votre équipe n’est pas encore enregistré.";
    let decision = decision(false, "C-02", sentence, vec![Obligation::RecordInitialConsent]);
    GateStep::Standing { answer: answer(Authorization::None), decision: Box::new(decision), ground: None, done: None }
}

pub fn asking(language: Language) -> GateStep {
    let question =
        Question { about: About::Access, by: Speaker::Patient, colleague: None, ground: Ground::Team, language };
    GateStep::AskingPatient { answer: answer(Authorization::None), question }
}

pub fn denied() -> GateStep {
    let sentence = "Le patient a bloqué votre accès à son dossier, avec ou sans autorisation.";
    GateStep::Denied { decision: decision(false, "B-01", sentence, vec![]) }
}

pub fn committed(class: Class) -> Committed {
    let draft = Draft {
        class,
        holder: HolderId("899700000001".into()),
        profession: None,
        login: Some(0),
        proof: None,
        situation: None,
        patient: None,
        document: None,
        ground: None,
        mode: Mode::Normal,
        regime: Regime::ConseilEtat2025,
        rule: "T-00".into(),
        matrix_version: "test".into(),
        reason: None,
        secret: false,
        framework: None,
        source: Source::Online,
        at: now(),
    };
    let (device, software) = ("d".to_owned(), "s".to_owned());
    Pending::new(Trace { index: 1, id: Uuid::nil(), blind: [0; 32], boot: Uuid::nil(), device, software, draft })
        .committed()
}

pub fn document(type_code: &str, label: &str, class: &str, author: &str, day: &str) -> Permitted {
    let document = Document {
        unique_id: UniqueId("2.25.1".into()),
        entry_uuid: "1".into(),
        logical_id: None,
        type_code: TypeCode(type_code.into()),
        type_label: label.into(),
        class_code: ClassCode(class.into()),
        title: "cr_2026_scan0012.pdf".into(),
        authors: vec![Author { id: None, name: author.into(), structure: None }],
        labels: vec![Label::Normal],
        status: Status::Current,
        service_start: at(day),
        created: at(day),
        format_code: "urn:ihe:iti:xds-sd:pdf:2008".into(),
        attachment: Attachment {
            url: "Binary/1".into(),
            content_type: "text/xml".into(),
            size_bytes: None,
            sha1: None,
        },
        by_patient: false,
    };
    Permitted { document, opened: true, is_new: false, decision: decision(true, "M-01", "Permis.", vec![]) }
}

pub fn documents() -> Vec<Permitted> {
    let mut invisible =
        document("18748-4", "Compte rendu d'imagerie médicale", "31", "Dr Radio Test", "2026-03-14T10:00:00Z");
    invisible.document.labels = vec![Label::InvisibleToPatient];
    let mut own = document("DOCPAT03", "Compte rendu déposé par le patient", "90", "Patiente", "2026-02-01T10:00:00Z");
    own.document.by_patient = true;
    let letter = "Lettre de liaison à la sortie d'un établissement de soins";
    vec![
        document("11502-2", "Compte rendu d'examens biologiques", "10", "Laboratoire Test", "2026-11-20T10:00:00Z"),
        document("11490-0", letter, "10", "Service de cardiologie", "2026-11-12T10:00:00Z"),
        document("57833-6", "Prescription de produits de santé", "42", "Dr Traitant Test", "2026-11-12T09:00:00Z"),
        document("60591-5", "Synthèse médicale", "11", "Dr Traitant Test", "2026-09-02T10:00:00Z"),
        invisible,
        own,
    ]
}

pub fn record(room: Room, documents: Vec<Permitted>) -> Record {
    let sentence = "La matrice d’habilitation ne permet pas ce type de document à votre profession.";
    let denied = |class: &str, id, count| Denied {
        class_code: class.into(),
        decision: decision(false, id, sentence, vec![]),
        count,
    };
    Record {
        here: here(vec![]),
        patient: patient("Patiente-Une", "ODETTE MARIE", 1953),
        answer: answer(Authorization::Valid { until: None }),
        ground: Ground::Authorization,
        so_far: SoFar::nothing(),
        listed: committed(Class::Listed),
        documents,
        denied: vec![denied("10", "M-02", 3), denied("44", "M-03", 1)],
        source: Source::Cached,
        as_of: at("2026-11-23T06:30:00Z"),
        ends: None,
        filter: Filter::default(),
        summary: Some(Arc::new(summary())),
        room,
    }
}

/// Drawn from the synthesis; a history of vaccinations could not be had.
pub fn summary() -> Summary {
    let line = |topic, section: &str, text: &str, details: &[(&str, &str)]| SummaryLine {
        place: 3,
        is_named_only: false,
        line: Line {
            topic,
            section: section.into(),
            text: text.into(),
            details: details.iter().map(|(column, value)| ((*column).into(), (*value).into())).collect(),
        },
    };
    let agent = [("Date", "03/06/2018"), ("Type d’allergie", "Allergie médicamenteuse")];
    let dose = [("Depuis", "11/08/2019"), ("Posologie", "1 comprimé par jour")];
    Summary {
        lines: vec![
            line(Topic::Allergies, "Allergies et hypersensibilités", "Pénicilline", &agent),
            line(Topic::Treatments, "Traitements au long cours", "Amlodipine 5 mg", &dose),
            line(Topic::History, "Antécédents chirurgicaux", "Appendicectomie dans l’enfance.", &[]),
            SummaryLine { place: 5, is_named_only: true, ..line(Topic::Directives, "", "Directives anticipées", &[]) },
            line(Topic::Contacts, "", "DECOURCY Sophie, Soeur, 0600000000", &[("", "Personne à prévenir")]),
        ],
        sources: vec![
            SummarySource { place: 3, stands: Stands::Read },
            SummarySource { place: 0, stands: Stands::Failed(Trouble::Offline) },
        ],
        has_synthesis: true,
    }
}

pub fn listed(class: Option<&str>) -> Page {
    let filter = Filter { class: class.map(str::to_owned), ..Filter::default() };
    Page::Record(Box::new(Record { filter, ..record(Room::Documents, documents()) }))
}

pub fn room(room: Room) -> Page {
    Page::Record(Box::new(record(room, documents())))
}

pub fn history() -> Room {
    let line = |day: &str, author: &str, action: &str, context: &str, unsent| Access {
        at: at(day),
        author: author.into(),
        action: action.into(),
        context: context.into(),
        unsent,
    };
    Room::History {
        complete: true,
        lines: vec![
            line("2026-11-23T07:41:00Z", "LEFÈVRE-TEST Camille, infirmière", "Consultation de la liste", "", true),
            line("2026-11-12T09:00:00Z", "Dr Traitant Test", "Ajout d'un document", "Cabinet de la Gare", false),
            line("2026-11-01T02:10:00Z", "Service des urgences", "Accès en urgence", "bris de glace", false),
        ],
    }
}

pub fn reader(step: ReaderStep, text_percent: u16) -> Page {
    let record = record(Room::Documents, documents());
    Page::Document(Box::new(Reader { record, place: 1, step, text_percent, begin_at: 0 }))
}

/// The document of that place in the list.
pub fn reader_of(place: usize, step: ReaderStep) -> Page {
    let record = record(Room::Documents, documents());
    Page::Document(Box::new(Reader { record, place, step, text_percent: 100, begin_at: 0 }))
}

pub fn fetching() -> ReaderStep {
    ReaderStep::Fetching { ticket: Ticket(1), until: LATER }
}

pub fn shown(reading: Reading, page: u32) -> ReaderStep {
    ReaderStep::Shown {
        reading: Arc::new(reading),
        first_page: 0,
        page,
        committed: committed(Class::Opened),
        ahead: None,
    }
}

fn row(kind: RowKind, level: u8, text: &str) -> Row {
    Row { kind, level, text: vec![Run::plain(text)], cells: vec![] }
}

fn cells(kind: RowKind, texts: &[&str]) -> Row {
    let cell = |text: &&str| reading::Cell { text: vec![Run::plain(*text)], columns: 1, rows: 1 };
    Row { kind, level: 0, text: vec![], cells: texts.iter().map(cell).collect() }
}

pub fn narrative() -> Reading {
    let bold = Run { text: "dyspnée d’effort".into(), bold: true, ..Run::default() };
    let mixed = vec![Run::plain("Décompensation cardiaque, "), bold, Run::plain(" depuis dix jours (NYHA < 3).")];
    Reading {
        format: "cda-level-3".into(),
        header: vec![
            ("Patient".into(), "PATIENTE-UNE Odette, née le 15/06/1953".into()),
            ("Auteur".into(), "Service de cardiologie, hôpital de la Côte d’Or".into()),
        ],
        rows: vec![
            row(RowKind::Heading, 0, "Motif d’hospitalisation"),
            Row { text: mixed, ..row(RowKind::Paragraph, 0, "") },
            row(RowKind::Heading, 0, "Traitements à la sortie"),
            cells(RowKind::TableHead, &["Médicament", "Posologie", "Durée"]),
            cells(RowKind::TableRow, &["Furosémide 40 mg", "1 le matin", "1 mois"]),
            cells(RowKind::TableRow, &["Bisoprolol 2,5 mg", "1 le matin, à jeun de préférence", "au long cours"]),
            row(RowKind::Heading, 0, "Suites à donner"),
            row(RowKind::Bullet, 0, "Surveillance du poids deux fois par semaine."),
            row(RowKind::Bullet, 1, "Appeler au-delà de 2 kg en trois jours, sans attendre le rendez-vous prévu."),
            row(RowKind::Numbered, 0, "1. Consultation de cardiologie."),
            row(RowKind::Numbered, 0, "2. Bilan sanguin."),
            row(RowKind::Footnote, 0, "Rédigé le 12/11/2026."),
        ],
        notices: vec!["Mise en forme simplifiée\u{a0}: une image n’est pas montrée.".into()],
        ..Reading::default()
    }
}

/// Three pages, of which one is drawn: grey, with a dark line at its head.
pub fn pictures() -> Reading {
    let (width, height) = (400_u32, 560_u32);
    let pixels: Vec<u8> =
        (0..width * height).flat_map(|at| if at / width < 40 { [20, 35, 43, 255] } else { [230; 4] }).collect();
    Reading {
        format: "cda-level-1/pdf".into(),
        header: vec![("Auteur".into(), "Laboratoire Test".into())],
        pages: vec![reading::Page { width, height, pixels: pixels.into() }],
        page_count: 3,
        ..Reading::default()
    }
}
