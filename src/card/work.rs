//! `card-work`: the one thread that speaks to the card.
//!
//! It connects at the first command of an insertion, exclusively and in whichever of T=0 and T=1 the service takes, resets
//! the card, and keeps it until the visit ends, the card goes or something fails. A command whose asker has given up, or
//! that was asked before the visit ended, is not done, nor gone on with: above all, its PIN is not sent.

use crate::card::CardContents;
use crate::card::Command;
use crate::card::Cps4;
use crate::card::Error;
use crate::card::Generation;
use crate::card::InReader;
use crate::card::Known;
use crate::card::Order;
use crate::card::PINPAD_PATIENCE;
use crate::card::Pinpad;
use crate::card::Shared;
use crate::card::dialogue;
use crate::card::dialogue::Found;
use crate::card::dialogue::Keys;
use crate::card::dialogue::Line;
use crate::card::dialogue::Memory;
use crate::card::pinpad;
use crate::card::pinpad::Way;
use crate::card::shift::Crew;
use crate::card::shift::Post;
use crate::card::threads;
use crate::card::watch::Stop;
use crate::card::words::Framing;
use crate::card::words::Protocol;
use crate::identity::holder::Situation;
use crate::identity::statement::Statement;
use std::cell::Cell;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

/// Starts the thread of this shift. It ends when it has been relieved, or when no handle is left; the last ends `card-watch`.
pub(super) fn start(crew: Crew, shift: u64) -> std::io::Result<()> {
    let post = Post { shift, insertion: 0, leaves: None };
    let (shared, stop) = (Arc::clone(&crew.shared), Arc::clone(&crew.stop));
    let worker = Worker { crew, post, stop, shared, context: None, held: None };
    threads::spawn("card-work", move || worker.run())
}

struct Worker {
    crew: Crew,
    post: Post,
    stop: Arc<Stop>,
    shared: Arc<Shared>,
    context: Option<pcsc::Context>,
    held: Option<Held>,
}

/// The card of one insertion, connected.
struct Held {
    insertion: u64,
    card: pcsc::Card,
    framing: Framing,
    is_chosen: bool,
    /// How its PIN is asked for on the reader's own keys.
    keys: Option<Way>,
    memory: Memory,
}

impl Worker {
    fn run(mut self) {
        // While the watch looks for the card: whoever waits for it need not wait for this too. What fails is tried again.
        self.context = pcsc::Context::establish(pcsc::Scope::User).ok();
        let shift = self.post.shift;
        while let Some(command) = self.crew.next(shift) {
            self.obey(command);
        }
        let is_last = if self.crew.is_relieved(shift) {
            self.leave();
            self.crew.came_back()
        } else {
            self.crew.ended()
        };
        if is_last {
            self.stop.end();
        }
    }

    fn obey(&mut self, command: Command) {
        let insertion = command.insertion;
        let ended = self.shared.lock().leaves != command.leaves;
        let leaves = (!matches!(command.order, Order::Leave { .. })).then_some(command.leaves);
        self.post = Post { insertion, leaves, ..self.post };
        match command.order {
            Order::Leave { done } => {
                self.leave();
                let _ = done.send(());
            }
            Order::Serial { answer } => self.answer(insertion, ended, answer, |worker, seen| {
                worker.with_memory(seen, |card, memory| memory.serial(card))
            }),
            Order::Read { known, answer } => {
                self.answer(insertion, ended, answer, |worker, seen| worker.read(seen, known));
            }
            Order::Learnt { answer } => self.answer(insertion, ended, answer, |worker, seen| {
                Ok(worker.held.as_ref().and_then(|held| held.memory.learnt(Generation::of(&seen.atr))))
            }),
            Order::Login { pin, statement, answer } => self.answer(insertion, ended, answer, |worker, seen| {
                worker.signed(seen, |card, found| dialogue::login(card, found, &pin, &statement))
            }),
            Order::LoginOnReader { statement, answer } => self.answer(insertion, ended, answer, |worker, seen| {
                worker.signed(seen, |card, found| dialogue::login_on_reader(card, found, &statement))
            }),
            Order::Situations { answer } => {
                self.answer(insertion, ended, answer, |worker, seen| worker.situations(seen));
            }
            Order::Sign { statement, answer } => {
                self.answer(insertion, ended, answer, |worker, seen| worker.sign(seen, &statement));
            }
            Order::Pen { answer } => self.answer(insertion, ended, answer, |worker, seen| {
                worker.with_pen(seen, |_, _, pen| Ok(pen.certificate.der().to_vec()))
            }),
            Order::SignDocument { info, answer } => self.answer(insertion, ended, answer, |worker, seen| {
                worker.with_pen(seen, |card, own, pen| dialogue::sign_document(card, own, pen, &info))
            }),
        }
    }

