//! The virtual card before judges nobody here wrote: pcscd, OpenSC and OpenSSL, all from Debian.

use crate::desk::Desk;
use crate::desk::with_card;
use chevet::sandbox::cps::Faults;
use chevet::sandbox::pki::Profile;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::time::Instant;

#[test]
fn opensc_lists_what_is_on_the_card() {
    let desk = Desk::open();
    let _card = desk.insert("nurse");
    let said = succeeds(desk.command("pkcs15-tool", "opensc").arg("--dump"));
    let lines: Vec<&str> = said.lines().map(str::trim).collect();
    for expected in [
        "PKCS#15 Card [CPS bac a sable]:",
        "Serial number  : 8025000001993112077f",
        "PIN [Code porteur]",
        "Private RSA Key [CPS_PRIV_SIG]",
        "Private RSA Key [CPS_PRIV_AUT]",
        "X.509 Certificate [Certificat d'authentification CPS]",
        "Algo_refs      : 26, 2",
        "Data object 'CPS_ACTIVITY_01_PS'",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(expected)), "{expected} is missing from:\n{said}");
    }
}

#[test]
fn openssl_verifies_what_opensc_lets_the_card_sign() {
    let desk = Desk::open();
    let card = desk.insert("doctor");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let at = |name: &str| folder.path().join(name);
    fs::write(at("message"), b"a nonce that nobody else has drawn").expect("a new folder has room");
    succeeds(openssl(folder.path()).args(["dgst", "-sha256", "-binary", "-out", "hash", "message"]));
    let hash = fs::read(at("hash")).expect("openssl has just written it");
    fs::write(at("digest-info"), [DIGEST_INFO_SHA256, &hash].concat()).expect("a new folder has room");
    let mut sign = desk.command("pkcs11-tool", "opensc");
    sign.current_dir(folder.path())
        .args(["--login", "--pin", "1234", "--sign", "-m", "RSA-PKCS", "--id", AUTHENTICATION])
        .args(["-i", "digest-info", "-o", "signature"]);
    // Command by command, OpenSC gets the signature whatever its driver thinks of the card; and only one is right.
    let by_hand = signed_by_hand(&desk, &hash);
    if this_opensc_forgets_what_it_read() {
        assert!(fails(&mut sign).contains("C_Login failed"), "this OpenSC logs in again: take the exception away");
        fs::write(at("signature"), &by_hand).expect("a new folder has room");
    } else {
        succeeds(&mut sign);
        assert_eq!(fs::read(at("signature")).expect("pkcs11-tool has just written it"), by_hand);
    }
    succeeds(desk.command("pkcs15-tool", "opensc").current_dir(folder.path()).args([
        "--read-certificate",
        AUTHENTICATION,
        "-o",
        "certificate.pem",
    ]));
    succeeds(openssl(folder.path()).args(["x509", "-in", "certificate.pem", "-pubkey", "-noout", "-out", "key.pem"]));
    let verify = ["dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "message"];
    assert!(succeeds(openssl(folder.path()).args(verify)).contains("Verified OK"));

    // The chain and the lists are right in the eyes of OpenSSL too, and the names are in one RDN.
    let lists = lists_as_pem(&desk, folder.path());
    let check = |certificate: &Path| {
        let mut command = openssl(folder.path());
        command.args(["verify", "-crl_check_all", "-CRLfile"]).arg(&lists).arg("-CAfile").arg(desk.pki.anchors());
        command.args(["-purpose", "sslclient"]).arg(certificate);
        command
    };
    succeeds(&mut check(&at("certificate.pem")));
    let subject = ["x509", "-in", "certificate.pem", "-noout", "-subject", "-nameopt", "RFC2253,-esc_msb"];
    let subject = succeeds(openssl(folder.path()).args(subject));
    assert!(subject.contains("CN=899700201470+SN=TALBOISSEAU+GN=Aurélien,title=Médecin,C=FR"), "{subject}");

    // And wrong where they should be wrong.
    for (name, complaint) in
        [("expired", "certificate has expired"), ("revoked", "certificate revoked"), ("other-issuer", "unable to get")]
    {
        let profile = profile(name);
        let secrets = desk.pki.card(&profile).expect("a card of the drawer has secrets");
        fs::write(at("other.der"), secrets.authentication.certificate).expect("a new folder has room");
        succeeds(openssl(folder.path()).args(["x509", "-inform", "DER", "-in", "other.der", "-out", "other.pem"]));
        let said = fails(&mut check(&at("other.pem")));
        assert!(said.contains(complaint), "{name}: {said}");
    }
    assert_eq!(card.tries_left(), Some(3));
}

#[test]
fn the_third_wrong_pin_blocks() {
    let desk = Desk::open();
    let card = desk.insert("pharmacist");
    let log_in = |pin: &str| {
        let mut command = desk.command("pkcs11-tool", "opensc");
        command.args(["--login", "--pin", pin, "--list-objects", "--type", "privkey"]);
        command
    };
    if this_opensc_forgets_what_it_read() {
        let said = fails(&mut log_in("1234"));
        assert!(said.contains("C_Login failed"), "this OpenSC logs in again, take the exception away: {said}");
        assert_eq!(card.tries_left(), Some(3), "it gives up before it has spent a try");
        let wrong = ["002000010439393939"; 3];
        let (statuses, _) = commands(&desk, &wrong);
        assert_eq!(statuses, ["63C2", "63C1", "6983"]);
        assert_eq!(commands(&desk, &["002000010431323334"]).0, ["6983"]);
        assert_eq!(card.tries_left(), Some(0));
        return;
    }
    succeeds(&mut log_in("1234"));
    for (left, complaint) in [(2, "CKR_PIN_INCORRECT"), (1, "CKR_PIN_INCORRECT"), (0, "CKR_PIN_LOCKED")] {
        let said = fails(&mut log_in("9999"));
        assert!(said.contains(complaint), "{left} left: {said}");
        assert_eq!(card.tries_left(), Some(left));
    }
    assert!(fails(&mut log_in("1234")).contains("CKR_PIN_LOCKED"));

    // The counter is in the card, not in the reader.
    let card = card.pull().expect("it was in");
    let card = desk.pcscd.slots()[0].insert(card).expect("the slot is free again");
    assert_eq!(card.tries_left(), Some(0));
    assert!(fails(&mut log_in("1234")).contains("CKR_PIN_LOCKED"));
}

#[test]
fn clients_of_ours_see_the_card_come_and_go() {
    with_card("cps::clients_of_ours_see_the_card_come_and_go", "nurse", |hands| {
        let context = pcsc::Context::establish(pcsc::Scope::User).expect("the desk's service answers");
        assert_eq!(atr_when(&context, Seen::In), CPS3);
        let card = connect(&context);
        let ask = |command: &[u8]| -> Result<Vec<u8>, pcsc::Error> {
            let mut room = [0; 300];
            card.transmit(command, &mut room).map(<[u8]>::to_vec)
        };
        assert_eq!(ask(&[0x00, 0x20, 0x00, 0x01]), Ok(vec![0x63, 0xc3]));
        assert_eq!(ask(&[0x00, 0x20, 0x00, 0x01, 0x04, b'9', b'9', b'9', b'9']), Ok(vec![0x63, 0xc2]));
        assert_eq!((hands.tries_left(), hands.apdus()), (Some(2), 2));

        // Slow, then pulled by its own fault in the middle of a dialogue: an error, never an answer.
        hands.set_faults(Faults { slow: Duration::from_millis(300), ..Faults::default() });
        let started = Instant::now();
        assert_eq!(ask(&[0x00, 0x20, 0x00, 0x01]), Ok(vec![0x63, 0xc2]));
        assert!(started.elapsed() >= Duration::from_millis(300), "{:?}", started.elapsed());
        hands.set_faults(Faults { pulled_at: Some(4), ..Faults::default() });
        assert_eq!(ask(&[0x00, 0x20, 0x00, 0x01]), Ok(vec![0x63, 0xc2]));
        assert!(ask(&[0x00, 0x20, 0x00, 0x01]).is_err());
        assert!(!hands.is_in());
        atr_when(&context, Seen::Out);

        // Another card, of a generation that is only named.
        hands.insert("cps4");
        assert_eq!(atr_when(&context, Seen::In), CPS4);
        hands.pull();
        atr_when(&context, Seen::Out);

        // A card outlives its service: it is there again when the service is.
        hands.insert("physiotherapist");
        hands.stop_service();
        assert!(pcsc::Context::establish(pcsc::Scope::User).is_err());
        hands.start_service();
        let context = pcsc::Context::establish(pcsc::Scope::User).expect("the desk's service answers again");
        assert_eq!(atr_when(&context, Seen::In), CPS3);

        // Mute: nothing comes until it is pulled, and then an error.
        hands.set_faults(Faults { mute: true, ..Faults::default() });
        let card = connect(&context);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(move || card.transmit(&[0x00, 0x20, 0x00, 0x01], &mut [0; 300]).map(<[u8]>::len));
            std::thread::sleep(Duration::from_millis(300));
            assert!(!waiting.is_finished(), "a mute card has answered");
            hands.pull();
            assert!(waiting.join().expect("the thread only transmits").is_err());
        });
    });
}

