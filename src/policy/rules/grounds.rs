//! The lawful ground: what rules it out, then what it lacks and who could give it.

use crate::journal::words::Ground;
use crate::journal::words::Mode;
use crate::policy::decision::Obligation;
use crate::policy::decision::Owed;
use crate::policy::decision::Rule;
use crate::policy::emergency;
use crate::policy::facts::Ask;
use crate::policy::facts::Facts;
use crate::policy::facts::Known;
use crate::policy::facts::ProfessionKind;
use crate::policy::looked;
use crate::policy::rules::Article;
use crate::policy::rules::Verdict::Forbid;
use crate::policy::rules::Verdict::Lack;
use crate::policy::rules::authorization_stands;
use crate::policy::rules::dated_in_the_future;
use crate::policy::rules::deposit::is_deposit;
use crate::policy::rules::informed;
use crate::policy::rules::initial_consent_is_needed;
use crate::policy::rules::initial_consent_stands;
use crate::policy::rules::is_emergency;
use crate::policy::rules::nothing;
use crate::policy::rules::what_the_patient_can_give;

/// Bris de glace, whichever of mode and ground says so.
pub const EMERGENCY: &[Article] = &[
    Article {
        rule: Rule {
            id: "E-02",
            law: "CSP L.1111-17 IV",
            sentence: "Le médecin du travail n’accède au dossier qu’avec le consentement exprès du patient.",
        },
        verdict: Forbid,
        when: |f| f.holder.kind == ProfessionKind::OccupationalDoctor,
        owes: nothing,
        looks_at: &[looked::KIND, looked::MODE, looked::GROUND],
        next: "Appelez le 15\u{a0}: la régulation médicale a son propre accès.",
    },
    Article {
        rule: Rule {
            id: "E-03", law: "CSP L.1111-17 I", sentence: "Le patient s’est opposé à l’accès en urgence."
        },
        verdict: Forbid,
        when: |f| f.record.emergency.is_some_and(|switches| !switches.other_professionals),
        owes: nothing,
        looks_at: &[looked::MODE, looked::EMERGENCY_OTHERS],
        next: "Soignez sans le dossier\u{a0}; vous n’êtes pas responsable de ce que vous ne pouviez pas voir (L.1111-15).",
    },
    Article {
        rule: Rule {
            id: "E-04",
            law: "précaution\u{a0}: l’inconnu vaut refus (CSP L.1111-17 I)",
            sentence: "On ne sait pas si le patient s’est opposé à l’accès en urgence\u{a0}: il est refusé.",
        },
        verdict: Lack,
        when: |f| f.record.emergency.is_none(),
        owes: nothing,
        looks_at: &[looked::MODE, looked::EMERGENCY_OTHERS],
        next: "Réessayez quand la borne est reliée au réseau\u{a0}; en cas d’urgence vitale, appelez le 15.",
    },
    Article {
        rule: Rule {
            id: "E-05",
            law: "CSP L.1111-17 I\u{a0}; EX_0.3-1050",
            sentence: "Le bris de glace est à la fois un mode et un motif\u{a0}: l’un ne va pas sans l’autre.",
        },
        verdict: Forbid,
        when: |f| !(f.mode == Mode::BrisDeGlace && f.ground == Some(Ground::BreakGlass)),
        owes: nothing,
        looks_at: &[looked::MODE, looked::GROUND],
        next: "Revenez à l’entrée du dossier et choisissez de nouveau le motif.",
    },
    Article {
        rule: Rule {
            id: "E-06",
            law: "CSP L.1111-17 I, R.1111-48",
            sentence: "Le bris de glace demande un motif de la liste.",
        },
        verdict: Lack,
        when: |f| f.emergency_reason.as_deref().and_then(emergency::reason).is_none(),
        owes: |_| Owed::from_iter([Obligation::GiveReason]),
        looks_at: &[looked::MODE, looked::REASON],
        next: "Choisissez le motif\u{a0}: il sera montré au patient et à son médecin traitant.",
    },
];

/// Fetching ahead, whichever of mode and ask says so.
pub const AHEAD: &[Article] = &[
    Article {
        rule: Rule {
            id: "P-02",
            law: "précaution\u{a0}: le chargement à l’avance a ses propres conditions",
            sentence: "Un chargement à l’avance ne montre rien et ne se fait jamais en urgence.",
        },
        verdict: Forbid,
        when: |f| f.ask == Ask::SeeDocument || is_emergency(f),
        owes: nothing,
        looks_at: &[looked::ASK, looked::MODE, looked::GROUND],
        next: "Ouvrez le dossier en présence du patient.",
    },
    Article {
        rule: Rule {
            id: "P-03",
            law: "précaution\u{a0}: CSP R.1111-46, équipe de soins",
            sentence: "On ne charge à l’avance que pour l’équipe de soins, sous une autorisation valide.",
        },
        verdict: Lack,
        when: |f| {
            let ground = matches!(f.ground, Some(Ground::Authorization | Ground::Team));
            !(ground && f.consent.in_team == Known::Yes && authorization_stands(f))
        },
        owes: nothing,
        looks_at: &[looked::GROUND, looked::IN_TEAM, looked::AUTHORIZATION, looked::AUTHORIZED_UNTIL, looked::TIME],
        next: "Ouvrez le dossier en présence du patient.",
    },
    Article {
        rule: Rule {
            id: "P-04",
            law: "Conseil d’État n° 490409 du 15 octobre 2025",
            sentence: "On ne charge à l’avance qu’après le consentement initial du patient.",
        },
        verdict: Lack,
        when: |f| !initial_consent_stands(f),
        owes: nothing,
        looks_at: &[looked::INITIAL, looked::GIVEN_AT, looked::TIME, looked::TIME_TRUST],
        next: "Demandez ce consentement au patient lors de votre prochaine visite.",
    },
    Article {
        rule: Rule {
            id: "P-05",
            law: "CSP L.1111-17 IV",
            sentence: "Le médecin du travail ne charge rien à l’avance.",
        },
        verdict: Forbid,
        when: |f| f.holder.kind == ProfessionKind::OccupationalDoctor,
        owes: nothing,
        looks_at: &[looked::KIND, looked::MODE],
        next: "Ouvrez le dossier en présence du patient, avec son consentement exprès.",
    },
];

