//! The vault on a real disk: what comes back, what opens nothing, what is seen of it from outside, and what a failing
//! disk does.

use chevet::identity::holder::CertificateKeyId;
use chevet::identity::holder::HolderId;
use chevet::identity::holder::ProfessionCode;
use chevet::journal::Committed;
use chevet::journal::Draft;
use chevet::journal::Held;
use chevet::journal::consent::Answer;
use chevet::journal::consent::Said;
use chevet::journal::consent::Scope;
use chevet::journal::consent::Shown;
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
use chevet::record::document::Attachment;
use chevet::record::document::Author;
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
use chevet::secret::SecretKey;
use chevet::secret::content::Content;
use chevet::time::Now;
use chevet::time::UnixSeconds;
use chevet::time::Wall;
use chevet::vault::Error;
use chevet::vault::Opened;
use chevet::vault::Options;
use chevet::vault::Vault;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use uuid::Uuid;

mod card_key;
#[cfg(feature = "sandbox")]
mod cards;
mod contributions;
#[cfg(feature = "sandbox")]
mod counter;
mod damaged_log;
#[cfg(feature = "sandbox")]
mod export;
pub mod faults;
#[cfg(feature = "sandbox")]
mod foreign;
mod hand_over;
#[cfg(feature = "sandbox")]
mod heads;
mod homes;
mod known;
mod leases;
mod lists;
mod mended;
mod moved;
mod opening;
mod outbox;
mod provider;
#[cfg(feature = "sandbox")]
mod put_back;
#[cfg(feature = "sandbox")]
pub mod receipts;
mod recent;
mod reseal;
#[cfg(feature = "sandbox")]
mod retention;
mod search;
mod shredding;
mod sync;
mod upgrades;
#[cfg(feature = "sandbox")]
mod wired;
mod withdrawal;

const NOON: UnixSeconds = UnixSeconds(1_795_435_200);
const NURSE: &str = "899700000607";
const DOCTOR: &str = "899700000102";
const MATRICULE: &str = "279035121518989";
const OTHER_MATRICULE: &str = "255069999999934";
const TITLE: &str = "Compte rendu canari";
const BIRTH_NAME: &str = "CANARI-DESNOYERS";
const CONTENT: &[u8] = b"the words of a document that nobody may find on the disk";

fn options(folder: &Path) -> Options {
    Options {
        folder: folder.to_path_buf(),
        device: "chevet-0011223344556677".into(),
        software: "chevet test".into(),
        boot: Uuid::from_u128(9),
        device_key: SecretKey::fill_with(|bytes| bytes.fill(0x5a)),
    }
}

/// Other tests start programs meanwhile: between its fork and its exec a child has all our descriptors, the lock of a vault
/// that was just closed among them.
fn open(folder: &Path) -> Vault {
    for _ in 0..200 {
        match Vault::open(options(folder), NOON) {
            Err(Error::InUse) => std::thread::sleep(Duration::from_millis(10)),
            opened => return opened.expect("the vault opens"),
        }
    }
    panic!("the vault stays in use");
}

fn ins(matricule: &str) -> Ins {
    Ins::unchecked(matricule, InsKind::Test).expect("well formed")
}

fn patient() -> Ins {
    ins(MATRICULE)
}

fn identity(matricule: &str) -> Patient {
    Patient {
        ins: ins(matricule),
        birth_name: BIRTH_NAME.into(),
        birth_given_names: "ÉLÉONORE".into(),
        sex: Sex::Female,
        birth_date: BirthDate { year: 1979, month: 3, day: 28 },
        birth_place: Some("51215".into()),
    }
}

fn document(number: u32) -> Document {
    Document {
        unique_id: UniqueId(format!("1.2.250.1.999.{number}")),
        entry_uuid: format!("urn:uuid:{number}"),
        logical_id: None,
        type_code: TypeCode("11488-4".into()),
        type_label: "CR".into(),
        class_code: ClassCode("10".into()),
        title: format!("{TITLE} {number}"),
        authors: vec![Author { id: None, name: "Docteur CANARI-AUTEUR".into(), structure: None }],
        labels: vec![Label::Normal],
        status: Status::Current,
        service_start: NOON,
        created: NOON,
        format_code: "urn:ihe:iti:xds-sd:pdf:2008".into(),
        attachment: Attachment {
            url: format!("Binary/{number}"),
            content_type: "text/xml".into(),
            size_bytes: Some(10),
            sha1: None,
        },
        by_patient: false,
    }
}

