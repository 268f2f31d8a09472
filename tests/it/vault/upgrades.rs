//! Every version's store is kept in `tests/vaults` and upgraded; and a program that is put back still uses the newer one's.
//!
//! When a step is added, what the program wrote before it is added there: `journal-N.sql`, `compartment-N.sql`.

use super::*;
use chevet::journal::export::Verifier;
use chevet::journal::note::VerifyingKey;
use chevet::vault::Look;

const JOURNALS: &[&str] = &[
    include_str!("../../vaults/journal-1.sql"),
    include_str!("../../vaults/journal-2.sql"),
    include_str!("../../vaults/journal-3.sql"),
    include_str!("../../vaults/journal-4.sql"),
    include_str!("../../vaults/journal-5.sql"),
    include_str!("../../vaults/journal-6.sql"),
    include_str!("../../vaults/journal-7.sql"),
    include_str!("../../vaults/journal-8.sql"),
];
const COMPARTMENTS: &[&str] = &[
    include_str!("../../vaults/compartment-1.sql"),
    include_str!("../../vaults/compartment-2.sql"),
    include_str!("../../vaults/compartment-3.sql"),
    include_str!("../../vaults/compartment-4.sql"),
    include_str!("../../vaults/compartment-5.sql"),
    include_str!("../../vaults/compartment-6.sql"),
];
/// The document that `compartment-6.sql` has in a file, and how long it is.
const SEALED_FILE: (&str, &[u8], usize) =
    ("bc45df6136770083332c1223d82b4fef", include_bytes!("../../vaults/compartment-6.file"), 66_000);
/// The nurse's compartment, as it is named in those journals.
const COMPARTMENT: &str = "7b92334385b9283129dda1f45e6ef6d4";
/// One more than this program knows.
const TOMORROW: [i64; 2] = [9, 7];

/// Lays a version's store out.
fn laid_out(journal: &str, compartment: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let compartments = folder.path().join("compartments");
    std::fs::create_dir_all(compartments.join(COMPARTMENT)).expect("made");
    for (path, sql) in [(journal_of(&folder), journal), (compartment_of(&folder), compartment)] {
        rusqlite::Connection::open(path).expect("made").execute_batch(sql).expect("filled");
    }
    let (name, bytes, _) = SEALED_FILE;
    if compartment.contains(name) {
        std::fs::write(compartments.join(COMPARTMENT).join(name), bytes).expect("written");
    }
    folder
}

fn journal_of(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("journal.db")
}

fn compartment_of(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join(format!("compartments/{COMPARTMENT}.db"))
}

/// All that stands in a database, as SQL would write it.
fn all_of(database: &Path) -> Vec<String> {
    let database = rusqlite::Connection::open(database).expect("a database");
    let column = |sql: &str| -> Vec<String> {
        let mut asked = database.prepare(sql).expect("prepared");
        asked.query_map([], |row| row.get(0)).and_then(Iterator::collect).expect("read")
    };
    let version: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0)).expect("read");
    let mut all = vec![format!("version {version}")];
    for table in column("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") {
        let columns = column(&format!("SELECT name FROM pragma_table_info('{table}') ORDER BY name"));
        let quoted: Vec<String> = columns.iter().map(|column| format!("quote({column})")).collect();
        all.push(format!("{table}: {columns:?}"));
        all.extend(column(&format!("SELECT {} FROM {table} ORDER BY 1", quoted.join(" || ',' || "))));
    }
    all.extend(column("SELECT name FROM sqlite_schema WHERE type = 'index' ORDER BY name"));
    all
}

/// The names of its tables, columns and indexes.
fn shape_of(database: &Path) -> Vec<String> {
    all_of(database).into_iter().filter(|line| !line.contains('\'') && !line.starts_with(char::is_numeric)).collect()
}

fn proven(folder: &Path) -> chevet::journal::export::Report {
    write_private(&folder.join("key"), &[0x5a; 32]);
    write_private(&folder.join("device.id"), b"chevet-0011223344556677\n");
    let look = Look::open(folder, Some(&folder.join("key"))).expect("a look");
    let mut out = Vec::new();
    look.export(&mut out).expect("exported");
    let mut verifier = Verifier::new(VerifyingKey::parse(&look.status().expect("read").device_key));
    out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).for_each(|line| verifier.line(line));
    verifier.finish()
}

