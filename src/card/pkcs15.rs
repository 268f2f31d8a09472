//! What the card's files say: EF.ATR, EF.DIR, EF.SN.ICC, and the PKCS#15 directory below them (ISO 7816-15). Pure.
//!
//! Tolerant on purpose, because real cards are odd: a stray byte opens EF.ATR, BIT STRINGs miscount their unused bits,
//! files are longer than what they hold, objects are in no fixed place. Never trusts a length, never recurses: what is cut
//! short or nested otherwise is left out, and its absence is an error where it is missed.

use crate::identity::tlv::first;
use crate::identity::tlv::objects;

/// An application template of EF.DIR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    pub aid: Vec<u8>,
    /// From the master file.
    pub path: Option<Vec<u8>>,
}

/// Where the object directory says that the other directories are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Directories {
    pub keys: Vec<Vec<u8>>,
    pub certificates: Vec<Vec<u8>>,
    pub pins: Vec<Vec<u8>>,
}

/// A private key of the PrKDF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub id: Vec<u8>,
    /// The PIN that guards it.
    pub pin_id: Option<Vec<u8>>,
    /// Bit n of ISO 7816-15 §8.4.2 is bit n here.
    pub usage: u32,
    pub reference: Option<u8>,
}

/// A certificate of the CDF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateAt {
    pub id: Vec<u8>,
    pub path: Vec<u8>,
    pub offset: u16,
    /// Absent: what the file holds.
    pub length: Option<u16>,
}

/// A PIN of the AODF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinRules {
    pub id: Vec<u8>,
    /// P2 of VERIFY.
    pub reference: u8,
    pub digits_min: u8,
    pub digits_max: u8,
    /// To this length and with this byte, when the card wants it.
    pub padding: Option<(u8, u8)>,
    /// An unblocking or a security officer's one: never asked for here.
    pub is_for_unblocking: bool,
}

impl Key {
    /// Signs documents.
    pub fn is_for_documents(&self) -> bool {
        self.usage & (1 << USAGE_NON_REPUDIATION) != 0
    }

    /// Signs, and not for a document: `nonRepudiation` is the other key's business.
    pub fn is_for_authentication(&self) -> bool {
        let has = |bit: u32| self.usage & (1 << bit) != 0;
        (has(USAGE_SIGN) || has(USAGE_SIGN_RECOVER)) && !has(USAGE_NON_REPUDIATION)
    }
}

/// How long the one object is that these bytes begin with, head included.
pub fn length_of(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [0x30, length @ 0x00..=0x7F, ..] => Some(2 + usize::from(*length)),
        [0x30, 0x81, length, ..] => Some(3 + usize::from(*length)),
        [0x30, 0x82, high, low, ..] => Some(4 + usize::from(u16::from_be_bytes([*high, *low]))),
        _ => None,
    }
}

/// The root application that EF.ATR announces, with or without the stray byte at its start.
pub fn root_application(ef_atr: &[u8]) -> Option<&[u8]> {
    let stray = ef_atr.get(1..).unwrap_or(&[]);
    let named = |bytes| first(bytes, 0x4F).filter(|aid| AID_LENGTHS.contains(&aid.len()));
    named(ef_atr).or_else(|| named(stray))
}

/// Issuer and number of EF.SN.ICC (tag 5A: ten digits of issuer, then the number with its filler).
pub fn serial(ef_sn: &[u8]) -> Option<String> {
    let (issuer, number) = first(ef_sn, 0x5A)?.split_at_checked(5)?;
    let digits: String = number.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]).map(hexadecimal).collect();
    let number = digits.trim_end_matches('F');
    let issuer: String = issuer.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]).map(hexadecimal).collect();
    (!number.is_empty()).then(|| format!("{issuer}/{number}"))
}

