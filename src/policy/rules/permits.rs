//! What permits, once nothing forbids and nothing lacks.

use crate::journal::words::Ground;
use crate::journal::words::Mode;
use crate::policy::decision::Obligation;
use crate::policy::decision::Owed;
use crate::policy::decision::Rule;
use crate::policy::facts::Ask;
use crate::policy::facts::Cell;
use crate::policy::facts::Facts;
use crate::policy::looked;
use crate::policy::rules::Article;
use crate::policy::rules::Verdict::Permit;
use crate::policy::rules::documents;
use crate::policy::rules::documents::Through;
use crate::policy::rules::informed;
use crate::policy::rules::is_emergency;
use crate::policy::rules::trace;
use crate::record::document::Label;

const NOTHING_TO_DO: &str = "Rien à faire\u{a0}: l’accès est permis, et tracé.";

/// To fetch ahead.
pub const AHEAD: &[Article] = &[Article {
    rule: Rule {
        id: "P-01",
        law: "CSP R.1111-46\u{a0}; Conseil d’État n° 490409 du 15 octobre 2025",
        sentence: "Chargement à l’avance pour l’équipe de soins, sous autorisation valide et consentement initial.",
    },
    verdict: Permit,
    when: |f| f.ask == Ask::OpenRecord || cell_says_yes(f),
    owes,
    looks_at: &[looked::GROUND, looked::AUTHORIZATION, looked::IN_TEAM, looked::INITIAL, looked::TYPE, looked::CELL],
    next: NOTHING_TO_DO,
}];

/// To open a record.
pub const OPENING: &[Article] = &[
    Article {
        rule: Rule {
            id: "E-07",
            law: "CSP L.1111-17 I, R.1111-48",
            sentence: "Bris de glace\u{a0}: le patient ne peut pas s’exprimer et court un risque immédiat.",
        },
        verdict: Permit,
        when: |f| f.mode == Mode::BrisDeGlace,
        owes,
        looks_at: &[looked::MODE, looked::REASON, looked::EMERGENCY_OTHERS, looked::REFUSED],
        next: "Le patient et son médecin traitant seront informés de cet accès.",
    },
    Article {
        rule: Rule {
            id: "G-01",
            law: "CSP R.1111-46\u{a0}; DMP TD0.2 (VALIDE)",
            sentence: "Vous avez une autorisation valide sur ce dossier.",
        },
        verdict: Permit,
        when: |f| opens(f, Ground::Authorization),
        owes,
        looks_at: &[looked::GROUND, looked::AUTHORIZATION, looked::AUTHORIZED_UNTIL, looked::TIME_TRUST],
        next: NOTHING_TO_DO,
    },
    Article {
        rule: Rule {
            id: "G-02",
            law: "CSP L.1110-12, R.1111-46\u{a0}; Conseil d’État n° 490409 du 15 octobre 2025",
            sentence: "Vous êtes de l’équipe de soins, et le patient est informé.",
        },
        verdict: Permit,
        when: |f| opens(f, Ground::Team),
        owes,
        looks_at: &[looked::GROUND, looked::IN_TEAM, looked::INITIAL, looked::INFORMED, looked::REGIME],
        next: NOTHING_TO_DO,
    },
    Article {
        rule: Rule {
            id: "G-03",
            law: "CSP L.1110-4 III, R.1111-46",
            sentence: "Le patient vient de consentir expressément à cette consultation.",
        },
        verdict: Permit,
        when: |f| opens(f, Ground::Explicit),
        owes,
        looks_at: &[looked::GROUND, looked::EXPLICIT],
        next: NOTHING_TO_DO,
    },
];

