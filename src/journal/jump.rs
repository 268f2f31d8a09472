//! A clock that jumped, as a row of its own: whoever reads the times of other rows must know of it. Pure.

use crate::journal::trace::Draft;
use crate::time::Now;
use crate::time::belief::Jump;

/// What stands in the row's `rule`.
pub const RULE: &str = "CLOCK-JUMP";

/// The row, of the device itself.
pub fn draft(device: &str, jump: Jump, at: Now) -> Draft {
    let whose = if jump.is_own { "own clock" } else { "server" };
    let reason = format!("{whose} said {} at {}", jump.said.rfc3339(), jump.expected.rfc3339());
    Draft::of_device(device, RULE, reason, at)
}
