//! What both verbs print: the stable JSON, and the same for people.

use crate::card;
use crate::card::CardContents;
use crate::card::Generation;
use crate::card::Seen;
use crate::cli::card::Form;
use crate::identity::certificate::Certificate;
use crate::identity::holder::Situation;
use crate::identity::trust;
use crate::identity::trust::Warning;
use serde::Serialize;

/// The stable JSON of both verbs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    pub reader: String,
    /// Hexadecimal.
    pub atr: String,
    /// `cps3`, `cps4`, `contactless` or `unknown`.
    pub generation: &'static str,
    /// How cards of this generation are spoken to is known from papers alone: no real one was tried.
    pub untried: bool,
    pub serial: Option<String>,
    pub holder: Option<ShownHolder>,
    pub certificate: Option<ShownCertificate>,
    pub chain: ShownChain,
    pub crl: ShownCrl,
    /// 0: blocked; null: the card does not say.
    pub tries_left: Option<u8>,
    /// The card signed a fresh nonce under its PIN, and the signature verifies.
    pub verified: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownHolder {
    pub id: String,
    pub names: String,
    /// TRE_G15.
    pub profession: Option<u16>,
    pub in_training: bool,
    pub card_kind: &'static str,
    /// null before the PIN.
    pub situations: Option<Vec<ShownSituation>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownSituation {
    pub structure: String,
    pub name: String,
    pub sector: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownCertificate {
    pub subject: String,
    pub issuer: String,
    /// RFC 3339.
    pub not_after: String,
    /// Hexadecimal SHA-256 of the public key.
    pub key_id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct ShownChain {
    pub ok: bool,
    /// Why not; or, when it is, what could not be told for sure.
    pub why: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct ShownCrl {
    pub age_days: Option<i64>,
    pub ok: bool,
}

pub(super) fn describe(
    contents: &CardContents,
    certificate: &Certificate,
    verdict: Result<trust::Verified, trust::Error>,
) -> Shown {
    let holder = certificate.holder();
    let (chain, crl) = match verdict {
        Ok(verified) => {
            let why: Vec<&str> = verified.warnings.iter().map(|warning| words(*warning)).collect();
            let why = (!why.is_empty()).then(|| why.join("; "));
            (ShownChain { ok: true, why }, ShownCrl { age_days: Some(verified.crl_age_s / 86_400), ok: true })
        }
        // The chain stands; only the list fails it.
        Err(trust::Error::CrlTooOld { age_days }) => {
            (ShownChain { ok: true, why: None }, ShownCrl { age_days: Some(age_days), ok: false })
        }
        Err(trust::Error::CrlMissing) => (ShownChain { ok: true, why: None }, ShownCrl::default()),
        Err(error) => (ShownChain { ok: false, why: Some(error.to_string()) }, ShownCrl::default()),
    };
    Shown {
        reader: contents.reader.clone(),
        atr: hex::encode_upper(&contents.atr),
        generation: contents.generation.name(),
        untried: contents.generation.is_untried(),
        serial: contents.serial.clone(),
        holder: Some(ShownHolder {
            id: holder.id.0,
            names: format!("{} {}", holder.given_name, holder.family_name).trim().to_owned(),
            profession: holder.profession.map(|profession| profession.0),
            in_training: holder.in_training,
            card_kind: holder.card_kind.name(),
            situations: None,
        }),
        certificate: Some(ShownCertificate {
            subject: certificate.subject().to_owned(),
            issuer: certificate.issuer().to_owned(),
            not_after: certificate.not_after().rfc3339(),
            key_id: hex::encode(certificate.key_id().0),
        }),
        chain,
        crl,
        tries_left: contents.tries_left,
        verified: false,
    }
}

pub(super) fn describe_refused(seen: &Seen, error: card::Error) -> Shown {
    Shown {
        reader: seen.reader.clone(),
        atr: hex::encode_upper(&seen.atr),
        generation: Generation::of(&seen.atr).name(),
        untried: Generation::of(&seen.atr).is_untried(),
        serial: None,
        holder: None,
        certificate: None,
        chain: ShownChain { ok: false, why: Some(error.to_string()) },
        crl: ShownCrl::default(),
        tries_left: None,
        verified: false,
    }
}

fn words(warning: Warning) -> &'static str {
    match warning {
        Warning::ValidityUncertain => "the clock cannot tell whether the certificate is valid now",
        Warning::CrlAging { .. } => "the revocation list is aging",
        Warning::CrlAgeUncertain => "the clock cannot tell how old the revocation list is",
    }
}

pub(super) fn written(shown: &Shown, form: Form) -> String {
    match form {
        Form::Json => serde_json::to_string(shown).expect("text, numbers and nothing else are always JSON"),
        Form::Text => text(shown),
    }
}

/// For people; scripts take the JSON.
fn text(shown: &Shown) -> String {
    let mut lines =
        vec![format!("reader       {}", shown.reader), format!("card         {}{}", shown.generation, untried(shown))];
    if let Some(serial) = &shown.serial {
        lines.push(format!("serial       {serial}"));
    }
    if let Some(holder) = &shown.holder {
        lines.push(format!("holder       {} ({}, {})", holder.names, holder.id, holder.card_kind));
        let profession = holder.profession.map_or("none".to_owned(), |code| code.to_string());
        lines.push(format!("profession   {profession}{}", if holder.in_training { ", in training" } else { "" }));
    }
    if let Some(certificate) = &shown.certificate {
        lines.push(format!("issuer       {}", certificate.issuer));
        lines.push(format!("valid until  {}", certificate.not_after));
    }
    let chain = if shown.chain.ok { "ok" } else { "refused" };
    let why = shown.chain.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    lines.push(format!("chain        {chain}{why}"));
    let age = shown.crl.age_days.map_or("none".to_owned(), |days| format!("{days} days old"));
    lines.push(format!("revocations  {age}{}", if shown.crl.ok { "" } else { ", not usable" }));
    lines.push(format!("tries left   {}", shown.tries_left.map_or("not told".to_owned(), |left| left.to_string())));
    lines.push(format!("PIN          {}", if shown.verified { "verified" } else { "not verified" }));
    lines.join("\n")
}

fn untried(shown: &Shown) -> &'static str {
    if shown.untried { ", not yet verified with a real card" } else { "" }
}

pub(super) fn shown_situation(Situation { structure, name, sector }: Situation) -> ShownSituation {
    ShownSituation { structure, name, sector }
}
