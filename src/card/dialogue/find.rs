//! Everything that a card tells without its PIN, in as few commands as its files allow.
//!
//! One file at a step: a [`Search`] holds what is known and what is to be read next, and is a plain value between two
//! steps. The object directory is asked for where it is on every card that was seen; only a card that has it elsewhere is
//! asked for EF.ATR and EF.DIR. No file's size is asked for: a read that is too long is answered by the right length.

use crate::card::Error;
use crate::card::dialogue::APPLET_LOST;
use crate::card::dialogue::Line;
use crate::card::generation::Generation;
use crate::card::pkcs15;
use crate::card::pkcs15::CertificateAt;
use crate::card::words;
use crate::card::words::Command;
use crate::card::words::Status;
use crate::identity::certificate::Certificate;
use crate::identity::certificate::KeyUse;

/// What was found on the card: all that a login or a signature needs later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::card) struct Found {
    pub(in crate::card) serial: Option<String>,
    pub(in crate::card) certificate: Certificate,
    pub(in crate::card) pin: pkcs15::PinRules,
    pub(in crate::card) key_reference: u8,
    /// Path of the application's folder.
    pub(in crate::card) application: Vec<u8>,
}

/// Reads everything that needs no PIN.
pub(super) fn find(card: &mut Line<'_>) -> Result<Found, Error> {
    to_the_end(Search::new(), card)
}

/// The same, from a card that has told its number.
pub(super) fn find_below(card: &mut Line<'_>, serial: Option<String>) -> Result<Found, Error> {
    to_the_end(Search::below(serial), card)
}

/// The key that signs documents, with its certificate: as [`find`], by the card's own directories.
pub(in crate::card) fn find_pen(card: &mut Line<'_>, serial: Option<String>) -> Result<Found, Error> {
    // How a CPS4 signs documents is known from its makers' papers alone, and where its key is not at all.
    if card.generation == Generation::Cps4 {
        return Err(Error::NoSignatureKey);
    }
    let search = Search { wanted: KeyUse::Signature, ..Search::below(serial) };
    to_the_end(search, card).map_err(|error| match error {
        Error::NoCertificate => Error::NoSignatureKey,
        other => other,
    })
}

fn to_the_end(mut search: Search, card: &mut Line<'_>) -> Result<Found, Error> {
    loop {
        let before = search.clone();
        let step = |card: &mut Line<'_>| {
            search = before.clone();
            search.step(card)
        };
        if let Some(found) = card.with_applet(step)? {
            return Ok(found);
        }
    }
}

/// What has been read, and what is to be read next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Search {
    /// Whose key: the one that authenticates, or the one that signs documents.
    wanted: KeyUse,
    /// The last one is the next.
    next: Vec<Step>,
    serial: Option<String>,
    application: Vec<u8>,
    keys: Vec<pkcs15::Key>,
    pins: Vec<pkcs15::PinRules>,
    certificates: Vec<CertificateAt>,
    /// A certificate was there, and was none.
    unreadable: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Serial,
    Objects {
        asked_directory: bool,
    },
    Directory,
    Keys(Vec<u8>),
    Pins(Vec<u8>),
    Certificates(Vec<u8>),
    /// All directories have been read.
    Choose,
    Certificate(CertificateAt),
}

impl Search {
    pub(super) fn new() -> Search {
        Search {
            wanted: KeyUse::Authentication,
            next: vec![Step::Objects { asked_directory: false }, Step::Serial],
            serial: None,
            application: APPLICATION_PATH.to_vec(),
            keys: Vec::new(),
            pins: Vec::new(),
            certificates: Vec::new(),
            unreadable: false,
        }
    }

    /// Below the card's number, which has been read.
    fn below(serial: Option<String>) -> Search {
        Search { next: vec![Step::Objects { asked_directory: false }], serial, ..Search::new() }
    }

