//! Whose records a holder opened lately: on their own desk, the newest first, for five weeks.

use super::*;

async fn recent(vault: &Vault) -> Vec<String> {
    let found = vault.recent().await.expect("read");
    found.into_iter().map(|(patient, _)| patient.ins.matricule).collect()
}

#[tokio::test]
async fn who_was_seen_is_remembered_by_whoever_saw_them_for_five_weeks() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = open(folder.path());
    unlock(&vault, NURSE, 1).await.expect("opened");
    assert!(recent(&vault).await.is_empty());
    vault.keep_recent(&identity(MATRICULE), NOON).await.expect("kept");
    vault.keep_recent(&identity(OTHER_MATRICULE), NOON.plus(60)).await.expect("kept");
    assert_eq!(recent(&vault).await, [OTHER_MATRICULE, MATRICULE]);
    vault.keep_recent(&identity(MATRICULE), NOON.plus(120)).await.expect("kept");
    let found = vault.recent().await.expect("read");
    assert_eq!(found, [(identity(MATRICULE), NOON.plus(120)), (identity(OTHER_MATRICULE), NOON.plus(60))]);
    drop(vault);

    let vault = open(folder.path());
    unlock(&vault, DOCTOR, 2).await.expect("opened");
    assert!(recent(&vault).await.is_empty(), "another holder's");
    unlock(&vault, NURSE, 1).await.expect("opened");
    assert_eq!(recent(&vault).await.len(), 2, "it is on the disk");
    let weeks = NOON.plus(35 * 86_400 + 90);
    vault.keep_recent(&identity(MATRICULE), weeks).await.expect("kept");
    assert_eq!(recent(&vault).await, [MATRICULE], "who was seen longer ago is forgotten");
    vault.lock().await;
    assert!(vault.recent().await.is_err(), "and without the card nobody is");
}
