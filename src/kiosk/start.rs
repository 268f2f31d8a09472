//! Reads the settings, opens what must be open, makes every task, and hands the two ends that the screen holds back.
//!
//! What cannot be started is a [`StartError`] that names its layer; the appliance shows it instead of a blank screen.

use crate::card;
use crate::config;
use crate::config::AuditProfile;
use crate::config::AuditShape;
use crate::config::Config;
use crate::config::Connector;
use crate::config::ECps;
use crate::config::Endpoint;
use crate::device::backlight;
use crate::device::backlight::Backlight;
use crate::device::clock;
use crate::device::clock::Clock;
use crate::device::keys;
use crate::device::printer;
use crate::device::scanner;
use crate::device::voice;
use crate::device::voice::Voice;
use crate::device::watchdog::Watchdog;
use crate::ecps;
use crate::exchange;
use crate::exchange::Dmp;
use crate::exchange::dmp;
use crate::exchange::dmp::vihf;
use crate::exchange::pdsm;
use crate::exchange::pdsm::Pdsm;
use crate::identity::holder::HolderId;
use crate::identity::statement;
use crate::kiosk::card_key::CardKey;
use crate::kiosk::counter::Counter;
use crate::kiosk::courier;
use crate::kiosk::courier::Courier;
use crate::kiosk::ears;
use crate::kiosk::light;
use crate::kiosk::lists;
use crate::kiosk::main_loop;
use crate::kiosk::meter;
use crate::kiosk::perform;
use crate::kiosk::perform::ahead::Pace;
use crate::kiosk::perform::hands::Hands;
use crate::kiosk::perform::makers::AgendaFile;
use crate::kiosk::perform::print::Outlet;
use crate::kiosk::phone;
use crate::kiosk::phone::Line;
use crate::kiosk::phone::Phone;
use crate::kiosk::rulebook;
use crate::kiosk::speech;
use crate::kiosk::trusted;
use crate::kiosk::trusted::Trust;
use crate::link;
use crate::link::Traffic;
use crate::link::Turns;
use crate::link::traffic::Ledger;
use crate::patient::ins::Patient;
use crate::policy::in_force::Refused;
use crate::policy::signed::Standing;
use crate::render;
use crate::say;
use crate::say::Both;
use crate::say::Lang;
use crate::say::both;
use crate::screen::aids::Aids;
use crate::screen::aids::HardKey;
use crate::screen::leaves::Contact;
use crate::screen::leaves::InForce;
use crate::screen::view::DeviceFacts;
use crate::screen::view::View;
use crate::screen::view::view;
use crate::secret::SecretBytes;
use crate::time::UnixSeconds;
use crate::vault;
use crate::vault::Vault;
use crate::vault::provider;
use crate::vault::provider::DeviceKey;
use crate::vault::provider::Provider;
use crate::vault::provider::Sources;
use crate::visit::Visit;
use crate::visit::event::Touch;
use crate::visit::gentle::Patience;
use crate::visit::page::Aside;
use crate::visit::page::AsideKind;
use crate::visit::page::Colleague;
use crate::visit::page::Rules;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What the kiosk is started with.
pub struct Start {
    pub config: Config,
    /// The state folder.
    pub state: PathBuf,
    /// `$CREDENTIALS_DIRECTORY`: what systemd hands over, the device key among it.
    pub credentials: Option<PathBuf>,
    /// This very binary, which is also the sealed worker.
    pub program: PathBuf,
    /// On a desk: the round of a holder whose own is still empty.
    pub starter_round: Vec<Patient>,
}

/// What the screen holds, and the tasks behind it.
pub struct Kiosk {
    pub views: watch::Receiver<View>,
    pub touches: mpsc::Sender<Box<Touch>>,
    /// Four keys and a headset, where the settings name them.
    pub aids: Aids,
    /// Dropping it ends every task.
    pub tasks: JoinSet<()>,
}

/// What could not be started, by layer. For the log and for IT.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("a file named in the settings cannot be read: {path}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("whom this device trusts cannot be read")]
    Trust { source: trusted::Error },
    #[error("the vault cannot be opened")]
    Vault { source: vault::Error },
    #[error("the link cannot be made")]
    Link { source: link::Error },
    #[error("what [ecps] names cannot be used")]
    ECps { source: ecps::Error },
    #[error("the card reader's thread cannot be started")]
    Reader { source: card::Error },
    #[error("the printer cannot be used")]
    Printer { source: printer::Error },
    #[error("the scanner's thread cannot be started")]
    Scanner { source: std::io::Error },
    #[error("the thread of the four keys cannot be started")]
    Keys { source: std::io::Error },
    #[error("the sealed worker cannot be started")]
    Worker { source: render::Error },
    #[error("the rules of this device cannot be put in force")]
    Rulebook { source: rulebook::Error },
}

