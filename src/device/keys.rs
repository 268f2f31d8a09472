//! Four hardware keys, for hands that cannot use the screen: previous, next, do, back.
//!
//! Only the device that the settings name is listened to, and it is grabbed, as a scanner's keyboard is. Which key means what is
//! said there too, by the kernel's names; any other key of it means nothing.

use crate::device::scanner::AGAIN_AFTER;
use crate::device::scanner::GONE_FOR;
use crate::device::scanner::appearance;
use evdev::EventSummary;
use evdev::InputEvent;
use evdev::KeyCode;
use evdev::raw_stream::RawDevice;
use std::io::ErrorKind;
use std::path::PathBuf;

/// The keys that the settings allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Its device file; best a name that stays, as in `/dev/input/by-id`.
    pub device: PathBuf,
    /// What is previous, next, do, back.
    pub codes: [KeyCode; 4],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Previous,
    Next,
    Do,
    Back,
}

const MEANINGS: [Key; 4] = [Key::Previous, Key::Next, Key::Do, Key::Back];

/// Starts the thread; it ends when `heard` says that nobody listens any more.
pub fn start(options: Options, heard: impl Fn(Key) -> bool + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().name("keys".to_owned()).spawn(move || listen(&options, &heard)).map(drop)
}

fn listen(options: &Options, heard: &impl Fn(Key) -> bool) {
    let device = options.device.display();
    loop {
        match follow(options, heard) {
            Ok(()) => return,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                tracing::info!(%device, "the four keys are not there");
                if let Err(error) = appearance(&options.device) {
                    tracing::warn!(%error, "nobody tells when the four keys come");
                    std::thread::sleep(AGAIN_AFTER);
                }
            }
            Err(error) if error.raw_os_error() == Some(NO_DEVICE) => {
                tracing::info!(%device, "the four keys are gone");
                std::thread::sleep(GONE_FOR);
            }
            Err(error) => {
                tracing::warn!(%device, %error, "the four keys cannot be used: are they allowed to us, and free?");
                std::thread::sleep(AGAIN_AFTER);
            }
        }
    }
}

/// Until nobody listens, which is no error.
fn follow(options: &Options, heard: &impl Fn(Key) -> bool) -> std::io::Result<()> {
    let mut keys = RawDevice::open(&options.device)?;
    keys.grab()?;
    tracing::info!(device = %options.device.display(), "four keys are listened to");
    loop {
        for event in keys.fetch_events()? {
            if let Some(key) = meaning(&options.codes, event)
                && !heard(key)
            {
                return Ok(());
            }
        }
    }
}

/// What this event of the kernel's means. Held down, previous and next go on by themselves; nothing is done twice.
fn meaning(codes: &[KeyCode; 4], event: InputEvent) -> Option<Key> {
    let EventSummary::Key(_, code, value) = event.destructure() else { return None };
    let key = codes.iter().zip(MEANINGS).find(|(known, _)| **known == code)?.1;
    match value {
        PRESSED => Some(key),
        REPEATED => matches!(key, Key::Previous | Key::Next).then_some(key),
        _ => None,
    }
}

/// `struct input_event`, `EV_KEY` (linux/input.h).
const PRESSED: i32 = 1;
const REPEATED: i32 = 2;
/// `ENODEV`: unplugged while it was read.
const NO_DEVICE: i32 = 19;

#[cfg(test)]
mod tests {
    use super::*;
    use evdev::EventType;

    #[test]
    fn only_the_named_keys_mean_something_and_nothing_is_done_twice() {
        let codes = [KeyCode::KEY_LEFT, KeyCode::KEY_RIGHT, KeyCode::KEY_ENTER, KeyCode::KEY_ESC];
        let of = |code: KeyCode, value| meaning(&codes, InputEvent::new(EventType::KEY.0, code.0, value));
        for (code, key) in codes.into_iter().zip(MEANINGS) {
            assert_eq!(of(code, PRESSED), Some(key));
            assert_eq!(of(code, 0), None, "released");
        }
        assert_eq!(of(KeyCode::KEY_RIGHT, REPEATED), Some(Key::Next));
        assert_eq!(of(KeyCode::KEY_LEFT, REPEATED), Some(Key::Previous));
        assert_eq!((of(KeyCode::KEY_ENTER, REPEATED), of(KeyCode::KEY_ESC, REPEATED)), (None, None));
        assert_eq!(of(KeyCode::KEY_A, PRESSED), None, "whatever else the device has");
        assert_eq!(meaning(&codes, InputEvent::new(EventType::RELATIVE.0, KeyCode::KEY_LEFT.0, PRESSED)), None);
    }
}
