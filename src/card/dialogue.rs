//! What is said to a CPS3, over any transport: a closure that takes a command's bytes and gives the answer's.
//!
//! Files are found by reading EF.DIR and the object directory; only AIDs and the fall-backs for what a card leaves out are
//! written here. A transport's error ends the dialogue at once and is handed on as it is: a card that is pulled while it
//! checks a PIN is `Removed`, never a wrong PIN.

use crate::card::Error;
use crate::card::pkcs15;
use crate::card::words;
use crate::card::words::Command;
use crate::card::words::Status;
use crate::identity::certificate::Certificate;
use crate::identity::certificate::KeyUse;
use crate::identity::holder::Situation;
use crate::identity::situations;
use crate::identity::statement::Statement;
use crate::secret::Pin;
use aws_lc_rs::digest;
use zeroize::Zeroizing;

/// Sends one command and brings its answer, status included.
pub(super) type Transport<'a> = dyn FnMut(&[u8]) -> Result<Vec<u8>, Error> + 'a;

/// What was found on the card: all that a login or a signature needs later.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) serial: Option<String>,
    pub(super) certificate: Certificate,
    pub(super) pin: pkcs15::PinRules,
    key_reference: u8,
    /// Path of the application's folder.
    application: Vec<u8>,
}

/// Reads everything that needs no PIN.
pub(super) fn find(card: &mut Transport<'_>) -> Result<Found, Error> {
    select_root(card)?;
    let serial = file(card, "EF.SN.ICC", &[0x3F, 0x00, 0xD0, 0x03])?.as_deref().and_then(pkcs15::serial);
    let application = select_application(card)?;
    let odf = file(card, "ODF", &pkcs15::absolute(&application, &OBJECT_DIRECTORY))?.ok_or(Error::NoApplication)?;
    let directories = pkcs15::directories(&odf);
    let mut keys = Vec::new();
    for path in &directories.keys {
        let read = file(card, "PrKDF", &pkcs15::absolute(&application, path))?;
        keys.append(&mut read.as_deref().map(pkcs15::keys).unwrap_or_default());
    }
    let mut pins = Vec::new();
    for path in &directories.pins {
        let read = file(card, "AODF", &pkcs15::absolute(&application, path))?;
        pins.append(&mut read.as_deref().map(pkcs15::pins).unwrap_or_default());
    }
    let mut certificates = Vec::new();
    for path in &directories.certificates {
        let read = file(card, "CDF", &pkcs15::absolute(&application, path))?;
        certificates.append(&mut read.as_deref().map(pkcs15::certificates).unwrap_or_default());
    }
    let key = keys.iter().find(|key| key.is_for_authentication());
    let certificate = authentication_certificate(card, &application, key, &certificates)?;
    let pin = pin_of(key, pins);
    let key_reference = key.and_then(|key| key.reference).unwrap_or(AUTHENTICATION_KEY_DEFAULT);
    Ok(Found { serial, certificate, pin, key_reference, application })
}

/// How many tries are left, without costing one. `None`: the card does not say.
pub(super) fn tries_left(card: &mut Transport<'_>, found: &Found) -> Result<Option<u8>, Error> {
    let (_, status) = exchange(card, Command::tries_left(found.pin.reference))?;
    match status {
        Status::WrongPin { tries_left } => return Ok(Some(tries_left)),
        Status::Blocked => return Ok(Some(0)),
        // 9000: the PIN is still good from before, and the counter is not told. Others: the card wants it otherwise.
        _ => {}
    }
    let (object, status) = exchange(card, Command::pin_object(found.pin.reference))?;
    Ok(if status == Status::Done { pkcs15::tries_left(&object) } else { None })
}

/// VERIFY once, then a signature.
pub(super) fn login(
    card: &mut Transport<'_>,
    found: &Found,
    pin: &Pin,
    statement: &Statement,
) -> Result<Vec<u8>, Error> {
    if !(usize::from(found.pin.digits_min)..=usize::from(found.pin.digits_max)).contains(&pin.count()) {
        return Err(Error::PinLength);
    }
    if tries_left(card, found)? == Some(0) {
        return Err(Error::Blocked);
    }
    let command = Command::verify(found.pin.reference, &padded(pin, found.pin.padding));
    let step = command.step;
    let (_, status) = exchange(card, command)?;
    match status {
        Status::Done => sign(card, found, statement),
        Status::WrongPin { tries_left } => Err(Error::WrongPin { tries_left }),
        Status::Blocked => Err(Error::Blocked),
        Status::Other(WRONG_LENGTH) => Err(Error::PinLength),
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
pub(super) fn sign(card: &mut Transport<'_>, found: &Found, statement: &Statement) -> Result<Vec<u8>, Error> {
    demand(card, Command::select_path("selecting the application", &found.application))?;
    demand(card, Command::set_authentication(found.key_reference))?;
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, statement.message()).as_ref());
    let signature = demand(card, Command::internal_authenticate(&hash))?;
    found.certificate.verify_signature(statement.message(), &signature).map_err(|_| Error::SignatureRefused)?;
    Ok(signature.to_vec())
}

