//! A test hierarchy in the shape of the IGC-Santé, made at first run and kept in a folder.
//!
//! One root and three authorities for persons (fort, standard, élémentaire), the holders' certificates, revocation
//! lists, the same four for production when they are asked for, one authority that nobody trusts, and apart from all that
//! the TLS certificates of the sandbox DMP and of the device. Every name says BAC A SABLE, so that nothing made here can be taken for the real thing; keys are drawn on this
//! machine and lie in the clear in 0600 files. Making is guarded by a lock file, so that tests may share a folder.
//!
//! ```text
//! FOLDER/anchors.pem          root and the three authorities, what `[trust] anchors` names
//!        production.pem       the same of the hierarchy for production
//!        crl/*.crl            one list per authority, DER, signed again at every opening
//!        tls/ca.pem           signs server.pem and device.pem (with server-key.pem, device-key.pem)
//!        tls/wrong-*.pem      the same from another authority
//!        authorities/ cards/  keys and certificates
//! ```
//!
//! Serial numbers follow from a card's name, so that the lists can name a revoked card before it is first drawn.

mod certificate;
mod keys;
mod profile;
mod tls;

pub use keys::Key;
pub use profile::Authority;
pub use profile::Dates;
pub use profile::Profile;
pub use tls::AT_THE_END;

use crate::sandbox::drawer;
use crate::sandbox::pki::certificate::Draft;
use jiff::Timestamp;
use jiff::ToSpan;
use std::fs;
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;

/// An open folder.
#[derive(Debug, Clone)]
pub struct Pki {
    folder: PathBuf,
    /// Where the certificates say that lists are.
    lists_at: String,
}

/// A list to be signed.
pub struct ListDraft<'a> {
    pub authority: Authority,
    pub revoked: &'a [Profile],
    /// In a delta: holds that are taken back.
    pub released: &'a [Profile],
    /// Its birth, and its number.
    pub at: Timestamp,
    /// It is a delta to the list that was born then.
    pub base: Option<Timestamp>,
}

/// Where a PEM certificate (with what is needed of its chain) and its PKCS#8 PEM key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PemPair {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// What is printed into one card.
pub struct CardSecrets {
    pub authentication: CardKey,
    pub signature: CardKey,
}

/// A key of a card, and its certificate.
pub struct CardKey {
    /// X.509, DER.
    pub certificate: Vec<u8>,
    pub key: Key,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the sandbox's certificates cannot be read from {path}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the sandbox's certificates cannot be written to {path}")]
    Write { path: PathBuf, source: std::io::Error },
    #[error("the sandbox could not make a key")]
    Draw,
    #[error("the sandbox could not sign")]
    Sign,
    #[error("the sandbox does not recognise the key in {path}")]
    KeyUnreadable { path: PathBuf },
}

impl Pki {
    /// Opens the folder, and makes whatever it does not hold yet. What was made too long ago, or by a clock that was
    /// ahead of today's, is made again.
    pub fn open_or_make(folder: &Path) -> Result<Pki, Error> {
        Pki::open_or_make_with_lists_at(folder, NOWHERE)
    }

    /// The same, with an address under which somebody serves the lists: it is in every certificate that is made.
    pub fn open_or_make_with_lists_at(folder: &Path, lists_at: &str) -> Result<Pki, Error> {
        let pki = Pki { folder: folder.to_path_buf(), lists_at: lists_at.to_owned() };
        fs::create_dir_all(folder).map_err(|source| Error::Write { path: pki.folder.clone(), source })?;
        let _lock = pki.lock()?;
        pki.forget_what_is_stale()?;
        for authority in Authority::DRAWN {
            pki.authority(authority)?;
        }
        pki.write_anchors(&pki.anchors(), &Authority::ANCHORS)?;
        for authority in Authority::DRAWN {
            pki.sign_list(authority)?;
        }
        tls::make(&pki.folder.join("tls"))?;
        Ok(pki)
    }

    /// Copies all of it into a folder of one's own, while nobody makes anything here.
    pub fn copy_to(&self, folder: &Path) -> Result<(), Error> {
        let _lock = self.lock()?;
        copy(&self.folder, folder)
    }

    /// PEM: the root and the three authorities for persons.
    pub fn anchors(&self) -> PathBuf {
        self.folder.join("anchors.pem")
    }

    /// PEM: root and authorities of the hierarchy for production, drawn at first use (a few seconds).
    pub fn production_anchors(&self) -> Result<PathBuf, Error> {
        let _lock = self.lock()?;
        let path = self.folder.join("production.pem");
        self.write_anchors(&path, &Authority::PRODUCTION)?;
        Ok(path)
    }

