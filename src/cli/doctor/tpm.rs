//! Whether the TPM answers that is to count the journal. Without one there is nothing to say: nothing is amiss.

use crate::cli::doctor::Line;
use crate::config;
use crate::kiosk::counter;

pub fn line(setting: &config::Tpm) -> Option<Line> {
    let tpm = counter::of_setting(setting)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    // Which index is asked for does not matter: it must answer.
    Some(match runtime.block_on(tpm.has(0)) {
        Ok(_) => Line::good(LAYER, "the TPM answers: a disk that is put back is found out at the next start"),
        Err(error) => Line::bad(LAYER, error.to_string(), NEXT),
    })
}

const LAYER: &str = "tpm";
const NEXT: &str = "install tpm2-tools, give the kiosk's user the group tss, and see [vault] tpm in the settings; until then a disk that \
                    is put back is found out at the next contact only";