fn draft(class: Class, holder: &str, about: Option<(&Ins, Option<&Document>)>) -> Draft {
    Draft {
        class,
        holder: HolderId(holder.into()),
        profession: Some(ProfessionCode(60)),
        login: (class != Class::Login).then_some(0),
        // Cards that really sign are in `cards`.
        proof: None,
        situation: None,
        patient: about.map(|(patient, _)| patient.clone()),
        document: about.and_then(|(_, document)| document.map(|d| (d.unique_id.clone(), d.type_code.clone()))),
        ground: Some(Ground::Team),
        mode: Mode::Normal,
        regime: Regime::ConseilEtat2025,
        rule: "M-01".into(),
        matrix_version: "2026-11".into(),
        reason: None,
        secret: false,
        framework: None,
        source: Source::Online,
        at: now(NOON),
    }
}

fn said(answer: Answer, scope: Scope, holder: &str) -> Said {
    Said {
        patient: patient(),
        holder: HolderId(holder.into()),
        collected_by: HolderId(holder.into()),
        scope,
        answer,
        ground: Ground::Team,
        regime: Regime::ConseilEtat2025,
        shown: Shown { text: "AC-3".into(), version: 1, language: "fr-FR".into() },
        by: Speaker::Patient,
        signature: None,
        at: now(NOON),
    }
}

fn now(at: UnixSeconds) -> Now {
    Now { since_boot: Duration::from_secs(60), wall: Wall::Is(at) }
}

/// Stands for the card: the vault only ever sees that the same statement gives the same bytes.
async fn signature(vault: &Vault, holder: &str, card: u8) -> SecretBytes {
    let statement =
        vault.compartment_statement(&HolderId(holder.into()), CertificateKeyId([card; 32])).await.expect("a statement");
    let mut bytes = vec![card];
    bytes.extend_from_slice(statement.message());
    SecretBytes::new(bytes)
}

async fn unlock(vault: &Vault, holder: &str, card: u8) -> Result<(), Error> {
    unlock_at(vault, holder, card, NOON).await
}

async fn unlock_at(vault: &Vault, holder: &str, card: u8, at: UnixSeconds) -> Result<(), Error> {
    open_compartment(vault, holder, card, at).await.map(drop)
}

/// The same, with how it was found.
async fn open_compartment(vault: &Vault, holder: &str, card: u8, at: UnixSeconds) -> Result<Opened, Error> {
    let signature = signature(vault, holder, card).await;
    vault.unlock(&HolderId(holder.into()), CertificateKeyId([card; 32]), signature, at).await
}

fn held_list(count: u32) -> Held<Vec<Document>> {
    Held::record(patient(), (1..=count).map(document).collect())
}

fn held(number: u32, content: &[u8]) -> Held<Content> {
    Held::document(patient(), document(number).unique_id, Content::new(content.to_vec()))
}

async fn opened_row(vault: &Vault, holder: &str, about: &Ins, number: u32) -> Committed {
    let row = draft(Class::Opened, holder, Some((about, Some(&document(number)))));
    vault.record(vec![row], vec![]).await.expect("recorded").remove(0)
}

async fn content(vault: &Vault, holder: &str, number: u32) -> Result<Vec<u8>, Error> {
    let row = opened_row(vault, holder, &patient(), number).await;
    let released = vault.release(&patient(), &document(number).unique_id, &row).await;
    released.map(|bytes| bytes.show_bytes().to_vec())
}

/// A nurse's day: round, state, list, one small document and one large, one consent.
async fn live_a_day(vault: &Vault) {
    let rows = vec![draft(Class::Login, NURSE, None), draft(Class::Gate, NURSE, Some((&patient(), None)))];
    let team = said(Answer::Yes, Scope::Team("equipe".into()), NURSE);
    vault.record(rows, vec![team]).await.expect("recorded");
    unlock(vault, NURSE, 1).await.expect("opened");
    vault.put_round(vec![identity(MATRICULE), identity(OTHER_MATRICULE)], NOON).await.expect("round kept");
    vault.remember_state(&patient(), &state(), NOON).await.expect("state kept");
    vault.remember_list(&held_list(3), NOON).await.expect("list kept");
    vault.store(&document(1).unique_id, &held(1, CONTENT), NOON).await.expect("kept");
    vault.store(&document(2).unique_id, &held(2, &large()), NOON).await.expect("kept in a file");
}

