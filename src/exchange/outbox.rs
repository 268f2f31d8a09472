//! The plan of delivery: given what waits, what goes next. No sockets, no disk, no clock, no chance but a given seed.
//!
//! Two kinds of lane, because two kinds of credential: the device's (traces) and each holder's (consents, notes). A lane that
//! fails waits alone; a holder who is not here makes nobody wait. Inside a lane a patient's items keep their order, and one
//! that the server refused is out of everybody's way: the vault has set it aside.
//!
//! Invariant: whatever is lost, doubled or late, an item leaves the plan only when the vault no longer lists it as
//! waiting. Delivery is at least once; that the effect is exactly once is the ids' doing (docs/pdsm.md §3, §7).
//!
//! ```text
//! next() → Send(batch) → sent() → … answer … → answered()         the vault acknowledges or sets aside
//!                                  └ none …  → failed(why)        the lane sleeps, then the same items again
//! ```

use crate::exchange::upstream::Error;
use crate::identity::holder::HolderId;
use crate::journal::item::Body;
use crate::journal::item::Item;
use crate::journal::item::Needs;
use crate::journal::trace::Trace;
use crate::patient::ins::Ins;
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;
use std::time::Duration;
use uuid::Uuid;

/// One item, as far as the plan must know it. Given oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub id: Uuid,
    pub kind: Kind,
    pub lane: Lane,
    /// Order is kept among items of one lane that share it.
    pub order: Option<Ins>,
    /// About how long it is on the wire.
    pub size_bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Trace,
    Consent,
    Contribution,
}

/// Under whose credential.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// First, because what a person waits for goes before what nobody waits for.
    Holder(HolderId),
    Device,
}

/// What is known of the network without asking a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    Unknown,
    Up,
    /// No carrier, no route: asking is pointless.
    Down,
}

/// What goes in one request, all of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub lane: Lane,
    pub kind: Kind,
    pub ids: Vec<Uuid>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing to send, or nobody to send it as, or no network: an event will wake us.
    Rest,
    /// Ask again then (time since boot).
    Sleep {
        until: Duration,
    },
    Send(Batch),
}

/// Why a whole request came to nothing. What happened to one item is an `Outcome`, not a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Not reached, timed out, broken off, not understood, refused as a whole: again later.
    Again,
    /// The server named a time.
    AfterSeconds(u64),
}

/// What the plan remembers. Losing it (a crash) costs an earlier try, nothing else.
#[derive(Debug, Clone)]
pub struct Plan {
    seed: u64,
    link: Link,
    lanes: BTreeMap<Lane, Pause>,
    in_flight: Vec<Batch>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Pause {
    failures: u32,
    /// Our own back-off, forgotten when the network returns.
    ours: Duration,
    /// The server's `Retry-After`, never forgotten.
    theirs: Duration,
}

/// Entries of one Bundle (docs/pdsm.md §7).
pub const BATCH_MAX: usize = 50;
/// Bytes of one Bundle.
pub const BATCH_BYTES_MAX: usize = 256 * 1024;
/// Requests under way in the device's lane: fifty rows are a third of a second at 200 kbit/s, an answer's way back is two.
pub const IN_FLIGHT_MAX: usize = 6;
/// In a holder's: a note may be large, and a patient's word is not to share the line with six of them.
const IN_FLIGHT_HOLDER_MAX: usize = 2;
/// The first pause; it doubles with each failure.
pub const PAUSE_MIN: Duration = Duration::from_secs(2);
pub const PAUSE_MAX: Duration = Duration::from_secs(15 * 60);
/// A server that asks for more is not believed for longer: a slip must not stop delivery for good.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// An AuditEvent of ours is under it, with all its elements.
const TRACE_BYTES: usize = 4 * 1024;

impl Plan {
    /// `seed` spreads the fleet's retries: any number that differs from device to device.
    pub fn new(seed: u64) -> Plan {
        Plan { seed, link: Link::Unknown, lanes: BTreeMap::new(), in_flight: Vec::new() }
    }

