//! Pages of the patient gate: the traits and the ground that stands, what else can be done, the patient's own page.

use crate::journal::consent::Quality;
use crate::journal::consent::Speaker;
use crate::journal::words::Ground;
use crate::patient::ins::Patient;
use crate::patient::ins::Sex;
use crate::policy::Decision;
use crate::policy::decision::Obligation;
use crate::policy::emergency;
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
    let bar = |back: &str| {
        let link = before::link(visit.standing.link);
        Bar { banner: banner(&gate.so_far, visit), ..before::bar(back, &gate.patient, link, false, now) }
    };
    let waits = |title: &str, hint: &str, back: &str| {
        Body::Wait(Wait { bar: bar(back), title: french(title), hint: french(hint) })
    };
    match &gate.step {
        GateStep::AskingState { .. } => {
            waits("Recherche du dossier…", "La borne demande si ce dossier existe et s'il vous est ouvert.", "Tournée")
        }
        GateStep::RecordingAnswer { .. } => {
            waits("La réponse est enregistrée…", "Elle reste dans la borne jusqu'à son envoi.", "")
        }
        GateStep::RecordingEmergency { .. } => {
            waits("Le bris de glace est enregistré…", "Son motif est inscrit avant que rien ne s'ouvre.", "")
        }
        GateStep::Delivering { .. } => {
            waits("Envoi de l'accord…", "L'accord part avant que le dossier s'ouvre.", "Tournée")
        }
        GateStep::Listing { .. } => waits("Ouverture du dossier…", "La liste des documents arrive.", "Tournée"),
        GateStep::RecordingList { .. } => {
            waits("Ouverture du dossier…", "Votre accès est inscrit dans l'historique du patient.", "Tournée")
        }
        GateStep::Standing { decision, ground, answer, done } => {
            let mut page = standing(bar("Tournée"), gate, decision, *ground, visit);
            page.same_event = same_event(decision, answer);
            page.done = done.as_ref().map_or(String::new(), done_words);
            if answer.source == crate::journal::words::Source::Cached {
                let when = words::moment(answer.as_of, now, &device.time_zone);
                page.bar.pill = care(&format!("Hors ligne · état de {when}"));
            }
            Body::Gate(page)
        }
        GateStep::Situations { answer } => Body::Choice(situations(bar("Retour"), gate, answer, visit)),
        GateStep::ChoosingQuality { answer } => Body::Choice(qualities(bar("Retour"), answer)),
        GateStep::ChoosingColleague { .. } => Body::Choice(colleagues(bar("Retour"), gate, visit)),
        GateStep::ChoosingReason { .. } => Body::Choice(emergency_reasons(bar("Retour"))),
        GateStep::Typing { what, wrong, .. } => Body::Text(typing(bar("Retour"), *what, *wrong)),
        GateStep::AskingPatient { answer, question } => Body::Consent(consent(gate, answer, question, visit)),
        GateStep::Signing { question, .. } => Body::Sign(sign(question)),
        GateStep::Denied { decision } => Body::Why(Why {
            bar: bar("Tournée"),
            title: french("Ce dossier ne peut pas être ouvert."),
            pill: Pill { text: "Accès refusé".to_owned(), tone: Tone::Stopped },
            reasons: vec![reasons::one(decision, french("Pourquoi ?"), visit, &device.time_zone)],
        }),
        GateStep::Failed { trouble } => Body::Gate(failed(bar("Tournée"), &gate.patient, *trouble)),
    }
}

/// What must stay in sight while this access lasts.
pub(super) fn banner(so_far: &SoFar, visit: &Visit) -> Pill {
    if so_far.emergency.is_some() {
        let text = "Accès en bris de glace : le patient et son médecin traitant en seront informés.";
        return Pill { text: french(text), tone: Tone::Stopped };
    }
    if so_far.secret {
        return care("Connexion secrète, à la demande du mineur");
    }
    match (so_far.brain_death, &visit.rules().framework) {
        (true, Some(signed)) => care(&format!("Mort encéphalique · cadre {}", signed.reference())),
        _ => Pill::default(),
    }
}

