//! The ordered rules. Forbids come first; the first that applies decides; what no rule permits is denied.

use crate::journal::words::Class;
use crate::policy::decision::Decision;
use crate::policy::decision::Obligation;
use crate::policy::decision::Rule;
use crate::policy::facts::Ask;
use crate::policy::facts::Cell;
use crate::policy::facts::Facts;

const NO_MATCH: Rule = Rule {
    id: "Z-00",
    law: "précaution : ce qui n’est pas permis est refusé",
    sentence: "Aucune règle ne permet cet accès.",
};
const MATRIX_YES: Rule = Rule {
    id: "M-01",
    law: "arrêté du 26 octobre 2023, art. 1",
    sentence: "La matrice d’habilitation permet ce type de document à votre profession.",
};

/// Decides. Never fails: what cannot be decided is denied and said so.
pub fn decide(facts: &Facts) -> Decision {
    let seen = facts.document.as_ref().is_some_and(|document| document.cell == Cell::Yes);
    let (allow, rule) = if facts.ask == Ask::SeeDocument && seen { (true, MATRIX_YES) } else { (false, NO_MATCH) };
    Decision { allow, rule, facts: Vec::new(), obligations: vec![Obligation::TraceAs(Class::Listed)] }
}
