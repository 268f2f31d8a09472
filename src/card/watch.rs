//! `card-watch`: the one thread that waits for changes in the reader, and tells them.
//!
//! It sleeps in SCardGetStatusChange until pcscd wakes it; while there is no reader it looks again every two seconds,
//! because not every pcscd tells that one was plugged in. The count of insertions and removals in the upper half of the
//! state shows a card that was swapped between two looks for another of the same kind.
//!
//! A card that another program holds is looked at again and again until it is free, and is then a new insertion: whoever
//! was refused it is told that it is there.
//!
//! Never sends a command. When the service dies, the card in it is out at once, and the thread waits for the next service.

use crate::card::Error;
use crate::card::InReader;
use crate::card::Notice;
use crate::card::Options;
use crate::card::Shared;
use crate::card::work::meaning;
use std::ffi::CString;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use tokio::sync::mpsc;

/// How `card-work` ends the wait of `card-watch` when no handle is left.
#[derive(Default)]
pub(super) struct Stop {
    asked: AtomicBool,
    done: AtomicBool,
    context: Mutex<Option<pcsc::Context>>,
}

impl Stop {
    /// Asks until it is done: a cancellation that comes just before the wait begins is lost.
    pub(super) fn end(&self) {
        self.asked.store(true, Ordering::SeqCst);
        while !self.done.load(Ordering::SeqCst) {
            if let Some(context) = self.context() {
                // Fails when the service is down, and then there is no wait either.
                let _ = context.cancel();
            }
            thread::sleep(CANCEL_PAUSE);
        }
    }

    /// Ends the wait of `card-watch` once, so that it looks at what has changed on our side. One that is lost, because the
    /// wait had not begun, costs what a longer look costs.
    pub(super) fn wake(&self) {
        for _ in 0..WAKES {
            if let Some(context) = self.context() {
                let _ = context.cancel();
            }
            thread::sleep(CANCEL_PAUSE);
        }
    }

    fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    fn context(&self) -> Option<pcsc::Context> {
        self.context.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn waits_on(&self, context: Option<pcsc::Context>) {
        *self.context.lock().unwrap_or_else(PoisonError::into_inner) = context;
    }
}

/// Starts the thread.
pub(super) fn start(
    options: Options,
    notices: mpsc::Sender<Notice>,
    shared: Arc<Shared>,
    stop: Arc<Stop>,
) -> std::io::Result<()> {
    let watch = Watch { options, notices, shared, stop, reader_told: None, card: None, insertions: 0 };
    thread::Builder::new().name("card-watch".into()).spawn(move || watch.run())?;
    Ok(())
}

struct Watch {
    options: Options,
    notices: mpsc::Sender<Notice>,
    shared: Arc<Shared>,
    stop: Arc<Stop>,
    /// What was last told of the reader, so that nothing is told twice.
    reader_told: Option<Notice>,
    /// The card in the reader: its insertion, and the count of events when it was seen.
    card: Option<(u64, u32)>,
    insertions: u64,
}

/// Why a wait ended.
enum End {
    /// Nobody listens any more.
    Stop,
    Failed(Error),
    /// The list of readers may have changed.
    Readers,
}

impl Watch {
    fn run(mut self) {
        loop {
            match self.follow_service() {
                End::Stop => break,
                End::Readers => {}
                End::Failed(error) => {
                    tracing::debug!(%error, "reader watch failed");
                    let told = self.card_out().and_then(|()| self.tell_reader(Notice::ReaderTrouble(error)));
                    if told.is_err() || self.stop.is_asked() {
                        break;
                    }
                    thread::sleep(SERVICE_PAUSE);
                }
            }
        }
        self.stop.waits_on(None);
        self.stop.done.store(true, Ordering::SeqCst);
    }

    /// One life of the service.
    fn follow_service(&mut self) -> End {
        let context = match pcsc::Context::establish(pcsc::Scope::User) {
            Ok(context) => context,
            Err(error) => return End::Failed(meaning(error)),
        };
        self.stop.waits_on(Some(context.clone()));
        loop {
            match self.follow_reader(&context) {
                End::Readers => {}
                end => return end,
            }
        }
    }

    /// One reader, or the wait for one.
    fn follow_reader(&mut self, context: &pcsc::Context) -> End {
        let names = match context.list_readers_owned() {
            Ok(names) => names,
            Err(pcsc::Error::NoReadersAvailable) => Vec::new(),
            Err(error) => return End::Failed(meaning(error)),
        };
        let chosen = choose(&names, self.options.reader_name.as_deref());
        let mut states = vec![pcsc::ReaderState::new(pcsc::PNP_NOTIFICATION(), pcsc::State::UNAWARE)];
        states.extend(chosen.clone().map(|name| pcsc::ReaderState::new(name, pcsc::State::UNAWARE)));
        let told = match &chosen {
            Some(_) => self.tell_reader(Notice::ReaderReady),
            None => self.card_out().and_then(|()| self.tell_reader(Notice::ReaderAbsent)),
        };
        if told.is_err() {
            return End::Stop;
        }
        let patience = if chosen.is_some() { None } else { Some(READER_PAUSE) };
        loop {
            if self.stop.is_asked() || self.notices.is_closed() {
                return End::Stop;
            }
            let busy = self.busy();
            match context.get_status_change(if busy { Some(BUSY_PAUSE) } else { patience }, &mut states) {
                Ok(()) => {}
                Err(pcsc::Error::Timeout) if busy => {
                    match chosen.as_ref().map(|name| self.look_for_its_end(context, name)) {
                        Some(Err(_)) => return End::Stop,
                        _ => continue,
                    }
                }
                Err(pcsc::Error::Timeout | pcsc::Error::UnknownReader) => return End::Readers,
                Err(pcsc::Error::Cancelled) => continue,
                Err(error) => return End::Failed(meaning(error)),
            }
            if let (Some(name), Some(state)) = (&chosen, states.get(1)) {
                let now = state.event_state();
                if now.intersects(pcsc::State::UNKNOWN | pcsc::State::UNAVAILABLE | pcsc::State::IGNORE) {
                    if self.card_out().is_err() {
                        return End::Stop;
                    }
                    // The list may name it a moment longer.
                    thread::sleep(CANCEL_PAUSE);
                    return End::Readers;
                }
                let present = now.contains(pcsc::State::PRESENT);
                if self.card_is(present, state.event_count(), name, state.atr()).is_err() {
                    return End::Stop;
                }
            }
            states.iter_mut().for_each(pcsc::ReaderState::sync_current_state);
            if !still_there(context, &names) {
                return End::Readers;
            }
        }
    }

