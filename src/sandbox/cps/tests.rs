//! The card alone, command by command. Expected answers are those of ISO 7816-3 §12.2 and of what OpenSC asks of a real card.

use super::*;
use crate::sandbox::drawer::Drawer;
use crate::sandbox::pki;
use aws_lc_rs::digest;
use aws_lc_rs::signature;

fn drawer() -> Drawer {
    Drawer::new(pki::tests::shared().clone())
}

fn card(name: &str) -> Card {
    drawer().card(name).expect("a name of the drawer")
}

#[track_caller]
fn check(card: &mut Card, command: &str, expected: &str) {
    let bytes = hex::decode(command.replace(' ', "")).expect("commands are written in hexadecimal");
    assert_eq!(hex::encode_upper(card.answer(&bytes)), expected.replace(' ', ""), "after {command}");
}

fn ask(card: &mut Card, command: &str) -> Vec<u8> {
    card.answer(&hex::decode(command.replace(' ', "")).expect("commands are written in hexadecimal"))
}

#[test]
fn lengths_are_those_of_t_0() {
    #[rustfmt::skip]
    let table = [
        // No header, half a header.
        ("", "6700"), ("00 A4 04", "6700"),
        // Case 4: an Le after the data hides a bug that breaks on real readers.
        ("00 A4 09 0C 02 3F00 00", "6700"),
        ("00 A4 04 04 08 80250000 01FF0100 00", "6700"),
        // Lc without its data, with too little, with too much.
        ("00 A4 09 0C 02", "6700"), ("00 A4 09 0C 03 3F00", "6700"), ("00 A4 09 0C 01 3F00", "6700"),
        // Nothing waits yet.
        ("00 C0 00 00 10", "6985"),
        // Case 3, then case 4 announces, and another command drops what waited.
        ("00 A4 09 0C 04 3F00 2F01", "9000"),
        ("00 A4 09 04 04 3F00 2F01", "6127"),
        ("00 20 00 01", "63C3"),
        ("00 C0 00 00 27", "6985"),
        // GET RESPONSE: too much is told, less leaves the rest waiting.
        ("00 A4 09 04 04 3F00 2F01", "6127"),
        ("00 C0 00 00 00", "6C27"),
        ("00 C0 00 00 28", "6C27"),
        ("00 C0 00 00 02", "6225 6125"),
        ("00 C0 00 00 25", "80020039 820101 83022F01 8801E8 A112 8C077BFFFFFFFFFF00 9C077BFFFFFFFFFF00 8A0105 9000"),
        ("00 C0 00 00 01", "6985"),
        // Case 2: READ BINARY gives exactly what is asked, or tells what there is.
        ("00 B0 00 00 00", "6C39"), ("00 B0 00 00 3A", "6C39"),
        ("00 B0 00 00 04", "80430 1B8 9000"),
        ("00 B0 00 35 00", "6C04"), ("00 B0 00 35 04", "82029000 9000"),
        ("00 B0 00 39 01", "6B00"), ("00 B0 40 00 01", "6B00"),
        ("00 B0 00 00 04 00", "6700"),
        // Short identifiers: EF.SN with the card's number.
        ("00 B0 9C 00 C0", "6C0C"), ("00 B0 9C 00 0C", "5A0A 8025000001 993112077F 9000"),
        ("00 B0 9B 00 01", "6A82"), ("00 B0 BC 00 01", "6A86"),
        // Classes and instructions.
        ("10 2A 80 86 00", "6884"), ("01 A4 04 04 08 80250000 01FF0100", "6E00"), ("00 84 00 00", "6D00"),
        ("00 CA 00 00", "6D00"),
    ];
    let mut card = card("nurse");
    for (command, expected) in table {
        check(&mut card, command, expected);
    }
}