/// Must be called inside a tokio runtime.
pub async fn start(start: Start) -> Result<Kiosk, StartError> {
    let Start { config, state, credentials, program, starter_round } = start;
    let of_vault = |source| StartError::Vault { source };
    // The clock has no floor yet; the vault's newest row becomes it.
    let device = vault::keys::device_id(&state).map_err(of_vault)?;
    let sources = Sources { state: &state, credentials: credentials.as_deref(), tpms: Path::new(provider::TPMS) };
    let DeviceKey { key, provider } = provider::device_key(sources).map_err(of_vault)?;
    if provider != config.vault.key {
        tracing::warn!(in_force = ?provider, wanted = ?config.vault.key, "another key provider than the settings want");
    }
    let options = vault::Options {
        folder: state.clone(),
        device: device.clone(),
        software: SOFTWARE.to_owned(),
        boot: clock::boot(),
        device_key: key,
    };
    let vault = Vault::open(options, Clock::start(UnixSeconds(0)).as_shown()).map_err(of_vault)?;
    for name in vault.sealed_aside() {
        tracing::error!(name, "a store that could not be opened stands aside, whole");
    }
    let clock = Clock::go_on(vault.witnessed().await.map_err(of_vault)?);
    // What is past its lease goes before anything is drawn, without any card.
    vault.time_is(clock.now()).await.map_err(of_vault)?;
    let counter = Counter::new(&config.vault.tpm);
    counter.check(&vault, clock.now()).await;

    let of_trust = |source| StartError::Trust { source };
    let trust = Arc::new(Trust::read(&config.trust, &state).map_err(of_trust)?);
    // A folder that cannot be read is said at the start, not at the first card.
    trust.crls().map_err(of_trust)?;
    let traffic = Traffic::default();
    let key = Arc::new(CardKey::default());
    let upstream = Arc::new(make_upstream(&config, &traffic, &clock, &key)?);
    let ledger = Ledger::open(&state, &traffic, config.link.day_bytes_max);
    let limits = render::Limits { allow_unsealed: false, ..render::Limits::default() };
    let worker = render::Worker::start(program, limits).map_err(|source| StartError::Worker { source })?;
    let (notices, heard) = mpsc::channel(CHANNEL);
    let options = reader_options(&config.reader);
    let reader = card::Reader::start(options, notices).map_err(|source| StartError::Reader { source })?;

    let standing = if config.trust.production { Standing::Production } else { Standing::Desk };
    let book = rulebook::open(&state, standing, clock.now().wall).map_err(|source| StartError::Rulebook { source })?;
    let issued = rulebook::issued(&config.site, standing);
    let update = |refused: &Refused| Aside { what: AsideKind::Update, why: refused.why.sentence() };
    let facts = device_facts(&config, provider);
    let rules = Rules {
        left_aside: book.chosen.refused.first().map(update).into_iter().chain(issued.left_aside).collect(),
        matrix: book.chosen.matrix,
        regime: config.site.regime,
        team: issued.team.clone(),
        colleagues: config.site.colleagues.iter().map(colleague).collect(),
        time_zone: facts.time_zone.clone(),
        duty_days: config.site.duty_days,
        framework: issued.framework,
        by_phone: config.ecps.is_some(),
        prints: config.printer.is_some(),
        looks: config.looks,
        patience: patience(config.pace),
    };
    let visit = Visit::new(Arc::new(rules));
    let (views_in, views) = watch::channel(view(&visit, clock.now(), &facts));
    let (events, events_out) = mpsc::channel(CHANNEL);
    let (effects, effects_out) = mpsc::unbounded_channel();
    let (orders, orders_out) = mpsc::channel(CHANNEL);
    let (presence_in, presence) = watch::channel(None);
    let (touches, touched) = mpsc::channel(CHANNEL);
    let (lists_in, lists_wanted) = mpsc::channel(1);
    if let Some(options) = config.scanner.clone() {
        // A scan is a touch, wherever it comes from.
        let touches = touches.clone();
        let heard = move |payload| touches.blocking_send(Box::new(Touch::Scanned(payload))).is_ok();
        scanner::start(options, heard).map_err(|source| StartError::Scanner { source })?;
    }

    let (line, by_phone) = match &config.ecps {
        Some(ecps) => {
            let (orders, orders_out) = mpsc::channel(CHANNEL);
            let (granted, granted_out) = watch::channel(None);
            let phone = Phone { client: make_ecps(ecps)?, clock: clock.clone(), events: events.clone(), granted };
            (Some(Line { orders, granted: granted_out }), Some((phone, orders_out)))
        }
        None => (None, None),
    };
    let outlet = config.printer.as_ref().map(|printer| Outlet::new(printer, &facts.time_zone));
    let hands = Hands {
        device: device.clone(),
        reader,
        vault: vault.clone(),
        upstream: upstream.clone(),
        key,
        worker,
        trust: trust.clone(),
        lists: lists_in,
        counter,
        clock: clock.clone(),
        courier: orders,
        presence: presence_in,
        events: events.clone(),
        team: issued.team,
        phone: line,
        starter_round,
        agenda: config.site.agenda.clone().map(|path| AgendaFile { path, zone: facts.time_zone.clone() }),
        outlet: outlet.transpose().map_err(|source| StartError::Printer { source })?,
        prepared: Default::default(),
        present: Hands::nobody(),
        begun: Default::default(),
        pace: Pace::default(),
    };
    let journal = config.journal;
    let courier = Courier { vault, upstream, clock: clock.clone(), events: events.clone(), presence, device, journal };
    let metering = meter::run(ledger, clock.clone(), facts.time_zone.clone(), events.clone());
    let ends = main_loop::Ends { events: events_out, touches: touched, effects, views: views_in };
    let mut tasks = JoinSet::new();
    tasks.spawn(main_loop::run(visit, ends, clock, facts, Watchdog::of_systemd()));
    if let Some(panel) = Backlight::find(Path::new(backlight::CLASS)) {
        tasks.spawn(light::run(panel, views.clone()));
    }
    tasks.spawn(ears::run(heard, events.clone()));
    tasks.spawn(perform::run(hands, effects_out, events));
    tasks.spawn(courier::run(courier, orders_out));
    tasks.spawn(lists::run(trust, lists_wanted));
    tasks.spawn(metering);
    if let Some((phone, orders)) = by_phone {
        tasks.spawn(phone::run(phone, orders));
    }
    let aids = join_aids(config.keys.clone(), config.speech.clone(), &views, &mut tasks)?;
    Ok(Kiosk { views, touches, aids, tasks })
}