    /// The next file. `Some`: it was the last one.
    pub(super) fn step(&mut self, card: &mut Line<'_>) -> Result<Option<Found>, Error> {
        match self.next.pop() {
            Some(Step::Serial) => self.serial = serial(card)?,
            Some(Step::Objects { asked_directory }) => self.objects(card, asked_directory)?,
            Some(Step::Directory) => self.application = application(card)?,
            Some(Step::Keys(path)) => {
                let read = file(card, "PrKDF", &pkcs15::absolute(&self.application, &path))?;
                self.keys.append(&mut read.as_deref().map(pkcs15::keys).unwrap_or_default());
            }
            Some(Step::Pins(path)) => {
                let read = file(card, "AODF", &pkcs15::absolute(&self.application, &path))?;
                let mut pins = read.as_deref().map(pkcs15::pins).unwrap_or_default();
                // It is said to be there. A PIN sent by the rules of another card could cost a try.
                if pins.is_empty() {
                    return Err(Error::Unreadable { file: "AODF" });
                }
                self.pins.append(&mut pins);
            }
            Some(Step::Certificates(path)) => {
                let read = file(card, "CDF", &pkcs15::absolute(&self.application, &path))?;
                self.certificates.append(&mut read.as_deref().map(pkcs15::certificates).unwrap_or_default());
            }
            Some(Step::Choose) => self.next = self.choose(),
            Some(Step::Certificate(at)) => {
                let path = pkcs15::absolute(&self.application, &at.path);
                match certificate(card, &path, at.offset, at.length)?.as_deref().map(Certificate::parse) {
                    Some(Ok(certificate)) if certificate.key_use() == self.wanted => {
                        return Ok(Some(self.found(certificate, card.generation)));
                    }
                    Some(Ok(_)) | None => {}
                    Some(Err(_)) => self.unreadable = true,
                }
            }
            None if self.unreadable => return Err(Error::Unreadable { file: "certificate" }),
            None => return Err(Error::NoCertificate),
        }
        Ok(None)
    }

    fn objects(&mut self, card: &mut Line<'_>, asked_directory: bool) -> Result<(), Error> {
        let path = pkcs15::absolute(&self.application, &OBJECT_DIRECTORY);
        let Some(odf) = file(card, "ODF", &path)? else {
            if asked_directory {
                return Err(Error::NoApplication);
            }
            self.next = vec![Step::Objects { asked_directory: true }, Step::Directory];
            return Ok(());
        };
        let directories = pkcs15::directories(&odf);
        self.next = vec![Step::Choose];
        self.next.extend(directories.certificates.into_iter().map(Step::Certificates));
        self.next.extend(directories.pins.into_iter().map(Step::Pins));
        self.next.extend(directories.keys.into_iter().map(Step::Keys));
        Ok(())
    }

    /// The key that is wanted; of several, the first that a PIN guards.
    fn key(&self) -> Option<&pkcs15::Key> {
        let is_it = |key: &&pkcs15::Key| match self.wanted {
            KeyUse::Signature => key.is_for_documents(),
            _ => key.is_for_authentication(),
        };
        let fit = || self.keys.iter().filter(is_it);
        fit().find(|key| key.pin_id.is_some()).or_else(|| fit().next())
    }

    /// The certificates with the key's identifier first, then the others; only one that says itself what it is for is
    /// taken, so never the other key's.
    fn choose(&self) -> Vec<Step> {
        let id = self.key().map(|key| &key.id);
        let (own, others): (Vec<_>, Vec<_>) = self.certificates.iter().partition(|at| Some(&at.id) == id);
        own.into_iter().chain(others).rev().cloned().map(Step::Certificate).collect()
    }