    /// Does what is asked about the card that is in, if anybody still waits for it.
    fn answer<T>(
        &mut self,
        insertion: u64,
        ended: bool,
        answer: oneshot::Sender<Result<T, Error>>,
        act: impl FnOnce(&mut Worker, &InReader) -> Result<T, Error>,
    ) {
        if !answer.is_closed() {
            let result = self.current(insertion, ended).and_then(|seen| act(self, &seen));
            // The asker may be gone by now; nothing depends on it.
            let _ = answer.send(result);
        }
    }

    /// The card that the question is about, if it is still the one in the reader.
    fn current(&mut self, insertion: u64, ended: bool) -> Result<InReader, Error> {
        if let Some(other) = self.held.take_if(|held| held.insertion != insertion) {
            self.release(other);
        }
        match self.shared.card(insertion) {
            Some(seen) if !ended => self.shared.refuses(insertion).map_or(Ok(seen), Err),
            _ => Err(Error::StaleInsertion),
        }
    }

    fn read(&mut self, seen: &InReader, known: Option<Box<Known>>) -> Result<CardContents, Error> {
        let contents = self.with_memory(seen, |card, memory| {
            if let Some(known) = known {
                memory.recall(card, *known)?;
            }
            memory.with_found(card, |card, found| {
                Ok(CardContents {
                    reader: seen.reader.to_string_lossy().into_owned(),
                    atr: seen.atr.clone(),
                    generation: Generation::of(&seen.atr),
                    serial: found.serial.clone(),
                    certificate: found.certificate.der().to_vec(),
                    tries_left: dialogue::tries_left(card, found)?,
                    pin_digits: (found.pin.digits_min, found.pin.digits_max),
                    has_pinpad: false,
                })
            })
        })?;
        let has_pinpad = self.held.as_ref().is_some_and(|held| held.keys.is_some());
        Ok(CardContents { has_pinpad, ..contents })
    }

    /// As [`Worker::sign`]: without the connection that took the PIN, every file would be refused.
    fn situations(&mut self, seen: &InReader) -> Result<Vec<Situation>, Error> {
        if !self.is_held_and_found() {
            return Err(Error::PinNeeded);
        }
        self.with_memory(seen, |card, memory| memory.situations(card))
    }

    /// Only on a connection that is still held: a new one has no PIN.
    fn sign(&mut self, seen: &InReader, statement: &Statement) -> Result<Vec<u8>, Error> {
        if !self.is_held_and_found() {
            return Err(Error::PinNeeded);
        }
        self.signed(seen, |card, found| dialogue::sign(card, found, statement))
    }

    /// As [`Worker::sign`].
    fn with_pen<T>(
        &mut self,
        seen: &InReader,
        act: impl FnOnce(&mut Line<'_>, &Found, &Found) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if !self.is_held_and_found() {
            return Err(Error::PinNeeded);
        }
        self.with_memory(seen, |card, memory| memory.with_pen(card, act))
    }

