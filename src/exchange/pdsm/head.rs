//! ITI-20: a checkpoint of the journal as an AuditEvent of the device (docs/pdsm.md §7). Whoever takes it vouches for every
//! row below. Pure, and the same bytes for the same checkpoint, so that sending twice is harmless.

use crate::exchange::pdsm::names;
use crate::exchange::upstream::Checkpoint;
use crate::journal::note;
use serde_json::Value;
use serde_json::json;
use uuid::Builder;
use uuid::Uuid;

/// From the note itself (UUIDv8): the same checkpoint is the same resource.
pub fn id(checkpoint: &Checkpoint) -> Uuid {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, checkpoint.note.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_ref()[..16]);
    Builder::from_custom_bytes(bytes).into_uuid()
}

pub fn audit_event(checkpoint: &Checkpoint) -> Value {
    let origin = note::read(&checkpoint.note).map_or(String::new(), |head| head.origin);
    let device = json!({"system": names::DEVICE, "value": origin});
    json!({
        "resourceType": "AuditEvent",
        "id": id(checkpoint).to_string(),
        "extension": [{"url": names::CHECKPOINT, "valueString": checkpoint.note}],
        "type": {"system": names::DICOM, "code": "110100", "display": "Application Activity"},
        "subtype": [{"system": names::TRACE_CLASS, "code": "checkpoint"}],
        "action": "E",
        "recorded": checkpoint.at.rfc3339(),
        "outcome": "0",
        "agent": [{
            "type": {"coding": [{"system": names::DICOM, "code": "110153", "display": "Source Role ID"}]},
            "who": {"identifier": device},
            "requestor": true,
        }],
        "source": {
            "observer": {"identifier": device},
            "type": [{"system": names::SOURCE_TYPE, "code": "1", "display": "User Device"}],
        },
        "entity": [{
            "what": {"identifier": {"value": id(checkpoint).to_string()}},
            "type": {"system": names::BALP_ENTITY, "code": "XrequestId"},
        }],
    })
}

/// The note in a checkpoint's AuditEvent.
pub fn note_of(event: &Value) -> Option<String> {
    let parts = event["extension"].as_array()?;
    let note = parts.iter().find(|part| part["url"] == names::CHECKPOINT)?["valueString"].as_str()?;
    Some(note.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UnixSeconds;

    #[test]
    fn one_checkpoint_is_one_resource_and_another_is_another() {
        let note = "chevet-01\n42\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\n— chevet-01 AAAAAA==\n";
        let one = Checkpoint { size: 42, note: note.into(), at: UnixSeconds(1_795_423_320) };
        let event = audit_event(&one);
        assert_eq!(event, audit_event(&one.clone()));
        assert_eq!(event["extension"][0]["valueString"], note);
        assert_eq!(event["source"]["observer"]["identifier"]["value"], "chevet-01");
        let other = Checkpoint { note: note.replace("\n42\n", "\n43\n"), ..one.clone() };
        assert_ne!(id(&one), id(&other));
        assert_eq!(id(&one).get_version_num(), 8);
    }
}
