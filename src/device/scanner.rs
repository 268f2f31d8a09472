//! A datamatrix scanner: what it read, line by line, from a serial device or from a keyboard that it plays.
//!
//! ```text
//! /dev/ttyACM0            bytes, as they stand in the code ─┐
//!                                                           ├─ a line ── heard(String)
//! /dev/input/by-id/…-kbd  keys, in the layout it is set to ─┘
//! ```
//!
//! Only the device that the settings name is listened to, and a keyboard is grabbed: no other program gets its keys, and what
//! any other keyboard types reaches nothing. A code is written blind, so the layout has to be said: on a French keyboard the
//! digits stand behind the shift key. What was read is a patient's identity: it goes to `heard` and nowhere else.
//!
//! One thread, which waits in the kernel for the scanner, or for its device file to come back.

use evdev::EventSummary;
use evdev::InputEvent;
use evdev::raw_stream::RawDevice;
use pc_keyboard::DecodedKey;
use pc_keyboard::EventDecoder;
use pc_keyboard::HandleControl;
use pc_keyboard::KeyCode;
use pc_keyboard::KeyEvent;
use pc_keyboard::KeyState;
use pc_keyboard::ScancodeSet;
use pc_keyboard::ScancodeSet1;
use pc_keyboard::layouts::AnyLayout;
use pc_keyboard::layouts::Azerty;
use pc_keyboard::layouts::Us104Key;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::fs::inotify;
use rustix::termios;
use std::fs::File;
use std::io::ErrorKind;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use zeroize::Zeroize;

/// The scanner that the settings allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Its device file; best a name that stays, as in `/dev/input/by-id`.
    pub device: PathBuf,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 9600 baud, 8N1, where there is a wire to have a speed; USB has none.
    Serial,
    Keyboard(Layout),
}

/// The keyboard that the scanner believes to be attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    Us,
    Fr,
}

/// Starts the thread; it ends when `heard` says that nobody listens any more.
pub fn start(options: Options, heard: impl Fn(String) -> bool + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().name("scanner".to_owned()).spawn(move || listen(&options, &heard)).map(drop)
}

fn listen(options: &Options, heard: &impl Fn(String) -> bool) {
    loop {
        let ended = match options.kind {
            Kind::Serial => serial(&options.device, heard),
            Kind::Keyboard(layout) => keyboard(&options.device, layout, heard),
        };
        match ended {
            Ok(Ended::NobodyListens) => return,
            Ok(Ended::Gone) => {
                tracing::info!(device = %options.device.display(), "the scanner is gone");
                // Its file may still be there, and end at once again.
                std::thread::sleep(GONE_FOR);
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                tracing::info!(device = %options.device.display(), "the scanner is not there");
                if let Err(error) = appearance(&options.device) {
                    tracing::warn!(%error, "nobody tells when the scanner comes");
                    std::thread::sleep(AGAIN_AFTER);
                }
            }
            Err(error) => {
                tracing::warn!(device = %options.device.display(), %error, "the scanner cannot be used: is it allowed to us, and free?");
                std::thread::sleep(AGAIN_AFTER);
            }
        }
    }
}

enum Ended {
    NobodyListens,
    /// Unplugged, or the other end closed.
    Gone,
}

fn serial(device: &Path, heard: &impl Fn(String) -> bool) -> std::io::Result<Ended> {
    // Never our controlling terminal: what it hangs up is not us.
    let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::open(device, flags, Mode::empty())?);
    let mut settings = termios::tcgetattr(&file)?;
    settings.make_raw();
    settings.set_speed(9_600)?;
    termios::tcsetattr(&file, termios::OptionalActions::Flush, &settings)?;
    tracing::info!(device = %device.display(), "a scanner is listened to");
    let mut lines = Lines::default();
    let mut bytes = [0; 256];
    loop {
        let read = match file.read(&mut bytes) {
            // A terminal whose other end was closed reads as EIO.
            Ok(0) | Err(_) => return Ok(Ended::Gone),
            Ok(read) => read,
        };
        for byte in &bytes[..read] {
            // Names are written in capitals without accents: what is no ASCII is damage, and is refused as such further on.
            if let Some(line) = lines.push(char::from(*byte))
                && !heard(line)
            {
                return Ok(Ended::NobodyListens);
            }
        }
        bytes.zeroize();
    }
}

fn keyboard(device: &Path, layout: Layout, heard: &impl Fn(String) -> bool) -> std::io::Result<Ended> {
    let mut keys = RawDevice::open(device)?;
    keys.grab()?;
    tracing::info!(device = %device.display(), "a scanner is listened to");
    let mut typist = Typist::new(layout);
    loop {
        let Ok(events) = keys.fetch_events() else { return Ok(Ended::Gone) };
        for event in events {
            if let Some(line) = typist.key(event)
                && !heard(line)
            {
                return Ok(Ended::NobodyListens);
            }
        }
    }
}

/// Returns when something came or changed where the device's file should be, or in the nearest folder above it that is there.
pub(super) fn appearance(device: &Path) -> std::io::Result<()> {
    let watch = inotify::init(inotify::CreateFlags::CLOEXEC)?;
    let folder = device.ancestors().skip(1).find(|folder| folder.is_dir()).unwrap_or(Path::new("/"));
    let what = inotify::WatchFlags::CREATE | inotify::WatchFlags::MOVED_TO | inotify::WatchFlags::ATTRIB;
    inotify::add_watch(&watch, folder, what | inotify::WatchFlags::DELETE_SELF)?;
    // It may have come before the watch stood.
    if device.exists() {
        return Ok(());
    }
    rustix::io::read(&watch, &mut [0; 4_096])?;
    Ok(())
}

