//! Seeded lives of kiosk × link × server over real TLS: everything that a server says passes through the connector's own reading of
//! bytes (gzip, statuses, headers, OperationOutcome, batch-response), and what it means through the plan.
//!
//! The line loses the question or the answer, cuts it after some bytes, goes silent before or inside it, doubles it now or much
//! later; the server says 401, 403, 408, 409, 415, 422, 425, 429, 500, 502, 503, of a request or of one entry, answers with a
//! proxy's page or with JSON that ends too early; its clock is years ahead or in 1970; it takes no gzip or no Bundles, comes back
//! from an older backup; a document is damaged, another's, cut; the device crashes at any moment and forgets all but its disk. In the
//! end each resource is there once, under its own author, in its patient's order, and what was refused stands in nobody's way.
//!
//! `outbox::lives` lives ten thousand lives of the plan alone; `visits` those of what a screen may show.

mod centre;

use crate::exchange::stage;
use crate::exchange::stage::Reply;
use crate::exchange::stage::Server;
use crate::exchange::stage::ServerIs;
use centre::Centre;
use centre::Seen;
use chevet::exchange::AsDevice;
use chevet::exchange::AsHolder;
use chevet::exchange::Error;
use chevet::exchange::Outcome;
use chevet::exchange::Pdsm;
use chevet::exchange::Upstream;
use chevet::exchange::outbox::Batch;
use chevet::exchange::outbox::Failure;
use chevet::exchange::outbox::Kind;
use chevet::exchange::outbox::Lane;
use chevet::exchange::outbox::Next;
use chevet::exchange::outbox::Plan;
use chevet::exchange::outbox::Waiting;
use chevet::exchange::pdsm::Profile;
use chevet::identity::holder::HolderId;
use chevet::journal::Trace;
use chevet::journal::consent::Consent;
use chevet::journal::consent::Said;
use chevet::journal::item::Contribution;
use chevet::patient::ins::Ins;
use chevet::patient::ins::InsKind;
use chevet::record::document::Document;
use chevet::secret::SecretBytes;
use chevet::time::UnixSeconds;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use tokio::task::JoinSet;
use uuid::Uuid;

/// What the device gets wrong on purpose, to see the checks fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slip {
    None,
    /// The disk says "acknowledged" before the server does.
    TooEarly,
    /// The server does not know again what it has.
    NoIdentity,
    /// Whoever else works here lends their name.
    AnyName,
    /// A batch's own status is taken for that of each of its entries.
    StatusAlone,
    /// An answer that cannot be understood is taken for a yes.
    CutIsWhole,
    /// A refused item is sent again and again.
    RefusedStays,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Acknowledged,
    Aside,
}

/// One line of the disk, with what is sent of it.
struct Line {
    item: Waiting,
    body: Body,
    state: State,
    /// Written down before or after the backup that the centre may come back from.
    at: u64,
}

#[derive(Clone)]
enum Body {
    Trace(Box<Trace>),
    Consent(Box<Consent>),
    Note(Box<Contribution>),
}

type Landed = (Batch, Result<Vec<(Uuid, Outcome)>, Error>);

struct Life {
    seed: u64,
    slip: Slip,
    dice: fastrand::Rng,
    base: String,
    step: u64,
    now: Duration,
    plan: Plan,
    pdsm: Arc<Pdsm>,
    profile: Profile,
    disk: Vec<Line>,
    centre: Arc<Mutex<Centre>>,
    flying: JoinSet<Landed>,
    present: Option<HolderId>,
    backed_up: Option<u64>,
    restored: u32,
    crashed: u32,
    /// Why nothing came of the last request.
    last: String,
}

const HOLDERS: [&str; 2] = ["899700000012", "810000000007"];
const STORM_STEPS: u64 = 24;
const STEPS_MAX: u64 = 3_000;

