//! French names that the national lists do not have: kinds of cards, classes counted in a sentence.

use crate::identity::holder::CardKind;
use crate::identity::holder::Holder;
use crate::policy::nomenclature;

/// A profession, for a name's second line.
pub fn profession(holder: &Holder) -> String {
    let name = holder.profession.map_or("Personnel d’établissement", nomenclature::profession_label);
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
