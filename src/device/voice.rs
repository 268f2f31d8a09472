//! What is said into the headset, by espeak-ng: one child process for what is being said, killed for the next, and at once when the
//! card is out.
//!
//! Only into the sound device that the settings name: a loudspeaker would tell the room. The text goes in by standard input, never as
//! an argument, which anybody could see; nothing of it touches the disk.

use std::io::Write;
use std::process::Stdio;
use tokio::process::Child;
use tokio::process::Command;

/// Where it is said, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The headset, as ALSA names it: `plughw:CARD=Headset`.
    pub headset: String,
    /// `espeak-ng`, or another program that takes the same arguments.
    pub program: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    French,
    English,
}

/// Why it is silent. The text names no words.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("espeak-ng cannot be started: is it installed?")]
    Start { source: std::io::Error },
    #[error("espeak-ng does not take what is to be said")]
    Tell { source: std::io::Error },
}

/// One mouth: what it says next ends what it says now.
pub struct Voice {
    options: Options,
    saying: Option<Child>,
}

impl Voice {
    pub fn new(options: Options) -> Voice {
        Voice { options, saying: None }
    }

    /// Says it, in place of what is being said. Must be called inside a tokio runtime.
    pub fn say(&mut self, tongue: Tongue, text: &str) -> Result<(), Error> {
        self.hush();
        let text = beginning(text, TEXT_BYTES_MAX);
        let language = match tongue {
            Tongue::French => "fr",
            Tongue::English => "en",
        };
        let mut child = Command::new(&self.options.program)
            .args(["--stdin", "-b", "1", "-v", language, "-d", &self.options.headset])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| Error::Start { source })?;
        let stdin = child.stdin.take().map(tokio::process::ChildStdin::into_owned_fd);
        if let Some(Ok(stdin)) = stdin {
            // All of it fits the pipe: nobody waits.
            std::fs::File::from(stdin).write_all(text.as_bytes()).map_err(|source| Error::Tell { source })?;
        }
        self.saying = Some(child);
        Ok(())
    }

    /// Silent, at once. The process is buried by the runtime.
    pub fn hush(&mut self) {
        if let Some(mut child) = self.saying.take() {
            let _already_ended = child.start_kill();
        }
    }

    /// The process that speaks now, for tests.
    pub fn pid(&self) -> Option<u32> {
        self.saying.as_ref().and_then(Child::id)
    }
}

/// No more than so many bytes, and no broken letter.
fn beginning(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Half of what a pipe holds before its writer has to wait (pipe(7)); more than half an hour of speech.
const TEXT_BYTES_MAX: usize = 32_768;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_letters() {
        assert_eq!(beginning("été", 4), "ét");
        assert_eq!(beginning("été", 5), "été");
        assert_eq!(beginning("", 4), "");
    }
}
