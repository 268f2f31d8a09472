//! What is known of the card in the reader: read from it since it came in, or recalled from an earlier visit.
//!
//! What is recalled is believed as far as the card bears it out: its stamp (EF_ACTUA) must be that of then, and its first
//! signature must verify under the certificate of then. A card that does not is [`Error::NotAsKnown`], and from then on is
//! read as if it had never been here. The tries left are asked of the card each time.

use crate::card::Error;
use crate::card::dialogue;
use crate::card::dialogue::Line;
use crate::card::dialogue::find;
use crate::card::dialogue::find::Found;
use crate::card::generation::Generation;
use crate::card::known::Known;
use crate::card::pkcs15;
use crate::card::words::Command;
use crate::card::words::Status;
use crate::identity::holder::Situation;

#[derive(Default)]
pub(in crate::card) struct Memory {
    /// `Some(None)`: the card tells none.
    serial: Option<Option<String>>,
    /// As `serial`.
    stamp: Option<Option<Vec<u8>>>,
    found: Option<Found>,
    /// The key that signs documents, once it was asked for.
    pen: Option<Found>,
    situations: Option<Vec<Situation>>,
    /// From an earlier visit, and not borne out by a signature yet.
    is_recalled: bool,
    /// A signature of this card has verified.
    is_proven: bool,
    /// Nothing was read that was not known.
    has_nothing_new: bool,
}

impl Memory {
    /// Under which number the card may be known: one command, in a CPS3.
    pub(in crate::card) fn serial(&mut self, card: &mut Line<'_>) -> Result<Option<String>, Error> {
        if self.serial.is_none() {
            self.serial = Some(find::serial(card)?);
        }
        Ok(self.serial.clone().flatten())
    }

    /// Takes over what was known under this card's number, unless the card has been changed since.
    pub(in crate::card) fn recall(&mut self, card: &mut Line<'_>, known: Known) -> Result<(), Error> {
        if self.found.is_some() || known.generation != card.generation || self.serial(card)? != known.found.serial {
            return Ok(());
        }
        if *self.stamp(card)? != known.stamp {
            return Ok(());
        }
        // A PIN of the application's own (bit 8 of its reference, ISO 7816-4 §11.6.6) is not to be asked for from elsewhere.
        if known.found.pin.reference & LOCAL != 0 {
            card.demand(Command::select_path("selecting the application", &known.found.application))?;
        }
        self.situations = known.situations.filter(|_| known.stamp.is_some());
        self.has_nothing_new = known.stamp.is_none() || self.situations.is_some();
        self.found = Some(known.found);
        self.is_recalled = true;
        Ok(())
    }

    /// Whether the files have been read, or need not be.
    pub(in crate::card) fn is_found(&self) -> bool {
        self.found.is_some()
    }

    /// Does something with the card that may end in a signature, reading its files first if need be.
    pub(in crate::card) fn with_found<T>(
        &mut self,
        card: &mut Line<'_>,
        act: impl FnOnce(&mut Line<'_>, &Found) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let found = match self.found.take() {
            Some(found) => found,
            None => self.read(card)?,
        };
        let result = act(card, &found);
        if self.is_recalled && matches!(result, Err(Error::SignatureRefused)) {
            // Its number and its stamp are its own; all else was another's, or is no longer so.
            (self.is_recalled, self.situations, self.has_nothing_new) = (false, None, false);
            return Err(Error::NotAsKnown);
        }
        self.found = Some(found);
        result
    }

    /// Does something with the key that signs documents, beside the one that logged in; its files are read at the first time.
    pub(in crate::card) fn with_pen<T>(
        &mut self,
        card: &mut Line<'_>,
        act: impl FnOnce(&mut Line<'_>, &Found, &Found) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let own = self.found.as_ref().ok_or(Error::PinNeeded)?;
        let pen = match self.pen.take() {
            Some(pen) => pen,
            None => find::find_pen(card, own.serial.clone())?,
        };
        let result = act(card, own, &pen);
        self.pen = Some(pen);
        result
    }

    fn read(&mut self, card: &mut Line<'_>) -> Result<Found, Error> {
        let found = match self.serial.clone() {
            Some(serial) => find::find_below(card, serial)?,
            None => find::find(card)?,
        };
        self.serial = Some(found.serial.clone());
        Ok(found)
    }

    /// The card has signed, and its signature has verified.
    pub(in crate::card) fn is_borne_out(&mut self) {
        (self.is_recalled, self.is_proven) = (false, true);
    }

    /// Where the holder works: as it was known, under the same stamp; else read, which needs the PIN.
    pub(in crate::card) fn situations(&mut self, card: &mut Line<'_>) -> Result<Vec<Situation>, Error> {
        if let Some(known) = &self.situations {
            return Ok(known.clone());
        }
        // Before the files: a change between the two is then seen the next time.
        let has_stamp = self.stamp(card)?.is_some();
        let all = self.with_found(card, dialogue::situations)?;
        if has_stamp {
            self.situations = Some(all.clone());
        }
        Ok(all)
    }

    /// What is worth being written down; only of a card that has proven its key, and has a number.
    pub(in crate::card) fn learnt(&self, generation: Generation) -> Option<Known> {
        let found = self.found.clone().filter(|found| found.serial.is_some())?;
        let stamp = self.stamp.clone()?;
        let worth = self.is_proven && !self.has_nothing_new;
        worth.then(|| Known { generation, found, stamp, situations: self.situations.clone() })
    }

    fn stamp(&mut self, card: &mut Line<'_>) -> Result<&Option<Vec<u8>>, Error> {
        if self.stamp.is_none() {
            self.stamp = Some(read_stamp(card)?);
        }
        Ok(self.stamp.as_ref().unwrap_or(&None))
    }
}

/// EF_ACTUA. One that is empty, or not to be read, is none.
fn read_stamp(card: &mut Line<'_>) -> Result<Option<Vec<u8>>, Error> {
    let selected = card.exchange(Command::select_path("EF_ACTUA", &STAMP_PATH))?.status;
    if selected != Status::Done {
        return Ok(None);
    }
    let answer = card.exchange(Command::read_binary("EF_ACTUA", 0, STAMP_LENGTH))?;
    let is_read = matches!(answer.status, Status::Done | Status::EndOfFile);
    Ok(Some(answer.data.to_vec()).filter(|bytes| is_read && !bytes.is_empty()))
}

const STAMP_PATH: [u8; 4] = [pkcs15::MASTER_FILE[0], pkcs15::MASTER_FILE[1], 0xD0, 0x10];
/// Template EC with two times of seven bytes.
const STAMP_LENGTH: u8 = 20;
const LOCAL: u8 = 0x80;
