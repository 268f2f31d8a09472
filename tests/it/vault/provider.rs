//! The device key from systemd's credentials and from the desk's file; what is said of who guards it.

use super::*;
use chevet::vault::Look;
use chevet::vault::keys::desk_device_key;
use chevet::vault::provider::DeviceKey;
use chevet::vault::provider::Provider;
use chevet::vault::provider::Sources;
use chevet::vault::provider::device_key;
use std::os::unix::fs::PermissionsExt;

/// A machine: its state folder, what systemd hands over, its TPMs.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Machine {
        let machine = Machine { folder: tempfile::tempdir().expect("a folder") };
        ["state", "credentials", "tpm"].iter().for_each(|name| std::fs::create_dir(machine.at(name)).expect("made"));
        machine
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn hand_over(&self, name: &str, bytes: &[u8], mode: u32) {
        let path = self.at("credentials").join(name);
        std::fs::write(&path, bytes).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("set");
    }

    fn with_tpm(self) -> Machine {
        std::fs::create_dir(self.at("tpm").join("tpm0")).expect("made");
        self
    }

    fn key(&self) -> Result<DeviceKey, Error> {
        let (state, credentials, tpms) = (self.at("state"), self.at("credentials"), self.at("tpm"));
        device_key(Sources { state: &state, credentials: Some(&credentials), tpms: &tpms })
    }

    fn provider(&self) -> Provider {
        self.key().expect("a key").provider
    }
}

const KEY: &str = "chevet.device-key";
const STATEMENT: &str = "chevet.key-provider";
const HANDED: [u8; 32] = [0x5a; 32];

#[test]
fn a_credential_is_the_key_and_goes_before_the_desks_file() {
    let machine = Machine::new();
    let desk = desk_device_key(&machine.at("state")).expect("made");
    machine.hand_over(KEY, &HANDED, 0o400);
    let found = machine.key().expect("a key");
    assert_eq!(found.key.show_to_cipher(), &HANDED);
    assert_ne!(found.key.show_to_cipher(), desk.show_to_cipher());

    // A unit that hands over something else, and a start without any: the desk's.
    std::fs::remove_file(machine.at("credentials").join(KEY)).expect("removed");
    let found = machine.key().expect("a key");
    assert_eq!((found.key.show_to_cipher(), found.provider), (desk.show_to_cipher(), Provider::None));
    let (state, tpms) = (machine.at("state"), machine.at("tpm"));
    let found = device_key(Sources { state: &state, credentials: None, tpms: &tpms }).expect("a key");
    assert_eq!(found.key.show_to_cipher(), desk.show_to_cipher());
}

#[test]
fn a_credential_that_is_not_right_is_an_error_and_never_another_key() {
    let machine = Machine::new();
    for length in [0, 31, 33] {
        machine.hand_over(KEY, &vec![7; length], 0o400);
        assert!(matches!(machine.key(), Err(Error::KeyShape)), "{length} bytes");
    }
    // systemd's access list shows as 0440 where the file is root's.
    let roots = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(machine.at("state")).expect("there")) == 0;
    for (mode, is_private) in [(0o400, true), (0o600, true), (0o440, roots), (0o460, false), (0o444, false)] {
        std::fs::remove_file(machine.at("credentials").join(KEY)).expect("removed");
        machine.hand_over(KEY, &HANDED, mode);
        let found = machine.key();
        assert_eq!(found.is_ok(), is_private, "{mode:o}");
        assert!(is_private || matches!(found, Err(Error::KeyExposed)), "{mode:o}");
    }
    assert!(!machine.at("state").join("device.key").exists(), "no key was made beside a wrong one");
    if roots {
        machine.hand_over(KEY, &HANDED, 0o440);
        std::os::unix::fs::chown(machine.at("credentials").join(KEY), None, Some(12)).expect("given to a group");
        assert!(matches!(machine.key(), Err(Error::KeyExposed)), "a group of people");
    }
}

#[test]
fn what_guards_the_key_is_never_said_greener_than_it_is() {
    let named = [("tpm-pin", Provider::TpmPin), ("tpm", Provider::Tpm), ("passphrase", Provider::Passphrase)];
    for (word, provider) in named.into_iter().chain([("usb", Provider::Usb), ("none", Provider::None)]) {
        let machine = Machine::new().with_tpm();
        machine.hand_over(KEY, &HANDED, 0o400);
        machine.hand_over(STATEMENT, format!("{word}\n").as_bytes(), 0o400);
        assert_eq!(machine.provider(), provider, "{word}");
        // The same key in a file beside it.
        write_private(&machine.at("state").join("device.key"), &HANDED);
        assert_eq!(machine.provider(), Provider::None, "{word}, in clear too");
        // Whoever may read it: it lies there.
        let open_to_all = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(machine.at("state").join("device.key"), open_to_all).expect("set");
        assert_eq!(machine.provider(), Provider::None, "{word}, in clear for all");
        write_private(&machine.at("state").join("device.key"), &[1; 32]);
        assert_eq!(machine.provider(), provider, "{word}, beside an older key");
    }
    let machine = Machine::new();
    machine.hand_over(KEY, &HANDED, 0o400);
    assert_eq!(machine.provider(), Provider::None, "nobody said");
    for (word, expected) in [("tpm", Provider::None), ("tpm-pin", Provider::None), ("usb", Provider::Usb)] {
        machine.hand_over(STATEMENT, word.as_bytes(), 0o600);
        assert_eq!(machine.provider(), expected, "{word}, on a machine without a TPM");
    }
    let machine = machine.with_tpm();
    for word in ["TPM", "tpm ", "hsm", "", "tpm\0", "tpm-pin,none"] {
        machine.hand_over(STATEMENT, word.as_bytes(), 0o600);
        assert_eq!(machine.provider(), Provider::None, "{word:?}");
    }
    // A statement without a key guards nothing: the key is the desk's.
    let machine = Machine::new().with_tpm();
    machine.hand_over(STATEMENT, b"tpm-pin", 0o400);
    assert_eq!(machine.provider(), Provider::None);
}

#[tokio::test]
async fn a_look_takes_the_key_that_the_kiosk_takes() {
    let machine = Machine::new();
    machine.hand_over(KEY, &HANDED, 0o400);
    let (state, credentials, tpms) = (machine.at("state"), machine.at("credentials"), machine.at("tpm"));
    let sources = Sources { state: &state, credentials: Some(&credentials), tpms: &tpms };
    assert!(matches!(Look::here(sources), Err(Error::NoJournal)));
    write_private(&state.join("device.id"), b"chevet-0011223344556677\n");
    let vault = open(&state);
    vault.record(vec![draft(Class::Login, NURSE, None)], vec![]).await.expect("recorded");
    assert_eq!(Look::here(sources).expect("a look").status().expect("read").rows, 1);
    assert!(matches!(Look::open(&state, None), Err(Error::KeyMissing)), "and makes none");
    let verb = |credentials: Option<&Path>| {
        let mut verb = std::process::Command::new(env!("CARGO_BIN_EXE_chevet"));
        verb.args(["journal", "status", "--json", "--state"]).arg(&state).env_remove("CREDENTIALS_DIRECTORY");
        verb.envs(credentials.map(|folder| ("CREDENTIALS_DIRECTORY", folder)));
        verb.output().expect("runs")
    };
    assert_eq!(verb(Some(&credentials)).status.code(), Some(0));
    let without = verb(None);
    assert_eq!(without.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&without.stderr).contains("no device key"));
}
