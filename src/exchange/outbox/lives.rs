//! Seeded lives of outbox × link × server. One number decides a whole life; a failing seed is in the message.
//!
//! The link drops, delays, doubles, cuts answers short and takes its time; the server says 401, 403, 409, 415, 422, 429 and 500, of
//! a request or of one entry, and comes back from an older backup; the device crashes at any moment and forgets everything
//! but its disk, its clock beginning anew; two holders come and go. In the end each item is upstream exactly once, under its own
//! author, in its patient's order, and what was refused stands aside in nobody's way.

use crate::exchange::outbox::*;
use crate::patient::ins::InsKind;
use std::collections::HashMap;

/// What is got wrong on purpose, to see the checks fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slip {
    None,
    /// The disk says "acknowledged" before the server does.
    TooEarly,
    /// What the server has is not recognised by its id.
    NoIdentity,
    /// Whoever is here lends their name to everything.
    AnyName,
    /// A refused item stays at the head of its lane.
    RefusedStays,
    /// Nobody notices that the centre forgot.
    ForgottenUnseen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Acknowledged,
    Aside,
}

/// One line of the disk.
struct Line {
    item: Waiting,
    state: State,
    /// When the disk wrote the acknowledgement down, in steps of the life.
    at: u64,
}

#[derive(Clone, Default)]
struct Server {
    /// Every resource that it made: id, and under whose name.
    kept: Vec<(Uuid, Lane)>,
    /// The newest head, and the step in which it was taken.
    head: Option<u64>,
}

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Dropped, or refused in the handshake: the server saw nothing.
    Lost,
    /// Its answer dropped, cut after some bytes, truncated JSON, or too slow.
    AnswerLost,
    /// 401, 403, 409, 500, 503 of the whole; 429 with its time.
    NotNow(Option<u64>),
    Answered,
    /// The same, and a copy of it arrives much later.
    Doubled,
}

struct Flight {
    batch: Batch,
    lands: Duration,
    fate: Fate,
    outcomes: Vec<Outcome>,
    /// Under whose token.
    name: Lane,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Taken,
    /// 500 of this entry alone.
    NotNow,
    /// 422
    Refused,
}

struct Life {
    seed: u64,
    slip: Slip,
    dice: fastrand::Rng,
    step: u64,
    now: Duration,
    plan: Plan,
    disk: Vec<Line>,
    server: Server,
    backup: Server,
    late: Vec<(u64, Batch, Lane)>,
    flying: Vec<Flight>,
    poison: HashSet<Uuid>,
    present: Option<HolderId>,
    /// An entry failed for itself: its patient's next may have gone before it (a batch is no transaction).
    passed: HashSet<Uuid>,
    restored: u64,
}

const HOLDERS: [&str; 2] = ["899700000012", "810000000007"];
/// Then the weather clears: whatever is left must go.
const STORM_STEPS: u64 = 120;
const STEPS_MAX: u64 = 6_000;

impl Life {
    fn new(seed: u64, slip: Slip) -> Life {
        let mut dice = fastrand::Rng::with_seed(seed);
        let disk: Vec<Line> = (0..dice.u64(1..30)).map(|number| line(number, &mut dice)).collect();
        let poison = disk.iter().filter(|_| dice.u8(0..14) == 0).map(|line| line.item.id).collect();
        Life {
            seed,
            slip,
            step: 0,
            now: Duration::ZERO,
            plan: Plan::new(seed),
            disk,
            server: Server::default(),
            backup: Server::default(),
            late: Vec::new(),
            flying: Vec::new(),
            poison,
            present: None,
            passed: HashSet::new(),
            restored: 0,
            dice,
        }
    }

    fn live(mut self) -> u64 {
        while self.step < STORM_STEPS || self.is_waiting() || !self.flying.is_empty() || self.forgot().is_some() {
            self.step += 1;
            let left = self.disk.iter().filter(|line| line.state == State::Waiting).count();
            assert!(self.step < STEPS_MAX, "seed {}: {left} are blocked for ever", self.seed);
            self.happen();
            self.check_flights();
        }
        self.check_the_end();
        self.restored
    }