    fn write_anchors(&self, path: &Path, authorities: &[Authority]) -> Result<(), Error> {
        let trusted: Vec<Vec<u8>> =
            authorities.iter().map(|authority| Ok(self.authority(*authority)?.0)).collect::<Result<_, Error>>()?;
        let anchors: String = trusted.iter().map(|der| keys::pem("CERTIFICATE", der)).collect();
        write(path, anchors.as_bytes())
    }

    /// The root's list, which names authorities.
    pub fn list_of_authorities(&self, revoked: &[Authority], at: Timestamp) -> Result<Vec<u8>, Error> {
        let _lock = self.lock()?;
        let (_, issuer) = self.authority(Authority::Root)?;
        let revoked: Vec<Vec<u8>> = revoked.iter().map(|authority| authority.serial_number()).collect();
        certificate::revocation_list(&issuer, &revoked, &[], at, hours(at, 24 * 365), None)
    }

    /// A list by one of the authorities, DER, kept nowhere.
    pub fn list(&self, draft: &ListDraft<'_>) -> Result<Vec<u8>, Error> {
        let _lock = self.lock()?;
        let (_, issuer) = self.authority(draft.authority)?;
        let revoked = serial_numbers(draft.revoked.iter());
        let released = serial_numbers(draft.released.iter());
        let until = hours(draft.at, 24 * 7);
        certificate::revocation_list(&issuer, &revoked, &released, draft.at, until, draft.base)
    }

    /// Folder of DER revocation lists, of the root too.
    pub fn revocation_lists(&self) -> PathBuf {
        self.folder.join("crl")
    }

    /// PEM: the authority that signs [`Pki::server`] and [`Pki::device`].
    pub fn tls_authority(&self) -> PathBuf {
        self.folder.join("tls/ca.pem")
    }

    /// For 127.0.0.1, ::1 and localhost.
    pub fn server(&self) -> PemPair {
        self.tls_pair("server")
    }

    /// The device's client certificate, CN [`tls::DEVICE_NAME`].
    pub fn device(&self) -> PemPair {
        self.tls_pair("device")
    }

    /// PEM: an authority that nobody should trust.
    pub fn wrong_tls_authority(&self) -> PathBuf {
        self.folder.join("tls/wrong-ca.pem")
    }

    /// A server certificate for the same names, by [`Pki::wrong_tls_authority`].
    pub fn wrong_server(&self) -> PemPair {
        self.tls_pair("wrong-server")
    }

    /// A client certificate by [`Pki::wrong_tls_authority`].
    pub fn wrong_device(&self) -> PemPair {
        self.tls_pair("wrong-device")
    }

    /// The keys and certificates of a card, drawn at first use (about a second), the same ever after.
    pub fn card(&self, profile: &Profile) -> Result<CardSecrets, Error> {
        let _lock = self.lock()?;
        Ok(CardSecrets {
            authentication: self.card_key(profile, profile::Use::Authentication)?,
            signature: self.card_key(profile, profile::Use::Signature)?,
        })
    }

    fn card_key(&self, profile: &Profile, purpose: profile::Use) -> Result<CardKey, Error> {
        let folder = self.folder.join("cards").join(profile.name);
        let certificate_path = folder.join(format!("{}.der", purpose.name()));
        let key_path = folder.join(format!("{}.key", purpose.name()));
        let drawn = fs::metadata(&key_path).is_ok();
        let stays = !matches!(profile.dates, Dates::Ending | Dates::Coming);
        if let (Ok(certificate), true) = (fs::read(&certificate_path), drawn && stays) {
            return Ok(CardKey { certificate, key: Key::read(&key_path)? });
        }
        let (_, issuer) = self.authority(profile.authority)?;
        let key = if drawn { Key::read(&key_path)? } else { Key::rsa()? };
        let certificate = profile.draft(purpose, Timestamp::now(), &self.lists_at).sign(&key, &issuer)?;
        key.write(&key_path)?;
        write(&certificate_path, &certificate)?;
        Ok(CardKey { certificate, key })
    }

    /// An authority's certificate, and what signs in its name.
    fn authority(&self, authority: Authority) -> Result<(Vec<u8>, certificate::Issuer), Error> {
        let folder = self.folder.join("authorities");
        let certificate_path = folder.join(format!("{}.der", authority.file()));
        let key_path = folder.join(format!("{}.key", authority.file()));
        if let (Ok(der), Ok(_)) = (fs::read(&certificate_path), fs::metadata(&key_path)) {
            return Ok((der, certificate::Issuer { name: authority.subject(), key: Key::read(&key_path)? }));
        }
        let key = Key::rsa()?;
        let now = Timestamp::now();
        let draft = Draft {
            serial: authority.serial_number(),
            subject: authority.subject(),
            not_before: hours(now, -24 * 366),
            not_after: hours(now, 24 * 365 * 10),
            extensions: authority.extensions(&self.lists_at),
        };
        let own = certificate::Issuer { name: authority.subject(), key };
        let der = match authority.issuer() {
            None => draft.sign(&own.key, &own)?,
            Some(above) => draft.sign(&own.key, &self.authority(above)?.1)?,
        };
        own.key.write(&key_path)?;
        write(&certificate_path, &der)?;
        Ok((der, own))
    }

