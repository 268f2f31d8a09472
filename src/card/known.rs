//! What a card has said of itself, written down so that it need not say it again at its next visit. Pure.
//!
//! Holds what the card's files say, and nothing that changes by itself: never the tries left, never a PIN, never a
//! signature. It names its holder, so whoever keeps it keeps it sealed, under the card's serial number. A card that lies
//! about that number is found out by its first signature, which is verified under the certificate that is written here.
//!
//! EF_ACTUA is the issuer's stamp of the card's last change (facts: D010 in the root; absent on the card of the traces).
//! Under another stamp nothing of this holds. What is behind the PIN is written down only of a card that has a stamp.

use crate::card::dialogue::Found;
use crate::card::generation::Generation;
use crate::card::pkcs15::PinRules;
use crate::identity::certificate::Certificate;
use crate::identity::certificate::KeyUse;
use crate::identity::holder::Situation;
use crate::secret::PIN_DIGITS_MAX;
use crate::secret::SecretBytes;
use serde::Deserialize;
use serde::Serialize;

/// One card, as it was when its holder last logged in.
#[derive(Clone, PartialEq, Eq)]
pub struct Known {
    pub(super) generation: Generation,
    pub(super) found: Found,
    /// `None`: the card has none.
    pub(super) stamp: Option<Vec<u8>>,
    /// `None`: to be read each time.
    pub(super) situations: Option<Vec<Situation>>,
}

impl Known {
    /// To be sealed.
    pub fn to_bytes(&self) -> SecretBytes {
        let Found { serial, certificate, pin, key_reference, application } = &self.found;
        let shape = Shape {
            generation: self.generation.name().to_owned(),
            serial: serial.clone(),
            certificate: hex::encode(certificate.der()),
            application: hex::encode(application),
            key: *key_reference,
            pin: PinShape {
                reference: pin.reference,
                digits_min: pin.digits_min,
                digits_max: pin.digits_max,
                padding: pin.padding,
            },
            stamp: self.stamp.as_ref().map(hex::encode),
            situations: self.situations.as_ref().map(|all| all.iter().map(SituationShape::of).collect()),
        };
        SecretBytes::new(serde_json::to_vec(&shape).expect("a plain struct with text keys is always JSON"))
    }

    /// `None`: another program wrote it, or it makes no sense; the card is then read as if it had never been here.
    pub fn read(bytes: &SecretBytes) -> Option<Known> {
        let shape: Shape = serde_json::from_slice(bytes.show_bytes()).ok()?;
        let generation = [Generation::Cps3, Generation::Cps4].into_iter().find(|it| it.name() == shape.generation)?;
        let certificate = Certificate::parse(&hex::decode(shape.certificate).ok()?).ok()?;
        let PinShape { reference, digits_min, digits_max, padding } = shape.pin;
        let makes_sense = digits_min >= 1 && digits_min <= digits_max && usize::from(digits_max) <= PIN_DIGITS_MAX;
        if certificate.key_use() != KeyUse::Authentication || !makes_sense {
            return None;
        }
        let pin = PinRules { id: Vec::new(), reference, digits_min, digits_max, padding, is_for_unblocking: false };
        let application = hex::decode(shape.application).ok()?;
        let found = Found { serial: shape.serial, certificate, pin, key_reference: shape.key, application };
        let stamp = shape.stamp.map(hex::decode).transpose().ok()?;
        let situations = shape.situations.map(|all| all.into_iter().map(SituationShape::into_situation).collect());
        Some(Known { generation, found, stamp, situations })
    }

    /// What it is kept under.
    pub fn serial(&self) -> Option<&str> {
        self.found.serial.as_deref()
    }
}

/// It names its holder.
impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Known({}, [REDACTED])", self.generation.name())
    }
}

/// On the disk. A field is only ever added, with a default.
#[derive(Serialize, Deserialize)]
struct Shape {
    generation: String,
    serial: Option<String>,
    certificate: String,
    application: String,
    key: u8,
    pin: PinShape,
    stamp: Option<String>,
    situations: Option<Vec<SituationShape>>,
}

#[derive(Serialize, Deserialize)]
struct PinShape {
    reference: u8,
    digits_min: u8,
    digits_max: u8,
    padding: Option<(u8, u8)>,
}

#[derive(Serialize, Deserialize)]
struct SituationShape {
    structure: String,
    name: String,
    sector: Option<String>,
}

impl SituationShape {
    fn of(situation: &Situation) -> SituationShape {
        let Situation { structure, name, sector } = situation.clone();
        SituationShape { structure, name, sector }
    }

    fn into_situation(self) -> Situation {
        let SituationShape { structure, name, sector } = self;
        Situation { structure, name, sector }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::pkcs15::usual_pin;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    fn certificate(pem: &[u8]) -> Certificate {
        Certificate::parse(&CertificateDer::from_pem_slice(pem).expect("PEM")).expect("a certificate")
    }

    fn known() -> Known {
        let found = Found {
            serial: Some("8025000001/993112077".into()),
            certificate: certificate(include_bytes!("../../tests/identity/nurse.pem")),
            pin: PinRules { reference: 3, digits_max: 8, padding: Some((8, 0xFF)), ..usual_pin() },
            key_reference: 0x82,
            application: vec![0x3F, 0x00, 0x00, 0x01],
        };
        let place = Situation { structure: "1440000999".into(), name: "CLINIQUE ÉTOILE".into(), sector: None };
        Known { generation: Generation::Cps3, found, stamp: Some(vec![0xEC, 0x00]), situations: Some(vec![place]) }
    }

    #[test]
    fn what_is_written_down_is_read_again() {
        let known = known();
        assert_eq!(Known::read(&known.to_bytes()), Some(known));
    }

    /// The PIN's rules decide over tries: what makes no sense is not followed.
    #[test]
    fn what_makes_no_sense_is_nothing() {
        let text = String::from_utf8(known().to_bytes().show_bytes().to_vec()).expect("JSON");
        let read = |text: &str| Known::read(&SecretBytes::new(text.as_bytes().to_vec()));
        assert!(read(&text).is_some());
        for (from, to) in [
            ("\"cps3\"", "\"cps9\""),
            ("\"digits_min\":4", "\"digits_min\":0"),
            ("\"digits_min\":4", "\"digits_min\":9"),
            ("\"digits_max\":8", "\"digits_max\":9"),
            ("\"certificate\":\"30", "\"certificate\":\"31"),
            ("\"application\":\"3f", "\"application\":\"3"),
            ("\"key\":", "\"clef\":"),
        ] {
            assert!(text.contains(from), "{from} is not in it");
            assert_eq!(read(&text.replacen(from, to, 1)), None, "{to}");
        }
        assert_eq!(read(""), None);
        // A signature key's certificate logs nobody in.
        let mut other = known();
        other.found.certificate = certificate(include_bytes!("../../tests/identity/sign.pem"));
        assert_eq!(Known::read(&other.to_bytes()), None);
    }
}
