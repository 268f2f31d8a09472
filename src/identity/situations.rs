//! A "situation d'exercice" as a CPS holds it behind its PIN: CPS_ACTIVITY_01_PS to _16_PS, one small file each.
//!
//! Template EE with 84 (name), 85 (structure's identifier) and 86 (sector). That the files are D120 to D12F and guarded is
//! read in the agency's own sources; the inside is inferred from a public sample, and no real card was at hand: what is not
//! understood is no situation, and never an error. Pure.

use crate::identity::holder::Situation;
use crate::identity::tlv::first;

/// What one file says. `None`: it is empty, or not understood.
pub fn read(file: &[u8]) -> Option<Situation> {
    let inside = first(file, TEMPLATE)?;
    let structure = word(first(inside, STRUCTURE)?)?;
    let name = first(inside, NAME).and_then(word).unwrap_or_default();
    let sector = first(inside, SECTOR).and_then(word);
    Some(Situation { structure, name, sector })
}

/// Text as cards of this age write it: UTF-8, else Latin-1; without control characters and outer spaces.
fn word(bytes: &[u8]) -> Option<String> {
    let latin = || bytes.iter().map(|byte| char::from(*byte)).collect();
    let text: String = std::str::from_utf8(bytes).map_or_else(|_| latin(), str::to_owned);
    let text: String = text.chars().filter(|letter| !letter.is_control()).take(WORD_MAX).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

const TEMPLATE: u16 = 0xEE;
const NAME: u16 = 0x84;
const STRUCTURE: u16 = 0x85;
const SECTOR: u16 = 0x86;
const WORD_MAX: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(value.len()).expect("short")], value].concat()
    }

    #[test]
    fn a_situation_is_read_whatever_fills_its_file() {
        let inside =
            [tlv(0x84, b"CLINIQUE \xC9TOILE"), tlv(0x99, b"?"), tlv(0x85, b"1440000999"), tlv(0x86, b"SA04")].concat();
        let expected =
            Situation { structure: "1440000999".into(), name: "CLINIQUE ÉTOILE".into(), sector: Some("SA04".into()) };
        for file in [
            tlv(0xEE, &inside),
            [tlv(0xEE, &inside), vec![0; 30]].concat(),
            [&[0xEE, 0x81, u8::try_from(inside.len()).expect("short")], &*inside].concat(),
        ] {
            assert_eq!(read(&file).as_ref(), Some(&expected), "{file:02X?}");
        }
        let without_sector = tlv(0xEE, &tlv(0x85, b"1440000999"));
        assert_eq!(read(&without_sector).map(|it| (it.name, it.sector)), Some((String::new(), None)));
    }

    #[test]
    fn what_is_not_understood_is_no_situation() {
        let whole = tlv(0xEE, &tlv(0x85, b"1440000999"));
        for file in [&[][..], &[0; 40], &[0xFF; 40], &whole[..whole.len() - 1], &tlv(0xEE, &tlv(0x84, b"NO STRUCTURE"))]
        {
            assert_eq!(read(file), None, "{file:02X?}");
        }
    }
}