fn standing(bar: Bar, gate: &page::gate::Gate, decision: &Decision, ground: Option<Ground>, visit: &Visit) -> Gate {
    let owes = |wanted: Obligation| decision.obligations.contains(&wanted);
    let may_open = decision.allow && ground.is_some();
    let informs = !may_open && answer::about(decision) == About::Event;
    let (pill, headline, act, act_label) = match (may_open, ground) {
        (true, Some(Ground::Team)) => {
            (quiet("Équipe de soins"), "Vous pouvez ouvrir ce dossier.", GateAct::OpenRecord, "Ouvrir le dossier")
        }
        (true, Some(Ground::Explicit)) => (
            quiet("Accord recueilli"),
            "Un collègue a recueilli l'accord du patient.",
            GateAct::OpenRecord,
            "Ouvrir le dossier",
        ),
        (true, _) => {
            (quiet("Autorisation valide"), "Ce patient vous a déjà autorisé.", GateAct::OpenRecord, "Ouvrir le dossier")
        }
        (false, _) if informs => (
            care("Patient à prévenir"),
            "Il faut prévenir le patient.",
            GateAct::AskConsent,
            "Tourner l'écran vers le patient",
        ),
        (false, _) => (
            care("Accord à demander"),
            "Il faut demander au patient.",
            GateAct::AskConsent,
            "Tourner l'écran vers le patient",
        ),
    };
    let mut sentence = decision.rule.sentence.to_owned();
    if may_open && owes(Obligation::InformAtThisEvent) {
        sentence.push_str(" Dites au patient que vous ouvrez son dossier.");
    }
    Gate {
        bar,
        traits: traits(&gate.patient),
        pill,
        headline: french(headline),
        sentence: french(&sentence),
        law: reasons::law(decision, visit),
        act,
        act_label: french(act_label),
        other: french("Autre situation"),
        ..Gate::default()
    }
}

/// An event goes on only where only its information is lacking, and was given once before.
fn same_event(decision: &Decision, answer: &StateAnswer) -> String {
    let informs = !decision.allow && answer::about(decision) == About::Event;
    if informs && answer.was_informed() { french("Suite de la prise en charge") } else { String::new() }
}

fn done_words(done: &Done) -> String {
    let name = colleague_name(&done.colleague);
    if done.agreed {
        french(&format!("Accord noté pour {name}. Il sert une fois, aujourd'hui, avec sa propre carte."))
    } else {
        french(&format!("Refus noté pour {name}."))
    }
}

fn failed(bar: Bar, patient: &Patient, trouble: Trouble) -> Gate {
    let words = trouble.words();
    Gate {
        bar,
        traits: traits(patient),
        pill: Pill { text: words.name.to_owned(), tone: Tone::Stopped },
        headline: words.happened.to_owned(),
        sentence: words.next.to_owned(),
        law: before::code(trouble),
        ..Gate::default()
    }
}

/// The five traits of the INS as they are known here, then its number.
fn traits(patient: &Patient) -> Vec<(String, String)> {
    let sex = match patient.sex {
        Sex::Male => "Masculin",
        Sex::Female => "Féminin",
        Sex::Indeterminate => "Indéterminé",
    };
    let known = |text: &str| if text.is_empty() { french("non saisi") } else { text.to_owned() };
    [
        ("Nom de naissance", patient.birth_name.to_uppercase()),
        ("Prénoms de naissance", known(&patient.birth_given_names)),
        ("Date de naissance", words::birth_date(patient.birth_date)),
        ("Sexe", sex.to_owned()),
        ("Lieu de naissance", known(patient.birth_place.as_deref().unwrap_or(""))),
        ("Matricule INS", words::matricule(&patient.ins.matricule)),
    ]
    .map(|(label, value)| (label.to_owned(), value))
    .into()
}

fn line(label: &str, hint: &str, tone: Tone) -> ChoiceLine {
    ChoiceLine { label: french(label), hint: french(hint), tone }
}

fn situations(bar: Bar, gate: &page::gate::Gate, answer: &StateAnswer, visit: &Visit) -> Choice {
    let words = |situation| match situation {
        Situation::Emergency => line(
            "Urgence : bris de glace",
            "Le patient ne peut pas s'exprimer, et sa santé court un risque immédiat.",
            Tone::Stopped,
        ),
        Situation::Representative => {
            line("Quelqu'un répond pour le patient", "Parent d'un mineur, ou protecteur d'un majeur.", Tone::Quiet)
        }
        Situation::Colleague => {
            line("Recueillir l'accord pour un collègue", "Il ouvrira le dossier avec sa propre carte.", Tone::Quiet)
        }
        Situation::NewEvent => line("Nouvel événement de soins", "Le patient est de nouveau prévenu.", Tone::Quiet),
        Situation::Withdrawal => {
            line("Le patient refuse, ou retire son accord", "Rien ne s'ouvre plus, et la borne efface.", Tone::Care)
        }
        Situation::Secret => {
            line("Le mineur demande le secret", "Ses représentants légaux ne doivent pas le savoir.", Tone::Quiet)
        }
        Situation::BrainDeath => line("Mort encéphalique", "Prélèvement d'organes envisagé.", Tone::Quiet),
    };
    Choice {
        bar,
        title: french("Autre situation"),
        sentence: String::new(),
        lines: visit.situations(gate, answer).into_iter().map(words).collect(),
    }
}

