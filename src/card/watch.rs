//! `card-watch`: the one thread that waits for changes in the readers, and tells them.
//!
//! It sleeps in SCardGetStatusChange until pcscd wakes it; while there is no reader it looks again every two seconds,
//! because not every pcscd tells that one was plugged in. The count of insertions and removals in the upper half of the
//! state shows a card that was swapped between two looks for another of the same kind.
//!
//! All readers are watched, or the one that the settings name. The first card in is the card; another one waits in its
//! reader until that is out, and is told of. A slot without contacts is watched so that a card held to it can be refused
//! with a reason: a card in contact goes before it, not least because a dual reader may show one card in both its slots.
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
use crate::card::threads;
use crate::card::work::meaning;
use std::ffi::CString;
use std::sync::Arc;
use std::sync::Condvar;
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
    done: Mutex<bool>,
    is_done: Condvar,
    context: Mutex<Option<pcsc::Context>>,
}

impl Stop {
    /// Asks until it is done: a cancellation that comes just before the wait begins is lost.
    pub(super) fn end(&self) {
        self.asked.store(true, Ordering::SeqCst);
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        while !*done {
            if let Some(context) = self.context() {
                // Fails when the service is down, and then there is no wait either.
                let _ = context.cancel();
            }
            done = self.is_done.wait_timeout(done, CANCEL_PAUSE).unwrap_or_else(PoisonError::into_inner).0;
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
    let watch =
        Watch { options, notices, shared, stop, reader_told: None, other_told: false, card: None, insertions: 0 };
    threads::spawn("card-watch", move || watch.run())
}

struct Watch {
    options: Options,
    notices: mpsc::Sender<Notice>,
    shared: Arc<Shared>,
    stop: Arc<Stop>,
    /// What was last told of the readers, so that nothing is told twice.
    reader_told: Option<Notice>,
    /// It was told that another card waits.
    other_told: bool,
    card: Option<Taken>,
    insertions: u64,
}

/// The card that is taken.
struct Taken {
    insertion: u64,
    reader: CString,
    is_contactless: bool,
    /// The reader's count of events when it was seen.
    count: u32,
}

/// A reader, or one slot of it, as it was last seen.
struct Slot<'a> {
    name: &'a CString,
    is_contactless: bool,
    /// Listed still, and not to be spoken to: it is being unplugged, or its driver fails.
    is_lost: bool,
    is_present: bool,
    count: u32,
    atr: &'a [u8],
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
                    let told = self.look(&[]).and_then(|()| self.tell_reader(Notice::ReaderTrouble(error)));
                    if told.is_err() || self.stop.is_asked() {
                        break;
                    }
                    thread::sleep(SERVICE_PAUSE);
                }
            }
        }
        self.stop.waits_on(None);
        *self.stop.done.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.is_done.notify_all();
    }

    /// One life of the service.
    fn follow_service(&mut self) -> End {
        let context = match pcsc::Context::establish(pcsc::Scope::User) {
            Ok(context) => context,
            Err(error) => return End::Failed(meaning(error)),
        };
        self.stop.waits_on(Some(context.clone()));
        loop {
            match self.follow_readers(&context) {
                End::Readers => {}
                end => return end,
            }
        }
    }

    /// One list of readers, or the wait for one.
    fn follow_readers(&mut self, context: &pcsc::Context) -> End {
        let names = match context.list_readers_owned() {
            Ok(names) => names,
            Err(pcsc::Error::NoReadersAvailable) => Vec::new(),
            Err(error) => return End::Failed(meaning(error)),
        };
        let chosen = choose(&names, self.options.reader_name.as_deref());
        let mut states = vec![pcsc::ReaderState::new(pcsc::PNP_NOTIFICATION(), pcsc::State::UNAWARE)];
        states.extend(chosen.iter().map(|name| pcsc::ReaderState::new(name.clone(), pcsc::State::UNAWARE)));
        // What is known of a reader that is no longer listed is over.
        if chosen.is_empty() && self.look(&[]).and_then(|()| self.tell_reader(Notice::ReaderAbsent)).is_err() {
            return End::Stop;
        }
        loop {
            if self.stop.is_asked() || self.notices.is_closed() {
                return End::Stop;
            }
            let slots: Vec<Slot<'_>> = chosen.iter().zip(&states[1..]).map(|(name, state)| slot(name, state)).collect();
            let patience = match slots.as_slice() {
                _ if self.busy() => Some(BUSY_PAUSE),
                slots if slots.iter().any(|slot| slot.is_lost) => Some(LOST_PAUSE),
                slots if slots.iter().all(|slot| slot.is_contactless) => Some(READER_PAUSE),
                _ => None,
            };
            let busy = self.busy();
            match context.get_status_change(patience, &mut states) {
                Ok(()) => {}
                Err(pcsc::Error::Timeout) if busy => match self.look_for_its_end(context) {
                    Err(Gone) => return End::Stop,
                    Ok(()) => continue,
                },
                Err(pcsc::Error::Timeout | pcsc::Error::UnknownReader) => return End::Readers,
                Err(pcsc::Error::Cancelled) => continue,
                Err(error) => return End::Failed(meaning(error)),
            }
            let slots: Vec<Slot<'_>> = chosen.iter().zip(&states[1..]).map(|(name, state)| slot(name, state)).collect();
            if self.tell_all(&slots).is_err() {
                return End::Stop;
            }
            states.iter_mut().for_each(pcsc::ReaderState::sync_current_state);
            if !still_there(context, &names) {
                return End::Readers;
            }
        }
    }

    /// Whether there is a reader, then its card: but when the last reader has gone, first that its card went with it.
    fn tell_all(&mut self, slots: &[Slot<'_>]) -> Result<(), Gone> {
        if slots.iter().any(|slot| !slot.is_contactless && !slot.is_lost) {
            self.tell_reader(Notice::ReaderReady)?;
            return self.look(slots);
        }
        self.look(slots)?;
        self.tell_reader(Notice::ReaderAbsent)
    }

    /// The card that is taken is held by another program.
    fn busy(&self) -> bool {
        self.card.as_ref().is_some_and(|card| self.shared.lock().busy == Some(card.insertion))
    }

    /// Once nobody holds it any more, the card is told of anew.
    fn look_for_its_end(&mut self, context: &pcsc::Context) -> Result<(), Gone> {
        let Some(name) = self.card.as_ref().map(|card| card.reader.clone()) else { return Ok(()) };
        let mut now = [pcsc::ReaderState::new(name.clone(), pcsc::State::UNAWARE)];
        let state = match context.get_status_change(Some(Duration::ZERO), &mut now) {
            Ok(()) => now[0].event_state(),
            // Whatever it is, the next wait says so.
            Err(_) => return Ok(()),
        };
        if state.contains(pcsc::State::PRESENT) && !state.intersects(pcsc::State::INUSE | pcsc::State::EXCLUSIVE) {
            self.card_out()?;
            return self.take(&slot(&name, &now[0]));
        }
        Ok(())
    }

    /// What lies in the readers now, and which of it is the card.
    fn look(&mut self, slots: &[Slot<'_>]) -> Result<(), Gone> {
        if let Some(card) = &mut self.card {
            let own = slots.iter().find(|slot| slot.is_present && *slot.name == card.reader);
            match own {
                // One step of the count is the insertion itself, seen while the service was still writing it down.
                Some(slot) if slot.count.wrapping_sub(card.count) & 0xFFFF < 2 => {
                    card.count = slot.count;
                    if !slot.atr.is_empty() {
                        self.shared.put(Some(in_reader(card.insertion, slot)));
                    }
                }
                Some(slot) => {
                    self.card_out()?;
                    self.take(slot)?;
                }
                None => self.card_out()?,
            }
        }
        let in_contact = slots.iter().find(|slot| slot.is_present && !slot.is_contactless);
        match (&self.card, in_contact) {
            (None, Some(slot)) => self.take(slot)?,
            (None, None) => {
                if let Some(slot) = slots.iter().find(|slot| slot.is_present) {
                    self.take(slot)?;
                }
            }
            (Some(card), Some(slot)) if card.is_contactless => {
                self.card_out()?;
                self.take(slot)?;
            }
            (Some(card), _) if !self.other_told && self.shared.refuses(card.insertion).is_some() => {
                // Its reader may be stuck, so that nobody sees it go: it gives way to the card that comes in elsewhere.
                if let Some(slot) = self.others(slots).next() {
                    self.card_out()?;
                    self.take(slot)?;
                }
            }
            (Some(_), _) => {}
        }
        let waits = self.others(slots).next().is_some();
        if std::mem::replace(&mut self.other_told, waits) != waits {
            self.tell(Notice::OtherCard(waits))?;
        }
        Ok(())
    }

    /// Cards beside the one that is taken.
    fn others<'a>(&self, slots: &'a [Slot<'a>]) -> impl Iterator<Item = &'a Slot<'a>> + use<'a> {
        let own = self.card.as_ref().map(|card| card.reader.clone());
        let is_other = move |slot: &&Slot<'_>| own.as_ref().is_some_and(|own| own != slot.name);
        slots.iter().filter(|slot| slot.is_present && !slot.is_contactless).filter(is_other)
    }

    fn take(&mut self, slot: &Slot<'_>) -> Result<(), Gone> {
        self.insertions += 1;
        let insertion = self.insertions;
        let Slot { name, is_contactless, count, .. } = *slot;
        self.card = Some(Taken { insertion, reader: name.clone(), is_contactless, count });
        self.shared.put(Some(in_reader(insertion, slot)));
        self.tell(Notice::CardIn(insertion))
    }

    /// The card is out, if there was one. The shared state first: nobody has to wait for a notice to be taken.
    fn card_out(&mut self) -> Result<(), Gone> {
        let Some(card) = self.card.take() else { return Ok(()) };
        self.shared.put(None);
        self.tell(Notice::CardOut(card.insertion))
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

fn slot<'a>(name: &'a CString, state: &'a pcsc::ReaderState) -> Slot<'a> {
    let now = state.event_state();
    Slot {
        name,
        is_contactless: is_contactless(name),
        is_lost: now.intersects(pcsc::State::UNKNOWN | pcsc::State::UNAVAILABLE | pcsc::State::IGNORE),
        is_present: now.contains(pcsc::State::PRESENT),
        count: state.event_count(),
        atr: state.atr(),
    }
}

fn in_reader(insertion: u64, slot: &Slot<'_>) -> InReader {
    let Slot { name, is_contactless, atr, .. } = *slot;
    InReader { insertion, reader: name.clone(), atr: atr.to_vec(), is_contactless }
}

/// Which readers are watched: all, or the first whose name holds the wanted part, one in contact before others.
fn choose(names: &[CString], wanted: Option<&str>) -> Vec<CString> {
    let Some(part) = wanted else { return names.to_vec() };
    let fits = || names.iter().filter(|name| name.to_string_lossy().contains(part));
    fits().find(|name| !is_contactless(name)).or_else(|| fits().next()).cloned().into_iter().collect()
}

fn is_contactless(name: &CString) -> bool {
    let name = name.to_string_lossy();
    CONTACTLESS_WORDS.iter().any(|word| name.contains(word))
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
/// While a reader is listed and fails: it is either gone in a moment, or back.
const LOST_PAUSE: Duration = Duration::from_millis(300);
const CANCEL_PAUSE: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str]) -> Vec<CString> {
        texts.iter().map(|text| CString::new(*text).expect("no zero byte")).collect()
    }

    #[test]
    fn all_readers_are_watched_or_the_wanted_one_in_contact() {
        let two = names(&["ACME Dual PICC 00 00", "ACME Dual ICC 00 01", "Other 01 00"]);
        assert_eq!(choose(&two, None), two);
        assert_eq!(choose(&two, Some("Other")), [two[2].clone()]);
        assert_eq!(choose(&two, Some("ACME")), [two[1].clone()]);
        assert_eq!(choose(&two, Some("PICC")), [two[0].clone()]);
        assert!(choose(&two, Some("Absent")).is_empty() && choose(&[], None).is_empty());
        let contactless: Vec<bool> = two.iter().map(is_contactless).collect();
        assert_eq!(contactless, [true, false, false]);
    }

    /// A watch over readers that are only described, and what it told.
    struct Told {
        watch: Watch,
        notices: mpsc::Receiver<Notice>,
    }

    impl Told {
        fn new() -> Told {
            let (tell, notices) = mpsc::channel(16);
            let (shared, stop, options) = (Arc::default(), Arc::default(), Options::default());
            let (reader_told, card) = (None, None);
            let watch =
                Watch { options, notices: tell, shared, stop, reader_told, other_told: false, card, insertions: 0 };
            Told { watch, notices }
        }

        /// Name, whether a card is in, and the count of events.
        fn sees(&mut self, now: &[(&str, bool, u32)]) -> Vec<Notice> {
            let all = names(&now.iter().map(|(name, ..)| *name).collect::<Vec<&str>>());
            let slot = |(name, (_, is_present, count)): (&'static CString, &(&str, bool, u32))| Slot {
                name,
                is_contactless: is_contactless(name),
                is_lost: false,
                is_present: *is_present,
                count: *count,
                atr: &[0x3B],
            };
            let all: &'static [CString] = all.leak();
            let slots: Vec<Slot<'_>> = all.iter().zip(now).map(slot).collect();
            assert!(self.watch.tell_all(&slots).is_ok());
            std::iter::from_fn(|| self.notices.try_recv().ok()).collect()
        }
    }

    #[test]
    fn one_card_at_a_time_is_the_card() {
        use Notice::*;
        let mut told = Told::new();
        assert_eq!(told.sees(&[("A", false, 0), ("B", false, 0)]), [ReaderReady]);
        assert_eq!(told.sees(&[("A", false, 0), ("B", true, 1)]), [CardIn(1)]);
        assert_eq!(told.sees(&[("A", true, 1), ("B", true, 1)]), [OtherCard(true)]);
        assert_eq!(told.sees(&[("A", true, 1), ("B", true, 2)]), [], "one step late");
        assert_eq!(told.sees(&[("A", true, 1), ("B", true, 4)]), [CardOut(1), CardIn(2)], "swapped between two looks");
        assert_eq!(told.sees(&[("A", true, 1), ("B", false, 5)]), [CardOut(2), CardIn(3), OtherCard(false)]);
        assert_eq!(told.watch.card.as_ref().map(|card| card.reader.as_c_str()), Some(c"A"));
        assert_eq!(told.sees(&[("B", false, 5)]), [CardOut(3)], "unplugged with its card in it");
        assert_eq!(told.sees(&[]), [ReaderAbsent]);
    }

    #[test]
    fn a_mute_card_gives_way_to_one_that_comes_in_elsewhere() {
        use Notice::*;
        let mut told = Told::new();
        assert_eq!(told.sees(&[("A", true, 1), ("B", false, 0)]), [ReaderReady, CardIn(1)]);
        told.watch.shared.lock().duty.is_now_mute(1);
        assert_eq!(told.sees(&[("A", true, 1), ("B", true, 1)]), [CardOut(1), CardIn(2), OtherCard(true)]);
        assert_eq!(told.sees(&[("A", true, 1), ("B", false, 2)]), [CardOut(2), CardIn(3), OtherCard(false)]);
    }

    #[test]
    fn a_card_in_contact_goes_before_one_that_is_held_to_a_slot() {
        use Notice::*;
        let mut told = Told::new();
        assert_eq!(told.sees(&[("A PICC", true, 1)]), [CardIn(1), ReaderAbsent], "no reader that can be used");
        assert_eq!(told.sees(&[("A PICC", true, 1), ("A ICC", true, 1)]), [ReaderReady, CardOut(1), CardIn(2)]);
        assert!(told.watch.shared.card(2).is_some_and(|card| !card.is_contactless));
        assert_eq!(told.sees(&[("A PICC", false, 2), ("A ICC", true, 1)]), []);
        assert_eq!(told.sees(&[("A PICC", true, 3), ("A ICC", false, 2)]), [CardOut(2), CardIn(3)]);
        assert!(told.watch.shared.card(3).is_some_and(|card| card.is_contactless));
    }
}
