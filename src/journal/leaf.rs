//! A row's canonical bytes and its leaf; what is pending, and what is on the disk for good.

use crate::identity::holder::HolderId;
use crate::identity::holder::ProfessionCode;
use crate::journal::trace::CardProof;
use crate::journal::trace::Draft;
use crate::journal::trace::LoginProof;
use crate::journal::trace::PhoneProof;
use crate::journal::trace::Trace;
use crate::journal::words::Class;
use crate::journal::words::Ground;
use crate::journal::words::Mode;
use crate::journal::words::Regime;
use crate::journal::words::Source;
use crate::patient::ins::Ins;
use crate::patient::ins::InsKind;
use crate::record::document::TypeCode;
use crate::record::document::UniqueId;
use crate::time::Now;
use crate::time::UnixSeconds;
use crate::time::Wall;
use arrayvec::ArrayVec;
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

/// SHA-256(0x00 ‖ canonical bytes), RFC 6962 §2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LeafHash(pub [u8; 32]);

/// A row on its way to the disk. Nothing may be shown yet.
#[derive(Debug)]
pub struct Pending {
    trace: Trace,
    bytes: Vec<u8>,
}

/// Proof that a row is committed and fsynced. There is no other way to get one than [`Pending::committed`].
#[derive(Clone, PartialEq, Eq)]
pub struct Committed {
    index: u64,
    class: Class,
    holder: HolderId,
    patient: Option<Ins>,
    document: Option<UniqueId>,
}

/// Why canonical bytes could not be read back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    #[error("the row is not JSON")]
    NotJson,
    #[error("the row has no readable field `{0}`")]
    Field(&'static str),
    #[error("the row's form {0} is newer than this program knows")]
    FromTheFuture(u64),
}

/// Version of the canonical form. A new field is a new form; old rows keep their bytes for ever.
pub const FORM: u64 = 1;

impl Pending {
    /// Writes the row down, once: what is hashed is what is stored and sent.
    pub fn new(trace: Trace) -> Pending {
        let bytes = canonical(&trace);
        Pending { trace, bytes }
    }

    /// RFC 8785 JSON.
    pub fn canonical(&self) -> &[u8] {
        &self.bytes
    }

    pub fn leaf(&self) -> LeafHash {
        leaf_hash(&self.bytes)
    }

    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// To be called in `vault/` alone, after the commit has returned: `tests/house.rs` sees to it.
    pub fn committed(self) -> Committed {
        let Trace { index, draft, .. } = self.trace;
        Committed {
            index,
            class: draft.class,
            holder: draft.holder,
            patient: draft.patient,
            document: draft.document.map(|(id, _)| id),
        }
    }
}

impl Committed {
    pub fn index(&self) -> u64 {
        self.index
    }

    pub fn class(&self) -> Class {
        self.class
    }

    pub fn holder(&self) -> &HolderId {
        &self.holder
    }

    /// Whether this row allows that patient's list, summary or history to be seen.
    pub fn covers_record(&self, patient: &Ins) -> bool {
        matches!(self.class, Class::Listed | Class::Searched | Class::Summary) && self.patient.as_ref() == Some(patient)
    }

    /// Whether this row allows that patient's documents to be searched.
    pub fn covers_search(&self, patient: &Ins) -> bool {
        self.class == Class::Searched && self.patient.as_ref() == Some(patient)
    }

    /// Whether this row allows paper to be made of that document, or, without one, of that patient's history or receipt.
    pub fn covers_print(&self, patient: &Ins, document: Option<&UniqueId>) -> bool {
        self.class == Class::Printed && self.patient.as_ref() == Some(patient) && self.document.as_ref() == document
    }

    /// Whether this row accounts for a copy of that document that nobody sees. It lets nothing out of anywhere.
    pub fn covers_copy(&self, patient: &Ins, document: &UniqueId) -> bool {
        self.class == Class::Prefetched
            && self.patient.as_ref() == Some(patient)
            && self.document.as_ref() == Some(document)
    }

    /// Whether this row allows that very document to be seen or printed.
    pub fn covers_document(&self, patient: &Ins, document: &UniqueId) -> bool {
        matches!(self.class, Class::Opened | Class::Printed | Class::Summary)
            && self.patient.as_ref() == Some(patient)
            && self.document.as_ref() == Some(document)
    }

