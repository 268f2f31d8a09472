//! Pages of the patient gate: the traits and the ground that stands, what else can be done, the patient's own page.

use crate::journal::consent::Quality;
use crate::journal::consent::Speaker;
use crate::journal::words::Ground;
use crate::patient::ins::Patient;
use crate::patient::ins::Sex;
use crate::policy::Decision;
use crate::policy::decision::Obligation;
use crate::policy::emergency;
use crate::say;
use crate::say::Lang;
use crate::screen::before;
use crate::screen::before::care;
use crate::screen::before::quiet;
use crate::screen::consent_text;
use crate::screen::consent_text::Asked;
use crate::screen::labels;
use crate::screen::reasons;
use crate::screen::view::Bar;
use crate::screen::view::Body;
use crate::screen::view::Choice;
use crate::screen::view::ChoiceLine;
use crate::screen::view::Consent;
use crate::screen::view::DeviceFacts;
use crate::screen::view::Gate;
use crate::screen::view::GateAct;
use crate::screen::view::Notice;
use crate::screen::view::Pill;
use crate::screen::view::Sign;
use crate::screen::view::Text;
use crate::screen::view::Tone;
use crate::screen::view::Wait;
use crate::screen::view::Why;
use crate::screen::words;
use crate::screen::words::french;
use crate::time::Now;
use crate::trouble::Trouble;
use crate::visit::Visit;
use crate::visit::answer;
use crate::visit::event::Language;
use crate::visit::event::StateAnswer;
use crate::visit::page;
use crate::visit::page::Colleague;
use crate::visit::page::gate::About;
use crate::visit::page::gate::Done;
use crate::visit::page::gate::GateStep;
use crate::visit::page::gate::Question;
use crate::visit::page::gate::Situation;
use crate::visit::page::gate::SoFar;
use crate::visit::page::gate::Typed;

pub(super) fn gate(gate: &page::gate::Gate, visit: &Visit, now: Now, device: &DeviceFacts) -> Body {
    let lang = visit.lang();
    let bar = |back: &str| {
        let link = before::link(lang, visit.standing.link);
        Bar { banner: banner(&gate.so_far, visit), ..before::bar(lang, back, &gate.patient, link, false, now) }
    };
    let waits = |title: &str, hint: &str, back: &str| {
        Body::Wait(Wait { bar: bar(back), title: french(title), hint: french(hint) })
    };
    match &gate.step {
        GateStep::AskingState { .. } => waits(
            lang.pick("Recherche du dossier…", "Looking for the record…"),
            lang.pick(
                "La borne demande si ce dossier existe et s'il vous est ouvert.",
                "The device is asking whether this record exists and is open to you.",
            ),
            lang.pick("Tournée", "Round"),
        ),
        GateStep::RecordingAnswer { .. } => waits(
            lang.pick("La réponse est enregistrée…", "Recording the answer…"),
            lang.pick("Elle reste dans la borne jusqu'à son envoi.", "It stays in the device until it is sent."),
            "",
        ),
        GateStep::RecordingEmergency { .. } => waits(
            lang.pick("Le bris de glace est enregistré…", "Recording the emergency access…"),
            lang.pick(
                "Son motif est inscrit avant que rien ne s'ouvre.",
                "Its reason is written down before anything opens.",
            ),
            "",
        ),
        GateStep::Delivering { .. } => waits(
            lang.pick("Envoi de l'accord…", "Sending the consent…"),
            lang.pick("L'accord part avant que le dossier s'ouvre.", "The consent leaves before the record opens."),
            lang.pick("Tournée", "Round"),
        ),
        GateStep::Listing { .. } => waits(
            lang.pick("Ouverture du dossier…", "Opening the record…"),
            lang.pick("La liste des documents arrive.", "The list of documents is coming."),
            lang.pick("Tournée", "Round"),
        ),
        GateStep::RecordingList { .. } => waits(
            lang.pick("Ouverture du dossier…", "Opening the record…"),
            lang.pick(
                "Votre accès est inscrit dans l'historique du patient.",
                "Your access is being written into the patient’s history.",
            ),
            lang.pick("Tournée", "Round"),
        ),
        GateStep::Standing { decision, ground, answer, done } => {
            let mut page = standing(bar(lang.pick("Tournée", "Round")), gate, decision, *ground, visit);
            page.same_event = same_event(lang, decision, answer);
            page.done = done.as_ref().map_or(String::new(), |done| done_words(lang, done));
            if answer.source == crate::journal::words::Source::Cached {
                let when = words::moment(lang, answer.as_of, now, &device.time_zone);
                page.bar.pill = care(&say!(lang, "Hors ligne · état de {when}", "Offline · as of {when}"));
            }
            Body::Gate(page)
        }
        GateStep::Situations { answer } => {
            Body::Choice(situations(bar(lang.pick("Retour", "Back")), gate, answer, visit))
        }
        GateStep::ChoosingQuality { answer } => Body::Choice(qualities(lang, bar(lang.pick("Retour", "Back")), answer)),
        GateStep::ChoosingColleague { .. } => Body::Choice(colleagues(bar(lang.pick("Retour", "Back")), gate, visit)),
        GateStep::ChoosingReason { .. } => Body::Choice(emergency_reasons(lang, bar(lang.pick("Retour", "Back")))),
        GateStep::Typing { what, wrong, .. } => {
            Body::Text(typing(lang, bar(lang.pick("Retour", "Back")), *what, *wrong))
        }
        GateStep::AskingPatient { answer, question } => Body::Consent(consent(gate, answer, question, visit)),
        GateStep::Signing { question, .. } => Body::Sign(sign(question)),
        GateStep::Denied { decision } => Body::Why(Why {
            bar: bar(lang.pick("Tournée", "Round")),
            title: say!(lang, "Ce dossier ne peut pas être ouvert.", "This record cannot be opened."),
            pill: Pill { text: say!(lang, "Accès refusé", "Access denied"), tone: Tone::Stopped },
            reasons: vec![reasons::one(decision, say!(lang, "Pourquoi ?", "Why?"), visit, &device.time_zone)],
        }),
        GateStep::Failed { trouble } => {
            let code = before::code_and_words(visit, *trouble);
            Body::Gate(failed(lang, bar(lang.pick("Tournée", "Round")), &gate.patient, *trouble, code))
        }
    }
}

