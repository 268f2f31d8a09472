//! Readers with keys of their own: the PIN goes from them to the card and never comes into this program (PC/SC part 10). Pure.
//!
//! What a reader can do, it says in two lists; what it is asked to do is one packed structure, little endian, that holds the
//! VERIFY command without its PIN. Readers that say falsely that they have keys are listed as data (`data/pinpads.csv`), and by
//! the settings beside it: an entry can only take keys away, so nobody has to sign it.

use crate::card::words::Framing;

/// The control codes that a reader gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Features {
    pub verify_direct: Option<u32>,
    pub verify_start: Option<u32>,
    pub verify_finish: Option<u32>,
    pub tlv_properties: Option<u32>,
}

/// How a PIN is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// One control code, which comes back when the PIN was checked.
    Direct(u32),
    /// One that begins and one that ends.
    StartFinish(u32, u32),
}

/// Who made the reader (USB identifiers).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Properties {
    pub vendor: Option<u16>,
    pub product: Option<u16>,
}

/// What a reader says for itself, where the card has not been asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    TimedOut,
    Cancelled,
    WrongLength,
    /// The reader does not do what it is asked.
    Refused(u16),
}

impl Features {
    /// The answer to CM_IOCTL_GET_FEATURE_REQUEST: tag, length 4, control code (big endian). What makes no sense ends it.
    pub fn parse(mut bytes: &[u8]) -> Features {
        let mut features = Features::default();
        while let [tag, 4, a, b, c, d, rest @ ..] = bytes {
            let code = Some(u32::from_be_bytes([*a, *b, *c, *d]));
            match *tag {
                FEATURE_VERIFY_PIN_START => features.verify_start = code,
                FEATURE_VERIFY_PIN_FINISH => features.verify_finish = code,
                FEATURE_VERIFY_PIN_DIRECT => features.verify_direct = code,
                FEATURE_GET_TLV_PROPERTIES => features.tlv_properties = code,
                _ => {}
            }
            bytes = rest;
        }
        features
    }

    /// In two steps where the reader offers it: the first comes back at once, so a driver is not held up for a PIN.
    pub fn way(&self) -> Option<Way> {
        match (self.verify_start, self.verify_finish, self.verify_direct) {
            (Some(start), Some(finish), _) => Some(Way::StartFinish(start, finish)),
            (_, _, Some(direct)) => Some(Way::Direct(direct)),
            _ => None,
        }
    }
}

impl Properties {
    /// The answer to GET_TLV_PROPERTIES: tag, length, value (little endian).
    pub fn parse(mut bytes: &[u8]) -> Properties {
        let mut properties = Properties::default();
        while let [tag, length, rest @ ..] = bytes {
            let Some((value, after)) = rest.split_at_checked(usize::from(*length)) else { break };
            let number = <[u8; 2]>::try_from(value).ok().map(u16::from_le_bytes);
            match *tag {
                PROPERTY_VENDOR => properties.vendor = number,
                PROPERTY_PRODUCT => properties.product = number,
                _ => {}
            }
            bytes = after;
        }
        properties
    }
}

/// How a reader with a card in it lets a PIN be typed on keys of its own. `features` is the platform's code of
/// [`GET_FEATURE_REQUEST`]; `None` from `control`: the driver does not understand the question, so it has none.
pub fn way_of(reader: &str, features: u32, without_keys: &[String], control: &mut Control<'_>) -> Option<Way> {
    let features = Features::parse(&control(features, &[])?);
    let way = features.way()?;
    let told = features.tlv_properties.and_then(|code| control(code, &[]));
    let properties = told.as_deref().map(Properties::parse).unwrap_or_default();
    (!is_false_claim(reader, properties, without_keys)).then_some(way)
}

/// Has the reader ask for a PIN and send it to the card (`asked`: [`verify_structure`]); what the card, or the reader, said of it.
pub fn ask<E>(way: Way, asked: &[u8], mut control: impl FnMut(u32, &[u8]) -> Result<Vec<u8>, E>) -> Result<Vec<u8>, E> {
    match way {
        Way::Direct(code) => control(code, asked),
        Way::StartFinish(start, finish) => {
            control(start, asked)?;
            control(finish, &[])
        }
    }
}

/// One control code with what goes with it, and what the driver answers.
pub type Control<'a> = dyn FnMut(u32, &[u8]) -> Option<Vec<u8>> + 'a;

