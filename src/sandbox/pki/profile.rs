//! What a card says of its holder, and which authority says it.

use crate::identity::holder::CardKind;
use crate::sandbox::der;
use crate::sandbox::pki::certificate;
use crate::sandbox::pki::certificate::Draft;
use crate::sandbox::pki::certificate::Weight;
use crate::sandbox::pki::certificate::attribute;
use crate::sandbox::pki::certificate::extension;
use crate::sandbox::pki::hours;
use jiff::Timestamp;

/// One invented holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// The card's name in the drawer, and its folder's.
    pub name: &'static str,
    pub given_name: &'static str,
    pub family_name: &'static str,
    /// `8` + RPPS for a professional, `3` + FINESS + `/` + rank for an employee.
    pub holder_id: &'static str,
    /// The subject's title.
    pub title: &'static str,
    /// TRE_G15; absent on a CPE.
    pub profession: Option<u16>,
    pub kind: CardKind,
    /// The employer, on a CPE: identifier and name.
    pub structure: Option<(&'static str, &'static str)>,
    pub authority: Authority,
    pub dates: Dates,
    /// Named by its authority's list.
    pub revoked: bool,
    /// Nine digits, the last their Luhn key: EF.SN and the certificate's `gipCardID`.
    pub card_number: &'static str,
}

/// Who signs. The hierarchy for test is the one of the drawer's cards; the one for production has the same shape, and is
/// drawn only when it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    Root,
    /// Cards of professionals.
    Strong,
    /// Nominative cards of employees.
    Standard,
    /// The third authority for persons: anchored, as a site should anchor it.
    Elementary,
    ProductionRoot,
    ProductionStrong,
    ProductionStandard,
    ProductionElementary,
    /// Signs what nobody should accept.
    OtherRoot,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dates {
    /// Three years from yesterday.
    Current,
    /// Three years that ended forty days ago.
    Expired,
    /// Three years that begin in thirty days, whenever the card is taken out.
    Coming,
    /// Three years that end in thirty days, whenever the card is taken out.
    Ending,
}

/// What a key is for: the two never mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    Authentication,
    Signature,
}

impl Profile {
    pub(super) fn serial_number(&self, purpose: Use) -> Vec<u8> {
        certificate::serial(&["card", self.name, purpose.name()])
    }

    /// The holder's certificate, three years long.
    pub(super) fn draft(&self, purpose: Use, now: Timestamp, lists_at: &str) -> Draft {
        let not_before = match self.dates {
            Dates::Current => hours(now, -24),
            Dates::Expired => hours(now, -24 * (40 + 3 * 365)),
            Dates::Coming => hours(now, 24 * 30),
            Dates::Ending => hours(now, -24 * (3 * 365 - 30)),
        };
        Draft {
            serial: self.serial_number(purpose),
            subject: self.subject(),
            not_before,
            not_after: hours(not_before, 24 * 3 * 365),
            extensions: self.extensions(purpose, lists_at),
        }
    }

    /// The last RDN has three values, in one SET: many parsers choke on it, which is why it is here.
    fn subject(&self) -> Vec<u8> {
        let mut rdns = vec![vec![attribute(certificate::COUNTRY, "FR")]];
        if let Some((id, name)) = self.structure {
            rdns.push(vec![attribute(certificate::STATE, "Loire-Atlantique (44)")]);
            rdns.push(vec![attribute(certificate::ORGANISATION, name)]);
            rdns.push(vec![attribute(certificate::UNIT, id)]);
        }
        rdns.push(vec![attribute(certificate::TITLE, self.title)]);
        let mut last = vec![attribute(certificate::COMMON_NAME, self.holder_id)];
        // A card that is nobody's in particular has no names.
        if !self.family_name.is_empty() {
            last.insert(0, attribute(certificate::GIVEN_NAME, self.given_name));
            last.push(attribute(certificate::SURNAME, self.family_name));
        }
        rdns.push(last);
        certificate::name(rdns)
    }

