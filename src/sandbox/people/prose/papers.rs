//! Medicines, plans, certificates, and what patients and offices write.

use crate::sandbox::people::chance::Chance;
use crate::sandbox::people::prose::care;
use crate::sandbox::people::story::Run;
use crate::sandbox::people::story::Section;
use crate::sandbox::people::story::Table;

type Told = (&'static str, Vec<Section>);

pub fn pharmacy(chance: &mut Chance) -> Told {
    let sections = vec![
        Section::coded("Médicaments", "60590-7", "Médicaments dispensés").table(care::medicines(chance)),
        Section::new("Analyse").say(
            "Pas d’interaction majeure relevée. Le pilulier hebdomadaire est préparé par l’officine et remis le lundi.",
        ),
        Section::new("Conseils").list(&[
            "Prendre le diurétique le matin plutôt que le soir.",
            "Ne pas ajouter d’anti-inflammatoire sans avis.",
        ]),
    ];
    ("traitement habituel", sections)
}

pub fn prescription(chance: &mut Chance) -> Told {
    let sections = vec![
        Section::coded("Prescription", "57828-6", "Prescription").table(care::medicines(chance)),
        Section::new("Précisions")
            .say(format!("À renouveler {} fois. Non substituable : aucun.", chance.between(0, 5)))
            .runs(vec![Run::Italics("En rapport avec une affection de longue durée.".into())]),
    ];
    ("", sections)
}

pub fn plan(chance: &mut Chance) -> Told {
    let sections = vec![
        Section::new("Objectifs partagés").steps(&[
            "Rester au domicile dans de bonnes conditions.",
            "Retrouver un périmètre de marche de cinq cents mètres.",
            "Éviter une nouvelle hospitalisation non programmée.",
        ]),
        Section::coded("Interventions", "62387-6", "Interventions").table(
            Table::new("Qui fait quoi", &["Intervenant", "Fréquence", "But"])
                .row(&["Infirmière", "Chaque jour", "Traitement et surveillance"])
                .row(&["Kinésithérapeute", "Deux fois par semaine", "Marche et équilibre"])
                .row(&["Aide à domicile", &format!("{} heures", chance.between(2, 9)), "Repas et courses"])
                .band("Réunion de coordination tous les trois mois"),
        ),
        Section::new("Alerte").say("Prévenir le médecin traitant en cas de prise de deux kilos en trois jours."),
    ];
    ("révision annuelle", sections)
}

pub fn given(chance: &mut Chance) -> Told {
    let sections = vec![
        Section::coded("Administrations", "18610-6", "Médicaments administrés").table(
            Table::new("", &["Médicament", "Dose", "Voie", "Heure"])
                .row(&["Énoxaparine", "4 000 UI", "Sous-cutanée", &format!("08:{:02}", chance.between(0, 59))])
                .row(&["Paracétamol", "1 g", "Orale", &format!("12:{:02}", chance.between(0, 59))])
                .row(&["Insuline rapide", &format!("{} UI", chance.between(2, 12)), "Sous-cutanée", "12:05"]),
        ),
        Section::new("Tolérance").say("Aucun effet indésirable observé. Points d’injection souples et alternés."),
    ];
    ("journée", sections)
}

pub fn vaccines(chance: &mut Chance) -> Told {
    let lot = format!("LOT-{:05}", chance.between(10_000, 99_999));
    let sections = vec![
        Section::coded("Vaccinations", "11369-6", "Historique des vaccinations").table(
            Table::new("", &["Vaccin", "Dose", "Lot", "Site"])
                .row(&["Diphtérie-tétanos-poliomyélite", "Rappel", &lot, "Deltoïde gauche"])
                .row(&["Grippe saisonnière", "Annuelle", &lot, "Deltoïde droit"])
                .row(&["Pneumocoque", "Dose unique", &lot, "Deltoïde gauche"]),
        ),
    ];
    ("", sections)
}

pub fn certificate(chance: &mut Chance, day: &str) -> Told {
    let text = chance.pick(&[
        "ne présente ce jour aucun signe clinique apparent contre-indiquant la pratique de la marche.",
        "doit bénéficier d’une assistance pour les actes essentiels de la vie courante.",
        "est à jour des vaccinations obligatoires.",
    ]);
    let sections = vec![
        Section::new("Certificat")
            .say(format!("Je soussigné certifie que la personne désignée, examinée le {day}, {text}"))
            .say("Certificat établi à la demande de l’intéressé et remis en main propre."),
    ];
    ("", sections)
}

pub fn costs(chance: &mut Chance) -> Told {
    let euros = |chance: &mut Chance| format!("{} €", chance.tenths(45, 890));
    let table = Table::new("Douze derniers mois", &["Nature", "Nombre", "Remboursé"])
        .row(&["Consultations", &chance.between(2, 14).to_string(), &euros(chance)])
        .row(&["Actes infirmiers", &chance.between(4, 220).to_string(), &euros(chance)])
        .row(&["Biologie", &chance.between(1, 9).to_string(), &euros(chance)])
        .band("Total hors participations forfaitaires");
    ("", vec![Section::new("Remboursements").table(table)])
}

pub fn wishes(chance: &mut Chance) -> Told {
    let first = chance.pick(&[
        "Je souhaite être informé de tout, y compris des mauvaises nouvelles.",
        "Je préfère que ma fille soit présente quand on m’annonce un résultat.",
        "Si je ne peux plus m’exprimer, je ne veux pas être maintenu en vie seulement par des machines.",
    ]);
    let sections = vec![
        Section::new("Ce que je souhaite")
            .say(*first)
            .say("J’ai parlé de ces souhaits avec mes proches et mon médecin."),
        Section::new("Personne de confiance").say("J’ai désigné une personne de confiance, qui a donné son accord."),
    ];
    ("", sections)
}

pub fn office(day: &str) -> Told {
    let sections = vec![
        Section::new("Attestation")
            .say(format!("Le présent document atteste de la situation administrative de la personne au {day}."))
            .say("Fait pour servir et valoir ce que de droit."),
    ];
    ("", sections)
}
