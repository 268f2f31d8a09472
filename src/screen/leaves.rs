//! What anybody may look up: how this works, what is in force here, what this device is. Of nobody: not a word about whoever is here.

use crate::journal::words::Regime;
use crate::say;
use crate::say::Both;
use crate::say::Lang;
use crate::say::Light;
use crate::say::both;
use crate::screen::before::spent_of;
use crate::screen::before::version;
use crate::screen::labels;
use crate::screen::reasons;
use crate::screen::view::DeviceFacts;
use crate::screen::words;
use crate::screen::words::french;
use crate::time::Now;
use crate::visit::Visit;
use crate::visit::event::Look;
use crate::visit::event::Spent;
use crate::visit::page::AsideKind;
use crate::visit::page::Leaf;
use std::time::Duration;

/// One page of the three, with the way to the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    pub leaf: Leaf,
    pub title: String,
    pub back: String,
    pub rows: Vec<Told>,
    /// What binds the page as a whole; may be empty.
    pub foot: String,
}

/// What, how it stands, and what a touch makes of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    pub what: String,
    pub how: String,
    pub change: Option<(Look, String)>,
}

/// What the settings put in force, as far as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InForce {
    /// In which language the record is spoken to.
    pub connector: Both<String>,
    /// Host of the printer.
    pub printer: Option<String>,
    /// As ALSA names it.
    pub headset: Option<String>,
    /// The four keys are listened to.
    pub has_keys: bool,
    /// Who helps by telephone: the region's GRADeS.
    pub contact: Option<Contact>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    pub name: String,
    pub phone: String,
}

pub(super) fn page(leaf: Leaf, back: &str, visit: &Visit, now: Now, device: &DeviceFacts) -> About {
    let lang = visit.lang();
    let (title, rows, foot) = match leaf {
        Leaf::Help => (say!(lang, "Aide", "Help"), help(lang, visit, device), String::new()),
        Leaf::Settings => (
            say!(lang, "Réglages", "Settings"),
            settings(visit, now, device),
            say!(
                lang,
                "Ce que vous changez ici vaut jusqu'à votre départ. Le reste se change dans le fichier de réglages, par le service informatique.",
                "What you change here lasts until you leave. The rest is changed in the settings file, by the IT service."
            ),
        ),
        Leaf::Device => {
            (say!(lang, "À propos de cette borne", "About this device"), this_device(visit, device), String::new())
        }
    };
    About { leaf, title, back: back.to_owned(), rows, foot }
}

fn told(what: &str, how: &str) -> Told {
    Told { what: french(what), how: french(how), change: None }
}

fn help(lang: Lang, visit: &Visit, device: &DeviceFacts) -> Vec<Told> {
    let mut rows: Vec<Told> = HELP.iter().map(|(what, how)| told(what.within(lang), how.within(lang))).collect();
    if visit.rules().by_phone {
        rows.push(told(WITHOUT_A_CARD.0.within(lang), WITHOUT_A_CARD.1.within(lang)));
    }
    let code = lang.pick(
        "Le code en bas de la page, par exemple 2-06, dit au service informatique ce qui s'est passé. Il ne dit rien du patient.",
        "The code at the foot of the page, for example 2-06, tells the IT service what happened. It says nothing of the patient.",
    );
    let contact = device.in_force.contact.as_ref().map(|contact| call(lang, contact));
    let how = [Some(code.to_owned()), contact].into_iter().flatten().collect::<Vec<_>>().join("\n");
    rows.push(told(lang.pick("Si quelque chose ne va pas", "If something is wrong"), &how));
    rows
}

fn call(lang: Lang, contact: &Contact) -> String {
    say!(lang, "Dans votre région : {} · {}", "In your region: {} · {}", contact.name, contact.phone)
}