/// The application templates of EF.DIR.
pub fn applications(ef_dir: &[u8]) -> Vec<Application> {
    let templates = objects(ef_dir).filter(|(tag, _)| *tag == 0x61).map(|(_, value)| value);
    templates
        .filter_map(|template| {
            let aid = first(template, 0x4F)?.to_vec();
            Some(Application { aid, path: first(template, 0x51).filter(|path| is_path(path)).map(<[u8]>::to_vec) })
        })
        .collect()
}

/// The object directory file.
pub fn directories(odf: &[u8]) -> Directories {
    let mut found = Directories::default();
    for (tag, value) in objects(odf) {
        let list = match tag {
            0xA0 => &mut found.keys,
            0xA4 => &mut found.certificates,
            0xA8 => &mut found.pins,
            _ => continue,
        };
        let path = first(first(value, 0x30).unwrap_or(value), 0x04);
        list.extend(path.filter(|path| is_path(path)).map(<[u8]>::to_vec));
    }
    found
}

/// The private keys of a PrKDF: RSA only.
pub fn keys(prkdf: &[u8]) -> Vec<Key> {
    let entries = entries(prkdf);
    entries
        .filter_map(|entry| {
            Some(Key {
                id: first(entry.class, 0x04)?.to_vec(),
                pin_id: first(entry.common, 0x04).map(<[u8]>::to_vec),
                usage: first(entry.class, 0x03).map_or(0, bits),
                reference: first(entry.class, 0x02).and_then(|value| value.last().copied()),
            })
        })
        .collect()
}

/// The certificates of a CDF.
pub fn certificates(cdf: &[u8]) -> Vec<CertificateAt> {
    let entries = entries(cdf);
    entries
        .filter_map(|entry| {
            let kind = entry.kind?;
            let value = first(kind, 0x30).unwrap_or(kind);
            let location = first(value, 0x30).unwrap_or(value);
            let path = first(location, 0x04).filter(|path| is_path(path))?.to_vec();
            Some(CertificateAt {
                id: first(entry.class, 0x04)?.to_vec(),
                path,
                offset: first(location, 0x02).and_then(number).unwrap_or(0),
                length: first(location, 0x80).and_then(number).filter(|length| *length > 0),
            })
        })
        .collect()
}

/// The PINs of an AODF.
pub fn pins(aodf: &[u8]) -> Vec<PinRules> {
    let entries = entries(aodf);
    entries
        .filter_map(|entry| {
            let kind = entry.kind?;
            let attributes = first(kind, 0x30).unwrap_or(kind);
            let mut lengths = objects(attributes).filter(|(tag, _)| *tag == 0x02).map(|(_, value)| number(value));
            let (least, stored, most) = (lengths.next()??, lengths.next()??, lengths.next().flatten());
            let flags = first(attributes, 0x03).map_or(0, bits);
            let has = |bit: u32| flags & (1 << bit) != 0;
            let stored = u8::try_from(stored).ok()?;
            let pad = first(attributes, 0x04).and_then(|value| value.first().copied()).unwrap_or(PAD_DEFAULT);
            let digits_max = u8::try_from(most.unwrap_or(u16::from(stored))).ok()?.min(PIN_DIGITS_MAX);
            let digits_min = u8::try_from(least).ok()?.max(1);
            (digits_min <= digits_max).then(|| PinRules {
                id: first(entry.class, 0x04).unwrap_or_default().to_vec(),
                reference: first(attributes, 0x80)
                    .and_then(|value| value.last().copied())
                    .unwrap_or(PIN_REFERENCE_DEFAULT),
                digits_min,
                digits_max,
                padding: has(PIN_NEEDS_PADDING).then_some((stored.min(PADDED_MAX), pad)),
                is_for_unblocking: has(PIN_UNBLOCKING) || has(PIN_SECURITY_OFFICER),
            })
        })
        .collect()
}

/// The tries that the PIN's data object says are left: tag 9B, or 0 when its usage counter (9D) has run out.
pub fn tries_left(object: &[u8]) -> Option<u8> {
    let inside = first(first(first(object, 0x70)?, 0xBF81)?, 0xA0)?;
    let left = first(inside, 0x9B)?.last().copied()?;
    match first(inside, 0x9D).and_then(number) {
        Some(0) => Some(0),
        _ => Some(left),
    }
}