/// To see a document.
pub const DOCUMENT: &[Article] = &[
    Article {
        rule: Rule {
            id: "L-10",
            law: "CSP R.1111-49",
            sentence: "Ce document est masqué, mais vous en êtes l’auteur.",
        },
        verdict: Permit,
        when: |f| sees_through(f, Through::Own),
        owes,
        looks_at: &[looked::LABELS, looked::OWN, looked::TYPE, looked::CELL, looked::MATRIX],
        next: NOTHING_TO_DO,
    },
    Article {
        rule: Rule {
            id: "L-11",
            law: "CSP L.1111-16",
            sentence: "Ce document est masqué, mais vous êtes le médecin traitant du patient.",
        },
        verdict: Permit,
        when: |f| sees_through(f, Through::AttendingDoctor),
        owes,
        looks_at: &[looked::LABELS, looked::ATTENDING, looked::TYPE, looked::CELL, looked::MATRIX],
        next: NOTHING_TO_DO,
    },
    Article {
        rule: Rule {
            id: "L-12",
            law: "CSP R.1111-49 (professionnel désigné par le patient)",
            sentence: "Ce document est masqué, mais le patient vous a désigné pour administrer son dossier.",
        },
        verdict: Permit,
        when: |f| sees_through(f, Through::Administrator),
        owes,
        looks_at: &[looked::LABELS, looked::ADMINISTRATOR, looked::TYPE, looked::CELL, looked::MATRIX],
        next: NOTHING_TO_DO,
    },
    Article {
        rule: Rule {
            id: "L-13",
            law: "CSP L.1111-17 I\u{a0}; réglages d’urgence de Mon espace santé",
            sentence: "Ce document est masqué, mais le patient l’ouvre aux urgences.",
        },
        verdict: Permit,
        when: |f| sees_through(f, Through::EmergencySwitch),
        owes,
        looks_at: &[looked::LABELS, looked::MODE, looked::EMERGENCY_MASKED, looked::TYPE, looked::CELL, looked::MATRIX],
        next: NOTHING_TO_DO,
    },
    Article {
        rule: Rule {
            id: "M-01",
            law: "arrêté du 26 octobre 2023, annexe",
            sentence: "La matrice d’habilitation permet ce type de document à votre profession.",
        },
        verdict: Permit,
        when: |f| cell_says_yes(f) && has_a_ground(f),
        owes,
        looks_at: &[looked::PROFESSION, looked::TYPE, looked::CELL, looked::MATRIX],
        next: NOTHING_TO_DO,
    },
];

/// To deposit one.
pub const DEPOSIT: &[Article] = &[Article {
    rule: Rule {
        id: "W-01",
        law: "CSP L.1111-15\u{a0}; DMP TD2.1",
        sentence: "Le dossier est ouvert et l’identité qualifiée\u{a0}: le dépôt ne demande pas d’autorisation.",
    },
    verdict: Permit,
    when: |_| true,
    owes: a_deposit_owes,
    looks_at: &[looked::ASK, looked::EXISTENCE, looked::INS, looked::TYPE, looked::LABELS, looked::OWN],
    next: "Dites au patient ce que vous déposez.",
}];

fn owes(facts: &Facts) -> Owed {
    let mut owed = Owed::new();
    // R.1111-46 asks it at each new event; under an authorization it is a duty, not a lock. Who has just said yes knows,
    // and who is brain-dead cannot be told.
    let told = informed(facts) || facts.ground == Some(Ground::Explicit) || facts.site.brain_death;
    if facts.ask == Ask::OpenRecord && facts.mode == Mode::Normal && !told {
        owed.push(Obligation::InformAtThisEvent);
    }
    if is_emergency(facts) {
        owed.push(Obligation::ShowEmergencyBanner);
    }
    if facts.ask == Ask::SeeDocument && documents::has(facts, &Label::InvisibleToPatient) {
        owed.push(Obligation::WarnInvisibleToPatient);
    }
    if facts.ask == Ask::SeeDocument && documents::has(facts, &Label::InvisibleToLegalRepresentatives) {
        owed.push(Obligation::WarnInvisibleToLegalRepresentatives);
    }
    if facts.secret_connection {
        owed.push(Obligation::KeepFromLegalRepresentatives);
    }
    owed.push(trace(facts));
    owed
}

fn a_deposit_owes(facts: &Facts) -> Owed {
    let mut owed = Owed::new();
    if !facts.site.brain_death {
        owed.push(Obligation::InformOfDeposit);
    }
    if facts.secret_connection {
        owed.push(Obligation::KeepFromLegalRepresentatives);
    }
    owed.push(trace(facts));
    owed
}

fn opens(facts: &Facts, ground: Ground) -> bool {
    facts.mode == Mode::Normal && facts.ground == Some(ground)
}

fn sees_through(facts: &Facts, through: Through) -> bool {
    documents::is_masked(facts)
        && cell_says_yes(facts)
        && has_a_ground(facts)
        && documents::through_the_mask(facts) == Some(through)
}

fn cell_says_yes(facts: &Facts) -> bool {
    facts.document.as_ref().is_some_and(|document| document.cell == Cell::Yes)
}

/// The grounds' own conditions were asked above; here only that one of them, in its own mode, is there at all.
fn has_a_ground(facts: &Facts) -> bool {
    match facts.ground {
        Some(Ground::Authorization | Ground::Team | Ground::Explicit) => facts.mode == Mode::Normal,
        Some(Ground::BreakGlass) => facts.mode == Mode::BrisDeGlace,
        Some(Ground::Refused) | None => false,
    }
}