/// What came since the last end of line.
#[derive(Default)]
struct Lines {
    line: String,
    is_too_long: bool,
}

impl Lines {
    /// The line that `next` ends. Empty ones are none, and neither is one beyond any datamatrix of ours.
    fn push(&mut self, next: char) -> Option<String> {
        match next {
            '\r' | '\n' => {
                let line = std::mem::take(&mut self.line);
                let is_whole = !std::mem::take(&mut self.is_too_long);
                (is_whole && !line.is_empty()).then_some(line)
            }
            _ if self.line.len() >= CHARS_MAX => {
                self.line.zeroize();
                self.is_too_long = true;
                None
            }
            _ if self.is_too_long => None,
            _ => {
                self.line.push(next);
                None
            }
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.line.zeroize();
    }
}

/// Keys into characters.
struct Typist {
    decoder: EventDecoder<AnyLayout>,
    lines: Lines,
    is_ctrl_down: bool,
}

impl Typist {
    fn new(layout: Layout) -> Typist {
        let layout = match layout {
            Layout::Us => AnyLayout::Us104Key(Us104Key),
            Layout::Fr => AnyLayout::Azerty(Azerty),
        };
        Typist {
            decoder: EventDecoder::new(layout, HandleControl::Ignore),
            lines: Lines::default(),
            is_ctrl_down: false,
        }
    }

    /// The line that this event of the kernel's ended.
    fn key(&mut self, event: InputEvent) -> Option<String> {
        let EventSummary::Key(_, key, value) = event.destructure() else { return None };
        let state = match value {
            0 => KeyState::Up,
            1 => KeyState::Down,
            // A key held down repeats itself: a scanner holds none.
            _ => return None,
        };
        let code = key_code(key.code())?;
        if matches!(code, KeyCode::LControl | KeyCode::RControl) {
            self.is_ctrl_down = state == KeyState::Down;
        }
        let decoded = self.decoder.process_keyevent(KeyEvent::new(code, state));
        // Group separator, as a keyboard has it: Ctrl and what stands where a US keyboard has its closing bracket.
        if self.is_ctrl_down {
            let is_bracket = code == KeyCode::Oem6 || decoded == Some(DecodedKey::Unicode(']'));
            return (is_bracket && state == KeyState::Down).then(|| self.lines.push(GS)).flatten();
        }
        match decoded {
            Some(DecodedKey::Unicode(next)) => self.lines.push(next),
            _ => None,
        }
    }
}

/// Linux numbers the keys of a PC as set 1 of its scan codes does, up to F12; those with a prefix stand after.
fn key_code(code: u16) -> Option<KeyCode> {
    match code {
        1..=88 => ScancodeSet1::new().advance_state(u8::try_from(code).ok()?).ok()?.map(|event| event.code),
        96 => Some(KeyCode::NumpadEnter),
        97 => Some(KeyCode::RControl),
        100 => Some(KeyCode::RAltGr),
        _ => None,
    }
}

const GS: char = '\u{1D}';
/// An INS datamatrix has fewer than 300.
const CHARS_MAX: usize = 1_024;
pub(super) const GONE_FOR: Duration = Duration::from_millis(500);
/// A scanner that is there and cannot be used.
pub(super) const AGAIN_AFTER: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    /// A scanner's keys as the kernel wrote them, `struct input_event` after `struct input_event` (64 bits): the same code, read
    /// by a scanner that believes in a US keyboard and by one that believes in a French one, which shifts for digits.
    const CODE: &str = "S3D'A-\u{1D}60";

    fn typed(layout: Layout, recorded: &str) -> Vec<String> {
        let bytes = hex::decode(recorded.split_whitespace().collect::<String>()).expect("hexadecimal");
        let mut typist = Typist::new(layout);
        let events = bytes.chunks_exact(24).map(|event| {
            let number = |at: usize| u16::from_ne_bytes([event[at], event[at + 1]]);
            let value = i32::from_ne_bytes(event[20..24].try_into().expect("four bytes"));
            InputEvent::new(number(16), number(18), value)
        });
        events.filter_map(|event| typist.key(event)).collect()
    }

    #[test]
    fn keys_are_read_in_the_layout_that_the_scanner_believes_in() {
        let us = include_str!("../../tests/scans/us.hex");
        let fr = include_str!("../../tests/scans/fr.hex");
        assert_eq!(typed(Layout::Us, us), [CODE]);
        assert_eq!(typed(Layout::Fr, fr), [CODE]);
        // The settings name the wrong one: a line, and not this one.
        assert_ne!(typed(Layout::Fr, us), [CODE]);
    }

    #[test]
    fn lines_without_end_and_empty_ones_are_none() {
        let mut lines = Lines::default();
        let mut heard = |text: &str| text.chars().filter_map(|next| lines.push(next)).collect::<Vec<_>>();
        assert_eq!(heard("\r\n\n"), [] as [&str; 0]);
        assert_eq!(heard(&"x".repeat(5_000)), [] as [&str; 0]);
        assert_eq!(heard("y\r"), [] as [&str; 0]);
        assert_eq!(heard("whole\r\nnext\n"), ["whole", "next"]);
        assert_eq!(heard(&format!("{}\n", "x".repeat(CHARS_MAX))), ["x".repeat(CHARS_MAX)]);
    }
}
