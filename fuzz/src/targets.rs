//! What reads bytes that somebody else wrote: a card, an authority, a server, a file brought for checking. Each target must
//! take anything without a panic and without growing beyond what it was given; where more can be said, it is asserted.
//!
//! Used twice: by the fuzzer, and by the ordinary tests, which replay the seeds.

use chevet::card::generation::Generation;
use chevet::card::pkcs15;
use chevet::card::words;
use chevet::device::printer;
use chevet::exchange::Outcome;
use chevet::exchange::dmp::ebrim::Element;
use chevet::exchange::dmp::entry;
use chevet::exchange::dmp::habilitation;
use chevet::exchange::dmp::query;
use chevet::exchange::dmp::retrieve;
use chevet::exchange::dmp::soap::Message;
use chevet::exchange::dmp::state;
use chevet::exchange::dmp::vihf::Actor;
use chevet::exchange::dmp::vihf::Assertion;
use chevet::exchange::dmp::vihf::Shape;
use chevet::exchange::dmp::vihf::Software;
use chevet::exchange::dmp::xml;
use chevet::exchange::pdsm::answer;
use chevet::exchange::pdsm::answer::Asker;
use chevet::exchange::pdsm::capability::Capability;
use chevet::exchange::pdsm::documents;
use chevet::exchange::pdsm::fhir;
use chevet::exchange::pdsm::fhir::Bundle;
use chevet::exchange::pdsm::history;
use chevet::exchange::pdsm::lists;
use chevet::exchange::pdsm::state as fhir_state;
use chevet::identity::anchors::Anchors;
use chevet::identity::anchors::Authority;
use chevet::identity::certificate::Certificate;
use chevet::identity::crl::Crls;
use chevet::identity::holder::HolderId;
use chevet::identity::holder::Situation;
use chevet::identity::id_token;
use chevet::identity::id_token::Key;
use chevet::identity::id_token::Keys;
use chevet::identity::situations;
use chevet::identity::trust;
use chevet::identity::userinfo::Person;
use chevet::journal::export::Verifier;
use chevet::journal::note;
use chevet::journal::note::Countersignature;
use chevet::journal::note::VerifyingKey;
use chevet::journal::receipt::Receipt;
use chevet::link::Answer;
use chevet::link::address;
use chevet::link::header;
use chevet::link::transfer::Begins;
use chevet::link::transfer::Head;
use chevet::link::transfer::Transfer;
use chevet::patient::agenda;
use chevet::patient::datamatrix;
use chevet::patient::ins::Ins;
use chevet::patient::ins::InsKind;
use chevet::record::summary;
use chevet::render::Limits;
use chevet::render::read_here;
use chevet::time::UnixSeconds;
use chevet::time::Wall;
use std::sync::LazyLock;

/// Name, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: &[Target] = &[
    ("atr", atr),
    ("tlv", tlv),
    ("pkcs15", pkcs15),
    ("situation", situation),
    ("certificate", certificate),
    ("authority", authority),
    ("crl", crl),
    ("userinfo", userinfo),
    ("id_token", id_token),
    ("note", note),
    ("receipt", receipt),
    ("export", export),
    ("datamatrix", datamatrix),
    ("agenda", agenda),
    ("fhir", fhir),
    ("bundle", bundle),
    ("headers", headers),
    ("batch", batch),
    ("lists", lists),
    ("capability", capability),
    ("outcome", outcome),
    ("resumed", resumed),
    ("printer", printer),
    ("multipart", multipart),
    ("soap", soap),
    ("ebrim", ebrim),
    ("vihf", vihf),
    ("document", document),
];

fn atr(bytes: &[u8]) {
    let generation = Generation::of(bytes);
    assert!(!generation.name().is_empty());
}

