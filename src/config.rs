//! `kiosk.toml`: `Raw` is what was typed, [`Config`] is what is meant. Read once, at start; a bad file is a clear refusal.
//!
//! Unknown keys are refused, relative paths are relative to the file. A room gets its own part only.

mod aids;
pub mod dmp;
pub mod pace;
pub mod printer;
pub mod screen;

use crate::config::dmp::Dmp;
use crate::config::pace::Pace;
use crate::config::printer::Printer;
use crate::device::keys;
use crate::device::scanner;
use crate::device::voice;
use crate::journal::allowance::Limits;
use crate::journal::words::Regime;
use crate::say::Looks;
use crate::vault::provider::Provider;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

/// What is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub site: Site,
    pub vault: Vault,
    pub trust: Trust,
    pub reader: Reader,
    /// The one scanner that is listened to.
    pub scanner: Option<scanner::Options>,
    pub upstream: Upstream,
    /// What the connector `dmp` says of this software; only with it.
    pub dmp: Option<Dmp>,
    pub audit: Audit,
    pub journal: Journal,
    pub link: Link,
    /// Pro Santé Connect; without it no visit is offered by telephone.
    pub ecps: Option<ECps>,
    /// Without it nothing is offered to be printed.
    pub printer: Option<Printer>,
    /// Language, size of text and light, as a visit begins.
    pub looks: Looks,
    pub pace: Pace,
    /// The one device whose four keys are listened to.
    pub keys: Option<keys::Options>,
    /// Without it nothing is said.
    pub speech: Option<voice::Options>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ECps {
    /// As it stands in every id_token.
    pub issuer: String,
    /// Where the provider describes itself.
    pub description: String,
    pub client: String,
    /// PEM: whom the provider's certificate must come from, and our own certificate and key.
    pub ca: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// Present: `private_key_jwt` by this key (PEM, PKCS#8, P-256), under this name. Absent: `tls_client_auth`.
    pub signing_key: Option<PathBuf>,
    pub signing_key_id: Option<String>,
    /// Levels that are enough; the first is what is asked for.
    pub acr: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// What a day may cost on a metered line; `None`: it is not metered.
    pub day_bytes_max: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Journal {
    /// How long the bodies of acknowledged rows stay.
    pub retention_days: u32,
    /// How long, and for how many consultations, the device goes on unanchored.
    pub allowance: Limits,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    pub name: String,
    /// National identifiers of the care team's members, at a desk.
    pub team: Vec<String>,
    /// The care team as the establishment signed it, its signature beside it as `.sig`. In production there is no other.
    pub team_list: Option<PathBuf>,
    /// National identifier and name of professionals for whom an answer may be collected here.
    pub colleagues: Vec<(String, String)>,
    pub regime: Regime,
    /// After so many days a professional is told again what a consultation entails.
    pub duty_days: u32,
    /// The establishment's framework for brain death, its signature beside it as `.sig`.
    pub brain_death_framework: Option<PathBuf>,
    /// The agenda that the practice's software writes (iCalendar), from which a round can be made.
    pub agenda: Option<PathBuf>,
    /// Who helps by telephone in this region.
    pub grades: Option<Grades>,
}

/// A regional group that supports health software (groupement régional d'appui au développement de l'e-santé).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grades {
    pub name: String,
    pub phone: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vault {
    /// What is wanted; the screen names what is in force.
    pub key: Provider,
    pub tpm: Tpm,
}

/// Whose counter tells that the disk was put back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Tpm {
    /// The machine's own, if it has one.
    #[default]
    Auto,
    None,
    /// By its address, as tpm2-tools takes it.
    At(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// PEM files with roots and authorities. Production and test are never mixed in one file.
    pub anchors: Vec<PathBuf>,
    /// Folder of DER or PEM revocation lists.
    pub crls: Option<PathBuf>,
    /// Where lists are fetched besides what cards say.
    pub crl_urls: Vec<String>,
    /// Up to this age, a list says nothing of it.
    pub crl_fresh_days: u32,
    /// Up to this age, a list is used with a warning; beyond it, no card is taken.
    pub crl_tolerated_days: u32,
    pub authority_lists: AuthorityLists,
    pub production: bool,
}

/// What is asked of the lists that say which authorities are revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum AuthorityLists {
    /// One that is here counts; that there is none is said, and refuses no card.
    #[default]
    WhereThere,
    /// As those of cards: without one, or by one that is too old, no card is taken.
    Required,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// Part of the PC/SC reader's name: then no other is watched.
    pub name: Option<String>,
    pub pinpad: Pinpad,
    /// Readers whose keys are not used, whatever they say: USB identifiers (`076B:3031`), or part of the PC/SC name.
    pub without_keys: Vec<String>,
    pub cps4: Cps4,
    /// How long a card may leave one command without an answer.
    pub answer_s_max: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Pinpad {
    /// Where the reader has keys of its own, and is not known to say so falsely, the PIN is typed there.
    #[default]
    Auto,
    /// Always on the screen.
    Never,
}

/// What is done with a CPS4: no real one has been tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Cps4 {
    #[default]
    Refuse,
    Try,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    pub endpoint: Endpoint,
    pub connector: Connector,
}

