//! What the caller of `chevet policy explain` said, by flag or in a file, under the names that a decision prints.

use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use std::path::PathBuf;

/// What the caller said; nothing of it is required, and what is wrong is refused by name.
#[derive(clap::Args, Deserialize, Serialize, Default, Debug, Clone)]
#[serde(deny_unknown_fields, default)]
pub struct Given {
    /// TRE_G15, for example 60
    #[arg(long, value_name = "CODE")]
    pub profession: Option<u16>,
    /// A pharmacist's section, TRE_G05
    #[arg(long, value_name = "CODE")]
    pub section: Option<String>,
    /// doctor, occupational_doctor, coordinating_doctor, pharmacist, other, without_column
    #[arg(long = "kind", value_name = "KIND")]
    pub profession_kind: Option<String>,
    /// CPS, CPF, CPE or CPA
    #[arg(long, value_name = "KIND")]
    pub card_kind: Option<String>,
    /// In training
    #[arg(long = "training", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub in_training: Option<bool>,
    /// A document's type, for example 15508-5; without it the question is whether the record may be opened
    #[arg(long = "type", value_name = "CODE")]
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// JDV_J08, one to four times
    #[arg(long = "label", value_name = "CODE")]
    pub labels: Option<Vec<String>>,
    /// current, archived, superseded, deleted or unknown
    #[arg(long, value_name = "STATUS")]
    pub status: Option<String>,
    /// The matrix's answer, yes, no or unknown, instead of looking it up
    #[arg(long, value_name = "CELL")]
    pub cell: Option<String>,
    /// The holder is the document's author: yes, no or unknown
    #[arg(long = "own", value_name = "KNOWN")]
    pub by_this_holder: Option<String>,
    /// authorization, team, explicit, break_glass or refused
    #[arg(long, value_name = "GROUND")]
    pub ground: Option<String>,
    /// normal, bris_de_glace, prefetch or centre_15
    #[arg(long, value_name = "MODE")]
    pub mode: Option<String>,
    /// open, never_created, closed, closed_by_patient, closed_deceased, blocked or unknown
    #[arg(long, value_name = "STATE")]
    pub record: Option<String>,
    /// valid, none, expired, forbidden or unknown
    #[arg(long, value_name = "STATUS")]
    pub authorization: Option<String>,
    /// RFC 3339
    #[arg(long, value_name = "TIME")]
    pub authorized_until: Option<String>,
    /// arrete-2023 or conseil-etat-2025
    #[arg(long, value_name = "REGIME")]
    pub regime: Option<String>,
    /// unconscious, vital_distress or acute_confusion, and `: text`
    #[arg(long = "reason", value_name = "REASON")]
    pub emergency_reason: Option<String>,
    /// open_record, see_document, prefetch_document or deposit; otherwise what the type and the mode say
    #[arg(long, value_name = "ASK")]
    pub ask: Option<String>,
    /// The patient blocked this professional
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub blocked: Option<bool>,
    /// The holder is the patient's médecin traitant
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub attending_doctor: Option<bool>,
    /// The patient named the holder administrator
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub administrator: Option<bool>,
    /// The patient is a minor
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub minor: Option<bool>,
    /// The patient's switch: other professionals, in an emergency
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub emergency_allowed: Option<bool>,
    /// The patient's switch: masked documents, in an emergency
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub emergency_masked_allowed: Option<bool>,
    /// The initial consent to the team is recorded: yes, no or unknown
    #[arg(long, value_name = "KNOWN")]
    pub initial_team: Option<String>,
    /// The patient was informed at this event: yes, no or unknown
    #[arg(long, value_name = "KNOWN")]
    pub informed_at_event: Option<String>,
    /// Express consent to this holder: yes, no or unknown
    #[arg(long, value_name = "KNOWN")]
    pub explicit: Option<String>,
    /// The patient refused or withdrew: yes, no or unknown
    #[arg(long, value_name = "KNOWN")]
    pub refused: Option<String>,
    /// The holder is in the team: yes, no or unknown
    #[arg(long, value_name = "KNOWN")]
    pub in_team: Option<String>,
    /// A legal representative speaks for the patient: yes, no or unknown
    #[arg(long, value_name = "KNOWN")]
    pub by_representative: Option<String>,
    /// The patient's INS is qualified: yes, no or unknown
    #[arg(long, value_name = "KNOWN")]
    pub ins_qualified: Option<String>,
    /// A minor's secret connection
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub secret_connection: Option<bool>,
    /// When the newest consent was given, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub given_at: Option<String>,
    /// The patient is brain-dead
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub brain_death: Option<bool>,
    /// The establishment's signed framework, its signature beside it as .sig
    #[arg(long, value_name = "FILE")]
    pub brain_death_framework: Option<PathBuf>,
    /// RFC 3339; now when absent
    #[arg(long, value_name = "TIME")]
    pub time: Option<String>,
    /// is or at_least
    #[arg(long, value_name = "TRUST")]
    pub time_trust: Option<String>,
}

impl Given {
    /// Reads facts; a flag wins over the file.
    pub fn read(text: &str, flags: &Given) -> Result<Given, serde_json::Error> {
        // Read once for its own errors, which name the line.
        let _known: Given = serde_json::from_str(text)?;
        let mut facts: Map<String, Value> = serde_json::from_str(text)?;
        let said = serde_json::to_value(flags)?;
        let said = said.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
        facts.extend(said.map(|(name, value)| (name.clone(), value.clone())));
        serde_json::from_value(Value::Object(facts))
    }
}
