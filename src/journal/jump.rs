//! A clock that jumped, as a row of its own: whoever reads the times of other rows must know of it. Pure.

use crate::identity::holder::HolderId;
use crate::journal::trace::Draft;
use crate::journal::words::Class;
use crate::journal::words::Mode;
use crate::journal::words::Regime;
use crate::journal::words::Source;
use crate::time::Now;
use crate::time::belief::Jump;

/// What stands in the row's `rule`.
pub const RULE: &str = "CLOCK-JUMP";

/// The row. Its holder is the device itself: nobody was asked.
pub fn draft(device: &str, jump: Jump, at: Now) -> Draft {
    let whose = if jump.is_own { "own clock" } else { "server" };
    Draft {
        class: Class::Maintenance,
        holder: HolderId(device.to_owned()),
        profession: None,
        login: None,
        proof: None,
        situation: None,
        patient: None,
        document: None,
        ground: None,
        mode: Mode::Normal,
        // No consent is in play; the stricter one claims nothing.
        regime: Regime::ConseilEtat2025,
        rule: RULE.to_owned(),
        matrix_version: String::new(),
        reason: Some(format!("{whose} said {} at {}", jump.said.rfc3339(), jump.expected.rfc3339())),
        secret: false,
        framework: None,
        source: Source::Online,
        at,
    }
}
