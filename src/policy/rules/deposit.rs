//! Depositing: an open record and a qualified INS; no authorization and no ground, for those speak of consultation.
//!
//! *Who may* is published nowhere that could be read here. Decided: the professions to which the matrix gives a column, for
//! they are the health professionals who owe the record what they do (CSP L.1111-15), and of the types those that the matrix
//! opens to them (W-10): it speaks of consultation, and whoever could not read a document again does not put it there; a profession without one, and what an
//! occupational doctor may add, are unknown, and so denied. A blocked professional is denied too: nothing read here
//! says that blocking stops at consultation. A refusal of consultation is none of deposit: the patient is told of each
//! ([`Obligation::InformOfDeposit`](crate::policy::decision::Obligation)) and says no there.

use crate::journal::words::Mode;
use crate::policy::decision::Rule;
use crate::policy::facts::Ask;
use crate::policy::facts::Cell;
use crate::policy::facts::Facts;
use crate::policy::facts::Known;
use crate::policy::facts::ProfessionKind;
use crate::policy::looked;
use crate::policy::nomenclature;
use crate::policy::rules::Article;
use crate::policy::rules::Verdict::Forbid;
use crate::policy::rules::Verdict::Lack;
use crate::policy::rules::documents;
use crate::policy::rules::nothing;
use crate::record::document::Label;

pub const FORBIDS: &[Article] = &[
    Article {
        rule: Rule {
            id: "W-02",
            law: "DMP TD2.1\u{a0}; EX_GEN-1255",
            sentence: "L’identité du patient n’est pas qualifiée\u{a0}: rien ne peut être déposé.",
        },
        verdict: Forbid,
        when: |f| f.ins_qualified == Known::No,
        owes: nothing,
        looks_at: &[looked::INS],
        next: "Vérifiez l’identité avec une pièce d’identité et le téléservice INSi, puis recommencez.",
    },
    Article {
        rule: Rule {
            id: "W-03",
            law: "précaution\u{a0}: l’inconnu vaut refus (EX_GEN-1255)",
            sentence: "On ne sait pas si l’identité du patient est qualifiée\u{a0}: rien n’est déposé.",
        },
        verdict: Lack,
        when: |f| f.ins_qualified == Known::Unknown,
        owes: nothing,
        looks_at: &[looked::INS],
        next: "Vérifiez l’identité avec une pièce d’identité et le téléservice INSi, puis recommencez.",
    },
    Article {
        rule: Rule {
            id: "W-04",
            law: "précaution\u{a0}: les modes d’accès sont ceux de la consultation (TRE_R248)",
            sentence: "Un dépôt ne se fait qu’en accès normal.",
        },
        verdict: Forbid,
        when: |f| f.mode != Mode::Normal,
        owes: nothing,
        looks_at: &[looked::ASK, looked::MODE],
        next: "Terminez cet accès\u{a0}; le dépôt ne demande pas d’autorisation.",
    },
    Article {
        rule: Rule {
            id: "W-05",
            law: "précaution\u{a0}: l’inconnu vaut refus (CSP L.1111-15, L.1111-17 IV)",
            sentence: "Ce qu’un médecin du travail peut déposer n’est pas connu de cette borne\u{a0}: dépôt refusé.",
        },
        verdict: Lack,
        when: |f| f.holder.kind == ProfessionKind::OccupationalDoctor,
        owes: nothing,
        looks_at: &[looked::ASK, looked::KIND],
        next: "Déposez-le depuis le logiciel du service de santé au travail.",
    },
    Article {
        rule: Rule {
            id: "W-06",
            law: "CSP R.1111-50\u{a0}; EX_2.1-1050",
            sentence: "En connexion secrète, on ne dépose que ce qui est non visible par les représentants légaux.",
        },
        verdict: Forbid,
        when: |f| f.secret_connection && !hidden_from_representatives(f),
        owes: nothing,
        looks_at: &[looked::SECRET, looked::LABELS],
        next: "Marquez le document «\u{a0}non visible par les représentants légaux\u{a0}».",
    },
    Article {
        rule: Rule {
            id: "W-07",
            law: "précaution\u{a0}: CSP R.1111-50, la trace du dépôt serait visible",
            sentence: "Un document non visible par les représentants légaux ne se dépose qu’en connexion secrète.",
        },
        verdict: Forbid,
        when: |f| !f.secret_connection && hidden_from_representatives(f),
        owes: nothing,
        looks_at: &[looked::SECRET, looked::LABELS],
        next: "Si le mineur le demande, ouvrez une connexion secrète.",
    },
    Article {
        rule: Rule {
            id: "W-08",
            law: "précaution\u{a0}: l’inconnu vaut refus (ASS_X16)",
            sentence: "Ce type de document n’est pas de ceux que le dossier reçoit\u{a0}: dépôt refusé.",
        },
        verdict: Lack,
        when: |f| !f.document.as_ref().is_some_and(|d| nomenclature::dmp_takes(&d.type_code)),
        owes: nothing,
        looks_at: &[looked::TYPE],
        next: "Choisissez un type de la liste du DMP.",
    },
    Article {
        rule: Rule {
            id: "W-10",
            law: "précaution\u{a0}: l’inconnu vaut refus (arrêté du 26 octobre 2023, annexe)",
            sentence: "Rien ne dit que ce type de document est ouvert à votre profession\u{a0}: dépôt refusé.",
        },
        verdict: Lack,
        when: |f| !f.document.as_ref().is_some_and(|d| d.cell == Cell::Yes),
        owes: nothing,
        looks_at: &[looked::TYPE, looked::CELL, looked::PROFESSION, looked::MATRIX],
        next: "Choisissez un type que la matrice ouvre à votre profession.",
    },
    Article {
        rule: Rule {
            id: "W-09",
            law: "précaution\u{a0}: l’auteur d’un dépôt est le titulaire de la carte (CSP L.1111-15)",
            sentence: "On ne dépose d’ici que ce que l’on a écrit soi-même.",
        },
        verdict: Forbid,
        when: |f| !f.document.as_ref().is_some_and(|d| d.by_this_holder == Known::Yes),
        owes: nothing,
        looks_at: &[looked::OWN],
        next: "Demandez à son auteur de le déposer.",
    },
];

pub fn is_deposit(facts: &Facts) -> bool {
    facts.ask == Ask::Deposit
}

fn hidden_from_representatives(facts: &Facts) -> bool {
    documents::has(facts, &Label::InvisibleToLegalRepresentatives)
}
