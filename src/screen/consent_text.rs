//! What a patient is asked, in their words, in French, in easy-to-read French and in English: AC-3 may they open the record,
//! IN-1 they are about to (R.1111-46), RT-1 the patient refuses or takes their consent back. Whoever speaks for a patient
//! is spoken to as such. A text's name, version and language enter every consent: a changed sentence is a new version
//! (`visit::answer::TEXT_VERSION`).

use crate::screen::words::french;
use crate::visit::answer::TEXT_VERSION;
use crate::visit::event::Language;
use crate::visit::page::gate::About;

/// Who asks whom about what.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub about: About,
    pub language: Language,
    /// Who would open the record: name, then profession in brackets.
    pub who: &'a str,
    /// The care team for which the answer counts; `None`: for that person, this time.
    pub team: Option<&'a str>,
    /// Whose record it is, when somebody speaks for them.
    pub for_patient: Option<&'a str>,
    /// Who takes the answer down for a colleague.
    pub collector: Option<&'a str>,
    /// A minor asked for secrecy.
    pub secret: bool,
}

/// The page, ready to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentText {
    pub turned: String,
    pub title: String,
    pub body: String,
    pub no: String,
    pub yes: String,
    pub later: String,
    pub sign: String,
    pub foot: String,
}

/// Writes the page.
pub fn consent_text(asked: &Asked<'_>) -> ConsentText {
    let (title, body, no, yes) = match (asked.about, asked.language) {
        (About::Access, Language::French) => access_in_french(asked),
        (About::Access, Language::EasyFrench) => access_in_easy_french(asked),
        (About::Access, Language::English) => access_in_english(asked),
        (About::Event, Language::French) => event_in_french(asked),
        (About::Event, Language::EasyFrench) => event_in_easy_french(asked),
        (About::Event, Language::English) => event_in_english(asked),
        (About::Withdrawal, Language::French) => withdrawal_in_french(asked),
        (About::Withdrawal, Language::EasyFrench) => withdrawal_in_easy_french(asked),
        (About::Withdrawal, Language::English) => withdrawal_in_english(asked),
    };
    let (turned, later, sign, foot) = match asked.language {
        Language::French => ("Écran tourné vers vous", "Plus tard", "Oui, et je signe", "Texte"),
        Language::EasyFrench => ("C'est à vous de répondre", "Plus tard", "Oui, et je signe", "Texte facile à lire"),
        Language::English => ("This screen is for you", "Later", "Yes, and I sign", "Text"),
    };
    let set = |text: &str| if asked.language == Language::English { text.to_owned() } else { french(text) };
    ConsentText {
        turned: set(turned),
        title: set(&title),
        body: set(&body),
        no: set(no),
        yes: set(yes),
        later: set(later),
        // What one is only told of needs no signature.
        sign: if asked.about == About::Event { String::new() } else { set(sign) },
        foot: format!("{foot} {}, version {TEXT_VERSION}", asked.about.text()),
    }
}

/// What the signer reads above the pad.
pub fn sign_title(language: Language) -> String {
    match language {
        Language::French | Language::EasyFrench => french("Signez avec le doigt, puis validez."),
        Language::English => "Sign with your finger, then confirm.".to_owned(),
    }
}

/// What the pad is called, for whoever hears the page.
pub fn pad_label(language: Language) -> &'static str {
    if language == Language::English { "Box to sign in" } else { "Cadre pour signer" }
}

type Words = (String, String, &'static str, &'static str);

fn access_in_french(asked: &Asked<'_>) -> Words {
    let Asked { who, .. } = asked;
    let whose = asked.for_patient.map_or("votre dossier médical partagé".to_owned(), |patient| {
        format!("le dossier médical partagé de {patient}")
    });
    let scope = match asked.team {
        Some(team) => format!("Votre accord vaut pour l'équipe de soins « {team} »."),
        None => "Votre accord vaut pour cette personne, cette fois seulement.".to_owned(),
    };
    let collector =
        asked.collector.map_or(String::new(), |name| format!("{name} recueille votre réponse à sa place. "));
    let secret = if asked.secret { "Vous avez demandé le secret : cet accès est marqué comme tel. " } else { "" };
    let instead = if asked.for_patient.is_some() { "Vous répondez à sa place. " } else { "" };
    let body = format!(
        "{collector}{instead}Seuls les documents que la loi permet à sa profession seront visibles. {scope} {secret}Sur Mon \
         espace santé, l'historique montre qui a ouvert le dossier, et quand. Vous pouvez dire non, ou changer d'avis : \
         les soins restent les mêmes."
    );
    (format!("{who} demande à ouvrir {whose}."), body, "Non", "Oui, je suis d'accord")
}

