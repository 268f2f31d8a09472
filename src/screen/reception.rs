//! The reception desk: what the device is worth, an identity to compare with a paper, the leaflet on rights.

use crate::patient::ins::Patient;
use crate::screen::before;
use crate::screen::before::sex_letter;
use crate::screen::labels;
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
    match &desk.room {
        Room::Front => Body::Reception(front(desk, visit, now, device)),
        Room::Typing => Body::Typing(Typing { notice: desk.notice.map(before::notice) }),
        Room::Identity(patient) => Body::Check(identity(patient, now)),
        Room::Preparing { patient, .. } => Body::Wait(Wait {
            bar: before::bar("", patient, Pill::default(), true, now),
            title: french("La borne prépare cette identité…"),
            hint: String::new(),
        }),
        Room::Leaflet => Body::Duty(leaflet(desk)),
    }
}

fn front(desk: &page::reception::Reception, visit: &Visit, now: Now, device: &DeviceFacts) -> Reception {
    let standing = &visit.standing;
    let mut pills = vec![tray::waiting(standing.waiting, now)];
    pills.extend(tray::set_aside(standing.waiting));
    pills.push(before::link(standing.link));
    pills.extend(standing.other_card.then(|| before::care("Autre carte ignorée")));
    let mut lines = vec![
        french(if device.has_scanner {
            "Lisez le code INS d'un patient, ou saisissez-le, puis comparez avec sa pièce d'identité."
        } else {
            "Saisissez l'INS d'un patient, puis comparez avec sa pièce d'identité."
        }),
        french("Seule une carte CPS ouvre un dossier patient."),
    ];
    if let Some(last) = desk.prepared.last() {
        let count = u32::try_from(desk.prepared.len()).unwrap_or(u32::MAX);
        let many = words::count(count, "identité préparée", "identités préparées");
        let name = words::full_name(&last.birth_name, &last.birth_given_names);
        let waits = if count < 2 { "Elle attend" } else { "Elles attendent" };
        lines.push(french(&format!(
            "{many}, la dernière : {name}. {waits} qu'un professionnel compose sa tournée, douze heures au plus ; rien n'est écrit sur la borne."
        )));
    }
    Reception {
        name: words::full_name(&desk.holder.family_name, &desk.holder.given_name),
        role: labels::card(desk.holder.card_kind).to_owned(),
        pills,
        title: french("Cette carte n'ouvre aucun dossier."),
        lines,
        notice: desk.notice.map(before::notice),
        type_label: french("Saisir un INS"),
        leaflet_label: french("Droits du patient"),
        protection: french(&device.key_provider),
        version: before::version(device),
    }
}

/// The five traits, one a line, and nothing else: there is nothing else here.
fn identity(patient: &Patient, now: Now) -> Check {
    let place = patient.birth_place.as_deref().unwrap_or("non lu");
    let given = match patient.birth_given_names.as_str() {
        "" => "non saisis",
        names => names,
    };
    let lines = [
        format!("Nom de naissance : {}", patient.birth_name),
        format!("Prénoms de naissance : {given}"),
        format!("Date de naissance : {}", words::birth_date(patient.birth_date)),
        format!("Sexe : {}", sex_letter(patient.sex)),
        format!("Lieu de naissance (code INSEE) : {place}"),
        format!("Matricule INS : {}", words::matricule(&patient.ins.matricule)),
    ];
    Check {
        bar: before::bar("Annuler", patient, Pill::default(), true, now),
        title: french("Est-ce la personne devant vous ?"),
        lead: french("Comparez chaque ligne avec la pièce d'identité."),
        text: french(&lines.join("\n")),
        warning: french("Un code lu désigne une personne ; il ne prouve pas que c'est elle."),
        act_label: french("Oui, préparer pour la tournée"),
        is_grave: false,
    }
}

fn leaflet(desk: &page::reception::Reception) -> Duty {
    Duty {
        name: words::full_name(&desk.holder.family_name, &desk.holder.given_name),
        role: labels::card(desk.holder.card_kind).to_owned(),
        title: french("Vos droits sur votre dossier médical partagé"),
        body: french(LEAFLET),
        act_label: french("Fermer"),
        foot: french("À lire avec le patient, ou à lui montrer."),
    }
}

/// In the patient's words (L.1111-14 to L.1111-24, R.1111-40 to R.1111-46 CSP).
const LEAFLET: &str = "\
Le dossier médical partagé (DMP) réunit les documents de vos soins. Vous le trouvez dans Mon espace santé.\n\n\
• Vous pouvez dire non. Le professionnel vous informe et vous demande votre accord avant d'ouvrir le dossier. Un refus ne change rien à vos soins.\n\n\
• Vous savez qui l'a ouvert. Chaque lecture est inscrite : qui, quand, pourquoi. Sur cette borne, demandez un reçu.\n\n\
• Vous choisissez. Vous pouvez masquer un document, bloquer un professionnel, retirer votre accord, ou fermer le dossier : dans Mon espace santé, ou avec un professionnel sur cette borne.\n\n\
• En urgence, un professionnel peut l'ouvrir sans vous demander, sauf si vous vous y êtes opposé. C'est inscrit, et vous en êtes averti.\n\n\
• Personne ne peut exiger de le lire pour conclure un contrat avec vous, une assurance par exemple.";
