//! Stays, letters, follow-up, and what care teams write.

use crate::sandbox::people::chance::Chance;
use crate::sandbox::people::story::Run;
use crate::sandbox::people::story::Section;
use crate::sandbox::people::story::Table;

type Told = (&'static str, Vec<Section>);

pub fn stay(chance: &mut Chance) -> Told {
    let (words, reason) = *chance.pick(&[
        ("pneumopathie", "Pneumopathie aiguë communautaire du lobe inférieur droit, chez une personne autonome."),
        ("décompensation cardiaque", "Décompensation cardiaque globale sur écart de régime et oubli du diurétique."),
        ("pyélonéphrite", "Pyélonéphrite aiguë droite fébrile, sans obstacle à l’échographie."),
    ]);
    let sections = vec![
        Section::coded("Motif d’hospitalisation", "46241-6", "Motif d’admission").say(reason),
        Section::coded("Évolution", "8648-8", "Évolution dans le service").say(format!(
            "Séjour de {} jours. Apyrexie obtenue au troisième jour, reprise de la marche avec l’équipe de rééducation, \
             alimentation orale conservée.",
            chance.between(3, 14)
        )),
        Section::coded("Traitement de sortie", "10183-2", "Traitements à la sortie").table(medicines(chance)),
        Section::new("Suites").list(&[
            "Passage infirmier quotidien pendant une semaine.",
            "Contrôle biologique à dix jours.",
            "Consultation de suivi dans le service à six semaines.",
        ]),
    ];
    (words, sections)
}

pub fn letter(chance: &mut Chance) -> Told {
    let body = chance.pick(&[
        "Je vous remercie de recevoir cette personne, dont l’essoufflement à l’effort s’est accentué ces derniers mois \
         malgré un traitement bien suivi. L’examen de ce jour retrouve un souffle systolique que je ne connaissais pas.",
        "Votre patient regagne aujourd’hui son domicile après un séjour sans complication. La douleur est contrôlée, la \
         cicatrice est propre et sèche, et la marche est possible avec une canne.",
        "Je sollicite votre avis sur une altération de la fonction rénale d’apparition récente. L’échographie est \
         normale, et aucun médicament néphrotoxique n’est retrouvé à l’interrogatoire.",
    ]);
    let sections = vec![
        Section::new("Cher confrère, chère consœur,").say(*body),
        Section::new("Traitement en cours").table(medicines(chance)),
        Section::new("Points d’attention")
            .list(&["Tolérance digestive à surveiller.", "Aide à domicile en place trois fois par semaine."])
            .say("Je reste à votre disposition et vous prie de croire à mes sentiments confraternels."),
    ];
    ("courrier", sections)
}

pub fn vitals(chance: &mut Chance) -> Told {
    let mut table = Table::new("Relevés de la semaine", &["Jour", "Tension", "Pouls", "Glycémie", "Douleur (EVA)"]);
    for day in ["Lundi", "Mardi", "Mercredi", "Jeudi", "Vendredi"] {
        table = table.row(&[
            day,
            &format!("{}/{}", chance.between(108, 156), chance.between(58, 92)),
            &chance.between(56, 98).to_string(),
            &format!("{} g/L", format!("{},{:02}", 1, chance.between(2, 84))),
            &format!("{}/10", chance.between(0, 5)),
        ]);
    }
    let sections = vec![
        Section::coded("Signes vitaux", "8716-3", "Signes vitaux").table(table),
        Section::new("Transmission")
            .say("Pansement refait, plaie propre, exsudat modéré. Moral bon, appétit revenu, sommeil encore haché.")
            .runs(vec![
                Run::Bold("À faire : ".into()),
                Run::Plain("peser chaque matin avant le petit-déjeuner.".into()),
            ]),
    ];
    ("transmission infirmière", sections)
}

pub fn function(chance: &mut Chance) -> Told {
    let table = Table::new("Activités de la vie quotidienne", &["Activité", "Cotation", "Commentaire"])
        .row(&["Toilette", *chance.pick(&["A", "B", "C"]), "Aide pour le dos et les pieds"])
        .row(&["Habillage", *chance.pick(&["A", "B"]), "Seul pour le haut"])
        .row(&["Transferts", *chance.pick(&["A", "B"]), "Lit-fauteuil sans aide technique"])
        .row(&["Marche", &format!("{} m", chance.between(20, 250)), "Avec une canne anglaise"]);
    let sections = vec![
        Section::coded("Bilan", "47420-5", "Bilan fonctionnel")
            .say("Évaluation réalisée au domicile, en présence d’un proche.")
            .table(table),
        Section::new("Objectifs").steps(&[
            "Monter un étage sans pause d’ici six semaines.",
            "Sortir seul jusqu’à la boulangerie.",
            "Prévenir les chutes : tapis retirés, éclairage de nuit posé.",
        ]),
        Section::new("Séances proposées").say(format!("{} séances, deux fois par semaine.", chance.between(10, 30))),
    ];
    ("évaluation à domicile", sections)
}

pub fn birth(chance: &mut Chance) -> Told {
    let sections = vec![
        Section::new("Travail et naissance").say(format!(
            "Mise en travail spontanée à {} semaines d’aménorrhée. Naissance par voie basse, présentation céphalique, \
             d’un enfant pesant {} g, Apgar 10 à cinq minutes.",
            chance.between(38, 41),
            chance.between(2750, 3980)
        )),
        Section::new("Délivrance").say("Délivrance dirigée, complète, périnée intact, saignements de moins de 300 mL."),
        Section::new("Suites")
            .list(&["Allaitement maternel débuté.", "Retour au domicile au troisième jour avec visite de sage-femme."]),
    ];
    ("suites simples", sections)
}

pub fn synthesis(chance: &mut Chance) -> Told {
    let sections = vec![
        Section::coded("Antécédents", "11348-0", "Antécédents médicaux").list(&[
            "Hypertension artérielle, traitée.",
            "Appendicectomie dans l’enfance.",
            "Arthrose du genou gauche.",
        ]),
        Section::coded("Allergies", "48765-2", "Allergies et intolérances")
            .runs(vec![Run::Bold("Pénicilline".into()), Run::Plain(" : éruption étendue, non grave.".into())]),
        Section::coded("Problèmes en cours", "11450-4", "Liste des problèmes").say(*chance.pick(&[
            "Insuffisance cardiaque stable, stade II de la NYHA.",
            "Diabète de type 2 équilibré sous traitement oral.",
            "Suites de fracture du col fémoral, rééducation en cours.",
        ])),
        Section::coded("Traitements au long cours", "10160-0", "Traitements").table(medicines(chance)),
        Section::new("Mode de vie")
            .say("Vit avec un proche aidant, au premier étage sans ascenseur. Marche avec une canne, conduit encore."),
    ];
    ("points essentiels", sections)
}

pub fn mind(chance: &mut Chance) -> Told {
    let sections = vec![
        Section::new("Entretien").say(
            "Personne calme, de bon contact, orientée dans le temps et l’espace. Discours cohérent, \
             tristesse exprimée à l’évocation du deuil récent.",
        ),
        Section::new("Épreuves").table(
            Table::new("", &["Épreuve", "Score", "Seuil"])
                .row(&["Évaluation cognitive brève", &format!("{}/30", chance.between(22, 30)), "26"])
                .row(&["Échelle d’anxiété", &format!("{}/21", chance.between(2, 14)), "8"]),
        ),
        Section::new("Proposition").say("Soutien psychologique toutes les deux semaines, réévaluation à trois mois."),
    ];
    ("entretien et épreuves", sections)
}

pub fn child(chance: &mut Chance) -> Told {
    let sections = vec![
        Section::new("Croissance").table(
            Table::new("", &["Mesure", "Valeur", "Couloir"])
                .row(&["Taille", &format!("{} cm", chance.tenths(1180, 1480)), "Médiane"])
                .row(&["Poids", &format!("{} kg", chance.tenths(220, 390)), "Médiane"]),
        ),
        Section::new("Développement").say(
            "Scolarité suivie avec plaisir, sommeil de bonne qualité, activité physique régulière. \
             Vision et audition normales pour l’âge.",
        ),
        Section::new("Prévention").list(&["Vaccinations à jour.", "Brossage des dents deux fois par jour."]),
    ];
    ("visite de suivi", sections)
}

/// A treatment in a table; names are of substances, never of brands.
pub fn medicines(chance: &mut Chance) -> Table {
    const SUBSTANCES: [(&str, &str, &str); 7] = [
        ("Amlodipine 5 mg", "1 comprimé", "le matin"),
        ("Metformine 850 mg", "1 comprimé", "matin et soir, au repas"),
        ("Furosémide 40 mg", "1 comprimé", "le matin"),
        ("Paracétamol 1 g", "1 comprimé", "si douleur, 3 fois par jour au plus"),
        ("Atorvastatine 20 mg", "1 comprimé", "le soir"),
        ("Bisoprolol 2,5 mg", "1 comprimé", "le matin"),
        ("Pantoprazole 20 mg", "1 gélule", "avant le petit-déjeuner"),
    ];
    let first = chance.between(0, 3) as usize;
    let mut table = Table::new("", &["Médicament", "Dose", "Prise", "Durée"]);
    for (name, dose, when) in &SUBSTANCES[first..first + 3] {
        table = table.row(&[name, dose, when, &format!("{} jours", chance.between(1, 12) * 7)]);
    }
    table
}