/// What was written then, read by this program.
async fn check_what_was_written(folder: &Path, rows: u32) {
    let vault = open(folder);
    assert!(vault.sealed_aside().is_empty());
    let counts = vault.counts().await.expect("counted");
    assert_eq!((counts.traces, counts.consents, counts.set_aside.len()), (rows - 2, 1, 1));
    assert_eq!(vault.consents(&patient()).await.expect("read").len(), 1);
    unlock(&vault, NURSE, 1).await.expect("opened");
    assert_eq!(vault.round().await.expect("read").len(), 2);
    assert_eq!(vault.state(&patient()).await.expect("read"), Some((state_until(NOON), NOON)));
    assert!(vault.list(&patient()).await.expect("read").is_some());
    assert_eq!(content(&vault, NURSE, 1).await.expect("released"), CONTENT);
    let has_a_file = vault.has(&patient(), &document(2).unique_id).await.expect("read");
    assert_eq!(has_a_file, folder.join("compartments").join(COMPARTMENT).join(SEALED_FILE.0).exists());
    if has_a_file {
        let opened = opened_row(&vault, NURSE, &patient(), 2).await;
        let released = vault.release(&patient(), &document(2).unique_id, &opened).await.expect("released");
        assert_eq!(released.show_bytes(), &large()[..SEALED_FILE.2]);
    }
    let rows = rows + u32::from(has_a_file);
    vault.cover().await.expect("covered");
    let report = proven(folder);
    assert!(report.ok && report.rows == u64::from(rows) + 1 && report.anchored == 2, "{report:?}");
}

#[tokio::test]
async fn every_version_is_upgraded_twice_with_the_same_result() {
    let new = tempfile::tempdir().expect("a folder");
    live_a_day(&open(new.path())).await;
    for (journal, compartment) in JOURNALS.iter().flat_map(|journal| COMPARTMENTS.iter().map(move |one| (journal, one)))
    {
        let [first, second] = [laid_out(journal, compartment), laid_out(journal, compartment)];
        for folder in [&first, &second] {
            let vault = open(folder.path());
            unlock(&vault, NURSE, 1).await.expect("opened");
        }
        for file in [journal_of, compartment_of] {
            assert_eq!(all_of(&file(&first)), all_of(&file(&second)));
        }
        assert_eq!(shape_of(&journal_of(&first)), shape_of(&new.path().join("journal.db")), "as one made today");
        assert_eq!(shape_of(&compartment_of(&first)), shape_of(&compartment_file(new.path())));
        let upgraded = all_of(&journal_of(&first));
        drop(open(first.path()));
        assert_eq!(all_of(&journal_of(&first)), upgraded, "once is enough");
        for (path, _) in everything(first.path()) {
            assert!(!path.to_string_lossy().contains(".next"), "{} was left", path.display());
        }
        let known = open(first.path()).known_card("1234", NOON).await.expect("read");
        assert_eq!(known.is_some(), journal.contains("INSERT INTO \"card\""), "a card stays known");
        let rows = journal.matches("INSERT INTO \"trace\"").count() as u32;
        check_what_was_written(first.path(), rows).await;
    }
}

/// A copy that a power cut left half made is made anew; the old one is as it was.
#[tokio::test]
async fn a_copy_that_was_left_is_nobodys() {
    let folder = laid_out(JOURNALS[1], COMPARTMENTS[0]);
    for left in ["journal.db.next", "journal.db.next-wal"] {
        std::fs::write(folder.path().join(left), vec![0x42; 9_000]).expect("written");
    }
    check_what_was_written(folder.path(), 3).await;
}

/// A step that fails leaves the database as it was, and says which step it was.
#[test]
fn a_step_that_fails_changes_nothing() {
    let folder = laid_out(JOURNALS[1], COMPARTMENTS[0]);
    let journal = journal_of(&folder);
    let beside = rusqlite::Connection::open(&journal).expect("a database");
    // What step 3 adds is there already.
    beside.execute_batch("ALTER TABLE store ADD COLUMN readable_since INTEGER").expect("changed");
    drop(beside);
    let before = all_of(&journal);
    assert!(matches!(Vault::open(options(folder.path()), NOON), Err(Error::Step { step: 3, .. })));
    assert_eq!(all_of(&journal), before);
}

/// What a look from beside says of a journal that the kiosk has not upgraded yet.
#[test]
fn a_look_upgrades_nothing() {
    let folder = laid_out(JOURNALS[0], COMPARTMENTS[0]);
    write_private(&folder.path().join("key"), &[0x5a; 32]);
    write_private(&folder.path().join("device.id"), b"chevet-0011223344556677\n");
    let looked = Look::open(folder.path(), Some(&folder.path().join("key")));
    assert!(matches!(looked, Err(Error::Older { found: 1, known: 8 })));
}

