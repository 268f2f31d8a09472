//! What `policy` is told, gathered from the visit. Nothing is assumed: what nobody said is `Unknown`.

use crate::journal::words::Ground;
use crate::journal::words::Mode;
use crate::policy::facts::Ask;
use crate::policy::facts::ConsentFacts;
use crate::policy::facts::DocumentFacts;
use crate::policy::facts::Facts;
use crate::policy::facts::HolderFacts;
use crate::policy::facts::Known;
use crate::policy::facts::SiteFacts;
use crate::policy::matrix::Place;
use crate::record::document::Document;
use crate::time::Now;
use crate::visit::event::StateAnswer;
use crate::visit::page::Here;
use crate::visit::page::Rules;

/// What the patient said at this gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AtGate {
    NotAsked,
    Agreed,
    Refused,
}

fn in_team(here: &Here, rules: &Rules) -> bool {
    rules.team.contains(&here.holder.id.0)
}

/// The facts for opening the record.
pub(super) fn to_open(
    here: &Here,
    answer: &StateAnswer,
    ground: Option<Ground>,
    said: AtGate,
    rules: &Rules,
    now: Now,
) -> Facts {
    let place = Place::of_holder(&here.holder);
    let agreed = said == AtGate::Agreed;
    let yes_or = |other: Known| if agreed { Known::Yes } else { other };
    Facts {
        ask: Ask::OpenRecord,
        holder: HolderFacts {
            card_kind: here.holder.card_kind,
            profession: here.holder.profession,
            kind: place.kind,
            in_training: here.holder.in_training,
        },
        record: answer.state.clone(),
        consent: ConsentFacts {
            initial_team: yes_or(answer.team_consent.map_or(Known::Unknown, known)),
            informed_at_event: yes_or(Known::No),
            explicit: yes_or(Known::No),
            // A yes given now answers an earlier no; both stay in the journal.
            refused: known(said == AtGate::Refused || (answer.refused && !agreed)),
            in_team: known(in_team(here, rules)),
            given_at: agreed.then(|| now.wall.value()),
            // This gate asks the patient and nobody else.
            by_representative: Known::No,
        },
        // The round and the datamatrix do not say how the identity was checked.
        ins_qualified: Known::Unknown,
        secret_connection: false,
        mode: Mode::Normal,
        ground,
        emergency_reason: None,
        document: None,
        site: SiteFacts { brain_death: false, brain_death_framework: rules.framework.clone() },
        matrix_version: rules.matrix.version.clone(),
        regime: rules.regime,
        time: now.wall,
    }
}

/// The facts for seeing one document, from those under which its record was opened.
pub(super) fn to_see(opened: &Facts, here: &Here, document: &Document, rules: &Rules) -> Facts {
    let place = Place::of_holder(&here.holder);
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

fn known(yes: bool) -> Known {
    if yes { Known::Yes } else { Known::No }
}
