//! The two RSA keys: MANAGE SECURITY ENVIRONMENT, INTERNAL AUTHENTICATE, PERFORM SECURITY OPERATION.
//!
//! The authentication key pads what it is given (type 01, RFC 8017 §9.2) and raises it to its secret power: plain
//! arithmetic by num-bigint, not constant in time, which is right for a card of the sandbox and nowhere else.
//! Not done: partial hashes on the card (PSO HASH), deciphering, PSS. All are refused by 6A81.

use crate::sandbox::cps::files::Access;
use crate::sandbox::cps::files::Place;
use crate::sandbox::cps::tpdu::Answer;
use crate::sandbox::cps::tpdu::Tpdu;
use crate::sandbox::cps::tpdu::sw;
use crate::sandbox::cps::tpdu::values;
use crate::sandbox::pki::CardSecrets;
use num_bigint::BigUint;

/// Both keys, and which is chosen for what.
pub struct Signing {
    authentication: Option<RsaKey>,
    signature: Option<RsaKey>,
    chosen: Option<Chosen>,
    /// All that were given out by the authentication key, in order.
    given: Vec<Vec<u8>>,
}

struct RsaKey {
    primes: [BigUint; 2],
    exponents: [BigUint; 2],
    coefficient: BigUint,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chosen {
    Authentication,
    Sha1Signature,
    Sha256Signature,
    /// A CPS4's way to authenticate: the host pads.
    Deciphering,
}

impl Signing {
    pub fn new(secrets: &CardSecrets) -> Signing {
        let key = |key: &crate::sandbox::pki::Key| {
            let numbers = key.numbers()?;
            Some(RsaKey {
                primes: numbers.primes.map(|prime| BigUint::from_bytes_be(&prime)),
                exponents: numbers.exponents.map(|exponent| BigUint::from_bytes_be(&exponent)),
                coefficient: BigUint::from_bytes_be(&numbers.coefficient),
            })
        };
        Signing {
            authentication: key(&secrets.authentication.key),
            signature: key(&secrets.signature.key),
            chosen: None,
            given: Vec::new(),
        }
    }

    /// All that were given out by the authentication key since the card was printed, in order.
    pub fn given(&self) -> &[Vec<u8>] {
        &self.given
    }

    pub fn forget(&mut self) {
        self.chosen = None;
    }

    /// MSE SET: a template, an algorithm (80) and a private key (84), in any order. The keys live beside PKCS#15.
    pub fn choose(&mut self, tpdu: &Tpdu<'_>, place: Place) -> Result<Answer, u16> {
        self.chosen = None;
        if tpdu.p1 != 0x41 {
            return Err(sw::PARAMETERS);
        }
        if matches!(tpdu.p2, 0xaa | 0xb8) {
            return Err(sw::FUNCTION);
        }
        let given = values(tpdu.data).ok_or(sw::DATA)?;
        let one = |wanted: u8| match given.iter().find(|(tag, _)| *tag == wanted) {
            Some((_, [value])) => Ok(*value),
            _ => Err(sw::DATA),
        };
        let (algorithm, key) = (one(0x80)?, one(0x84)?);
        if place != Place::Holder || !matches!(key, 0x81 | 0x82) {
            return Err(sw::NO_SUCH_OBJECT);
        }
        self.chosen = Some(match (tpdu.p2, algorithm, key) {
            (0xa4, 0x02, 0x82) => Chosen::Authentication,
            (0xb6, 0x12, 0x81) => Chosen::Sha1Signature,
            (0xb6, 0x42, 0x81) => Chosen::Sha256Signature,
            (0xa4 | 0xb6, _, _) => return Err(sw::DATA),
            _ => return Err(sw::PARAMETERS),
        });
        Ok(Answer::Done)
    }

    /// What comes in is padded and signed as it is: a DigestInfo, at most 40 % of the modulus.
    pub fn authenticate(&mut self, tpdu: &Tpdu<'_>, rights: Access, wrong_key: bool) -> Result<Answer, u16> {
        if tpdu.parameters() != [0, 0] {
            return Err(sw::PARAMETERS);
        }
        if self.chosen != Some(Chosen::Authentication) {
            return Err(sw::CONDITIONS);
        }
        if rights != Access::Holder {
            return Err(sw::SECURITY);
        }
        if tpdu.data.is_empty() || tpdu.data.len() > MODULUS_BYTES * 2 / 5 {
            return Err(sw::LENGTH);
        }
        let key = if wrong_key { &self.signature } else { &self.authentication };
        let signature = key.as_ref().ok_or(sw::NO_SUCH_OBJECT)?.sign(tpdu.data);
        self.given.push(signature.clone());
        Ok(Answer::Waiting(signature))
    }