#[test]
fn select_in_all_its_forms() {
    #[rustfmt::skip]
    let table = [
        ("00 B0 00 00 01", "6986"),
        ("00 A4 04 04 08 80250000 01FF0100", "9000"),
        ("00 A4 04 0C 0D E828BD080F 80250000 01FF0010", "9000"),
        ("00 A4 02 0C 02 5031", "9000"),
        ("00 A4 02 0C 02 2F01", "6A82"),
        ("00 A4 09 0C 02 5032", "9000"), ("00 A4 09 0C 06 3F00 0001 5031", "9000"),
        ("00 A4 09 0C 06 3F00 0001 5033", "6A82"), ("00 A4 09 0C 06 3F00 2F00 5031", "6A82"),
        ("00 A4 08 0C 04 0001 5031", "9000"),
        ("00 A4 03 0C", "9000"), ("00 A4 02 0C 02 2F01", "9000"), ("00 A4 01 0C 02 0001", "9000"),
        ("00 A4 01 0C 02 5031", "6A82"), ("00 A4 00 0C", "9000"), ("00 A4 02 0C 02 3F00", "9000"),
        ("00 A4 04 0C 0D E828BD080F 80250000 01FF0020", "6A82"), ("00 A4 04 0C 02 E828", "6A82"),
        ("00 A4 09 0C 03 3F0000", "6A80"), ("00 A4 05 0C 02 3F00", "6A86"), ("00 A4 09 08 02 3F00", "6A86"),
        // D010 (the update stamp) is absent, as on the card of the traces.
        ("00 A4 09 0C 04 3F00 D010", "6A82"),
    ];
    let mut card = card("nurse");
    for (command, expected) in table {
        check(&mut card, command, expected);
    }
}

#[test]
fn the_pin_counts_and_the_unblocking_code_repairs() {
    #[rustfmt::skip]
    let table = [
        ("00 20 00 01", "63C3"), ("00 20 00 01 00", "63C3"),
        ("00 20 00 01 04 31323335", "63C2"),
        // A wrong length is a wrong PIN: whoever sends one must feel it.
        ("00 20 00 01 03 313233", "63C1"),
        ("00 20 00 01", "63C1"),
        ("00 20 00 01 04 31323334", "9000"), ("00 20 00 01", "9000"),
        ("00 20 00 01 04 30303030", "63C2"), ("00 20 00 01", "63C2"),
        ("00 20 00 01 04 30303030", "63C1"), ("00 20 00 01 04 30303030", "6983"),
        ("00 20 00 01", "6983"), ("00 20 00 01 04 31323334", "6983"),
        ("00 20 00 02 04 31323334", "6A88"), ("00 20 01 01 04 31323334", "6A86"),
        // Eight digits of code, then the new PIN.
        ("00 2C 00 01 0C 38373635343332 30 34333231", "63C2"),
        ("00 2C 00 01 0B 3837363534333231 333231", "6A80"),
        ("00 2C 00 01 04 38373635", "6700"),
        ("00 2C 00 01 0C 3837363534333231 34333231", "9000"),
        ("00 20 00 01", "63C3"), ("00 20 00 01 04 31323334", "63C2"), ("00 20 00 01 04 34333231", "9000"),
    ];
    let mut card = card("nurse");
    for (command, expected) in table {
        check(&mut card, command, expected);
    }
    // The PIN is forgotten at reset, the counter is not.
    card.reset();
    check(&mut card, "00 20 00 01", "63C3");
    check(&mut card, "00 20 00 01 04 30303030", "63C2");
    card.reset();
    check(&mut card, "00 20 00 01", "63C2");
    for (name, expected) in [("pin-blocked", "6983"), ("last-try", "63C1")] {
        check(&mut super::tests::card(name), "00 20 00 01", expected);
    }
}

#[test]
fn an_odd_card_is_so_in_its_files_and_in_its_pin() {
    #[rustfmt::skip]
    let table = [
        ("00 20 00 01", "6A88"), ("00 20 00 03", "63C3"),
        ("00 20 00 03 04 31323334", "63C2"),
        ("00 20 00 03 08 31323334 FFFFFFFF", "9000"),
        ("00 A4 09 0C 06 3F00 0001 7001", "6A82"), ("00 A4 09 0C 06 3F00 0001 7B11", "9000"),
    ];
    let mut card = card("odd");
    for (command, expected) in table {
        check(&mut card, command, expected);
    }
}