    /// Whether this row is the deposit, or the change, of that very document.
    pub fn covers_contribution(&self, patient: &Ins, document: &UniqueId) -> bool {
        self.class == Class::Contributed
            && self.patient.as_ref() == Some(patient)
            && self.document.as_ref() == Some(document)
    }
}

/// SHA-256(0x00 ‖ bytes).
pub fn leaf_hash(bytes: &[u8]) -> LeafHash {
    let mut input = ArrayVec::<u8, ROW_BYTES>::new();
    input.push(0x00);
    if input.try_extend_from_slice(bytes).is_ok() {
        return LeafHash(sha256(&input));
    }
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&[0x00]);
    context.update(bytes);
    LeafHash(to_hash(&context.finish()))
}

/// In one call: a context is made and freed for more than a short row costs.
pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    to_hash(&digest::digest(&digest::SHA256, bytes))
}

fn to_hash(digest: &digest::Digest) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest.as_ref());
    hash
}

/// Nearly every row is shorter; logins, with their certificates, are not.
const ROW_BYTES: usize = 2_048;

/// A row as it is written down. RFC 8785 sorts names: the fields stand in that order, and a test compares with whoever sorts them.
#[derive(Serialize)]
struct Row<'a> {
    blind: String,
    boot: Uuid,
    class: &'static str,
    clock: &'static str,
    device: &'a str,
    document: Option<RowDocument<'a>>,
    form: u64,
    framework: Option<&'a str>,
    ground: Option<&'static str>,
    holder: &'a str,
    id: Uuid,
    index: u64,
    login: Option<u64>,
    matrix: &'a str,
    mode: &'static str,
    patient: Option<RowPatient<'a>>,
    profession: Option<u16>,
    proof: Option<RowProof<'a>>,
    reason: Option<&'a str>,
    regime: &'static str,
    rule: &'a str,
    secret: bool,
    since_boot_ms: u64,
    situation: Option<&'a str>,
    software: &'a str,
    source: &'static str,
    time: String,
}

#[derive(Serialize)]
struct RowDocument<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
}

#[derive(Serialize)]
struct RowPatient<'a> {
    matricule: &'a str,
    oid: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum RowProof<'a> {
    Card { certificate: String, nonce: String, signature: String },
    Phone { id_token: &'a str, key: &'a str },
}

/// The row as RFC 8785 JSON. Integers stay below 2^53, everything else is text, so that no number can be read two ways.
fn canonical(trace: &Trace) -> Vec<u8> {
    let draft = &trace.draft;
    let proof = draft.proof.as_ref().map(|proof| match proof {
        LoginProof::Card(proof) => RowProof::Card {
            certificate: BASE64.encode(&proof.certificate),
            nonce: hex::encode(proof.nonce),
            signature: BASE64.encode(&proof.signature),
        },
        LoginProof::Phone(proof) => RowProof::Phone { id_token: &proof.id_token, key: &proof.key },
    });
    let row = Row {
        blind: hex::encode(trace.blind),
        boot: trace.boot,
        class: draft.class.name(),
        clock: if draft.at.wall.is_trusted() { "is" } else { "at_least" },
        device: &trace.device,
        document: draft.document.as_ref().map(|(id, kind)| RowDocument { id: &id.0, kind: &kind.0 }),
        form: FORM,
        framework: draft.framework.as_deref(),
        ground: draft.ground.map(Ground::name),
        holder: &draft.holder.0,
        id: trace.id,
        index: trace.index,
        login: draft.login,
        matrix: &draft.matrix_version,
        mode: draft.mode.name(),
        patient: draft.patient.as_ref().map(|ins| RowPatient { matricule: &ins.matricule, oid: ins.kind.oid() }),
        profession: draft.profession.map(|code| code.0),
        proof,
        reason: draft.reason.as_deref(),
        regime: draft.regime.name(),
        rule: &draft.rule,
        secret: draft.secret,
        since_boot_ms: u64::try_from(draft.at.since_boot.as_millis()).unwrap_or(u64::MAX >> 11),
        situation: draft.situation.as_deref(),
        software: &trace.software,
        source: draft.source.name(),
        time: draft.at.wall.value().rfc3339(),
    };
    serde_json::to_vec(&row).expect("strings, small integers and nulls are always JSON")
}