    fn happen(&mut self) {
        let storm = self.step < STORM_STEPS;
        if self.dice.u8(0..8) == 0 || !storm {
            self.present = match self.dice.usize(0..3) {
                2 if storm => None,
                which => Some(HolderId(HOLDERS[which % 2].into())),
            };
        }
        self.arrive_late();
        if storm {
            match self.dice.u16(0..600) {
                0..=9 => self.crash(),
                10..=29 => self.backup = self.server.clone(),
                30 => self.restore(),
                31..=40 => {
                    self.plan.link_is([Link::Down, Link::Up][self.dice.usize(0..2)]);
                }
                _ => {}
            }
        } else {
            self.plan.link_is(Link::Up);
        }
        if !storm || self.dice.u8(0..20) == 0 {
            self.compare();
        }
        let waiting: Vec<Waiting> = self.waiting();
        match self.plan.next(&waiting, self.present.as_ref(), self.now) {
            Next::Send(batch) => self.send(batch, storm),
            Next::Sleep { until } if self.flying.is_empty() => {
                assert!(until > self.now, "seed {}: a sleep that is no sleep", self.seed);
                self.now = until;
            }
            Next::Rest if self.flying.is_empty() => {
                self.anchor();
                self.now += Duration::from_secs(20);
            }
            _ => self.land(),
        }
    }

    fn waiting(&self) -> Vec<Waiting> {
        let refused = |line: &&Line| self.slip == Slip::RefusedStays && line.state == State::Aside;
        let listed = |line: &&Line| line.state == State::Waiting || refused(line);
        self.disk.iter().filter(listed).map(|line| line.item.clone()).collect()
    }

    fn is_waiting(&self) -> bool {
        self.disk.iter().any(|line| line.state == State::Waiting)
    }

    fn send(&mut self, batch: Batch, storm: bool) {
        let fate = match (storm, self.dice.u8(0..12)) {
            (false, _) => Fate::Answered,
            (_, 0) => Fate::Lost,
            (_, 1 | 2) => Fate::AnswerLost,
            (_, 3) => Fate::NotNow(None),
            (_, 4) => Fate::NotNow(Some(self.dice.u64(0..600))),
            (_, 5) => Fate::Doubled,
            _ => Fate::Answered,
        };
        let mut name = batch.lane.clone();
        if self.slip == Slip::AnyName
            && let Some(present) = &self.present
        {
            name = Lane::Holder(present.clone());
        }
        let mut outcomes = Vec::new();
        for id in &batch.ids {
            let entry = match self.poison.contains(id) {
                true => Outcome::Refused,
                false if storm && batch.ids.len() > 1 && self.dice.u8(0..30) == 0 => Outcome::NotNow,
                false => Outcome::Taken,
            };
            if entry == Outcome::NotNow {
                self.passed.insert(*id);
            }
            outcomes.push(entry);
        }
        // Slow-loris: a silence of half a minute, then nothing.
        let slow = if fate == Fate::AnswerLost { 30_000 } else { 2_000 };
        let lands = self.now + Duration::from_millis(self.dice.u64(5..slow));
        // Whether it arrived is settled when it leaves; what the device hears of it comes later, or never.
        match fate {
            Fate::Lost | Fate::NotNow(_) => {}
            Fate::AnswerLost | Fate::Answered => self.arrive(&batch, &outcomes, &name),
            Fate::Doubled => {
                self.arrive(&batch, &outcomes, &name);
                self.late.push((self.step + self.dice.u64(1..60), batch.clone(), name.clone()));
            }
        }
        self.plan.sent(&batch);
        if self.slip == Slip::TooEarly {
            self.settle(&batch.ids, State::Acknowledged);
        }
        self.flying.push(Flight { batch, lands, fate, outcomes, name });
    }

