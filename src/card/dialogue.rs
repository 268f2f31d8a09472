//! What is said to a CPS, over any transport: a closure that takes a command's bytes and gives the answer's.
//!
//! Only AIDs, the places that are the same on every card, and the fall-backs for what a card leaves out are written here;
//! everything else is found in the card's own directories. A transport's error ends the dialogue at once and is handed on
//! as it is: a card that is pulled while it checks a PIN is `Removed`, never a wrong PIN.
//!
//! - `find` what needs no PIN, one file at a time
//! - `memory` what need not be read again
//! - here: the line, the PIN, the signature

mod find;
mod memory;

use crate::card::Error;
use crate::card::PINPAD_PATIENCE;
use crate::card::generation::Generation;
use crate::card::pinpad;
use crate::card::pinpad::Said;
use crate::card::pkcs15;
use crate::card::pkcs15::PinRules;
use crate::card::words;
use crate::card::words::Command;
use crate::card::words::Framing;
use crate::card::words::Status;
use crate::identity::holder::Situation;
use crate::identity::situations;
use crate::identity::statement::SignedInfo;
use crate::identity::statement::Statement;
use crate::secret::Pin;
use aws_lc_rs::digest;
use zeroize::Zeroizing;

pub(super) use find::Found;
pub(super) use memory::Memory;

/// Sends one command and brings its answer, status included.
pub(super) type Transport<'a> = dyn FnMut(&[u8]) -> Result<Vec<u8>, Error> + 'a;

/// A card that can be spoken to: how, and what it is.
pub(super) struct Line<'a> {
    pub(super) transport: &'a mut Transport<'a>,
    /// The reader's own, if a PIN is to be typed there.
    pub(super) keys: Option<Keys<'a>>,
    pub(super) framing: Framing,
    pub(super) generation: Generation,
    /// The application is the chosen one, so that a signature need not choose it again.
    pub(super) is_chosen: bool,
}

/// Asks for a PIN on the reader: takes the structure that says how, and brings what the card, or the reader, said.
pub(super) struct Keys<'a> {
    pub(super) ask: Box<Transport<'a>>,
}

/// What one command brought.
struct Answer {
    data: Zeroizing<Vec<u8>>,
    status: Status,
    /// The card said by `6Cxx` how many bytes there are.
    is_exact: bool,
}

/// How many tries are left, without costing one. `None`: the card does not say.
pub(super) fn tries_left(card: &mut Line<'_>, found: &Found) -> Result<Option<u8>, Error> {
    let mut status = card.exchange(Command::tries_left(found.pin.reference))?.status;
    if status == APPLET_LOST && card.generation == Generation::Cps4 {
        find::select_applet(card)?;
        status = card.exchange(Command::tries_left(found.pin.reference))?.status;
    }
    match status {
        Status::WrongPin { tries_left } => return Ok(Some(tries_left)),
        Status::Blocked { .. } => return Ok(Some(0)),
        // 9000: the PIN is still good from before, and the counter is not told. Others: the card wants it otherwise.
        _ => {}
    }
    // It is an object of the root.
    card.exchange(Command::select_path("selecting the root", &pkcs15::MASTER_FILE))?;
    let answer = card.exchange(Command::pin_object(found.pin.reference))?;
    Ok(if answer.status == Status::Done { pkcs15::tries_left(&answer.data) } else { None })
}

/// VERIFY once, then a signature.
pub(super) fn login(card: &mut Line<'_>, found: &Found, pin: &Pin, statement: &Statement) -> Result<Vec<u8>, Error> {
    if !(usize::from(found.pin.digits_min)..=usize::from(found.pin.digits_max)).contains(&pin.count()) {
        return Err(Error::PinLength);
    }
    if tries_left(card, found)? == Some(0) {
        return Err(Error::Blocked);
    }
    let command = Command::verify(found.pin.reference, &padded(pin, found.pin.padding));
    let step = command.step;
    let status = card.exchange(command)?.status;
    after_verify(card, found, step, status)?;
    sign(card, found, statement)
}