/// What the sealed worker makes of a document, and what a summary makes of that.
fn document(bytes: &[u8]) {
    let limits = Limits { page_width_px: 64, ..Limits::default() };
    let Ok(reading) = read_here(bytes, "", "", 0..0, &limits) else { return };
    assert!(reading.pages.is_empty(), "no page was asked for");
    let mut end = 0;
    for part in &reading.parts {
        assert!(end <= part.rows.start && part.rows.start < part.rows.end && part.rows.end <= reading.rows.len());
        end = part.rows.end;
    }
    assert!(reading.tables.iter().all(|place| *place <= reading.rows.len()));
    let lines = summary::lines(&reading);
    assert!(lines.len() <= 2 * summary::LINES_MAX);
    assert!(lines.iter().all(|line| !line.text.is_empty()), "a line that says nothing");
}

/// The answers that are read without a directory: status words, EF.ATR, EF.SN, the PIN object.
fn tlv(bytes: &[u8]) {
    if let Some((data, _)) = words::split(bytes) {
        assert_eq!(data.len() + 2, bytes.len());
    }
    if let Some(aid) = pkcs15::root_application(bytes) {
        assert!(aid.len() <= bytes.len());
    }
    if let Some(serial) = pkcs15::serial(bytes) {
        assert!(serial.len() <= 2 * bytes.len() + 1);
    }
    pkcs15::tries_left(bytes);
}

/// The directory files, whichever it is.
fn pkcs15(bytes: &[u8]) {
    assert!(pkcs15::applications(bytes).len() <= bytes.len());
    pkcs15::directories(bytes);
    assert!(pkcs15::keys(bytes).len() <= bytes.len());
    assert!(pkcs15::certificates(bytes).len() <= bytes.len());
    assert!(pkcs15::pins(bytes).len() <= bytes.len());
}

fn situation(bytes: &[u8]) {
    if let Some(place) = situations::read(bytes) {
        assert!(!place.structure.is_empty() && place.structure.chars().count() <= bytes.len());
    }
}

fn certificate(bytes: &[u8]) {
    let Ok(certificate) = Certificate::parse(bytes) else { return };
    assert!(certificate.der().len() <= bytes.len());
    assert!(certificate.lists_at().iter().all(|address| address.starts_with("http://")));
    // Read twice, it says the same.
    assert!(Certificate::parse(certificate.der()).as_ref() == Ok(&certificate));
    let now = Wall::Is(UnixSeconds(1_795_000_000));
    let verdict = trust::verify(&certificate, &ANCHORS, &LISTS, now);
    // Nobody here can sign: what is trusted is the seed itself.
    assert!(verdict.is_err() || certificate.der() == NURSE.as_slice());
}

fn authority(bytes: &[u8]) {
    if let Ok(all) = Authority::all_of(bytes) {
        assert!(!all.is_empty() && all.len() <= bytes.len());
        drop(Anchors::from_pem(&[bytes]));
    }
}

fn crl(bytes: &[u8]) {
    let crls = Crls::from_bytes(vec![bytes.to_vec()]);
    assert!(crls.signed(&ANCHORS).count() <= bytes.len());
    // Nobody here can sign: what is taken is the very list of the seeds.
    if let Ok(list) = crls.accept(bytes, &ANCHORS) {
        assert!(!list.is_news && list.name.ends_with(".crl") && !list.name.contains('/'));
    }
    if let Ok(certificate) = Certificate::parse(&NURSE) {
        drop(trust::verify(&certificate, &ANCHORS, &crls, Wall::Is(UnixSeconds(1_795_000_000))));
    }
}

fn userinfo(bytes: &[u8]) {
    let Some(person) = Person::read(bytes) else { return };
    assert!(person.exercises.len() <= bytes.len());
    for chosen in person.exercises.iter().map(Some).chain([None]) {
        let holder = person.holder(chosen);
        assert!(holder.id == person.id && holder.situations.is_some());
    }
}

/// A key set, a line feed, and a token that it may have signed.
fn id_token(bytes: &[u8]) {
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (set, token) = (&bytes[..at], bytes.get(at + 1..).unwrap_or_default());
    let Some(keys) = Keys::read(set) else { return };
    if let Ok(token) = std::str::from_utf8(token)
        && let Ok((_, key)) = id_token::open(token, &keys)
    {
        assert!(Key::read(&key.text()).is_some(), "the key that is written into the row can be read again");
    }
}