    fn extensions(&self, purpose: Use, lists_at: &str) -> Vec<Vec<u8>> {
        let plain = |oid: &str, value: &[u8]| extension(oid, Weight::Plain, value);
        let kind = match self.kind {
            CardKind::Cps => 0,
            CardKind::Cpf => 1,
            CardKind::Cpe => 2,
            CardKind::Cpa => 3,
        };
        let mut out = vec![certificate::leaf_constraints()];
        match purpose {
            Use::Authentication => {
                out.push(certificate::key_usage(&[0]));
                out.push(certificate::extended_key_usage(&["1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.20.2.2"]));
                // otherName: the user principal name that a Windows log-on would look for.
                let principal = der::context(0, &der::utf8(&format!("{}@carte.invalid", self.holder_id)));
                let other = der::context(0, &[der::oid("1.3.6.1.4.1.311.20.2.3"), principal].concat());
                out.push(plain("2.5.29.17", &der::sequence(&[other])));
            }
            Use::Signature => {
                out.push(certificate::key_usage(&[1]));
                out.push(certificate::extended_key_usage(&["1.3.6.1.5.5.7.3.4"]));
            }
        }
        out.push(plain("2.5.29.32", &policies()));
        out.push(plain("2.5.29.31", &self.authority.distribution_point(lists_at)));
        out.push(plain("2.5.29.46", &self.authority.freshest()));
        // The GIP-CPS arc: certificate kind (80: a person), card type, card number, profession.
        out.push(plain("1.2.250.1.71.1.2.5", &der::octets(&[0x80])));
        out.push(plain("1.2.250.1.71.1.2.2", &der::integer(kind)));
        out.push(plain("1.2.250.1.71.1.2.3", &der::printable(&format!("8025000001/{}", self.card_number))));
        if let Some(profession) = self.profession {
            out.push(plain("1.2.250.1.71.1.2.7", &der::integer(u64::from(profession))));
        }
        out
    }
}

impl Authority {
    /// Drawn when the folder is first opened.
    pub(super) const DRAWN: [Authority; 6] = [
        Authority::Root,
        Authority::Strong,
        Authority::Standard,
        Authority::Elementary,
        Authority::OtherRoot,
        Authority::Other,
    ];

    pub(super) const ANCHORS: [Authority; 4] =
        [Authority::Root, Authority::Strong, Authority::Standard, Authority::Elementary];

    pub(super) const PRODUCTION: [Authority; 4] = [
        Authority::ProductionRoot,
        Authority::ProductionStrong,
        Authority::ProductionStandard,
        Authority::ProductionElementary,
    ];

    pub(super) fn serial_number(self) -> Vec<u8> {
        certificate::serial(&["authority", self.file()])
    }

    pub(super) fn issuer(self) -> Option<Authority> {
        match self {
            Authority::Root | Authority::ProductionRoot | Authority::OtherRoot => None,
            Authority::Strong | Authority::Standard | Authority::Elementary => Some(Authority::Root),
            Authority::ProductionStrong | Authority::ProductionStandard | Authority::ProductionElementary => {
                Some(Authority::ProductionRoot)
            }
            Authority::Other => Some(Authority::OtherRoot),
        }
    }

