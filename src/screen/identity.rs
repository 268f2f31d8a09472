//! « Informations patient »: who the record is about, as known here, and how the record stands. What the DMP says of identity is
//! never shown (DESIGN §3).

use crate::journal::words::Ground;
use crate::patient::ins::InsKind;
use crate::patient::ins::Sex;
use crate::record::document::Label;
use crate::record::document::Status;
use crate::record::state::Authorization;
use crate::say;
use crate::say::Lang;
use crate::screen::view::Bar;
use crate::screen::view::DeviceFacts;
use crate::screen::view::Facts;
use crate::screen::words;
use crate::screen::words::french;
use crate::time::UnixSeconds;
use crate::visit::page::Record;

pub(super) fn page(lang: Lang, bar: Bar, record: &Record, device: &DeviceFacts) -> Facts {
    let patient = &record.patient;
    let sex = match patient.sex {
        Sex::Male => lang.pick("Masculin", "Male"),
        Sex::Female => lang.pick("Féminin", "Female"),
        Sex::Indeterminate => lang.pick("Indéterminé", "Indeterminate"),
    };
    let register = match patient.ins.kind {
        InsKind::Nir => "NIR",
        InsKind::Nia => lang.pick("NIA, numéro d'attente", "NIA, a provisional number"),
        InsKind::Test => lang.pick("Numéro de test : personne inventée", "Test number: an invented person"),
    };
    let place = match &patient.birth_place {
        Some(code) => say!(lang, "Commune ou pays {code} (INSEE)", "Town or country {code} (INSEE)"),
        None => lang.pick("Inconnu", "Unknown").to_owned(),
    };
    let untold = lang.pick("Le serveur ne le dit pas", "The server does not say");
    let state = &record.answer.state;
    let minor = match state.minor {
        Some(true) => lang.pick("Oui", "Yes"),
        Some(false) => lang.pick("Non", "No"),
        None => untold,
    };
    let switch = |on: fn(&crate::record::state::EmergencySwitches) -> bool| match &state.emergency {
        Some(switches) if on(switches) => lang.pick("Le patient l'accepte", "The patient accepts it"),
        Some(_) => lang.pick("Le patient s'y oppose", "The patient objects to it"),
        None => untold,
    };
    let rows = vec![
        (lang.pick("Nom de naissance", "Birth name"), patient.birth_name.clone()),
        (lang.pick("Prénoms de naissance", "Given names at birth"), patient.birth_given_names.clone()),
        (lang.pick("Sexe", "Sex"), sex.to_owned()),
        (lang.pick("Naissance", "Birth"), words::birth_date(lang, patient.birth_date)),
        (lang.pick("Lieu de naissance", "Place of birth"), place),
        (lang.pick("Matricule INS", "INS number"), words::matricule(&patient.ins.matricule)),
        (lang.pick("Registre", "Register"), register.to_owned()),
        (lang.pick("Mineur", "Minor"), minor.to_owned()),
        (
            lang.pick("Médecin traitant DMP", "Attending doctor (DMP)"),
            if state.attending_doctor { lang.pick("Vous", "You") } else { lang.pick("Pas vous", "Not you") }.to_owned(),
        ),
        (
            lang.pick("Bris de glace", "Emergency access (bris de glace)"),
            switch(|switches| switches.other_professionals).to_owned(),
        ),
        (lang.pick("Régulation du SAMU", "Emergency call centre (SAMU)"), switch(|switches| switches.samu).to_owned()),
        (
            lang.pick("État du dossier", "State of the record"),
            say!(
                lang,
                "Ouvert, vu le {}",
                "Open, seen on {}",
                words::date(lang, &words::local(record.answer.as_of, &device.time_zone))
            ),
        ),
    ];
    let foot = say!(
        lang,
        "Ces traits viennent du bracelet, de la saisie ou de la tournée, jamais du DMP. Comparez-les à la personne devant vous.",
        "These come from the bracelet, from what was typed or from the round, never from the DMP. Compare them with the person before you."
    );
    let title = lang.pick("Informations patient", "The patient").to_owned();
    Facts { bar, title, rows: told(lang, rows), foot }
}

/// What « Gestion » says above what the patient said: on what this access rests, what is masked.
pub(super) fn standing(lang: Lang, record: &Record, device: &DeviceFacts) -> Vec<(String, String)> {
    let day = |at: UnixSeconds| words::date(lang, &words::local(at, &device.time_zone));
    let authorization = match record.answer.state.authorization {
        Authorization::Valid { until: Some(until) } => say!(lang, "Valable jusqu'au {}", "Valid until {}", day(until)),
        Authorization::Valid { until: None } => {
            lang.pick("Valable, sans date de fin", "Valid, without an end").to_owned()
        }
        Authorization::None => lang.pick("Aucune", "None").to_owned(),
        Authorization::Expired => lang.pick("Expirée", "Ended").to_owned(),
        Authorization::Forbidden => lang.pick("Le patient l'a refusée", "The patient refused it").to_owned(),
        Authorization::Unknown => lang.pick("Le serveur ne le dit pas", "The server does not say").to_owned(),
    };
    let ground = match record.ground {
        Ground::Authorization => lang.pick("L'autorisation ci-dessous", "The authorization below"),
        Ground::Team => lang.pick("L'accord donné à votre équipe de soins", "The consent given to your care team"),
        Ground::Explicit => lang.pick("L'accord du patient, pour cette fois", "The patient’s consent, this once"),
        Ground::BreakGlass => lang.pick("Bris de glace", "Emergency access (bris de glace)"),
        Ground::Refused => lang.pick("Refus", "Refusal"),
    };
    let labelled = |label: &Label| record.documents.iter().filter(|one| one.document.labels.contains(label)).count();
    let archived = record.documents.iter().filter(|one| one.document.status == Status::Archived).count();
    let counts = [
        (
            labelled(&Label::MaskedToProfessionals),
            ["masqué aux professionnels", "masqués aux professionnels"],
            ["masked to professionals"; 2],
        ),
        (
            labelled(&Label::InvisibleToPatient),
            ["non visible par le patient", "non visibles par le patient"],
            ["not visible to the patient"; 2],
        ),
        (
            labelled(&Label::InvisibleToLegalRepresentatives),
            ["non visible par les représentants légaux", "non visibles par les représentants légaux"],
            ["not visible to the legal representatives"; 2],
        ),
        (archived, ["archivé", "archivés"], ["archived"; 2]),
    ];
    let counts = counts.into_iter().filter(|(count, ..)| *count > 0);
    let counts: Vec<String> = counts
        .map(|(count, french, english)| words::count(lang, u32::try_from(count).unwrap_or(u32::MAX), french, english))
        .collect();
    let masked = if counts.is_empty() {
        lang.pick("Aucun de ceux que vous voyez", "None of those that you see").to_owned()
    } else {
        counts.join(", ")
    };
    told(
        lang,
        vec![
            (lang.pick("Votre accès repose sur", "Your access rests on"), ground.to_owned()),
            (lang.pick("Autorisation au DMP", "Authorization in the DMP"), authorization),
            (lang.pick("Documents masqués", "Masked documents"), masked),
        ],
    )
}

fn told(lang: Lang, rows: Vec<(&str, String)>) -> Vec<(String, String)> {
    let set = |text: &str| lang.pick(french(text), text.to_owned());
    rows.into_iter().map(|(what, how)| (set(what), set(&how))).collect()
}
