//! Consultations, examinations and acts.

use crate::sandbox::people::chance::Chance;
use crate::sandbox::people::story::Run;
use crate::sandbox::people::story::Section;
use crate::sandbox::people::story::Table;

type Told = (&'static str, Vec<Section>);

pub fn consultation(chance: &mut Chance) -> Told {
    let (words, motive, found, next) = *chance.pick(&[
        (
            "hypertension artérielle",
            "Suivi d’une hypertension artérielle connue depuis plusieurs années, sans plainte nouvelle.",
            "Auscultation cardiaque et pulmonaire sans particularité, pas d’œdème des membres inférieurs.",
            "Poursuite du traitement à l’identique ; automesure tensionnelle avant le prochain rendez-vous.",
        ),
        (
            "diabète de type 2",
            "Bilan trimestriel du diabète. Quelques écarts alimentaires reconnus pendant l’été.",
            "Pouls périphériques perçus, sensibilité conservée au monofilament, aucune plaie des pieds.",
            "Conseils diététiques repris ; dosage de l’hémoglobine glyquée dans trois mois.",
        ),
        (
            "lombalgie",
            "Douleur lombaire basse apparue après un effort de soulèvement, sans irradiation ni déficit.",
            "Raideur modérée, signe de Lasègue absent, réflexes présents et symétriques.",
            "Antalgiques de palier 1, maintien de l’activité, réévaluation si la douleur persiste.",
        ),
        (
            "toux traînante",
            "Toux sèche depuis trois semaines, sans fièvre, chez une personne qui n’a jamais fumé.",
            "Murmure vésiculaire symétrique, gorge légèrement érythémateuse, pas d’adénopathie.",
            "Surveillance simple ; une radiographie sera demandée si la toux dépasse six semaines.",
        ),
    ]);
    let pressure = format!("{}/{} mmHg", chance.between(112, 158), chance.between(62, 94));
    let sections = vec![
        Section::coded("Motif", "46239-0", "Motif de consultation").say(motive),
        Section::coded("Examen", "29545-1", "Examen physique")
            .runs(vec![
                Run::Plain("Pression artérielle : ".into()),
                Run::Bold(pressure),
                Run::Plain(format!(", fréquence cardiaque {} min", chance.between(58, 96))),
                Run::Sup("-1".into()),
                Run::Plain(", ".into()),
                Run::Plain(format!("poids {} kg.", chance.tenths(480, 960))),
            ])
            .say(found),
        Section::coded("Conduite à tenir", "18776-5", "Plan de soins").say(next).list(&[
            "Carnet de suivi relu et complété avec la personne.",
            "Vaccinations à jour, rappel antigrippal proposé.",
        ]),
    ];
    (words, sections)
}

pub fn biology(chance: &mut Chance) -> Told {
    let haemoglobin = chance.between(96, 158);
    let table = Table::new("Hématologie et biochimie", &["Analyse", "Résultat", "Unité", "Valeurs de référence"]);
    let table = table.band("Numération formule sanguine");
    let shown = format!("{},{}", haemoglobin / 10, haemoglobin % 10);
    let row = ["Hémoglobine", shown.as_str(), "g/dL", "12,0 – 16,0"];
    let table = if haemoglobin < 120 { table.strong(&row) } else { table.row(&row) };
    let table = table
        .row(&["Leucocytes", &chance.tenths(41, 98), "G/L", "4,0 – 10,0"])
        .row(&["Plaquettes", &chance.between(152, 398).to_string(), "G/L", "150 – 400"])
        .band("Ionogramme et fonction rénale")
        .row(&["Sodium", &chance.between(136, 144).to_string(), "mmol/L", "136 – 145"])
        .row(&["Potassium", &chance.tenths(35, 50), "mmol/L", "3,5 – 5,0"])
        .row(&["Créatinine", &chance.between(52, 118).to_string(), "µmol/L", "45 – 105"])
        .strong(&["Protéine C réactive", &chance.between(6, 64).to_string(), "mg/L", "< 5"]);
    let sections = vec![
        Section::coded("Renseignements", "55752-0", "Renseignements cliniques")
            .say("Prélèvement veineux réalisé à jeun, acheminé en moins de deux heures, tubes conformes."),
        Section::coded("Résultats", "18723-7", "Hématologie")
            .table(table)
            .footnote("Les résultats en gras sortent des valeurs de référence du laboratoire."),
        Section::new("Conclusion").say(if haemoglobin < 120 {
            "Anémie modérée à confronter à la clinique ; un dosage de la ferritine est souhaitable."
        } else {
            "Pas d’anémie. Syndrome inflammatoire discret, à contrôler à distance de tout épisode infectieux."
        }),
    ];
    ("prélèvement à jeun", sections)
}

pub fn imaging(chance: &mut Chance) -> Told {
    let (words, technique, found, end) = *chance.pick(&[
        (
            "radiographie du thorax",
            "Cliché de face debout, en inspiration.",
            "Transparence parenchymateuse conservée, culs-de-sac pleuraux libres, silhouette cardiaque de taille normale.",
            "Radiographie thoracique sans anomalie décelable.",
        ),
        (
            "échographie abdominale",
            "Exploration par voie sous-costale et intercostale, patient à jeun.",
            "Foie homogène de contours réguliers, vésicule alithiasique, reins de taille et de différenciation normales.",
            "Examen sans particularité ; petit kyste rénal gauche simple, sans surveillance nécessaire.",
        ),
        (
            "scanner cérébral",
            "Acquisition hélicoïdale sans injection de produit de contraste.",
            "Pas d’hémorragie récente, structures médianes en place, élargissement modéré des sillons en rapport avec l’âge.",
            "Absence de lésion aiguë visible.",
        ),
    ]);
    let sections = vec![
        Section::coded("Technique", "55111-9", "Technique d’imagerie").say(technique),
        Section::coded("Résultats", "59776-5", "Résultats d’imagerie").say(found),
        Section::coded("Conclusion", "19005-8", "Conclusion").runs(vec![Run::Bold(end.into())]).say(format!(
            "Produit dose-longueur : {} mGy.cm pour l’examen, ou sans objet en échographie.",
            chance.between(12, 640)
        )),
    ];
    (words, sections)
}

pub fn operation(chance: &mut Chance) -> Told {
    let (words, act, course) = *chance.pick(&[
        (
            "coloscopie",
            "Coloscopie totale sous anesthésie générale, préparation de bonne qualité.",
            "Progression aisée jusqu’au cæcum. Deux polypes de moins de cinq millimètres ont été retirés à la pince.",
        ),
        (
            "cure de hernie inguinale",
            "Cure de hernie inguinale droite par cœlioscopie, avec pose d’une prothèse.",
            "Dissection sans difficulté, hémostase satisfaisante, fermeture plan par plan.",
        ),
        (
            "pose d’une chambre implantable",
            "Mise en place d’une chambre à cathéter implantable par voie jugulaire interne droite.",
            "Repérage échographique, reflux franc, contrôle radioscopique de l’extrémité du cathéter.",
        ),
        (
            "pansement complexe",
            "Détersion et pansement d’une plaie chronique de la jambe gauche, sous antalgie.",
            "Fond de plaie bourgeonnant, berges souples, pas d’écoulement ni d’odeur.",
        ),
    ]);
    let sections = vec![
        Section::coded("Acte réalisé", "47519-4", "Actes et interventions").say(act),
        Section::new("Déroulement")
            .say(course)
            .runs(vec![
                Run::Plain("Durée : ".into()),
                Run::Bold(format!("{} minutes", chance.between(15, 95))),
                Run::Plain(", pertes sanguines ".into()),
                Run::Italics("négligeables".into()),
                Run::Plain(".".into()),
            ])
            .steps(&[
                "Contrôle de l’identité et du côté.",
                "Vérification du matériel.",
                "Compte des compresses exact.",
            ]),
        Section::coded("Consignes", "8650-4", "Consignes de suite").list(&[
            "Reprise de l’alimentation le soir même.",
            "Ablation des fils au dixième jour par l’infirmière.",
            "Consulter sans attendre en cas de fièvre supérieure à 38,5 °C ou de saignement.",
        ]),
    ];
    (words, sections)
}

pub fn anaesthesia(chance: &mut Chance) -> Told {
    let table = Table::new("Évaluation", &["Critère", "Constatation", "Remarque"])
        .row(&["Score ASA", &chance.between(1, 3).to_string(), "Évalué le jour même"])
        .row(&["Mallampati", &chance.between(1, 3).to_string(), "Ouverture de bouche > 35 mm"])
        .row(&["Poids", &chance.tenths(480, 990), "kg, mesuré"])
        .row(&["Allergie", "Aucune connue", "Interrogée deux fois"]);
    let sections = vec![
        Section::new("Antécédents")
            .say("Deux anesthésies générales antérieures, bien tolérées. Pas de nausées postopératoires rapportées."),
        Section::new("Évaluation").table(table),
        Section::new("Protocole proposé")
            .say("Anesthésie générale avec intubation ; antibioprophylaxie selon le protocole du service.")
            .list(&[
                "Jeûne de six heures pour les solides, de deux heures pour l’eau.",
                "Arrêt des anti-inflammatoires.",
            ])
            .footnote("La personne a reçu les informations orales et écrites, et a pu poser ses questions."),
    ];
    ("consultation et protocole", sections)
}

pub fn emergency(chance: &mut Chance) -> Told {
    let (words, story, found) = *chance.pick(&[
        (
            "chute au domicile",
            "Chute mécanique de sa hauteur dans la salle de bains, sans perte de connaissance ni traumatisme crânien.",
            "Contusion de la hanche gauche, mobilisation douloureuse mais complète, radiographies sans fracture.",
        ),
        (
            "douleur thoracique",
            "Douleur rétrosternale d’une vingtaine de minutes, survenue au repos, spontanément résolutive.",
            "Électrocardiogramme sans trouble de la repolarisation, deux dosages de troponine négatifs.",
        ),
        (
            "dyspnée",
            "Essoufflement d’aggravation progressive depuis quatre jours, avec toux grasse et fièvre modérée.",
            "Crépitants de la base droite, radiographie en faveur d’un foyer, oxygène sevré en douze heures.",
        ),
    ]);
    let vitals = Table::new("Constantes à l’arrivée", &["Heure", "Tension", "Pouls", "SpO₂", "Température"])
        .row(&[
            "08:40",
            &format!("{}/{}", chance.between(98, 168), chance.between(54, 96)),
            &chance.between(58, 118).to_string(),
            &format!("{} %", chance.between(91, 99)),
            &format!("{} °C", chance.tenths(362, 389)),
        ])
        .row(&[
            "11:15",
            &format!("{}/{}", chance.between(108, 148), chance.between(60, 88)),
            &chance.between(60, 96).to_string(),
            &format!("{} %", chance.between(94, 99)),
            &format!("{} °C", chance.tenths(364, 379)),
        ]);
    let sections = vec![
        Section::coded("Histoire", "10164-2", "Histoire de la maladie").say(story),
        Section::new("Constantes").table(vitals),
        Section::new("Examen et résultats").say(found),
        Section::coded("Orientation", "18776-5", "Plan de soins")
            .runs(vec![Run::Underline("Retour à domicile".into()), Run::Plain(" avec ordonnance et consignes.".into())])
            .list(&["Revoir le médecin traitant sous huit jours.", "Rappeler le 15 si les symptômes reviennent."]),
    ];
    (words, sections)
}

pub fn eyes(chance: &mut Chance) -> Told {
    let table = Table::new("Acuité et tension oculaire", &["Œil", "Acuité avec correction", "Tension"])
        .row(&["Droit", &format!("{}/10", chance.between(5, 10)), &format!("{} mmHg", chance.between(11, 20))])
        .row(&["Gauche", &format!("{}/10", chance.between(4, 10)), &format!("{} mmHg", chance.between(11, 21))]);
    let sections = vec![
        Section::new("Examen").table(table).say("Segment antérieur calme, cristallins discrètement opalescents."),
        Section::new("Fond d’œil").say("Papilles bien colorées, maculas sans lésion, périphérie rétinienne à plat."),
        Section::new("Conclusion")
            .say("Cataracte débutante sans gêne ; nouvelle correction prescrite, contrôle dans un an."),
    ];
    ("contrôle annuel", sections)
}
