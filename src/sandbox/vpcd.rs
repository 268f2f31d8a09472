//! Puts a virtual card into a reader: the protocol of vsmartcard's `vpcd` driver, so that a real pcscd
//! sees the card.
//!
//! The driver is the server and the card dials in. The driver would listen on every interface, so its pcscd lives in a
//! network name space of its own ([`crate::sandbox::pcscd`]), and a slot is the Unix socket of the relay in there.
//! *Rejected*: the driver's other role (`DEVICENAME host:port`, it dials out), for version 3.3, which Debian ships, never
//! dials again after the first card is pulled, and aborts the whole pcscd instead.
//!
//! ```text
//! driver → card   length (2 bytes, big endian), then 00 off · 01 on · 02 reset · 04 "your ATR?" · or a longer APDU
//! card → driver   length, then the ATR or the answer; nothing for 00, 01 and 02
//! ```
//!
//! A card that is pulled while it is asked hangs up too late for this driver, which would make an empty answer of it, as
//! no reader does. So it first sends more bytes than any client has room for: that, the driver reports as a
//! communication error, and so does a real reader.
//!
//! Inserting waits until the driver has spoken, for a connection alone only says that a kernel queued it; and no card comes in faster
//! after the last one than a hand brings it: pcscd looks into a slot every 400 ms, and takes one that was put in between two looks for
//! the one that left.

use crate::sandbox::cps::Card;
use crate::sandbox::cps::Counters;
use crate::sandbox::cps::Faults;
use std::collections::BTreeMap;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

/// A place for one card.
#[derive(Debug, Clone)]
pub struct Slot {
    path: PathBuf,
}

/// A card that the driver has seen, answered for by a thread of its own. Dropping it pulls the card.
pub struct Inserted {
    path: PathBuf,
    inside: Arc<Inside>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the card's thread could not be started")]
    Thread { source: std::io::Error },
    #[error("no PC/SC service looked into the slot within {waited_s} s")]
    NobodyLooked { waited_s: u64 },
}

/// What the card's thread and its owner share.
struct Inside {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    card: Option<Card>,
    /// The card lies in the slot; false as soon as it is pulled, by hand or by its own fault.
    is_in: bool,
    /// When its own fault pulled it.
    left: Option<Instant>,
    /// The driver has spoken.
    is_seen: bool,
    /// To hang up from outside.
    line: Option<UnixStream>,
    /// APDUs since the card was put in, for [`Faults::pulled_at`].
    apdus: u64,
}

impl Slot {
    /// The slot behind this socket, one card at a time.
    pub fn at(path: &Path) -> Slot {
        Slot { path: path.to_path_buf() }
    }

    /// The socket, for another process that is to put cards in.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts a card in and waits until the driver has spoken to it.
    pub fn insert(&self, card: Card) -> Result<Inserted, Error> {
        let left = last_left().get(&self.path).copied();
        if let Some(left) = left {
            std::thread::sleep((left + HAND).saturating_duration_since(Instant::now()));
        }
        let state = State { card: Some(card), is_in: true, left: None, is_seen: false, line: None, apdus: 0 };
        let inside = Arc::new(Inside { state: Mutex::new(state), changed: Condvar::new() });
        let (shared, path) = (inside.clone(), self.path.clone());
        let thread = std::thread::Builder::new()
            .name("virtual card".to_owned())
            .spawn(move || shared.stay_in(&path))
            .map_err(|source| Error::Thread { source })?;
        let inserted = Inserted { path: self.path.clone(), inside, thread: Some(thread) };
        let (state, _) = inserted
            .inside
            .changed
            .wait_timeout_while(inserted.inside.lock(), Duration::from_secs(LOOK_S_MAX), |state| {
                state.is_in && !state.is_seen
            })
            .unwrap_or_else(PoisonError::into_inner);
        let is_seen = state.is_seen;
        drop(state);
        if is_seen { Ok(inserted) } else { Err(Error::NobodyLooked { waited_s: LOOK_S_MAX }) }
    }
}

impl Inserted {
    /// Takes the card out, at once, and hands it back with its counters and tries.
    pub fn pull(mut self) -> Option<Card> {
        self.take_out()
    }

    /// Whether it still lies in the slot: a fault may have pulled it.
    pub fn is_in(&self) -> bool {
        self.inside.lock().is_in
    }

    /// What went over the contacts so far.
    pub fn counters(&self) -> Counters {
        self.inside.lock().card.as_ref().map(Card::counters).unwrap_or_default()
    }

    /// Changes what is wrong with the card while it is in.
    pub fn set_faults(&self, faults: Faults) {
        if let Some(card) = &mut self.inside.lock().card {
            card.faults = faults;
        }
    }

