//! `[dmp]`: what the connector `dmp` says of this software, and where the DMP's dialects differ (docs/dmp.md §5).

use serde::Deserialize;

/// What is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dmp {
    /// The publisher's own root OID.
    pub oid: String,
    /// A name of this installation.
    pub installation: Option<String>,
    pub homologation: String,
    pub vihf_version: String,
    pub mode_name: ModeName,
    pub dialect: Dialect,
    /// Whether each assertion is signed by the card's signature key, and how.
    pub sign_assertions: Option<Hash>,
    /// How a deposit is signed.
    pub sign_deposits: Hash,
}

/// By what the card's signature key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Hash {
    /// In every published deposit.
    Sha1,
    #[default]
    Sha256,
}

/// How the VIHF's attribute about the mode is spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
pub enum ModeName {
    #[default]
    #[serde(rename = "Authentification_Mode")]
    Upper,
    #[serde(rename = "Authentification_mode")]
    Lower,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    #[default]
    French,
    Ihe,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    oid: String,
    installation: Option<String>,
    homologation: Option<String>,
    vihf_version: Option<String>,
    #[serde(default)]
    vihf_mode: ModeName,
    #[serde(default)]
    dialect: Dialect,
    vihf_signature: Option<Hash>,
    #[serde(default)]
    deposit_signature: Hash,
}

pub fn understand(raw: Raw) -> Result<Dmp, &'static str> {
    let is_oid = raw.oid.split('.').count() > 2
        && raw.oid.split('.').all(|arc| !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit()));
    if !is_oid {
        return Err("dmp.oid is no OID, such as 1.2.250.1.999.1: it is the publisher's own");
    }
    Ok(Dmp {
        oid: raw.oid,
        installation: raw.installation,
        homologation: raw.homologation.unwrap_or_else(|| NOT_HOMOLOGATED.to_owned()),
        vihf_version: raw.vihf_version.unwrap_or_else(|| VIHF_VERSION.to_owned()),
        mode_name: raw.vihf_mode,
        dialect: raw.dialect,
        sign_assertions: raw.vihf_signature,
        sign_deposits: raw.deposit_signature,
    })
}

/// What is said where there is no number: never one that belongs to somebody else.
const NOT_HOMOLOGATED: &str = "NON-HOMOLOGUE";
/// In every published exchange.
const VIHF_VERSION: &str = "3.0";