fn qualities(bar: Bar, answer: &StateAnswer) -> Choice {
    let minor = answer.state.minor == Some(true);
    Choice {
        bar,
        title: french(if minor { "Qui répond pour cet enfant ?" } else { "Qui répond pour le patient ?" }),
        sentence: french("Vérifiez son identité. Sa qualité et son nom sont gardés avec la réponse."),
        lines: Visit::qualities(answer).iter().map(|quality| line(quality_label(*quality), "", Tone::Quiet)).collect(),
    }
}

pub(super) fn quality_label(quality: Quality) -> &'static str {
    match quality {
        Quality::Mother => "Sa mère",
        Quality::Father => "Son père",
        Quality::ParentalAuthority => "Un autre titulaire de l'autorité parentale",
        Quality::Guardian => "Son tuteur ou sa tutrice",
        Quality::FutureProtection => "Son mandataire de protection future",
        Quality::FamilyEntitlement => "Une personne habilitée par le juge",
    }
}

fn colleagues(bar: Bar, gate: &page::gate::Gate, visit: &Visit) -> Choice {
    let known = visit.colleagues(gate).into_iter().map(|colleague| line(&colleague_name(colleague), "", Tone::Quiet));
    let other = line("Un autre professionnel", "Par son numéro RPPS.", Tone::Quiet);
    Choice {
        bar,
        title: french("Pour quel collègue ?"),
        sentence: french("L'accord vaut pour lui seul, une fois, aujourd'hui."),
        lines: known.chain(std::iter::once(other)).collect(),
    }
}

fn colleague_name(colleague: &Colleague) -> String {
    if colleague.name.is_empty() {
        return french(&format!("le professionnel n° {}", colleague.id.0.trim_start_matches('8')));
    }
    colleague.name.clone()
}

fn emergency_reasons(bar: Bar) -> Choice {
    Choice {
        bar,
        title: french("Bris de glace : pour quel motif ?"),
        sentence: french(
            "Le motif, votre nom et l'heure sont montrés au patient et à son médecin traitant. Hors de ces cas, demandez au \
             patient.",
        ),
        lines: emergency::REASONS.iter().map(|reason| line(reason.label, "", Tone::Stopped)).collect(),
    }
}

fn typing(bar: Bar, what: Typed, wrong: bool) -> Text {
    let notice = |happened: &str, next: &str| {
        wrong.then(|| Notice { happened: french(happened), next: french(next), code: String::new() })
    };
    match what {
        Typed::Representative(quality) => Text {
            bar,
            title: french("Le nom de la personne qui répond"),
            sentence: french(quality_label(quality)),
            label: french("Nom et prénom"),
            digits: false,
            optional: false,
            act_label: french("Tourner l'écran"),
            notice: notice("Il manque le nom.", "Tapez-le, puis validez."),
        },
        Typed::Colleague => Text {
            bar,
            title: french("Le numéro RPPS du collègue"),
            sentence: french("Onze chiffres, sur sa carte ou son ordonnance."),
            label: french("Numéro RPPS"),
            digits: true,
            optional: false,
            act_label: french("Tourner l'écran"),
            notice: notice("Ce n'est pas le numéro RPPS d'un collègue.", "Comparez chaque chiffre, puis validez."),
        },
        Typed::Emergency(reason) => Text {
            bar,
            title: french("Ouvrir en bris de glace ?"),
            sentence: emergency::reason(reason).map_or(String::new(), |reason| french(reason.label)),
            label: french("Précision, si le temps le permet"),
            digits: false,
            optional: true,
            act_label: french("Ouvrir en urgence"),
            notice: None,
        },
    }
}

fn consent(gate: &page::gate::Gate, answer: &StateAnswer, question: &Question, visit: &Visit) -> Consent {
    let holder = &gate.here.holder;
    let team = visit.rules().team_of(holder, &answer.state);
    let name = words::full_name(&holder.family_name, &holder.given_name);
    let me = format!("{name} ({})", labels::profession(holder).to_lowercase());
    let colleague = question.colleague.as_ref().map(|colleague| {
        let name = colleague_name(colleague);
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
