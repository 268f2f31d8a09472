//! The whole list beside the documents: the same list, never older than they are, and gone with them.

use super::*;

async fn listed(vault: &Vault) -> Vec<Document> {
    let (held, _) = vault.list(&patient()).await.expect("read").expect("a list");
    let row = vault.record(vec![draft(Class::Listed, NURSE, Some((&patient(), None)))], vec![]).await;
    held.release(&row.expect("recorded")[0]).unwrap_or_else(|_| panic!("its row covers it"))
}

fn wholes(folder: &Path) -> u32 {
    let database = rusqlite::Connection::open(compartment_file(folder)).expect("a database");
    database.query_row("SELECT count(*) FROM list", [], |row| row.get(0)).expect("counted")
}

/// What somebody else does to the documents: the version before, which knows no whole list.
fn change(folder: &Path, sql: &str) {
    let database = rusqlite::Connection::open(compartment_file(folder)).expect("a database");
    assert!(database.execute(sql, []).expect("changed") > 0, "{sql}");
}

#[tokio::test]
async fn it_is_the_list_that_the_documents_make() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    let three: Vec<Document> = (1..=3).map(document).collect();
    let words = SecretBytes::new(b"words".to_vec());
    vault.keep_text(&patient(), &document(1).unique_id, words).await.expect("kept");
    vault.store(&document(3).unique_id, &held(3, CONTENT), NOON).await.expect("kept");
    assert_eq!(wholes(folder.path()), 1, "content and words are no part of it");
    assert!(listed(&vault).await == three);
    // Without it, as the version before leaves it.
    change(folder.path(), "DELETE FROM list");
    assert!(listed(&vault).await == three);
    vault.remember_list(&held_list(2), NOON).await.expect("kept");
    assert_eq!(wholes(folder.path()), 1);
    assert!(listed(&vault).await == three[..2]);
}

#[tokio::test]
async fn what_changes_beside_it_takes_it_away() {
    for (sql, left) in [
        ("DELETE FROM document WHERE position = 1", vec![1, 3]),
        ("UPDATE document SET position = 2 - position", vec![3, 2, 1]),
        ("UPDATE document SET metadata = NULL, position = NULL WHERE position = 0", vec![2, 3]),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = open(folder.path());
        live_a_day(&vault).await;
        assert_eq!(wholes(folder.path()), 1);
        change(folder.path(), sql);
        assert_eq!(wholes(folder.path()), 0, "{sql}");
        let left: Vec<Document> = left.into_iter().map(document).collect();
        assert!(listed(&vault).await == left, "{sql}");
    }
}

#[tokio::test]
async fn it_goes_with_a_withdrawal() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    live_a_day(&vault).await;
    vault.remember_list(&held_list(0), NOON).await.expect("kept");
    assert_eq!(wholes(folder.path()), 1, "an empty list is one");
    vault.record(vec![], vec![said(Answer::Withdrawn, Scope::Team("equipe".into()), NURSE)]).await.expect("recorded");
    assert!(vault.list(&patient()).await.expect("read").is_none());
    assert_eq!(wholes(folder.path()), 0);
}
