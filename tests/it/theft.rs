//! P2a and P10 after a whole day on the real program: two cards, documents read and cached, a patient's word, the network gone,
//! and the plug pulled with a card in. Then somebody has the device, and looks; and somebody has another card, another key or
//! another device besides, and tries.

use crate::burglar::Burglar;
use crate::machine::Machine;
use crate::machine::copy;
use crate::machine::now;
use crate::machine::options;
use crate::machine::unlock;
use crate::needles::Needle;
use crate::needles::files;
use crate::needles::find;
use crate::needles::spellings;
use chevet::secret::SecretKey;
use chevet::vault::Error;
use chevet::vault::Options;
use chevet::vault::Vault;
use std::path::Path;
use std::path::PathBuf;

#[test]
fn a_stolen_device_tells_nothing_and_opens_nothing() {
    let mut machine = Machine::set_up();
    live_a_day(&mut machine);
    let needles = needles(&machine);
    let told = std::fs::read(machine.folder.path().join("dmp.json")).expect("the DMP's own state");
    let found = find(&told, &needles);
    for what in ["the INS in UTF-8", "the nurse's number in UTF-8", "the doctor's number in UTF-8"] {
        assert!(found.iter().any(|found| found.starts_with(what)), "{what} is not where it must be: {found:?}");
    }
    tells_nothing(&machine, &needles);

    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        the_right_card_opens_it(&machine).await;
        another_card_opens_nothing(&machine).await;
        another_key_opens_nothing(&machine).await;
        another_device_opens_nothing(&machine).await;
    });
}

/// The nurse reads and asks, the doctor reads; the nurse comes back without a network, and the plug is pulled.
fn live_a_day(machine: &mut Machine) {
    machine.start();
    machine.insert("nurse", NURSES_PIN);
    machine.log_in(NURSES_PIN);
    machine.open_record();
    machine.read(&machine.patient, 0);
    machine.back_to_the_list();
    machine.read(&machine.patient, 1);
    machine.print();
    machine.back_to_the_list();
    machine.search(&machine.patient.looked_for);
    machine.back_to_the_list();
    machine.show_a_receipt();
    machine.begin_a_note(&machine.patient.note);
    machine.back_to_the_list();
    machine.quit_record();
    machine.ask_and_open();
    machine.read(&machine.asked, 0);
    machine.back_to_the_list();
    machine.search(&machine.asked.looked_for);
    machine.back_to_the_list();
    machine.begin_a_note(&machine.asked.note);
    machine.finish_the_note();
    machine.pull();
    machine.until("all delivered", |page| page.contains("Tout est transmis"));

    machine.insert("doctor", DOCTORS_PIN);
    machine.log_in(DOCTORS_PIN);
    machine.open_record();
    machine.read(&machine.patient, 0);
    machine.pull();
    machine.until("all delivered", |page| page.contains("Tout est transmis"));

    machine.stage.stop_dmp();
    machine.insert("nurse", NURSES_PIN);
    machine.log_in(NURSES_PIN);
    machine.open_record();
    machine.read(&machine.patient, 0);
    machine.kill();
    machine.pull();
}

/// All that the day was about.
fn needles(machine: &Machine) -> Vec<Needle> {
    let mut needles = Vec::new();
    for canary in [&machine.patient, &machine.asked] {
        needles.extend(canary.words().into_iter().flat_map(|(what, word)| spellings(what, word)));
        // The keys give capitals; what is looked for may be small letters.
        needles.extend(spellings("what was looked for", &canary.looked_for.to_lowercase()));
    }
    for (what, word) in [
        ("the nurse's number", Machine::nurse().holder_id),
        ("the doctor's number", Machine::doctor().holder_id),
        ("the nurse's name", Machine::nurse().family_name),
        ("the doctor's name", Machine::doctor().family_name),
        ("the nurse's PIN", NURSES_PIN),
        ("the doctor's PIN", DOCTORS_PIN),
    ] {
        needles.extend(spellings(what, word));
    }
    needles
}