/// A path of a directory, made to start at the master file.
pub fn absolute(application: &[u8], path: &[u8]) -> Vec<u8> {
    if path.starts_with(&MASTER_FILE) { path.to_vec() } else { [application, path].concat() }
}

/// What a card of this family is when its AODF says nothing.
pub fn usual_pin() -> PinRules {
    PinRules {
        id: Vec::new(),
        reference: PIN_REFERENCE_DEFAULT,
        digits_min: 4,
        digits_max: 4,
        padding: None,
        is_for_unblocking: false,
    }
}

/// One object of a directory file: common, class and type attributes (ISO 7816-15 §8.2).
struct Entry<'a> {
    common: &'a [u8],
    class: &'a [u8],
    kind: Option<&'a [u8]>,
}

fn entries(directory: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    objects(directory).filter(|(tag, _)| *tag == 0x30).filter_map(|(_, entry)| {
        let mut sequences = objects(entry).filter(|(tag, _)| *tag == 0x30).map(|(_, value)| value);
        let (common, class) = (sequences.next()?, sequences.next()?);
        Some(Entry { common, class, kind: first(entry, 0xA1) })
    })
}

/// A BIT STRING whose count of unused bits is not believed: bits that are not there are 0 either way.
fn bits(value: &[u8]) -> u32 {
    let bytes = value.get(1..).unwrap_or(&[]);
    bytes.iter().take(4).enumerate().fold(0, |bits, (at, byte)| bits | u32::from(byte.reverse_bits()) << (8 * at))
}

/// A short INTEGER that is not negative.
fn number(value: &[u8]) -> Option<u16> {
    let significant: &[u8] = if let [0x00, rest @ ..] = value { rest } else { value };
    match significant {
        [] => (!value.is_empty()).then_some(0),
        [one] => Some(u16::from(*one)),
        [high, low] => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    }
}

fn is_path(path: &[u8]) -> bool {
    (2..=PATH_LENGTH_MAX).contains(&path.len()) && path.len().is_multiple_of(2)
}

fn hexadecimal(digit: u8) -> char {
    char::from(b"0123456789ABCDEF"[usize::from(digit & 0x0F)])
}

/// The master file's identifier.
pub const MASTER_FILE: [u8; 2] = [0x3F, 0x00];

