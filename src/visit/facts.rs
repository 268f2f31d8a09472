//! What `policy` is told, gathered from the visit. Nothing is assumed: what nobody said is `Unknown`.

use crate::journal::consent::Said;
use crate::journal::words::Ground;
use crate::journal::words::Mode;
use crate::policy::facts::Ask;
use crate::policy::facts::ConsentFacts;
use crate::policy::facts::DocumentFacts;
use crate::policy::facts::Facts;
use crate::policy::facts::HolderFacts;
use crate::policy::facts::Known;
use crate::policy::facts::SiteFacts;
use crate::record::document::Document;
use crate::record::document::Label;
use crate::record::document::Status;
use crate::record::document::TypeCode;
use crate::time::Now;
use crate::visit::event::StateAnswer;
use crate::visit::page::Here;
use crate::visit::page::Rules;
use crate::visit::page::gate::Answered;
use crate::visit::page::gate::Emergency;
use crate::visit::page::gate::EventOfCare;
use crate::visit::page::gate::SoFar;
use crate::visit::said;

/// The facts for opening the record.
pub(super) fn to_open(
    here: &Here,
    answer: &StateAnswer,
    ground: Option<Ground>,
    so_far: &SoFar,
    rules: &Rules,
    now: Now,
) -> Facts {
    let place = rules.place(&here.holder);
    Facts {
        ask: Ask::OpenRecord,
        holder: HolderFacts {
            card_kind: here.holder.card_kind,
            profession: here.holder.profession,
            kind: place.kind,
            in_training: here.holder.in_training,
        },
        record: answer.state.clone(),
        consent: consent(here, answer, so_far, rules, now),
        // The round and the datamatrix do not say how the identity was checked.
        ins_qualified: Known::Unknown,
        secret_connection: so_far.secret,
        mode: so_far.mode(),
        ground,
        emergency_reason: so_far.emergency.as_ref().map(Emergency::as_given),
        document: None,
        site: SiteFacts { brain_death: so_far.brain_death, brain_death_framework: rules.framework.clone() },
        matrix_version: rules.matrix.version.clone(),
        regime: rules.regime,
        time: now.wall,
    }
}

/// The facts for fetching ahead of a visit: nobody is there to be asked.
pub(super) fn ahead(here: &Here, answer: &StateAnswer, rules: &Rules, now: Now) -> Facts {
    let nothing = SoFar::nothing();
    Facts { mode: Mode::Prefetch, ..to_open(here, answer, Some(Ground::Authorization), &nothing, rules, now) }
}

fn consent(here: &Here, answer: &StateAnswer, so_far: &SoFar, rules: &Rules, now: Now) -> ConsentFacts {
    let agreed = so_far.answered == Answered::Agreed;
    let collected = said::collected_for(&here.holder.id, answer, now, &rules.time_zone);
    // A minor who asks for secrecy is asked in person: what was said before, perhaps by a parent, opens nothing.
    let (before, collected) = if so_far.secret { (&[][..], None) } else { (&answer.said[..], collected) };
    let upstream = rules.team_word(&here.holder, &answer.state);
    // Nor does what was said about the team; a no does stand.
    let known_upstream = upstream.filter(|_| !so_far.secret);
    let standing = said::team_consent(before, known_upstream, now).map_or(Known::Unknown, known);
    let refused = said::last_word_is_no(&answer.said) || said::refused_upstream(&answer.said, upstream);
    ConsentFacts {
        initial_team: if agreed { Known::Yes } else { standing },
        informed_at_event: known(informed(before, so_far, rules, now)),
        explicit: known(agreed || collected.is_some()),
        // The last word, which at this gate has just been added to them; both stay in the journal.
        refused: known(so_far.answered == Answered::Refused || (refused && !agreed)),
        in_team: known(rules.team_of(&here.holder, &answer.state).is_some()),
        by_representative: known(so_far.represented),
        given_at: match so_far.answered {
            Answered::Agreed | Answered::Informed => Some(now.wall.value()),
            Answered::NotAsked | Answered::Refused => {
                said::newest(before).max(known_upstream.filter(|word| word.agreed).and_then(|word| word.at))
            }
        },
    }
}

/// An event of care is a calendar day, unless the holder says that it goes on, or that another one began.
fn informed(before: &[Said], so_far: &SoFar, rules: &Rules, now: Now) -> bool {
    if matches!(so_far.answered, Answered::Agreed | Answered::Informed) {
        return true;
    }
    let Some(told) = said::informed_at(before) else { return false };
    match so_far.event {
        EventOfCare::New => false,
        EventOfCare::Continued => true,
        EventOfCare::Unsaid => said::is_today(told, now, &rules.time_zone),
    }
}

/// The facts for seeing one document, from those under which its record was opened.
pub(super) fn to_see(opened: &Facts, here: &Here, document: &Document, rules: &Rules) -> Facts {
    let place = rules.place(&here.holder);
    let mine = document.authors.iter().any(|author| author.id.as_deref() == Some(here.holder.id.0.as_str()));
    Facts {
        ask: Ask::SeeDocument,
        document: Some(DocumentFacts {
            type_code: document.type_code.clone(),
            cell: rules.matrix.cell(&place, &document.type_code),
            labels: document.labels.clone(),
            status: document.status,
            by_this_holder: known(mine),
        }),
        ..opened.clone()
    }
}

/// The facts for putting a document of that type, with these labels, into the record: in the ordinary mode, under the identity
/// that the holder attests (EX_GEN-1255), as its author.
pub(super) fn to_deposit(opened: &Facts, here: &Here, code: &TypeCode, labels: Vec<Label>, rules: &Rules) -> Facts {
    Facts {
        ask: Ask::Deposit,
        ins_qualified: Known::Yes,
        document: Some(DocumentFacts {
            type_code: code.clone(),
            cell: rules.matrix.cell(&rules.place(&here.holder), code),
            labels,
            status: Status::Current,
            by_this_holder: Known::Yes,
        }),
        ..opened.clone()
    }
}

fn known(yes: bool) -> Known {
    if yes { Known::Yes } else { Known::No }
}
