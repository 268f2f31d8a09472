//! The closed list of reasons for a bris de glace, in the words of CSP L.1111-17 I: unable to express their will, and
//! an immediate risk for their health. There is no « autre »: what is not here is not an emergency.

/// One reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// Stable; it enters the trace.
    pub code: &'static str,
    /// For the screen.
    pub label: &'static str,
}

/// All of them, in the order in which the screen offers them.
pub const REASONS: &[Reason] = &[
    Reason { code: "unconscious", label: "Patient inconscient, risque immédiat pour sa santé" },
    Reason { code: "vital_distress", label: "Détresse vitale, patient hors d’état de s’exprimer" },
    Reason {
        code: "acute_confusion", label: "Confusion aiguë, patient hors d’état de s’exprimer, risque immédiat"
    },
];

/// Reads what was given: a code of the list, alone or followed by `:` and free text.
pub fn reason(given: &str) -> Option<Reason> {
    let code = given.split_once(':').map_or(given, |(code, _)| code).trim();
    REASONS.iter().copied().find(|reason| reason.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_list_counts() {
        assert_eq!(reason("unconscious").map(|r| r.code), Some("unconscious"));
        assert_eq!(reason("vital_distress: chute au domicile").map(|r| r.code), Some("vital_distress"));
        assert_eq!(reason("").map(|r| r.code), None);
        assert_eq!(reason(": unconscious").map(|r| r.code), None);
        assert_eq!(reason("curiosity").map(|r| r.code), None);
    }
}
