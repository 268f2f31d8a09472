//! What a patient takes home: proof that an access was logged, to be checked with the device's public key alone.
//!
//! It says what was done, when, on what ground and by whom, in claims that the device signs together with the row's leaf; and
//! it proves that this leaf stands under a checkpoint. The row itself stays in the journal: it names the patient, and its
//! blind is what keeps a leaf from being guessed. Whoever holds the row later (an export) sees at once whether the claims were
//! true, and has the device's signature in hand if they were not.
//!
//! Two forms of one thing (docs/receipt.md): `c2sp.org/tlog-proof@v1`, a text file whose extra data are the leaf and the
//! claims, and CBOR for a QR code. Both are the device's public words, and no secret.
//!
//! *Rejected*: the row's bytes as extra data. They would bind the claims by their hash alone, and put the patient's number
//! and the document's on a sheet of paper, and their length beyond a QR code.

mod cbor;
mod print;

use crate::identity::holder::HolderId;
use crate::journal::leaf::LeafHash;
use crate::journal::note;
use crate::journal::note::Head;
use crate::journal::note::SIGNATURE_LENGTH;
use crate::journal::note::SigningKey;
use crate::journal::note::VerifyingKey;
use crate::journal::trace::Trace;
use crate::journal::tree;
use crate::journal::tree::Hash;
use crate::journal::words::Class;
use crate::journal::words::Ground;
use crate::time::UnixSeconds;
use crate::time::Wall;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use serde_json::json;

pub use cbor::QR_VERSION_MAX;
pub use cbor::qr;

/// What the device says of one row.
#[derive(Clone, PartialEq, Eq)]
pub struct Claims {
    pub class: Class,
    pub ground: Option<Ground>,
    pub at: Wall,
    /// The professional's national identifier: `8` and the RPPS.
    pub holder: HolderId,
}

/// One row's place in the journal.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    pub index: u64,
    pub leaf: LeafHash,
    /// From the leaf's sibling up to the root's child (RFC 6962 §2.1.1).
    pub path: Vec<Hash>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Receipt {
    pub place: Place,
    pub claims: Claims,
    /// The device's, over [`statement`].
    signature: [u8; SIGNATURE_LENGTH],
    /// The checkpoint, with all lines that stand under it.
    note: String,
}

/// Why a receipt proves nothing. In English, for IT people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    #[error("this is no receipt")]
    Shape,
    #[error("the checkpoint is not signed by that device")]
    Unsigned,
    #[error("the row does not stand under the checkpoint")]
    NotIncluded,
    #[error("the claims are not signed by that device for this row")]
    Claims,
    #[error("the receipt is too large for a QR code of version {QR_VERSION_MAX}")]
    TooLarge,
}

/// What is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    pub head: Head,
    /// How many cards have signed the checkpoint; their keys are in the journal, and not here.
    pub countersignatures: usize,
}

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
const DOMAIN: &str = "chevet/receipt/v1";

impl Claims {
    /// Of a row that says them.
    pub fn of(trace: &Trace) -> Claims {
        let draft = &trace.draft;
        Claims { class: draft.class, ground: draft.ground, at: draft.at.wall, holder: draft.holder.clone() }
    }

    fn clock(&self) -> &'static str {
        if self.at.is_trusted() { "is" } else { "at_least" }
    }
}

impl Receipt {
    /// `note` is a checkpoint that covers the row.
    pub fn new(key: &SigningKey, note: &str, place: Place, claims: Claims) -> Result<Receipt, ReceiptError> {
        let head = note::read(note).map_err(|_| ReceiptError::Shape)?;
        let signature = key.sign_bytes(&statement(&head.origin, &place, &claims));
        Ok(Receipt { place, claims, signature, note: note.to_owned() })
    }

    /// Reads either form.
    pub fn read(bytes: &[u8]) -> Result<Receipt, ReceiptError> {
        match std::str::from_utf8(bytes) {
            Ok(text) if text.starts_with(FIRST_LINE) => Receipt::from_text(text),
            _ => cbor::read(bytes),
        }
    }

    /// Whether these bytes open as a receipt does, so that a reader of exports need not try.
    pub fn is_one(bytes: &[u8]) -> bool {
        bytes.starts_with(FIRST_LINE.as_bytes()) || cbor::is_one(bytes)
    }

    /// An inclusion proof without a checkpoint that somebody vouches for proves nothing: so there is no check without a key.
    pub fn verify(&self, key: &VerifyingKey) -> Result<Proven, ReceiptError> {
        let head = key.verify(&self.note).map_err(|_| ReceiptError::Unsigned)?;
        let Place { index, leaf, path } = &self.place;
        if !tree::includes(*leaf, *index, head.size, path, &head.root) {
            return Err(ReceiptError::NotIncluded);
        }
        if !key.verifies(&statement(&head.origin, &self.place, &self.claims), &self.signature) {
            return Err(ReceiptError::Claims);
        }
        Ok(Proven { head, countersignatures: note::Countersignature::all(&self.note).len() })
    }

