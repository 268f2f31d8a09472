//! What the patient said before, on this device, to this holder or their team: the last word counts, and a consent that a
//! colleague collected serves once, on its own day.

use crate::identity::holder::HolderId;
use crate::journal::consent::Answer;
use crate::journal::consent::Said;
use crate::journal::consent::Scope;
use crate::time::Now;
use crate::time::UnixSeconds;
use crate::visit::event::StateAnswer;

/// The newest word about the team, if there is one.
pub(super) fn team_consent(said: &[Said]) -> Option<bool> {
    let about_team = |said: &&Said| matches!(said.scope, Scope::Team(_));
    said.iter().rfind(about_team).map(|said| said.answer == Answer::Yes)
}

/// Refused or withdrawn, and not taken back since: the vault gives the words in the order of their recording.
pub(super) fn last_word_is_no(said: &[Said]) -> bool {
    said.last().is_some_and(|said| said.answer != Answer::Yes)
}

/// When the team last told the patient of an event of their care, and met no objection.
pub(super) fn informed_at(said: &[Said]) -> Option<UnixSeconds> {
    let told = |said: &&Said| matches!(said.scope, Scope::Team(_) | Scope::Event(_));
    let told = said.iter().rfind(told).filter(|said| said.answer == Answer::Yes);
    told.map(|said| said.at.wall.value())
}

/// A consent for one time that a colleague collected for this holder (L.1111-17 II), not yet used. By a clock that is
/// only a floor its day cannot be told: then the patient is asked again.
pub(super) fn collected_for(me: &HolderId, answer: &StateAnswer, now: Now, zone: &str) -> Option<UnixSeconds> {
    let mine = |said: &&Said| said.scope == Scope::HolderOnce && said.holder == *me && said.collected_by != *me;
    let found = answer.said.iter().rfind(mine).filter(|said| said.answer == Answer::Yes)?;
    let at = found.at.wall.value();
    let unused = answer.spent.is_none_or(|spent| spent < at);
    (unused && is_today(at, now, zone)).then_some(at)
}

/// When the newest of these was said.
pub(super) fn newest(said: &[Said]) -> Option<UnixSeconds> {
    said.iter().map(|said| said.at.wall.value()).max()
}

/// The same calendar day here. A floor cannot tell.
pub(super) fn is_today(at: UnixSeconds, now: Now, zone: &str) -> bool {
    now.wall.is_trusted() && at.is_same_day(now.wall.value(), zone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::consent::Shown;
    use crate::journal::consent::Speaker;
    use crate::journal::words::Ground;
    use crate::journal::words::Regime;
    use crate::journal::words::Source;
    use crate::patient::ins::Ins;
    use crate::patient::ins::InsKind;
    use crate::record::state::Authorization;
    use crate::record::state::Existence;
    use crate::record::state::RecordState;
    use crate::time::Wall;
    use std::time::Duration;

    const ME: &str = "899700000012";
    const MORNING: i64 = 1_795_423_320;
    const ZONE: &str = "Europe/Paris";

    fn said(scope: Scope, answer: Answer, collected_by: &str) -> Said {
        Said {
            patient: Ins::unchecked("279035121518989", InsKind::Test).expect("well formed"),
            holder: HolderId(ME.into()),
            collected_by: HolderId(collected_by.into()),
            scope,
            answer,
            ground: Ground::Team,
            regime: Regime::ConseilEtat2025,
            shown: Shown { text: "AC-3".into(), version: 1, language: "fr-FR".into() },
            by: Speaker::Patient,
            signature: None,
            at: Now { since_boot: Duration::ZERO, wall: Wall::Is(UnixSeconds(MORNING)) },
        }
    }

    fn team() -> Scope {
        Scope::Team("t".into())
    }

    #[test]
    fn the_last_word_counts() {
        let yes_then_no = [said(team(), Answer::Yes, ME), said(Scope::Authorization, Answer::Withdrawn, ME)];
        assert!(last_word_is_no(&yes_then_no));
        assert_eq!(team_consent(&yes_then_no), Some(true));
        let no_then_yes = [said(team(), Answer::No, ME), said(team(), Answer::Yes, ME)];
        assert!(!last_word_is_no(&no_then_yes));
        // In the order of their recording: two in one second are told apart by nothing else.
        assert!(last_word_is_no(&[said(team(), Answer::Yes, ME), said(team(), Answer::No, ME)]));
        assert_eq!((team_consent(&[]), last_word_is_no(&[]), informed_at(&[])), (None, false, None));
    }

    #[test]
    fn an_objection_at_an_event_is_no_information() {
        let told = said(Scope::Event("t".into()), Answer::Yes, ME);
        let objected = said(Scope::Event("t".into()), Answer::No, ME);
        assert_eq!(informed_at(std::slice::from_ref(&told)), Some(UnixSeconds(MORNING)));
        assert_eq!(informed_at(&[told, objected]), None);
        assert_eq!(informed_at(&[said(Scope::HolderOnce, Answer::Yes, ME)]), None);
    }

    #[test]
    fn what_a_colleague_collected_serves_once_and_today() {
        let me = HolderId(ME.into());
        let state = RecordState {
            existence: Existence::Open,
            authorization: Authorization::None,
            blocked: false,
            emergency: None,
            minor: None,
            attending_doctor: false,
            administrator: false,
        };
        let answer = |by: &str, what, spent: Option<i64>| StateAnswer {
            state: state.clone(),
            source: Source::Online,
            as_of: UnixSeconds(MORNING),
            said: vec![said(Scope::HolderOnce, what, by)],
            spent: spent.map(UnixSeconds),
        };
        let at = |seconds: i64| Now { since_boot: Duration::ZERO, wall: Wall::Is(UnixSeconds(MORNING + seconds)) };
        let found = |answer: &StateAnswer, now| collected_for(&me, answer, now, ZONE).is_some();
        let fresh = answer("899700000047", Answer::Yes, None);
        assert!(found(&fresh, at(3_600)));
        assert!(!found(&fresh, at(86_400)), "the next day");
        let floor = Now { since_boot: Duration::ZERO, wall: Wall::AtLeast(UnixSeconds(MORNING + 60)) };
        assert!(!found(&fresh, floor), "a floor cannot tell the day");
        assert!(found(&answer("899700000047", Answer::Yes, Some(MORNING - 1)), at(60)));
        assert!(!found(&answer("899700000047", Answer::Yes, Some(MORNING)), at(60)), "spent");
        assert!(!found(&answer(ME, Answer::Yes, None), at(60)), "collected by oneself: it was used then");
        assert!(!found(&answer("899700000047", Answer::No, None), at(60)));
    }
}
