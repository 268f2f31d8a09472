//! A journal that goes on after its disk was put back to an earlier state. Rows that the upstream has seen are missing then; the
//! tree cannot have them again, so it goes on beside them, with a row that names the head that is lost here.
//!
//! The lost head stays proven: the upstream has it, signed by this device. Pure.

use crate::identity::holder::HolderId;
use crate::journal::note::Head;
use crate::journal::trace::Draft;
use crate::journal::words::Class;
use crate::journal::words::Mode;
use crate::journal::words::Regime;
use crate::journal::words::Source;
use crate::time::Now;

/// What stands in the row's `rule`.
pub const RULE: &str = "JOURNAL-BRANCH";

/// The row. Its holder is the device itself: nobody was asked.
pub fn draft(lost: &Head, at: Now) -> Draft {
    Draft {
        class: Class::Maintenance,
        holder: HolderId(lost.origin.clone()),
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
        reason: Some(format!("lost head {} {}", lost.size, hex::encode(lost.root))),
        secret: false,
        framework: None,
        source: Source::Online,
        at,
    }
}