/// What must stay in sight while this access lasts.
pub(super) fn banner(so_far: &SoFar, visit: &Visit) -> Pill {
    let lang = visit.lang();
    if so_far.emergency.is_some() {
        let text = lang.pick(
            "Accès en bris de glace : le patient et son médecin traitant en seront informés.",
            "Emergency access: the patient and their own doctor will be told.",
        );
        return Pill { text: french(text), tone: Tone::Stopped };
    }
    if so_far.secret {
        return care(
            lang.pick("Connexion secrète, à la demande du mineur", "Secret connection, at the minor’s request"),
        );
    }
    match (so_far.brain_death, &visit.rules().framework) {
        (true, Some(signed)) => {
            care(&say!(lang, "Mort encéphalique · cadre {}", "Brain death · framework {}", signed.reference()))
        }
        _ => Pill::default(),
    }
}

fn standing(bar: Bar, gate: &page::gate::Gate, decision: &Decision, ground: Option<Ground>, visit: &Visit) -> Gate {
    let lang = visit.lang();
    let owes = |wanted: Obligation| decision.obligations.contains(&wanted);
    let may_open = decision.allow && ground.is_some();
    let informs = !may_open && answer::about(decision) == About::Event;
    let (pill, headline, act, act_label) = match (may_open, ground) {
        (true, Some(Ground::Team)) => (
            quiet(lang.pick("Équipe de soins", "Care team")),
            lang.pick("Vous pouvez ouvrir ce dossier.", "You may open this record."),
            GateAct::OpenRecord,
            lang.pick("Ouvrir le dossier", "Open the record"),
        ),
        (true, Some(Ground::Explicit)) => (
            quiet(lang.pick("Accord recueilli", "Consent taken")),
            lang.pick("Un collègue a recueilli l'accord du patient.", "A colleague took the patient’s consent."),
            GateAct::OpenRecord,
            lang.pick("Ouvrir le dossier", "Open the record"),
        ),
        (true, _) => (
            quiet(lang.pick("Autorisation valide", "Valid authorization")),
            lang.pick("Ce patient vous a déjà autorisé.", "This patient has authorized you already."),
            GateAct::OpenRecord,
            lang.pick("Ouvrir le dossier", "Open the record"),
        ),
        (false, _) if informs => (
            care(lang.pick("Patient à prévenir", "Patient to be informed")),
            lang.pick("Il faut prévenir le patient.", "The patient must be informed."),
            GateAct::AskConsent,
            lang.pick("Tourner l'écran vers le patient", "Turn the screen to the patient"),
        ),
        (false, _) => (
            care(lang.pick("Accord à demander", "Consent to be asked")),
            lang.pick("Il faut demander au patient.", "The patient must be asked."),
            GateAct::AskConsent,
            lang.pick("Tourner l'écran vers le patient", "Turn the screen to the patient"),
        ),
    };
    let mut sentence = reasons::sentence(lang, decision).to_owned();
    if may_open && owes(Obligation::InformAtThisEvent) {
        sentence.push_str(
            lang.pick(
                " Dites au patient que vous ouvrez son dossier.",
                " Tell the patient that you open their record.",
            ),
        );
    }
    Gate {
        bar,
        traits: traits(lang, &gate.patient),
        pill,
        headline: french(headline),
        sentence: french(&sentence),
        law: reasons::law(decision, visit),
        act,
        act_label: french(act_label),
        other: say!(lang, "Autre situation", "Other situation"),
        ..Gate::default()
    }
}