/// An HTTPS base URL and what is needed to speak to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub url: String,
    /// PEM: whom the server's certificate must come from.
    pub ca: PathBuf,
    /// PEM: the device's own certificate and key.
    pub certificate: PathBuf,
    pub key: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Connector {
    Pdsm,
    Dmp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    pub endpoint: Endpoint,
    pub profile: AuditProfile,
    pub shape: AuditShape,
}

/// Which profile the repository holds its events to (docs/pdsm.md §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum AuditShape {
    #[default]
    Balp,
    Tde,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum AuditProfile {
    #[default]
    Put,
    Post,
}

/// Why the settings are refused. The text names the key or the line; it is for IT people.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the settings {path} cannot be read")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the settings {path} are not understood: {message}")]
    Parse { path: PathBuf, message: String },
    #[error("the settings {path}: {what}")]
    Meaning { path: PathBuf, what: &'static str },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    site: RawSite,
    #[serde(default)]
    vault: RawVault,
    trust: RawTrust,
    #[serde(default)]
    reader: RawReader,
    scanner: Option<RawScanner>,
    upstream: RawUpstream,
    dmp: Option<dmp::Raw>,
    audit: Option<RawAudit>,
    #[serde(default)]
    journal: RawJournal,
    #[serde(default)]
    link: RawLink,
    ecps: Option<RawECps>,
    printer: Option<printer::Raw>,
    #[serde(default)]
    screen: screen::Raw,
    #[serde(default)]
    pace: pace::Raw,
    keys: Option<aids::RawKeys>,
    speech: Option<aids::RawSpeech>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawECps {
    issuer: String,
    description: Option<String>,
    client_id: String,
    ca: PathBuf,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    signing_key: Option<PathBuf>,
    signing_key_id: Option<String>,
    acr: Option<Vec<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawLink {
    metered_mb_per_day: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawJournal {
    retention_days: Option<u32>,
    allowance_days: Option<u32>,
    allowance_rows: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSite {
    name: String,
    #[serde(default)]
    team: Vec<String>,
    team_list: Option<PathBuf>,
    #[serde(default)]
    colleagues: BTreeMap<String, String>,
    regime: Option<String>,
    duty_days: Option<u32>,
    brain_death_framework: Option<PathBuf>,
    agenda: Option<PathBuf>,
    grades: Option<Grades>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawVault {
    key: Option<String>,
    tpm: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTrust {
    anchors: Vec<PathBuf>,
    crls: Option<PathBuf>,
    #[serde(default)]
    crl_urls: Vec<String>,
    crl_fresh_days: Option<u32>,
    crl_tolerated_days: Option<u32>,
    #[serde(default)]
    authority_lists: AuthorityLists,
    production: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawReader {
    name: Option<String>,
    #[serde(default)]
    pinpad: Pinpad,
    #[serde(default)]
    without_keys: Vec<String>,
    #[serde(default)]
    cps4: Cps4,
    answer_s_max: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScanner {
    device: PathBuf,
    kind: String,
    layout: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawUpstream {
    url: String,
    ca: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
    connector: Connector,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAudit {
    url: String,
    ca: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
    #[serde(default)]
    profile: AuditProfile,
    #[serde(default)]
    shape: AuditShape,
}

impl Config {
    /// Reads and understands the file at `path`.
    pub fn read(path: &Path) -> Result<Config, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Config::understand(&text, path)
    }

    /// Understands `text`; `path` names it in errors and is where its relative paths start.
    pub fn understand(text: &str, path: &Path) -> Result<Config, Error> {
        let raw: Raw =
            toml::from_str(text).map_err(|error| Error::Parse { path: path.to_owned(), message: error.to_string() })?;
        let meaning = |what| Error::Meaning { path: path.to_owned(), what };
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let at = |file: PathBuf| folder.join(file);

        let regime = match raw.site.regime.as_deref() {
            // The stricter one, when nobody chose.
            None => Regime::ConseilEtat2025,
            Some(name) => Regime::from_name(name)
                .ok_or_else(|| meaning("site.regime is neither \"arrete-2023\" nor \"conseil-etat-2025\""))?,
        };
        let key = match raw.vault.key.as_deref() {
            None => Provider::None,
            Some(name) => Provider::from_name(name).ok_or_else(|| {
                meaning("vault.key is none of \"tpm-pin\", \"tpm\", \"passphrase\", \"usb\", \"none\"")
            })?,
        };
        let tpm = match raw.vault.tpm.as_deref() {
            None | Some("auto") => Tpm::Auto,
            Some("none") => Tpm::None,
            Some(tcti) if tcti.contains(':') => Tpm::At(tcti.to_owned()),
            Some(_) => {
                return Err(meaning(
                    "vault.tpm is neither \"auto\", \"none\" nor an address such as \"device:/dev/tpmrm0\"",
                ));
            }
        };
        if raw.trust.anchors.is_empty() {
            return Err(meaning("trust.anchors is empty: no card could ever be recognised"));
        }
        match (raw.site.team.is_empty(), raw.site.team_list.is_some(), raw.trust.production) {
            (false, _, true) => {
                return Err(meaning("site.team is for desks: in production the team is site.team_list"));
            }
            (false, true, _) => return Err(meaning("site.team and site.team_list name two teams: keep one")),
            _ => {}
        }
        let is_phone = |text: &str| {
            text.chars().any(|c| c.is_ascii_digit())
                && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | ' ' | '.'))
        };
        if raw.site.grades.as_ref().is_some_and(|grades| grades.name.trim().is_empty() || !is_phone(&grades.phone)) {
            return Err(meaning("site.grades has no name, or its phone is no number"));
        }
        if raw.trust.crl_urls.iter().any(|url| !url.starts_with("http://")) {
            return Err(meaning("trust.crl_urls: an address does not begin with http://"));
        }
        let (crl_fresh_days, crl_tolerated_days) = list_ages(&raw.trust).map_err(meaning)?;
        let endpoint = |url: String, ca, certificate, key| {
            if !url.starts_with("https://") {
                return Err(meaning("an upstream or audit url does not begin with https://"));
            }
            Ok(Endpoint { url, ca: at(ca), certificate: at(certificate), key: at(key) })
        };
        let upstream = Upstream {
            endpoint: endpoint(raw.upstream.url, raw.upstream.ca, raw.upstream.certificate, raw.upstream.key)?,
            connector: raw.upstream.connector,
        };
        let audit = match (raw.audit, upstream.connector) {
            (Some(audit), _) => {
                let endpoint = endpoint(audit.url, audit.ca, audit.certificate, audit.key)?;
                Audit { endpoint, profile: audit.profile, shape: audit.shape }
            }
            (None, Connector::Pdsm) => {
                Audit { endpoint: upstream.endpoint.clone(), profile: AuditProfile::Put, shape: AuditShape::Balp }
            }
            (None, Connector::Dmp) => {
                return Err(meaning("[audit] is required with connector = \"dmp\""));
            }
        };
        let dmp = match (raw.dmp, upstream.connector) {
            (Some(raw), Connector::Dmp) => Some(dmp::understand(raw).map_err(meaning)?),
            (None, Connector::Pdsm) => None,
            (None, Connector::Dmp) => return Err(meaning("[dmp] is required with connector = \"dmp\"")),
            (Some(_), Connector::Pdsm) => return Err(meaning("[dmp] is for connector = \"dmp\"")),
        };
        if raw.ecps.is_some() && upstream.connector == Connector::Dmp {
            return Err(meaning("[ecps] cannot be used with connector = \"dmp\", which wants a card"));
        }
        let usual = Limits::default();
        let journal = Journal {
            retention_days: raw.journal.retention_days.unwrap_or(RETENTION_DAYS),
            allowance: Limits {
                days: raw.journal.allowance_days.unwrap_or(usual.days),
                rows: raw.journal.allowance_rows.unwrap_or(usual.rows),
            },
        };
        if journal.allowance.days == 0 || journal.allowance.rows == 0 {
            return Err(meaning("journal.allowance_days or allowance_rows is 0: no record could ever be opened"));
        }
        let RawReader { name, pinpad, without_keys, cps4, answer_s_max } = raw.reader;
        let answer_s_max = answer_s_max.unwrap_or(ANSWER_S_MAX);
        if answer_s_max == 0 {
            return Err(meaning("reader.answer_s_max is 0: no card answers in no time"));
        }
        // A shorter part of a name would be in that of every reader.
        if without_keys.iter().any(|entry| entry.trim().len() < ENTRY_LEAST || entry.trim() != entry) {
            return Err(meaning("reader.without_keys: an entry is shorter than 4 letters, or has spaces around it"));
        }
        let reader = Reader { name, pinpad, without_keys, cps4, answer_s_max };
        let link = Link { day_bytes_max: raw.link.metered_mb_per_day.map(|mb| u64::from(mb) * 1_000_000) };
        let scanner = raw.scanner.map(understand_scanner).transpose().map_err(meaning)?;
        let ecps = match raw.ecps {
            Some(raw) => Some(understand_ecps(raw, &upstream.endpoint, &at).map_err(meaning)?),
            None => None,
        };
        let printer = raw.printer.map(|raw| printer::understand(raw, &at)).transpose().map_err(meaning)?;
        let looks = screen::understand(raw.screen).map_err(meaning)?;
        Ok(Config {
            site: Site {
                name: raw.site.name,
                team: raw.site.team,
                team_list: raw.site.team_list.map(at),
                colleagues: raw.site.colleagues.into_iter().collect(),
                regime,
                duty_days: raw.site.duty_days.unwrap_or(DUTY_DAYS),
                brain_death_framework: raw.site.brain_death_framework.map(at),
                agenda: raw.site.agenda.map(at),
                grades: raw.site.grades,
            },
            vault: Vault { key, tpm },
            trust: Trust {
                anchors: raw.trust.anchors.into_iter().map(at).collect(),
                crls: raw.trust.crls.map(at),
                crl_urls: raw.trust.crl_urls,
                crl_fresh_days,
                crl_tolerated_days,
                authority_lists: raw.trust.authority_lists,
                production: raw.trust.production,
            },
            reader,
            scanner,
            upstream,
            dmp,
            audit,
            journal,
            link,
            ecps,
            printer,
            looks,
            pace: pace::understand(&raw.pace).map_err(meaning)?,
            keys: raw.keys.map(aids::understand_keys).transpose().map_err(meaning)?,
            speech: raw.speech.map(aids::understand_speech).transpose().map_err(meaning)?,
        })
    }
}

/// A layout is never guessed: on the wrong one a code is read, and is another.
fn understand_scanner(raw: RawScanner) -> Result<scanner::Options, &'static str> {
    let kind = match (raw.kind.as_str(), raw.layout.as_deref()) {
        ("serial", None) => scanner::Kind::Serial,
        ("keyboard", Some("us")) => scanner::Kind::Keyboard(scanner::Layout::Us),
        ("keyboard", Some("fr")) => scanner::Kind::Keyboard(scanner::Layout::Fr),
        ("keyboard", _) => return Err("scanner.layout: a keyboard is \"us\" or \"fr\", as the scanner is set"),
        ("serial", Some(_)) => return Err("scanner.layout: a serial scanner has none"),
        _ => return Err("scanner.kind is neither \"serial\" nor \"keyboard\""),
    };
    if !raw.device.is_absolute() {
        return Err("scanner.device is not a whole path, such as /dev/input/by-id/…");
    }
    Ok(scanner::Options { device: raw.device, kind })
}

/// Without a certificate of its own, the device shows the provider the one it shows the upstream.
fn understand_ecps(raw: RawECps, device: &Endpoint, at: &impl Fn(PathBuf) -> PathBuf) -> Result<ECps, &'static str> {
    let issuer = raw.issuer.trim_end_matches('/').to_owned();
    let description = raw.description.unwrap_or_else(|| format!("{issuer}/.well-known/openid-configuration"));
    if !issuer.starts_with("https://") || !description.starts_with("https://") {
        return Err("ecps.issuer and ecps.description must begin with https://");
    }
    let acr = raw.acr.unwrap_or_else(|| vec!["eidas1".to_owned()]);
    if acr.is_empty() {
        return Err("ecps.acr is empty: no login could ever be enough");
    }
    if raw.signing_key_id.is_some() && raw.signing_key.is_none() {
        return Err("ecps.signing_key_id names a key, and ecps.signing_key is not given");
    }
    let (certificate, key) = match (raw.certificate, raw.key) {
        (Some(certificate), Some(key)) => (at(certificate), at(key)),
        (None, None) => (device.certificate.clone(), device.key.clone()),
        _ => return Err("ecps.certificate and ecps.key are given together or not at all"),
    };
    Ok(ECps {
        issuer,
        description,
        client: raw.client_id,
        ca: at(raw.ca),
        certificate,
        key,
        signing_key: raw.signing_key.map(at),
        signing_key_id: raw.signing_key_id,
        acr,
    })
}

/// Longer than the work waiting time of a CPS3 in T=0, 4.2 s, after which its reader says so itself.
const ANSWER_S_MAX: u32 = 6;
const ENTRY_LEAST: usize = 4;
const CRL_FRESH_DAYS: u32 = 7;
const CRL_TOLERATED_DAYS: u32 = 30;
const CRL_DAYS_MAX: u32 = 90;
/// ANS, Ségur wave 2 (SC.DMP/CONF): at the first login, then from time to time, for example 180 days.
const DUTY_DAYS: u32 = 180;
/// A quarter: what a patient may still ask about on the spot.
const RETENTION_DAYS: u32 = 90;

/// In order, and none so many that a card which was revoked would be taken for months.
fn list_ages(raw: &RawTrust) -> Result<(u32, u32), &'static str> {
    match (raw.crl_fresh_days.unwrap_or(CRL_FRESH_DAYS), raw.crl_tolerated_days.unwrap_or(CRL_TOLERATED_DAYS)) {
        (0, _) => Err("trust.crl_fresh_days is 0: no list would ever be fresh"),
        (fresh, tolerated) if fresh > tolerated => Err(
            "trust.crl_fresh_days is above trust.crl_tolerated_days: nobody would be warned before cards are refused",
        ),
        (_, tolerated) if tolerated > CRL_DAYS_MAX => {
            Err("trust.crl_tolerated_days is above 90: a card that was revoked would be taken for months")
        }
        ages => Ok(ages),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = r#"
[site]
name = "Cabinet de la Gare"
[trust]
anchors = ["prod.pem"]
production = true
[upstream]
url = "https://dmp.example/fhir"
ca = "ca.pem"
certificate = "device.pem"
key = "device.key"
connector = "pdsm"
"#;

    fn understand(text: &str) -> Result<Config, String> {
        Config::understand(text, Path::new("/etc/chevet/kiosk.toml")).map_err(|e| e.to_string())
    }

    #[test]
    fn how_old_a_list_may_be_is_the_sites_to_say_within_reason() {
        let with = |lines: &str| understand(&LEAST.replace("[upstream]", &format!("{lines}\n[upstream]")));
        let ages = |lines: &str| {
            with(lines).map(|config| (config.trust.crl_fresh_days, config.trust.crl_tolerated_days)).map_err(|_| ())
        };
        assert_eq!(ages(""), Ok((7, 30)));
        assert_eq!(ages("crl_fresh_days = 2\ncrl_tolerated_days = 5"), Ok((2, 5)));
        assert_eq!(ages("crl_tolerated_days = 90"), Ok((7, 90)));
        for refused in
            ["crl_fresh_days = 0", "crl_fresh_days = 31", "crl_tolerated_days = 6", "crl_tolerated_days = 91"]
        {
            assert_eq!(ages(refused), Err(()), "{refused}");
        }
        let lists = |lines: &str| with(lines).map(|config| config.trust.authority_lists).map_err(|_| ());
        assert_eq!(lists(""), Ok(AuthorityLists::WhereThere));
        assert_eq!(lists("authority_lists = \"required\""), Ok(AuthorityLists::Required));
        assert_eq!(lists("authority_lists = \"never\""), Err(()));
    }

    #[test]
    fn the_least_settings_choose_the_stricter_side() {
        let config = understand(LEAST).expect("understood");
        assert_eq!(config.site.regime, Regime::ConseilEtat2025);
        assert_eq!(config.vault.key, Provider::None);
        let guarded = understand(&format!("{LEAST}[vault]\nkey = \"tpm-pin\"\n")).expect("understood");
        assert_eq!((guarded.vault.key, guarded.vault.tpm), (Provider::TpmPin, Tpm::Auto));
        for (said, tpm) in
            [("none", Tpm::None), ("auto", Tpm::Auto), ("swtpm:path=/s", Tpm::At("swtpm:path=/s".into()))]
        {
            let vault = understand(&format!("{LEAST}[vault]\ntpm = \"{said}\"\n")).expect("understood").vault;
            assert_eq!(vault.tpm, tpm);
        }
        assert!(understand(&format!("{LEAST}[vault]\ntpm = \"yes\"\n")).expect_err("refused").contains("vault.tpm"));
        assert_eq!(config.audit.endpoint, config.upstream.endpoint);
        assert_eq!((config.journal.allowance.days, config.journal.allowance.rows), (7, 5_000));
        let own =
            understand(&format!("{LEAST}[journal]\nretention_days = 30\nallowance_days = 2\n")).expect("understood");
        assert_eq!((own.journal.retention_days, own.journal.allowance), (30, Limits { days: 2, rows: 5_000 }));
        assert_eq!((config.reader.pinpad, config.reader.cps4), (Pinpad::Auto, Cps4::Refuse));
        let chosen = understand(&format!("{LEAST}[reader]\npinpad = \"never\"\ncps4 = \"try\"\n")).expect("understood");
        assert_eq!((chosen.reader.pinpad, chosen.reader.cps4), (Pinpad::Never, Cps4::Try));
        assert_eq!(chosen.reader.answer_s_max, 6);
        assert!(understand(&format!("{LEAST}[reader]\nanswer_s_max = 0\n")).is_err());
        assert!(understand(&format!("{LEAST}[reader]\npinpad = \"off\"\n")).is_err());
        let without = |entry: &str| understand(&format!("{LEAST}[reader]\nwithout_keys = [\"{entry}\"]\n"));
        assert_eq!(without("076B:3031").expect("understood").reader.without_keys, ["076B:3031"]);
        assert!(without("ABC").is_err() && without(" 076B:3031").is_err() && without("").is_err());
        assert_eq!(config.scanner, None);
        let device = PathBuf::from("/dev/ttyACM0");
        let serial = format!("{LEAST}[scanner]\ndevice = \"/dev/ttyACM0\"\nkind = \"serial\"\n");
        let kind = scanner::Kind::Serial;
        assert_eq!(understand(&serial).expect("understood").scanner, Some(scanner::Options { device, kind }));
        for (wrong, named) in [
            (serial.replace("serial", "keyboard"), "scanner.layout"),
            (format!("{serial}layout = \"fr\"\n"), "scanner.layout"),
            (serial.replace("serial", "camera"), "scanner.kind"),
            (serial.replace("/dev/", ""), "scanner.device"),
        ] {
            let refused = understand(&wrong).expect_err("refused");
            assert!(refused.contains(named), "{refused}");
        }
        assert_eq!(config.site.grades, None);
        let grades = |phone: &str| {
            let line = format!("grades = {{ name = \"GRADeS de test\", phone = \"{phone}\" }}\n[trust]");
            understand(&LEAST.replace("[trust]", &line)).map(|config| config.site.grades.expect("a contact"))
        };
        assert_eq!(grades("01 99 00 12 34").expect("understood").phone, "01 99 00 12 34");
        assert!(grades("voir la fiche").expect_err("refused").contains("site.grades"));
        assert_eq!(config.trust.anchors, [PathBuf::from("/etc/chevet/prod.pem")]);
        assert_eq!(config.site.brain_death_framework, None);
        let framework = LEAST.replace("[trust]", "brain_death_framework = \"cadre.csv\"\n[trust]");
        let framework = understand(&framework).expect("understood").site.brain_death_framework;
        assert_eq!(framework, Some(PathBuf::from("/etc/chevet/cadre.csv")));
        let team = LEAST.replace("[trust]", "team_list = \"equipe.csv\"\n[trust]");
        assert_eq!(
            understand(&team).expect("understood").site.team_list,
            Some(PathBuf::from("/etc/chevet/equipe.csv"))
        );
    }

    #[test]
    fn a_visit_by_telephone_needs_a_provider_and_says_what_is_missing() {
        assert_eq!(understand(LEAST).expect("understood").ecps, None);
        let least = format!(
            "{LEAST}[ecps]\nissuer = \"https://psc.example/realm/\"\nclient_id = \"borne\"\nca = \"psc.pem\"\n"
        );
        let ecps = understand(&least).expect("understood").ecps.expect("a provider");
        assert_eq!(ecps.description, "https://psc.example/realm/.well-known/openid-configuration");
        assert_eq!((ecps.acr.as_slice(), ecps.signing_key), (&["eidas1".to_owned()][..], None));
        assert_eq!(ecps.certificate, PathBuf::from("/etc/chevet/device.pem"));
        for (more, named) in [
            ("acr = []", "ecps.acr"),
            ("key = \"k.pem\"", "ecps.certificate"),
            ("signing_key_id = \"k\"", "ecps.signing_key"),
            ("description = \"http://psc.example\"", "https://"),
            ("secret = \"x\"", "secret"),
        ] {
            let refused = understand(&format!("{least}{more}\n")).expect_err("refused");
            assert!(refused.contains(named), "{refused}");
        }
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let typo = understand(&LEAST.replace("production", "prodution")).expect_err("refused");
        assert!(typo.contains("prodution") && typo.contains("kiosk.toml"), "{typo}");
        let plain = understand(&LEAST.replace("https://", "http://")).expect_err("refused");
        assert!(plain.contains("https://"), "{plain}");
        let dmp = understand(&LEAST.replace("\"pdsm\"", "\"dmp\"")).expect_err("refused");
        assert!(dmp.contains("[audit]"), "{dmp}");
        let audit = "[audit]\nurl = \"https://a\"\nca = \"a\"\ncertificate = \"a\"\nkey = \"a\"\n";
        let dmp = format!("{}{audit}", LEAST.replace("\"pdsm\"", "\"dmp\""));
        assert!(understand(&dmp).expect_err("refused").contains("[dmp]"));
        let whole = understand(&format!("{dmp}[dmp]\noid = \"1.2.250.1.999.1\"\n")).expect("understood");
        let whole = whole.dmp.expect("settings of the connector");
        assert_eq!((whole.homologation.as_str(), whole.vihf_version.as_str()), ("NON-HOMOLOGUE", "3.0"));
        assert_eq!((whole.mode_name, whole.dialect), (dmp::ModeName::Upper, dmp::Dialect::French));
        for (more, named) in [
            ("[dmp]\noid = \"1.2..3\"\n", "dmp.oid"),
            ("[dmp]\noid = \"1.2.3\"\ndialect = \"german\"\n", "dialect"),
            ("[dmp]\noid = \"1.2.3\"\n[ecps]\nissuer = \"https://psc\"\nclient_id = \"b\"\nca = \"c\"\n", "[ecps]"),
        ] {
            let refused = understand(&format!("{dmp}{more}")).expect_err("refused");
            assert!(refused.contains(named), "{refused}");
        }
        let idle = understand(&format!("{LEAST}[dmp]\noid = \"1.2.3\"\n")).expect_err("refused");
        assert!(idle.contains("connector"), "{idle}");
        let never = understand(&format!("{LEAST}[journal]\nallowance_rows = 0\n")).expect_err("refused");
        assert!(never.contains("allowance_rows"), "{never}");
        let unsigned = LEAST.replace("[trust]", "team = [\"899700000001\"]\n[trust]");
        assert!(understand(&unsigned).expect_err("refused").contains("site.team_list"));
        let desk = unsigned.replace("production = true", "production = false");
        assert_eq!(understand(&desk).expect("understood").site.team, ["899700000001"]);
        let two = understand(&desk.replace("[trust]", "team_list = \"equipe.csv\"\n[trust]")).expect_err("refused");
        assert!(two.contains("two teams"), "{two}");
        let nobody = understand(&LEAST.replace("[\"prod.pem\"]", "[]")).expect_err("refused");
        assert!(nobody.contains("anchors"), "{nobody}");
        let guard = understand(&format!("{LEAST}[vault]\nkey = \"tmp\"\n")).expect_err("refused");
        assert!(guard.contains("vault.key"), "{guard}");
    }
}