#[test]
fn nothing_is_left_behind() {
    let desk = Desk::open();
    let (_, socket) = desk.pcscd.environment();
    let folder = Path::new(&socket).parent().and_then(Path::parent).expect("the socket lies in run/").to_path_buf();
    let needle = folder.to_string_lossy().into_owned();
    let processes = || {
        let entries = fs::read_dir("/proc").expect("/proc is there").filter_map(Result::ok);
        entries
            .filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok())
            .filter(|command| command.contains(&needle))
            .count()
    };
    assert_eq!(processes(), 2, "pcscd and its relay");
    let card = desk.insert("nurse");
    drop(desk);
    assert_eq!(processes(), 0);
    assert!(!folder.exists());
    // The card did not need the desk to end.
    card.pull();
}

#[test]
fn openssl_tells_the_sandboxs_tls_certificates_from_the_wrong_ones() {
    let pki = crate::desk::pki();
    let folder = pki.server().certificate.parent().expect("a file lies in a folder").to_path_buf();
    let check = |authority: &Path, purpose: &str, certificate: &Path| {
        let mut command = openssl(&folder);
        command.args(["verify", "-CAfile"]).arg(authority).args(["-purpose", purpose]);
        if purpose == "sslserver" {
            command.args(["-verify_ip", "127.0.0.1"]);
        }
        command.arg(certificate);
        command
    };
    let (right, wrong) = (pki.tls_authority(), pki.wrong_tls_authority());
    succeeds(&mut check(&right, "sslserver", &pki.server().certificate));
    succeeds(&mut check(&right, "sslclient", &pki.device().certificate));
    succeeds(&mut check(&wrong, "sslserver", &pki.wrong_server().certificate));
    for (purpose, certificate) in [
        ("sslserver", pki.wrong_server().certificate),
        ("sslclient", pki.wrong_device().certificate),
        ("sslclient", pki.server().certificate),
        ("sslserver", pki.device().certificate),
    ] {
        fails(&mut check(&right, purpose, &certificate));
    }
    for pair in [pki.server(), pki.device(), pki.wrong_server(), pki.wrong_device()] {
        let of_key = succeeds(openssl(&folder).args(["pkey", "-pubout", "-in"]).arg(&pair.key));
        let of_certificate =
            succeeds(openssl(&folder).args(["x509", "-pubkey", "-noout", "-in"]).arg(&pair.certificate));
        assert_eq!(of_key, of_certificate);
    }
}

