//! What forbids before anything else is looked at: who asks, the record, the patient's word, brain death, the mode.

use crate::identity::holder::CardKind;
use crate::identity::holder::ProfessionCode;
use crate::journal::words::Ground;
use crate::journal::words::Mode;
use crate::policy::decision::Owed;
use crate::policy::decision::Rule;
use crate::policy::facts::Facts;
use crate::policy::facts::Known;
use crate::policy::facts::ProfessionKind;
use crate::policy::looked;
use crate::policy::rules::Article;
use crate::policy::rules::Verdict::Forbid;
use crate::policy::rules::Verdict::Lack;
use crate::policy::rules::deposit::is_deposit;
use crate::policy::rules::is_prefetch;
use crate::policy::rules::nothing;
use crate::policy::rules::what_the_patient_can_give;
use crate::record::state::Authorization;
use crate::record::state::ClosureReason;
use crate::record::state::Existence;

pub const WHO_AND_RECORD: &[Article] = &[
    Article {
        rule: Rule {
            id: "I-01",
            law: "CSP R.1111-46\u{a0}; EX_GEN-1560",
            sentence: "Cette carte n’est pas celle d’un professionnel de santé\u{a0}: elle n’ouvre aucun dossier.",
        },
        verdict: Forbid,
        when: |f| matches!(f.holder.card_kind, CardKind::Cpe | CardKind::Cpa),
        owes: nothing,
        looks_at: &[looked::CARD_KIND],
        next: "Utilisez la carte CPS ou CPF d’un professionnel qui prend en charge le patient.",
    },
    Article {
        rule: Rule {
            id: "I-02",
            law: "arrêté du 26 octobre 2023, annexe",
            sentence: "La profession n’est pas connue\u{a0}: aucun accès n’est possible.",
        },
        verdict: Lack,
        when: |f| f.holder.profession.is_none(),
        owes: nothing,
        looks_at: &[looked::CARD_KIND, looked::PROFESSION],
        next: "Faites vérifier votre carte auprès de l’Agence du numérique en santé.",
    },
    Article {
        rule: Rule {
            id: "I-03",
            law: "arrêté du 26 octobre 2023, annexe",
            sentence: "La matrice d’habilitation ne donne aucun droit à cette profession.",
        },
        verdict: Forbid,
        when: |f| f.holder.kind == ProfessionKind::WithoutColumn,
        owes: nothing,
        looks_at: &[looked::PROFESSION, looked::KIND, looked::MATRIX],
        next: "Demandez le document à un professionnel habilité de l’équipe de soins.",
    },
    Article {
        rule: Rule {
            id: "I-04",
            law: "arrêté du 26 octobre 2023, annexe («\u{a0}internes\u{a0}»)",
            sentence: "En formation, seuls les internes en médecine, pharmacie, odontologie et maïeutique sont habilités.",
        },
        verdict: Forbid,
        when: |f| {
            let in_training = f.holder.in_training || f.holder.card_kind == CardKind::Cpf;
            in_training && !may_be_in_training(f.holder.profession)
        },
        owes: nothing,
        looks_at: &[looked::CARD_KIND, looked::PROFESSION, looked::IN_TRAINING],
        next: "Demandez à votre encadrant d’ouvrir le dossier avec sa propre carte.",
    },
    Article {
        rule: Rule { id: "R-01", law: "CSP R.1111-40", sentence: "Ce patient n’a pas de dossier médical partagé." },
        verdict: Forbid,
        when: |f| f.record.existence == Existence::NeverCreated,
        owes: nothing,
        looks_at: &[looked::EXISTENCE],
        next: "Seul le patient peut l’ouvrir, avec Mon espace santé\u{a0}; soignez-le avec ce qu’il vous dit.",
    },
    Article {
        rule: Rule { id: "R-02", law: "CSP R.1111-40 et suivants", sentence: "Le patient a fermé son dossier." },
        verdict: Forbid,
        when: |f| matches!(f.record.existence, Existence::Closed { reason: ClosureReason::Patient, .. }),
        owes: nothing,
        looks_at: &[looked::EXISTENCE],
        next: "Lui seul peut le rouvrir, avec Mon espace santé.",
    },
    Article {
        rule: Rule { id: "R-03", law: "CSP R.1111-40 et suivants", sentence: "Ce dossier est fermé." },
        verdict: Forbid,
        when: |f| matches!(f.record.existence, Existence::Closed { .. }),
        owes: nothing,
        looks_at: &[looked::EXISTENCE],
        next: "Vérifiez l’identité du patient\u{a0}; un dossier fermé ne se consulte plus d’ici.",
    },
    Article {
        rule: Rule {
            id: "R-04",
            law: "précaution\u{a0}: l’inconnu vaut refus",
            sentence: "L’état du dossier n’est pas connu\u{a0}: il reste fermé.",
        },
        verdict: Lack,
        when: |f| f.record.existence != Existence::Open,
        owes: nothing,
        looks_at: &[looked::EXISTENCE],
        next: "Réessayez quand la borne est reliée au réseau.",
    },
    Article {
        rule: Rule {
            id: "R-05",
            law: "CSP L.1111-15\u{a0}; DMP TD0.2",
            sentence: "Le patient a choisi de ne pas vous donner accès à son dossier.",
        },
        verdict: Forbid,
        when: |f| f.record.blocked,
        owes: nothing,
        looks_at: &[looked::BLOCKED],
        next: "Respectez son choix\u{a0}; lui seul peut le changer, dans Mon espace santé.",
    },
    Article {
        rule: Rule {
            id: "R-06",
            law: "CSP R.1111-46\u{a0}; DMP TD0.2 (INTERDIT)",
            sentence: "L’accès à ce dossier vous est interdit.",
        },
        verdict: Forbid,
        when: |f| !is_deposit(f) && f.record.authorization == Authorization::Forbidden,
        owes: nothing,
        looks_at: &[looked::AUTHORIZATION],
        next: "Seul le patient peut lever cette interdiction, dans Mon espace santé.",
    },
    Article {
        rule: Rule {
            id: "R-07",
            law: "précaution\u{a0}: l’inconnu vaut refus",
            sentence: "Votre autorisation sur ce dossier n’est pas connue\u{a0}: il reste fermé.",
        },
        verdict: Lack,
        when: |f| !is_deposit(f) && f.record.authorization == Authorization::Unknown,
        owes: nothing,
        looks_at: &[looked::AUTHORIZATION],
        next: "Réessayez quand la borne est reliée au réseau.",
    },
];