/// Where the settings name neither, nothing is sent either way.
pub fn join_aids(
    four: Option<keys::Options>,
    headset: Option<voice::Options>,
    views: &watch::Receiver<View>,
    tasks: &mut JoinSet<()>,
) -> Result<Aids, StartError> {
    let (struck, keys) = mpsc::channel(CHANNEL);
    let (focused, said) = mpsc::channel(CHANNEL);
    if let Some(options) = four {
        let heard = move |key| struck.blocking_send(hard_key(key)).is_ok();
        keys::start(options, heard).map_err(|source| StartError::Keys { source })?;
    }
    if let Some(options) = headset {
        tasks.spawn(speech::run(Voice::new(options), views.clone(), said));
    }
    Ok(Aids { keys, focused })
}

fn hard_key(key: keys::Key) -> HardKey {
    match key {
        keys::Key::Previous => HardKey::Previous,
        keys::Key::Next => HardKey::Next,
        keys::Key::Do => HardKey::Do,
        keys::Key::Back => HardKey::Back,
    }
}

/// The connector that the settings name, with its two links.
pub fn make_upstream(
    config: &Config,
    traffic: &Traffic,
    clock: &Clock,
    key: &Arc<CardKey>,
) -> Result<exchange::Connector, StartError> {
    let (turns, clock) = (Turns::default(), clock.clone());
    let own: link::client::Clock = Arc::new(move || clock.as_shown());
    let audit = make_link(&config.audit.endpoint)?.sharing(&turns, traffic).dated_by(own.clone());
    let profile = match config.audit.profile {
        AuditProfile::Put => pdsm::Profile::Put,
        AuditProfile::Post => pdsm::Profile::Post,
    };
    let shape = match config.audit.shape {
        AuditShape::Balp => pdsm::event::Shape::Balp,
        AuditShape::Tde => pdsm::event::Shape::Tde,
    };
    let of_link = |source| StartError::Link { source };
    let (endpoint, audit_base) = (&config.upstream.endpoint, &config.audit.endpoint.url);
    let Some(settings) = &config.dmp else {
        let upstream = make_link(endpoint)?.sharing(&turns, traffic).dated_by(own);
        let made = Pdsm::new(upstream, &endpoint.url, audit, audit_base, profile).map_err(of_link)?;
        return Ok(made.with_shape(shape).into());
    };
    // In the holder's name, by their card: the device has none there.
    let upstream = link::Client::of_holder(&read(&endpoint.ca)?, key.clone(), timeouts()).map_err(of_link)?;
    let upstream = upstream.sharing(&turns, traffic).dated_by(own.clone());
    let audit = Pdsm::new(audit.clone(), audit_base, audit, audit_base, profile).map_err(of_link)?.with_shape(shape);
    let made = Dmp::new(upstream, key.clone(), &endpoint.url, audit, dmp_settings(settings), own).map_err(of_link)?;
    Ok(exchange::Connector::Dmp(Box::new(made)))
}