const AID_LENGTHS: std::ops::RangeInclusive<usize> = 5..=16;
const PATH_LENGTH_MAX: usize = 8;
const PIN_DIGITS_MAX: u8 = crate::secret::PIN_DIGITS_MAX as u8;
const PADDED_MAX: u8 = 16;
const PAD_DEFAULT: u8 = 0xFF;
const PIN_REFERENCE_DEFAULT: u8 = 0x01;
// ISO 7816-15 §8.4.2, KeyUsageFlags.
const USAGE_SIGN: u32 = 2;
const USAGE_SIGN_RECOVER: u32 = 3;
const USAGE_NON_REPUDIATION: u32 = 9;
// ISO 7816-15 §8.9.2, PasswordFlags.
const PIN_NEEDS_PADDING: u32 = 5;
const PIN_UNBLOCKING: u32 = 6;
const PIN_SECURITY_OFFICER: u32 = 7;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(text: &str) -> Vec<u8> {
        hex::decode(text.replace([' ', '\n', '|'], "")).expect("hexadecimal")
    }

    #[test]
    fn ef_atr_is_read_with_and_without_its_stray_byte() {
        let rest = "43 01 B8 | 46 04 04 B0 EC C1 | 47 03 94 01 80 | 4F 08 80250000 01FF0100 | E0 10 02020104 02020104
                    02020100 02020100 | 78 08 06 06 2B 81 22 F8 78 02 | 82 02 90 00";
        let expected = bytes("80250000 01FF0100");
        assert_eq!(root_application(&bytes(&format!("80 {rest}"))), Some(&expected[..]));
        assert_eq!(root_application(&bytes(rest)), Some(&expected[..]));
        assert_eq!(root_application(&bytes("80 43 01 B8")), None);
        assert_eq!(root_application(&[]), None);
    }

    #[test]
    fn a_serial_number_is_digits_without_filling() {
        let serial = |text| serial(&bytes(text));
        assert_eq!(serial("5A 0A 80 25 00 00 01 99 21 38 45 0F"), Some("8025000001/992138450".into()));
        assert_eq!(serial("5A 0A 80 25 00 00 01 28 00 26 24 87"), Some("8025000001/2800262487".into()));
        assert_eq!(serial("5A 04 80 25 00 00"), None);
        assert_eq!(serial("5B 01 00"), None);
    }

    #[test]
    fn an_object_says_its_length() {
        assert_eq!(length_of(&bytes("30 05 00")), Some(7));
        assert_eq!(length_of(&bytes("30 81 E7")), Some(0xEA));
        assert_eq!(length_of(&bytes("30 82 05 DC 30")), Some(4 + 1500));
        for unknown in ["", "30", "30 81", "30 82 05", "30 80 00 00", "31 05"] {
            assert_eq!(length_of(&bytes(unknown)), None, "{unknown}");
        }
    }

    #[test]
    fn ef_dir_names_its_applications() {
        let found = applications(&bytes(
            "61 1B 4F 0D E828BD080F80250000 01FF0010 50 04 43505320 51 04 3F000001 | 61 07 4F 05 A000000077 | 00 00 FF FF",
        ));
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].aid, bytes("E828BD080F8025000001FF0010"));
        assert_eq!(found[0].path, Some(bytes("3F000001")));
        assert_eq!(found[1], Application { aid: bytes("A000000077"), path: None });
    }

    #[test]
    fn the_object_directory_is_read_with_and_without_its_inner_sequence() {
        let found =
            directories(&bytes("A8 06 30 04 04 02 4401 | A0 04 04 02 4402 | A4 08 30 06 04 04 3F004403 A7 02 04 00"));
        assert_eq!(found.pins, [bytes("4401")]);
        assert_eq!(found.keys, [bytes("4402")]);
        assert_eq!(found.certificates, [bytes("3F004403")]);
        assert_eq!(absolute(&bytes("3F000001"), &found.pins[0]), bytes("3F0000014401"));
        assert_eq!(absolute(&bytes("3F000001"), &found.certificates[0]), bytes("3F004403"));
    }

    /// A key with this BIT STRING as its usage and this INTEGER as its reference.
    fn key(usage: &str, reference: &str) -> Key {
        let class = format!("0402 AA02 {usage} {reference}");
        let class_length = bytes(&class).len();
        let entry = format!("3009 0C01 41 0302 0780 0401 01 30{class_length:02X} {class} A100");
        // The common attributes are 10 bytes long.
        let entry = entry.replacen("3009", "300A", 1);
        let all = format!("30{:02X} {entry}", bytes(&entry).len());
        keys(&bytes(&all)).pop().expect("a key")
    }

    #[test]
    fn keys_are_told_apart_by_their_usage_whatever_their_unused_bits_say() {
        let authentication = key("0302 0520", "0202 0082");
        assert!(authentication.is_for_authentication());
        assert_eq!((authentication.reference, authentication.pin_id), (Some(0x82), Some(vec![0x01])));
        // The same bits, with a wrong and with an impossible count of unused bits.
        assert!(key("0302 0020", "0201 82").is_for_authentication());
        assert!(key("0302 FF20", "0201 82").is_for_authentication());
        // sign and nonRepudiation: the signature key.
        let signature = key("0303 0620 40", "0202 0081");
        assert!(!signature.is_for_authentication() && signature.is_for_documents());
        assert!(!key("0303 0020 40", "0201 81").is_for_authentication());
        // decrypt alone; nothing at all.
        assert!(!key("0302 0640", "0201 83").is_for_authentication());
        assert!(!key("0300", "0201 83").is_for_authentication());
    }

    #[test]
    fn a_pin_is_read_with_its_rules() {
        let entry = |attributes: &str| {
            let inside = format!("30{:02X} {attributes}", bytes(attributes).len());
            let kind = format!("A1{:02X} {inside}", bytes(&inside).len());
            let entry = format!("3003 0C01 41 3003 0401 01 {kind}");
            pins(&bytes(&format!("30{:02X} {entry}", bytes(&entry).len())))
        };
        let usual = entry("0302 0308 0A01 01 0201 04 0201 08 0201 08 8001 01 0401 00");
        assert_eq!(usual.len(), 1);
        assert_eq!((usual[0].digits_min, usual[0].digits_max, usual[0].reference), (4, 8, 1));
        assert_eq!((usual[0].padding, usual[0].is_for_unblocking), (None, false));
        // needs-padding, to 8 with FF; no maximum: what is stored.
        let padded = entry("0302 0204 0A01 01 0201 04 0201 08 8001 02 0401 FF");
        assert_eq!((padded[0].digits_max, padded[0].reference, padded[0].padding), (8, 2, Some((8, 0xFF))));
        assert!(entry("0302 0102 0A01 01 0201 08 0201 08")[0].is_for_unblocking);
        // Nobody types 200 digits, and no PIN is longer than its longest.
        assert_eq!(entry("0302 0308 0A01 01 0201 04 0202 00C8 0202 00C8")[0].digits_max, 8);
        assert_eq!(entry("0302 0308 0A01 01 0201 09 0201 04 0201 04"), []);
        assert_eq!(entry("0302 0308 0A01 01"), []);
    }

    #[test]
    fn a_certificate_may_lie_anywhere() {
        let at = certificates(&bytes("30 1B 3003 0C01 41 3004 0402 AA02 A10E 300C 300A 0402 4410 0201 04 8001 20"));
        assert_eq!(at, [CertificateAt { id: bytes("AA02"), path: bytes("4410"), offset: 4, length: Some(0x20) }]);
        assert_eq!(certificates(&bytes("30 09 3003 0C01 41 3002 0400")), []);
    }

    #[test]
    fn the_counter_of_the_pins_object_is_read() {
        let real = "70 16 BF8101 12 A0 10 9A 01 03 9B 01 03 A1 08 8C 06 F3 00 00 13 FF 00";
        assert_eq!(tries_left(&bytes(real)), Some(3));
        assert_eq!(tries_left(&bytes("70 0C BF8101 08 A0 06 9B 01 02 9D 01 00")), Some(0));
        assert_eq!(tries_left(&bytes("70 00")), None);
    }

    proptest! {
        /// Whatever a card sends: no panic, and nothing longer than what came in.
        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let total = bytes.len();
            length_of(&bytes);
            serial(&bytes);
            tries_left(&bytes);
            prop_assert!(root_application(&bytes).is_none_or(|aid| aid.len() <= total));
            prop_assert!(applications(&bytes).len() <= total);
            let found = directories(&bytes);
            prop_assert!(found.keys.len() + found.pins.len() + found.certificates.len() <= total);
            prop_assert!(keys(&bytes).len() <= total);
            prop_assert!(certificates(&bytes).iter().all(|at| at.path.len() <= PATH_LENGTH_MAX));
            prop_assert!(pins(&bytes).iter().all(|pin| pin.digits_min <= pin.digits_max && pin.digits_max <= PIN_DIGITS_MAX));
        }

        /// Well-formed outside and anything inside, which random bytes seldom are.
        #[test]
        fn any_object_in_an_entry_is_read_without_harm(inside in proptest::collection::vec(any::<u8>(), 0..60)) {
            let length = inside.len() as u8;
            for head in [vec![0x30, length], vec![0x30, length + 4, 0x30, 0x00, 0xA1, length], vec![0xA0, length]] {
                let all = [head, inside.clone()].concat();
                keys(&all);
                pins(&all);
                certificates(&all);
                directories(&all);
            }
        }
    }
}