/// Whether a reader is known to say falsely that it has keys: by its USB identifiers, or by its name where it gives none; by the
/// list that comes with the program, or by the settings.
pub fn is_false_claim(name: &str, properties: Properties, without_keys: &[String]) -> bool {
    let is = |(vendor, product)| properties.vendor == Some(vendor) && properties.product == Some(product);
    let listed = |quirk: Quirk<'_>| is((quirk.vendor, quirk.product)) || name.contains(quirk.name);
    let set = |entry: &String| identifiers(entry).map_or_else(|| name.contains(entry.as_str()), is);
    QUIRKS.lines().filter_map(Quirk::parse).any(listed) || without_keys.iter().any(set)
}

/// `076B:3031`, as `lsusb` writes them; anything else is part of a name.
fn identifiers(entry: &str) -> Option<(u16, u16)> {
    let (vendor, product) = entry.split_once(':')?;
    let number = |digits: &str| u16::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 4);
    Some((number(vendor)?, number(product)?))
}

struct Quirk<'a> {
    vendor: u16,
    product: u16,
    name: &'a str,
}

impl<'a> Quirk<'a> {
    /// A line of `vendor,product,name,…`; comments and the head are none.
    fn parse(line: &'a str) -> Option<Quirk<'a>> {
        let mut fields = line.split(',');
        let mut number = || u16::from_str_radix(fields.next()?, 16).ok();
        let (vendor, product) = (number()?, number()?);
        fields.next().filter(|name| !name.is_empty()).map(|name| Quirk { vendor, product, name })
    }
}

/// PIN_VERIFY_STRUCTURE (part 10 §2.5.2): ASCII digits, from the left, between the card's fewest and most, ended by a key.
/// With padding the block is filled here and its length is fixed; without it the reader sets Lc by what was typed.
pub fn verify_structure(
    reference: u8,
    digits: (u8, u8),
    padding: Option<(u8, u8)>,
    framing: Framing,
    patience_s: u8,
) -> Vec<u8> {
    let block = padding.map_or(Vec::new(), |(length, byte)| vec![byte; usize::from(length.min(BLOCK_MAX))]);
    let mut command = [0x00, 0x20, 0x00, reference, block.len() as u8].to_vec();
    command[0] |= framing.channel;
    command.extend_from_slice(&block);
    let mut bytes = vec![
        patience_s,
        // After the first key, the same.
        patience_s,
        FORMAT_ASCII_LEFT_IN_BYTES,
        block.len() as u8,
        // No length of the PIN is written into the command.
        0x00,
        digits.1,
        digits.0,
        ENDED_BY_ITS_KEY,
        ONE_MESSAGE,
    ];
    bytes.extend_from_slice(&FRENCH.to_le_bytes());
    // The first message; then the prologue of a block of T=1, which drivers write themselves.
    bytes.extend_from_slice(&[0x00, 0x00, 0x00, 0x00]);
    bytes.extend_from_slice(&(command.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&command);
    bytes
}

/// Words that are the reader's own and not the card's (part 10 §2.5.5). `None`: the card's.
pub fn said_by_keys(word: u16) -> Option<Said> {
    match word {
        0x6400 => Some(Said::TimedOut),
        0x6401 => Some(Said::Cancelled),
        0x6402 | 0x6403 => Some(Said::WrongLength),
        0x6404 | 0x6B80 => Some(Said::Refused(word)),
        _ => None,
    }
}

const QUIRKS: &str = include_str!("../../data/pinpads.csv");

/// CM_IOCTL_GET_FEATURE_REQUEST, to be made a control code of the platform's.
pub const GET_FEATURE_REQUEST: u32 = 3400;
const FEATURE_VERIFY_PIN_START: u8 = 0x01;
const FEATURE_VERIFY_PIN_FINISH: u8 = 0x02;
const FEATURE_VERIFY_PIN_DIRECT: u8 = 0x06;
const FEATURE_GET_TLV_PROPERTIES: u8 = 0x12;
const PROPERTY_VENDOR: u8 = 0x0B;
const PROPERTY_PRODUCT: u8 = 0x0C;
/// Bit 7: positions in bytes; none to the right; bits 1 and 0: ASCII.
const FORMAT_ASCII_LEFT_IN_BYTES: u8 = 0x82;
const ENDED_BY_ITS_KEY: u8 = 0x02;
const ONE_MESSAGE: u8 = 0x01;
/// USB language identifier.
const FRENCH: u16 = 0x040C;
const BLOCK_MAX: u8 = 15;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::words::Protocol;
    use proptest::prelude::*;

    fn bytes(text: &str) -> Vec<u8> {
        hex::decode(text.replace(' ', "")).expect("hexadecimal")
    }

    #[test]
    fn features_are_read_whatever_else_is_offered() {
        let all = "06 04 42330006 | 07 04 42330007 | 01 04 42330001 | 02 04 42330002 | 12 04 42330012 | 0A 04 4233000A";
        let found = Features::parse(&bytes(&all.replace('|', "")));
        assert_eq!((found.verify_direct, found.verify_start), (Some(0x4233_0006), Some(0x4233_0001)));
        assert_eq!((found.verify_finish, found.tlv_properties), (Some(0x4233_0002), Some(0x4233_0012)));
        assert_eq!(found.way(), Some(Way::StartFinish(0x4233_0001, 0x4233_0002)));
        #[track_caller]
        fn check(list: &str, expected: Option<Way>) {
            assert_eq!(Features::parse(&bytes(list)).way(), expected, "{list}");
        }
        check("06 04 42330006", Some(Way::Direct(0x4233_0006)));
        // A beginning without an end is none.
        check("01 04 42330001 06 04 42330006", Some(Way::Direct(0x4233_0006)));
        check("01 04 42330001", None);
        check("12 04 42330012", None);
        // Cut short, of another length, nothing.
        check("06 04 423300", None);
        check("06 03 423300", None);
        check("", None);
    }

    /// A driver: what it answers to each code, and what it was asked, in order.
    fn driver<'a>(
        answers: &'a [(u32, &'a str)],
        asked: &'a mut Vec<(u32, Vec<u8>)>,
    ) -> impl FnMut(u32, &[u8]) -> Option<Vec<u8>> + 'a {
        move |code, sent| {
            asked.push((code, sent.to_vec()));
            answers.iter().find(|(known, _)| *known == code).map(|(_, answer)| bytes(answer))
        }
    }

    #[test]
    fn a_reader_is_asked_for_its_features_and_then_for_its_maker() {
        const FEATURES: u32 = 0x4200_0D48;
        const MAKER: u32 = 0x4233_0012;
        #[track_caller]
        fn check(name: &str, answers: &[(u32, &str)], expected: Option<Way>, codes: &[u32]) {
            let mut asked = Vec::new();
            assert_eq!(way_of(name, FEATURES, &[], &mut driver(answers, &mut asked)), expected);
            assert_eq!(asked, codes.iter().map(|code| (*code, Vec::new())).collect::<Vec<_>>());
        }
        let direct = (FEATURES, "06 04 42330006 12 04 42330012");
        let both = (FEATURES, "01 04 42330001 02 04 42330002 06 04 42330006 12 04 42330012");
        let honest = (MAKER, "0B 02 6A04 0C 02 3E00");
        let (by_one, by_two) = (Way::Direct(0x4233_0006), Way::StartFinish(0x4233_0001, 0x4233_0002));
        check("A reader", &[direct, honest], Some(by_one), &[FEATURES, MAKER]);
        check("A reader", &[both, honest], Some(by_two), &[FEATURES, MAKER]);
        // It offers its maker and does not tell it; it offers none; it offers no keys; it does not understand.
        check("A reader", &[direct], Some(by_one), &[FEATURES, MAKER]);
        check("A reader", &[(FEATURES, "06 04 42330006")], Some(by_one), &[FEATURES]);
        check("A reader", &[(FEATURES, "12 04 42330012"), honest], None, &[FEATURES]);
        check("A reader", &[], None, &[FEATURES]);
        // A false claim, by its maker or by its name.
        check("A reader", &[direct, (MAKER, "0B 02 6B07 0C 02 3130")], None, &[FEATURES, MAKER]);
        check("HID OMNIKEY 3x21 00 00", &[direct], None, &[FEATURES, MAKER]);
    }

    #[test]
    fn a_pin_is_asked_for_by_the_codes_that_the_reader_gave() {
        #[track_caller]
        fn check(way: Way, answers: &[(u32, &str)], expected: Option<&str>, asked: &[(u32, &str)]) {
            let mut heard = Vec::new();
            let mut driver = driver(answers, &mut heard);
            let said = ask(way, &[0x1E, 0x82], |code, sent| driver(code, sent).ok_or(()));
            drop(driver);
            assert_eq!(said.ok(), expected.map(bytes));
            assert_eq!(heard, asked.iter().map(|(code, sent)| (*code, bytes(sent))).collect::<Vec<_>>());
        }
        check(Way::Direct(6), &[(6, "9000")], Some("9000"), &[(6, "1E82")]);
        check(Way::Direct(6), &[], None, &[(6, "1E82")]);
        let both = Way::StartFinish(1, 2);
        check(both, &[(1, ""), (2, "63C2")], Some("63C2"), &[(1, "1E82"), (2, "")]);
        // What has not begun is not ended.
        check(both, &[(2, "9000")], None, &[(1, "1E82")]);
        check(both, &[(1, "")], None, &[(1, "1E82"), (2, "")]);
    }

    #[test]
    fn properties_name_the_reader_s_maker() {
        let given = Properties::parse(&bytes("01 02 0210 06 01 04 07 01 08 0B 02 6B07 0C 02 3130"));
        assert_eq!(given, Properties { vendor: Some(0x076B), product: Some(0x3031) });
        assert_eq!(Properties::parse(&bytes("0B 02 6B")), Properties::default());
        assert_eq!(Properties::parse(&bytes("0B 01 6B")), Properties::default());
        assert_eq!(Properties::parse(&[]), Properties::default());
    }

    #[test]
    fn a_false_claim_is_known_by_identifier_or_by_name() {
        let omnikey = Properties { vendor: Some(0x076B), product: Some(0x3031) };
        assert!(is_false_claim("Some reader 00 00", omnikey, &[]));
        assert!(is_false_claim(
            "HID Global OMNIKEY 3x21 Smart Card Reader [OMNIKEY 3x21] 00 00",
            Properties::default(),
            &[]
        ));
        assert!(is_false_claim("HID Global OMNIKEY 6121 Smart Card Reader 00 00", Properties::default(), &[]));
        assert!(!is_false_claim("Cherry GmbH SmartTerminal ST-2xxx 00 00", Properties::default(), &[]));
        assert!(!is_false_claim("Some reader", Properties { vendor: Some(0x076B), product: Some(0x0001) }, &[]));
        let known = QUIRKS.lines().filter_map(Quirk::parse).count();
        assert_eq!(known, QUIRKS.lines().filter(|line| !line.starts_with('#')).count() - 1, "every line but the head");
        assert!(known > 0);
        // What a site has found out for itself.
        let cherry = Properties { vendor: Some(0x046A), product: Some(0x003E) };
        let said = |entry: &str| is_false_claim("Cherry SmartTerminal 00 00", cherry, &[entry.to_owned()]);
        for (entry, is_said) in [
            ("046A:003E", true),
            ("046a:003e", true),
            ("SmartTerminal", true),
            ("046A:003F", false),
            ("46A:3E", false),
            ("ST-2000", false),
        ] {
            assert_eq!(said(entry), is_said, "{entry}");
        }
    }

    #[test]
    fn the_structure_is_that_of_part_10() {
        let t0 = Framing::T0;
        let own = verify_structure(0x01, (4, 8), None, t0, 30);
        assert_eq!(own, bytes("1E 1E 82 00 00 0804 02 01 0C04 00 000000 05000000 00 20 00 01 00"));
        let filled = verify_structure(0x03, (4, 8), Some((8, 0xFF)), t0, 30);
        assert_eq!(filled, bytes("1E 1E 82 08 00 0804 02 01 0C04 00 000000 0D000000 00 20 00 03 08 FFFFFFFFFFFFFFFF"));
        let cps4 = Framing { protocol: Protocol::T1, channel: 1 };
        assert_eq!(verify_structure(0x01, (4, 4), None, cps4, 30)[5..7], [4, 4]);
        assert_eq!(verify_structure(0x01, (4, 4), None, cps4, 30)[19..], [0x01, 0x20, 0x00, 0x01, 0x00]);
    }

    #[test]
    fn the_reader_s_own_words_are_not_the_card_s() {
        assert_eq!(said_by_keys(0x6400), Some(Said::TimedOut));
        assert_eq!(said_by_keys(0x6401), Some(Said::Cancelled));
        assert_eq!(said_by_keys(0x6403), Some(Said::WrongLength));
        assert_eq!(said_by_keys(0x6404), Some(Said::Refused(0x6404)));
        assert_eq!(said_by_keys(0x6B80), Some(Said::Refused(0x6B80)));
        for card in [0x9000, 0x63C2, 0x63C0, 0x6983, 0x6700] {
            assert_eq!(said_by_keys(card), None, "{card:04X}");
        }
    }

    proptest! {
        /// Whatever a driver answers: no panic.
        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Features::parse(&bytes).way();
            let _ = Properties::parse(&bytes);
        }
    }
}