    /// Lists are valid for a week, as fresh as the day they are opened.
    fn sign_list(&self, authority: Authority) -> Result<(), Error> {
        let (_, issuer) = self.authority(authority)?;
        let profiles = drawer::profiles();
        let revoked =
            serial_numbers(profiles.iter().filter(|profile| profile.revoked && profile.authority == authority));
        let now = Timestamp::now();
        let list = certificate::revocation_list(&issuer, &revoked, &[], hours(now, -1), hours(now, 24 * 7), None)?;
        write(&self.revocation_lists().join(format!("{}.crl", authority.file())), &list)
    }

    fn tls_pair(&self, name: &str) -> PemPair {
        let folder = self.folder.join("tls");
        PemPair { certificate: folder.join(format!("{name}.pem")), key: folder.join(format!("{name}-key.pem")) }
    }

    fn lock(&self) -> Result<File, Error> {
        let path = self.folder.join("lock");
        let failed = |source| Error::Write { path: path.clone(), source };
        let file = File::create(&path).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(file)
    }

    /// The first line names the shape, the second when it was made.
    fn forget_what_is_stale(&self) -> Result<(), Error> {
        let path = self.folder.join("shape");
        let now = Timestamp::now();
        let made_at = fs::read_to_string(&path)
            .ok()
            .and_then(|text| text.strip_prefix(SHAPE)?.trim().parse::<Timestamp>().ok())
            .filter(|made_at| *made_at <= hours(now, 1) && *made_at >= hours(now, -24 * REMADE_AFTER_DAYS));
        if made_at.is_some() {
            return Ok(());
        }
        // A folder without our mark holds nothing of ours: nothing in it is removed.
        if path.exists() {
            for name in ["authorities", "cards", "crl", "tls"] {
                let part = self.folder.join(name);
                if part.exists() {
                    fs::remove_dir_all(&part).map_err(|source| Error::Write { path: part, source })?;
                }
            }
        }
        write(&path, format!("{SHAPE}{now}\n").as_bytes())
    }
}

impl CardSecrets {
    /// What the card itself would answer over this message (RSASSA-PKCS1-v1_5, SHA-256), for tests without a card.
    pub fn sign_with_authentication(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.authentication.key.sign(message)
    }

    /// A document, by SHA-256.
    pub fn sign_with_signature(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.signature.key.sign(message)
    }
}

/// Of both keys of each card.
fn serial_numbers<'a>(profiles: impl Iterator<Item = &'a Profile>) -> Vec<Vec<u8>> {
    profiles.flat_map(|profile| profile::Use::ALL.map(|purpose| profile.serial_number(purpose))).collect()
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let unread = |source| Error::Read { path: from.to_path_buf(), source };
    let unwritten = |source| Error::Write { path: to.to_path_buf(), source };
    fs::create_dir_all(to).map_err(unwritten)?;
    for entry in fs::read_dir(from).map_err(unread)? {
        let entry = entry.map_err(unread)?;
        let target = to.join(entry.file_name());
        if entry.file_type().map_err(unread)?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target).map_err(unwritten)?;
        }
    }
    Ok(())
}

/// Written beside and renamed, so that a reader never sees half a file.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_path_buf(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let beside = path.with_extension("new");
    fs::write(&beside, bytes).map_err(failed)?;
    fs::rename(&beside, path).map_err(failed)
}

/// A span of hours cannot leave the calendar here: the clock would have to be in the year 9990.
fn hours(at: Timestamp, count: i64) -> Timestamp {
    at.saturating_add(count.hours()).unwrap_or(at)
}

/// Counts up with every change of what is made here, so that no folder of an older program is taken for today's.
const SHAPE: &str = "chevet sandbox pki 3\n";

/// An address that can never exist (RFC 2606 §2).
const NOWHERE: &str = "http://igc.bac-a-sable.invalid/CRL";

/// Below the shortest life of anything made here (device and server: two years).
const REMADE_AFTER_DAYS: i64 = 300;

#[cfg(test)]
pub(in crate::sandbox) mod tests;
