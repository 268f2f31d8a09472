//! What is written, with its number in it, and how it is read back.

use crate::Done;
use crate::life::DOCUMENTS;
use crate::life::NOTHING;
use chevet::identity::holder::CertificateKeyId;
use chevet::identity::holder::HolderId;
use chevet::journal::Draft;
use chevet::journal::Held;
use chevet::journal::Trace;
use chevet::journal::consent::Answer;
use chevet::journal::consent::Said;
use chevet::journal::consent::Scope;
use chevet::journal::consent::Shown;
use chevet::journal::consent::Speaker;
use chevet::journal::item::Item;
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
use chevet::record::document::Attachment;
use chevet::record::document::ClassCode;
use chevet::record::document::Document;
use chevet::record::document::Label;
use chevet::record::document::Status;
use chevet::record::document::TypeCode;
use chevet::record::document::UniqueId;
use chevet::record::state::Authorization;
use chevet::record::state::Existence;
use chevet::record::state::RecordState;
use chevet::secret::SecretBytes;
use chevet::time::Now;
use chevet::time::UnixSeconds;
use chevet::time::Wall;
use chevet::vault;
use chevet::vault::Vault;
use std::path::Path;
use std::time::Duration;
use uuid::Uuid;

pub const NOON: i64 = 1_795_435_200;
/// A text that the holder was told.
pub const TEXT: &str = "AP-1";
/// What a row that a check writes says, so that it is not taken for one of the life's.
pub const CHECK: &str = "check";
const HOLDERS: [&str; 2] = ["899700000607", "899700000102"];
const MATRICULES: [&str; 2] = ["279035121518989", "255069999999934"];

pub fn open(folder: &Path, at: i64) -> Result<Vault, vault::Error> {
    let options = vault::Options {
        folder: folder.to_path_buf(),
        device: vault::keys::device_id(folder)?,
        software: "chevet crash".into(),
        boot: Uuid::from_u128(at as u128),
        device_key: vault::keys::desk_device_key(folder)?,
    };
    Vault::open(options, time(at))
}

/// Stands for the card: the same statement always gives the same bytes.
pub async fn unlock(vault: &Vault, who: usize, at: i64) -> Result<(), vault::Error> {
    let key = CertificateKeyId([who as u8; 32]);
    let statement = vault.compartment_statement(&holder(who), key).await?;
    let signature = SecretBytes::new([&[who as u8], statement.message()].concat());
    vault.unlock(&holder(who), key, signature, time(at)).await
}

pub fn row(class: Class, number: u32, who: usize, patient: usize, at: i64) -> Draft {
    let is_login = class == Class::Login;
    Draft {
        rule: format!("row {number}"),
        patient: (!is_login).then(|| ins(patient)),
        document: (class == Class::Opened).then(|| (document_id(number % DOCUMENTS), TypeCode("11488-4".into()))),
        ..draft(class, who, at)
    }
}

/// What a check writes before it reads a document.
pub fn check_row(who: usize, patient: usize, document: u32, at: i64) -> Draft {
    let document = Some((document_id(document), TypeCode("11488-4".into())));
    Draft { rule: CHECK.into(), patient: Some(ins(patient)), document, ..draft(Class::Opened, who, at) }
}

fn draft(class: Class, who: usize, at: i64) -> Draft {
    Draft {
        class,
        holder: holder(who),
        profession: None,
        login: None,
        proof: None,
        situation: None,
        patient: None,
        document: None,
        ground: Some(Ground::Team),
        mode: Mode::Normal,
        regime: Regime::ConseilEtat2025,
        rule: String::new(),
        matrix_version: "2026-11".into(),
        reason: None,
        secret: false,
        framework: None,
        source: Source::Online,
        at: now(at),
    }
}

pub fn number_of(trace: &Trace) -> Option<u32> {
    number_in(&trace.draft.rule)
}

pub fn number_in(rule: &str) -> Option<u32> {
    rule.strip_prefix("row ")?.parse().ok()
}

pub fn id(item: &Item) -> Uuid {
    item.id
}

pub fn said(answer: Answer, number: u32, who: usize, patient: usize, at: i64) -> Said {
    Said {
        patient: ins(patient),
        holder: holder(who),
        collected_by: holder(who),
        scope: Scope::Team("team".into()),
        answer,
        ground: Ground::Team,
        regime: Regime::ConseilEtat2025,
        shown: Shown { text: "AC-3".into(), version: number, language: "fr-FR".into() },
        by: Speaker::Patient,
        signature: None,
        at: now(at),
    }
}

pub fn answer(answer: Answer) -> &'static str {
    if answer == Answer::Yes { "yes" } else { "no" }
}

/// Two patients; the second one's place of birth is the number.
pub fn round(number: u32) -> Vec<Patient> {
    let identity = |matricule, birth_place| Patient {
        ins: Ins::unchecked(matricule, InsKind::Test).expect("well formed"),
        birth_name: "NOM".into(),
        birth_given_names: "PRENOM".into(),
        sex: Sex::Female,
        birth_date: BirthDate { year: 1979, month: 3, day: 28 },
        birth_place: Some(birth_place),
    };
    vec![identity(MATRICULES[0], "51215".into()), identity(MATRICULES[1], number.to_string())]
}

pub fn state(number: u32) -> RecordState {
    RecordState {
        existence: Existence::Open,
        authorization: Authorization::Valid { until: Some(UnixSeconds(number.into())) },
        blocked: false,
        emergency: None,
        minor: Some(false),
        attending_doctor: true,
        administrator: false,
        care_team: None,
        team_words: Vec::new(),
    }
}