/// The settings' words in the connector's.
fn dmp_settings(settings: &config::dmp::Dmp) -> dmp::Settings {
    let mode_name = match settings.mode_name {
        config::dmp::ModeName::Upper => vihf::ModeName::Upper,
        config::dmp::ModeName::Lower => vihf::ModeName::Lower,
    };
    let dialect = match settings.dialect {
        config::dmp::Dialect::French => dmp::Dialect::French,
        config::dmp::Dialect::Ihe => dmp::Dialect::Ihe,
    };
    let software = vihf::Software {
        id: settings.installation.clone(),
        name: "CHEVET".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        homologation: settings.homologation.clone(),
    };
    let shape = vihf::Shape { version: settings.vihf_version.clone(), mode_name };
    let hash = |hash| match hash {
        config::dmp::Hash::Sha1 => statement::Hash::Sha1,
        config::dmp::Hash::Sha256 => statement::Hash::Sha256,
    };
    dmp::Settings {
        software,
        shape,
        oid: settings.oid.clone(),
        dialect,
        sign_assertions: settings.sign_assertions.map(hash),
        sign_deposits: hash(settings.sign_deposits),
    }
}

/// Pro Santé Connect, by a link of its own.
pub fn make_ecps(ecps: &ECps) -> Result<ecps::client::Client, StartError> {
    let link = make_link(&Endpoint {
        url: ecps.issuer.clone(),
        ca: ecps.ca.clone(),
        certificate: ecps.certificate.clone(),
        key: ecps.key.clone(),
    })?;
    let proof = match &ecps.signing_key {
        Some(path) => {
            let key = ecps::assertion::SigningKey::read(&SecretBytes::new(read(path)?), ecps.signing_key_id.clone());
            ecps::client::ClientProof::Key(key.map_err(|source| StartError::ECps { source })?)
        }
        None => ecps::client::ClientProof::Tls,
    };
    let options = ecps::client::Options {
        issuer: ecps.issuer.clone(),
        description: ecps.description.clone(),
        client: ecps.client.clone(),
        proof,
        acr: ecps.acr.clone(),
    };
    Ok(ecps::client::Client::new(link, options))
}

/// The settings' words in the reader's.
fn reader_options(settings: &config::Reader) -> card::Options {
    let cps4 = match settings.cps4 {
        config::Cps4::Refuse => card::Cps4::Refuse,
        config::Cps4::Try => card::Cps4::Try,
    };
    let pinpad = match settings.pinpad {
        config::Pinpad::Auto => card::Pinpad::Auto,
        config::Pinpad::Never => card::Pinpad::Never,
    };
    let answer_max = Duration::from_secs(settings.answer_s_max.into());
    card::Options {
        reader_name: settings.name.clone(),
        cps4,
        pinpad,
        without_keys: settings.without_keys.clone(),
        answer_max,
    }
}

fn make_link(endpoint: &Endpoint) -> Result<link::Client, StartError> {
    let options = link::Options {
        ca_pem: read(&endpoint.ca)?,
        certificate_pem: read(&endpoint.certificate)?,
        key_pem: SecretBytes::new(read(&endpoint.key)?),
        timeouts: timeouts(),
    };
    link::Client::new(options).map_err(|source| StartError::Link { source })
}

/// Somebody may be waiting at the screen: a network that lies dead is found out in seconds.
fn timeouts() -> link::Timeouts {
    link::Timeouts { connect: CONNECT_MAX, ..link::Timeouts::default() }
}

fn read(path: &Path) -> Result<Vec<u8>, StartError> {
    std::fs::read(path).map_err(|source| StartError::File { path: path.to_owned(), source })
}

fn colleague((id, name): &(String, String)) -> Colleague {
    Colleague { id: HolderId(id.clone()), name: name.clone() }
}

fn patience(pace: config::pace::Pace) -> Patience {
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    Patience { dim: seconds(pace.dim_s), lock: seconds(pace.lock_s), end: seconds(pace.end_s) }
}

