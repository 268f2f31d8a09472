//! Reads the settings, opens what must be open, makes every task, and hands the two ends that the screen holds back.
//!
//! What cannot be started is a [`StartError`] that names its layer; the appliance shows it instead of a blank screen.

use crate::card;
use crate::config;
use crate::config::AuditProfile;
use crate::config::Config;
use crate::config::Connector;
use crate::config::Endpoint;
use crate::device::clock::Clock;
use crate::exchange::pdsm;
use crate::exchange::pdsm::Pdsm;
use crate::identity::holder::HolderId;
use crate::identity::trust;
use crate::kiosk::courier;
use crate::kiosk::courier::Courier;
use crate::kiosk::ears;
use crate::kiosk::main_loop;
use crate::kiosk::perform;
use crate::kiosk::perform::hands::Hands;
use crate::kiosk::perform::hands::Team;
use crate::kiosk::rulebook;
use crate::link;
use crate::patient::ins::Patient;
use crate::policy::framework;
use crate::policy::framework::Framework;
use crate::policy::signed::Standing;
use crate::render;
use crate::screen::view::DeviceFacts;
use crate::screen::view::View;
use crate::screen::view::view;
use crate::secret::SecretBytes;
use crate::time::UnixSeconds;
use crate::vault;
use crate::vault::Vault;
use crate::visit::Event;
use crate::visit::Visit;
use crate::visit::event::Touch;
use crate::visit::page::Colleague;
use crate::visit::page::Rules;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

/// What the kiosk is started with.
pub struct Start {
    pub config: Config,
    /// The state folder.
    pub state: PathBuf,
    /// This very binary, which is also the sealed worker.
    pub program: PathBuf,
    /// On a desk: the round of a holder whose own is still empty.
    pub starter_round: Vec<Patient>,
}

/// What the screen holds, and the tasks behind it.
pub struct Kiosk {
    pub views: watch::Receiver<View>,
    pub touches: mpsc::Sender<Touch>,
    /// Dropping it ends every task.
    pub tasks: JoinSet<()>,
}

/// What could not be started, by layer. For the log and for IT.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("a file named in the settings cannot be read: {path}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("the trust anchors are not understood")]
    Anchors { source: trust::Error },
    #[error("the vault cannot be opened")]
    Vault { source: vault::Error },
    #[error("the link cannot be made")]
    Link { source: link::Error },
    #[error("the card reader's thread cannot be started")]
    Reader { source: card::Error },
    #[error("the sealed worker cannot be started")]
    Worker { source: render::Error },
    #[error("this version has no connector \"dmp\"")]
    Connector,
    #[error("the rules of this device cannot be put in force")]
    Rulebook { source: rulebook::Error },
    #[error("site.brain_death_framework {path} is refused; without that line the case stays forbidden")]
    Framework { path: PathBuf, source: framework::Error },
}

/// Must be called inside a tokio runtime.
pub async fn start(start: Start) -> Result<Kiosk, StartError> {
    let Start { config, state, program, starter_round } = start;
    let of_vault = |source| StartError::Vault { source };
    if config.upstream.connector == Connector::Dmp {
        return Err(StartError::Connector);
    }
    // The clock has no floor yet; the vault's newest row becomes it.
    let device = vault::keys::device_id(&state).map_err(of_vault)?;
    let options = vault::Options {
        folder: state.clone(),
        device: device.clone(),
        software: SOFTWARE.to_owned(),
        boot: Uuid::now_v7(),
        device_key: vault::keys::desk_device_key(&state).map_err(of_vault)?,
    };
    let vault = Vault::open(options, Clock::start(UnixSeconds(0)).as_shown()).map_err(of_vault)?;
    for name in vault.sealed_aside() {
        tracing::error!(name, "a store that could not be opened stands aside, whole");
    }
    let floor = vault.latest_time().await.map_err(of_vault)?.unwrap_or(UnixSeconds(0));
    let clock = Clock::start(floor);

    let trust = Trust::read(&config)?;
    // A folder that cannot be read is said at the start, not at the first card.
    trust.crls()?;
    let upstream = Arc::new(make_upstream(&config)?);
    let limits = render::Limits { allow_unsealed: false, ..render::Limits::default() };
    let worker = render::Worker::start(program, limits).map_err(|source| StartError::Worker { source })?;
    let (notices, heard) = mpsc::channel(CHANNEL);
    let options = reader_options(&config.reader);
    let reader = card::Reader::start(options, notices).map_err(|source| StartError::Reader { source })?;

    let standing = if config.trust.production { Standing::Production } else { Standing::Desk };
    let book = rulebook::open(&state, standing, clock.now().wall).map_err(|source| StartError::Rulebook { source })?;
    let facts = device_facts(&config);
    let rules = Rules {
        left_aside: book.chosen.refused.first().map(|refused| refused.why.sentence()),
        matrix: book.chosen.matrix,
        regime: config.site.regime,
        team: config.site.team.clone(),
        team_name: config.site.name.clone(),
        colleagues: config.site.colleagues.iter().map(colleague).collect(),
        time_zone: facts.time_zone.clone(),
        duty_days: config.site.duty_days,
        framework: framework_of(&config, standing)?,
    };
    let visit = Visit::new(Arc::new(rules));
    let (views_in, views) = watch::channel(view(&visit, clock.now(), &facts));
    let (events, events_out) = mpsc::channel(CHANNEL);
    let (effects, effects_out) = mpsc::unbounded_channel();
    let (orders, orders_out) = mpsc::channel(CHANNEL);
    let (presence_in, presence) = watch::channel(None);
    let (touches, touched) = mpsc::channel(CHANNEL);

    let hands = Hands {
        device,
        reader,
        vault: vault.clone(),
        upstream: upstream.clone(),
        worker,
        trust,
        clock: clock.clone(),
        courier: orders,
        presence: presence_in,
        events: events.clone(),
        team: Team { name: config.site.name.clone(), members: config.site.team.clone() },
        starter_round,
        present: Hands::nobody(),
    };
    let journal = config.journal;
    let courier = Courier { vault, upstream, clock: clock.clone(), events: events.clone(), presence, journal };
    let ends = main_loop::Ends { events: events_out, effects, views: views_in };
    let mut tasks = JoinSet::new();
    tasks.spawn(main_loop::run(visit, ends, clock, facts));
    tasks.spawn(ears::run(heard, events.clone()));
    tasks.spawn(fingers(touched, events.clone()));
    tasks.spawn(perform::run(hands, effects_out, events));
    tasks.spawn(courier::run(courier, orders_out));
    Ok(Kiosk { views, touches, tasks })
}

