//! Every sealed column, its values moved: between patients, between holders, between columns, between stores, between files.
//! Whoever writes the disk without the keys can move ciphertext and do no more; nothing that was moved opens.

use super::*;
use rusqlite::Connection;
use rusqlite::params;

/// What is read of both patients, each by its name, and why not.
async fn refused(folder: &Path, holder: &str, card: u8) -> Vec<String> {
    let vault = open(folder);
    let mut refused = Vec::new();
    let mut note = |what: &str, error: Option<Error>| refused.extend(error.map(|error| format!("{what}: {error:?}")));
    if let Err(error) = unlock(&vault, holder, card).await {
        return vec![format!("unlock: {error:?}")];
    }
    note("round", vault.round().await.err());
    for (name, ins) in [("one", patient()), ("other", ins(OTHER_MATRICULE))] {
        note(&format!("{name}'s state"), vault.state(&ins).await.err());
        note(&format!("{name}'s list"), vault.list(&ins).await.err());
        note(&format!("{name}'s consents"), vault.consents(&ins).await.err());
        note(&format!("{name}'s rows"), vault.unsent_accesses(&ins).await.err());
    }
    for number in 1..=4 {
        note(&format!("document {number}"), content(&vault, holder, number).await.err());
    }
    refused
}

/// Both, for both holders.
async fn all_refused(folder: &Path) -> Vec<String> {
    [refused(folder, NURSE, 1).await, refused(folder, DOCTOR, 2).await].concat()
}

/// Two patients, two small documents and two large, in the nurse's compartment and in the doctor's: these two files.
async fn two_holders_and_two_patients(folder: &Path) -> [PathBuf; 2] {
    let vault = open(folder);
    live_a_day(&vault).await;
    let nurses = compartment_file(folder);
    let other = ins(OTHER_MATRICULE);
    let theirs = Said { patient: other.clone(), ..said(Answer::Yes, Scope::Team("equipe".into()), NURSE) };
    let rows = [patient(), other.clone()].map(|patient| draft(Class::Listed, NURSE, Some((&patient, None))));
    vault.record(rows.into(), vec![theirs]).await.expect("recorded");
    for (holder, card) in [(NURSE, 1), (DOCTOR, 2)] {
        unlock(&vault, holder, card).await.expect("opened");
        vault.put_round(vec![identity(MATRICULE), identity(OTHER_MATRICULE)], NOON).await.expect("kept");
        for ins in [patient(), other.clone()] {
            vault.remember_state(&ins, &state(), NOON).await.expect("kept");
            let list = Held::record(ins.clone(), (1..=4).map(document).collect());
            vault.remember_list(&list, NOON).await.expect("kept");
        }
        for (number, bytes) in [(1, CONTENT.to_vec()), (2, large()), (3, CONTENT.to_vec()), (4, large())] {
            vault.store(&document(number).unique_id, &held(number, &bytes), NOON).await.expect("kept");
        }
    }
    drop(vault);
    let doctors = everything(&folder.join("compartments"))
        .into_iter()
        .map(|(path, _)| path)
        .find(|path| path.extension().is_some_and(|end| end == "db") && *path != nurses);
    [nurses, doctors.expect("the doctor's")]
}

/// Exchanges two values of a column, wherever they stand: each is there once, for its nonce. Done twice, it is undone.
fn exchange(database: &Path, table: &str, column: &str, values: [&[u8]; 2]) {
    let sql =
        format!("UPDATE {table} SET {column} = CASE {column} WHEN ?1 THEN ?2 ELSE ?1 END WHERE {column} IN (?1, ?2)");
    let database = Connection::open(database).expect("a database");
    assert_eq!(database.execute(&sql, params![values[0], values[1]]).expect("written"), 2, "{table}.{column}");
}

fn put(database: &Path, table: &str, column: &str, from: &[u8], to: &[u8]) {
    let sql = format!("UPDATE {table} SET {column} = ?2 WHERE {column} = ?1");
    let database = Connection::open(database).expect("a database");
    assert_eq!(database.execute(&sql, params![from, to]).expect("written"), 1, "{table}.{column}");
}

fn values(database: &Path, table: &str, column: &str) -> Vec<Vec<u8>> {
    let sql = format!("SELECT {column} FROM {table} WHERE {column} IS NOT NULL");
    let database = Connection::open(database).expect("a database");
    let mut asked = database.prepare(&sql).expect("a column");
    asked.query_map([], |row| row.get(0)).and_then(Iterator::collect).expect("values")
}