/// An event goes on only where only its information is lacking, and was given once before.
fn same_event(lang: Lang, decision: &Decision, answer: &StateAnswer) -> String {
    let informs = !decision.allow && answer::about(decision) == About::Event;
    if informs && answer.was_informed() {
        say!(lang, "Suite de la prise en charge", "Same event of care")
    } else {
        String::new()
    }
}

fn done_words(lang: Lang, done: &Done) -> String {
    let name = colleague_name(lang, &done.colleague);
    if done.agreed {
        say!(
            lang,
            "Accord noté pour {name}. Il sert une fois, aujourd'hui, avec sa propre carte.",
            "Consent noted for {name}. It serves once, today, with their own card."
        )
    } else {
        say!(lang, "Refus noté pour {name}.", "Refusal noted for {name}.")
    }
}

fn failed(lang: Lang, bar: Bar, patient: &Patient, trouble: Trouble, code: String) -> Gate {
    let words = trouble.words_in(lang);
    Gate {
        bar,
        traits: traits(lang, patient),
        pill: Pill { text: words.name.to_owned(), tone: Tone::Stopped },
        headline: words.happened.to_owned(),
        sentence: words.next.to_owned(),
        law: code,
        ..Gate::default()
    }
}

/// The five traits of the INS as they are known here, then its number.
fn traits(lang: Lang, patient: &Patient) -> Vec<(String, String)> {
    let sex = match patient.sex {
        Sex::Male => lang.pick("Masculin", "Male"),
        Sex::Female => lang.pick("Féminin", "Female"),
        Sex::Indeterminate => lang.pick("Indéterminé", "Indeterminate"),
    };
    let known = |text: &str| if text.is_empty() { say!(lang, "non saisi", "not typed") } else { text.to_owned() };
    [
        (lang.pick("Nom de naissance", "Birth name"), patient.birth_name.to_uppercase()),
        (lang.pick("Prénoms de naissance", "Given names at birth"), known(&patient.birth_given_names)),
        (lang.pick("Date de naissance", "Date of birth"), words::birth_date(lang, patient.birth_date)),
        (lang.pick("Sexe", "Sex"), sex.to_owned()),
        (lang.pick("Lieu de naissance", "Place of birth"), known(patient.birth_place.as_deref().unwrap_or(""))),
        (lang.pick("Matricule INS", "INS number"), words::matricule(&patient.ins.matricule)),
    ]
    .map(|(label, value)| (label.to_owned(), value))
    .into()
}

fn line(label: &str, hint: &str, tone: Tone) -> ChoiceLine {
    ChoiceLine { label: french(label), hint: french(hint), tone }
}