#[test]
fn security_data_objects_are_those_of_the_traces() {
    let mut card = card("nurse");
    #[rustfmt::skip]
    let table = [
        ("00 20 00 01 04 30303030", "63C2"),
        ("00 CB 3F FF 0A 4D08 7006 BF8101 02 A080", "6118"),
        ("00 C0 00 00 18", "7016 BF810112 A010 9A0103 9B0102 A108 8C06F3000013FF00 9000"),
        ("00 CB 3F FF 0B 4D09 7007 BF8101 03 7F4180", "610F"),
        ("00 C0 00 00 0F", "700D BF810109 7F4106 800108 810104 9000"),
        // A key's is not at the root; security environments are nowhere.
        ("00 CB 3F FF 0A 4D08 7006 BF9002 02 A080", "6A88"),
        ("00 CB 3F FF 0A 4D08 7006 BFFB03 02 A080", "6A88"),
        ("00 CB 3F FF 0A 4D09 7006 BF8101 02 A080", "6A80"),
        ("00 CB 00 00 0A 4D08 7006 BF8101 02 A080", "6A86"),
        ("00 A4 01 0C 02 0001", "9000"),
        ("00 CB 3F FF 0A 4D08 7006 BF9002 02 A080", "611A"),
        ("00 C0 00 00 1A", "7018 BF900214 A012 A109 8C077BFF1313FFFF00 80020100 9E0100 9000"),
        ("00 CB 3F FF 0B 4D09 7007 BF9002 03 7F4880", "6A80"),
    ];
    for (command, expected) in table {
        check(&mut card, command, expected);
    }
}

#[test]
fn the_keys_need_the_pin_and_their_own_environment() {
    let mut card = card("nurse");
    let hash = digest::digest(&digest::SHA256, b"message");
    let hash = hex::encode(hash.as_ref());
    let authenticate = format!("00 88 00 00 33 3031300d060960864801650304020105000420 {hash}");
    let compute = format!("00 2A 9E 9A 20 {hash}");
    #[rustfmt::skip]
    let table = [
        (authenticate.as_str(), "6985"),
        // The keys live in the PKCS#15 folder.
        ("00 22 41 A4 06 800102 840182", "6A88"),
        ("00 A4 01 0C 02 0001", "9000"),
        ("00 22 41 A4 06 800102 840182", "9000"),
        (authenticate.as_str(), "6982"),
        ("00 20 00 01 04 31323334", "9000"),
        (authenticate.as_str(), "6100"),
        // Either order of the tags.
        ("00 22 41 A4 06 840182 800102", "9000"), (authenticate.as_str(), "6100"),
        // A key for one purpose never serves another; a failed choice leaves none.
        (compute.as_str(), "6985"),
        ("00 22 41 A4 06 800102 840181", "6A80"), (authenticate.as_str(), "6985"),
        ("00 22 41 A4 06 800102 840183", "6A88"), ("00 22 41 A4 03 800102", "6A80"),
        ("00 22 81 A4 06 800102 840182", "6A86"),
        ("00 22 41 B8 06 80011A 840182", "6A81"), ("00 22 41 AA 03 800140", "6A81"),
        ("00 2A 90 A0 00", "6A81"),
        ("00 22 41 B6 06 800142 840181", "9000"), (authenticate.as_str(), "6985"),
        ("00 2A 9E 9A 00", "6985"), ("00 2A 9E 9A 04 01020304", "6A80"), (compute.as_str(), "6100"),
        // Another folder, another environment.
        ("00 22 41 A4 06 800102 840182", "9000"), ("00 A4 00 0C", "9000"), (authenticate.as_str(), "6985"),
    ];
    for (command, expected) in table {
        check(&mut card, command, expected);
    }
    // Reset forgets both.
    check(&mut card, "00 A4 01 0C 02 0001", "9000");
    check(&mut card, "00 22 41 A4 06 800102 840182", "9000");
    card.reset();
    check(&mut card, &authenticate, "6985");
}

#[test]
fn signatures_verify_unless_the_key_is_wrong() {
    let hash = digest::digest(&digest::SHA256, b"message");
    let authenticate = format!("00 88 00 00 33 3031300d060960864801650304020105000420 {}", hex::encode(hash.as_ref()));
    let compute = format!("00 2A 9E 9A 20 {}", hex::encode(hash.as_ref()));
    let mut card = card("nurse");
    let secrets = drawer().pki().card(card.profile()).expect("a card of the drawer has secrets");
    for (environment, command, key) in [
        ("00 22 41 A4 06 800102 840182", &authenticate, &secrets.authentication.key),
        ("00 22 41 B6 06 800142 840181", &compute, &secrets.signature.key),
    ] {
        check(&mut card, "00 A4 01 0C 02 0001", "9000");
        check(&mut card, "00 20 00 01 04 31323334", "9000");
        check(&mut card, environment, "9000");
        check(&mut card, command, "6100");
        let signed = ask(&mut card, "00 C0 00 00 00");
        let (signed, status) = signed.split_at(256);
        assert_eq!(status, [0x90, 0x00]);
        assert_eq!(signed, key.sign(b"message").expect("a key can sign"), "deterministic, and the library's own");
        let public = key.public_key_info().expect("a key has a public half");
        let public = signature::UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, public);
        public.verify(b"message", signed).expect("the signature is right");
        if command == &authenticate {
            card.faults.wrong_key = true;
            check(&mut card, command, "6100");
            let wrong = ask(&mut card, "00 C0 00 00 00");
            public.verify(b"message", &wrong[..256]).expect_err("another key has signed");
        }
        card.reset();
    }
}

