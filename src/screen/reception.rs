//! The reception desk: what the device is worth, an identity to compare with a paper, the leaflet on rights.

use crate::patient::ins::Patient;
use crate::say;
use crate::say::Both;
use crate::say::Lang;
use crate::say::both;
use crate::screen::before;
use crate::screen::before::sex_letter;
use crate::screen::labels;
use crate::screen::printing;
use crate::screen::tray;
use crate::screen::view::Body;
use crate::screen::view::Check;
use crate::screen::view::DeviceFacts;
use crate::screen::view::Duty;
use crate::screen::view::Notice;
use crate::screen::view::Pill;
use crate::screen::view::Typing;
use crate::screen::view::Wait;
use crate::screen::words;
use crate::screen::words::french;
use crate::time::Now;
use crate::visit::Visit;
use crate::visit::page;
use crate::visit::page::reception::Room;

/// What the desk's own page shows.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Reception {
    pub name: String,
    pub role: String,
    pub pills: Vec<Pill>,
    pub title: String,
    pub lines: Vec<String>,
    pub notice: Option<Notice>,
    pub type_label: String,
    pub leaflet_label: String,
    pub protection: String,
    pub version: String,
}

pub(super) fn page(desk: &page::reception::Reception, visit: &Visit, now: Now, device: &DeviceFacts) -> Body {
    let lang = visit.lang();
    match &desk.room {
        Room::Front => Body::Reception(front(desk, visit, now, device)),
        Room::Typing => Body::Typing(Typing { notice: desk.notice.map(|trouble| before::notice(lang, trouble)) }),
        Room::Identity(patient) => Body::Check(identity(lang, patient, now)),
        Room::Preparing { patient, .. } => Body::Wait(Wait {
            bar: before::bar(lang, "", patient, Pill::default(), true, now),
            title: say!(lang, "La borne prépare cette identité…", "The device is preparing this identity…"),
            hint: String::new(),
        }),
        Room::Leaflet => Body::Duty(leaflet(lang, desk, printing::offer(visit))),
    }
}

fn front(desk: &page::reception::Reception, visit: &Visit, now: Now, device: &DeviceFacts) -> Reception {
    let lang = visit.lang();
    let standing = &visit.standing;
    let mut pills = vec![tray::waiting(lang, standing.waiting, now)];
    pills.extend(tray::set_aside(lang, standing.waiting));
    pills.push(before::link(lang, standing.link));
    pills.extend(standing.other_card.then(|| before::care(lang.pick("Autre carte ignorée", "Other card ignored"))));
    let mut lines = vec![
        french(if device.has_scanner {
            lang.pick(
                "Lisez le code INS d'un patient, ou saisissez-le, puis comparez avec sa pièce d'identité.",
                "Scan a patient’s INS code, or type it, then compare with their identity paper.",
            )
        } else {
            lang.pick(
                "Saisissez l'INS d'un patient, puis comparez avec sa pièce d'identité.",
                "Type a patient’s INS, then compare with their identity paper.",
            )
        }),
        say!(lang, "Seule une carte CPS ouvre un dossier patient.", "Only a CPS card opens a patient’s record."),
    ];
    if let Some(last) = desk.prepared.last() {
        let count = u32::try_from(desk.prepared.len()).unwrap_or(u32::MAX);
        let many = words::count(
            lang,
            count,
            ["identité préparée", "identités préparées"],
            ["identity prepared", "identities prepared"],
        );
        let name = words::full_name(&last.birth_name, &last.birth_given_names);
        let waits =
            if count < 2 { lang.pick("Elle attend", "It waits") } else { lang.pick("Elles attendent", "They wait") };
        lines.push(say!(
            lang, "{many}, la dernière : {name}. {waits} qu'un professionnel compose sa tournée, douze heures au plus ; rien n'est écrit sur la borne.", "{many}, the last one: {name}. {waits} for a professional to make their round, twelve hours at most; nothing is written on the device."
        ));
    }
    Reception {
        name: labels::holder(lang, &desk.holder),
        role: labels::card(lang, desk.holder.card_kind).to_owned(),
        pills,
        title: say!(lang, "Cette carte n'ouvre aucun dossier.", "This card opens no record."),
        lines,
        notice: desk.notice.map(|trouble| before::notice(lang, trouble)),
        type_label: say!(lang, "Saisir un INS", "Type an INS"),
        leaflet_label: say!(lang, "Droits du patient", "Patient’s rights"),
        protection: french(device.key_provider.as_ref().within(lang)),
        version: before::version(lang, device),
    }
}