    /// A CPS4's MSE SET CT: the key alone (83).
    pub fn choose_to_decipher(&mut self, tpdu: &Tpdu<'_>) -> Result<Answer, u16> {
        self.chosen = None;
        match (tpdu.parameters(), tpdu.data) {
            ([0x41, 0xb8], [0x83, 0x01, 0x20]) => self.chosen = Some(Chosen::Deciphering),
            ([0x41, 0xb8], [0x83, 0x01, _]) => return Err(sw::NO_SUCH_OBJECT),
            _ => return Err(sw::FUNCTION),
        }
        Ok(Answer::Done)
    }

    /// A CPS4's PSO DECIPHER: the block to its secret power, whatever it holds.
    pub fn decipher(
        &mut self,
        parameters: [u8; 2],
        block: &[u8],
        rights: Access,
        wrong_key: bool,
    ) -> Result<Answer, u16> {
        if parameters != [0x80, 0x86] {
            return Err(sw::FUNCTION);
        }
        if self.chosen != Some(Chosen::Deciphering) {
            return Err(sw::CONDITIONS);
        }
        if rights != Access::Holder {
            return Err(sw::SECURITY);
        }
        if block.len() != MODULUS_BYTES {
            return Err(sw::LENGTH);
        }
        let key = if wrong_key { &self.signature } else { &self.authentication };
        let signature = key.as_ref().ok_or(sw::NO_SUCH_OBJECT)?.raise(block);
        self.given.push(signature.clone());
        Ok(Answer::Waiting(signature))
    }

    /// PSO COMPUTE DIGITAL SIGNATURE over a hash made by the host.
    pub fn operate(&self, tpdu: &Tpdu<'_>, rights: Access) -> Result<Answer, u16> {
        if tpdu.parameters() != [0x9e, 0x9a] {
            return Err(sw::FUNCTION);
        }
        let (prefix, length) = match self.chosen {
            Some(Chosen::Sha1Signature) => (SHA1_PREFIX, 20),
            Some(Chosen::Sha256Signature) => (SHA256_PREFIX, 32),
            Some(Chosen::Authentication | Chosen::Deciphering) | None => return Err(sw::CONDITIONS),
        };
        if rights != Access::Holder {
            return Err(sw::SECURITY);
        }
        // Without data it would sign a hash made on the card, and there is none.
        if tpdu.data.is_empty() {
            return Err(sw::CONDITIONS);
        }
        if tpdu.data.len() != length {
            return Err(sw::DATA);
        }
        let key = self.signature.as_ref().ok_or(sw::NO_SUCH_OBJECT)?;
        Ok(Answer::Waiting(key.sign(&[prefix, tpdu.data].concat())))
    }
}

impl RsaKey {
    /// 00 01 FF…FF 00 T, to the power d.
    fn sign(&self, digest_info: &[u8]) -> Vec<u8> {
        let filling = vec![0xff; MODULUS_BYTES - 3 - digest_info.len()];
        let block = [&[0x00, 0x01], filling.as_slice(), &[0x00], digest_info].concat();
        self.raise(&block)
    }

    /// By the two primes, as cards do it (RFC 8017 §5.1.2, step 2b).
    fn raise(&self, block: &[u8]) -> Vec<u8> {
        let block = BigUint::from_bytes_be(block);
        let [p, q] = &self.primes;
        let [by_p, by_q] = &self.exponents;
        let (at_p, at_q) = (block.modpow(by_p, p), block.modpow(by_q, q));
        let apart = (at_p + p - &at_q % p) * &self.coefficient % p;
        let signed = (at_q + apart * q).to_bytes_be();
        [vec![0; MODULUS_BYTES.saturating_sub(signed.len())], signed].concat()
    }
}

const MODULUS_BYTES: usize = 256;

/// DigestInfo without its hash (RFC 8017 §9.2 note 1).
const SHA1_PREFIX: &[u8] = &[0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];
const SHA256_PREFIX: &[u8] =
    &[0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];