    pub(super) fn file(self) -> &'static str {
        match self {
            Authority::Root => "ACR-PP-TEST",
            Authority::Strong => "ACI-FO-PP-TEST",
            Authority::Standard => "ACI-ST-PP-TEST",
            Authority::Elementary => "ACI-EL-PP-TEST",
            Authority::ProductionRoot => "ACR-PP",
            Authority::ProductionStrong => "ACI-FO-PP",
            Authority::ProductionStandard => "ACI-ST-PP",
            Authority::ProductionElementary => "ACI-EL-PP",
            Authority::OtherRoot => "OTHER-ACR",
            Authority::Other => "OTHER-ACI",
        }
    }

    /// As at the IGC-Santé, the word TEST is all that tells the two hierarchies apart.
    pub(super) fn subject(self) -> Vec<u8> {
        let (unit, common_name) = match self {
            Authority::Root => (OURS_TEST, "CHEVET BAC A SABLE TEST AC RACINE IGC-SANTE"),
            Authority::Strong => (OURS_TEST, "CHEVET BAC A SABLE TEST AC IGC-SANTE FORT PERSONNES"),
            Authority::Standard => (OURS_TEST, "CHEVET BAC A SABLE TEST AC IGC-SANTE STANDARD PERSONNES"),
            Authority::Elementary => (OURS_TEST, "CHEVET BAC A SABLE TEST AC IGC-SANTE ELEMENTAIRE PERSONNES"),
            Authority::ProductionRoot => (OURS, "CHEVET BAC A SABLE AC RACINE IGC-SANTE"),
            Authority::ProductionStrong => (OURS, "CHEVET BAC A SABLE AC IGC-SANTE FORT PERSONNES"),
            Authority::ProductionStandard => (OURS, "CHEVET BAC A SABLE AC IGC-SANTE STANDARD PERSONNES"),
            Authority::ProductionElementary => (OURS, "CHEVET BAC A SABLE AC IGC-SANTE ELEMENTAIRE PERSONNES"),
            Authority::OtherRoot => (OTHERS, "AUTRE BAC A SABLE TEST AC RACINE"),
            Authority::Other => (OTHERS, "AUTRE BAC A SABLE TEST AC PERSONNES"),
        };
        certificate::name(vec![
            vec![attribute(certificate::COUNTRY, "FR")],
            vec![attribute(certificate::ORGANISATION, "CHEVET BAC A SABLE")],
            // The form of a French register entry, of a number that belongs to nobody.
            vec![attribute(certificate::UNIT, "0002 000000000")],
            vec![attribute(certificate::UNIT, unit)],
            vec![attribute(certificate::COMMON_NAME, common_name)],
        ])
    }

    pub(super) fn extensions(self, lists_at: &str) -> Vec<Vec<u8>> {
        let mut out = vec![certificate::authority_constraints(), certificate::key_usage(&[5, 6])];
        if let Some(above) = self.issuer() {
            out.push(extension("2.5.29.32", Weight::Plain, &policies()));
            out.push(extension("2.5.29.31", Weight::Plain, &above.distribution_point(lists_at)));
        }
        out
    }

    /// cRLDistributionPoints of what this authority signs: over HTTP, and in a directory, as on a real card.
    fn distribution_point(self, lists_at: &str) -> Vec<u8> {
        points(&[format!("{lists_at}/{}.crl", self.file()), self.in_directory("certificateRevocationList")])
    }

    /// freshestCRL, as on a real card: in the directory alone.
    fn freshest(self) -> Vec<u8> {
        points(&[self.in_directory("deltaRevocationList")])
    }

    fn in_directory(self, attribute: &str) -> String {
        format!("ldap://annuaire.bac-a-sable.invalid/cn={},o=BAC-A-SABLE,c=FR?{attribute};binary?base", self.file())
    }
}

/// CRLDistributionPoints (RFC 5280 §4.2.1.13): one point an address.
fn points(addresses: &[String]) -> Vec<u8> {
    let point = |address: &String| {
        let full_name = der::context(0, &der::context_primitive(6, address.as_bytes()));
        der::sequence(&[der::context(0, &full_name)])
    };
    der::sequence(&addresses.iter().map(point).collect::<Vec<_>>())
}

impl Use {
    pub(super) const ALL: [Use; 2] = [Use::Authentication, Use::Signature];

    pub(super) fn name(self) -> &'static str {
        match self {
            Use::Authentication => "authentication",
            Use::Signature => "signature",
        }
    }
}

/// certificatePolicies: one policy, with the address of its text.
fn policies() -> Vec<u8> {
    let practice = der::sequence(&[der::oid("1.3.6.1.5.5.7.2.1"), der::ia5("http://igc.bac-a-sable.invalid/PC")]);
    let policy = der::sequence(&[der::oid("1.2.250.1.213.1.7.2.1.1.1.1"), der::sequence(&[practice])]);
    der::sequence(&[policy])
}

const OURS: &str = "IGC-SANTE BAC A SABLE";
const OURS_TEST: &str = "IGC-SANTE TEST BAC A SABLE";
const OTHERS: &str = "AUTRE EMETTEUR BAC A SABLE";