/// All documents but one.
pub fn list(number: u32, patient: usize, missing: u32) -> Held<Vec<Document>> {
    let documents = (0..DOCUMENTS).filter(|document| *document != missing);
    Held::record(ins(patient), documents.map(|document| listed(number, document)).collect())
}

fn listed(number: u32, document: u32) -> Document {
    Document {
        unique_id: document_id(document),
        entry_uuid: format!("urn:uuid:{document}"),
        logical_id: None,
        type_code: TypeCode("11488-4".into()),
        type_label: "CR".into(),
        class_code: ClassCode("10".into()),
        title: number.to_string(),
        authors: vec![],
        labels: vec![Label::Normal],
        status: Status::Current,
        service_start: UnixSeconds(NOON),
        created: UnixSeconds(NOON),
        format_code: "urn:ihe:iti:xds-sd:pdf:2008".into(),
        attachment: Attachment {
            url: format!("Binary/{document}"),
            content_type: "text/xml".into(),
            size_bytes: Some(10),
            sha1: None,
        },
        by_patient: false,
    }
}

pub fn content(number: u32, patient: usize, document: u32) -> Held<SecretBytes> {
    let bytes = SecretBytes::new(bytes(number, patient, document));
    Held::document(ins(patient), document_id(document), bytes)
}

/// One in three stands in a sealed file.
fn bytes(number: u32, patient: usize, document: u32) -> Vec<u8> {
    let size = if number.is_multiple_of(3) { 270 * 1024 } else { 3 * 1024 };
    let words = format!("{number} is the number of document {document} of patient {patient}. ");
    words.bytes().cycle().take(size).collect()
}

pub async fn read_round(vault: &Vault) -> Result<String, vault::Error> {
    let round = vault.round().await?;
    let number = round.get(1).and_then(|row| row.patient.birth_place.clone());
    Ok(if round.len() == 2 { number.unwrap_or_else(|| "?".into()) } else { NOTHING.into() })
}

pub async fn read_told(vault: &Vault) -> Result<String, vault::Error> {
    Ok(vault.told(TEXT).await?.map_or(NOTHING.into(), |at| at.0.to_string()))
}

pub async fn read_state(vault: &Vault, patient: usize) -> Result<String, vault::Error> {
    let number = |(state, _): (RecordState, UnixSeconds)| match state.authorization {
        Authorization::Valid { until: Some(until) } => until.0.to_string(),
        _ => "?".into(),
    };
    Ok(vault.state(&ins(patient)).await?.map_or(NOTHING.into(), number))
}

/// Titles are not seen without a row: they are compared with what they must be.
pub async fn read_list(vault: &Vault, patient: usize) -> Done<String> {
    let Some((list, _)) = vault.list(&ins(patient)).await? else { return Ok(NOTHING.into()) };
    let listed = Draft { rule: CHECK.into(), patient: Some(ins(patient)), ..draft(Class::Listed, 0, NOON) };
    let row = vault.record(vec![listed], vec![]).await?.remove(0);
    let documents = list.release(&row).map_err(|_| "the row does not cover the list")?;
    let number: u32 = documents.first().ok_or("an empty list")?.title.parse()?;
    let whole = (0..DOCUMENTS).filter(|document| *document != number % (DOCUMENTS + 1)).count();
    let same = documents.len() == whole && documents.iter().all(|document| document.title == number.to_string());
    Ok(if same { number.to_string() } else { "mixed".into() })
}

pub async fn read_document(vault: &Vault, who: usize, patient: usize, document: u32) -> Done<String> {
    if !vault.has(&ins(patient), &document_id(document)).await? {
        return Ok(NOTHING.into());
    }
    let row = vault.record(vec![check_row(who, patient, document, NOON)], vec![]).await?.remove(0);
    let content = vault.release(&ins(patient), &document_id(document), &row).await?;
    let text = std::str::from_utf8(content.show_bytes())?;
    let number = text.split(' ').next().unwrap_or_default();
    let same = bytes(number.parse()?, patient, document) == text.as_bytes();
    Ok(if same { number.to_owned() } else { "mixed".into() })
}

pub async fn read_consents(vault: &Vault, patient: usize) -> Result<Vec<(u32, &'static str)>, vault::Error> {
    let consents = vault.consents(&ins(patient)).await?;
    Ok(consents.iter().map(|consent| (consent.said.shown.version, answer(consent.said.answer))).collect())
}

/// The names of all that a refusal or a lease's end takes.
pub fn all_of(holders: &[usize], patients: &[usize]) -> Vec<String> {
    let mut all = Vec::new();
    for (who, patient) in holders.iter().flat_map(|who| patients.iter().map(move |patient| (who, patient))) {
        all.extend(["state", "list"].map(|kind| format!("{kind}/{who}/{patient}")));
        all.extend((0..=DOCUMENTS).map(|document| format!("document/{who}/{patient}/{document}")));
    }
    all
}

pub fn ins(patient: usize) -> Ins {
    Ins::unchecked(MATRICULES[patient], InsKind::Test).expect("well formed")
}

pub fn holder(who: usize) -> HolderId {
    HolderId(HOLDERS[who].into())
}

pub fn document_id(document: u32) -> UniqueId {
    UniqueId(format!("1.2.250.1.999.{document}"))
}

pub fn time(at: i64) -> UnixSeconds {
    UnixSeconds(at)
}

pub fn now(at: i64) -> Now {
    Now { since_boot: Duration::from_secs(60), wall: Wall::Is(time(at)) }
}