fn note(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(head) = note::read(text) {
        assert!(text.starts_with(&note::text(&head)), "what is read is what was signed");
    }
    assert!(Countersignature::all(text).len() <= bytes.len());
    drop(VerifyingKey::parse(text));
}

fn receipt(bytes: &[u8]) {
    let looks = Receipt::is_one(bytes);
    if let Ok(receipt) = Receipt::read(bytes) {
        assert!(looks, "what is read was known for one");
        let text = receipt.to_text();
        assert!(Receipt::read(text.as_bytes()).is_ok_and(|again| again.to_text() == text));
    }
}

fn export(bytes: &[u8]) {
    let mut verifier = Verifier::new(None);
    bytes.split(|byte| *byte == b'\n').for_each(|line| verifier.line(line));
    let report = verifier.finish();
    // An empty line is a row that is no good.
    assert!(report.rows <= bytes.len() as u64 + 1);
}

fn datamatrix(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        drop(datamatrix::parse(text));
    }
}

/// No more visits than appointments, whatever a rule says.
fn agenda(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(agenda) = agenda::read(text, NOON, "Europe/Paris")
    {
        assert!(agenda.visits.len() <= 50 * text.len());
        assert!(agenda.visits.is_sorted_by_key(|visit| visit.at));
    }
}

/// One resource, read as each of those that a record is made of.
fn fhir(bytes: &[u8]) {
    let Ok(resource) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    let documents = documents::documents(vec![resource.clone()], &ASKED);
    // What cannot be read is shown as unreadable, never left out.
    assert_eq!(documents.documents.len(), 1);
    let history = history::accesses(vec![resource.clone()]);
    assert_eq!(history.accesses.len() + history.unreadable, 1);
    let of = |kind: &str| if resource["resourceType"] == kind { vec![resource.clone()] } else { Vec::new() };
    let found = fhir_state::Found { patients: of("Patient"), consents: of("Consent"), care_teams: of("CareTeam") };
    drop(fhir_state::record_state(found, &ASKED, &HolderId("899700101340".into())));
    if let Some(text) = resource.as_str() {
        let _any_time = fhir::time(text);
        assert!(fhir::without_urn(text).len() <= text.len() && fhir::escape(text).len() >= text.len());
    }
}

/// One page of a search, and where the next one is.
fn bundle(bytes: &[u8]) {
    let Ok(page) = Bundle::read(bytes, "searchset", "a search") else { return };
    if let Some(next) = page.next()
        && let Ok(leads) = address::follow(SERVER, next)
    {
        assert!(leads.starts_with("https://dmp.example:8443/"), "the holder's token goes along");
    }
    let entries: Vec<serde_json::Value> = page.matches().collect();
    let count = entries.len();
    let found = documents::documents(entries.clone(), &ASKED);
    assert!(found.documents.len() <= count && found.unreadable <= count);
    let history = history::accesses(entries);
    assert_eq!(history.accesses.len() + history.unreadable, count);
}

/// A server's headers, one a line: its date, then what it says of waiting, of the body, and of where to go.
fn headers(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut lines = text.lines();
    let mut line = || lines.next().unwrap_or_default();
    let date = header::http_date(line());
    let _any_wait = header::retry_after_s(line(), date);
    let kind = header::media_type(line());
    assert!(!kind.contains(';') && kind.len() <= text.len());
    if let Ok(leads) = address::follow(SERVER, line()) {
        assert!(leads.starts_with("https://dmp.example:8443/"), "the holder's token goes along");
    }
}

/// What a server says of each entry that it was sent: never more answers than it was asked for, and nothing of a server's reaches a
/// log but a word.
fn batch(bytes: &[u8]) {
    let found = Bundle::read(bytes, "batch-response", "the traces").map_or(0, |bundle| bundle.entry.len());
    match answer::batched(bytes, found) {
        Ok(outcomes) => {
            assert_eq!(outcomes.len(), found);
            outcomes.iter().for_each(is_bounded);
        }
        Err(_) => assert_eq!(found, 0),
    }
    assert!(answer::batched(bytes, found + 1).is_err(), "one that was not answered");
}

