//! A drawer of named cards. Everyone in it is invented: identifiers have the form of the national test range
//! (8 99 700 …, right Luhn key), structures the form of a FINESS that no establishment holds.
//!
//! A card is printed anew each time it is taken, from keys that stay the same: what was done to it before (tries burnt,
//! faults set) is forgotten, unless the caller keeps the card that [`crate::sandbox::vpcd::Inserted::pull`] hands back.

use crate::identity::holder::CardKind;
use crate::sandbox::cps::Card;
use crate::sandbox::cps::Chip;
use crate::sandbox::cps::Print;
use crate::sandbox::cps::TRIES_MAX;
use crate::sandbox::cps::make::Make;
use crate::sandbox::pki;
use crate::sandbox::pki::Authority;
use crate::sandbox::pki::Dates;
use crate::sandbox::pki::Pki;
use crate::sandbox::pki::Profile;

/// The cards of one hierarchy.
#[derive(Debug, Clone)]
pub struct Drawer {
    pki: Pki,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the drawer holds no card of that name")]
    NoSuchCard,
    #[error("the card could not be printed")]
    Print { source: pki::Error },
}

/// Name, and what is special about it.
struct Sheet {
    profile: Profile,
    chip: Chip,
    make: Make,
    tries_left: u8,
    /// For people, in French: what a list beside the demo's window says.
    about: &'static str,
}

impl Drawer {
    pub fn new(pki: Pki) -> Drawer {
        Drawer { pki }
    }

    /// Whose cards these are.
    pub fn pki(&self) -> &Pki {
        &self.pki
    }

    /// In the order in which a newcomer should try them.
    pub fn names() -> Vec<&'static str> {
        sheets().iter().map(|sheet| sheet.profile.name).collect()
    }

    /// A few French words about a card, for a list.
    pub fn about(name: &str) -> Option<&'static str> {
        sheets().iter().find(|sheet| sheet.profile.name == name).map(|sheet| sheet.about)
    }

    /// Who a card belongs to.
    pub fn profile(name: &str) -> Option<Profile> {
        sheets().iter().find(|sheet| sheet.profile.name == name).map(|sheet| sheet.profile)
    }

    /// The card `odd`, laid out as the make of this name says.
    pub fn odd_card(&self, make: &str) -> Result<Card, Error> {
        let make = Make::named(make).ok_or(Error::NoSuchCard)?;
        let sheet = sheets().into_iter().find(|sheet| sheet.make == Make::ODD).ok_or(Error::NoSuchCard)?;
        self.print(Sheet { make, ..sheet })
    }

    /// Prints a card: PIN [`crate::sandbox::cps::PIN`], three tries unless its name says otherwise.
    pub fn card(&self, name: &str) -> Result<Card, Error> {
        self.print(sheets().into_iter().find(|sheet| sheet.profile.name == name).ok_or(Error::NoSuchCard)?)
    }

    /// The card of one with the number of another's: it lies, or the other was made anew.
    pub fn card_numbered(&self, name: &str, as_of: &str) -> Result<Card, Error> {
        let number = Drawer::profile(as_of).ok_or(Error::NoSuchCard)?.card_number;
        let own = sheets().into_iter().find(|sheet| sheet.profile.name == name).ok_or(Error::NoSuchCard)?;
        self.print(Sheet { profile: Profile { card_number: number, ..own.profile }, ..own })
    }

    fn print(&self, sheet: Sheet) -> Result<Card, Error> {
        let secrets = self.pki.card(&sheet.profile).map_err(|source| Error::Print { source })?;
        let Sheet { chip, make, profile, tries_left, .. } = sheet;
        Ok(Card::print(Print { chip, make, profile, secrets, tries_left }))
    }
}

/// Everyone, for the revocation lists.
pub fn profiles() -> Vec<Profile> {
    sheets().iter().map(|sheet| sheet.profile).collect()
}