    fn is_held_and_found(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.memory.is_found())
    }

    /// Has the card sign: its signature has verified under what is known of it.
    fn signed(
        &mut self,
        seen: &InReader,
        act: impl FnOnce(&mut Line<'_>, &Found) -> Result<Vec<u8>, Error>,
    ) -> Result<Vec<u8>, Error> {
        self.with_memory(seen, |card, memory| {
            let signature = memory.with_found(card, act)?;
            memory.is_borne_out();
            Ok(signature)
        })
    }

    /// Does something with the connected card, and what is known of it.
    fn with_memory<T>(
        &mut self,
        seen: &InReader,
        act: impl FnOnce(&mut Line<'_>, &mut Memory) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut held = match self.held.take() {
            Some(held) => held,
            None => self.connect(seen)?,
        };
        // What failed below the dialogue, if anything did: then the connection is of no more use.
        let broken = Cell::new(None);
        let failed = |error| {
            broken.set(Some(error));
            meaning(error)
        };
        let (card, crew, post) = (&held.card, &self.crew, self.post);
        let (answer_max, keys_max) = (crew.answer_max, crew.answer_max + PINPAD_PATIENCE);
        let ask = move |way, asked: &[u8]| {
            crew.wait(post, keys_max, || pinpad::ask(way, asked, |code, sent| control(card, code, sent)))
                .map_err(failed)
        };
        let mut line = Line {
            transport: &mut |bytes: &[u8]| crew.wait(post, answer_max, || transmit(card, bytes)).map_err(failed),
            keys: held.keys.map(|way| Keys { ask: Box::new(move |asked: &[u8]| ask(way, asked)) }),
            framing: held.framing,
            generation: Generation::of(&seen.atr),
            is_chosen: held.is_chosen,
        };
        let result = act(&mut line, &mut held.memory);
        held.is_chosen = line.is_chosen;
        drop(line);
        match broken.get() {
            None => {
                self.held = Some(held);
                // An answer about a card that has gone in the meantime is none.
                result.and_then(|done| self.shared.card(seen.insertion).map(|_| done).ok_or(Error::Removed))
            }
            Some(error) => {
                let meant = self.judge(seen, error);
                self.release(held);
                Err(meant)
            }
        }
    }

    fn connect(&mut self, seen: &InReader) -> Result<Held, Error> {
        if seen.is_contactless {
            return Err(Error::Contactless);
        }
        let channel = match (Generation::of(&seen.atr), self.crew.cps4) {
            (Generation::Cps3, _) => 0,
            (Generation::Cps4, Cps4::Try) => CPS4_CHANNEL,
            (Generation::Cps4, Cps4::Refuse) => return Err(Error::Cps4),
            (Generation::Contactless, _) => return Err(Error::Contactless),
            (Generation::Unknown, _) if seen.atr.is_empty() => return Err(Error::Mute),
            (Generation::Unknown, _) => return Err(Error::UnknownCard),
        };
        let mut tries = CONNECT_TRIES;
        loop {
            tries -= 1;
            let error = match self.connect_once(seen) {
                Ok((card, protocol)) => {
                    let has_keys = self.crew.pinpad == Pinpad::Auto;
                    let keys = if has_keys { keys_of(&card, &seen.reader, &self.crew.without_keys) } else { None };
                    let framing = Framing { protocol, channel };
                    let insertion = seen.insertion;
                    return Ok(Held { insertion, card, framing, keys, is_chosen: false, memory: Memory::default() });
                }
                Err(error) => error,
            };
            match meaning(error) {
                // The service was started again: this context died with the old one.
                Error::ServiceDown if self.context.take().is_some() && tries > 0 => {}
                // Desks have programs that look at every new card for a moment.
                Error::Busy if tries > 0 => thread::sleep(CONNECT_PAUSE),
                _ => return Err(self.judge(seen, error)),
            }
        }
    }

    fn connect_once(&mut self, seen: &InReader) -> Result<(pcsc::Card, Protocol), pcsc::Error> {
        let context = match &self.context {
            Some(context) => context,
            None => self.context.insert(pcsc::Context::establish(pcsc::Scope::User)?),
        };
        let card = self.crew.wait(self.post, self.crew.answer_max, || {
            let mut card = context.connect(&seen.reader, pcsc::ShareMode::Exclusive, pcsc::Protocols::ANY)?;
            // Whoever had it before may have left it somewhere else, and with its PIN taken.
            card.reconnect(pcsc::ShareMode::Exclusive, pcsc::Protocols::ANY, pcsc::Disposition::ResetCard)?;
            Ok(card)
        })?;
        let protocol = match card.status2_owned()?.protocol2() {
            Some(pcsc::Protocol::T1) => Protocol::T1,
            _ => Protocol::T0,
        };
        Ok((card, protocol))
    }

    /// What a failure below the dialogue means. A card that is being pulled fails in many ways before the service sees that
    /// it is gone; so the watch gets a moment, and a pulled card is never called mute.
    fn judge(&mut self, seen: &InReader, error: pcsc::Error) -> Error {
        let meant = meaning(error);
        tracing::debug!(insertion = seen.insertion, %error, "card failed");
        match meant {
            Error::ServiceDown => self.context = None,
            Error::Busy => {
                self.shared.is_busy(seen.insertion);
                self.stop.wake();
            }
            Error::Removed | Error::Mute | Error::Reader(_) | Error::NoReader
                if self.shared.waits_until_gone(seen.insertion) =>
            {
                return Error::Removed;
            }
            // A reader with a clock of its own gives up before we do.
            Error::Mute => self.crew.is_mute(seen.insertion),
            _ => {}
        }
        meant
    }

    fn leave(&mut self) {
        if let Some(held) = self.held.take() {
            self.release(held);
        }
    }

    /// Lets go of the card, and makes it forget its PIN while it is there. A card that has gone is not reset: pcscd (1.9.9)
    /// marks the reader as empty when a reset fails, and then does not see a card that is put in before it next looks.
    fn release(&self, held: Held) {
        let is_in = self.shared.card(held.insertion).is_some();
        let disposition = if is_in { pcsc::Disposition::ResetCard } else { pcsc::Disposition::LeaveCard };
        let post = Post { leaves: None, ..self.post };
        let card = held.card;
        let released =
            self.crew.wait(post, self.crew.answer_max, || card.disconnect(disposition).map_err(|(_, error)| error));
        if let Err(error) = released {
            // Its service is gone: there is nothing to let go of.
            tracing::debug!(%error, "card not released");
        }
    }
}

