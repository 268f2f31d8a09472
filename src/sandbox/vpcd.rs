//! A virtual reader's two slots, in the protocol of vsmartcard's `vpcd` driver (facts/card §4), so that a real pcscd
//! sees the virtual card.
//!
//! Roles are reversed: the driver, told `DEVICENAME 127.0.0.1:PORT`, dials out to us, for as a server it would listen on
//! every interface. One reader.conf entry makes two slots, the second on PORT + 1, so both ports are held here from the
//! start: an empty slot hangs up at once, which the driver takes for "no card".
//!
//! ```text
//! driver → card   length (2 bytes, big endian), then 00 off · 01 on · 02 reset · 04 "your ATR?" · or a longer APDU
//! card → driver   length, then the ATR or the answer; nothing for 00, 01 and 02
//! ```
//!
//! Inserting waits until the driver has spoken, for a connection alone only says that a kernel queued it.

use crate::sandbox::cps::Card;
use crate::sandbox::cps::Counters;
use crate::sandbox::cps::Faults;
use std::io::Read;
use std::io::Write;
use std::net::Ipv4Addr;
use std::net::Shutdown;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

/// A place for one card.
pub struct Slot {
    port: u16,
    inside: Arc<Inside>,
    thread: Option<JoinHandle<()>>,
}

/// A card that the driver has seen. Dropping it pulls the card.
pub struct Inserted {
    inside: Arc<Inside>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no two neighbouring ports are free on 127.0.0.1")]
    Listen { source: std::io::Error },
    #[error("the slot already holds a card")]
    Occupied,
    #[error("no PC/SC service looked into the slot within {waited_s} s")]
    NobodyLooked { waited_s: u64 },
}

/// What the slot's thread and its owners share.
struct Inside {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    card: Option<Card>,
    /// The card lies in the slot; false as soon as it is pulled, by hand or by its own fault.
    is_in: bool,
    /// The driver has spoken since the card was put in.
    is_seen: bool,
    is_closing: bool,
    /// To hang up from outside.
    line: Option<TcpStream>,
    /// APDUs since the card was put in, for [`Faults::pulled_at`].
    apdus: u64,
}

impl Slot {
    /// Two slots on neighbouring loopback ports, as one reader.conf entry wants them.
    pub fn pair() -> Result<[Slot; 2], Error> {
        let mut last = std::io::Error::from(std::io::ErrorKind::AddrInUse);
        for _ in 0..PORT_TRIES {
            let tried = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|first| {
                let next = first.local_addr()?.port().checked_add(1).ok_or(std::io::ErrorKind::AddrInUse)?;
                Ok((first, TcpListener::bind((Ipv4Addr::LOCALHOST, next))?))
            });
            match tried {
                Ok((first, second)) => {
                    return Ok([
                        Slot::serve(first).map_err(|source| Error::Listen { source })?,
                        Slot::serve(second).map_err(|source| Error::Listen { source })?,
                    ]);
                }
                Err(error) => last = error,
            }
        }
        Err(Error::Listen { source: last })
    }

    /// Where the driver must dial.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Puts a card in and waits until the driver has spoken to it.
    pub fn insert(&self, card: Card) -> Result<Inserted, Error> {
        let mut state = self.inside.lock();
        if state.card.is_some() {
            return Err(Error::Occupied);
        }
        *state = State { card: Some(card), is_in: true, is_seen: false, apdus: 0, ..std::mem::take(&mut *state) };
        let inserted = Inserted { inside: self.inside.clone() };
        let (state, _) = self
            .inside
            .changed
            .wait_timeout_while(state, Duration::from_secs(LOOK_S_MAX), |state| state.is_in && !state.is_seen)
            .unwrap_or_else(PoisonError::into_inner);
        let is_seen = state.is_seen;
        drop(state);
        if is_seen { Ok(inserted) } else { Err(Error::NobodyLooked { waited_s: LOOK_S_MAX }) }
    }

    fn serve(listener: TcpListener) -> Result<Slot, std::io::Error> {
        let port = listener.local_addr()?.port();
        let inside = Arc::new(Inside { state: Mutex::new(State::default()), changed: Condvar::new() });
        let shared = inside.clone();
        let thread = std::thread::Builder::new()
            .name(format!("vpcd slot {port}"))
            .spawn(move || answer_calls(&listener, &shared))?;
        Ok(Slot { port, inside, thread: Some(thread) })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.inside.lock();
        state.is_closing = true;
        state.hang_up();
        drop(state);
        self.inside.changed.notify_all();
        // Wakes the thread from `accept`.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Inserted {
    /// Takes the card out, at once, and hands it back with its counters and tries. `None` if the slot lost it.
    pub fn pull(self) -> Option<Card> {
        self.inside.take_out()
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

impl Drop for Inserted {
    fn drop(&mut self) {
        self.inside.take_out();
    }
}

impl Inside {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_out(&self) -> Option<Card> {
        let mut state = self.lock();
        state.is_in = false;
        state.hang_up();
        let mut card = state.card.take();
        drop(state);
        self.changed.notify_all();
        if let Some(card) = &mut card {
            card.reset();
        }
        card
    }
}

impl State {
    fn hang_up(&mut self) {
        if let Some(line) = self.line.take() {
            let _ = line.shutdown(Shutdown::Both);
        }
    }
}

impl Default for State {
    fn default() -> State {
        State { card: None, is_in: false, is_seen: false, is_closing: false, line: None, apdus: 0 }
    }
}

/// One caller at a time: there is one driver.
fn answer_calls(listener: &TcpListener, inside: &Inside) {
    for call in listener.incoming() {
        let mut state = inside.lock();
        if state.is_closing {
            return;
        }
        let Ok(line) = call else { continue };
        if !state.is_in {
            continue;
        }
        let Ok(handle) = line.try_clone() else { continue };
        state.line = Some(handle);
        drop(state);
        let _ = line.set_nodelay(true);
        // An error here is a line that was hung up, from either side: the driver calls again.
        let _ = talk(line, inside);
        inside.lock().hang_up();
    }
}

/// Until the line or the card is gone.
fn talk(mut line: TcpStream, inside: &Inside) -> Result<(), std::io::Error> {
    loop {
        let mut length = [0; 2];
        line.read_exact(&mut length)?;
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        line.read_exact(&mut message)?;
        let Some((answer, wait)) = inside.hear(&message) else { return Ok(()) };
        if !inside.is_still_in_after(wait) {
            return Ok(());
        }
        if let Some(answer) = answer {
            let length = u16::try_from(answer.len()).unwrap_or(u16::MAX).to_be_bytes();
            line.write_all(&[&length, answer.as_slice()].concat())?;
        }
    }
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
            [0 | 1 | 2] => {
                card.reset();
                (None, Duration::ZERO)
            }
            [4] => ((!card.faults.mute).then(|| card.answer_to_reset()), Duration::ZERO),
            [] | [_] => (None, Duration::ZERO),
            apdu => {
                let index = *apdus;
                *apdus += 1;
                if card.faults.pulled_at == Some(index) {
                    state.is_in = false;
                    drop(state);
                    self.changed.notify_all();
                    return None;
                }
                let answer = card.answer(apdu);
                ((!card.faults.mute).then_some(answer), card.faults.slow)
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
        while state.is_in && !state.is_closing {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }
}

const PORT_TRIES: usize = 50;

/// The driver looks about twice a second.
const LOOK_S_MAX: u64 = 10;
