//! What forbids one document: what it is, its status, its labels, the matrix.

use crate::policy::decision::Rule;
use crate::policy::facts::Ask;
use crate::policy::facts::Cell;
use crate::policy::facts::DocumentFacts;
use crate::policy::facts::Facts;
use crate::policy::facts::Known;
use crate::policy::looked;
use crate::policy::rules::Article;
use crate::policy::rules::Verdict::Forbid;
use crate::policy::rules::Verdict::Lack;
use crate::policy::rules::is_emergency;
use crate::policy::rules::nothing;
use crate::record::document::Label;
use crate::record::document::Status;

/// XDS `confidentialityCode` 1..4.
const LABELS_MAX: usize = 4;

pub const FORBIDS: &[Article] = &[
    Article {
        rule: Rule {
            id: "D-01",
            law: "précaution\u{a0}: l’inconnu vaut refus",
            sentence: "Rien n’est connu de ce document\u{a0}: il n’est pas montré.",
        },
        verdict: Lack,
        when: |f| f.document.is_none(),
        owes: nothing,
        looks_at: &[looked::ASK, looked::TYPE],
        next: "Revenez à la liste et ouvrez-le de nouveau.",
    },
    Article {
        rule: Rule { id: "D-02", law: "DMP TD3.3c", sentence: "Ce document a été supprimé par son auteur." },
        verdict: Forbid,
        when: |f| document(f).is_some_and(|d| d.status == Status::Deleted),
        owes: nothing,
        looks_at: &[looked::STATUS],
        next: "Demandez à son auteur la version qui le remplace.",
    },
    Article {
        rule: Rule {
            id: "D-03",
            law: "précaution\u{a0}: l’inconnu vaut refus",
            sentence: "Le statut de ce document n’est pas reconnu\u{a0}: accès refusé.",
        },
        verdict: Lack,
        when: |f| document(f).is_some_and(|d| d.status == Status::Unknown),
        owes: nothing,
        looks_at: &[looked::STATUS],
        next: "Demandez le document à son auteur.",
    },
    Article {
        rule: Rule {
            id: "L-01",
            law: "précaution\u{a0}: l’inconnu vaut refus (JDV_J08)",
            sentence: "La confidentialité de ce document n’est pas reconnue\u{a0}: accès refusé.",
        },
        verdict: Lack,
        when: |f| document(f).is_some_and(|d| labels_are_not_understood(&d.labels)),
        owes: nothing,
        looks_at: &[looked::LABELS],
        next: "Demandez le document à son auteur.",
    },
    Article {
        rule: Rule {
            id: "L-02",
            law: "EX_2.1-1050",
            sentence: "Ce document porte deux mentions qui s’excluent\u{a0}: accès refusé.",
        },
        verdict: Forbid,
        // The DMP's parameter `cumul-invisible_patient-masque_ps` is false: such a document cannot be read rightly.
        when: |f| has(f, &Label::InvisibleToPatient) && has(f, &Label::MaskedToProfessionals),
        owes: nothing,
        looks_at: &[looked::LABELS],
        next: "Demandez à son auteur de corriger la visibilité du document.",
    },
    Article {
        rule: Rule {
            id: "L-03",
            law: "CSP R.1111-49, L.1111-16",
            sentence: "Le patient a masqué ce document aux professionnels de santé.",
        },
        verdict: Forbid,
        when: |f| {
            is_masked(f) && through_the_mask(f).is_none() && document(f).is_some_and(|d| d.by_this_holder == Known::No)
        },
        owes: nothing,
        looks_at: &[looked::LABELS, looked::OWN, looked::ATTENDING, looked::ADMINISTRATOR, looked::MODE],
        next: "Seul le patient peut le rendre visible, dans Mon espace santé\u{a0}; vous pouvez lui en parler.",
    },
    Article {
        rule: Rule {
            id: "L-04",
            law: "précaution\u{a0}: l’inconnu vaut refus (CSP R.1111-49)",
            sentence: "Ce document est masqué, et l’on ne sait pas s’il est de vous\u{a0}: accès refusé.",
        },
        verdict: Lack,
        when: |f| is_masked(f) && through_the_mask(f).is_none(),
        owes: nothing,
        looks_at: &[looked::LABELS, looked::OWN, looked::ATTENDING, looked::ADMINISTRATOR, looked::MODE],
        next: "Seul le patient peut le rendre visible, dans Mon espace santé\u{a0}; vous pouvez lui en parler.",
    },
    Article {
        rule: Rule {
            id: "M-02",
            law: "arrêté du 26 octobre 2023, annexe",
            sentence: "La matrice d’habilitation ne permet pas ce type de document à votre profession.",
        },
        verdict: Forbid,
        // L.1111-16 opens what was masked to the attending doctor; we do not read it as lifting the annex's own « non ».
        when: |f| consulted(f).is_some_and(|d| d.cell == Cell::No),
        owes: nothing,
        looks_at: &[looked::PROFESSION, looked::TYPE, looked::CELL, looked::MATRIX],
        next: "Demandez l’information à un professionnel habilité de l’équipe de soins.",
    },
    Article {
        rule: Rule {
            id: "M-03",
            law: "précaution\u{a0}: l’inconnu vaut refus",
            sentence: "Type non reconnu ou droit inconnu pour votre profession\u{a0}: accès refusé.",
        },
        verdict: Lack,
        when: |f| consulted(f).is_some_and(|d| d.cell == Cell::Unknown),
        owes: nothing,
        looks_at: &[looked::PROFESSION, looked::TYPE, looked::CELL, looked::MATRIX],
        next: "La version en vigueur de la matrice ne le dit pas\u{a0}: demandez sa mise à jour au responsable de la borne.",
    },
];

/// Who may see a masked document, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Through {
    Own,
    AttendingDoctor,
    Administrator,
    EmergencySwitch,
}

/// The first reason for which a masked document is open to this holder.
pub fn through_the_mask(facts: &Facts) -> Option<Through> {
    let own = document(facts).is_some_and(|d| d.by_this_holder == Known::Yes);
    let switch = facts.record.emergency.is_some_and(|switches| switches.masked_documents);
    if own {
        Some(Through::Own)
    } else if facts.record.attending_doctor {
        Some(Through::AttendingDoctor)
    } else if facts.record.administrator {
        Some(Through::Administrator)
    } else if is_emergency(facts) && switch {
        Some(Through::EmergencySwitch)
    } else {
        None
    }
}

/// Whoever deposits may mask what they deposit, as the patient asks.
pub fn is_masked(facts: &Facts) -> bool {
    facts.ask != Ask::Deposit && has(facts, &Label::MaskedToProfessionals)
}

pub fn has(facts: &Facts, label: &Label) -> bool {
    document(facts).is_some_and(|d| d.labels.contains(label))
}

/// The document that is asked for; opening a record asks for none, whatever else the facts hold.
fn document(facts: &Facts) -> Option<&DocumentFacts> {
    if facts.ask == Ask::OpenRecord { None } else { facts.document.as_ref() }
}

/// The document that is to be read: the matrix says nothing of depositing.
fn consulted(facts: &Facts) -> Option<&DocumentFacts> {
    document(facts).filter(|_| facts.ask != Ask::Deposit)
}

fn labels_are_not_understood(labels: &[Label]) -> bool {
    labels.is_empty() || labels.len() > LABELS_MAX || labels.iter().any(|label| matches!(label, Label::Unknown(_)))
}
