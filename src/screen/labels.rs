//! Short French names for codes: professions (TRE_G15), classes of documents (TRE_A03). A code we do not know keeps
//! its own name, never a guessed one.

use crate::identity::holder::CardKind;
use crate::identity::holder::Holder;
use crate::record::document::Document;

/// A profession, for a name's second line.
pub fn profession(holder: &Holder) -> String {
    let name = match holder.profession.map(|code| code.0) {
        Some(10) => "Médecin",
        Some(21) => "Pharmacien",
        Some(26) => "Audioprothésiste",
        Some(28) => "Opticien-lunetier",
        Some(40) => "Chirurgien-dentiste",
        Some(50) => "Sage-femme",
        Some(60) => "Infirmier",
        Some(69) => "Infirmier psychiatrique",
        Some(70) => "Masseur-kinésithérapeute",
        Some(80) => "Pédicure-podologue",
        Some(81) => "Orthoprothésiste",
        Some(82) => "Podo-orthésiste",
        Some(83) => "Orthopédiste-orthésiste",
        Some(84) => "Oculariste",
        Some(85) => "Épithésiste",
        Some(91) => "Orthophoniste",
        Some(92) => "Orthoptiste",
        Some(94) => "Ergothérapeute",
        Some(95) => "Diététicien",
        Some(96) => "Psychomotricien",
        Some(98) => "Manipulateur en électroradiologie",
        Some(code) => return format!("Profession {code}"),
        None => "Personnel d’établissement",
    };
    if holder.in_training { format!("{name} en formation") } else { name.to_owned() }
}

/// What kind of card is in, in full.
pub fn card(kind: CardKind) -> &'static str {
    match kind {
        CardKind::Cps => "Carte de professionnel de santé",
        CardKind::Cpf => "Carte de professionnel en formation",
        CardKind::Cpe => "Carte de personnel d’établissement",
        CardKind::Cpa => "Carte de personnel autorisé",
    }
}

/// A class, singular and plural.
pub fn class(code: &str) -> (&'static str, &'static str) {
    match code {
        "10" => ("compte rendu", "comptes rendus"),
        "11" => ("synthèse", "synthèses"),
        "31" => ("document d’imagerie", "documents d’imagerie"),
        "42" => ("prescription", "prescriptions"),
        "43" => ("dispensation", "dispensations"),
        "44" => ("plan de soins", "plans de soins"),
        "45" => ("traitement administré", "traitements administrés"),
        "52" => ("certificat ou déclaration", "certificats ou déclarations"),
        "60" => ("donnée de remboursement", "données de remboursement"),
        "90" => ("document du patient", "documents du patient"),
        "95" => ("document de gestion", "documents de gestion"),
        _ => ("document d’une classe inconnue", "documents d’une classe inconnue"),
    }
}

/// A class on a filter's chip.
pub fn chip(code: &str) -> &'static str {
    match code {
        "10" => "Comptes rendus",
        "11" => "Synthèses",
        "31" => "Imagerie",
        "42" => "Ordonnances",
        "43" => "Dispensations",
        "44" => "Plans de soins",
        "45" => "Traitements",
        "52" => "Certificats",
        "60" => "Remboursements",
        "90" => "Du patient",
        "95" => "Gestion",
        _ => "Autres",
    }
}

/// Two to four letters on a row's tile, from the type where it has its own, else from the class.
pub fn tile(document: &Document) -> &'static str {
    match document.type_code.0.as_str() {
        "11502-2" => "Bio",
        "11490-0" | "83981-1" | "18761-7" => "LL",
        "60591-5" => "VSM",
        "34112-3" => "CRH",
        "34874-8" => "CRO",
        "11488-4" => "Cs",
        "15507-7" | "60280-5" | "74207-2" => "Urg",
        "18748-4" => "Img",
        _ => match document.class_code.0.as_str() {
            "10" => "CR",
            "11" => "Syn",
            "31" => "Img",
            "42" => "Ord",
            "43" => "Disp",
            "44" => "Plan",
            "45" => "Tt",
            "52" => "Cert",
            "60" => "Rbt",
            "90" => "Pat",
            "95" => "Gest",
            _ => "Doc",
        },
    }
}