fn device_facts(config: &Config, provider: Provider) -> DeviceFacts {
    DeviceFacts {
        site_name: config.site.name.clone(),
        software: SOFTWARE.to_owned(),
        key_provider: protection(provider, config.vault.key),
        time_zone: "Europe/Paris".to_owned(),
        has_scanner: config.scanner.is_some(),
        in_force: in_force(config),
    }
}

fn in_force(config: &Config) -> InForce {
    let connector = match config.upstream.connector {
        Connector::Pdsm => both("PDSm (FHIR), non homologué", "PDSm (FHIR), not approved"),
        Connector::Dmp => both("DMP (SOAP, XDS.b), non homologué", "DMP (SOAP, XDS.b), not approved"),
    };
    let contact = |grades: &config::Grades| Contact { name: grades.name.clone(), phone: grades.phone.clone() };
    InForce {
        connector: Both { french: connector.french.to_owned(), english: connector.english.to_owned() },
        printer: config.printer.as_ref().map(config::printer::Printer::host),
        headset: config.speech.as_ref().map(|speech| speech.headset.clone()),
        has_keys: config.keys.is_some(),
        contact: config.site.grades.as_ref().map(contact),
    }
}

/// What guards the device key now, and what was asked for when that is something else (P2b).
fn protection(in_force: Provider, wanted: Provider) -> Both<String> {
    let said = |lang| protection_in(lang, in_force, wanted);
    Both { french: said(Lang::French), english: said(Lang::English) }
}

fn protection_in(lang: Lang, in_force: Provider, wanted: Provider) -> String {
    let guard = |provider| match provider {
        Provider::TpmPin => lang.pick("puce TPM et code", "TPM chip and code"),
        Provider::Tpm => lang.pick("puce TPM", "TPM chip"),
        Provider::Passphrase => lang.pick("phrase secrète au démarrage", "passphrase at start"),
        Provider::Usb => lang.pick("clé USB", "USB key"),
        Provider::None => lang.pick("aucune protection", "no protection"),
    };
    let now = match in_force {
        Provider::None => say!(lang, "Borne non protégée contre le vol", "Device not protected against theft"),
        some => say!(lang, "Clé de la borne protégée : {}", "Device key protected: {}", guard(some)),
    };
    if in_force == wanted {
        now
    } else {
        say!(lang, "{now} · réglage demandé : {}", "{now} · setting asked for: {}", guard(wanted))
    }
}

/// As it enters every row, and « À propos ».
pub const SOFTWARE: &str = concat!("chevet ", env!("CARGO_PKG_VERSION"));
/// Every bounded channel's length: more than one person can cause before the loop has turned.
const CHANNEL: usize = 64;
/// A TLS connection is four round trips: this allows two seconds for each.
const CONNECT_MAX: Duration = Duration::from_secs(8);

#[cfg(test)]
mod tests {
    use super::*;

    /// The switch against false claims, above all: with "never" no reader is asked for keys.
    #[test]
    fn the_reader_is_what_the_settings_say() {
        let said = |pinpad, cps4| {
            let settings = config::Reader {
                name: Some("Un lecteur".into()),
                pinpad,
                without_keys: vec!["046A:003E".into()],
                cps4,
                answer_s_max: 7,
            };
            let card::Options { reader_name, cps4, pinpad, without_keys, answer_max } = reader_options(&settings);
            assert_eq!(without_keys, ["046A:003E"]);
            assert_eq!((reader_name.as_deref(), answer_max), (Some("Un lecteur"), Duration::from_secs(7)));
            (pinpad, cps4)
        };
        let never = said(config::Pinpad::Never, config::Cps4::Refuse);
        assert_eq!(never, (card::Pinpad::Never, card::Cps4::Refuse));
        assert_eq!(said(config::Pinpad::Auto, config::Cps4::Try), (card::Pinpad::Auto, card::Cps4::Try));
    }

    #[test]
    fn the_screen_names_what_is_in_force_and_what_was_wanted() {
        let said = |in_force, wanted| protection(in_force, wanted).french;
        assert_eq!(said(Provider::None, Provider::None), "Borne non protégée contre le vol");
        assert_eq!(
            said(Provider::None, Provider::TpmPin),
            "Borne non protégée contre le vol · réglage demandé\u{a0}: puce TPM et code"
        );
        assert_eq!(said(Provider::TpmPin, Provider::TpmPin), "Clé de la borne protégée\u{a0}: puce TPM et code");
        assert_eq!(
            said(Provider::Tpm, Provider::TpmPin),
            "Clé de la borne protégée\u{a0}: puce TPM · réglage demandé\u{a0}: puce TPM et code"
        );
    }
}