/// The next version, with everything an additive step may add.
fn tomorrow(folder: &tempfile::TempDir, readable_since: [i64; 2]) {
    let files = [journal_of(folder), compartment_of(folder)];
    for (at, (file, table)) in files.iter().zip(["outbox", "desk"]).enumerate() {
        let database = rusqlite::Connection::open(file).expect("a database");
        let step = format!(
            "ALTER TABLE {table} ADD COLUMN tomorrow TEXT; UPDATE {table} SET tomorrow = 'kept';
             CREATE TABLE tomorrow (id INTEGER PRIMARY KEY, words TEXT) STRICT; INSERT INTO tomorrow VALUES (1, 'kept');
             UPDATE store SET readable_since = {}; PRAGMA user_version = {};",
            readable_since[at], TOMORROW[at],
        );
        database.execute_batch(&step).expect("stepped");
    }
}

/// N−1 reads, appends to and delivers what N wrote, and leaves what it does not know as it is.
#[tokio::test]
async fn a_program_that_is_put_back_goes_on_with_the_newer_ones_store() {
    let folder = laid_out(JOURNALS[1], COMPARTMENTS[0]);
    let vault = open(folder.path());
    unlock(&vault, NURSE, 1).await.expect("opened");
    drop(vault);
    tomorrow(&folder, [1, 1]);

    check_what_was_written(folder.path(), 3).await;
    let vault = open(folder.path());
    let waiting = vault.waiting(Some(&nurse()), 10).await.expect("read");
    assert_eq!(waiting.len(), 3, "the consent, what N wrote and what we did");
    vault.acknowledged(waiting.iter().map(|(item, _)| item.id).collect(), NOON).await.expect("kept");
    unlock(&vault, NURSE, 1).await.expect("opened");
    vault.put_round(vec![identity(MATRICULE)], NOON).await.expect("kept");
    drop(vault);
    for (file, version) in [(journal_of(&folder), TOMORROW[0]), (compartment_of(&folder), TOMORROW[1])] {
        let all = all_of(&file);
        assert_eq!(all[0], format!("version {version}"), "it is still theirs");
        assert!(all.iter().any(|line| line.contains("'kept'")), "{all:?}");
    }
    let report = proven(folder.path());
    assert!(report.ok && report.rows == 4, "{report:?}");
}

#[tokio::test]
async fn a_store_that_says_it_is_too_new_is_refused_and_left() {
    let folder = laid_out(JOURNALS[1], COMPARTMENTS[0]);
    let vault = open(folder.path());
    unlock(&vault, NURSE, 1).await.expect("opened");
    drop(vault);
    tomorrow(&folder, [1, TOMORROW[1]]);
    let compartment = all_of(&compartment_of(&folder));
    let vault = open(folder.path());
    let refused = unlock(&vault, NURSE, 1).await;
    assert!(matches!(refused, Err(Error::FromTheFuture { found: 7, known: 6 })), "{refused:?}");
    assert!(vault.sealed_aside().is_empty(), "it is not damaged");
    vault.record(vec![draft(Class::Login, NURSE, None)], vec![]).await.expect("the journal goes on");
    drop(vault);
    assert_eq!(all_of(&compartment_of(&folder)), compartment);

    let database = rusqlite::Connection::open(journal_of(&folder)).expect("a database");
    for since in ["9", "0", "-1"] {
        database.execute_batch(&format!("UPDATE store SET readable_since = {since}")).expect("said");
        let journal = all_of(&journal_of(&folder));
        let refused = Vault::open(options(folder.path()), NOON);
        assert!(matches!(refused, Err(Error::FromTheFuture { found: 9, known: 8 })), "since {since}");
        assert_eq!(all_of(&journal_of(&folder)), journal);
        assert!(!folder.path().join("aside").exists());
    }
    database.execute_batch("PRAGMA user_version = -7").expect("said");
    assert!(matches!(Vault::open(options(folder.path()), NOON), Err(Error::FromTheFuture { found: -7, .. })));
}