impl Life {
    fn new(seed: u64, slip: Slip, world: &World) -> Life {
        let mut dice = fastrand::Rng::with_seed(seed);
        let disk: Vec<Line> = (1..dice.u64(3..12)).map(|number| line(number, &mut dice)).collect();
        let poison = disk.iter().filter(|_| dice.u8(0..14) == 0).map(|line| line.item.id).collect();
        let centre = Arc::new(Mutex::new(Centre::new(seed, poison, slip == Slip::NoIdentity)));
        world.centres.lock().expect("not poisoned").insert(seed, centre.clone());
        let (base, profile) = (format!("{}/{seed}", world.base), [Profile::Put, Profile::Post][dice.usize(0..2)]);
        let pdsm = connector(&base, profile, SILENCE);
        Life {
            seed,
            slip,
            base,
            step: 0,
            now: Duration::ZERO,
            plan: Plan::new(seed),
            pdsm,
            profile,
            disk,
            centre,
            flying: JoinSet::new(),
            present: None,
            backed_up: None,
            restored: 0,
            crashed: 0,
            last: String::new(),
            dice,
        }
    }

    async fn live(mut self) -> (Seen, u32, u32) {
        while self.step < STORM_STEPS || self.is_waiting() || !self.flying.is_empty() {
            self.step += 1;
            let left = self.disk.iter().filter(|line| line.state == State::Waiting).count();
            let (seed, last) = (self.seed, &self.last);
            assert!(self.step < STEPS_MAX, "seed {seed}: {left} are blocked for ever; the last time: {last}");
            self.happen().await;
        }
        if self.seed.is_multiple_of(16) {
            self.fetch().await;
        }
        self.check_the_end();
        let seen = self.centre().seen;
        (seen, self.restored, self.crashed)
    }

    async fn happen(&mut self) {
        let storm = self.step < STORM_STEPS;
        self.centre().storm = storm;
        if self.step == STORM_STEPS {
            // Nobody is silent any more; a machine that is busy is waited for.
            self.pdsm = connector(&self.base, self.profile, PATIENCE);
        }
        if self.dice.u8(0..4) == 0 || !storm {
            self.present = match self.dice.usize(0..3) {
                2 if storm => None,
                which => Some(HolderId(HOLDERS[which % 2].into())),
            };
        }
        if storm {
            match self.dice.u8(0..80) {
                0 | 1 => self.crash().await,
                2..=5 => {
                    self.centre().back_up();
                    self.backed_up = Some(self.step);
                }
                6 => self.restore().await,
                7..=9 => self.centre().arrive_late(),
                _ => {}
            }
        }
        let next = self.plan.next(&self.waiting(), self.present.as_ref(), self.now);
        match next {
            Next::Send(batch) => self.send(batch),
            Next::Sleep { until } if self.flying.is_empty() => {
                assert!(until > self.now, "seed {}: a sleep that is no sleep", self.seed);
                self.now = until;
            }
            Next::Rest if self.flying.is_empty() => self.now += Duration::from_secs(20),
            Next::Sleep { .. } | Next::Rest => self.land().await,
        }
    }

    fn waiting(&self) -> Vec<Waiting> {
        let stays = |line: &&Line| self.slip == Slip::RefusedStays && line.state == State::Aside;
        let listed = |line: &&Line| line.state == State::Waiting || stays(line);
        self.disk.iter().filter(listed).map(|line| line.item.clone()).collect()
    }

    fn is_waiting(&self) -> bool {
        self.disk.iter().any(|line| line.state == State::Waiting)
    }