/// Touches become events, in order.
async fn fingers(mut touched: mpsc::Receiver<Touch>, events: mpsc::Sender<Event>) {
    while let Some(touch) = touched.recv().await {
        if events.send(Event::Touched(touch)).await.is_err() {
            return;
        }
    }
}

/// Whom the settings trust.
pub struct Trust {
    pub anchors: trust::Anchors,
    lists: Option<PathBuf>,
}

impl Trust {
    fn read(config: &Config) -> Result<Trust, StartError> {
        let pems: Vec<Vec<u8>> = config.trust.anchors.iter().map(|path| read(path)).collect::<Result<_, _>>()?;
        let pems: Vec<&[u8]> = pems.iter().map(Vec::as_slice).collect();
        let anchors = trust::Anchors::from_pem(&pems).map_err(|source| StartError::Anchors { source })?;
        Ok(Trust { anchors, lists: config.trust.crls.clone() })
    }

    /// The revocation lists as they are in their folder now.
    pub fn crls(&self) -> Result<trust::Crls, StartError> {
        let mut lists = Vec::new();
        if let Some(folder) = &self.lists {
            let unreadable = |source| StartError::File { path: folder.clone(), source };
            for entry in std::fs::read_dir(folder).map_err(unreadable)? {
                let path = entry.map_err(unreadable)?.path();
                if path.extension().is_some_and(|kind| kind == "crl") {
                    lists.push(read(&path)?);
                }
            }
        }
        Ok(trust::Crls::from_bytes(lists))
    }
}

/// The connector that the settings name, with its two links.
pub fn make_upstream(config: &Config) -> Result<Pdsm, StartError> {
    let upstream = make_link(&config.upstream.endpoint)?;
    let audit = make_link(&config.audit.endpoint)?;
    let profile = match config.audit.profile {
        AuditProfile::Put => pdsm::Profile::Put,
        AuditProfile::Post => pdsm::Profile::Post,
    };
    let (base, audit_base) = (&config.upstream.endpoint.url, &config.audit.endpoint.url);
    Pdsm::new(upstream, base, audit, audit_base, profile).map_err(|source| StartError::Link { source })
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
    card::Options { reader_name: settings.name.clone(), cps4, pinpad }
}

fn make_link(endpoint: &Endpoint) -> Result<link::Client, StartError> {
    let options = link::Options {
        ca_pem: read(&endpoint.ca)?,
        certificate_pem: read(&endpoint.certificate)?,
        key_pem: SecretBytes::new(read(&endpoint.key)?),
        // Somebody may be waiting at the screen: a network that lies dead is found out in seconds.
        timeouts: link::Timeouts { connect: CONNECT_MAX, ..link::Timeouts::default() },
    };
    link::Client::new(options).map_err(|source| StartError::Link { source })
}

/// The framework that the settings name; one that is refused is said at the start, not at the bed.
fn framework_of(config: &Config, standing: Standing) -> Result<Option<Framework>, StartError> {
    let Some(path) = &config.site.brain_death_framework else { return Ok(None) };
    let signature = String::from_utf8_lossy(&read(&path.with_extension("sig"))?).into_owned();
    let opened = Framework::open(&read(path)?, &signature, standing);
    opened
        .and_then(|framework| framework.of_site(&config.site.name))
        .map(Some)
        .map_err(|source| StartError::Framework { path: path.clone(), source })
}

fn read(path: &Path) -> Result<Vec<u8>, StartError> {
    std::fs::read(path).map_err(|source| StartError::File { path: path.to_owned(), source })
}

fn colleague((id, name): &(String, String)) -> Colleague {
    Colleague { id: HolderId(id.clone()), name: name.clone() }
}

fn device_facts(config: &Config) -> DeviceFacts {
    DeviceFacts {
        site_name: config.site.name.clone(),
        software: SOFTWARE.to_owned(),
        // Only the desk's key file is built: whatever is wanted, this is what is in force (P2b).
        key_provider: "Borne non protégée contre le vol".to_owned(),
        time_zone: "Europe/Paris".to_owned(),
    }
}

/// As it enters every row, and « À propos ».
pub const SOFTWARE: &str = concat!("chevet ", env!("CARGO_PKG_VERSION"));
/// Every bounded channel's length: more than one person can cause before the loop has turned.
const CHANNEL: usize = 64;
/// A TLS connection is four round trips: this allows two seconds for each.
const CONNECT_MAX: Duration = Duration::from_secs(8);