#[test]
fn the_situation_is_behind_the_pin() {
    let mut card = card("nurse");
    check(&mut card, "00 A4 09 0C 06 3F00 0001 D120", "9000");
    check(&mut card, "00 B0 00 00 02", "6982");
    check(&mut card, "00 20 00 01 04 31323334", "9000");
    check(&mut card, "00 B0 00 00 02", "EE2B 9000");
    check(&mut super::tests::card("reception"), "00 A4 09 0C 06 3F00 0001 D120", "6A82");
}

#[test]
fn other_generations_are_an_atr_and_a_refusal() {
    for name in ["contactless", "unknown"] {
        let mut card = card(name);
        assert_ne!(card.answer_to_reset(), ATR_CPS3);
        check(&mut card, "00 A4 04 0C 0D E828BD080F 80250000 01FF0010", "6A82");
        check(&mut card, "00 20 00 01 04 31323334", "6D00");
        assert_eq!(card.tries_left(), 3);
    }
    // TCK: everything after TS adds up to nothing (ISO 7816-3 §8.2.5).
    assert_eq!(ATR_CONTACTLESS[1..].iter().fold(0, |sum, byte| sum ^ byte), 0);
}

#[test]
fn a_cps4_answers_on_its_own_channel_once_its_applet_is_chosen() {
    let block = hex::encode([&[0x00, 0x01][..], &[0xff; 202], &[0x00], &[0x30; 51]].concat());
    let (first, last) = block.split_at(462);
    let (first, last) = (format!("11 2A 80 86 E7 {first}"), format!("01 2A 80 86 19 {last} 00"));
    #[rustfmt::skip]
    let table = [
        // The first channel is its predecessor's.
        ("00 A4 04 0C 08 80250000 01FF0100", "6A82"), ("00 20 00 01", "6D00"),
        ("01 20 00 01", "6985"), ("01 B0 9C 00 0C", "6985"), ("01 A4 09 0C 06 3F00 0001 5031", "6985"),
        ("01 A4 04 0C 08 80250000 01FF0100", "9000"),
        ("01 B0 9C 00 0C", "5A0A 8025000001 993124502F 9000"),
        ("01 20 00 01", "63C3"),
        ("01 22 41 B8 03 830110", "6A88"), ("01 22 41 A4 06 800102 840182", "6A81"),
        ("01 22 41 B8 03 830120", "9000"), ("01 88 00 00 01 30", "6D00"),
        (first.as_str(), "9000"), (last.as_str(), "6982"),
        ("01 20 00 01 04 31323334", "9000"),
        // Half a block is none.
        (last.as_str(), "6700"),
        (first.as_str(), "9000"), (last.as_str(), "SIGNED"),
        // The other application takes the applet and its PIN away.
        ("00 A4 04 0C 08 80250000 01FF0002", "9000"), ("01 20 00 01", "6985"),
        ("01 A4 04 0C 08 80250000 01FF0100", "9000"), ("01 20 00 01", "63C3"),
    ];
    let mut card = card("cps4");
    for (command, expected) in table {
        match expected {
            "SIGNED" => assert_eq!(ask(&mut card, command).len(), 258),
            _ => check(&mut card, command, expected),
        }
    }
}

#[test]
fn in_t_1_an_answer_comes_to_whoever_asks_for_one() {
    #[rustfmt::skip]
    let table = [
        ("00 A4 09 0C 04 3F00 2F01", "9000"),
        ("00 A4 09 04 04 3F00 2F01", "9000"),
        ("00 A4 09 04 04 3F00 2F01 02", "6225 9000"),
        ("00 B0 00 00 04", "8043 01B8 9000"),
        ("00 B0 00 35 E7", "82029000 6282"),
        ("00 20 00 01", "63C3"), ("00 20 00 01 04 31323334", "9000"),
        ("00 A4 09 0C 05 3F00", "6700"),
    ];
    let mut card = drawer().odd_card("t1").expect("a make");
    for (command, expected) in table {
        check(&mut card, command, expected);
    }
}