/// VERIFY once, with the PIN from the reader's keys, then a signature.
pub(super) fn login_on_reader(card: &mut Line<'_>, found: &Found, statement: &Statement) -> Result<Vec<u8>, Error> {
    if tries_left(card, found)? == Some(0) {
        return Err(Error::Blocked);
    }
    let PinRules { reference, digits_min, digits_max, padding, .. } = found.pin;
    let patience_s = PINPAD_PATIENCE.as_secs() as u8;
    let asked = pinpad::verify_structure(reference, (digits_min, digits_max), padding, card.framing, patience_s);
    let keys = card.keys.as_mut().ok_or(Error::PinNeeded)?;
    let answer = (keys.ask)(&asked)?;
    let (_, status) = words::split(&answer).ok_or(Error::Mute)?;
    match pinpad::said_by_keys(status.word()) {
        Some(Said::TimedOut) => return Err(Error::PinTimedOut),
        Some(Said::Cancelled) => return Err(Error::PinCancelled),
        Some(Said::WrongLength) => return Err(Error::PinLength),
        Some(Said::Refused(status)) => return Err(Error::Dialogue { step: CHECKING_ON_READER, status }),
        None => after_verify(card, found, CHECKING_ON_READER, status)?,
    }
    sign(card, found, statement)
}

/// What the card said of a PIN.
fn after_verify(card: &mut Line<'_>, found: &Found, step: &'static str, status: Status) -> Result<(), Error> {
    match status {
        Status::Done => Ok(()),
        Status::WrongPin { tries_left } => Err(Error::WrongPin { tries_left }),
        Status::Blocked { .. } => Err(Error::Blocked),
        Status::Other(WRONG_LENGTH) => Err(Error::PinLength),
        // It was not looked at, and is not sent once more: whoever typed it is asked again.
        APPLET_LOST if card.generation == Generation::Cps4 => {
            find::select_applet(card)?;
            Err(Error::PinUnchecked)
        }
        // "No information given", which cards answer that do not count aloud.
        Status::Other(0x6300) => match tries_left(card, found)? {
            Some(0) => Err(Error::Blocked),
            Some(tries_left) => Err(Error::WrongPin { tries_left }),
            None => Err(Error::Dialogue { step, status: 0x6300 }),
        },
        other => Err(Error::Dialogue { step, status: other.word() }),
    }
}

/// A signature under the authentication key, verified before anyone uses it: a faulty card, or another one, must not become
/// a key or a proof.
pub(super) fn sign(card: &mut Line<'_>, found: &Found, statement: &Statement) -> Result<Vec<u8>, Error> {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, statement.message()).as_ref());
    let signature = card.with_applet(|card| ask_to_sign(card, found, &hash))?;
    found.certificate.verify_signature(statement.message(), &signature).map_err(|_| Error::SignatureRefused)?;
    card.is_chosen = true;
    Ok(signature.to_vec())
}

/// A signature under the key that signs documents, verified likewise. `own` is what the login was made by.
pub(super) fn sign_document(
    card: &mut Line<'_>,
    own: &Found,
    pen: &Found,
    info: &SignedInfo,
) -> Result<Vec<u8>, Error> {
    // Nobody was asked for that PIN, and none is sent twice.
    if pen.pin.reference != own.pin.reference {
        return Err(Error::OtherPin);
    }
    if !card.is_chosen {
        card.demand(Command::select_path("selecting the application", &pen.application))?;
    }
    card.is_chosen = false;
    card.demand(Command::set_signature(pen.key_reference, info.hash()))?;
    let signature = card.demand(Command::sign_document(&info.digest())).map_err(|error| match error {
        // The one that was taken does not count for it.
        Error::PinNeeded => Error::OtherPin,
        other => other,
    })?;
    pen.certificate.verify_document(info, &signature).map_err(|_| Error::SignatureRefused)?;
    card.is_chosen = true;
    Ok(signature.to_vec())
}

fn ask_to_sign(card: &mut Line<'_>, found: &Found, hash: &[u8; 32]) -> Result<Zeroizing<Vec<u8>>, Error> {
    if !card.is_chosen {
        card.demand(Command::select_path("selecting the application", &found.application))?;
    }
    // Until it has signed, nobody knows: a card that says no is asked from the start the next time.
    card.is_chosen = false;
    match card.generation {
        Generation::Cps4 => {
            card.demand(Command::set_deciphering(found.key_reference))?;
            let [first, last] = Command::decipher(hash);
            card.demand(first)?;
            card.demand(last)
        }
        _ => {
            card.demand(Command::set_authentication(found.key_reference))?;
            card.demand(Command::internal_authenticate(hash))
        }
    }
}

