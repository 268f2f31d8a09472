//! `[keys]` and `[speech]`: for hands that cannot use the screen, and eyes that cannot read it.

use crate::device::keys;
use crate::device::voice;
use evdev::KeyCode;
use serde::Deserialize;
use std::path::PathBuf;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawKeys {
    device: PathBuf,
    previous: String,
    next: String,
    #[serde(rename = "do")]
    act: String,
    back: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSpeech {
    headset: String,
}

/// A key is what the kernel calls it; none means two things.
pub(super) fn understand_keys(raw: RawKeys) -> Result<keys::Options, &'static str> {
    if !raw.device.is_absolute() {
        return Err("keys.device is not a whole path, such as /dev/input/by-id/…");
    }
    let names = [raw.previous, raw.next, raw.act, raw.back];
    let mut codes = [KeyCode::KEY_RESERVED; 4];
    for (code, name) in codes.iter_mut().zip(&names) {
        *code =
            name.parse().map_err(|_| "keys: a key is named as in linux/input-event-codes.h, such as \"KEY_LEFT\"")?;
    }
    let twice = |code: &KeyCode| codes.iter().filter(|other| *other == code).count() > 1;
    if codes.iter().any(twice) {
        return Err("keys: one key means two things");
    }
    Ok(keys::Options { device: raw.device, codes })
}

/// Any other name may be a loudspeaker's: the headset is named by its card, or nothing is said.
pub(super) fn understand_speech(raw: RawSpeech) -> Result<voice::Options, &'static str> {
    if !raw.headset.contains("CARD=") {
        return Err(
            "speech.headset names no headset, such as \"plughw:CARD=Headset\": a loudspeaker would tell the room",
        );
    }
    Ok(voice::Options { headset: raw.headset, program: "espeak-ng".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(previous: &str, next: &str) -> Result<keys::Options, &'static str> {
        understand_keys(RawKeys {
            device: "/dev/input/by-id/k".into(),
            previous: previous.into(),
            next: next.into(),
            act: "KEY_ENTER".into(),
            back: "KEY_ESC".into(),
        })
    }

    #[test]
    fn four_keys_are_four_and_known() {
        let four = keys("KEY_LEFT", "KEY_RIGHT").expect("understood");
        assert_eq!(four.codes, [KeyCode::KEY_LEFT, KeyCode::KEY_RIGHT, KeyCode::KEY_ENTER, KeyCode::KEY_ESC]);
        assert!(keys("KEY_LEFT", "KEY_LEFT").is_err());
        assert!(keys("LEFT", "KEY_RIGHT").is_err());
    }

    #[test]
    fn nothing_is_said_into_the_room() {
        let speech = |headset: &str| understand_speech(RawSpeech { headset: headset.into() });
        assert!(speech("plughw:CARD=Headset").is_ok());
        for other in ["default", "sysdefault", "pulse", "plughw:0", " "] {
            assert!(speech(other).is_err(), "{other}");
        }
    }
}