#[test]
fn makes_answer_in_parts_and_with_right_lengths() {
    #[rustfmt::skip]
    let in_parts = [
        ("00 A4 09 04 04 3F00 2F01", "6127"), ("00 C0 00 00 27", "6C27"), ("00 B0 00 00 04", "804301B8 9000"),
        ("00 B0 00 00 39", "6C39"),
    ];
    let mut card = drawer().odd_card("in-parts").expect("a make");
    for (command, expected) in in_parts {
        check(&mut card, command, expected);
    }
    let long = ask(&mut card, "00 B0 00 00 39");
    assert_eq!((long.len(), &long[48..]), (50, &[0x61, 0x09][..]));
    let mut card = drawer().odd_card("short-reads").expect("a make");
    check(&mut card, "00 A4 09 0C 06 3F00 0001 B002", "9000");
    check(&mut card, "00 B0 00 00 E8", "6700");
    assert_eq!(ask(&mut card, "00 B0 00 00 E7").len(), 0xe9);
}

#[test]
fn the_counters_count() {
    let mut card = card("nurse");
    ask(&mut card, "00 20 00 01");
    ask(&mut card, "00 A4 09 0C 02 3F00");
    assert_eq!(card.counters(), Counters { apdus: 2, bytes_in: 11, bytes_out: 4 });
}

#[test]
fn no_bytes_make_it_stumble() {
    let mut card = card("nurse");
    let mut dice = fastrand::Rng::with_seed(0x00c5);
    let instructions = [0x20, 0x22, 0x2a, 0x2c, 0x88, 0xa4, 0xb0, 0xc0, 0xcb, 0x00];
    for round in 0..20_000 {
        let mut command: Vec<u8> = (0..dice.usize(..24)).map(|_| dice.u8(..)).collect();
        if let [class, instruction, _, p2, p3, data @ ..] = command.as_mut_slice() {
            *class = 0;
            *instruction = *dice.choice(&instructions).expect("the list is not empty");
            if dice.bool() {
                (*p2, *p3) = (*dice.choice(&[0x01, 0x04, 0x0c, 0xa4]).expect("not empty"), data.len() as u8);
            }
        }
        let answer = card.answer(&command);
        assert!((2..=258).contains(&answer.len()), "round {round}: {command:02x?}");
    }
}

/// The dialogues that were recorded with these cards (`tests/cards/`): they still answer so, but for certificates and
/// signatures, whose keys are drawn anew on each desk.
#[test]
fn cards_still_answer_as_was_recorded() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cards");
    let names = Make::ALL.iter().map(|make| make.name).chain(["cps4", "cps4-applet-lost", "cps4-pin-unchecked"]);
    for name in names {
        let mut card = if name.starts_with("cps4") { card("cps4") } else { drawer().odd_card(name).expect("a make") };
        let text = std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (mut compared, mut is_certificate, mut is_signature) = (0, false, false);
        let mut lines = text.lines().filter(|line| !line.starts_with(['#', '=']));
        while let Some(line) = lines.next() {
            let said = if line.starts_with('~') {
                card.lose_applet();
                lines.next().expect("a command")
            } else {
                line
            };
            let answered = lines.next().expect("an answer");
            let mut pin = PIN.bytes();
            let command: Vec<u8> = said[2..]
                .split(' ')
                .map(|word| u8::from_str_radix(word, 16).unwrap_or_else(|_| pin.next().unwrap_or(0xff)))
                .collect();
            let expected = hex::decode(answered[2..].replace(' ', "")).expect("hexadecimal");
            let answer = card.answer(&command);
            if command[1] == tpdu::SELECT {
                is_certificate = matches!(command[..], [.., high, _] if high >> 4 == 0xb);
            }
            let is_of_a_certificate = is_certificate && [tpdu::READ_BINARY, tpdu::GET_RESPONSE].contains(&command[1]);
            // From here on its own key speaks.
            is_signature |= [tpdu::INTERNAL_AUTHENTICATE, tpdu::PERFORM_OPERATION].contains(&command[1]);
            if is_signature {
                assert_eq!(answer.len(), expected.len(), "{name}: {said}");
            } else if !is_of_a_certificate {
                assert_eq!(answer, expected, "{name}: {said}");
                compared += 1;
            }
        }
        assert!(compared >= 12, "{name}: {compared}");
    }
}