fn is_bounded(outcome: &Outcome) {
    if let Outcome::Refused { code, reason } = outcome {
        let plain = code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        assert!(plain && !code.is_empty() && code.len() <= 32, "a code stands in clear: {code}");
        assert!(!reason.is_empty() && reason.chars().count() <= 300 && !reason.chars().any(char::is_control));
    }
}

/// ITI-66: a page of Lists.
fn lists(bytes: &[u8]) {
    let Ok(page) = Bundle::read(bytes, "searchset", "the submission sets") else { return };
    let found = lists::entries(&page.matches().collect::<Vec<_>>());
    assert!(found.iter().all(|id| !id.is_empty() && !id.contains('/')) && found.len() <= bytes.len());
}

fn capability(bytes: &[u8]) {
    let said = Capability::read(bytes);
    // Only a no is believed, and only a CapabilityStatement says one.
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes)
        && value.is_object()
    {
        assert!(said == Capability::UNSAID || value["resourceType"] == "CapabilityStatement");
    }
}

/// A status of three digits, and what a server says beside it of what it was sent.
fn outcome(bytes: &[u8]) {
    let Some((status, body)) = bytes.split_at_checked(3) else { return };
    let Some(status) = std::str::from_utf8(status).ok().and_then(|status| status.parse().ok()) else { return };
    let answer = Answer {
        status,
        content_type: String::new(),
        content_type_said: String::new(),
        retry_after_s: None,
        body: body.to_vec(),
    };
    for said in [answer::delivered(&answer, Asker::Device), answer::transacted(&answer)] {
        match said {
            Ok(Outcome::Acknowledged) => assert!((200..300).contains(&status)),
            Ok(refused @ Outcome::Refused { .. }) => is_bounded(&refused),
            Ok(Outcome::NotNow) | Err(_) => {}
        }
    }
}

/// `Content-Type` on the first line, then the body: no part holds more than came.
fn multipart(bytes: &[u8]) {
    let Some((kind, body)) = first_line(bytes) else { return };
    let Ok(parts) = chevet::exchange::dmp::multipart::read(kind, body) else { return };
    assert!(!parts.is_empty() && parts.iter().map(|part| part.bytes.len()).sum::<usize>() <= body.len());
    for part in &parts {
        let _found = chevet::exchange::dmp::multipart::part_of(&parts, &format!("cid:{}", part.id));
    }
}

/// The same, read as an answer of the DMP's to every question there is.
fn soap(bytes: &[u8]) {
    let Some((kind, body)) = first_line(bytes) else { return };
    let Ok(message) = Message::read(kind, body) else { return };
    let Ok(document) = message.parse() else { return };
    let Ok(node) = chevet::exchange::dmp::soap::body(&document) else { return };
    if let Some(answer) = query::read(node) {
        let found = entry::documents(&answer.objects);
        assert!(found.documents.len() <= answer.objects.len() && found.unreadable <= found.documents.len());
        assert!(answer.remarks.iter().all(|one| one.code.chars().count() <= 80 && one.text.chars().count() <= 300));
    }
    if let Ok(state) = state::read(node) {
        assert_eq!(state.blocked, state.authorization == chevet::record::state::Authorization::Forbidden);
    }
    if let Ok(content) = retrieve::read(node, &message.parts, "1.2.3") {
        assert!(content.len() <= body.len());
    }
    drop(habilitation::is_set(node));
    if let Some(Ok(patients)) = habilitation::listed(node) {
        assert!(patients.len() <= body.len());
    }
}

/// What was read is written back, and read the same.
fn ebrim(bytes: &[u8]) {
    let Ok(document) = xml::text_of(bytes).and_then(xml::parse) else { return };
    let object = Element::read(document.root_element());
    let text = object.write();
    let again = xml::parse(&text).expect("what is written is well-formed");
    assert!(Element::read(again.root_element()) == object, "something was lost");
    let labels = entry::labels(&object);
    assert!(!labels.is_empty());
    if let Some(read) = entry::read(&object) {
        assert!(!read.authors.is_empty() && read.labels == labels && !read.unique_id.0.is_empty());
    }
}

