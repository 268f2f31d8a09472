//! The TPM's counters, which only rise: what nobody can put back together with a disk.
//!
//! The programs of Debian's tpm2-tools do the speaking, one child process a command, each with an end of its own: a chip that
//! does not answer holds nobody up, and nothing of a TPM's libraries is linked. No key is ever here: what guards the device key
//! is systemd's. Without a password of their own the two indexes are as safe as the TPM's device file; who can write there can
//! raise an alarm, and take none back. *Rejected*: tss-esapi (an alpha, over a C library).

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// A TPM 2.0, by the address that tpm2-tools takes (TCTI).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tpm {
    tcti: String,
}

/// Why a command came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{program} of tpm2-tools cannot be run")]
    Start { program: &'static str, source: std::io::Error },
    #[error("{program}: the TPM did not answer in time")]
    Silent { program: &'static str },
    #[error("{program}: the TPM refused, or there is none")]
    Refused { program: &'static str },
    #[error("{program} answered something that is no answer")]
    Answer { program: &'static str },
}

impl Tpm {
    /// What the settings name.
    pub fn at(tcti: &str) -> Tpm {
        Tpm { tcti: tcti.to_owned() }
    }

    /// The one that the kernel manages, if this machine has one.
    pub fn of_this_machine() -> Option<Tpm> {
        Path::new(DEVICE).exists().then(|| Tpm::at(&format!("device:{DEVICE}")))
    }

    /// Whether that index is defined.
    pub async fn has(&self, index: u32) -> Result<bool, Error> {
        let program = "tpm2_getcap";
        let said = self.run(program, &["handles-nv-index"], &[]).await?;
        let said = String::from_utf8(said).map_err(|_| Error::Answer { program })?;
        // One a line: `- 0x1803A5C`.
        let handles = said.lines().filter_map(|line| line.trim().strip_prefix("- 0x"));
        Ok(handles.filter_map(|hex| u32::from_str_radix(hex, 16).ok()).any(|handle| handle == index))
    }

    /// It begins above every counter that this TPM ever had (TPM 2.0 part 3, NV_Increment), and has no value before it is raised.
    pub async fn define_counter(&self, index: u32) -> Result<(), Error> {
        self.define(index, 8, &format!("{ATTRIBUTES}|nt=counter")).await
    }

    pub async fn define_note(&self, index: u32, bytes: u16) -> Result<(), Error> {
        self.define(index, bytes, ATTRIBUTES).await
    }

    pub async fn raise(&self, index: u32) -> Result<(), Error> {
        self.run("tpm2_nvincrement", &[&hex(index)], &[]).await.map(drop)
    }

    pub async fn counter(&self, index: u32) -> Result<u64, Error> {
        let program = "tpm2_nvread";
        let said = self.run(program, &[&hex(index), "--size", "8"], &[]).await?;
        said.try_into().map(u64::from_be_bytes).map_err(|_| Error::Answer { program })
    }

    pub async fn write_note(&self, index: u32, note: &[u8]) -> Result<(), Error> {
        self.run("tpm2_nvwrite", &[&hex(index), "--input", "-"], note).await.map(drop)
    }

    pub async fn note(&self, index: u32, bytes: u16) -> Result<Vec<u8>, Error> {
        self.run("tpm2_nvread", &[&hex(index), "--size", &bytes.to_string()], &[]).await
    }

    async fn define(&self, index: u32, bytes: u16, attributes: &str) -> Result<(), Error> {
        let (index, bytes) = (hex(index), bytes.to_string());
        let arguments = [&index, "--hierarchy", "o", "--size", &bytes, "--attributes", attributes];
        self.run("tpm2_nvdefine", &arguments, &[]).await.map(drop)
    }

    async fn run(&self, program: &'static str, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, Error> {
        let mut command = Command::new(Path::new(PROGRAMS).join(program));
        command.args(arguments).env_clear().env("TPM2TOOLS_TCTI", &self.tcti).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let failed = |source| Error::Start { program, source };
        let mut child = command.spawn().map_err(failed)?;
        let answered = async {
            if let Some(mut stdin) = child.stdin.take() {
                // One that ended without reading says so by its exit code.
                let _unread = stdin.write_all(input).await;
            }
            child.wait_with_output().await
        };
        let ended = tokio::time::timeout(ANSWER_MAX, answered).await.map_err(|_| Error::Silent { program })?;
        let ended = ended.map_err(failed)?;
        if ended.status.success() { Ok(ended.stdout) } else { Err(Error::Refused { program }) }
    }
}

fn hex(index: u32) -> String {
    format!("{index:#x}")
}

/// The kernel's resource manager: several programs may speak to the chip.
const DEVICE: &str = "/dev/tpmrm0";
/// Where Debian puts them.
const PROGRAMS: &str = "/usr/bin";
/// Anybody who reaches the chip; a wrong try locks nobody out.
const ATTRIBUTES: &str = "authread|authwrite|ownerread|no_da";
/// Some thirty times what a slow chip takes to write.
const ANSWER_MAX: Duration = Duration::from_secs(5);
