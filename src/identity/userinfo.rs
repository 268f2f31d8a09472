//! What Pro Santé Connect's UserInfo says of a professional: names, and one line for each of their *exercices*.
//!
//! Read tolerantly, because its shape is known from samples only: what is missing is unknown, what is unknown gives nothing.
//! The national identifier and the subject are the only things without which there is nobody. Pure.

use crate::identity::holder::CardKind;
use crate::identity::holder::Holder;
use crate::identity::holder::HolderId;
use crate::identity::holder::Means;
use crate::identity::holder::ProfessionCode;
use crate::identity::holder::Situation;
use crate::identity::id_token::national_id;
use serde_json::Value;

/// A professional, before it is said in which of their situations they are here.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// As in the id_token (OpenID Connect Core §5.3.2).
    pub subject: String,
    pub id: HolderId,
    pub family_name: String,
    pub given_name: String,
    /// Each in its own right; none: nobody said what they practise.
    pub exercises: Vec<Exercise>,
}

/// One profession in one place.
#[derive(Clone, PartialEq, Eq)]
pub struct Exercise {
    pub profession: ProfessionCode,
    pub in_training: bool,
    /// Ordinal specialty, for example `SM26`.
    pub specialty: Option<String>,
    pub pharmacist_section: Option<String>,
    pub situation: Option<Situation>,
}

impl Person {
    /// `None`: it is no JSON object, or says nobody.
    pub fn read(bytes: &[u8]) -> Option<Person> {
        let Value::Object(members) = serde_json::from_slice(bytes).ok()? else { return None };
        let id = national_id(&members)?;
        let all = Value::Object(members);
        let subject = word(&all["sub"])?;
        let reference = &all["SubjectRefPro"];
        let mut exercises = Vec::new();
        for exercise in reference["exercices"].as_array().map(Vec::as_slice).unwrap_or_default().iter().take(LINES_MAX)
        {
            exercises_of(exercise, &mut exercises);
        }
        if exercises.is_empty() {
            roles(&all, &mut exercises);
        }
        exercises.truncate(LINES_MAX);
        let (family_name, given_name) = names(&all, reference);
        Some(Person { subject, id, family_name, given_name, exercises })
    }

    /// Who is here, in the situation that was chosen. Without one there is no profession, and so no record.
    pub fn holder(&self, chosen: Option<&Exercise>) -> Holder {
        let in_training = chosen.is_some_and(|exercise| exercise.in_training);
        Holder {
            id: self.id.clone(),
            family_name: self.family_name.clone(),
            given_name: self.given_name.clone(),
            profession: chosen.map(|exercise| exercise.profession),
            in_training,
            card_kind: if in_training { CardKind::Cpf } else { CardKind::Cps },
            means: Means::ECps,
            specialty: chosen.and_then(|exercise| exercise.specialty.clone()),
            pharmacist_section: chosen.and_then(|exercise| exercise.pharmacist_section.clone()),
            situations: Some(chosen.and_then(|exercise| exercise.situation.clone()).into_iter().collect()),
        }
    }
}

/// The names under which they practise, where an exercise says them.
fn names(all: &Value, reference: &Value) -> (String, String) {
    let first = &reference["exercices"][0];
    let family = word(&first["nomDexercice"]).or_else(|| word(&all["family_name"])).unwrap_or_default();
    let given = word(&first["prenomDexercice"]).or_else(|| word(&all["given_name"])).unwrap_or_default();
    (family, given)
}

/// One line for each of its activities; one without a place where it has none.
fn exercises_of(exercise: &Value, found: &mut Vec<Exercise>) {
    let Some(profession) = code(&exercise["codeProfession"]) else { return };
    // TRE_R09: E, a student.
    let in_training = exercise["codeCategorieProfessionnelle"] == "E";
    // TRE_R04: S, an ordinal specialty. Other kinds of know-how say nothing here.
    let specialty = (exercise["codeTypeSavoirFaire"] == "S").then(|| word(&exercise["codeSavoirFaire"])).flatten();
    let activities = exercise["activities"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut put = |section: Option<String>, situation: Option<Situation>| {
        let line =
            Exercise { profession, in_training, specialty: specialty.clone(), pharmacist_section: section, situation };
        if !found.contains(&line) {
            found.push(line);
        }
    };
    if activities.is_empty() {
        put(None, None);
    }
    for activity in activities.iter().take(LINES_MAX) {
        put(word(&activity["codeSectionPharmacien"]), situation(activity));
    }
}

/// Structure identifiers carry their prefix: 1 FINESS, 3 SIRET; a technical one is taken as it stands.
fn situation(activity: &Value) -> Option<Situation> {
    let name = word(&activity["raisonSocialeSite"]).or_else(|| word(&activity["enseigneCommercialeSite"]));
    let prefixed = |name: &str, prefix: &str| word(&activity[name]).map(|id| format!("{prefix}{id}"));
    let structure = prefixed("numeroFinessSite", "1")
        .or_else(|| prefixed("numeroSiretSite", "3"))
        .or_else(|| word(&activity["identifiantTechniqueDeLaStructure"]))?;
    Some(Situation { name: name.unwrap_or_default(), structure, sector: word(&activity["codeSecteurDactivite"]) })
}

/// `10^1.2.250.1.213.1.1.5.5`: the profession before the mark. Where there are no exercises, this is what is left.
fn roles(all: &Value, found: &mut Vec<Exercise>) {
    let organisation = word(&all["SubjectOrganizationID"]);
    let situation = organisation.map(|structure| Situation {
        name: word(&all["SubjectOrganization"]).unwrap_or_default(),
        structure,
        sector: None,
    });
    for role in all["SubjectRole"].as_array().map(Vec::as_slice).unwrap_or_default().iter().take(LINES_MAX) {
        let profession = role.as_str().and_then(|role| role.split('^').next()?.parse().ok()).map(ProfessionCode);
        let Some(profession) = profession else { continue };
        let line = Exercise {
            profession,
            in_training: false,
            specialty: None,
            pharmacist_section: None,
            situation: situation.clone(),
        };
        if !found.contains(&line) {
            found.push(line);
        }
    }
}

/// A code, as a text or as a number.
fn code(value: &Value) -> Option<ProfessionCode> {
    let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())?;
    u16::try_from(number).ok().map(ProfessionCode)
}