/// Whatever a card says of its holder, the assertion is well-formed and says it once.
fn vihf(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let mut line = || lines.next().unwrap_or_default().to_owned();
    let Ok(certificate) = Certificate::parse(&NURSE) else { return };
    let mut holder = certificate.holder();
    let (structure, sector, subject, label, version) = (line(), line(), line(), line(), line());
    holder.id = HolderId(line());
    holder.situations = Some(vec![Situation { structure, name: line(), sector: Some(sector) }]);
    let logged_in = UnixSeconds(1_795_000_000);
    let actor = Actor { holder, subject, profession_label: label, logged_in };
    let software = Software { id: Some(line()), name: line(), version: line(), homologation: line() };
    let shape = Shape { version, ..Shape::default() };
    let patient = line();
    let assertion = Assertion {
        issuer: &actor.subject,
        actor: &actor,
        software: &software,
        shape: &shape,
        patient: Some(&patient),
        mode: chevet::journal::words::Mode::Normal,
        id: uuid_of(bytes),
        at: logged_in,
    };
    let written = assertion.write().expect("all is there");
    let document = xml::parse(&written).expect("well-formed");
    let statement = xml::child(document.root_element(), "AttributeStatement").expect("a statement");
    assert_eq!(xml::children(statement, "Attribute").count(), 12, "nothing breaks out");
}

fn uuid_of(bytes: &[u8]) -> uuid::Uuid {
    uuid::Uuid::from_u128(bytes.len() as u128)
}

fn first_line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]))
}

/// What a printer answers, whoever it is.
fn printer(bytes: &[u8]) {
    let _ = printer::read_state(bytes.to_vec());
}

/// What a download's answers say, one a line: a status, `Content-Range`, `ETag`. Whatever they are, it goes on only where it stopped.
fn resumed(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (mut transfer, mut received) = (Transfer::default(), 0_u64);
    for line in text.lines() {
        let mut words = line.split('\t');
        let status = words.next().and_then(|word| word.parse().ok()).unwrap_or(200);
        let range = words.next().and_then(header::content_range);
        let tag = words.next().and_then(header::strong_tag).map(str::to_owned);
        let asked = transfer.headers();
        let head = Head { status, range, tag, coding: String::new() };
        match transfer.answered(&head) {
            Begins::GoesOn => {
                assert!(!asked.is_empty() && status == 206, "nobody asked");
                assert_eq!(range.map(|range| range.first), Some(received));
            }
            Begins::Anew => received = 0,
            Begins::Nowhere => {
                received = 0;
                continue;
            }
            Begins::Refused => continue,
        }
        let more = (line.len() as u64) * 7;
        transfer.took(more);
        received += more;
        transfer.broke_off();
    }
}

const SERVER: &str = "https://dmp.example:8443/fhir";
/// Monday 23 November 2026, 13:00 in Paris.
pub const NOON: UnixSeconds = UnixSeconds(1_795_435_200);

pub static ASKED: LazyLock<Ins> = LazyLock::new(|| Ins::unchecked("279035121518989", InsKind::Test).expect("its form"));

static NURSE: LazyLock<Vec<u8>> = LazyLock::new(|| der(include_str!("../../tests/identity/nurse.pem")));
static ANCHORS: LazyLock<Anchors> = LazyLock::new(|| {
    Anchors::from_pem(&[include_bytes!("../../tests/identity/anchors.pem")]).expect("they are in the repository")
});
static LISTS: LazyLock<Crls> =
    LazyLock::new(|| Crls::from_bytes(vec![include_bytes!("../../tests/identity/authority.crl").to_vec()]));

/// A small base64 reader, so that this crate needs none: the file is ours.
fn der(pem: &str) -> Vec<u8> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => Some(c - b'A'),
        b'a'..=b'z' => Some(c - b'a' + 26),
        b'0'..=b'9' => Some(c - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let body = pem.lines().filter(|line| !line.starts_with("-----")).flat_map(str::bytes).filter_map(digit);
    let (mut bits, mut held, mut out) = (0_u32, 0, Vec::new());
    for six in body {
        bits = bits << 6 | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    out
}