/// Where the holder works, once the PIN was taken. A card has as many files as it has situations; the first that is missing,
/// empty or guarded otherwise ends them.
pub(super) fn situations(card: &mut Transport<'_>, found: &Found) -> Result<Vec<Situation>, Error> {
    let mut all = Vec::new();
    for id in SITUATIONS {
        let path = pkcs15::absolute(&found.application, &id.to_be_bytes());
        match file(card, "CPS_ACTIVITY", &path) {
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

/// The root application, by the name that EF.ATR gives. A card that answers otherwise is in its root already.
fn select_root(card: &mut Transport<'_>) -> Result<(), Error> {
    let ef_atr = file(card, "EF.ATR", &[0x3F, 0x00, 0x2F, 0x01])?.unwrap_or_default();
    let aid = pkcs15::root_application(&ef_atr).unwrap_or(&ROOT_AID);
    exchange(card, Command::select_application("selecting the root", aid)).map(|_| ())
}

/// The CPS application, where EF.DIR says, or by its name.
fn select_application(card: &mut Transport<'_>) -> Result<Vec<u8>, Error> {
    let ef_dir = file(card, "EF.DIR", &[0x3F, 0x00, 0x2F, 0x00])?.unwrap_or_default();
    let applications = pkcs15::applications(&ef_dir);
    let named = applications.iter().find(|application| application.aid == CONTACT_AID);
    let only_contactless = named.is_none() && applications.iter().any(|other| other.aid == CONTACTLESS_AID);
    let path = named.and_then(|application| application.path.clone()).unwrap_or(APPLICATION_PATH.to_vec());
    let step = "selecting the application";
    let by_path = Command::select_path(step, &path);
    let by_name = Command::select_application(step, &CONTACT_AID);
    for command in [by_name, by_path] {
        let (_, status) = exchange(card, command)?;
        if status == Status::Done {
            return Ok(path);
        }
        if !matches!(status, Status::NotFound | Status::Other(_)) {
            return Err(Error::Dialogue { step, status: status.word() });
        }
    }
    Err(if only_contactless { Error::Contactless } else { Error::NoApplication })
}

/// The certificate of the authentication key: the one with the key's identifier first, then the others, and in any case
/// only one that says so itself. The signature key's certificate is never taken.
fn authentication_certificate(
    card: &mut Transport<'_>,
    application: &[u8],
    key: Option<&pkcs15::Key>,
    certificates: &[pkcs15::CertificateAt],
) -> Result<Certificate, Error> {
    let is_keys = |at: &&pkcs15::CertificateAt| key.is_some_and(|key| key.id == at.id);
    let (own, others): (Vec<_>, Vec<_>) = certificates.iter().partition(is_keys);
    let mut unreadable = None;
    for at in own.into_iter().chain(others) {
        let Some(bytes) = file(card, "certificate", &pkcs15::absolute(application, &at.path))? else { continue };
        let start = usize::from(at.offset).min(bytes.len());
        let end = at.length.map_or(bytes.len(), |length| (start + usize::from(length)).min(bytes.len()));
        match Certificate::parse(&bytes[start..end]) {
            Ok(certificate) if certificate.key_use() == KeyUse::Authentication => return Ok(certificate),
            Ok(_) => {}
            Err(_) => unreadable = Some(Error::Unreadable { file: "certificate" }),
        }
    }
    Err(unreadable.unwrap_or(Error::NoCertificate))
}

/// The PIN that guards the key, or the only one there is.
fn pin_of(key: Option<&pkcs15::Key>, pins: Vec<pkcs15::PinRules>) -> pkcs15::PinRules {
    let guards = key.and_then(|key| key.pin_id.as_ref());
    let mut users = pins.into_iter().filter(|pin| !pin.is_for_unblocking).peekable();
    let usual = users.peek().cloned().unwrap_or_else(pkcs15::usual_pin);
    users.find(|pin| guards == Some(&pin.id)).unwrap_or(usual)
}

/// A whole file. `None`: there is none.
fn file(card: &mut Transport<'_>, name: &'static str, path: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    let (control, status) = exchange(card, Command::select_path(name, path))?;
    match status {
        Status::Done => {}
        Status::NotFound => return Ok(None),
        other => return Err(Error::Dialogue { step: name, status: other.word() }),
    }
    let size = pkcs15::file_size(&control).map(usize::from);
    let mut bytes: Vec<u8> = Vec::new();
    loop {
        let rest = size.map_or(usize::from(words::READ_LENGTH_MAX), |size| size.saturating_sub(bytes.len()));
        if rest == 0 {
            return Ok(Some(bytes));
        }
        if bytes.len() > FILE_LENGTH_MAX {
            return Err(Error::Unreadable { file: name });
        }
        let asked = u8::try_from(rest).map_or(words::READ_LENGTH_MAX, |rest| rest.min(words::READ_LENGTH_MAX));
        let (part, status) = exchange(card, Command::read_binary(name, bytes.len() as u16, asked))?;
        bytes.extend_from_slice(&part);
        match status {
            Status::Done if part.is_empty() => return Ok(Some(bytes)),
            Status::Done if size.is_none() && part.len() < usize::from(asked) => return Ok(Some(bytes)),
            Status::Done => {}
            Status::EndOfFile | Status::OutsideFile => return Ok(Some(bytes)),
            other => return Err(Error::Dialogue { step: name, status: other.word() }),
        }
    }
}

/// A command that must be done, and what it answers.
fn demand(card: &mut Transport<'_>, command: Command) -> Result<Zeroizing<Vec<u8>>, Error> {
    let step = command.step;
    match exchange(card, command)? {
        (data, Status::Done) => Ok(data),
        (_, Status::PinNeeded) => Err(Error::PinNeeded),
        (_, other) => Err(Error::Dialogue { step, status: other.word() }),
    }
}

/// One command with what T=0 makes of it: `61xx` is fetched until nothing waits, `6Cxx` is asked again.
fn exchange(card: &mut Transport<'_>, command: Command) -> Result<(Zeroizing<Vec<u8>>, Status), Error> {
    let step = command.step;
    // Room for a signature at once: a vector that grew would leave its old bytes behind.
    let mut collected = Zeroizing::new(Vec::with_capacity(2 * ANSWER_LENGTH_MAX));
    let mut command = command;
    let mut last = 0;
    for _ in 0..ROUNDS_MAX {
        let answer = Zeroizing::new(card(command.bytes())?);
        let (data, status) = words::split(&answer).ok_or(Error::Mute)?;
        last = status.word();
        match status {
            Status::More { waiting } => {
                collected.extend_from_slice(data);
                command = Command::get_response(step, waiting);
            }
            Status::ExactLength { length } => match command.with_exact_length(length) {
                Some(again) => command = again,
                None => return Ok((collected, status)),
            },
            done => {
                collected.extend_from_slice(data);
                return Ok((collected, done));
            }
        }
    }
    Err(Error::Dialogue { step, status: last })
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

/// Root application of the cards of the ANS: 80 (health), 250 (France), issuer 00001.
const ROOT_AID: [u8; 8] = [0x80, 0x25, 0x00, 0x00, 0x01, 0xFF, 0x01, 0x00];
/// PKCS#15 application in contact.
const CONTACT_AID: [u8; 13] = [0xE8, 0x28, 0xBD, 0x08, 0x0F, 0x80, 0x25, 0x00, 0x00, 0x01, 0xFF, 0x00, 0x10];
const CONTACTLESS_AID: [u8; 13] = [0xE8, 0x28, 0xBD, 0x08, 0x0F, 0x80, 0x25, 0x00, 0x00, 0x01, 0xFF, 0x00, 0x20];
/// Where the application is when EF.DIR gives no path.
const APPLICATION_PATH: [u8; 4] = [0x3F, 0x00, 0x00, 0x01];
/// CPS_ACTIVITY_01_PS to CPS_ACTIVITY_16_PS.
const SITUATIONS: std::ops::RangeInclusive<u16> = 0xD120..=0xD12F;
/// ISO 7816-15 §7.5.4: the one fixed place.
const OBJECT_DIRECTORY: [u8; 2] = [0x50, 0x31];
const AUTHENTICATION_KEY_DEFAULT: u8 = 0x82;
const WRONG_LENGTH: u16 = 0x6700;
const ANSWER_LENGTH_MAX: usize = 256;
const FILE_LENGTH_MAX: usize = 16 * 1024;
const PADDED_LENGTH_MAX: usize = 16;
/// An answer in parts of 16 bytes still fits; a card that never ends does not.
const ROUNDS_MAX: usize = 64;

#[cfg(test)]
mod tests;