fn large() -> Vec<u8> {
    CONTENT.iter().copied().cycle().take(300 * 1024).collect()
}

fn state() -> RecordState {
    state_until(NOON.plus(90 * 86_400))
}

fn state_until(end: UnixSeconds) -> RecordState {
    RecordState {
        existence: Existence::Open,
        authorization: Authorization::Valid { until: Some(end) },
        blocked: false,
        emergency: None,
        minor: Some(false),
        attending_doctor: true,
        administrator: false,
        care_team: None,
        team_words: vec![],
    }
}

#[tokio::test]
async fn a_day_comes_back_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    drop(vault);

    let vault = open(folder.path());
    assert!(matches!(vault.round().await, Err(Error::Locked)), "nothing is open without the card");
    assert!(matches!(vault.has(&patient(), &document(1).unique_id).await, Err(Error::Locked)));
    unlock(&vault, NURSE, 1).await.expect("the same card opens it again");
    let round = vault.round().await.expect("read");
    assert_eq!(round.len(), 2);
    assert_eq!((round[0].patient.clone(), round[0].cached, round[0].as_of), (identity(MATRICULE), 2, Some(NOON)));
    assert_eq!((round[1].patient.clone(), round[1].cached, round[1].as_of), (identity(OTHER_MATRICULE), 0, None));
    assert_eq!(vault.state(&patient()).await.expect("read"), Some((state(), NOON)));
    assert_eq!(vault.state(&ins(OTHER_MATRICULE)).await.expect("read"), None);
    let (list, as_of) = vault.list(&patient()).await.expect("read").expect("kept");
    assert_eq!(as_of, NOON);
    let listed = vault.record(vec![draft(Class::Listed, NURSE, Some((&patient(), None)))], vec![]).await;
    let listed = listed.expect("recorded").remove(0);
    assert_eq!(listed.index(), 2, "rows go on where they were");
    let documents = list.release(&listed).expect("the row covers the list");
    assert_eq!(documents, (1..=3).map(document).collect::<Vec<_>>());
    assert_eq!(content(&vault, NURSE, 1).await.expect("released"), CONTENT);
    assert_eq!(content(&vault, NURSE, 2).await.expect("released from its file"), large());
    assert!(matches!(content(&vault, NURSE, 3).await, Err(Error::Absent)), "listed and never fetched");
    assert_eq!(vault.consents(&patient()).await.expect("read").len(), 1);
    assert_eq!(vault.witnessed().await.expect("read").newest, NOON);
}

#[tokio::test]
async fn a_row_about_something_or_somebody_else_releases_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let wanted = document(1).unique_id;
    let other_document = opened_row(&vault, NURSE, &patient(), 2).await;
    let other_patient = opened_row(&vault, NURSE, &ins(OTHER_MATRICULE), 1).await;
    let other_holder = opened_row(&vault, DOCTOR, &patient(), 1).await;
    let listed = vault.record(vec![draft(Class::Listed, NURSE, Some((&patient(), None)))], vec![]).await;
    let listed = listed.expect("recorded").remove(0);
    for row in [other_document, other_patient, other_holder, listed] {
        assert!(matches!(vault.release(&patient(), &wanted, &row).await, Err(Error::NotCovered)), "{}", row.index());
    }
    let right = opened_row(&vault, NURSE, &patient(), 1).await;
    assert_eq!(vault.release(&patient(), &wanted, &right).await.expect("released").show_bytes(), CONTENT);
    vault.lock().await;
    assert!(matches!(vault.release(&patient(), &wanted, &right).await, Err(Error::Locked)));
}

fn nurse() -> HolderId {
    HolderId(NURSE.into())
}

/// A file that only its owner reads, as a key must be.
fn write_private(path: &Path, bytes: &[u8]) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, bytes).expect("written");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("set");
}

/// Every file below the folder.
fn everything(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("listed").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                found.push((entry.path(), std::fs::read(entry.path()).expect("read")));
            }
        }
    }
    found
}