/// Where the holder works, once the PIN was taken. A card has as many files as it has situations; the first that is missing,
/// empty or guarded otherwise ends them.
pub(super) fn situations(card: &mut Line<'_>, found: &Found) -> Result<Vec<Situation>, Error> {
    let mut all = Vec::new();
    for id in SITUATIONS {
        let path = pkcs15::absolute(&found.application, &id.to_be_bytes());
        match find::file(card, "CPS_ACTIVITY", &path) {
            Ok(Some(bytes)) => match situations::read(&bytes) {
                Some(situation) if !all.contains(&situation) => all.push(situation),
                Some(_) => {}
                None => break,
            },
            // The card says no to this file: that is an answer. Anything below it is not.
            Ok(None) | Err(Error::Dialogue { .. } | Error::Unreadable { .. }) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

impl Line<'_> {
    /// Does it once more, with its applet chosen again, where a CPS4 had lost that. If its PIN went with it, it says so then.
    /// Never for a PIN: that is sent once.
    fn with_applet<T>(&mut self, mut act: impl FnMut(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        match act(self) {
            Err(Error::Dialogue { status, .. })
                if self.generation == Generation::Cps4 && status == APPLET_LOST.word() =>
            {
                find::select_applet(self)?;
                act(self)
            }
            done => done,
        }
    }

    /// A command that must be done, and what it answers.
    fn demand(&mut self, command: Command) -> Result<Zeroizing<Vec<u8>>, Error> {
        let step = command.step;
        let answer = self.exchange(command)?;
        match answer.status {
            Status::Done => Ok(answer.data),
            Status::PinNeeded => Err(Error::PinNeeded),
            other => Err(Error::Dialogue { step, status: other.word() }),
        }
    }

    /// One command with what follows from it: `61xx` is fetched until nothing waits, `6Cxx` is asked again.
    fn exchange(&mut self, command: Command) -> Result<Answer, Error> {
        let step = command.step;
        self.is_chosen &= !command.is_selecting();
        let mut collected = Zeroizing::new(Vec::new());
        let mut command = command;
        let mut is_exact = false;
        let mut last = 0;
        for _ in 0..ROUNDS_MAX {
            let answer = Zeroizing::new((self.transport)(&command.framed(self.framing))?);
            let (data, status) = words::split(&answer).ok_or(Error::Mute)?;
            last = status.word();
            match status {
                Status::More { waiting } => {
                    keep(&mut collected, data);
                    command = Command::get_response(step, waiting);
                }
                Status::ExactLength { length } => match command.with_exact_length(length) {
                    Some(again) => {
                        is_exact = true;
                        command = again;
                    }
                    None => return Ok(Answer { data: collected, status, is_exact }),
                },
                status => {
                    keep(&mut collected, data);
                    return Ok(Answer { data: collected, status, is_exact });
                }
            }
        }
        Err(Error::Dialogue { step, status: last })
    }
}

/// Room for a signature at once: a vector that grew would leave its old bytes behind.
fn keep(collected: &mut Zeroizing<Vec<u8>>, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    if collected.capacity() == 0 {
        collected.reserve_exact(2 * ANSWER_LENGTH_MAX);
    }
    collected.extend_from_slice(data);
}

/// The digits as the card wants them.
fn padded(pin: &Pin, padding: Option<(u8, u8)>) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(PADDED_LENGTH_MAX));
    bytes.extend_from_slice(pin.show_to_card());
    if let Some((length, byte)) = padding {
        let length = usize::from(length).clamp(bytes.len(), PADDED_LENGTH_MAX);
        bytes.resize(length, byte);
    }
    bytes
}

/// CPS_ACTIVITY_01_PS to CPS_ACTIVITY_16_PS.
const SITUATIONS: std::ops::RangeInclusive<u16> = 0xD120..=0xD12F;
const CHECKING_ON_READER: &str = "checking the PIN on the reader";
const WRONG_LENGTH: u16 = 0x6700;
/// What a CPS4 says when its other application has been chosen meanwhile.
const APPLET_LOST: Status = Status::Other(0x6985);
const ANSWER_LENGTH_MAX: usize = 256;
const PADDED_LENGTH_MAX: usize = 16;
/// An answer in parts of 16 bytes still fits; a card that never ends does not.
const ROUNDS_MAX: usize = 64;

#[cfg(test)]
mod tests;