/// Reads a row back from its canonical bytes, for delivery, export and the history.
pub fn parse(bytes: &[u8]) -> Result<Trace, LeafError> {
    let value: Value = serde_json::from_slice(bytes).map_err(|_| LeafError::NotJson)?;
    let form = value["form"].as_u64().ok_or(LeafError::Field("form"))?;
    if form > FORM {
        return Err(LeafError::FromTheFuture(form));
    }
    let text = |name: &'static str| value[name].as_str().map(str::to_owned).ok_or(LeafError::Field(name));
    let optional = |name: &str| value[name].as_str().map(str::to_owned);
    let uuid = |name: &'static str| text(name)?.parse::<Uuid>().map_err(|_| LeafError::Field(name));
    let at = UnixSeconds::parse(&text("time")?).ok_or(LeafError::Field("time"))?;
    let wall = match text("clock")?.as_str() {
        "is" => Wall::Is(at),
        "at_least" => Wall::AtLeast(at),
        _ => return Err(LeafError::Field("clock")),
    };
    let draft = Draft {
        class: Class::from_name(&text("class")?).ok_or(LeafError::Field("class"))?,
        holder: HolderId(text("holder")?),
        profession: match value["profession"].as_u64() {
            Some(code) => Some(ProfessionCode(u16::try_from(code).map_err(|_| LeafError::Field("profession"))?)),
            None => None,
        },
        login: value["login"].as_u64(),
        proof: parse_proof(&value["proof"])?,
        situation: optional("situation"),
        patient: parse_patient(&value["patient"])?,
        document: match (value["document"]["id"].as_str(), value["document"]["type"].as_str()) {
            (Some(id), Some(kind)) => Some((UniqueId(id.to_owned()), TypeCode(kind.to_owned()))),
            _ => None,
        },
        ground: match optional("ground") {
            Some(name) => Some(Ground::from_name(&name).ok_or(LeafError::Field("ground"))?),
            None => None,
        },
        mode: Mode::from_name(&text("mode")?).ok_or(LeafError::Field("mode"))?,
        regime: Regime::from_name(&text("regime")?).ok_or(LeafError::Field("regime"))?,
        rule: text("rule")?,
        matrix_version: text("matrix")?,
        reason: optional("reason"),
        secret: value["secret"].as_bool().ok_or(LeafError::Field("secret"))?,
        framework: optional("framework"),
        source: Source::from_name(&text("source")?).ok_or(LeafError::Field("source"))?,
        at: Now {
            since_boot: Duration::from_millis(
                value["since_boot_ms"].as_u64().ok_or(LeafError::Field("since_boot_ms"))?,
            ),
            wall,
        },
    };
    Ok(Trace {
        index: value["index"].as_u64().ok_or(LeafError::Field("index"))?,
        id: uuid("id")?,
        blind: fixed_hex(&text("blind")?).ok_or(LeafError::Field("blind"))?,
        boot: uuid("boot")?,
        device: text("device")?,
        software: text("software")?,
        draft,
    })
}

fn parse_proof(value: &Value) -> Result<Option<LoginProof>, LeafError> {
    if value.is_null() {
        return Ok(None);
    }
    if let (Some(id_token), Some(key)) = (value["id_token"].as_str(), value["key"].as_str()) {
        return Ok(Some(LoginProof::Phone(PhoneProof { id_token: id_token.to_owned(), key: key.to_owned() })));
    }
    let bytes =
        |name: &'static str| BASE64.decode(value[name].as_str().unwrap_or("!")).map_err(|_| LeafError::Field("proof"));
    let nonce = fixed_hex(value["nonce"].as_str().unwrap_or("")).ok_or(LeafError::Field("proof"))?;
    let proof = CardProof { certificate: bytes("certificate")?, nonce, signature: bytes("signature")? };
    Ok(Some(LoginProof::Card(proof)))
}

fn parse_patient(value: &Value) -> Result<Option<Ins>, LeafError> {
    if value.is_null() {
        return Ok(None);
    }
    let kind = value["oid"].as_str().and_then(InsKind::from_oid).ok_or(LeafError::Field("patient"))?;
    let matricule = value["matricule"].as_str().ok_or(LeafError::Field("patient"))?;
    Ins::unchecked(matricule, kind).map(Some).map_err(|_| LeafError::Field("patient"))
}

fn fixed_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