/// The five traits, one a line, and nothing else: there is nothing else here.
fn identity(lang: Lang, patient: &Patient, now: Now) -> Check {
    let place = patient.birth_place.as_deref().unwrap_or(lang.pick("non lu", "not read"));
    let given = match patient.birth_given_names.as_str() {
        "" => lang.pick("non saisis", "not typed"),
        names => names,
    };
    let lines = [
        say!(lang, "Nom de naissance : {}", "Birth name: {}", patient.birth_name),
        say!(lang, "Prénoms de naissance : {given}", "Given names at birth: {given}"),
        say!(lang, "Date de naissance : {}", "Date of birth: {}", words::birth_date(lang, patient.birth_date)),
        say!(lang, "Sexe : {}", "Sex: {}", sex_letter(patient.sex)),
        say!(lang, "Lieu de naissance (code INSEE) : {place}", "Place of birth (INSEE code): {place}"),
        say!(lang, "Matricule INS : {}", "INS number: {}", words::matricule(&patient.ins.matricule)),
    ];
    Check {
        bar: before::bar(lang, lang.pick("Annuler", "Cancel"), patient, Pill::default(), true, now),
        title: say!(lang, "Est-ce la personne devant vous ?", "Is this the person before you?"),
        lead: say!(
            lang,
            "Comparez chaque ligne avec la pièce d'identité.",
            "Compare each line with the identity paper."
        ),
        text: french(&lines.join("\n")),
        warning: say!(
            lang,
            "Un code lu désigne une personne ; il ne prouve pas que c'est elle.",
            "A scanned code points to a person; it does not prove that it is them."
        ),
        act_label: say!(lang, "Oui, préparer pour la tournée", "Yes, prepare for the round"),
        is_grave: false,
    }
}

fn leaflet(lang: Lang, desk: &page::reception::Reception, print: String) -> Duty {
    Duty {
        name: labels::holder(lang, &desk.holder),
        role: labels::card(lang, desk.holder.card_kind).to_owned(),
        title: LEAFLET_TITLE.within(lang).to_owned(),
        body: french(LEAFLET.within(lang)),
        act_label: say!(lang, "Fermer", "Close"),
        foot: say!(lang, "À lire avec le patient, ou à lui montrer.", "To be read with the patient, or shown to them."),
        print,
    }
}

pub(super) const LEAFLET_TITLE: Both =
    both("Vos droits sur votre dossier médical partagé", "Your rights over your shared medical record");
/// In the patient's words (L.1111-14 to L.1111-24, R.1111-40 to R.1111-46 CSP).
pub(super) const LEAFLET: Both = both(
    "\
Le dossier médical partagé (DMP) réunit les documents de vos soins. Vous le trouvez dans Mon espace santé.\n\n\
• Vous pouvez dire non. Le professionnel vous informe et vous demande votre accord avant d'ouvrir le dossier. Un refus ne change rien à vos soins.\n\n\
• Vous savez qui l'a ouvert. Chaque lecture est inscrite : qui, quand, pourquoi. Sur cette borne, demandez un reçu.\n\n\
• Vous choisissez. Vous pouvez masquer un document, bloquer un professionnel, retirer votre accord, ou fermer le dossier : dans Mon espace santé, ou avec un professionnel sur cette borne.\n\n\
• En urgence, un professionnel peut l'ouvrir sans vous demander, sauf si vous vous y êtes opposé. C'est inscrit, et vous en êtes averti.\n\n\
• Personne ne peut exiger de le lire pour conclure un contrat avec vous, une assurance par exemple.",
    "\
     The shared medical record (DMP) brings the documents of your care together. You find it in Mon espace santé.\n\n\
     • You may say no. The professional informs you and asks for your consent before opening the record. A refusal changes nothing in your care.\n\n\
     • You know who opened it. Each reading is written down: who, when, why. On this device, ask for a receipt.\n\n\
     • You choose. You may hide a document, block a professional, withdraw your consent, or close the record: in Mon espace santé, or with a professional on this device.\n\n\
     • In an emergency, a professional may open it without asking you, unless you objected. It is written down, and you are told.\n\n\
     • Nobody may demand to read it in order to make a contract with you, an insurance for example.",
);