    /// With the PIN that guards the key, or the only one there is.
    fn found(&self, certificate: Certificate, generation: Generation) -> Found {
        let guards = self.key().and_then(|key| key.pin_id.as_ref());
        let mut users = self.pins.iter().filter(|pin| !pin.is_for_unblocking).peekable();
        let usual = users.peek().map_or_else(pkcs15::usual_pin, |pin| (*pin).clone());
        let usual_key = match (self.wanted, generation) {
            (KeyUse::Signature, _) => CPS3_SIGNATURE_KEY,
            (_, Generation::Cps4) => CPS4_KEY,
            _ => CPS3_KEY,
        };
        Found {
            serial: self.serial.clone(),
            certificate,
            pin: users.find(|pin| guards == Some(&pin.id)).cloned().unwrap_or(usual),
            key_reference: self.key().and_then(|key| key.reference).unwrap_or(usual_key),
            application: self.application.clone(),
        }
    }
}

/// EF.SN.ICC by its short identifier, which costs one command; by its path, in the root, where that is not answered.
pub(super) fn serial(card: &mut Line<'_>) -> Result<Option<String>, Error> {
    if card.generation == Generation::Cps4 {
        select_applet(card)?;
    }
    let answer = card.exchange(Command::read_short("EF.SN.ICC", SERIAL_SHORT, SERIAL_LENGTH))?;
    if let (Status::Done | Status::EndOfFile, Some(serial)) = (answer.status, pkcs15::serial(&answer.data)) {
        return Ok(Some(serial));
    }
    select_root(card, &ROOT_AID)?;
    Ok(file(card, "EF.SN.ICC", &SERIAL_PATH)?.as_deref().and_then(pkcs15::serial))
}

/// A CPS4's own applet is not the one that answers at first. Where it is not to be had, the card wants the others chosen
/// before it.
pub(super) fn select_applet(card: &mut Line<'_>) -> Result<(), Error> {
    if select_root(card, &ROOT_AID)? == Status::Done {
        return Ok(());
    }
    select_root(card, &CARD_MANAGER_AID)?;
    // On the first channel, where the legacy application is.
    let own = std::mem::replace(&mut card.framing.channel, 0);
    let legacy = select_root(card, &LEGACY_AID);
    card.framing.channel = own;
    legacy?;
    match select_root(card, &ROOT_AID)? {
        Status::Done => Ok(()),
        APPLET_LOST | Status::NotFound { .. } => Err(Error::NoApplication),
        other => Err(Error::Dialogue { step: SELECTING_ROOT, status: other.word() }),
    }
}

fn select_root(card: &mut Line<'_>, aid: &[u8]) -> Result<Status, Error> {
    Ok(card.exchange(Command::select_application(SELECTING_ROOT, aid))?.status)
}

/// The CPS application, where EF.DIR says, below the root that EF.ATR names.
fn application(card: &mut Line<'_>) -> Result<Vec<u8>, Error> {
    let ef_atr = file(card, "EF.ATR", &[0x3F, 0x00, 0x2F, 0x01])?.unwrap_or_default();
    select_root(card, pkcs15::root_application(&ef_atr).unwrap_or(&ROOT_AID))?;
    let ef_dir = file(card, "EF.DIR", &[0x3F, 0x00, 0x2F, 0x00])?.unwrap_or_default();
    let applications = pkcs15::applications(&ef_dir);
    let named = applications.iter().find(|application| application.aid == CONTACT_AID);
    let only_contactless = named.is_none() && applications.iter().any(|other| other.aid == CONTACTLESS_AID);
    if only_contactless {
        return Err(Error::Contactless);
    }
    Ok(named.and_then(|application| application.path.clone()).unwrap_or(APPLICATION_PATH.to_vec()))
}

/// A certificate, which says its own length: no command is spent on finding its end.
fn certificate(card: &mut Line<'_>, path: &[u8], at: u16, length: Option<u16>) -> Result<Option<Vec<u8>>, Error> {
    let name = "certificate";
    if !is_selected(card, name, path)? {
        return Ok(None);
    }
    let whole = |bytes: &[u8]| length.map(usize::from).or_else(|| pkcs15::length_of(bytes));
    let mut bytes = read(card, name, usize::from(at), whole)?;
    bytes.truncate(whole(&bytes).unwrap_or(bytes.len()));
    Ok(Some(bytes))
}

