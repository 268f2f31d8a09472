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
use chevet::journal::item::Body;
use chevet::journal::item::Contribution;
use chevet::journal::item::Item;
use chevet::journal::note::Countersignature;
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
use chevet::record::note::Note;
use chevet::record::note::NoteDraft;
use chevet::record::note::Writer;
use chevet::record::state::Authorization;
use chevet::record::state::Existence;
use chevet::record::state::RecordState;
use chevet::record::sync::Changes;
use chevet::record::sync::Standing;
use chevet::secret::SecretBytes;
use chevet::secret::content::Aside;
use chevet::secret::content::Content;
use chevet::time::Now;
use chevet::time::UnixSeconds;
use chevet::time::Wall;
use chevet::vault;
use chevet::vault::Opened;
use chevet::vault::Vault;
use std::path::Path;
use std::sync::Arc;
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

/// Who signs heads.
pub const CARD: CertificateKeyId = CertificateKeyId([9; 32]);
/// What a register of a countersignature holds.
pub const SIGNED: &str = "signed";
/// A hand-over waits this long.
pub const MINUTES: Duration = Duration::from_secs(300);
/// Names of notes, far from all others.
const NOTES: u128 = 0x0c4e_0000_0000_7000_8000_0000_0000_0000;

/// The holder's next card.
pub async fn unlock_next(vault: &Vault, who: usize, at: i64) -> Result<Opened, vault::Error> {
    unlock_with(vault, who, who as u8 + 10, at).await
}

/// Stands for the card: the same statement always gives the same bytes.
pub async fn unlock(vault: &Vault, who: usize, at: i64) -> Result<Opened, vault::Error> {
    unlock_with(vault, who, who as u8, at).await
}

async fn unlock_with(vault: &Vault, who: usize, card: u8, at: i64) -> Result<Opened, vault::Error> {
    let key = CertificateKeyId([card; 32]);
    let statement = vault.compartment_statement(&holder(who), key).await?;
    let signature = SecretBytes::new([&[card], statement.message()].concat());
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

pub fn note_id(number: u32) -> Uuid {
    Uuid::from_u128(NOTES + u128::from(number))
}

pub fn number_of_note(id: Uuid) -> Option<u32> {
    u32::try_from(id.as_u128().checked_sub(NOTES)?).ok()
}

pub fn draft_of(number: u32) -> NoteDraft {
    NoteDraft { text: words_of(number), ..NoteDraft::new(note_id(number)) }
}

fn words_of(number: u32) -> String {
    format!("{number} is what was written. ").repeat(40)
}

pub fn contribution(number: u32, who: usize, patient: usize) -> Contribution {
    let writer = Writer {
        id: holder(who),
        family_name: "NOM".into(),
        given_name: "Prénom".into(),
        profession: None,
        profession_label: "Infirmier".into(),
        specialty: None,
        situation: None,
    };
    Contribution::add(Note {
        id: note_id(number),
        patient: round(0)[patient].clone(),
        writer,
        type_code: TypeCode("11505-5".into()),
        type_label: "Compte rendu".into(),
        class_code: ClassCode("10".into()),
        text: words_of(number),
        labels: vec![Label::Normal],
        replaces: None,
        at: UnixSeconds(NOON),
    })
}

/// Stands for the card's signature over the head of that size.
pub fn signature_over(size: u64) -> Vec<u8> {
    size.to_be_bytes().repeat(32)
}

/// As it stands under the head.
pub fn countersignature(device: &str, size: u64) -> String {
    Countersignature::line(device, 0, CARD, &signature_over(size))
}

/// What waits of that holder's notes, each with whether it is what was written.
pub async fn waiting_notes(vault: &Vault, who: usize) -> Result<Vec<(u32, bool)>, vault::Error> {
    let waiting = vault.waiting(Some(&holder(who)), 100_000).await?;
    let note = |(item, _): &(Item, _)| {
        let Body::Contribution(one) = &item.body else { return None };
        let number = number_of_note(item.id)?;
        let same = (0..2).any(|patient| **one == contribution(number, who, patient));
        Some((number, same))
    };
    Ok(waiting.iter().filter_map(note).collect())
}

pub async fn read_draft(vault: &Vault, patient: usize) -> Result<String, vault::Error> {
    let Some(draft) = vault.note_draft(&ins(patient)).await? else { return Ok(NOTHING.into()) };
    let number = number_of_note(draft.id).filter(|number| draft == draft_of(*number));
    Ok(number.map_or_else(|| "mixed".into(), |number| number.to_string()))
}

/// The same list, as what has changed.
pub fn changes(number: u32, patient: usize, missing: u32) -> Held<Changes> {
    let documents = (0..DOCUMENTS).filter(|document| *document != missing).map(|document| listed(number, document));
    let documents: Vec<Document> = documents.collect();
    let standing = documents.iter().map(|document| Standing {
        entry_uuid: document.entry_uuid.clone(),
        unique_id: Some(document.unique_id.clone()),
        labels: document.labels.clone(),
    });
    Held::record(ins(patient), Changes { standing: standing.collect(), documents, replaced: Vec::new() })
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

/// After all leases: an authorization that ends sooner would end them.
const FAR: i64 = NOON + 10_000 * 86_400;

pub fn state(number: u32) -> RecordState {
    RecordState {
        existence: Existence::Open,
        authorization: Authorization::Valid { until: Some(UnixSeconds(FAR + i64::from(number))) },
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

pub fn content(number: u32, patient: usize, document: u32) -> Held<Content> {
    let bytes = bytes(number, patient, document);
    let is_aside = is_large(number) && number.is_multiple_of(2);
    let content = if is_aside { Content::Aside(Arc::new(Poured(bytes))) } else { Content::new(bytes) };
    Held::document(ins(patient), document_id(document), content)
}

/// What came from the line without ever being whole in memory.
struct Poured(Vec<u8>);

impl Aside for Poured {
    fn size(&self) -> usize {
        self.0.len()
    }

    /// By a length that is no part of a chunk.
    fn pour(&self, into: &mut dyn FnMut(&[u8]) -> std::io::Result<()>) -> std::io::Result<()> {
        self.0.chunks(50_000).try_for_each(into)
    }
}

/// One in three stands in a sealed file.
fn is_large(number: u32) -> bool {
    number.is_multiple_of(3)
}

fn bytes(number: u32, patient: usize, document: u32) -> Vec<u8> {
    let size = if is_large(number) { 270 * 1024 } else { 3 * 1024 };
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
        Authorization::Valid { until: Some(until) } => (until.0 - FAR).to_string(),
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
