//! The stories: invented clinical French, with figures that follow from the seed. No sentence is anybody's.

mod acts;
mod care;
mod papers;

use crate::sandbox::people::catalogue::Tale;
use crate::sandbox::people::chance::Chance;
use crate::sandbox::people::story::Story;
use crate::time::UnixSeconds;

/// The body of a document of this kind. Its title is the kind's own name with a few words more.
pub fn story(tale: Tale, label: &str, chance: &mut Chance, at: UnixSeconds) -> Story {
    let (words, sections) = match tale {
        Tale::Consultation => acts::consultation(chance),
        Tale::Biology => acts::biology(chance),
        Tale::Imaging => acts::imaging(chance),
        Tale::Operation => acts::operation(chance),
        Tale::Anaesthesia => acts::anaesthesia(chance),
        Tale::Emergency => acts::emergency(chance),
        Tale::Eyes => acts::eyes(chance),
        Tale::Stay => care::stay(chance),
        Tale::Letter => care::letter(chance),
        Tale::Vitals => care::vitals(chance),
        Tale::Function => care::function(chance),
        Tale::Birth => care::birth(chance),
        Tale::Synthesis => care::synthesis(chance),
        Tale::Mind => care::mind(chance),
        Tale::Child => care::child(chance),
        Tale::Pharmacy => papers::pharmacy(chance),
        Tale::Prescription => papers::prescription(chance),
        Tale::Plan => papers::plan(chance),
        Tale::Given => papers::given(chance),
        Tale::Vaccines => papers::vaccines(chance),
        Tale::Certificate => papers::certificate(chance, &day(at)),
        Tale::Costs => papers::costs(chance),
        Tale::Wishes => papers::wishes(chance),
        Tale::Office => papers::office(&day(at)),
    };
    let title = if words.is_empty() { label.to_owned() } else { format!("{label} – {words}") };
    Story { title, sections }
}

/// `12/11/2026`.
fn day(at: UnixSeconds) -> String {
    let text = at.rfc3339();
    format!("{}/{}/{}", &text[8..10], &text[5..7], &text[0..4])
}