fn access_in_easy_french(asked: &Asked<'_>) -> Words {
    let Asked { who, .. } = asked;
    let whose = asked
        .for_patient
        .map_or("vos papiers de santé".to_owned(), |patient| format!("les papiers de santé de {patient}"));
    let yes = match asked.team {
        Some(team) => format!("Oui : toute l'équipe « {team} » peut les lire."),
        None => "Oui : cette personne peut les lire, une fois.".to_owned(),
    };
    let first =
        if asked.for_patient.is_some() { "Vous répondez pour cette personne." } else { "C'est vous qui décidez." };
    let collector = asked.collector.map_or(String::new(), |name| format!("{name} note votre réponse.\n"));
    let secret = if asked.secret { "Vous avez demandé le secret. La borne le note.\n" } else { "" };
    let same = same_care(asked);
    let body =
        format!("{first}\n{collector}{secret}{yes}\nNon : personne ne les lit. {same}\nVous pouvez changer d'avis.");
    (format!("{who} veut lire {whose}."), body, "Non", "Oui, d'accord")
}

fn same_care(asked: &Asked<'_>) -> &'static str {
    if asked.for_patient.is_some() { "Les soins restent les mêmes." } else { "On vous soigne pareil." }
}

fn access_in_english(asked: &Asked<'_>) -> Words {
    let Asked { who, .. } = asked;
    let whose = asked
        .for_patient
        .map_or("your shared medical record".to_owned(), |patient| format!("the shared medical record of {patient}"));
    let scope = match asked.team {
        Some(team) => format!("Your agreement covers the care team “{team}”."),
        None => "Your agreement covers this person only, this time only.".to_owned(),
    };
    let collector = asked.collector.map_or(String::new(), |name| format!("{name} takes your answer down for them. "));
    let secret = if asked.secret { "You asked for secrecy: this access is marked so. " } else { "" };
    let instead = if asked.for_patient.is_some() { "You answer for them. " } else { "" };
    let body = format!(
        "{collector}{instead}Only the documents that the law allows their profession to read will be visible. {scope} \
         {secret}On Mon espace santé the history shows who opened the record, and when. You may say no, or change your \
         mind: care stays the same."
    );
    (format!("{who} asks to open {whose}."), body, "No", "Yes, I agree")
}

fn event_in_french(asked: &Asked<'_>) -> Words {
    let Asked { who, .. } = asked;
    let whose = asked.for_patient.map_or("votre dossier médical partagé".to_owned(), |patient| {
        format!("le dossier médical partagé de {patient}")
    });
    let team = asked.team.unwrap_or_default();
    let body = format!(
        "L'équipe de soins « {team} » peut le lire pour vous soigner, et doit vous prévenir à chaque nouvelle étape de vos \
         soins. Sur Mon espace santé, l'historique montre qui l'a ouvert, et quand. Vous pouvez vous y opposer : les soins \
         restent les mêmes."
    );
    (format!("{who} va ouvrir {whose}."), body, "Non, je m'y oppose", "C'est entendu")
}

fn event_in_easy_french(asked: &Asked<'_>) -> Words {
    let Asked { who, .. } = asked;
    let whose = asked
        .for_patient
        .map_or("vos papiers de santé".to_owned(), |patient| format!("les papiers de santé de {patient}"));
    let (team, same) = (asked.team.unwrap_or_default(), same_care(asked));
    let body = format!(
        "L'équipe « {team} » soigne cette personne.\nElle peut lire ces papiers.\nElle doit le dire à chaque fois.\n\
         Vous pouvez dire non. {same}"
    );
    let body = if asked.for_patient.is_some() { body } else { body.replace("soigne cette personne", "vous soigne") };
    (format!("{who} va lire {whose}."), body, "Non", "D'accord")
}

fn event_in_english(asked: &Asked<'_>) -> Words {
    let Asked { who, .. } = asked;
    let whose = asked
        .for_patient
        .map_or("your shared medical record".to_owned(), |patient| format!("the shared medical record of {patient}"));
    let team = asked.team.unwrap_or_default();
    let body = format!(
        "The care team “{team}” may read it to care for you, and must tell you at each new step of your care. On Mon espace \
         santé the history shows who opened it, and when. You may object: care stays the same."
    );
    (format!("{who} is about to open {whose}."), body, "No, I object", "I understand")
}

fn withdrawal_in_french(asked: &Asked<'_>) -> Words {
    let Asked { who, .. } = asked;
    let whom = asked.team.map_or(String::new(), |team| format!(" et l'équipe de soins « {team} »"));
    let body = format!(
        "{who}{whom} ne pourront plus ouvrir votre dossier. Ce qui en est gardé sur cette borne est effacé tout de suite. \
         Les soins restent les mêmes. Vous pourrez redonner votre accord plus tard."
    );
    ("Vous voulez fermer l'accès à votre dossier ?".to_owned(), body, "Non, ne rien changer", "Oui, fermer l'accès")
}

fn withdrawal_in_easy_french(asked: &Asked<'_>) -> Words {
    let Asked { who, .. } = asked;
    let whom = asked.team.map_or(String::new(), |team| format!(" et l'équipe « {team} »"));
    let body = format!(
        "Oui : {who}{whom} ne liront plus vos papiers de santé. Cette borne efface ce qu'elle garde.\n\
         Non : rien ne change.\nOn vous soigne pareil.\nVous pouvez changer d'avis."
    );
    ("Ne plus laisser lire vos papiers de santé ?".to_owned(), body, "Non", "Oui")
}

fn withdrawal_in_english(asked: &Asked<'_>) -> Words {
    let Asked { who, .. } = asked;
    let whom = asked.team.map_or(String::new(), |team| format!(" and the care team “{team}”"));
    let body = format!(
        "{who}{whom} will not be able to open your record any more. What this device keeps of it is erased at once. Care stays \
         the same. You may agree again later."
    );
    ("Do you want to close access to your record?".to_owned(), body, "No, change nothing", "Yes, close access")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANGUAGES: [Language; 3] = [Language::French, Language::EasyFrench, Language::English];

    fn asked(about: About, language: Language) -> Asked<'static> {
        Asked {
            about,
            language,
            who: "NOM Prénom (infirmier)",
            team: Some("Équipe 2"),
            for_patient: None,
            collector: None,
            secret: false,
        }
    }

    #[test]
    fn every_text_says_who_for_whom_and_that_no_is_allowed() {
        for language in LANGUAGES {
            for about in [About::Access, About::Event, About::Withdrawal] {
                let text = consent_text(&asked(about, language));
                let whole = format!("{} {}", text.title, text.body);
                assert!(
                    whole.contains("NOM Prénom (infirmier)") && whole.contains("Équipe 2"),
                    "{about:?} {language:?}"
                );
                assert!(!text.no.is_empty() && !text.yes.is_empty() && text.no != text.yes, "{about:?} {language:?}");
                assert!(text.foot.contains(about.text()) && text.foot.contains(&TEXT_VERSION.to_string()));
                assert!(!whole.contains('\''), "{about:?} {language:?}: straight apostrophe");
            }
            let access = consent_text(&asked(About::Access, language)).body;
            let refusal = if language == Language::English { "say no" } else { "on" };
            assert!(access.contains(refusal), "{language:?}");
            let alone = consent_text(&Asked { team: None, ..asked(About::Access, language) });
            assert!(alone.body != access && !alone.body.contains("Équipe 2"), "{language:?}");
        }
    }

    #[test]
    fn whoever_answers_for_another_is_told_for_whom_and_whoever_collects_is_named() {
        for language in LANGUAGES {
            for about in [About::Access, About::Event] {
                let text = consent_text(&Asked { for_patient: Some("Zoé PATIENT"), ..asked(about, language) });
                assert!(text.title.contains("Zoé PATIENT"), "{about:?} {language:?}");
            }
            let text = consent_text(&Asked { collector: Some("AUTRE Nom"), ..asked(About::Access, language) });
            assert!(text.body.contains("AUTRE Nom"), "{language:?}");
            let open = consent_text(&asked(About::Access, language)).body;
            let secret = consent_text(&Asked { secret: true, ..asked(About::Access, language) }).body;
            assert_ne!(open, secret, "{language:?}");
        }
    }
}