    fn centre(&self) -> std::sync::MutexGuard<'_, Centre> {
        self.centre.lock().expect("not poisoned")
    }

    fn send(&mut self, batch: Batch) {
        let bodies: Vec<(Uuid, Body)> = batch.ids.iter().map(|id| (*id, self.line(*id).body.clone())).collect();
        let name = match (&batch.lane, &self.present) {
            (Lane::Holder(holder), _) if self.slip == Slip::AnyName => {
                HOLDERS.iter().find(|other| **other != holder.0).map(|other| HolderId((*other).into()))
            }
            (Lane::Holder(holder), _) => Some(holder.clone()),
            (Lane::Device, _) => None,
        };
        self.plan.sent(&batch);
        if self.slip == Slip::TooEarly {
            self.settle(&batch.ids, State::Acknowledged);
        }
        let pdsm = self.pdsm.clone();
        self.flying.spawn(async move {
            let outcomes = deliver(&pdsm, name, bodies).await;
            (batch, outcomes)
        });
    }

    /// As `kiosk::courier` does it.
    async fn land(&mut self) {
        let Some(landed) = self.flying.join_next().await else { return };
        let (batch, outcomes) = landed.unwrap_or_else(|error| panic!("seed {}: {error}", self.seed));
        let mut outcomes = match outcomes {
            Ok(outcomes) => outcomes,
            Err(Error::Unreadable { .. } | Error::Unreachable { .. }) if self.slip == Slip::CutIsWhole => {
                batch.ids.iter().map(|id| (*id, Outcome::Acknowledged)).collect()
            }
            Err(error) => {
                self.last = error.to_string();
                return self.plan.failed(&batch, Failure::of(&error), self.now);
            }
        };
        if self.slip == Slip::StatusAlone {
            outcomes.iter_mut().for_each(|(_, outcome)| *outcome = Outcome::Acknowledged);
        }
        let with = |wanted: fn(&Outcome) -> bool| -> Vec<Uuid> {
            outcomes.iter().filter(|(_, outcome)| wanted(outcome)).map(|(id, _)| *id).collect()
        };
        let taken = with(|outcome| *outcome == Outcome::Acknowledged);
        let refused = with(|outcome| matches!(outcome, Outcome::Refused { .. }));
        self.settle(&taken, State::Acknowledged);
        self.settle(&refused, State::Aside);
        if taken.is_empty() && refused.is_empty() {
            self.plan.failed(&batch, Failure::Again, self.now);
        } else {
            self.plan.answered(&batch);
        }
    }

    fn settle(&mut self, ids: &[Uuid], state: State) {
        let step = self.step;
        for line in self.disk.iter_mut().filter(|line| ids.contains(&line.item.id)) {
            if line.state == State::Waiting {
                (line.state, line.at) = (state, step);
            }
        }
    }

    fn line(&self, id: Uuid) -> &Line {
        self.disk.iter().find(|line| line.item.id == id).unwrap_or_else(|| panic!("seed {}: {id}", self.seed))
    }

    /// Whatever was on its way is forgotten, and so is what the link had learnt.
    async fn crash(&mut self) {
        self.flying.shutdown().await;
        (self.plan, self.now, self.present) = (Plan::new(self.seed), Duration::ZERO, None);
        self.pdsm = connector(&self.base, self.profile, SILENCE);
        self.crashed += 1;
    }

    /// The centre is put back, and what it took since goes again: by the head that it still has (`vault::resend`).
    async fn restore(&mut self) {
        let Some(since) = self.backed_up else { return };
        self.crash().await;
        self.centre().restore();
        for line in self.disk.iter_mut().filter(|line| line.state == State::Acknowledged && line.at >= since) {
            line.state = State::Waiting;
        }
        self.restored += 1;
    }

    /// A document is the one that was promised, or it is none.
    async fn fetch(&mut self) {
        self.centre().storm = true;
        let document = stage::document("Binary/b1", centre::content().as_bytes());
        for _ in 0..3 {
            match self.fetched(&document).await {
                Ok(()) => self.centre().seen.documents += 1,
                Err(_) => self.centre().seen.documents_failed += 1,
            }
        }
        self.centre().storm = false;
        let calm = self.fetched(&document).await;
        assert!(calm.is_ok(), "seed {}: no document from a line in order: {:?}", self.seed, calm.err());
    }

    async fn fetched(&self, document: &Document) -> Result<(), Error> {
        let held = self.pdsm.fetch(&stage::holder(), &stage::ins(), document, None).await?;
        let bytes = held.release(&stage::opened()).unwrap_or_else(|_| panic!("seed {}: its own row", self.seed));
        assert!(
            bytes.whole().expect("in memory").show_bytes() == centre::content().as_bytes(),
            "seed {}: another document",
            self.seed
        );
        Ok(())
    }

    fn check_the_end(&self) {
        let (seed, centre) = (self.seed, self.centre());
        let mut place: HashMap<Uuid, usize> = HashMap::new();
        for (at, (id, name)) in centre.kept.iter().enumerate() {
            assert!(place.insert(*id, at).is_none(), "seed {seed}: something is doubled");
            let lane = &self.line(*id).item.lane;
            let own = if let Lane::Holder(holder) = lane { token_of(holder) } else { String::new() };
            assert_eq!(*name, own, "seed {seed}: another author");
        }
        for line in &self.disk {
            let refused = centre.poison.contains(&line.item.id);
            assert_eq!(line.state == State::Aside, refused, "seed {seed}: set aside, {:?}", line.item);
            assert_eq!(place.contains_key(&line.item.id), !refused, "seed {seed}: something is lost, {:?}", line.item);
        }
        for (at, one) in self.disk.iter().enumerate().filter(|(_, one)| one.item.order.is_some()) {
            let same = |other: &&Line| other.item.order == one.item.order && other.item.lane == one.item.lane;
            for other in self.disk[at + 1..].iter().filter(same) {
                let places = (place.get(&one.item.id), place.get(&other.item.id));
                let (Some(first), Some(second)) = places else { continue };
                // A centre that forgot is found out later: what is new goes to it meanwhile.
                let excused = centre.passed.contains(&one.item.id) || self.restored > 0;
                assert!(first < second || excused, "seed {seed}: a patient's items changed places");
            }
        }
    }
}

