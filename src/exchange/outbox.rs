//! The plan of delivery: given what waits, what goes next. No sockets, no disk, no clock, no chance but a given seed.
//!
//! Two kinds of lane, because two kinds of credential: the device's (traces) and each holder's (consents, notes). A lane that
//! fails waits alone; a holder who is not here makes nobody wait. Inside a lane a patient's items keep their order, no two requests
//! under way are about one patient (but for a consent, which waits for no trace), and one
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
use crate::journal::item::Deed;
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
    /// Nothing to send, or nobody to send it as: an event will wake us.
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
    /// The card that is in cannot sign it: with another one, or when it is put in again.
    NotByThisCard,
}

/// What the plan remembers. Losing it (a crash) costs an earlier try, nothing else.
#[derive(Debug, Clone)]
pub struct Plan {
    seed: u64,
    link: Link,
    lanes: BTreeMap<Lane, Pause>,
    in_flight: Vec<Batch>,
    /// What the card that is in cannot sign.
    unsigned: HashSet<Uuid>,
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
/// With something waiting or somebody here, how often a network that went is looked for.
pub const LOOK_AGAIN: Duration = Duration::from_secs(20);
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
        Plan { seed, link: Link::Unknown, lanes: BTreeMap::new(), in_flight: Vec::new(), unsigned: HashSet::new() }
    }

    /// When the network returns, nothing waits for a back-off made while it was gone. `true`: it returns.
    pub fn link_is(&mut self, link: Link) -> bool {
        let returns = self.link == Link::Down && link == Link::Up;
        if returns {
            self.lanes.values_mut().for_each(|pause| (pause.failures, pause.ours) = (0, Duration::ZERO));
        }
        self.link = link;
        returns
    }

    /// A fresh credential: the holder's lane need not wait for the old one's failures.
    pub fn holder_is_here(&mut self, holder: &HolderId) {
        if let Some(pause) = self.lanes.get_mut(&Lane::Holder(holder.clone())) {
            (pause.failures, pause.ours) = (0, Duration::ZERO);
        }
    }

    /// Another card may sign what the last one could not.
    pub fn another_card(&mut self) {
        self.unsigned.clear();
    }

    /// What to do now. `present` is whose token can be made or is still good.
    pub fn next(&self, waiting: &[Waiting], present: Option<&HolderId>, since_boot: Duration) -> Next {
        let mut wake: Option<Duration> = None;
        let holder = present.map(|holder| Lane::Holder(holder.clone()));
        for lane in holder.into_iter().chain([Lane::Device]) {
            let Some(batch) = self.batch(waiting, &lane) else { continue };
            let until = match self.link {
                Link::Down => since_boot + LOOK_AGAIN,
                _ => self.lanes.get(&lane).map_or(Duration::ZERO, |pause| pause.ours.max(pause.theirs)),
            };
            if since_boot >= until {
                return Next::Send(batch);
            }
            wake = Some(wake.map_or(until, |earlier| earlier.min(until)));
        }
        wake.map_or(Next::Rest, |until| Next::Sleep { until })
    }

    /// Whether what a patient said is on its way.
    pub fn sends_an_answer(&self) -> bool {
        self.in_flight.iter().any(|batch| batch.kind == Kind::Consent)
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
        if why == Failure::NotByThisCard {
            self.unsigned.extend(&batch.ids);
            return;
        }
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
        let most = if *lane == Lane::Device { IN_FLIGHT_MAX } else { IN_FLIGHT_HOLDER_MAX };
        if self.in_flight.iter().filter(|batch| batch.lane == *lane).count() >= most {
            return None;
        }
        let gone: HashSet<Uuid> = self.in_flight.iter().flat_map(|batch| batch.ids.iter().copied()).collect();
        // Never two requests under way with the same patient, in whichever lane.
        let flying = || waiting.iter().filter(|item| gone.contains(&item.id));
        let barred: HashSet<&Ins> = flying().filter_map(|item| item.order.as_ref()).collect();
        let barred_here: HashSet<&Ins> =
            flying().filter(|item| item.lane == *lane).filter_map(|item| item.order.as_ref()).collect();
        // But what a patient says is waited for at the gate: rows of theirs that are under way are no reason to wait longer.
        let bars = |item: &Waiting| if item.kind == Kind::Consent { &barred_here } else { &barred };
        // Whoever stays behind keeps what is behind them.
        let mut held: HashSet<&Ins> = HashSet::new();
        // A note that no card here signs keeps the author's later ones about that patient behind it, and not what the patient says.
        let mut held_notes: HashSet<&Ins> = HashSet::new();
        let mut free: Vec<&Waiting> = Vec::new();
        for item in waiting.iter().filter(|item| item.lane == *lane && !gone.contains(&item.id)) {
            if self.unsigned.contains(&item.id) {
                held_notes.extend(&item.order);
                continue;
            }
            if item.kind == Kind::Contribution && item.order.as_ref().is_some_and(|one| held_notes.contains(one)) {
                continue;
            }
            held.extend(item.order.iter().filter(|patient| bars(item).contains(patient)));
            if item.order.as_ref().is_none_or(|patient| !held.contains(patient)) {
                free.push(item);
            }
        }

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
            Body::Contribution(one) => (Kind::Contribution, Some(one.patient.clone()), size_of(&one.deed)),
        };
        let lane = match &item.needs {
            Needs::Device => Lane::Device,
            Needs::Holder(holder) => Lane::Holder(holder.clone()),
        };
        Waiting { id: item.id, kind, lane, order, size_bytes }
    }
}

/// Base64 is a third longer, and metadata go with it.
fn size_of(deed: &Deed) -> usize {
    match deed {
        Deed::Add { cda, .. } => TRACE_BYTES + cda.len() + cda.len() / 3,
        Deed::Change { .. } => TRACE_BYTES,
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
mod lives;
#[cfg(test)]
mod tests;