    /// When the network returns, nothing waits for a back-off made while it was gone.
    pub fn link_is(&mut self, link: Link) {
        if self.link == Link::Down && link == Link::Up {
            self.lanes.values_mut().for_each(|pause| (pause.failures, pause.ours) = (0, Duration::ZERO));
        }
        self.link = link;
    }

    /// A fresh credential: the holder's lane need not wait for the old one's failures.
    pub fn holder_is_here(&mut self, holder: &HolderId) {
        if let Some(pause) = self.lanes.get_mut(&Lane::Holder(holder.clone())) {
            (pause.failures, pause.ours) = (0, Duration::ZERO);
        }
    }

    /// What to do now. `present` is whose token can be made or is still good.
    pub fn next(&self, waiting: &[Waiting], present: Option<&HolderId>, since_boot: Duration) -> Next {
        if self.link == Link::Down {
            return Next::Rest;
        }
        let mut wake: Option<Duration> = None;
        let holder = present.map(|holder| Lane::Holder(holder.clone()));
        for lane in holder.into_iter().chain([Lane::Device]) {
            let Some(batch) = self.batch(waiting, &lane) else { continue };
            let until = self.lanes.get(&lane).map_or(Duration::ZERO, |pause| pause.ours.max(pause.theirs));
            if since_boot >= until {
                return Next::Send(batch);
            }
            wake = Some(wake.map_or(until, |earlier| earlier.min(until)));
        }
        wake.map_or(Next::Rest, |until| Next::Sleep { until })
    }

    /// The request is on its way.
    pub fn sent(&mut self, batch: &Batch) {
        self.in_flight.push(batch.clone());
    }

    /// The server answered, item by item. The vault has already written the outcomes down.
    pub fn answered(&mut self, batch: &Batch) {
        self.in_flight.retain(|other| other != batch);
        // What the server asked for beside this answer stands.
        if let Some(pause) = self.lanes.get_mut(&batch.lane) {
            (pause.failures, pause.ours) = (0, Duration::ZERO);
        }
    }

    /// No answer that counts. The same items again, later.
    pub fn failed(&mut self, batch: &Batch, why: Failure, since_boot: Duration) {
        self.in_flight.retain(|other| other != batch);
        let salt = match &batch.lane {
            Lane::Device => 0,
            Lane::Holder(holder) => holder.0.bytes().fold(1, |sum, byte| mix(sum ^ u64::from(byte))),
        };
        let pause = self.lanes.entry(batch.lane.clone()).or_default();
        // Requests that were under way together fail together: that is one failure.
        if since_boot >= pause.ours {
            pause.failures = pause.failures.saturating_add(1);
            pause.ours = since_boot + back_off(self.seed ^ salt, pause.failures);
        }
        if let Failure::AfterSeconds(seconds) = why {
            pause.theirs = pause.theirs.max(since_boot + Duration::from_secs(seconds).min(RETRY_AFTER_MAX));
        }
    }

    /// The next request of one lane, or none.
    fn batch(&self, waiting: &[Waiting], lane: &Lane) -> Option<Batch> {
        let flying: Vec<&Batch> = self.in_flight.iter().filter(|batch| batch.lane == *lane).collect();
        let most = if *lane == Lane::Device { IN_FLIGHT_MAX } else { IN_FLIGHT_HOLDER_MAX };
        if flying.len() >= most {
            return None;
        }
        let gone: HashSet<Uuid> = flying.iter().flat_map(|batch| batch.ids.iter().copied()).collect();
        let of_lane = || waiting.iter().filter(|item| item.lane == *lane);
        // Never two requests under way with the same patient.
        let barred: HashSet<&Ins> =
            of_lane().filter(|item| gone.contains(&item.id)).filter_map(|item| item.order.as_ref()).collect();
        let free: Vec<&Waiting> = of_lane()
            .filter(|item| !gone.contains(&item.id))
            .filter(|item| item.order.as_ref().is_none_or(|patient| !barred.contains(patient)))
            .collect();

        // Each patient's first item; those without a patient stand for themselves.
        let mut seen: HashSet<&Ins> = HashSet::new();
        let mut heads = free.iter().filter(|item| item.order.as_ref().is_none_or(|patient| seen.insert(patient)));
        // What a patient said goes before what a professional wrote, unless it is about the same patient.
        let first = heads.find(|item| item.kind == Kind::Consent).or(free.first())?;
        if first.kind != Kind::Trace {
            return Some(Batch { lane: lane.clone(), kind: first.kind, ids: vec![first.id] });
        }
        let mut size_bytes = 0;
        let ids: Vec<Uuid> = by_patient(&free)
            .into_iter()
            .take(BATCH_MAX)
            .take_while(|item| {
                size_bytes += item.size_bytes;
                // The first goes whatever its size: alone, it can still be refused.
                size_bytes <= BATCH_BYTES_MAX || size_bytes == item.size_bytes
            })
            .map(|item| item.id)
            .collect();
        Some(Batch { lane: lane.clone(), kind: Kind::Trace, ids })
    }
}

/// Rows, those of one patient together: few patients in a request leave the others free for the next one.
fn by_patient<'a>(free: &[&'a Waiting]) -> Vec<&'a Waiting> {
    let mut first: HashMap<&Ins, usize> = HashMap::new();
    let rows = free.iter().enumerate().filter(|(_, item)| item.kind == Kind::Trace);
    let mut placed: Vec<(usize, &Waiting)> = rows
        .map(|(at, item)| (item.order.as_ref().map_or(at, |patient| *first.entry(patient).or_insert(at)), *item))
        .collect();
    // Stable: a patient's own order stays.
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, item)| item).collect()
}