fn situations(bar: Bar, gate: &page::gate::Gate, answer: &StateAnswer, visit: &Visit) -> Choice {
    let lang = visit.lang();
    let words = |situation| match situation {
        Situation::Emergency => line(
            lang.pick("Urgence : bris de glace", "Emergency access (bris de glace)"),
            lang.pick(
                "Le patient ne peut pas s'exprimer, et sa santé court un risque immédiat.",
                "The patient cannot express themselves, and their health is at immediate risk.",
            ),
            Tone::Stopped,
        ),
        Situation::Representative => line(
            lang.pick("Quelqu'un répond pour le patient", "Somebody answers for the patient"),
            lang.pick("Parent d'un mineur, ou protecteur d'un majeur.", "A minor’s parent, or an adult’s protector."),
            Tone::Quiet,
        ),
        Situation::Colleague => line(
            lang.pick("Recueillir l'accord pour un collègue", "Take consent for a colleague"),
            lang.pick("Il ouvrira le dossier avec sa propre carte.", "They will open the record with their own card."),
            Tone::Quiet,
        ),
        Situation::NewEvent => line(
            lang.pick("Nouvel événement de soins", "New event of care"),
            lang.pick("Le patient est de nouveau prévenu.", "The patient is informed again."),
            Tone::Quiet,
        ),
        Situation::Withdrawal => line(
            lang.pick("Le patient refuse, ou retire son accord", "The patient refuses, or withdraws consent"),
            lang.pick("Rien ne s'ouvre plus, et la borne efface.", "Nothing opens any more, and the device erases."),
            Tone::Care,
        ),
        Situation::Secret => line(
            lang.pick("Le mineur demande le secret", "The minor asks for secrecy"),
            lang.pick(
                "Ses représentants légaux ne doivent pas le savoir.",
                "Their legal representatives must not know.",
            ),
            Tone::Quiet,
        ),
        Situation::BrainDeath => line(
            lang.pick("Mort encéphalique", "Brain death"),
            lang.pick("Prélèvement d'organes envisagé.", "Organ donation considered."),
            Tone::Quiet,
        ),
    };
    Choice {
        bar,
        title: say!(lang, "Autre situation", "Other situation"),
        sentence: String::new(),
        lines: visit.situations(gate, answer).into_iter().map(words).collect(),
    }
}

fn qualities(lang: Lang, bar: Bar, answer: &StateAnswer) -> Choice {
    let minor = answer.state.minor == Some(true);
    Choice {
        bar,
        title: french(if minor {
            lang.pick("Qui répond pour cet enfant ?", "Who answers for this child?")
        } else {
            lang.pick("Qui répond pour le patient ?", "Who answers for the patient?")
        }),
        sentence: say!(
            lang,
            "Vérifiez son identité. Sa qualité et son nom sont gardés avec la réponse.",
            "Check their identity. Who they are and their name are kept with the answer."
        ),
        lines: Visit::qualities(answer)
            .iter()
            .map(|quality| line(quality_label(lang, *quality), "", Tone::Quiet))
            .collect(),
    }
}

pub(super) fn quality_label(lang: Lang, quality: Quality) -> &'static str {
    match quality {
        Quality::Mother => lang.pick("Sa mère", "Their mother"),
        Quality::Father => lang.pick("Son père", "Their father"),
        Quality::ParentalAuthority => {
            lang.pick("Un autre titulaire de l'autorité parentale", "Another holder of parental authority")
        }
        Quality::Guardian => lang.pick("Son tuteur ou sa tutrice", "Their guardian"),
        Quality::FutureProtection => {
            lang.pick("Son mandataire de protection future", "Their attorney under a future protection mandate")
        }
        Quality::FamilyEntitlement => {
            lang.pick("Une personne habilitée par le juge", "A person empowered by the judge")
        }
    }
}

fn colleagues(bar: Bar, gate: &page::gate::Gate, visit: &Visit) -> Choice {
    let lang = visit.lang();
    let known =
        visit.colleagues(gate).into_iter().map(|colleague| line(&colleague_name(lang, colleague), "", Tone::Quiet));
    let other = line(
        lang.pick("Un autre professionnel", "Another professional"),
        lang.pick("Par son numéro RPPS.", "By their RPPS number."),
        Tone::Quiet,
    );
    Choice {
        bar,
        title: say!(lang, "Pour quel collègue ?", "For which colleague?"),
        sentence: say!(
            lang,
            "L'accord vaut pour lui seul, une fois, aujourd'hui.",
            "Consent is for them alone, once, today."
        ),
        lines: known.chain(std::iter::once(other)).collect(),
    }
}

fn colleague_name(lang: Lang, colleague: &Colleague) -> String {
    if colleague.name.is_empty() {
        return say!(lang, "le professionnel n° {}", "professional no. {}", colleague.id.0.trim_start_matches('8'));
    }
    colleague.name.clone()
}

fn emergency_reasons(lang: Lang, bar: Bar) -> Choice {
    Choice {
        bar,
        title: say!(lang, "Bris de glace : pour quel motif ?", "Emergency access: for what reason?"),
        sentence: say!(
            lang,
            "Le motif, votre nom et l'heure sont montrés au patient et à son médecin traitant. Hors de ces cas, demandez au patient.",
            "The reason, your name and the time are shown to the patient and their own doctor. In any other case, ask the patient."
        ),
        lines: emergency::REASONS
            .iter()
            .map(|reason| line(labels::emergency(lang, reason), "", Tone::Stopped))
            .collect(),
    }
}