pub const LACKS: &[Article] = &[
    Article {
        rule: Rule {
            id: "G-10",
            law: "CSP R.1111-46",
            sentence: "Aucun motif d’accès n’est encore établi pour ce patient.",
        },
        verdict: Lack,
        when: |f| f.ground.is_none() && !is_deposit(f),
        owes: what_the_patient_can_give,
        looks_at: &[
            looked::GROUND,
            looked::IN_TEAM,
            looked::INITIAL,
            looked::INFORMED,
            looked::EXPLICIT,
            looked::REGIME,
        ],
        next: "Tournez l’écran vers le patient et demandez-lui.",
    },
    Article {
        rule: Rule {
            id: "K-01",
            law: "CSP L.1111-17 IV",
            sentence: "Le médecin du travail n’accède au dossier qu’avec le consentement exprès du patient.",
        },
        verdict: Lack,
        when: |f| occupational(f) && (is_ordinary(f, Ground::Authorization) || is_ordinary(f, Ground::Team)),
        owes: what_the_patient_can_give,
        looks_at: &[looked::KIND, looked::GROUND],
        next: "Tournez l’écran vers le patient et demandez son consentement exprès.",
    },
    Article {
        rule: Rule {
            id: "G-11",
            law: "CSP R.1111-46\u{a0}; EX_0.3-1010",
            sentence: "Vous n’avez pas d’autorisation valide sur ce dossier.",
        },
        verdict: Lack,
        when: |f| is_ordinary(f, Ground::Authorization) && !authorization_stands(f),
        owes: what_the_patient_can_give,
        looks_at: &[looked::AUTHORIZATION, looked::AUTHORIZED_UNTIL, looked::TIME, looked::TIME_TRUST],
        next: "Tournez l’écran vers le patient et demandez-lui.",
    },
    Article {
        rule: Rule {
            id: "G-12",
            law: "CSP L.1110-12, R.1111-46",
            sentence: "Vous n’êtes pas inscrit dans l’équipe de soins de ce patient.",
        },
        verdict: Lack,
        when: |f| is_ordinary(f, Ground::Team) && f.consent.in_team != Known::Yes,
        owes: what_the_patient_can_give,
        looks_at: &[looked::GROUND, looked::IN_TEAM],
        next: "Hors de l’équipe de soins, demandez au patient son consentement exprès.",
    },
    Article {
        rule: Rule {
            id: "G-13",
            law: "précaution\u{a0}: un consentement daté de l’avenir n’est pas cru",
            sentence: "Le consentement enregistré porte une date que la borne ne peut pas croire.",
        },
        verdict: Lack,
        when: |f| by_consent(f) && dated_in_the_future(f),
        owes: what_the_patient_can_give,
        looks_at: &[looked::GIVEN_AT, looked::TIME, looked::TIME_TRUST],
        next: "Demandez de nouveau au patient\u{a0}; si l’heure affichée est fausse, reliez la borne au réseau.",
    },
    Article {
        rule: Rule {
            id: "G-14",
            law: "Conseil d’État n° 490409 du 15 octobre 2025\u{a0}; CSP L.1111-16",
            sentence: "Le consentement initial du patient à l’équipe de soins n’est pas enregistré.",
        },
        verdict: Lack,
        when: |f| is_ordinary(f, Ground::Team) && initial_consent_is_needed(f) && !initial_consent_stands(f),
        owes: what_the_patient_can_give,
        looks_at: &[looked::REGIME, looked::KIND, looked::INITIAL],
        next: "Tournez l’écran vers le patient et demandez-lui.",
    },
    Article {
        rule: Rule {
            id: "G-15",
            law: "CSP R.1111-46",
            sentence: "Le patient n’a pas encore été informé à ce nouvel événement de son parcours.",
        },
        verdict: Lack,
        when: |f| is_ordinary(f, Ground::Team) && !informed(f),
        owes: what_the_patient_can_give,
        looks_at: &[looked::GROUND, looked::INFORMED],
        next: "Tournez l’écran vers le patient et informez-le.",
    },
    Article {
        rule: Rule {
            id: "G-16",
            law: "CSP L.1110-4 III, R.1111-46",
            sentence: "Hors de l’équipe de soins, le patient doit consentir expressément, à chaque consultation.",
        },
        verdict: Lack,
        when: |f| is_ordinary(f, Ground::Explicit) && f.consent.explicit != Known::Yes,
        owes: what_the_patient_can_give,
        looks_at: &[looked::GROUND, looked::EXPLICIT],
        next: "Tournez l’écran vers le patient et demandez-lui.",
    },
];

/// A ground that is not bris de glace, for consulting, outside prefetching.
fn is_ordinary(facts: &Facts, ground: Ground) -> bool {
    let consults = matches!(facts.ask, Ask::OpenRecord | Ask::SeeDocument);
    consults && facts.ground == Some(ground) && facts.mode == Mode::Normal
}

fn by_consent(facts: &Facts) -> bool {
    is_ordinary(facts, Ground::Team) || is_ordinary(facts, Ground::Explicit)
}

fn occupational(facts: &Facts) -> bool {
    facts.holder.kind == ProfessionKind::OccupationalDoctor
}