    /// Tries left before the PIN blocks, as the card itself knows.
    pub fn tries_left(&self) -> Option<u8> {
        self.inside.lock().card.as_ref().map(Card::tries_left)
    }
}

impl Inserted {
    fn take_out(&mut self) -> Option<Card> {
        let mut state = self.inside.lock();
        if state.is_in || state.left.is_some() {
            let left = state.left.take().unwrap_or_else(Instant::now);
            last_left().insert(self.path.clone(), left);
        }
        state.is_in = false;
        state.hang_up();
        let mut card = state.card.take();
        drop(state);
        self.inside.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        if let Some(card) = &mut card {
            card.reset();
        }
        card
    }
}

impl Drop for Inserted {
    fn drop(&mut self) {
        self.take_out();
    }
}

impl Inside {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Dials until the card is pulled: the driver may be restarted under it.
    fn stay_in(&self, path: &Path) {
        while self.is_still_in_after(Duration::ZERO) {
            if let Ok(line) = UnixStream::connect(path)
                && let Ok(handle) = line.try_clone()
            {
                let mut state = self.lock();
                if !state.is_in {
                    return;
                }
                state.line = Some(handle);
                drop(state);
                // An error is a line that was hung up, from either side.
                let _ = talk(line, self);
                self.lock().hang_up();
            }
            self.is_still_in_after(Duration::from_millis(REDIAL_MS));
        }
    }
}

impl State {
    fn hang_up(&mut self) {
        if let Some(line) = self.line.take() {
            // Only what comes in: the thread may have its last word to say.
            let _ = line.shutdown(Shutdown::Read);
        }
    }
}

/// Until the line or the card is gone.
fn talk(mut line: UnixStream, inside: &Inside) -> Result<(), std::io::Error> {
    loop {
        let mut length = [0; 2];
        line.read_exact(&mut length)?;
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        line.read_exact(&mut message)?;
        let heard = inside.hear(&message);
        let is_in = heard.as_ref().is_some_and(|(_, wait)| inside.is_still_in_after(*wait));
        match heard {
            Some((Some(answer), _)) if is_in => write(&mut line, &answer)?,
            Some((None, _)) if is_in => {}
            _ if message.len() > 1 => return write(&mut line, &[0; u16::MAX as usize]),
            _ => return Ok(()),
        }
    }
}

fn write(line: &mut UnixStream, message: &[u8]) -> Result<(), std::io::Error> {
    let length = u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes();
    line.write_all(&[&length, message].concat())
}

impl Inside {
    /// The card's answer, if it gives one, and how long it takes. `None`: the card is out.
    fn hear(&self, message: &[u8]) -> Option<(Option<Vec<u8>>, Duration)> {
        let mut state = self.lock();
        if !state.is_in {
            return None;
        }
        state.is_seen = true;
        let State { card, apdus, .. } = &mut *state;
        let card = card.as_mut()?;
        let heard = match message {
            [0..=2] => {
                card.reset();
                (None, Duration::ZERO)
            }
            [4] => (Some(card.answer_to_reset()), Duration::ZERO),
            [] | [_] => (None, Duration::ZERO),
            apdu => {
                let index = *apdus;
                *apdus += 1;
                if card.faults.pulled_at == Some(index) {
                    state.is_in = false;
                    state.left = Some(Instant::now());
                    drop(state);
                    self.changed.notify_all();
                    return None;
                }
                if card.faults.loses_applet_at == Some(index) {
                    card.lose_applet();
                }
                let answer = card.answer(apdu);
                let is_mute = card.faults.mute || card.faults.mute_from.is_some_and(|from| index >= from);
                let wait = if is_mute { FOREVER } else { card.faults.slow };
                (Some(answer), wait)
            }
        };
        drop(state);
        self.changed.notify_all();
        Some(heard)
    }

    /// Waits, unless the card is pulled meanwhile.
    fn is_still_in_after(&self, wait: Duration) -> bool {
        let until = Instant::now() + wait;
        let mut state = self.lock();
        while state.is_in {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }
}

/// When a card last left each slot of this process.
fn last_left() -> MutexGuard<'static, BTreeMap<PathBuf, Instant>> {
    static LEFT: Mutex<BTreeMap<PathBuf, Instant>> = Mutex::new(BTreeMap::new());
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}

const HAND: Duration = Duration::from_millis(500);
/// The driver looks about twice a second.
const LOOK_S_MAX: u64 = 10;
const FOREVER: Duration = Duration::from_secs(24 * 3600);
const REDIAL_MS: u64 = 50;