async fn deliver(
    pdsm: &Pdsm,
    name: Option<HolderId>,
    bodies: Vec<(Uuid, Body)>,
) -> Result<Vec<(Uuid, Outcome)>, Error> {
    let who = name.as_ref().map(|holder| AsHolder {
        holder: holder.clone(),
        token: SecretBytes::new(token_of(holder).into_bytes()),
        until: UnixSeconds(i64::MAX),
        mode: None,
        actor: None,
    });
    let mut outcomes = Vec::new();
    let mut traces = Vec::new();
    for (id, body) in bodies {
        match (&who, body) {
            (_, Body::Trace(trace)) => traces.push(*trace),
            (Some(who), Body::Consent(consent)) => outcomes.push((id, pdsm.consent(who, &consent).await?)),
            (Some(who), Body::Note(note)) => outcomes.push((id, pdsm.contribute(who, &note).await?)),
            (None, Body::Consent(_) | Body::Note(_)) => panic!("{id} needs its author"),
        }
    }
    if !traces.is_empty() {
        let ids: Vec<Uuid> = traces.iter().map(|trace| trace.id).collect();
        outcomes.extend(ids.into_iter().zip(pdsm.traces(AsDevice, &traces).await?));
    }
    Ok(outcomes)
}

fn token_of(holder: &HolderId) -> String {
    format!("token-of-{}", holder.0)
}

/// A line that is silent for so long is given up.
fn connector(base: &str, profile: Profile, silence: Duration) -> Arc<Pdsm> {
    let client = stage::client(|options| {
        (options.timeouts.answer, options.timeouts.silence) = (silence, silence);
    });
    let client = client.expect("a client");
    Arc::new(Pdsm::new(client.clone(), base, client, base, profile).expect("a connector"))
}

/// On loopback that is long.
const SILENCE: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_secs(30);

fn line(number: u64, dice: &mut fastrand::Rng) -> Line {
    let id = Uuid::from_u128(u128::from(number));
    let patient = Ins::unchecked(&format!("{:015}", 255_069_999_900_000 + dice.u64(0..3)), InsKind::Test);
    let patient = patient.expect("well formed");
    let author = HolderId(HOLDERS[dice.usize(0..2)].into());
    let order = Some(patient.clone());
    let (kind, lane, body) = match dice.u8(0..6) {
        0..=3 => {
            let mut trace = stage::trace(u128::from(number));
            trace.draft.patient = Some(patient);
            (Kind::Trace, Lane::Device, Body::Trace(Box::new(trace)))
        }
        4 => {
            let said = Said { patient, holder: author.clone(), collected_by: author.clone(), ..stage::consent().said };
            (Kind::Consent, Lane::Holder(author), Body::Consent(Box::new(Consent { id, said })))
        }
        _ => {
            let mut note = crate::courier::centre::note(id);
            (note.patient.ins, note.writer.id) = (patient, author.clone());
            (Kind::Contribution, Lane::Holder(author), Body::Note(Box::new(Contribution::add(note))))
        }
    };
    Line { item: Waiting { id, kind, lane, order, size_bytes: 4_000 }, body, state: State::Waiting, at: 0 }
}

