//! A journal that goes on although rows are missing: its disk was put back to an earlier state, or its newest part is gone. The
//! tree cannot have them again, so it goes on beside them, with a row that names the head that is lost here, if anybody knows it.
//!
//! A head that the upstream has stays proven: it is signed by this device. Pure.

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
pub fn draft(device: &str, lost: Option<&Head>, at: Now) -> Draft {
    let named = lost.map(|head| format!("lost head {} {}", head.size, hex::encode(head.root)));
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
        reason: Some(named.unwrap_or_else(|| "the newest rows may be lost".to_owned())),
        secret: false,
        framework: None,
        source: Source::Online,
        at,
    }
}
