//! `[pace]`: what becomes of a page that nobody touches.

use serde::Deserialize;

/// Seconds from the last touch; `end_s` from the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    pub dim_s: u32,
    /// A minute before it the page asks whether somebody is there.
    pub lock_s: u32,
    pub end_s: u32,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    dim_s: Option<u32>,
    lock_s: Option<u32>,
    end_s: Option<u32>,
}

/// The page asks for a minute, and nobody is asked before they had a minute of quiet.
pub(super) fn understand(raw: &Raw) -> Result<Pace, &'static str> {
    let pace = Pace {
        dim_s: raw.dim_s.unwrap_or(DIM_S),
        lock_s: raw.lock_s.unwrap_or(LOCK_S),
        end_s: raw.end_s.unwrap_or(END_S),
    };
    if pace.lock_s < LOCK_S_LEAST {
        return Err("pace.lock_s is below 120: whoever reads is asked a minute before, and needs one to read");
    }
    if pace.dim_s > pace.lock_s - ASKED_S {
        return Err("pace.dim_s is not a minute below pace.lock_s: the page would ask before it is dim");
    }
    if pace.lock_s > LOCK_S_MOST || pace.end_s > END_S_MOST {
        return Err("pace.lock_s is above 900 or pace.end_s above 3600: an open record would stand there for anybody");
    }
    Ok(pace)
}

const DIM_S: u32 = 120;
const LOCK_S: u32 = 300;
const LOCK_S_LEAST: u32 = 120;
const LOCK_S_MOST: u32 = 900;
const END_S: u32 = 1_800;
const END_S_MOST: u32 = 3_600;
const ASKED_S: u32 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_asked_before_they_had_time_to_read() {
        let of = |dim_s, lock_s| understand(&Raw { dim_s, lock_s, end_s: None });
        assert_eq!(of(None, None), Ok(Pace { dim_s: 120, lock_s: 300, end_s: 1_800 }));
        assert!(of(Some(60), Some(120)).is_ok());
        assert!(of(Some(10), Some(119)).is_err());
        assert!(of(Some(61), Some(120)).is_err());
        assert!(of(None, Some(900)).is_ok());
        assert!(of(None, Some(901)).is_err());
        assert!(understand(&Raw { dim_s: None, lock_s: None, end_s: Some(3_601) }).is_err());
    }
}