    /// The card in the reader is held by another program.
    fn busy(&self) -> bool {
        self.card.is_some_and(|(insertion, _)| self.shared.lock().busy == Some(insertion))
    }

    /// Once nobody holds it any more, the card is told of anew.
    fn look_for_its_end(&mut self, context: &pcsc::Context, name: &CString) -> Result<(), Gone> {
        let mut now = [pcsc::ReaderState::new(name.clone(), pcsc::State::UNAWARE)];
        let state = match context.get_status_change(Some(Duration::ZERO), &mut now) {
            Ok(()) => now[0].event_state(),
            // Whatever it is, the next wait says so.
            Err(_) => return Ok(()),
        };
        if state.contains(pcsc::State::PRESENT) && !state.intersects(pcsc::State::INUSE | pcsc::State::EXCLUSIVE) {
            let (count, atr) = (now[0].event_count(), now[0].atr().to_vec());
            self.card_out()?;
            return self.card_is(true, count, name, &atr);
        }
        Ok(())
    }

    /// What the reader says of its card.
    fn card_is(&mut self, present: bool, count: u32, reader: &CString, atr: &[u8]) -> Result<(), Gone> {
        match self.card {
            // One step of the count is the insertion itself, seen while the service was still writing it down.
            Some((insertion, before)) if present && count.wrapping_sub(before) & 0xFFFF < 2 => {
                self.card = Some((insertion, count));
                if !atr.is_empty() {
                    self.shared.put(Some(InReader { insertion, reader: reader.clone(), atr: atr.to_vec() }));
                }
                Ok(())
            }
            Some(_) if !present => self.card_out(),
            None if !present => Ok(()),
            _ => {
                self.card_out()?;
                self.insertions += 1;
                let insertion = self.insertions;
                self.card = Some((insertion, count));
                self.shared.put(Some(InReader { insertion, reader: reader.clone(), atr: atr.to_vec() }));
                self.tell(Notice::CardIn(insertion))
            }
        }
    }

    /// The card is out, if there was one. The shared state first: nobody has to wait for a notice to be taken.
    fn card_out(&mut self) -> Result<(), Gone> {
        let Some((insertion, _)) = self.card.take() else { return Ok(()) };
        self.shared.put(None);
        self.tell(Notice::CardOut(insertion))
    }

    fn tell_reader(&mut self, notice: Notice) -> Result<(), Gone> {
        if self.reader_told.as_ref() == Some(&notice) {
            return Ok(());
        }
        self.reader_told = Some(notice.clone());
        self.tell(notice)
    }

    fn tell(&self, notice: Notice) -> Result<(), Gone> {
        self.notices.blocking_send(notice).map_err(|_| Gone)
    }
}

/// Nobody takes notices any more.
struct Gone;

/// The reader whose name holds the wanted part; without one, the first that does not say that it is contactless.
fn choose(names: &[CString], wanted: Option<&str>) -> Option<CString> {
    let fits = |name: &&CString| {
        let name = name.to_string_lossy();
        match wanted {
            Some(part) => name.contains(part),
            None => !CONTACTLESS_WORDS.iter().any(|word| name.contains(word)),
        }
    };
    names.iter().find(fits).cloned()
}

fn still_there(context: &pcsc::Context, before: &[CString]) -> bool {
    context.list_readers_owned().is_ok_and(|now| now == before)
}

/// How drivers name a contactless slot.
const CONTACTLESS_WORDS: &[&str] = &["Contactless", "contactless", "CONTACTLESS", "PICC", "NFC", "-CL"];
const BUSY_PAUSE: Duration = Duration::from_millis(400);
const WAKES: usize = 3;
const SERVICE_PAUSE: Duration = Duration::from_millis(300);
const READER_PAUSE: Duration = Duration::from_secs(2);
const CANCEL_PAUSE: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str]) -> Vec<CString> {
        texts.iter().map(|text| CString::new(*text).expect("no zero byte")).collect()
    }

    #[test]
    fn the_wanted_reader_is_taken_or_the_first_in_contact() {
        let two = names(&["ACME Dual PICC 00 00", "ACME Dual ICC 00 01", "Other 01 00"]);
        assert_eq!(choose(&two, None), Some(two[1].clone()));
        assert_eq!(choose(&two, Some("Other")), Some(two[2].clone()));
        assert_eq!(choose(&two, Some("PICC")), Some(two[0].clone()));
        assert_eq!(choose(&two, Some("Absent")), None);
        assert_eq!(choose(&[], None), None);
    }
}