/// What only the newer program can read waits for it: it is neither refused for damage nor in anybody's way.
#[tokio::test]
async fn a_row_in_a_newer_form_waits_for_the_newer_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    vault.record((0..3).map(|_| draft(Class::Login, NURSE, None)).collect(), vec![]).await.expect("recorded");
    vault.waiting(None, 0).await.expect("settled");
    let beside = rusqlite::Connection::open(folder.path().join("journal.db")).expect("a database");
    // The second byte is the form of a sealed value.
    let newer = "UPDATE outbox SET body = CAST(substr(body, 1, 1) || x'09' || substr(body, 3) AS BLOB) WHERE seq = 1";
    beside.execute_batch(newer).expect("changed");
    let waiting = vault.waiting(None, 2).await.expect("the others go");
    assert_eq!(
        waiting.iter().map(|(_, trace)| trace.as_ref().map(|t| t.index)).collect::<Vec<_>>(),
        [Some(1), Some(2)]
    );
    let counts = vault.counts().await.expect("counted");
    assert_eq!((counts.traces, counts.set_aside.len()), (3, 0));
}

/// What version 4 does with a journal whose newest rows stand in `trace` alone, in its own words: it opens, reads what waits,
/// acknowledges and appends. Then this version goes on with what it did.
#[tokio::test]
async fn the_version_before_finds_rows_that_were_never_settled() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    vault.record(vec![draft(Class::Login, NURSE, None)], vec![]).await.expect("recorded");
    for number in 1..=5 {
        opened_row(&vault, NURSE, &patient(), number).await;
    }
    // As a power cut leaves it: neither settled nor closed.
    let cut = tempfile::tempdir().expect("a folder");
    for (path, bytes) in everything(folder.path()) {
        std::fs::write(cut.path().join(path.file_name().expect("a name")), bytes).expect("copied");
    }
    drop(vault);
    let before = rusqlite::Connection::open(journal_of(&cut)).expect("a database");
    let count = |table: &str| -> i64 {
        before.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).expect("counted")
    };
    assert_eq!((count("trace"), count("outbox"), count("node")), (6, 0, 0), "nothing is settled yet");
    // The same boot: a program that was started again.
    let boot: Vec<u8> = before.query_row("SELECT id FROM boot", [], |row| row.get(0)).expect("a boot");
    before.execute("INSERT OR IGNORE INTO boot (id, started) VALUES (?1, 0)", [boot]).expect("opened");
    assert_eq!((count("outbox"), count("node")), (6, 4), "(1,0) (2,0) (1,1) (1,2)");
    let newest: i64 = before.query_row("SELECT newest FROM store", [], |row| row.get(0)).expect("read");
    assert_eq!(newest, NOON.0, "the clock's floor too");
    append_as_before(&before);
    before.execute_batch("UPDATE outbox SET state = 'acknowledged', body = x'' WHERE seq = 1").expect("delivered");
    drop(before);
    // It closed as it should.
    std::fs::write(cut.path().join("vault.lock"), b"").expect("written");

    let vault = open(cut.path());
    let waiting = vault.waiting(None, 100).await.expect("read");
    let left: Vec<u64> = waiting.iter().filter_map(|(_, trace)| trace.as_ref().map(|trace| trace.index)).collect();
    assert_eq!(left, [1, 2, 3, 4, 5], "each once, in order");
    opened_row(&vault, NURSE, &patient(), 7).await;
    vault.cover().await.expect("covered");
    drop(vault);
    let report = proven(cut.path());
    assert!(report.ok && report.rows == 9 && report.pruned == 2, "{report:?}");
}

/// Rows 6 and 7, pruned already: the second completes three subtrees, from nodes that this version wrote.
fn append_as_before(database: &rusqlite::Connection) {
    let append = "INSERT INTO trace (idx, id, body, leaf, patient, local_time)
                  SELECT idx + 6, randomblob(16), NULL, leaf, NULL, local_time FROM trace WHERE idx < 2";
    database.execute_batch(append).expect("appended");
    let find = |level: u8, position: u64| -> [u8; 32] {
        let (sql, place) = match level {
            0 => ("SELECT leaf FROM trace WHERE ?1 = 0 AND idx = ?2", (0, position as i64)),
            _ => ("SELECT hash FROM node WHERE level = ?1 AND position = ?2", (i64::from(level), position as i64)),
        };
        database.query_row(sql, place, |row| row.get(0)).expect("a node")
    };
    let made: Result<_, std::convert::Infallible> =
        chevet::journal::tree::append(7, chevet::journal::leaf::LeafHash(find(0, 7)), |level, at| Ok(find(level, at)));
    for node in made.expect("appended") {
        let sql = "INSERT INTO node (level, position, hash) VALUES (?1, ?2, ?3)";
        database.execute(sql, rusqlite::params![node.level, node.position as i64, node.hash]).expect("appended");
    }
}