impl std::fmt::Debug for Committed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Committed({}, {})", self.index, self.class.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn trace(blind: u8) -> Trace {
        Trace {
            index: 41,
            id: Uuid::from_u128(7),
            blind: [blind; 32],
            boot: Uuid::from_u128(8),
            device: "device-1".into(),
            software: "chevet 0.1.0".into(),
            draft: Draft {
                class: Class::Opened,
                holder: HolderId("899700000012".into()),
                profession: Some(ProfessionCode(60)),
                login: Some(40),
                proof: Some(LoginProof::Card(CardProof {
                    certificate: vec![1, 2],
                    nonce: [3; 32],
                    signature: vec![4],
                })),
                situation: None,
                patient: Ins::unchecked("279035121518989", InsKind::Test).ok(),
                document: Some((UniqueId("1.2.3".into()), TypeCode("15508-5".into()))),
                ground: Some(Ground::Team),
                mode: Mode::Normal,
                regime: Regime::ConseilEtat2025,
                rule: "M-01".into(),
                matrix_version: "2026-11".into(),
                reason: None,
                secret: false,
                framework: None,
                source: Source::Online,
                at: Now { since_boot: Duration::from_millis(1234), wall: Wall::AtLeast(UnixSeconds(1_795_423_320)) },
            },
        }
    }

    #[test]
    fn a_row_is_read_back_as_it_was_written() {
        let pending = Pending::new(trace(5));
        assert_eq!(parse(pending.canonical()), Ok(trace(5)));
        let mut by_phone = trace(5);
        by_phone.draft.proof = Some(LoginProof::Phone(PhoneProof { id_token: "a.b.c".into(), key: "{}".into() }));
        assert_eq!(parse(Pending::new(by_phone.clone()).canonical()), Ok(by_phone));
        // Canonical: sorted keys, no white space.
        assert!(pending.canonical().starts_with(br#"{"blind":"0505"#));
    }

    proptest! {
        /// Whoever sorts names and escapes letters by the RFC gets the same bytes.
        #[test]
        fn rows_are_canonical(words in prop::array::uniform5("(?s).{0,12}"), is_by_phone: bool, many in 0..1_u64 << 53) {
            let [device, software, rule, reason, key] = words;
            let mut row = Trace { index: many, device, software, ..trace(5) };
            row.draft.at.since_boot = Duration::from_millis(many);
            (row.draft.rule, row.draft.reason) = (rule, Some(reason));
            if is_by_phone {
                row.draft.proof = Some(LoginProof::Phone(PhoneProof { id_token: "a.b.c".into(), key }));
                (row.draft.document, row.draft.patient, row.draft.ground) = (None, None, None);
            }
            let bytes = canonical(&row);
            let value: Value = serde_json::from_slice(&bytes).expect("JSON");
            prop_assert_eq!(&bytes, &serde_json_canonicalizer::to_vec(&value).expect("canonical"));
            prop_assert_eq!(parse(&bytes), Ok(row));
        }
    }

    #[test]
    fn the_blind_alone_changes_the_leaf() {
        assert_ne!(Pending::new(trace(5)).leaf(), Pending::new(trace(6)).leaf());
        // RFC 6962 §2.1.3: the hash of an empty leaf.
        let empty = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
        assert_eq!(hex::encode(leaf_hash(b"").0), empty);
    }

    #[test]
    fn a_row_opens_its_own_document_and_no_other() {
        let committed = Pending::new(trace(5)).committed();
        let patient = Ins::unchecked("279035121518989", InsKind::Test).expect("well formed");
        let other = Ins::unchecked("255069999999934", InsKind::Test).expect("well formed");
        assert!(committed.covers_document(&patient, &UniqueId("1.2.3".into())));
        assert!(!committed.covers_document(&patient, &UniqueId("1.2.4".into())));
        assert!(!committed.covers_document(&other, &UniqueId("1.2.3".into())));
        assert!(!committed.covers_record(&patient), "opening one document shows no list");
    }

    #[test]
    fn bytes_that_are_no_row_are_named() {
        assert_eq!(parse(b"{"), Err(LeafError::NotJson));
        assert_eq!(parse(br#"{"form":2}"#), Err(LeafError::FromTheFuture(2)));
        assert_eq!(parse(br#"{"form":1}"#), Err(LeafError::Field("time")));
    }
}