fn settings(visit: &Visit, now: Now, device: &DeviceFacts) -> Vec<Told> {
    let lang = visit.lang();
    let (looks, patience) = (visit.standing.looks, visit.rules().patience);
    let night = visit.is_night(now);
    let percent = |percent: u16| say!(lang, "{percent} %", "{percent}%");
    let light = match looks.light {
        Light::Day => lang.pick("Jour", "Day"),
        Light::Night => lang.pick("Nuit", "Night"),
        Light::ByClock => lang.pick("Selon l'heure : nuit de 20 h à 7 h", "By the clock: night from 20:00 to 7:00"),
    };
    let change = |what: &str, how: &str, look: Look, act: String| Told { change: Some((look, act)), ..told(what, how) };
    let none = |french: &str, english: &str| lang.pick(french, english).to_owned();
    let in_force = &device.in_force;
    let printer = in_force.printer.clone();
    let headset = in_force.headset.clone();
    let scanner = if device.has_scanner { ("Oui", "Yes") } else { ("Non", "No") };
    let keys = if in_force.has_keys { ("Oui", "Yes") } else { ("Non", "No") };
    let minutes = |time: Duration| match time.as_secs() {
        seconds if seconds.is_multiple_of(60) => format!("{}\u{a0}min", seconds / 60),
        seconds => format!("{seconds}\u{a0}s"),
    };
    vec![
        change(
            lang.pick("Langue", "Language"),
            lang.pick("Français", "English"),
            Look::OtherLanguage,
            lang.pick("English", "Français").to_owned(),
        ),
        change(
            lang.pick("Taille du texte", "Text size"),
            &percent(looks.text_percent),
            Look::NextTextSize,
            percent(looks.next_size()),
        ),
        change(
            lang.pick("Éclairage", "Light"),
            light,
            Look::OtherLight,
            (if night { lang.pick("Jour", "Day") } else { lang.pick("Nuit", "Night") }).to_owned(),
        ),
        told(lang.pick("Connecteur", "Connector"), in_force.connector.as_ref().within(lang)),
        told(
            lang.pick("Imprimante", "Printer"),
            &printer.unwrap_or_else(|| none("Aucune : rien n'est imprimé", "None: nothing is printed")),
        ),
        told(
            lang.pick("Casque", "Headset"),
            &headset.unwrap_or_else(|| none("Aucun : la borne ne parle pas", "None: the device does not speak")),
        ),
        told(lang.pick("Touches d'aide", "Help keys"), lang.pick(keys.0, keys.1)),
        told(lang.pick("Lecteur de codes", "Code scanner"), lang.pick(scanner.0, scanner.1)),
        told(
            lang.pick("Sans carte, par téléphone", "Without a card, by telephone"),
            if visit.rules().by_phone { lang.pick("Oui", "Yes") } else { lang.pick("Non", "No") },
        ),
        told(
            lang.pick("Verrouillage", "Lock"),
            &say!(
                lang,
                "Sans toucher l'écran : sombre après {}, verrouillé après {}",
                "Without a touch: dim after {}, locked after {}",
                minutes(patience.dim),
                minutes(patience.lock),
            ),
        ),
    ]
}

/// What this device is, and by which rules it decides.
fn this_device(visit: &Visit, device: &DeviceFacts) -> Vec<Told> {
    let lang = visit.lang();
    let rules = visit.rules();
    let (known, cells) = rules.matrix.known();
    let matrix = say!(
        lang,
        "{}, {} connue ({} sur {cells}) ; l'inconnu vaut refus",
        "{}, {} known ({} of {cells}); unknown means no",
        rules.matrix.version,
        reasons::percent_known(visit),
        words::count(lang, u32::try_from(known).unwrap_or(u32::MAX), ["case", "cases"], ["cell", "cells"]),
    );
    let regime = match rules.regime {
        Regime::Arrete2023 => lang.pick(
            "Arrêté du 26 octobre 2023 : l'équipe de soins est présumée d'accord, le patient est prévenu",
            "Order of 26 October 2023: the care team is presumed to have consent, the patient is informed",
        ),
        Regime::ConseilEtat2025 => lang.pick(
            "Conseil d'État, 2025 : accord initial pour l'équipe, puis le patient est prévenu",
            "Conseil d’État, 2025: initial consent for the team, then the patient is informed",
        ),
    };
    let framework = rules.framework.as_ref().map_or(
        lang.pick("Aucun cadre signé : tout accès est refusé", "No signed framework: all access is denied"),
        |signed| signed.reference(),
    );
    let contact = device.in_force.contact.as_ref().map_or_else(
        || say!(lang, "Non renseigné dans les réglages", "Not given in the settings"),
        |contact| format!("{} · {}", contact.name, contact.phone),
    );
    let team = words::count(
        lang,
        rules.team.count(),
        ["professionnel inscrit", "professionnels inscrits"],
        ["professional listed", "professionals listed"],
    );
    let cost = visit.standing.spent;
    let cost = cost.map_or_else(|| say!(lang, "Pas encore compté", "Not counted yet"), |cost| spent(lang, cost));
    let mut rows = vec![
        told(lang.pick("Établissement", "Establishment"), &device.site_name),
        told(lang.pick("Aide en région (GRADeS)", "Regional help (GRADeS)"), &contact),
        told(lang.pick("Programme", "Program"), &version(lang, device)),
        told(lang.pick("Clé de la borne", "Device key"), device.key_provider.as_ref().within(lang)),
        told(lang.pick("Matrice d'habilitation", "Access matrix"), &matrix),
        told(lang.pick("Accord du patient", "Patient’s consent"), regime),
        told(lang.pick("Équipe de soins", "Care team"), &team),
        told(lang.pick("Mort encéphalique", "Brain death"), framework),
        told(lang.pick("Réseau aujourd'hui", "Network today"), &cost),
    ];
    rows.extend(
        rules.left_aside.iter().map(|aside| told(aside_label(lang, aside.what), labels::aside(lang, aside.why))),
    );
    rows
}

