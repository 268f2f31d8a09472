//! Names of professions, cards, types and classes, in the screen's language. The national lists are French; where this program
//! has no English for a code, its French name stays.

use crate::identity::holder::CardKind;
use crate::identity::holder::Holder;
use crate::identity::holder::ProfessionCode;
use crate::policy::emergency;
use crate::policy::nomenclature;
use crate::record::document::ClassCode;
use crate::record::document::Label;
use crate::record::document::TypeCode;
use crate::say;
use crate::say::Lang;
use crate::screen::english;
use crate::screen::words;

fn within(lang: Lang, english: Option<&'static str>, french: &'static str) -> &'static str {
    lang.pick(french, english.unwrap_or(french))
}

/// What our own list calls the type.
pub fn document_type(lang: Lang, code: &TypeCode) -> &'static str {
    if nomenclature::type_is_known(code) {
        within(lang, english::type_label(&code.0), nomenclature::type_label(code))
    } else {
        lang.pick(nomenclature::type_label(code), "Type of document not recognised")
    }
}

/// A class, for a filter.
pub fn class_short(lang: Lang, code: &ClassCode) -> &'static str {
    lang.pick(nomenclature::class_short(code), english::class_short(&code.0).unwrap_or("Other documents"))
}

/// « Non visible par le patient ».
pub fn confidentiality(lang: Lang, label: &Label) -> &'static str {
    let english = english::confidentiality(label.code()).unwrap_or("Confidentiality not recognised");
    lang.pick(nomenclature::label_text(label), english)
}

/// Words of a history: ours in the screen's language, a server's as they are.
pub fn access(lang: Lang, words: &str) -> String {
    lang.pick(None, english::access(words)).map_or_else(|| say::french(words), str::to_owned)
}

/// Why a file was set aside.
pub fn aside(lang: Lang, why: &'static str) -> &'static str {
    within(lang, english::aside(why), why)
}

/// Why a record is opened by bris de glace; the code enters the trace, never these words.
pub fn emergency(lang: Lang, reason: &emergency::Reason) -> &'static str {
    within(lang, english::emergency(reason.code), reason.label)
}

/// « Infirmier ».
pub fn profession_name(lang: Lang, code: ProfessionCode) -> &'static str {
    lang.pick(nomenclature::profession_label(code), english::profession(code.0).unwrap_or("Profession not recognised"))
}

/// Whose card it is, as a page names them; a structure's own is nobody's in particular.
pub fn holder(lang: Lang, holder: &Holder) -> String {
    match words::full_name(&holder.family_name, &holder.given_name) {
        name if name.is_empty() => say!(lang, "Carte sans nom", "Nameless card"),
        name => name,
    }
}

/// A profession, for a name's second line.
pub fn profession(lang: Lang, holder: &Holder) -> String {
    let name = match (holder.profession, holder.card_kind) {
        (Some(code), _) => profession_name(lang, code),
        (None, CardKind::Cpa) => lang.pick("Personnel autorisé", "Authorized staff"),
        (None, _) => lang.pick("Personnel d’établissement", "Establishment staff"),
    };
    if holder.in_training { say!(lang, "{name} en formation", "{name} in training") } else { name.to_owned() }
}

/// What kind of card is in, in full.
pub fn card(lang: Lang, kind: CardKind) -> &'static str {
    match kind {
        CardKind::Cps => lang.pick("Carte de professionnel de santé", "Health professional’s card"),
        CardKind::Cpf => lang.pick("Carte de professionnel en formation", "Card of a professional in training"),
        CardKind::Cpe => lang.pick("Carte de personnel d’établissement", "Establishment staff card"),
        CardKind::Cpa => lang.pick("Carte de personnel autorisé", "Authorized staff card"),
    }
}

/// « 3 comptes rendus ».
pub fn counted(lang: Lang, number: u32, class_code: &str) -> String {
    let ((one, many), (english_one, english_many)) = (french_class(class_code), english::class(class_code));
    words::count(lang, number, [one, many], [english_one, english_many])
}

/// A class, singular and plural.
fn french_class(code: &str) -> (&'static str, &'static str) {
    match code {
        "10" => ("compte rendu", "comptes rendus"),
        "11" => ("synthèse", "synthèses"),
        "31" => ("document d’imagerie", "documents d’imagerie"),
        "42" => ("prescription", "prescriptions"),
        "43" => ("dispensation", "dispensations"),
        "44" => ("plan de soins", "plans de soins"),
        "45" => ("traitement administré", "traitements administrés"),
        "52" => ("certificat ou déclaration", "certificats ou déclarations"),
        "60" => ("donnée de remboursement", "données de remboursement"),
        "90" => ("document du patient", "documents du patient"),
        "95" => ("document de gestion", "documents de gestion"),
        _ => ("document d’une classe inconnue", "documents d’une classe inconnue"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_that_is_shipped_has_an_english_name() {
        let shipped = nomenclature::Lists::shipped();
        let codes =
            |list: &str| shipped.named(list).expect("a shipped list").codes().map(str::to_owned).collect::<Vec<_>>();
        let named = |list: &str, known: &dyn Fn(&str) -> Option<&'static str>| {
            let codes = codes(list);
            assert!(codes.len() > 5, "{list}");
            for code in codes {
                let name = known(&code).unwrap_or_else(|| panic!("{list} {code} has no English name"));
                assert!(
                    !name.contains('é') && !name.contains('’')
                        || name.contains("espace santé")
                        || name.contains("patient’s"),
                    "{name}"
                );
            }
        };
        named("types", &english::type_label);
        named("classes", &english::class_short);
        named("labels", &english::confidentiality);
        for reason in emergency::REASONS {
            assert!(english::emergency(reason.code).is_some(), "{}", reason.code);
        }
        named("professions", &|code| english::profession(code.parse().ok()?));
        for code in codes("classes") {
            assert_ne!(english::class(&code), english::class("?"), "{code} cannot be counted in English");
        }
    }
}