/// One command and its answer. The log gets the header and the lengths.
fn transmit(card: &pcsc::Card, bytes: &[u8]) -> Result<Vec<u8>, pcsc::Error> {
    let mut buffer = Zeroizing::new([0; ANSWER_LENGTH_MAX]);
    let header = bytes.first_chunk::<4>().map_or(0, |header| u32::from_be_bytes(*header));
    let answer = card.transmit(bytes, buffer.as_mut())?;
    let status = answer.last_chunk::<2>().map_or(0, |status| u16::from_be_bytes(*status));
    tracing::trace!(
        header = format_args!("{header:08X}"),
        sent = bytes.len(),
        received = answer.len(),
        status = format_args!("{status:04X}"),
        "apdu"
    );
    Ok(answer.to_vec())
}

/// What the reader says of keys of its own.
fn keys_of(card: &pcsc::Card, reader: &std::ffi::CStr, without_keys: &[String]) -> Option<Way> {
    let features = pcsc::ctl_code(pinpad::GET_FEATURE_REQUEST.into()) as u32;
    let mut control = |code: u32, sent: &[u8]| control(card, code, sent).ok();
    let way = pinpad::way_of(&reader.to_string_lossy(), features, without_keys, &mut control);
    tracing::debug!(has_keys = way.is_some(), "asked whether the reader has keys");
    way
}

fn control(card: &pcsc::Card, code: u32, sent: &[u8]) -> Result<Vec<u8>, pcsc::Error> {
    let mut buffer = [0; CONTROL_LENGTH_MAX];
    card.control(code.into(), sent, &mut buffer).map(<[u8]>::to_vec)
}

/// The words of PC/SC in ours.
pub(super) fn meaning(error: pcsc::Error) -> Error {
    match error {
        // Nobody else can reset a card that is held exclusively: it was pulled and another put in.
        pcsc::Error::RemovedCard | pcsc::Error::NoSmartcard | pcsc::Error::ResetCard => Error::Removed,
        pcsc::Error::UnresponsiveCard
        | pcsc::Error::UnpoweredCard
        | pcsc::Error::UnsupportedCard
        | pcsc::Error::NotTransacted
        | pcsc::Error::ProtoMismatch
        | pcsc::Error::CommDataLost => Error::Mute,
        pcsc::Error::SharingViolation => Error::Busy,
        // What pcscd says when polkit refuses access_card; where it refuses access_pcsc, it hangs up.
        pcsc::Error::SecurityViolation => Error::Forbidden,
        pcsc::Error::NoReadersAvailable | pcsc::Error::UnknownReader | pcsc::Error::ReaderUnavailable => {
            Error::NoReader
        }
        pcsc::Error::NoService
        | pcsc::Error::ServiceStopped
        | pcsc::Error::CommError
        | pcsc::Error::InvalidHandle
        | pcsc::Error::InternalError
        | pcsc::Error::NoAccess => Error::ServiceDown,
        // Stopped by ourselves, between two commands: nobody waits for an answer any more.
        pcsc::Error::Cancelled => Error::StaleInsertion,
        other => Error::Reader(other),
    }
}

/// 256 bytes and the status.
const ANSWER_LENGTH_MAX: usize = 258;
/// A CPS4's own applet answers on the second logical channel, which is open from the start.
const CPS4_CHANNEL: u8 = 1;
const CONTROL_LENGTH_MAX: usize = 256;
const CONNECT_TRIES: u32 = 6;
const CONNECT_PAUSE: Duration = Duration::from_millis(200);