/// Two readers share one service, and each has its own card.
#[test]
fn two_slots_hold_two_cards() {
    let desk = Desk::open();
    let _first = desk.insert("nurse");
    let card = desk.drawer.card("doctor").expect("a card of the drawer");
    let _second = desk.pcscd.slots()[1].insert(card).expect("the second slot is free");
    for (reader, number) in [("0", "993112077"), ("1", "993113208")] {
        let said = succeeds(desk.command("pkcs15-tool", "opensc").args(["--reader", reader, "--dump"]));
        assert!(said.contains(&format!("8025000001{number}")), "reader {reader}: {said}");
    }
}

enum Seen {
    In,
    Out,
}

/// Waits until the first reader's card is in (and gives its ATR) or out.
fn atr_when(context: &pcsc::Context, seen: Seen) -> Vec<u8> {
    let until = Instant::now() + Duration::from_secs(5);
    let mut states = [pcsc::ReaderState::new(READER, pcsc::State::UNAWARE)];
    loop {
        context
            .get_status_change(Some(Duration::from_millis(500)), &mut states)
            .or_else(|error| if error == pcsc::Error::Timeout { Ok(()) } else { Err(error) })
            .expect("the service answers");
        let state = states[0].event_state();
        let wanted = match seen {
            Seen::In => state.contains(pcsc::State::PRESENT) && !state.contains(pcsc::State::MUTE),
            Seen::Out => state.contains(pcsc::State::EMPTY),
        };
        if wanted {
            return states[0].atr().to_vec();
        }
        assert!(Instant::now() < until, "the reader stays {state:?}");
        states[0].sync_current_state();
    }
}

fn connect(context: &pcsc::Context) -> pcsc::Card {
    context.connect(READER, pcsc::ShareMode::Exclusive, pcsc::Protocols::T0).expect("the card speaks T=0")
}

