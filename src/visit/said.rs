//! What the patient said before, on this device, to this holder or their team: the last word counts, and a consent that a
//! colleague collected serves once, on its own day.

use crate::identity::holder::HolderId;
use crate::journal::consent::Answer;
use crate::journal::consent::Said;
use crate::journal::consent::Scope;
use crate::record::state::TeamWord;
use crate::time::Now;
use crate::time::UnixSeconds;
use crate::visit::event::StateAnswer;

/// The word that stands about the team: the newest one here that no refusal upstream overrules, else the upstream's, as
/// long as it surely has not ended.
pub(super) fn team_consent(said: &[Said], upstream: Option<&TeamWord>, now: Now) -> Option<bool> {
    if refused_upstream(said, upstream) {
        return Some(false);
    }
    let about_team = |said: &&Said| matches!(said.scope, Scope::Team(_));
    let here = said.iter().rfind(about_team).map(|said| said.answer == Answer::Yes);
    let there = upstream
        .filter(|word| word.agreed && word.until.is_none_or(|until| now.wall.has_reached(until) == Some(false)));
    here.or(there.map(|_| true))
}

/// A refusal that the upstream knows, unless the patient agreed here since: of two words in conflict the no wins.
pub(super) fn refused_upstream(said: &[Said], upstream: Option<&TeamWord>) -> bool {
    let Some(word) = upstream.filter(|word| !word.agreed) else { return false };
    let since = |said: &Said| word.at.is_some_and(|at| said.at.wall.value() > at);
    !said.iter().any(|said| matches!(said.scope, Scope::Team(_)) && said.answer == Answer::Yes && since(said))
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

    fn at(seconds: i64) -> Now {
        Now { since_boot: Duration::ZERO, wall: Wall::Is(UnixSeconds(MORNING + seconds)) }
    }

    fn team() -> Scope {
        Scope::Team("t".into())
    }

    #[test]
    fn the_last_word_counts() {
        let yes_then_no = [said(team(), Answer::Yes, ME), said(Scope::Authorization, Answer::Withdrawn, ME)];
        assert!(last_word_is_no(&yes_then_no));
        assert_eq!(team_consent(&yes_then_no, None, at(60)), Some(true));
        let no_then_yes = [said(team(), Answer::No, ME), said(team(), Answer::Yes, ME)];
        assert!(!last_word_is_no(&no_then_yes));
        // In the order of their recording: two in one second are told apart by nothing else.
        assert!(last_word_is_no(&[said(team(), Answer::Yes, ME), said(team(), Answer::No, ME)]));
        assert_eq!((team_consent(&[], None, at(60)), last_word_is_no(&[]), informed_at(&[])), (None, false, None));
    }

    #[test]
    fn what_the_upstream_knows_counts_and_its_no_wins() {
        let word = |agreed, since: Option<i64>, until: Option<i64>| TeamWord {
            team: "t".into(),
            agreed,
            at: since.map(|since| UnixSeconds(MORNING + since)),
            until: until.map(|until| UnixSeconds(MORNING + until)),
        };
        let yes_here = [said(team(), Answer::Yes, ME)];
        let no_here = [said(team(), Answer::No, ME)];
        let standing = |said: &[Said], word: &TeamWord| team_consent(said, Some(word), at(60));
        assert_eq!(standing(&[], &word(true, Some(-60), None)), Some(true));
        assert_eq!(standing(&[], &word(true, Some(-60), Some(61))), Some(true));
        assert_eq!(standing(&[], &word(true, Some(-60), Some(60))), None, "it has ended");
        let floor = Now { since_boot: Duration::ZERO, wall: Wall::AtLeast(UnixSeconds(MORNING)) };
        assert_eq!(team_consent(&[], Some(&word(true, Some(-60), Some(61))), floor), None, "who cannot tell its end");
        assert_eq!(standing(&[], &word(false, Some(-60), None)), Some(false));
        assert_eq!(standing(&yes_here, &word(false, Some(60), None)), Some(false), "what was said here before is over");
        assert_eq!(standing(&yes_here, &word(false, Some(-60), None)), Some(true));
        assert_eq!(standing(&no_here, &word(true, Some(30), None)), Some(false), "the patient is asked again here");
        let refused = |said: &[Said], word: &TeamWord| refused_upstream(said, Some(word));
        assert!(refused(&[], &word(false, Some(-60), None)) && refused(&[], &word(false, None, None)));
        assert!(!refused(&yes_here, &word(false, Some(-60), None)), "agreed here since");
        assert!(refused(&yes_here, &word(false, Some(0), None)), "in the same second");
        assert!(refused(&yes_here, &word(false, Some(60), None)) && refused(&yes_here, &word(false, None, None)));
        assert!(!refused(&[], &word(true, Some(-60), None)) && !refused_upstream(&[], None));
        let at_event = [said(Scope::Event("t".into()), Answer::Yes, ME)];
        assert!(refused(&at_event, &word(false, Some(-60), None)), "an event is not the team");
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
            care_team: None,
            team_words: vec![],
        };
        let answer = |by: &str, what, spent: Option<i64>| StateAnswer {
            state: state.clone(),
            source: Source::Online,
            as_of: UnixSeconds(MORNING),
            said: vec![said(Scope::HolderOnce, what, by)],
            spent: spent.map(UnixSeconds),
        };
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