    fn arrive(&mut self, batch: &Batch, outcomes: &[Outcome], name: &Lane) {
        for (id, outcome) in batch.ids.iter().zip(outcomes) {
            let known = self.server.kept.iter().any(|(kept, _)| kept == id) && self.slip != Slip::NoIdentity;
            if *outcome == Outcome::Taken && !known {
                self.server.kept.push((*id, name.clone()));
            }
        }
    }

    fn arrive_late(&mut self) {
        let step = self.step;
        let (due, late) = std::mem::take(&mut self.late).into_iter().partition(|(at, ..)| *at <= step);
        self.late = late;
        let due: Vec<(u64, Batch, Lane)> = due;
        for (_, batch, name) in due {
            let of = |id: &Uuid| if self.poison.contains(id) { Outcome::Refused } else { Outcome::Taken };
            let outcomes: Vec<Outcome> = batch.ids.iter().map(of).collect();
            self.arrive(&batch, &outcomes, &name);
        }
    }

    /// The next answer, or the next silence that has lasted long enough.
    fn land(&mut self) {
        let Some(first) = (0..self.flying.len()).min_by_key(|at| self.flying[*at].lands) else { return };
        let Flight { batch, lands, fate, outcomes, .. } = self.flying.swap_remove(first);
        self.now = self.now.max(lands);
        match fate {
            Fate::Lost | Fate::AnswerLost | Fate::NotNow(None) => self.plan.failed(&batch, Failure::Again, self.now),
            Fate::NotNow(Some(seconds)) => self.plan.failed(&batch, Failure::AfterSeconds(seconds), self.now),
            Fate::Answered | Fate::Doubled => {
                let with = |wanted: Outcome| -> Vec<Uuid> {
                    let pairs = batch.ids.iter().zip(&outcomes);
                    pairs.filter(|(_, outcome)| **outcome == wanted).map(|(id, _)| *id).collect()
                };
                let (taken, refused) = (with(Outcome::Taken), with(Outcome::Refused));
                self.settle(&taken, State::Acknowledged);
                self.settle(&refused, State::Aside);
                if taken.is_empty() && refused.is_empty() {
                    self.plan.failed(&batch, Failure::Again, self.now);
                } else {
                    self.plan.answered(&batch);
                }
            }
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

    /// Whatever was on its way is forgotten, and so is the time.
    fn crash(&mut self) {
        self.plan = Plan::new(self.seed);
        self.flying.clear();
        self.now = Duration::ZERO;
        self.present = None;
    }

    /// When the rows have gone, the head goes.
    fn anchor(&mut self) {
        self.compare();
        let rows_wait = self.disk.iter().any(|line| line.item.lane == Lane::Device && line.state == State::Waiting);
        if !rows_wait {
            self.server.head = Some(self.step);
        }
    }

    /// The centre is put back: what it took since is gone, and so is every connection.
    fn restore(&mut self) {
        self.server = self.backup.clone();
        self.late.clear();
        for flight in &mut self.flying {
            flight.fate = Fate::Lost;
        }
        self.restored += 1;
    }

    /// The oldest step whose acknowledgements the centre may have forgotten.
    fn forgot(&self) -> Option<u64> {
        let is_there = |line: &Line| self.server.kept.iter().any(|(id, _)| *id == line.item.id);
        let lost = self.disk.iter().any(|line| line.state == State::Acknowledged && !is_there(line));
        (lost && !matches!(self.slip, Slip::ForgottenUnseen | Slip::TooEarly)).then(|| self.server.head.unwrap_or(0))
    }

    /// What `vault::resend` does, by the head that the centre still has.
    fn compare(&mut self) {
        let Some(since) = self.forgot() else { return };
        for line in self.disk.iter_mut().filter(|line| line.state == State::Acknowledged && line.at >= since) {
            line.state = State::Waiting;
        }
    }

    /// Two requests under way never share a patient, and each goes under its lane's own name.
    fn check_flights(&self) {
        for (at, one) in self.flying.iter().enumerate() {
            let patients = |flight: &Flight| -> HashSet<Ins> {
                let of = |id: &Uuid| self.disk.iter().find(|line| line.item.id == *id)?.item.order.clone();
                flight.batch.ids.iter().filter_map(of).collect()
            };
            for other in self.flying[at + 1..].iter().filter(|other| other.batch.lane == one.batch.lane) {
                let shared = patients(one).intersection(&patients(other)).count();
                assert_eq!(shared, 0, "seed {}: two requests with one patient", self.seed);
            }
            assert_eq!(one.name, one.batch.lane, "seed {}: under another name", self.seed);
            assert!(one.batch.ids.len() <= BATCH_MAX, "seed {}: too many entries", self.seed);
        }
    }

    fn check_the_end(&self) {
        let seed = self.seed;
        let mut place: HashMap<Uuid, usize> = HashMap::new();
        for (at, (id, name)) in self.server.kept.iter().enumerate() {
            assert!(place.insert(*id, at).is_none(), "seed {seed}: something is doubled");
            let line = self.disk.iter().find(|line| line.item.id == *id);
            assert_eq!(line.map(|line| &line.item.lane), Some(name), "seed {seed}: another author");
        }
        for line in &self.disk {
            let refused = self.poison.contains(&line.item.id);
            assert_eq!(line.state == State::Aside, refused, "seed {seed}: set aside");
            assert_eq!(place.contains_key(&line.item.id), !refused, "seed {seed}: something is lost");
        }
        for (at, one) in self.disk.iter().enumerate().filter(|(_, one)| one.item.order.is_some()) {
            let same = |other: &&Line| other.item.order == one.item.order && other.item.lane == one.item.lane;
            for other in self.disk[at + 1..].iter().filter(same) {
                let (Some(first), Some(second)) = (place.get(&one.item.id), place.get(&other.item.id)) else {
                    continue;
                };
                // A centre that forgot is found out later: what is new goes to it meanwhile.
                let excused = self.passed.contains(&one.item.id) || self.restored > 0;
                assert!(first < second || excused, "seed {seed}: a patient's items changed places");
            }
        }
    }
}

fn line(number: u64, dice: &mut fastrand::Rng) -> Line {
    let kind = [Kind::Trace, Kind::Trace, Kind::Trace, Kind::Consent, Kind::Contribution][dice.usize(0..5)];
    let lane = match kind {
        Kind::Trace => Lane::Device,
        _ => Lane::Holder(HolderId(HOLDERS[dice.usize(0..2)].into())),
    };
    let patient = |which: u64| {
        Ins::unchecked(&format!("{:015}", 255_069_999_900_000 + which), InsKind::Test).expect("well formed")
    };
    let order = (!number.is_multiple_of(7)).then(|| patient(dice.u64(0..4)));
    let size_bytes = [2_000, 4_000, 90_000][dice.usize(0..3)];
    let item = Waiting { id: Uuid::from_u128(u128::from(number)), kind, lane, order, size_bytes };
    Line { item, state: State::Waiting, at: 0 }
}

#[test]
fn whatever_the_weather_each_item_arrives_once_under_its_author_and_in_order() {
    let restored: u64 = (1..=LIVES).map(|seed| Life::new(seed, Slip::None).live()).sum();
    assert!(restored > LIVES / 20, "{restored}: no centre was ever put back");
}

#[test]
fn what_is_got_wrong_on_purpose_is_caught() {
    for (slip, complaint) in [
        (Slip::TooEarly, "something is lost"),
        (Slip::NoIdentity, "something is doubled"),
        (Slip::AnyName, "another name"),
        (Slip::RefusedStays, "blocked for ever"),
        (Slip::ForgottenUnseen, "something is lost"),
    ] {
        assert!(some_life_fails(slip, complaint), "{slip:?}: nobody noticed");
    }
}

fn some_life_fails(slip: Slip, complaint: &str) -> bool {
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let failed = (1..=200).any(|seed| {
        let lived = std::panic::catch_unwind(|| Life::new(seed, slip).live());
        let said = lived.err().and_then(|said| said.downcast::<String>().ok());
        said.is_some_and(|said| said.contains(complaint))
    });
    std::panic::set_hook(quiet);
    failed
}

const LIVES: u64 = 10_000;
