//! The state of a record and of this holder's authorization, as the upstream says it (TD0.2).

use crate::time::UnixSeconds;

/// What the upstream answered about one record, for one holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordState {
    pub existence: Existence,
    pub authorization: Authorization,
    /// The patient blocked this professional: "with or without authorization".
    pub blocked: bool,
    /// `None`: the upstream did not say.
    pub emergency: Option<EmergencySwitches>,
    pub minor: Option<bool>,
    /// This holder is the patient's "médecin traitant DMP".
    pub attending_doctor: bool,
    /// This holder is a professional whom the patient named administrator.
    pub administrator: bool,
    /// The upstream's care team (FHIR CareTeam) that lists this holder, by its name.
    pub care_team: Option<String>,
    /// What was said upstream about whole care teams: the newest word about each.
    pub team_words: Vec<TeamWord>,
}

/// A patient's word about a care team, as the upstream keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamWord {
    pub team: String,
    pub agreed: bool,
    /// `None`: it cannot be read. A no stands without it, a yes does not.
    pub at: Option<UnixSeconds>,
    /// An agreement's end.
    pub until: Option<UnixSeconds>,
}

/// Whose copies the upstream took back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenBack {
    /// From every professional.
    Everybody,
    /// From the one who asked.
    ThisHolder,
}

impl RecordState {
    /// What of the copies on this device may not stay. A team's consent may be under way, so that an authorization that is not
    /// there takes nothing back; one that was there does.
    pub fn takes_back(&self, before: Option<&RecordState>) -> Option<TakenBack> {
        let was_valid = before.is_some_and(|state| matches!(state.authorization, Authorization::Valid { .. }));
        match (&self.existence, self.authorization) {
            (Existence::Closed { .. } | Existence::NeverCreated, _) => Some(TakenBack::Everybody),
            _ if self.refuses_a_team_anew(before) => Some(TakenBack::Everybody),
            _ if self.blocked => Some(TakenBack::ThisHolder),
            (_, Authorization::Forbidden) => Some(TakenBack::ThisHolder),
            (_, Authorization::None | Authorization::Expired) if was_valid => Some(TakenBack::ThisHolder),
            _ => None,
        }
    }

    /// A no about a whole team that was not known before: who of them has copies here, cannot be told from outside.
    fn refuses_a_team_anew(&self, before: Option<&RecordState>) -> bool {
        let known = before.map_or(&[][..], |before| &before.team_words);
        self.team_words.iter().any(|word| !word.agreed && !known.contains(word))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Existence {
    /// No record under this INS. What that means (opposed, or not yet made) is not told to professionals.
    NeverCreated,
    Open,
    Closed {
        reason: ClosureReason,
        on: Option<UnixSeconds>,
    },
    /// An answer we could not read: denied (P5).
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosureReason {
    /// The patient asked for it.
    Patient,
    Deceased,
    Other,
}

/// TD0.2's authorization status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authorization {
    /// VALIDE
    Valid { until: Option<UnixSeconds> },
    /// NON_EXISTE
    None,
    /// EXPIRE
    Expired,
    /// INTERDIT
    Forbidden,
    /// Not said, or not understood: never taken as valid.
    Unknown,
}

/// The three switches of Mon espace santé; `true` means that the patient allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmergencySwitches {
    pub samu: bool,
    pub other_professionals: bool,
    pub masked_documents: bool,
}

/// One line of the patient's access history (ITI-81), newest first.
#[derive(Clone, PartialEq, Eq)]
pub struct Access {
    pub at: UnixSeconds,
    pub author: String,
    pub action: String,
    pub context: String,
    /// Recorded here and not yet known upstream.
    pub unsent: bool,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Access([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(authorization: Authorization) -> RecordState {
        RecordState {
            existence: Existence::Open,
            authorization,
            blocked: false,
            emergency: None,
            minor: None,
            attending_doctor: false,
            administrator: false,
            care_team: None,
            team_words: vec![],
        }
    }

    #[test]
    fn what_the_upstream_took_back_may_not_stay() {
        let valid = open(Authorization::Valid { until: None });
        let (everybody, this_holder) = (Some(TakenBack::Everybody), Some(TakenBack::ThisHolder));
        let closed = |reason| RecordState { existence: Existence::Closed { reason, on: None }, ..valid.clone() };
        for reason in [ClosureReason::Patient, ClosureReason::Deceased, ClosureReason::Other] {
            assert_eq!(closed(reason).takes_back(None), everybody);
        }
        let word = |agreed, at| TeamWord { team: "t".into(), agreed, at: Some(UnixSeconds(at)), until: None };
        let about_team = |word| RecordState { team_words: vec![word], ..valid.clone() };
        assert_eq!(about_team(word(false, 2)).takes_back(Some(&about_team(word(true, 1)))), everybody);
        assert_eq!(about_team(word(false, 2)).takes_back(Some(&about_team(word(false, 2)))), None, "obeyed before");
        assert_eq!(about_team(word(true, 2)).takes_back(Some(&valid)), None);
        let never = RecordState { existence: Existence::NeverCreated, ..valid.clone() };
        assert_eq!(never.takes_back(Some(&valid)), everybody);
        let blocked = RecordState { blocked: true, ..valid.clone() };
        assert_eq!(blocked.takes_back(Some(&valid)), this_holder);
        assert_eq!(RecordState { blocked: true, ..closed(ClosureReason::Patient) }.takes_back(None), everybody);
        assert_eq!(open(Authorization::Forbidden).takes_back(None), this_holder);
        for ended in [Authorization::None, Authorization::Expired] {
            assert_eq!(open(ended).takes_back(Some(&valid)), this_holder, "{ended:?}");
            assert_eq!(open(ended).takes_back(Some(&open(Authorization::None))), None, "{ended:?}, and was not valid");
            assert_eq!(open(ended).takes_back(None), None, "{ended:?}, never heard of");
        }
        assert_eq!(valid.takes_back(Some(&valid)), None);
        // Not understood: shown to nobody (P5), and no reason to destroy.
        assert_eq!(open(Authorization::Unknown).takes_back(Some(&valid)), None);
        let unknown = RecordState { existence: Existence::Unknown, ..valid.clone() };
        assert_eq!(unknown.takes_back(Some(&valid)), None);
    }
}