pub const WORD_AND_MODE: &[Article] = &[
    Article {
        rule: Rule {
            id: "C-01",
            law: "CSP L.1110-4\u{a0}; R.1111-46",
            sentence: "Le patient a refusé ou retiré son consentement.",
        },
        verdict: Forbid,
        when: |f| !is_deposit(f) && (f.consent.refused == Known::Yes || f.ground == Some(Ground::Refused)),
        owes: what_a_change_of_mind_needs,
        looks_at: &[looked::REFUSED, looked::GROUND],
        next: "Respectez ce refus\u{a0}; si le patient change d’avis, c’est à lui de le dire, devant cet écran.",
    },
    Article {
        rule: Rule {
            id: "C-02",
            law: "précaution\u{a0}: l’inconnu vaut refus",
            sentence: "On ne sait pas si le patient a refusé\u{a0}: le dossier reste fermé.",
        },
        verdict: Lack,
        when: |f| !is_deposit(f) && f.consent.refused == Known::Unknown,
        owes: nothing,
        looks_at: &[looked::REFUSED],
        next: "Réessayez quand la borne est reliée au réseau.",
    },
    Article {
        rule: Rule {
            id: "B-01",
            law: "CSP L.1111-17, L.1110-12, lecture du GRADeS",
            sentence: "En mort encéphalique, ni consultation ni dépôt sans cadre signé de l’établissement.",
        },
        verdict: Forbid,
        when: |f| f.site.brain_death && f.site.brain_death_framework.is_none(),
        owes: nothing,
        looks_at: &[looked::BRAIN_DEATH, looked::FRAMEWORK],
        next: "Adressez-vous au service juridique de l’établissement.",
    },
    Article {
        rule: Rule {
            id: "B-03",
            law: "précaution\u{a0}: l’inconnu vaut refus (cadre signé de l’établissement)",
            sentence: "Le cadre signé de l’établissement n’est pas en vigueur à cette date, ou l’heure n’est pas sûre.",
        },
        verdict: Forbid,
        when: |f| f.site.brain_death && !framework_stands(f),
        owes: nothing,
        looks_at: &[looked::BRAIN_DEATH, looked::FRAMEWORK, looked::TIME, looked::TIME_TRUST],
        next: "Reliez la borne au réseau\u{a0}; sinon, adressez-vous au service juridique de l’établissement.",
    },
    Article {
        rule: Rule {
            id: "B-02",
            law: "CSP L.1111-17 I, lecture du GRADeS",
            sentence: "En mort encéphalique, ni bris de glace, ni consentement recueilli, ni chargement à l’avance.",
        },
        verdict: Forbid,
        when: |f| {
            let by_consent_or_emergency = matches!(f.ground, Some(Ground::Explicit | Ground::BreakGlass));
            f.site.brain_death
                && !is_deposit(f)
                && (by_consent_or_emergency || f.mode == Mode::BrisDeGlace || is_prefetch(f))
        },
        owes: nothing,
        looks_at: &[looked::BRAIN_DEATH, looked::FRAMEWORK, looked::MODE, looked::GROUND],
        next: "Adressez-vous au service juridique de l’établissement.",
    },
    Article {
        rule: Rule {
            id: "E-01",
            law: "CSP L.1111-17 I",
            sentence: "L’accès du centre 15 est réservé à la régulation médicale\u{a0}: cette borne ne l’offre pas.",
        },
        verdict: Forbid,
        when: |f| f.mode == Mode::Centre15,
        owes: nothing,
        looks_at: &[looked::MODE],
        next: "Le médecin régulateur y accède depuis le logiciel du SAMU.",
    },
];

/// A refusal stands until the patient takes it back, and that is theirs to do here: a later yes answers it. Not in the
/// breath in which they refused, and not where nobody can be asked.
fn what_a_change_of_mind_needs(facts: &Facts) -> Owed {
    let asked_just_now = facts.ground == Some(Ground::Refused);
    let ordinary = facts.mode == Mode::Normal && facts.ground != Some(Ground::BreakGlass) && !is_prefetch(facts);
    if ordinary && !asked_just_now { what_the_patient_can_give(facts) } else { Owed::new() }
}

/// Footnotes and role codes of the publication: 10, 21, 40 and 50 exist « en formation » (OID 1.2.250.1.71.1.2.8).
fn may_be_in_training(profession: Option<ProfessionCode>) -> bool {
    matches!(profession, Some(ProfessionCode(10 | 21 | 40 | 50)))
}

fn framework_stands(facts: &Facts) -> bool {
    facts.site.brain_death_framework.as_ref().is_some_and(|framework| framework.stands(facts.time))
}
