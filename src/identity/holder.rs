//! The professional whose card is in, in the words of the national nomenclatures.

/// National identifier of a person, prefix included: `8` + RPPS (11 digits), `0` + ADELI (9), or a structure's own.
/// Text, never a number: test and internal identifiers hold letters (TRE_G08).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HolderId(pub String);

/// SHA-256 over the DER SubjectPublicKeyInfo of the authentication certificate.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CertificateKeyId(pub [u8; 32]);

/// TRE_G15 (OID 1.2.250.1.71.1.2.7), for example 10 (médecin) or 60 (infirmier).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProfessionCode(pub u16);

/// TRE_G02, the certificate's `gipCardType` (OID 1.2.250.1.71.1.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CardKind {
    /// 0: a professional.
    Cps,
    /// 1: a professional in training.
    Cpf,
    /// 2: an employee of a structure (CDE or CPE): the reception desk, never a record.
    Cpe,
    /// 3: an authorised person (CDA or CPA): as [`CardKind::Cpe`].
    Cpa,
}

/// How the holder proved to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Means {
    /// A card in the contact reader, and its PIN.
    Card,
    /// Pro Santé Connect, by telephone: online and in memory only.
    ECps,
}

/// One "situation d'exercice" (CPS_ACTIVITY_nn_PS, or an e-CPS `activity`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Situation {
    /// Structure identifier with its prefix (1 FINESS, 3 SIRET, 4 practice).
    pub structure: String,
    /// As printed on the card.
    pub name: String,
    /// TRE_R02, for example `SA07`; absent on some cards.
    pub sector: Option<String>,
}

/// The professional, as the verified certificate (or e-CPS answer) names them.
#[derive(Clone, PartialEq, Eq)]
pub struct Holder {
    pub id: HolderId,
    pub family_name: String,
    pub given_name: String,
    /// Absent on a CPE and a CPA.
    pub profession: Option<ProfessionCode>,
    pub in_training: bool,
    pub card_kind: CardKind,
    pub means: Means,
    /// TRE_R38 or ordinal specialty, for example `SM26`; never in the certificate.
    pub specialty: Option<String>,
    /// TRE_G05, pharmacists only; never in the certificate.
    pub pharmacist_section: Option<String>,
    /// `None` before the PIN.
    pub situations: Option<Vec<Situation>>,
}

impl CardKind {
    /// As `chevet card show` prints it.
    pub fn name(self) -> &'static str {
        match self {
            CardKind::Cps => "CPS",
            CardKind::Cpf => "CPF",
            CardKind::Cpe => "CPE",
            CardKind::Cpa => "CPA",
        }
    }
}

impl Holder {
    /// Whether a record may be asked for at all: a CPE and a CPA open the reception desk.
    pub fn may_ask_for_records(&self) -> bool {
        matches!(self.card_kind, CardKind::Cps | CardKind::Cpf) && self.profession.is_some()
    }

    /// The situation d'exercice that this visit is under, where there is no other.
    pub fn situation(&self) -> Option<&Situation> {
        match self.situations.as_deref() {
            Some([only]) => Some(only),
            _ => None,
        }
    }
}

/// Names stay out of logs: a holder prints as nothing but its kind.
impl std::fmt::Debug for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Holder({}, [REDACTED])", self.card_kind.name())
    }
}

impl std::fmt::Debug for CertificateKeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CertificateKeyId")
    }
}
