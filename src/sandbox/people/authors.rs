//! Who writes: invented professionals in invented structures. They have no national identifier, so none can be anybody's.

use crate::sandbox::people::Author;
use crate::sandbox::people::DOCTOR;
use crate::sandbox::people::NURSE;
use crate::sandbox::people::catalogue::Pen;
use crate::sandbox::people::chance::Chance;

/// An author for this kind of document.
pub fn author(chance: &mut Chance, pen: Pen, patient_name: &str) -> Author {
    let list: &[(&str, &str)] = match pen {
        Pen::Patient => {
            return Author { id: None, name: patient_name.to_owned(), structure: None, is_patient: true };
        }
        Pen::Doctor => &DOCTORS,
        Pen::Hospital => &HOSPITAL,
        Pen::Laboratory => &LABORATORY,
        Pen::Imaging => &IMAGING,
        Pen::Pharmacist => &PHARMACISTS,
        Pen::Nurse => &NURSES,
        Pen::Therapist => &THERAPISTS,
        Pen::Midwife => &MIDWIVES,
        Pen::Office => &OFFICES,
    };
    let (name, structure) = chance.pick(list);
    let author =
        Author { id: None, name: (*name).to_owned(), structure: Some((*structure).to_owned()), is_patient: false };
    match pen {
        Pen::Nurse if chance.between(0, 3) == 0 => nurse(),
        Pen::Doctor if chance.between(0, 4) == 0 => Author {
            id: Some(DOCTOR.to_owned()),
            name: "Dr Aurélien TALBOISSEAU".to_owned(),
            structure: Some("Maison de santé des Ardoisières".to_owned()),
            is_patient: false,
        },
        _ => author,
    }
}

/// The drawer's nurse herself.
pub fn nurse() -> Author {
    Author {
        id: Some(NURSE.to_owned()),
        name: "Maëlle QUERVENNEC".to_owned(),
        structure: Some("Cabinet infirmier des Deux-Rives".to_owned()),
        is_patient: false,
    }
}

const DOCTORS: [(&str, &str); 4] = [
    ("Dr Hortense VAUCRESSAN", "Maison de santé des Ardoisières"),
    ("Dr Élie MONTGARDIN", "Cabinet médical du Vieux-Lavoir"),
    ("Dr Bérénice OLIVARÈS-ROUX", "Centre de santé de l’Écluse"),
    ("Dr Gaétan FOURNAISE", "Cabinet médical du Vieux-Lavoir"),
];
const HOSPITAL: [(&str, &str); 4] = [
    ("Dr Iris CHAMBRELOUP", "Centre hospitalier du Val-Clair, médecine"),
    ("Dr Octave REYNEVAL", "Centre hospitalier du Val-Clair, chirurgie"),
    ("Dr Safia BENKERROU-LAS", "Clinique des Trois-Fontaines"),
    ("Dr Côme AUBRESPIN", "Centre hospitalier du Val-Clair, urgences"),
];
const LABORATORY: [(&str, &str); 2] =
    [("Dr Léonie SARRAZAC", "Laboratoire Bio-Val"), ("Dr Anselme PIGNEROL", "Laboratoire des Trois-Fontaines")];
const IMAGING: [(&str, &str); 2] =
    [("Dr Maxence TURBIGEL", "Imagerie du Val-Clair"), ("Dr Ysé LANDRIVAULT", "Centre d’imagerie de l’Écluse")];
const PHARMACISTS: [(&str, &str); 2] =
    [("Flore ESCOUBLAC", "Pharmacie du Vieux-Lavoir"), ("Tristan JOLIBOIS-MARC", "Pharmacie de l’Écluse")];
const NURSES: [(&str, &str); 2] = [
    ("Perrine HAUTECLOQUE", "Cabinet infirmier des Deux-Rives"),
    ("Loïc MARÉCHAUSSÉE", "Service de soins à domicile du Val-Clair"),
];
const THERAPISTS: [(&str, &str); 3] = [
    ("Ambre CASTELNOUX", "Cabinet de kinésithérapie de l’Écluse"),
    ("Naïm FERHATI-BLOT", "Centre de rééducation des Ardoisières"),
    ("Violette GRANDCLÉMENT", "Cabinet d’ergothérapie du Val-Clair"),
];
const MIDWIVES: [(&str, &str); 2] = [
    ("Salomé TRÉVERIEN", "Centre hospitalier du Val-Clair, maternité"),
    ("Aliénor BOISGARNIER", "Cabinet de sages-femmes des Deux-Rives"),
];
const OFFICES: [(&str, &str); 2] =
    [("Bureau des admissions", "Centre hospitalier du Val-Clair"), ("Service administratif", "Résidence des Tilleuls")];