fn typing(lang: Lang, bar: Bar, what: Typed, wrong: bool) -> Text {
    let notice = |happened: &str, next: &str| {
        wrong.then(|| Notice { happened: french(happened), next: french(next), code: String::new() })
    };
    match what {
        Typed::Representative(quality) => Text {
            bar,
            title: say!(lang, "Le nom de la personne qui répond", "The name of the person who answers"),
            sentence: french(quality_label(lang, quality)),
            label: say!(lang, "Nom et prénom", "Last and first name"),
            digits: false,
            optional: false,
            act_label: say!(lang, "Tourner l'écran", "Turn the screen"),
            notice: notice(
                lang.pick("Il manque le nom.", "The name is missing."),
                lang.pick("Tapez-le, puis validez.", "Type it, then confirm."),
            ),
        },
        Typed::Colleague => Text {
            bar,
            title: say!(lang, "Le numéro RPPS du collègue", "The colleague’s RPPS number"),
            sentence: say!(
                lang,
                "Onze chiffres, sur sa carte ou son ordonnance.",
                "Eleven digits, on their card or prescription."
            ),
            label: say!(lang, "Numéro RPPS", "RPPS number"),
            digits: true,
            optional: false,
            act_label: say!(lang, "Tourner l'écran", "Turn the screen"),
            notice: notice(
                lang.pick("Ce n'est pas le numéro RPPS d'un collègue.", "This is not a colleague’s RPPS number."),
                lang.pick("Comparez chaque chiffre, puis validez.", "Compare each digit, then confirm."),
            ),
        },
        Typed::Emergency(reason) => Text {
            bar,
            title: say!(lang, "Ouvrir en bris de glace ?", "Open by emergency access?"),
            sentence: emergency::reason(reason)
                .map_or(String::new(), |reason| french(labels::emergency(lang, &reason))),
            label: say!(lang, "Précision, si le temps le permet", "Details, if there is time"),
            digits: false,
            optional: true,
            act_label: say!(lang, "Ouvrir en urgence", "Open in emergency"),
            notice: None,
        },
    }
}

fn consent(gate: &page::gate::Gate, answer: &StateAnswer, question: &Question, visit: &Visit) -> Consent {
    let holder = &gate.here.holder;
    let team = visit.rules().team_of(holder, &answer.state);
    let name = words::full_name(&holder.family_name, &holder.given_name);
    // The patient's page has a language of its own.
    let lang = if question.language == Language::English { Lang::English } else { Lang::French };
    let me = format!("{name} ({})", labels::profession(lang, holder).to_lowercase());
    let colleague = question.colleague.as_ref().map(|colleague| {
        let name = colleague_name(lang, colleague);
        // A sentence begins with it.
        if colleague.name.is_empty() { name.replacen('l', "L", 1) } else { name }
    });
    let patient = words::full_name(&gate.patient.birth_name, &gate.patient.birth_given_names);
    let text = consent_text::consent_text(&Asked {
        about: question.about,
        language: question.language,
        who: colleague.as_deref().unwrap_or(&me),
        team: team.filter(|_| question.ground == Ground::Team && colleague.is_none()),
        for_patient: matches!(question.by, Speaker::Representative { .. }).then_some(patient.as_str()),
        collector: colleague.is_some().then_some(me.as_str()),
        secret: gate.so_far.secret,
    });
    let languages = [
        ("Français", Language::French, 0),
        ("Facile à lire", Language::EasyFrench, 1),
        ("English", Language::English, 2),
    ]
    .into_iter()
    .filter(|(_, other, _)| *other != question.language)
    .map(|(name, _, number)| (name.to_owned(), number))
    .collect();
    let consent_text::ConsentText { turned, title, body, no, yes, later, sign, foot } = text;
    Consent { turned, title, body, no, yes, later, sign, foot, languages }
}

fn sign(question: &Question) -> Sign {
    let english = question.language == Language::English;
    let (turned, clear, back, act) = if english {
        ("This screen is for you", "Erase", "Back", "Yes, I sign")
    } else {
        ("Écran tourné vers vous", "Effacer", "Retour", "Oui, je signe")
    };
    Sign {
        turned: turned.to_owned(),
        title: consent_text::sign_title(question.language),
        clear: clear.to_owned(),
        back: back.to_owned(),
        act_label: act.to_owned(),
        pad: consent_text::pad_label(question.language).to_owned(),
        foot: format!(
            "{} {}, version {}",
            if english { "Text" } else { "Texte" },
            question.about.text(),
            answer::TEXT_VERSION
        ),
    }
}