/// A text that says something, cut to what a page can hold.
fn word(value: &Value) -> Option<String> {
    let text = value.as_str()?.trim();
    (!text.is_empty()).then(|| text.chars().filter(|letter| !letter.is_control()).take(WORD_MAX).collect())
}

/// No professional has more, and no page shows more.
const LINES_MAX: usize = 20;
const WORD_MAX: usize = 120;

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person([REDACTED])")
    }
}

impl std::fmt::Debug for Exercise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Exercise([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::any;
    use proptest::proptest;
    use serde_json::json;

    fn whole() -> Value {
        json!({
            "sub": "f:0a1b:899700101340", "SubjectNameID": "899700101340", "preferred_username": "899700101340",
            "given_name": "Camille", "family_name": "INVENTEE", "email_verified": false,
            "SubjectRole": ["60^1.2.250.1.213.1.1.5.5"],
            "SubjectRefPro": {"codeCivilite": "MME", "exercices": [
                {"codeProfession": "60", "codeCategorieProfessionnelle": "C", "nomDexercice": "DEXERCICE",
                 "prenomDexercice": "Camille", "activities": [
                    {"numeroFinessSite": "750000001", "raisonSocialeSite": "HOPITAL INVENTE", "codeSecteurDactivite": "SA01"},
                    {"numeroSiretSite": "12345678900011", "enseigneCommercialeSite": "CABINET", "codeSecteurDactivite": "SA07"}]},
                {"codeProfession": 10, "codeCategorieProfessionnelle": "E", "codeTypeSavoirFaire": "S",
                 "codeSavoirFaire": "SM26", "activities": []},
                {"codeProfession": "?", "activities": []}]}
        })
    }

    fn read(value: &Value) -> Option<Person> {
        Person::read(value.to_string().as_bytes())
    }

    #[test]
    fn each_activity_is_a_line_to_choose() {
        let person = read(&whole()).expect("a person");
        assert_eq!((person.id.0.as_str(), person.family_name.as_str()), ("899700101340", "DEXERCICE"));
        let lines: Vec<(u16, bool, Option<&str>, Option<&str>)> = person
            .exercises
            .iter()
            .map(|line| {
                let place = line.situation.as_ref().map(|place| place.structure.as_str());
                (line.profession.0, line.in_training, line.specialty.as_deref(), place)
            })
            .collect();
        let expected = [
            (60, false, None, Some("1750000001")),
            (60, false, None, Some("312345678900011")),
            (10, true, Some("SM26"), None),
        ];
        assert_eq!(lines, expected);
        let holder = person.holder(person.exercises.first());
        assert_eq!(
            (holder.profession, holder.means, holder.card_kind),
            (Some(ProfessionCode(60)), Means::ECps, CardKind::Cps)
        );
        assert_eq!(holder.situation().map(|place| place.structure.as_str()), Some("1750000001"));
        let student = person.holder(person.exercises.get(2));
        assert_eq!((student.card_kind, student.situation()), (CardKind::Cpf, None));
    }

    #[test]
    fn without_exercises_the_roles_say_the_profession_and_without_roles_nothing_does() {
        let mut value = whole();
        value["SubjectRefPro"] = json!({});
        let person = read(&value).expect("a person");
        assert_eq!(person.exercises.iter().map(|line| line.profession.0).collect::<Vec<_>>(), [60]);
        assert_eq!(person.family_name, "INVENTEE");
        value["SubjectRole"] = json!(["infirmier", 60, "^"]);
        let person = read(&value).expect("a person");
        assert!(person.exercises.is_empty());
        assert!(!person.holder(None).may_ask_for_records(), "unknown means no");
    }

    #[test]
    fn somebody_without_a_number_or_a_subject_is_nobody() {
        for (name, value) in [("sub", json!("")), ("sub", Value::Null), ("SubjectNameID", json!("8 99"))] {
            let mut all = whole();
            all[name] = value;
            assert!(read(&all).is_none(), "{name}");
        }
        for text in ["", "[]", "null", "{"] {
            assert!(Person::read(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn a_list_without_end_is_cut() {
        let mut value = whole();
        let many: Vec<Value> = (0..500).map(|n| json!({"codeProfession": n, "activities": []})).collect();
        value["SubjectRefPro"]["exercices"] = json!(many);
        assert_eq!(read(&value).map(|person| person.exercises.len()), Some(LINES_MAX));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fall(bytes in any::<Vec<u8>>(), text in "\\PC{0,200}") {
            let _nobody = Person::read(&bytes);
            let odd = json!({"sub": text, "SubjectRole": [text], "SubjectRefPro": {"exercices": [{"codeProfession": text, "activities": text}]}});
            let _maybe = read(&odd);
            let _shape = crate::identity::id_token::Keys::read(&bytes);
        }
    }
}