/// In no byte of the state, of what was temporary, of the log; and in no file's name.
fn tells_nothing(machine: &Machine, needles: &[Needle]) {
    let state = files(&machine.stage.state);
    let is_there = |end: &str| state.iter().any(|path| path.to_string_lossy().ends_with(end));
    assert!(is_there("journal.db-wal"), "the plug was pulled, and the log of the database is there: {state:?}");
    let sealed = state.iter().filter(|path| path.extension().is_none() && path.file_name() != Some("lock".as_ref()));
    assert!(sealed.count() > 0, "a document in a file of its own is there: {state:?}");
    assert!(machine.log().contains("to=\"record\""), "the log is that of the day");
    let looked_at = [state, files(&machine.temporary()), vec![machine.folder.path().join("log.txt")]].concat();
    let mut leaks = Vec::new();
    for path in looked_at {
        let bytes = [path.as_os_str().as_encoded_bytes(), b"\n", &std::fs::read(&path).expect("a file")].concat();
        leaks.extend(find(&bytes, needles).into_iter().map(|found| format!("{}: {found}", path.display())));
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
}

/// Otherwise nothing of what follows is proven: nurse, PIN and device together have it all back.
async fn the_right_card_opens_it(machine: &Machine) {
    let folder = stolen(machine);
    let vault = Vault::open(options(folder.path()), now()).expect("opened");
    unlock(&vault, &machine.desk.pki, &Machine::nurse(), &Machine::nurse()).await.expect("opened");
    let round = vault.round().await.expect("read");
    assert!(round.iter().any(|row| row.patient == machine.patient.patient && row.cached >= 2), "{round:?}");
    assert!(vault.list(&machine.patient.patient.ins).await.expect("read").is_some());
    assert!(!vault.consents(&machine.asked.patient.ins).await.expect("read").is_empty(), "what the other said");
    let draft = vault.note_draft(&machine.patient.patient.ins).await.expect("read").expect("a draft");
    assert_eq!(draft.text, machine.patient.note, "what was begun");
    drop(vault);
    // And so has whoever computes the keys by themselves: what was looked for in memory is what is used.
    let burglar = Burglar::enter(folder.path());
    let _loot = burglar.crack(&machine.desk.pki, &Machine::nurse(), &machine.patient.patient.ins);
}

async fn another_card_opens_nothing(machine: &Machine) {
    let folder = stolen(machine);
    let vault = Vault::open(options(folder.path()), now()).expect("the device's own key opens the journal");
    for (whose, by) in [(Machine::nurse(), Machine::doctor()), (Machine::doctor(), Machine::nurse())] {
        let refused = unlock(&vault, &machine.desk.pki, &whose, &by).await;
        assert!(matches!(refused, Err(Error::WrongCard)), "{} by {}: {refused:?}", whose.name, by.name);
        assert!(matches!(vault.round().await, Err(Error::Locked)));
        assert!(matches!(vault.list(&machine.patient.patient.ins).await, Err(Error::Locked)));
    }
    // A card that was never here opens a compartment of its own, and there is nothing in it.
    let other = chevet::sandbox::drawer::Drawer::profile("pharmacist").expect("in the drawer");
    unlock(&vault, &machine.desk.pki, &other, &other).await.expect("opened");
    assert!(vault.round().await.expect("read").is_empty());
    assert!(vault.list(&machine.patient.patient.ins).await.expect("read").is_none());
}

async fn another_key_opens_nothing(machine: &Machine) {
    let folder = stolen(machine);
    let other = Options { device_key: SecretKey::fill_with(|bytes| bytes.fill(0x17)), ..options(folder.path()) };
    assert!(matches!(Vault::open(other, now()), Err(Error::OtherDevice)));
    std::fs::remove_file(folder.path().join("device.key")).expect("removed");
    let without = chevet::vault::keys::desk_device_key(folder.path());
    assert!(matches!(without, Err(Error::KeyMissing)), "no new key over a journal");
    assert!(!folder.path().join("aside").exists(), "another key's journal is left as it is");
}

/// The whole folder under another device's key and name; then only the nurse's compartment, in the place of the one that the
/// same card has over there.
async fn another_device_opens_nothing(machine: &Machine) {
    let pki = &machine.desk.pki;
    let over_there = tempfile::tempdir().expect("a folder");
    let mut theirs = options(over_there.path());
    let vault = Vault::open(options(over_there.path()), now()).expect("a new vault");
    unlock(&vault, pki, &Machine::nurse(), &Machine::nurse()).await.expect("opened");
    drop(vault);

    let folder = stolen(machine);
    theirs.folder = folder.path().to_owned();
    assert!(matches!(Vault::open(theirs, now()), Err(Error::OtherDevice)));

    let compartments = |folder: &Path| -> Vec<PathBuf> {
        files(&folder.join("compartments")).into_iter().filter(|path| path.extension() == Some("db".as_ref())).collect()
    };
    let place = compartments(over_there.path()).pop().expect("a compartment");
    for compartment in compartments(folder.path()) {
        // What the write-ahead log holds belongs to it.
        drop(
            rusqlite::Connection::open(&compartment)
                .and_then(|db| db.pragma_update(None, "wal_checkpoint", "TRUNCATE")),
        );
        std::fs::copy(&compartment, &place).expect("copied");
        let vault = Vault::open(options(over_there.path()), now()).expect("opened");
        unlock(&vault, pki, &Machine::nurse(), &Machine::nurse()).await.expect("a new one is begun");
        assert!(vault.round().await.expect("read").is_empty(), "{}", compartment.display());
        assert!(vault.list(&machine.patient.patient.ins).await.expect("read").is_none());
        assert!(!vault.sealed_aside().is_empty(), "what was put there stands aside, whole");
    }
}

/// A copy of the state, as it lay there when the plug was pulled.
fn stolen(machine: &Machine) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    copy(&machine.stage.state, folder.path());
    folder
}

const NURSES_PIN: &str = "70395184";
const DOCTORS_PIN: &str = "52680917";