#[rustfmt::skip]
fn sheets() -> Vec<Sheet> {
    let person = |name, given_name, family_name, holder_id, title, profession, card_number| Profile {
        name, given_name, family_name, holder_id, title, profession: Some(profession), kind: CardKind::Cps,
        structure: None, authority: Authority::Strong, dates: Dates::Current, revoked: false, card_number,
    };
    let sheet = |profile, about| Sheet { profile, chip: Chip::Cps3, make: Make::USUAL, tries_left: TRIES_MAX, about };
    let nurse = |name, given_name, family_name, holder_id, card_number| {
        person(name, given_name, family_name, holder_id, "Infirmier", 60, card_number)
    };
    vec![
        sheet(nurse("nurse", "Maëlle", "QUERVENNEC", "899700101340", "993112077"), "infirmière"),
        sheet(person("doctor", "Aurélien", "TALBOISSEAU", "899700201470", "Médecin", 10, "993113208"), "médecin"),
        sheet(person("pharmacist", "Solveig", "D'ARGENTREUIL", "899700301528", "Pharmacien", 21, "993114339"), "pharmacienne"),
        sheet(person("physiotherapist", "Ilan", "BRÉVIGNON-ROC", "899700401682", "Masseur-Kinésithérapeute", 70, "993115468"), "kinésithérapeute"),
        sheet(Profile { kind: CardKind::Cpf, ..person("in-training", "Noé", "VASTERNAUX", "899700501739", "Médecin", 10, "993116599") },
            "médecin en formation (CPF)"),
        sheet(reception(), "accueil (CPE)"),
        sheet(authorised(), "personne autorisée (CPA)"),
        sheet(of_nobody(), "carte de service, sans nom (CPE)"),
        sheet(Profile { dates: Dates::Coming, ..nurse("not-yet", "Ghislaine", "MONTVERDIER", "899700602958", "993135599") },
            "carte pas encore valable"),
        sheet(Profile { dates: Dates::Expired, ..nurse("expired", "Yvonne", "CHANTEGRAIL", "899700601810", "993118850") }, "carte périmée"),
        sheet(Profile { dates: Dates::Ending, ..nurse("ending", "Azilis", "KERLEROUX", ENDING, "993129048") }, "carte bientôt périmée"),
        sheet(nurse("renewed", "Azilis", "KERLEROUX", ENDING, "993130186"), "sa nouvelle carte"),
        sheet(Profile { revoked: true, ..nurse("revoked", "Tancrède", "MOURVILLON", "899700601927", "993119981") }, "carte en opposition"),
        sheet(Profile { authority: Authority::Other, ..nurse("other-issuer", "Capucine", "FLORIMBERT", "899700602032", "993121110") },
            "autre émetteur"),
        Sheet { tries_left: 0, ..sheet(nurse("pin-blocked", "Basile", "ORTHEVAL", "899700602149", "993122241"), "code bloqué") },
        Sheet { tries_left: 1, ..sheet(nurse("last-try", "Enora", "PLESSIVIER", "899700602255", "993123371"), "dernier essai") },
        Sheet { chip: Chip::Cps4, make: Make::T1, ..sheet(nurse("cps4", "Gaspard", "LUNEVIEIL", "899700602362", "993124502"), "génération CPS4") },
        Sheet { chip: Chip::Contactless, ..sheet(nurse("contactless", "Oriane", "SAUTEMOUCHE", "899700602479", "993125632"), "sans contact") },
        Sheet { make: Make::ODD, ..sheet(nurse("odd", "Isaure", "VERTBOISIER", "899700602610", "993127893"), "rangée autrement") },
        Sheet { make: Make { places: 2, ..Make::USUAL }, ..sheet(nurse("two-places", "Eulalie", "CHASTEVIGNE", "899700602842", "993131317"), "deux lieux d’exercice") },
        sheet(nurse("letters", "Hermance", "OUVREFONTAINE", "00B9970017", "993129022"), "identifiant avec des lettres"),
        Sheet { chip: Chip::Unknown, ..sheet(nurse("unknown", "Philibert", "AUBRELONGUE", "899700602586", "993126762"), "pas une CPS") },
    ]
}

/// Who has an old card and a new one.
const ENDING: &str = "899700602727";

/// An employee: no profession, a structure, an identifier with letters in it.
fn reception() -> Profile {
    Profile {
        name: "reception",
        given_name: "Lison",
        family_name: "GARDEVOIR",
        holder_id: "3440000999/CPET00017",
        title: "Personnel santé ou social",
        profession: None,
        kind: CardKind::Cpe,
        structure: Some(("1440000999", "CLINIQUE DU BAC A SABLE")),
        authority: Authority::Standard,
        dates: Dates::Current,
        revoked: false,
        card_number: "993117720",
    }
}

/// Somebody whom a professional lets work in their name: a CPA.
fn authorised() -> Profile {
    Profile {
        name: "authorised",
        given_name: "Théodule",
        family_name: "BRASSEUR-LENOIR",
        holder_id: "500000000000018/CPAT00031",
        title: "Personnel santé ou social",
        kind: CardKind::Cpa,
        structure: Some(("300000000000018", "CABINET DU BAC A SABLE")),
        card_number: "993133131",
        ..reception()
    }
}

/// A CPE that a structure hands to whoever is on duty, under the third authority.
fn of_nobody() -> Profile {
    Profile {
        name: "of-nobody",
        given_name: "",
        family_name: "",
        holder_id: "3440000999/CPET00026",
        authority: Authority::Elementary,
        card_number: "993134360",
        ..reception()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The Luhn sum of digits that end with their key (ISO/IEC 7812-1 annex B).
    fn luhn_holds(digits: &str) -> bool {
        let sum: u32 = digits
            .bytes()
            .rev()
            .enumerate()
            .map(|(place, digit)| {
                let value = u32::from(digit - b'0');
                if place % 2 == 0 { value } else { value * 2 / 10 + value * 2 % 10 }
            })
            .sum();
        sum.is_multiple_of(10)
    }

    #[test]
    fn identifiers_are_of_the_test_range_and_their_keys_hold() {
        assert!(luhn_holds("99700366240") && !luhn_holds("99700366241"));
        for profile in profiles() {
            assert!(luhn_holds(profile.card_number) && profile.card_number.len() == 9, "{}", profile.name);
            // ADELI identifiers, which professions without RPPS still have, may hold letters.
            let has_letters = profile.holder_id.starts_with("00B");
            if !matches!(profile.kind, CardKind::Cpe | CardKind::Cpa) && !has_letters {
                let rpps = profile.holder_id.strip_prefix('8').expect("a professional's identifier opens with 8");
                assert!(rpps.starts_with("99700") && rpps.len() == 11 && luhn_holds(rpps), "{}", profile.name);
            }
        }
    }

    #[test]
    fn no_two_cards_share_a_name_an_identifier_or_a_number() {
        let count = |field: fn(&Profile) -> &'static str| {
            let mut seen: Vec<&str> = profiles().iter().map(field).collect();
            seen.sort_unstable();
            seen.dedup();
            seen.len()
        };
        assert_eq!((count(|p| p.name), count(|p| p.card_number)), (22, 22));
        assert_eq!(count(|p| p.holder_id), 21, "one holder has two cards");
    }
}