/// What the line cost today, and of how much where it is metered.
fn spent(lang: Lang, spent: Spent) -> String {
    match spent.budget_bytes {
        None => say!(lang, "{}, sans limite", "{}, no limit", words::size(lang, spent.bytes)),
        Some(most) if spent.bytes >= most => {
            say!(
                lang,
                "{} : rien n'est plus préparé d'avance",
                "{}: nothing more is prepared in advance",
                spent_of(lang, spent.bytes, most)
            )
        }
        Some(most) => spent_of(lang, spent.bytes, most),
    }
}

pub(super) fn aside_label(lang: Lang, what: AsideKind) -> &'static str {
    match what {
        AsideKind::Update => lang.pick("Mise à jour écartée", "Update set aside"),
        AsideKind::Framework => lang.pick("Cadre de mort encéphalique écarté", "Brain death framework set aside"),
        AsideKind::Team => lang.pick("Liste de l'équipe écartée", "Team list set aside"),
    }
}

/// Each with what it is about. The rights are those of the leaflet (L.1111-14 to L.1111-24, R.1111-40 to R.1111-46 CSP).
const HELP: [(Both, Both); 5] = [
    (
        both("Avec votre carte", "With your card"),
        both(
            "Insérez-la, puce vers le haut, et tapez votre code : il reste dans la carte. Choisissez le patient, puis lisez. Retirez la carte : tout se ferme, à tout moment.",
            "Insert it, chip up, and type your PIN: it stays in the card. Choose the patient, then read. Take the card out: everything closes, at any time.",
        ),
    ),
    (
        both("Le DMP", "The DMP"),
        both(
            "Le dossier médical partagé réunit les documents des soins d'une personne, dans Mon espace santé. Il lui appartient. La loi dit ce que votre profession peut y lire ; le reste est compté, et « Pourquoi ? » dit quelle règle s'applique.",
            "The shared medical record brings the documents of a person’s care together, in Mon espace santé. It is theirs. The law says what your profession may read; the rest is counted, and “Why?” says which rule applies.",
        ),
    ),
    (
        both("Les droits du patient", "The patient’s rights"),
        both(
            "Il est prévenu avant que son dossier s'ouvre, et peut dire non : un refus ne change rien à ses soins. Chaque lecture est inscrite : qui, quand, pourquoi. Il peut en demander un reçu.",
            "They are told before their record opens, and may say no: a refusal changes nothing in their care. Each reading is written down: who, when, why. They may ask for a receipt.",
        ),
    ),
    (
        both("S'il veut s'y opposer", "If they want to object"),
        both(
            "Ici : « Non » quand la borne le lui demande, ou « Gestion » dans son dossier pour retirer son accord. Dans Mon espace santé : masquer un document, bloquer un professionnel, fermer le dossier.",
            "Here: “No” when the device asks them, or “Manage” in their record to withdraw their consent. In Mon espace santé: hide a document, block a professional, close the record.",
        ),
    ),
    (
        both("En urgence", "In an emergency"),
        both(
            "Si le patient ne peut pas répondre et court un risque immédiat : « Autre situation », puis le motif. Un bandeau reste affiché, le patient et son médecin traitant en sont avertis. Impossible s'il s'y est opposé d'avance.",
            "If the patient cannot answer and is at immediate risk: “Other situation”, then the reason. A banner stays on the screen, the patient and their attending doctor are told. Not possible if they objected beforehand.",
        ),
    ),
];

const WITHOUT_A_CARD: (Both, Both) = (
    both("Sans carte : e-CPS", "Without a card: e-CPS"),
    both(
        "Sur l'accueil, « Sans carte : par téléphone ». Tapez votre numéro RPPS, comparez les deux chiffres avec ceux de votre téléphone, approuvez. Il faut le réseau ; rien n'est gardé sur la borne.",
        "On the first page, “Without a card: by telephone”. Type your RPPS number, compare the two digits with those on your telephone, approve. The network is needed; nothing is kept on the device.",
    ),
);