#[tokio::test]
async fn what_was_moved_between_patients_and_holders_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let [nurses, _] = two_holders_and_two_patients(folder.path()).await;
    let journal = folder.path().join("journal.db");
    assert_eq!(all_refused(folder.path()).await, [""; 0], "as it lies there, all of it opens");
    // Rows 2 and 3 are the two lists; of the others any two will do.
    for (database, table, column, at) in [
        (&journal, "trace", "body", 2),
        (&journal, "consent", "body", 0),
        (&journal, "shred", "secret", 0),
        (&journal, "slot", "wrapped", 0),
        (&nurses, "record", "state", 0),
        // Whoever changes a document's takes the whole list away, which is why it comes first.
        (&nurses, "list", "body", 0),
        (&nurses, "document", "metadata", 0),
        (&nurses, "document", "content", 0),
        (&nurses, "desk", "body", 0),
    ] {
        let all = values(database, table, column);
        let two = [all[at].as_slice(), &all[at + 1]];
        exchange(database, table, column, two);
        let refused = all_refused(folder.path()).await;
        let expected = match table {
            "slot" => "unlock: WrongCard".to_owned(),
            _ => format!("Sealed {{ table: {table:?}, column: {column:?} }}"),
        };
        assert!(!refused.is_empty(), "{table}.{column} opens elsewhere");
        assert!(refused.iter().all(|why| why.contains(&expected)), "{table}.{column}: {refused:?}");
        exchange(database, table, column, two);
        assert_eq!(all_refused(folder.path()).await, [""; 0], "{table}.{column} is back in its place");
    }
}

#[tokio::test]
async fn what_was_moved_between_columns_stores_and_files_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let [nurses, doctors] = two_holders_and_two_patients(folder.path()).await;
    let mut moves = Vec::new();
    for (table, column, from) in [
        ("list", "body", (&nurses, "document", "metadata")),
        ("list", "body", (&doctors, "list", "body")),
        ("record", "state", (&nurses, "document", "metadata")),
        ("document", "metadata", (&nurses, "document", "content")),
        ("document", "content", (&nurses, "document", "metadata")),
        ("desk", "body", (&nurses, "record", "state")),
        ("record", "state", (&doctors, "record", "state")),
        ("document", "metadata", (&doctors, "document", "metadata")),
        ("document", "content", (&doctors, "document", "content")),
        ("desk", "body", (&doctors, "desk", "body")),
    ] {
        moves.push((
            table,
            column,
            values(&nurses, table, column)[0].clone(),
            values(from.0, from.1, from.2)[0].clone(),
        ));
    }
    for (table, column, own, strange) in moves {
        put(&nurses, table, column, &own, &strange);
        let refused = refused(folder.path(), NURSE, 1).await;
        let expected = format!("Sealed {{ table: {table:?}, column: {column:?} }}");
        assert!(!refused.is_empty() && refused.iter().all(|why| why.contains(&expected)), "{expected}: {refused:?}");
        put(&nurses, table, column, &strange, &own);
    }
    assert_eq!(refused(folder.path(), NURSE, 1).await, [""; 0], "all of it is back in its place");

    let inside = nurses.with_extension("");
    let files: Vec<PathBuf> = everything(&inside).into_iter().map(|(path, _)| path).collect();
    let aside = inside.with_extension("aside");
    for (from, to) in [(&files[0], &aside), (&files[1], &files[0]), (&aside, &files[1])] {
        std::fs::rename(from, to).expect("renamed");
    }
    let refused = refused(folder.path(), NURSE, 1).await;
    let named: Vec<&str> = refused.iter().filter_map(|why| why.split(':').next()).collect();
    assert_eq!(named, ["document 2", "document 4"], "{refused:?}");
}

/// A slot's salt is what the card signs: one that was moved is not even asked about.
#[tokio::test]
async fn a_salt_that_was_moved_is_never_signed() {
    let folder = tempfile::tempdir().expect("a folder");
    two_holders_and_two_patients(folder.path()).await;
    let journal = folder.path().join("journal.db");
    let salts = values(&journal, "slot", "salt");
    exchange(&journal, "slot", "salt", [&salts[0], &salts[1]]);
    let vault = open(folder.path());
    for (holder, card) in [(NURSE, 1), (DOCTOR, 2)] {
        let asked = vault.compartment_statement(&HolderId(holder.into()), CertificateKeyId([card; 32])).await;
        assert!(matches!(asked, Err(Error::Sealed { table: "slot", column: "salt" })), "{holder}");
    }
}