impl Waiting {
    /// As the vault lists it.
    pub fn of(item: &Item, trace: Option<&Trace>) -> Waiting {
        let (kind, order, size_bytes) = match &item.body {
            Body::Trace { .. } => (Kind::Trace, trace.and_then(|row| row.draft.patient.clone()), TRACE_BYTES),
            Body::Consent(consent) => (Kind::Consent, Some(consent.said.patient.clone()), TRACE_BYTES),
            Body::Contribution(note) => (Kind::Contribution, Some(note.patient.clone()), note.cda.len()),
        };
        let lane = match &item.needs {
            Needs::Device => Lane::Device,
            Needs::Holder(holder) => Lane::Holder(holder.clone()),
        };
        Waiting { id: item.id, kind, lane, order, size_bytes }
    }
}

impl Failure {
    /// How long a failed call keeps its lane waiting.
    pub fn of(error: &Error) -> Failure {
        match error {
            Error::Failed { retry_after_s: Some(seconds), .. } => Failure::AfterSeconds(*seconds),
            _ => Failure::Again,
        }
    }
}

/// Doubling from [`PAUSE_MIN`] to [`PAUSE_MAX`]; half of it is fixed and half is chance, so that a fleet that lost its server
/// together does not come back together.
fn back_off(seed: u64, failures: u32) -> Duration {
    let whole = PAUSE_MIN.saturating_mul(1 << (failures.saturating_sub(1)).min(16)).min(PAUSE_MAX);
    let half_ms = u64::try_from(whole.as_millis() / 2).unwrap_or(u64::MAX);
    Duration::from_millis(half_ms + mix(seed ^ (u64::from(failures) << 32)) % (half_ms + 1))
}