    /// C2SP tlog-proof.
    pub fn to_text(&self) -> String {
        let Place { index, leaf, path } = &self.place;
        let extra = json!({
            "leaf": hex::encode(leaf.0),
            "class": self.claims.class.name(),
            "ground": self.claims.ground.map(Ground::name),
            "holder": self.claims.holder.0,
            "time": self.claims.at.value().rfc3339(),
            "clock": self.claims.clock(),
            "signature": BASE64.encode(self.signature),
        });
        let extra = serde_json_canonicalizer::to_vec(&extra).expect("strings and null are always canonical JSON");
        let path: String = path.iter().map(|hash| BASE64.encode(hash) + "\n").collect();
        format!("{FIRST_LINE}\nextra {}\nindex {index}\n{path}\n{}", BASE64.encode(extra), self.note)
    }

    fn from_text(text: &str) -> Result<Receipt, ReceiptError> {
        let (proof, note) = text.split_once("\n\n").filter(|_| text.ends_with('\n')).ok_or(ReceiptError::Shape)?;
        let mut lines = proof.lines().skip(1);
        let extra = lines.next().and_then(|line| line.strip_prefix("extra ")).ok_or(ReceiptError::Shape)?;
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).ok_or(ReceiptError::Shape)?;
        let number: u64 = index.parse().map_err(|_| ReceiptError::Shape)?;
        let hash = |line: &str| BASE64.decode(line).ok()?.try_into().ok();
        let path: Option<Vec<Hash>> = lines.map(hash).collect();
        let extra = BASE64.decode(extra).map_err(|_| ReceiptError::Shape)?;
        let extra: Value = serde_json::from_slice(&extra).map_err(|_| ReceiptError::Shape)?;
        let read = || {
            let text = |name: &str| extra[name].as_str();
            let at = UnixSeconds::parse(text("time")?)?;
            let claims = Claims {
                class: Class::from_name(text("class")?)?,
                ground: ground(text("ground"))?,
                at: if clock_is_trusted(text("clock")?)? { Wall::Is(at) } else { Wall::AtLeast(at) },
                holder: HolderId(text("holder")?.to_owned()),
            };
            let leaf: Hash = hex::decode(text("leaf")?).ok()?.try_into().ok()?;
            let signature = BASE64.decode(text("signature")?).ok()?.try_into().ok()?;
            // One way to write each number.
            let place =
                (number.to_string() == index).then_some(Place { index: number, leaf: LeafHash(leaf), path: path? })?;
            Some(Receipt { place, claims, signature, note: note.to_owned() })
        };
        read().ok_or(ReceiptError::Shape)
    }

    /// CBOR with raw hashes, for the QR code.
    pub fn to_cbor(&self) -> Result<Vec<u8>, ReceiptError> {
        cbor::write(self)
    }

    /// In French, for paper: what the receipt says, without the proof.
    pub fn printed(&self) -> Result<String, ReceiptError> {
        let head = note::read(&self.note).map_err(|_| ReceiptError::Shape)?;
        Ok(print::sheet(self, &head))
    }
}

/// What the device signs: every part behind its length, a domain of its own first. A checkpoint's text begins with a name,
/// never with a length.
fn statement(origin: &str, place: &Place, claims: &Claims) -> Vec<u8> {
    let (index, at) = (place.index.to_be_bytes(), claims.at.value().0.to_be_bytes());
    let parts: [&[u8]; 9] = [
        DOMAIN.as_bytes(),
        origin.as_bytes(),
        &index,
        &place.leaf.0,
        claims.class.name().as_bytes(),
        claims.ground.map_or("", Ground::name).as_bytes(),
        claims.holder.0.as_bytes(),
        &at,
        claims.clock().as_bytes(),
    ];
    let mut message = Vec::with_capacity(256);
    for part in parts {
        message.extend_from_slice(&(part.len() as u32).to_be_bytes());
        message.extend_from_slice(part);
    }
    message
}

/// Outer `None`: a word that is not known.
fn ground(name: Option<&str>) -> Option<Option<Ground>> {
    match name {
        None => Some(None),
        Some(name) => Ground::from_name(name).map(Some),
    }
}

fn clock_is_trusted(name: &str) -> Option<bool> {
    match name {
        "is" => Some(true),
        "at_least" => Some(false),
        _ => None,
    }
}

impl std::fmt::Debug for Claims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Claims({}, [REDACTED])", self.class.name())
    }
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Place({})", self.index)
    }
}

impl std::fmt::Debug for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Receipt({:?}, {:?})", self.place, self.claims)
    }
}

#[cfg(test)]
mod tests;