#[tokio::test]
async fn no_byte_of_the_folder_names_anybody_or_anything() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let id = vault.waiting(None, 1).await.expect("read")[0].0.id;
    vault.set_aside(id, "422".into(), "le patient CANARI-RAISON".into(), NOON).await.expect("kept");
    let canaries: Vec<&[u8]> = vec![
        MATRICULE.as_bytes(),
        OTHER_MATRICULE.as_bytes(),
        BIRTH_NAME.as_bytes(),
        "ÉLÉONORE".as_bytes(),
        TITLE.as_bytes(),
        b"CANARI-AUTEUR",
        b"CANARI-RAISON",
        NURSE.as_bytes(),
        b"1.2.250.1.999",
        b"11488-4",
        b"nobody may find",
    ];
    // Once with everything in the write-ahead logs, once closed.
    let mut looked_at = 0;
    for is_open in [true, false] {
        if is_open {
            let names: Vec<PathBuf> = everything(folder.path()).into_iter().map(|(path, _)| path).collect();
            assert!(names.iter().any(|name| name.to_string_lossy().ends_with("journal.db-wal")), "{names:?}");
        }
        for (path, bytes) in everything(folder.path()) {
            for canary in &canaries {
                let found = bytes.windows(canary.len()).any(|window| window == *canary);
                assert!(!found, "{} in {}", String::from_utf8_lossy(canary), path.display());
            }
            let name = path.to_string_lossy().into_owned();
            assert!(!name.contains(MATRICULE) && !name.contains(NURSE), "{name}");
            looked_at += bytes.len();
        }
        if is_open {
            vault.lock().await;
        }
    }
    assert!(looked_at > 300 * 1024, "the sealed file was among them");
}

#[tokio::test]
async fn a_value_moved_between_rows_or_patients_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    vault.store(&document(3).unique_id, &held(3, b"another document's words"), NOON).await.expect("kept");
    let other = ins(OTHER_MATRICULE);
    let list = Held::record(other.clone(), vec![document(1)]);
    vault.remember_list(&list, NOON).await.expect("kept");
    let theirs = Held::document(other.clone(), document(1).unique_id, Content::new(b"theirs".to_vec()));
    vault.store(&document(1).unique_id, &theirs, NOON).await.expect("kept");
    drop(vault);

    let file = compartment_file(folder.path());
    let database = rusqlite::Connection::open(&file).expect("a database");
    let swap = |a: i64, b: i64| {
        let read = |id: i64| -> Vec<u8> {
            let sql = "SELECT content FROM document WHERE id = ?1";
            database.query_row(sql, [id], |row| row.get(0)).expect("read")
        };
        for (id, content) in [(a, read(b)), (b, read(a))] {
            let sql = "UPDATE document SET content = ?2 WHERE id = ?1";
            assert_eq!(database.execute(sql, rusqlite::params![id, content]).expect("written"), 1);
        }
    };
    let sizes: Vec<(i64, Option<i64>)> = database
        .prepare("SELECT id, size FROM document ORDER BY id")
        .and_then(|mut asked| asked.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).and_then(Iterator::collect))
        .expect("read");
    assert_eq!(sizes.len(), 4, "{sizes:?}");
    // Rows 1 and 3 of one patient, then row 1 of both patients.
    for (from, to) in [(sizes[0].0, sizes[2].0), (sizes[0].0, sizes[3].0)] {
        swap(from, to);
        let vault = open(folder.path());
        unlock(&vault, NURSE, 1).await.expect("opened");
        let refused = content(&vault, NURSE, 1).await;
        assert!(matches!(refused, Err(Error::Sealed { table: "document", column: "content" })), "{refused:?}");
        drop(vault);
        swap(from, to);
    }
    let vault = open(folder.path());
    unlock(&vault, NURSE, 1).await.expect("opened");
    assert_eq!(content(&vault, NURSE, 1).await.expect("in its place again"), CONTENT);
}

fn compartment_file(folder: &Path) -> PathBuf {
    let files: Vec<PathBuf> = everything(&folder.join("compartments"))
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| path.extension().is_some_and(|end| end == "db"))
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[tokio::test]
async fn a_document_that_left_the_list_leaves_the_compartment() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    vault.remember_list(&held_list(1), NOON.plus(60)).await.expect("kept");
    assert_eq!(content(&vault, NURSE, 1).await.expect("still listed"), CONTENT);
    assert!(matches!(content(&vault, NURSE, 2).await, Err(Error::Absent)), "masked since");
    let sealed_files = everything(&folder.path().join("compartments"));
    assert!(sealed_files.iter().all(|(path, _)| path.extension().is_some()), "its file too");
}
