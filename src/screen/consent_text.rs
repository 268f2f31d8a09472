//! What a patient is asked, in their words. The text's id, version and language enter every consent: a changed sentence
//! is a new version.

use crate::screen::words::french;
use crate::visit::event::Language;

/// Text AC-3: opening the record, by this professional and, where there is one, by their care team.
pub const ID: &str = "AC-3";
pub const VERSION: u32 = 1;

/// The page, ready to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentText {
    pub turned: String,
    pub title: String,
    pub body: String,
    pub no: String,
    pub yes: String,
    pub later: String,
    pub foot: String,
}

/// Writes the page: who asks (name, then profession), and the team for which the answer counts, if any.
pub fn consent_text(language: Language, name: &str, profession: &str, team: Option<&str>) -> ConsentText {
    match language {
        Language::French => in_french(name, profession, team),
        Language::EasyFrench => in_easy_french(name, profession, team),
        Language::English => in_english(name, profession, team),
    }
}

fn in_french(name: &str, profession: &str, team: Option<&str>) -> ConsentText {
    let scope = match team {
        Some(team) => format!("Votre accord vaut pour l'équipe de soins « {team} »."),
        None => "Votre accord vaut pour cette personne, cette fois seulement.".to_owned(),
    };
    ConsentText {
        turned: french("Écran tourné vers vous"),
        title: french(&format!("{name} ({profession}) demande à ouvrir votre dossier médical partagé.")),
        body: french(&format!(
            "Seuls les documents que la loi permet à sa profession seront visibles. {scope} Sur Mon espace santé, vous \
             verrez qui a ouvert votre dossier, et quand. Vous pouvez dire non, ou changer d'avis : vos soins restent les mêmes."
        )),
        no: "Non".to_owned(),
        yes: french("Oui, je suis d'accord"),
        later: french("Plus tard"),
        foot: format!("Texte {ID}, version {VERSION}, français"),
    }
}

fn in_easy_french(name: &str, profession: &str, team: Option<&str>) -> ConsentText {
    let scope = match team {
        Some(team) => format!("Oui : toute l'équipe « {team} » peut le lire."),
        None => "Oui : cette personne peut le lire aujourd'hui.".to_owned(),
    };
    ConsentText {
        turned: french("C'est à vous de répondre"),
        title: french(&format!("{name} ({profession}) veut lire vos papiers de santé.")),
        body: french(&format!(
            "C'est votre dossier. C'est vous qui décidez.\n{scope}\nNon : personne ne le lit. On vous soigne pareil.\n\
             Vous pouvez changer d'avis."
        )),
        no: "Non".to_owned(),
        yes: french("Oui, d'accord"),
        later: french("Plus tard"),
        foot: format!("Texte {ID}, version {VERSION}, français facile à lire"),
    }
}

fn in_english(name: &str, profession: &str, team: Option<&str>) -> ConsentText {
    let scope = match team {
        Some(team) => format!("Your agreement covers the care team “{team}”."),
        None => "Your agreement covers this person only, this time only.".to_owned(),
    };
    ConsentText {
        turned: "This screen is for you".to_owned(),
        title: format!("{name} ({profession}) asks to open your shared medical record."),
        body: format!(
            "Only the documents that the law allows their profession to read will be visible. {scope} On Mon espace \
             santé you can see who opened your record, and when. You may say no, or change your mind: your care stays the same."
        ),
        no: "No".to_owned(),
        yes: "Yes, I agree".to_owned(),
        later: "Later".to_owned(),
        foot: format!("Text {ID}, version {VERSION}, English"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_says_who_for_whom_and_that_no_is_allowed() {
        for language in [Language::French, Language::EasyFrench, Language::English] {
            let team = consent_text(language, "NOM Prénom", "Infirmier", Some("Équipe 2"));
            assert!(team.title.contains("NOM Prénom") && team.title.contains("Infirmier"), "{language:?}");
            assert!(team.body.contains("Équipe 2"), "{language:?}");
            let alone = consent_text(language, "NOM Prénom", "Infirmier", None);
            assert_ne!(team.body, alone.body);
            let refusal = if language == Language::English { "say no" } else { "on" };
            assert!(team.body.contains(refusal) && !team.no.is_empty(), "{language:?}");
            assert!(team.foot.contains("AC-3") && team.foot.contains(" 1"), "{language:?}");
            assert!(!team.body.contains('\''), "{language:?}: straight apostrophe");
        }
    }
}