fn profile(name: &str) -> Profile {
    chevet::sandbox::drawer::Drawer::profile(name).expect("a name of the drawer")
}

/// OpenSC 0.26.1 (Debian 13) logs in to no IAS-ECC card whose PIN object can be read, and no answer of a card can change it:
/// `iasecc_sdo_parse` (src/libopensc/iasecc-sdo.c) takes the length of a well-read element, which is above zero, for an
/// error, wipes the whole object with its class and its reference, and goes on. So it asks next for "class 0, reference 0",
/// loses the access rules of that answer in the same way, and refuses a PIN without rules before any VERIFY. With that one
/// comparison corrected in its library, it logs in to this card and signs. 0.23 (Debian 12) does so as it is. What it does
/// is asserted, so that its repair shows.
fn this_opensc_forgets_what_it_read() -> bool {
    let asked = Command::new("dpkg-query").args(["-W", "-f", "${Version}", "opensc"]).output();
    let version = asked.expect("this is a Debian").stdout;
    String::from_utf8_lossy(&version).starts_with("0.26.")
}

/// The authentication key's signature, by the commands of a real dialogue.
fn signed_by_hand(desk: &Desk, hash: &[u8]) -> Vec<u8> {
    let authenticate = format!("0088000033{}{}00", hex::encode(DIGEST_INFO_SHA256), hex::encode(hash));
    let choose = "002241A406800102840182";
    let (statuses, data) = commands(desk, &["00A4090C043F000001", "002000010431323334", choose, &authenticate]);
    assert_eq!(statuses, ["9000"; 4]);
    data
}

/// Commands in hexadecimal sent by `opensc-tool`, which does what T=0 asks of a host: every status, and all data.
fn commands(desk: &Desk, commands: &[&str]) -> (Vec<String>, Vec<u8>) {
    let mut tool = desk.command("opensc-tool", "opensc");
    for command in commands {
        tool.args(["--send-apdu", command]);
    }
    let said = succeeds(&mut tool);
    let (mut statuses, mut data) = (Vec::new(), Vec::new());
    for line in said.lines() {
        if let Some(words) = line.strip_prefix("Received (SW1=0x") {
            statuses.push(format!("{}{}", &words[..2], &words[10..12]));
        } else if let Some(bytes) = line.get(..47) {
            data.extend(bytes.split(' ').map_while(|byte| hex::decode(byte).ok()).flatten());
        }
    }
    (statuses, data)
}

fn openssl(folder: &Path) -> Command {
    let path = "/usr/bin/openssl";
    assert!(Path::new(path).exists(), "openssl is missing: install the Debian package openssl");
    let mut command = Command::new(path);
    command.current_dir(folder);
    command
}

/// OpenSSL reads several lists from one file only as PEM.
fn lists_as_pem(desk: &Desk, folder: &Path) -> std::path::PathBuf {
    let mut all = String::new();
    for list in fs::read_dir(desk.pki.revocation_lists()).expect("the lists are there").filter_map(Result::ok) {
        all += &succeeds(openssl(folder).args(["crl", "-inform", "DER", "-in"]).arg(list.path()));
    }
    let path = folder.join("lists.pem");
    fs::write(&path, all).expect("a new folder has room");
    path
}

#[track_caller]
fn succeeds(command: &mut Command) -> String {
    let (ok, said) = run(command);
    assert!(ok, "{command:?} failed:\n{said}");
    said
}

#[track_caller]
fn fails(command: &mut Command) -> String {
    let (ok, said) = run(command);
    assert!(!ok, "{command:?} succeeded:\n{said}");
    said
}

fn run(command: &mut Command) -> (bool, String) {
    let output = command.output().expect("a program that exists can be started");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// The application's name and 02: the authentication key and its certificate.
const AUTHENTICATION: &str = "e828bd080f8025000001ff001002";

const READER: &std::ffi::CStr = c"Chevet bac a sable 00 00";

const CPS3: &[u8] =
    &[0x3b, 0xac, 0x00, 0x40, 0x2a, 0x00, 0x12, 0x25, 0x00, 0x64, 0x80, 0x00, 0x03, 0x10, 0x00, 0x90, 0x00];
const CPS4: &[u8] =
    &[0x3b, 0x9b, 0x18, 0x80, 0x01, 0x00, 0x12, 0x25, 0x00, 0x64, 0x80, 0x04, 0x01, 0x00, 0x00, 0x90, 0x44];

/// RFC 8017 §9.2 note 1.
const DIGEST_INFO_SHA256: &[u8] =
    &[0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];