/// One server for all of them; each life has its own centre behind it.
struct World {
    base: String,
    centres: Arc<Mutex<HashMap<u64, Arc<Mutex<Centre>>>>>,
    _server: Server,
}

impl World {
    async fn new() -> World {
        let centres: Arc<Mutex<HashMap<u64, Arc<Mutex<Centre>>>>> = Arc::default();
        let known = centres.clone();
        let server = Server::start(ServerIs::Right, move |ask| {
            let path = ask.path().strip_prefix("/fhir/").unwrap_or_default();
            let (seed, path) = path.split_at(path.find('/').unwrap_or(path.len()));
            let centre =
                seed.parse().ok().and_then(|seed: u64| known.lock().expect("not poisoned").get(&seed).cloned());
            match centre {
                Some(centre) => centre.lock().expect("not poisoned").answer(ask, path),
                None => Reply::status(404),
            }
        })
        .await;
        World { base: server.base.clone(), centres, _server: server }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_said_each_item_arrives_once_under_its_author_and_in_order() {
    let world = Arc::new(World::new().await);
    let (mut all, mut restored, mut crashed) = (Vec::new(), 0, 0);
    let mut lives = JoinSet::new();
    let wanted = lives_to_live();
    let mut seeds = 1..=wanted;
    loop {
        while lives.len() < AT_ONCE
            && let Some(seed) = seeds.next()
        {
            let world = world.clone();
            lives.spawn(async move {
                let lived = Life::new(seed, Slip::None, &world).live().await;
                world.centres.lock().expect("not poisoned").remove(&seed);
                lived
            });
        }
        let Some(lived) = lives.join_next().await else { break };
        // Its seed is in what it says.
        let lived = lived.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        all.push(lived.0);
        (restored, crashed) = (restored + lived.1, crashed + lived.2);
    }
    let sum = |of: fn(&Seen) -> u32| all.iter().map(of).sum::<u32>();
    let counts = [
        ("lost", sum(|seen| seen.lost)),
        ("answer lost", sum(|seen| seen.answer_lost)),
        ("cut", sum(|seen| seen.cut)),
        ("too short", sum(|seen| seen.short)),
        ("silent", sum(|seen| seen.silent)),
        ("trickled", sum(|seen| seen.trickled)),
        ("refused", sum(|seen| seen.refused)),
        ("pages", sum(|seen| seen.pages)),
        ("doubled", sum(|seen| seen.doubled)),
        ("late", sum(|seen| seen.late)),
        ("gzip refused", sum(|seen| seen.packed_refused)),
        ("Bundles refused", sum(|seen| seen.bundles_refused)),
        ("entries failed", sum(|seen| seen.entries_failed)),
        ("documents", sum(|seen| seen.documents)),
        ("documents failed", sum(|seen| seen.documents_failed)),
        ("restored", restored),
        ("crashed", crashed),
    ];
    println!("{wanted} lives: {counts:?}");
    let rare = u32::try_from(wanted / 60).unwrap_or(1);
    assert!(counts.iter().all(|(_, count)| *count > rare), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checks_catch_what_is_broken() {
    let world = Arc::new(World::new().await);
    for (slip, complaint) in [
        (Slip::TooEarly, "something is lost"),
        (Slip::NoIdentity, "something is doubled"),
        (Slip::AnyName, "another author"),
        (Slip::StatusAlone, "set aside"),
        (Slip::CutIsWhole, "something is lost"),
        (Slip::RefusedStays, "blocked for ever"),
    ] {
        let mut found = false;
        for seed in 1_000_000..1_000_200 {
            let world = world.clone();
            let lived = tokio::spawn(async move { Life::new(seed, slip, &world).live().await }).await;
            let said = lived.err().map(|error| error.into_panic().downcast::<String>().map(|said| *said));
            if matches!(said, Some(Ok(said)) if said.contains(complaint)) {
                found = true;
                break;
            }
        }
        assert!(found, "{slip:?}: nobody noticed");
    }
}

/// `CHEVET_LIVES` says another number.
fn lives_to_live() -> u64 {
    std::env::var("CHEVET_LIVES").ok().and_then(|number| number.parse().ok()).unwrap_or(1_000)
}

/// Most of a life is waiting for a line that is silent.
const AT_ONCE: usize = 48;