/// A whole file. `None`: there is none.
pub(super) fn file(card: &mut Line<'_>, name: &'static str, path: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    if is_selected(card, name, path)? { read(card, name, 0, |_| None).map(Some) } else { Ok(None) }
}

fn is_selected(card: &mut Line<'_>, name: &'static str, path: &[u8]) -> Result<bool, Error> {
    match card.exchange(Command::select_path(name, path))?.status {
        Status::Done => Ok(true),
        Status::NotFound { .. } => Ok(false),
        other => Err(Error::Dialogue { step: name, status: other.word() }),
    }
}

/// From an offset to the end, or for as long as what was read so far says (`whole`).
fn read(
    card: &mut Line<'_>,
    name: &'static str,
    start: usize,
    whole: impl Fn(&[u8]) -> Option<usize>,
) -> Result<Vec<u8>, Error> {
    let mut bytes: Vec<u8> = Vec::new();
    let mut was_short = false;
    loop {
        let rest = whole(&bytes).map_or(usize::from(words::READ_LENGTH_MAX), |all| all.saturating_sub(bytes.len()));
        if rest == 0 {
            return Ok(bytes);
        }
        if start + bytes.len() > FILE_LENGTH_MAX {
            return Err(Error::Unreadable { file: name });
        }
        let asked = u8::try_from(rest).map_or(words::READ_LENGTH_MAX, |rest| rest.min(words::READ_LENGTH_MAX));
        let answer = card.exchange(Command::read_binary(name, (start + bytes.len()) as u16, asked))?;
        bytes.extend_from_slice(&answer.data);
        match answer.status {
            Status::Done => {
                was_short = answer.data.len() < usize::from(asked);
                let is_all = answer.is_exact && was_short && whole(&bytes).is_none();
                if is_all || answer.data.is_empty() {
                    return Ok(bytes);
                }
            }
            Status::EndOfFile | Status::OutsideFile => return Ok(bytes),
            // It had given all there was; cards differ in what they say of an offset at the end.
            Status::Other(_) if was_short => return Ok(bytes),
            other => return Err(Error::Dialogue { step: name, status: other.word() }),
        }
    }
}

const SELECTING_ROOT: &str = "selecting the root";
/// Root application of the cards of the ANS: 80 (health), 250 (France), issuer 00001.
const ROOT_AID: [u8; 8] = [0x80, 0x25, 0x00, 0x00, 0x01, 0xFF, 0x01, 0x00];
/// A CPS4's other applications: its card manager, and what its predecessor was billed with.
const CARD_MANAGER_AID: [u8; 7] = [0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00];
const LEGACY_AID: [u8; 8] = [0x80, 0x25, 0x00, 0x00, 0x01, 0xFF, 0x00, 0x02];
/// PKCS#15 application in contact.
const CONTACT_AID: [u8; 13] = [0xE8, 0x28, 0xBD, 0x08, 0x0F, 0x80, 0x25, 0x00, 0x00, 0x01, 0xFF, 0x00, 0x10];
const CONTACTLESS_AID: [u8; 13] = [0xE8, 0x28, 0xBD, 0x08, 0x0F, 0x80, 0x25, 0x00, 0x00, 0x01, 0xFF, 0x00, 0x20];
/// Where the application is on every card that was seen.
const APPLICATION_PATH: [u8; 4] = [0x3F, 0x00, 0x00, 0x01];
/// ISO 7816-15 §7.5.4: the one fixed place.
const OBJECT_DIRECTORY: [u8; 2] = [0x50, 0x31];
const SERIAL_PATH: [u8; 4] = [0x3F, 0x00, 0xD0, 0x03];
const SERIAL_SHORT: u8 = 0x1C;
const SERIAL_LENGTH: u8 = 12;
const CPS3_KEY: u8 = 0x82;
const CPS3_SIGNATURE_KEY: u8 = 0x81;
const CPS4_KEY: u8 = 0x20;
const FILE_LENGTH_MAX: usize = 16 * 1024;