/// SplitMix64's finaliser: spreads, and keeps no secret.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patient::ins::InsKind;
    use std::collections::BTreeSet;
    use std::collections::HashMap;

    fn patient(number: u64) -> Ins {
        Ins::unchecked(&format!("{:015}", 255_069_999_900_000 + number), InsKind::Test).expect("well formed")
    }

    fn item(number: u64, kind: Kind, about: Option<u64>) -> Waiting {
        let lane = if kind == Kind::Trace { Lane::Device } else { Lane::Holder(nurse()) };
        let id = Uuid::from_u128(u128::from(number));
        Waiting { id, kind, lane, order: about.map(patient), size_bytes: 3_000 }
    }

    fn nurse() -> HolderId {
        HolderId("899700000012".into())
    }

    fn numbers(next: Next) -> Vec<u128> {
        match next {
            Next::Send(batch) => batch.ids.iter().map(Uuid::as_u128).collect(),
            other => panic!("not sending: {other:?}"),
        }
    }

    const NOW: Duration = Duration::from_secs(1_000);

    #[test]
    fn nothing_waits_or_nobody_is_here_or_no_network() {
        let mut plan = Plan::new(1);
        assert_eq!(plan.next(&[], Some(&nurse()), NOW), Next::Rest);
        let consent = [item(1, Kind::Consent, Some(1))];
        assert_eq!(plan.next(&consent, None, NOW), Next::Rest);
        assert_eq!(plan.next(&consent, Some(&HolderId("other".into())), NOW), Next::Rest);
        assert_eq!(numbers(plan.next(&consent, Some(&nurse()), NOW)), [1]);
        plan.link_is(Link::Down);
        assert_eq!(plan.next(&consent, Some(&nurse()), NOW), Next::Rest);
    }

    #[test]
    fn a_batch_is_bounded_in_number_and_bytes() {
        let plan = Plan::new(1);
        let many: Vec<Waiting> = (0..120).map(|n| item(n, Kind::Trace, Some(n % 3))).collect();
        let (one, next) = ((0..120).step_by(3), (1..120).step_by(3).take(10));
        assert_eq!(numbers(plan.next(&many, None, NOW)), one.chain(next).collect::<Vec<u128>>(), "by patient");
        let heavy: Vec<Waiting> =
            (0..10).map(|n| Waiting { size_bytes: 100_000, ..item(n, Kind::Trace, None) }).collect();
        assert_eq!(numbers(plan.next(&heavy, None, NOW)), [0, 1]);
        let monster = [Waiting { size_bytes: 1_000_000, ..item(7, Kind::Trace, None) }, item(8, Kind::Trace, None)];
        assert_eq!(numbers(plan.next(&monster, None, NOW)), [7], "it goes alone, to be refused alone");
    }

    #[test]
    fn what_a_person_waits_for_goes_first_and_a_patients_items_in_order() {
        let plan = Plan::new(1);
        let waiting = [
            item(1, Kind::Trace, Some(1)),
            item(2, Kind::Contribution, Some(1)),
            item(3, Kind::Consent, Some(1)),
            item(4, Kind::Consent, Some(2)),
        ];
        // 3 is behind 2, of the same patient; 4 is not.
        assert_eq!(numbers(plan.next(&waiting, Some(&nurse()), NOW)), [4]);
        assert_eq!(numbers(plan.next(&waiting[..3], Some(&nurse()), NOW)), [2]);
        assert_eq!(numbers(plan.next(&waiting, None, NOW)), [1]);
    }

    #[test]
    fn a_lane_that_fails_waits_alone() {
        let mut plan = Plan::new(1);
        let waiting = [item(1, Kind::Consent, Some(1)), item(2, Kind::Trace, Some(1))];
        let Next::Send(batch) = plan.next(&waiting, Some(&nurse()), NOW) else { panic!("sends") };
        plan.sent(&batch);
        assert_eq!(numbers(plan.next(&waiting, Some(&nurse()), NOW)), [2], "in flight is not sent again");
        plan.failed(&batch, Failure::Again, NOW);
        assert_eq!(numbers(plan.next(&waiting, Some(&nurse()), NOW)), [2]);
        let Next::Sleep { until } = plan.next(&waiting[..1], Some(&nurse()), NOW) else { panic!("sleeps") };
        assert!(until > NOW && until <= NOW + PAUSE_MIN, "{until:?}");
        plan.holder_is_here(&nurse());
        assert_eq!(numbers(plan.next(&waiting[..1], Some(&nurse()), NOW)), [1]);
    }

    #[test]
    fn two_requests_under_way_never_share_a_patient() {
        let mut plan = Plan::new(1);
        let waiting: Vec<Waiting> =
            (0..60).map(|n| item(n, Kind::Trace, Some(n / 50))).chain([item(60, Kind::Trace, Some(2))]).collect();
        let Next::Send(first) = plan.next(&waiting[..51], None, NOW) else { panic!("sends") };
        assert_eq!(first.ids.len(), BATCH_MAX);
        plan.sent(&first);
        let Next::Send(second) = plan.next(&waiting, None, NOW) else { panic!("sends") };
        assert_eq!(second.ids.len(), 11);
        plan.sent(&second);
        assert_eq!(plan.next(&waiting, None, NOW), Next::Rest, "all that is left is barred");
        plan.answered(&first);
        assert_eq!(plan.next(&waiting[50..], None, NOW), Next::Rest, "what is left is under way");
        let more = [item(5, Kind::Trace, Some(1)), item(70, Kind::Trace, Some(0))];
        let all: Vec<Waiting> = waiting[50..].iter().chain(&more).cloned().collect();
        assert_eq!(numbers(plan.next(&all, None, NOW)), [70]);
    }

    #[test]
    fn a_day_of_few_patients_still_fills_the_line() {
        let mut plan = Plan::new(1);
        let day: Vec<Waiting> = (0..600).map(|n| item(n, Kind::Trace, Some(n % 20))).collect();
        let mut under_way = Vec::new();
        while let Next::Send(batch) = plan.next(&day, None, NOW) {
            assert_eq!(batch.ids.len(), BATCH_MAX);
            plan.sent(&batch);
            under_way.push(batch);
        }
        assert_eq!(under_way.len(), IN_FLIGHT_MAX);
        // A line that breaks takes them all: one failure, and one short pause.
        under_way.iter().for_each(|batch| plan.failed(batch, Failure::Again, NOW));
        let Next::Sleep { until } = plan.next(&day, None, NOW) else { panic!("sleeps") };
        assert!(until <= NOW + PAUSE_MIN, "{until:?}");
    }

    #[test]
    fn an_answer_does_not_lift_what_the_server_asked_for_beside_it() {
        let mut plan = Plan::new(1);
        let waiting = [item(1, Kind::Trace, Some(1)), item(2, Kind::Trace, Some(2))];
        let batch = |at: usize| Batch { lane: Lane::Device, kind: Kind::Trace, ids: vec![waiting[at].id] };
        plan.sent(&batch(0));
        plan.sent(&batch(1));
        plan.failed(&batch(0), Failure::AfterSeconds(600), NOW);
        plan.answered(&batch(1));
        assert_eq!(plan.next(&waiting, None, NOW), Next::Sleep { until: NOW + Duration::from_secs(600) });
    }

    #[test]
    fn pauses_double_differ_and_end() {
        for failures in 1..60 {
            let whole = PAUSE_MIN.saturating_mul(1 << (failures - 1).min(16)).min(PAUSE_MAX);
            let pause = back_off(42, failures);
            assert!(pause >= whole / 2 && pause <= whole, "{failures}: {pause:?}");
        }
        let spread: BTreeSet<Duration> = (0..100).map(|seed| back_off(seed, 5)).collect();
        assert!(spread.len() > 90, "a fleet must not come back together");
    }

    #[test]
    fn the_servers_word_outlives_the_networks_return() {
        let waiting = [item(1, Kind::Trace, None)];
        let batch = Batch { lane: Lane::Device, kind: Kind::Trace, ids: vec![waiting[0].id] };
        let mut plan = Plan::new(1);
        plan.failed(&batch, Failure::AfterSeconds(600), NOW);
        plan.link_is(Link::Down);
        plan.link_is(Link::Up);
        let until = NOW + Duration::from_secs(600);
        assert_eq!(plan.next(&waiting, None, NOW), Next::Sleep { until });
        assert_eq!(numbers(plan.next(&waiting, None, until)), [1]);

        let mut plan = Plan::new(1);
        (0..9).for_each(|n| plan.failed(&batch, Failure::Again, NOW + n * PAUSE_MAX));
        let later = NOW + 8 * PAUSE_MAX;
        assert!(matches!(plan.next(&waiting, None, later), Next::Sleep { .. }));
        plan.link_is(Link::Down);
        plan.link_is(Link::Up);
        assert_eq!(numbers(plan.next(&waiting, None, NOW)), [1], "wakes with the network");

        plan.failed(&batch, Failure::AfterSeconds(u64::MAX), NOW);
        assert_eq!(plan.next(&waiting, None, NOW), Next::Sleep { until: NOW + RETRY_AFTER_MAX });
    }

    /// A server that keeps by id, and remembers in which order it first saw each.
    #[derive(Default)]
    struct Server {
        kept: HashMap<Uuid, u32>,
        arrived: Vec<Uuid>,
    }

    impl Server {
        fn takes(&mut self, batch: &Batch, poison: &HashSet<Uuid>) {
            for id in batch.ids.iter().filter(|id| !poison.contains(id)) {
                if !self.kept.contains_key(id) {
                    self.arrived.push(*id);
                }
                self.kept.insert(*id, 1);
            }
        }
    }

    /// One life: requests lost, answers lost, requests doubled and late, the plan forgotten by a crash, the holder coming
    /// and going. In the end each item was kept once, in its patient's order, and poison is set aside.
    fn live_through(seed: u64) {
        let mut dice = fastrand::Rng::with_seed(seed);
        let count = dice.u64(1..150);
        let all: Vec<Waiting> = (0..count)
            .map(|n| {
                let kind = [Kind::Trace, Kind::Trace, Kind::Trace, Kind::Consent, Kind::Contribution][dice.usize(0..5)];
                item(n, kind, (n % 7 != 0).then(|| dice.u64(0..5)))
            })
            .collect();
        let poison: HashSet<Uuid> = all.iter().filter(|_| dice.u8(0..20) == 0).map(|item| item.id).collect();
        let (mut waiting, mut server, mut plan) = (all.clone(), Server::default(), Plan::new(seed));
        let mut late: Vec<(Duration, Batch)> = Vec::new();
        let (mut now, mut set_aside, mut steps) = (Duration::ZERO, HashSet::new(), 0);
        while !waiting.is_empty() {
            steps += 1;
            assert!(steps < 20_000, "seed {seed}: {} never leave", waiting.len());
            let quiet = steps > 5_000; // the worst weather ends some day
            if !quiet && dice.u8(0..50) == 0 {
                plan = Plan::new(seed);
            }
            let present = (quiet || dice.u8(0..3) > 0).then(nurse);
            late.sort_by_key(|(at, _)| *at);
            while late.first().is_some_and(|(at, _)| *at <= now) {
                server.takes(&late.remove(0).1, &poison);
            }
            let batch = match plan.next(&waiting, present.as_ref(), now) {
                Next::Send(batch) => batch,
                Next::Sleep { until } => {
                    assert!(until > now, "seed {seed}: a sleep that is no sleep");
                    now = until;
                    continue;
                }
                Next::Rest => {
                    now += Duration::from_secs(60);
                    continue;
                }
            };
            plan.sent(&batch);
            now += Duration::from_millis(dice.u64(10..2_000));
            let weather = if quiet { 0 } else { dice.u8(0..10) };
            if weather != 1 {
                server.takes(&batch, &poison); // 1: the request is lost
            }
            if weather == 2 {
                late.push((now + Duration::from_secs(dice.u64(1..4_000)), batch.clone())); // doubled, and late
            }
            match weather {
                1 | 3 => plan.failed(&batch, Failure::Again, now), // 3: only the answer is lost
                4 => plan.failed(&batch, Failure::AfterSeconds(dice.u64(0..100)), now),
                5 => plan = Plan::new(seed), // crash between answer and disk
                _ => {
                    set_aside.extend(batch.ids.iter().filter(|id| poison.contains(id)).copied());
                    waiting.retain(|item| !batch.ids.contains(&item.id));
                    plan.answered(&batch);
                }
            }
        }
        assert_eq!(set_aside, poison, "seed {seed}");
        assert_eq!(server.kept.len() + poison.len(), all.len(), "seed {seed}: something is lost");
        assert_eq!(server.arrived.len(), server.kept.len(), "seed {seed}: something is doubled");
        let place: HashMap<Uuid, usize> = server.arrived.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        for (at, one) in all.iter().enumerate().filter(|(_, one)| one.order.is_some()) {
            for other in all[at + 1..].iter().filter(|other| other.order == one.order && other.lane == one.lane) {
                let (Some(first), Some(second)) = (place.get(&one.id), place.get(&other.id)) else { continue };
                assert!(first < second, "seed {seed}: a patient's items changed places");
            }
        }
    }

    #[test]
    fn whatever_the_weather_each_item_arrives_once_and_in_order() {
        (1..=1_000).for_each(live_through);
    }
}
