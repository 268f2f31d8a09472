//! Which provider gives the device key, and who guards it there: never greener than the facts (P2b).
//!
//! ```text
//! unit:  LoadCredentialEncrypted=chevet.device-key      32 bytes, sealed at enrolment
//!        LoadCredentialEncrypted=chevet.key-provider    how: tpm-pin | tpm | passphrase | usb
//! desk:  device.key in the state folder, 0600           guarded by nobody
//! ```
//!
//! A key in clear says nothing of how it was sealed, so whoever seals it states it in a second credential, sealed the same
//! way. The statement is believed downwards only: without it, with one that is not understood, for a TPM that this machine
//! does not have, or with the same key lying in a file beside, nobody guards the key. *Rejected*: the settings as the
//! statement (they say what is wanted), a refusal to start (a return to the version before must never brick the device).

use crate::secret::SecretKey;
use crate::vault::Error;
use crate::vault::keys;
use std::fs::File;
use std::io::ErrorKind;
use std::io::Read;
use std::path::Path;

/// Who guards the device key, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    TpmPin,
    Tpm,
    Passphrase,
    Usb,
    None,
}

impl Provider {
    /// As the settings and the statement name it.
    pub fn from_name(name: &str) -> Option<Provider> {
        Some(match name {
            "tpm-pin" => Provider::TpmPin,
            "tpm" => Provider::Tpm,
            "passphrase" => Provider::Passphrase,
            "usb" => Provider::Usb,
            "none" => Provider::None,
            _ => return None,
        })
    }
}

/// Where this start may find the key.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The state folder, with the desk's file.
    pub state: &'a Path,
    /// `$CREDENTIALS_DIRECTORY`, when systemd hands something over.
    pub credentials: Option<&'a Path>,
    /// Where the kernel lists TPMs: [`TPMS`].
    pub tpms: &'a Path,
}

/// The key, and who guards it.
pub struct DeviceKey {
    pub key: SecretKey,
    pub provider: Provider,
}

/// The kernel's list.
pub const TPMS: &str = "/sys/class/tpm";
const KEY: &str = "chevet.device-key";
const STATEMENT: &str = "chevet.key-provider";
/// Longer than any statement.
const STATEMENT_BYTES_MAX: u64 = 64;

/// The credential when there is one, else the desk's file. A credential that is there and not right is an error: another key
/// would only say that this is another device.
pub fn device_key(sources: Sources<'_>) -> Result<DeviceKey, Error> {
    let handed_over = sources.credentials.map(|folder| keys::credential_key(&folder.join(KEY)));
    match handed_over {
        Some(Ok(key)) => {
            let provider = in_force(sources, &key);
            Ok(DeviceKey { key, provider })
        }
        Some(Err(Error::KeyFile { source })) if source.kind() == ErrorKind::NotFound => desk(sources),
        Some(Err(error)) => Err(error),
        None => desk(sources),
    }
}

fn desk(sources: Sources<'_>) -> Result<DeviceKey, Error> {
    Ok(DeviceKey { key: keys::desk_device_key(sources.state)?, provider: Provider::None })
}

/// What was stated, as far as what is seen here does not belie it.
fn in_force(sources: Sources<'_>, key: &SecretKey) -> Provider {
    let stated = sources.credentials.and_then(|folder| stated(&folder.join(STATEMENT)));
    let Some(stated) = stated else {
        tracing::warn!("no credential says who guards the device key: it counts as guarded by nobody");
        return Provider::None;
    };
    if matches!(stated, Provider::TpmPin | Provider::Tpm) && !has_entries(sources.tpms) {
        tracing::warn!("a TPM is said to guard the device key, and this machine has none");
        return Provider::None;
    }
    if keys::desk_key_is(sources.state, key) {
        tracing::warn!("the device key also lies in a file of the state folder: remove it after a backup");
        return Provider::None;
    }
    stated
}

/// `None`: not there, or not understood.
fn stated(path: &Path) -> Option<Provider> {
    let mut word = String::new();
    File::open(path).ok()?.take(STATEMENT_BYTES_MAX).read_to_string(&mut word).ok()?;
    Provider::from_name(word.trim_end_matches('\n'))
}

fn has_entries(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}
