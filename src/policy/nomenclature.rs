//! The national lists, as data: what a code is called on the screen, and which column a profession has.
//!
//! `data/nomenclature/*.csv`, each with its edition, version and source. A code that is not there is *not recognised*: the
//! screen says so and policy denies it; a label coming from a server never stands in for ours. A device may be given newer
//! editions, signed (`list`); they are chosen once, at start, before anything is asked of them ([`InForce`]).

pub mod list;

use crate::identity::holder::ProfessionCode;
use crate::record::document::ClassCode;
use crate::record::document::Label;
use crate::record::document::TypeCode;
use list::List;
use std::sync::OnceLock;

/// Every list, one of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lists(Vec<List>);

/// Their ids, in the order of [`Lists`].
const CLASSES: usize = 0;
const TYPES: usize = 1;
const LABELS: usize = 2;
const PROFESSIONS: usize = 3;
const SECTIONS: usize = 4;
const ACCESS_MODES: usize = 5;
const FORMATS: usize = 6;

const SHIPPED: [(usize, &str); 7] = [
    (CLASSES, include_str!("../../data/nomenclature/classes.csv")),
    (TYPES, include_str!("../../data/nomenclature/types.csv")),
    (LABELS, include_str!("../../data/nomenclature/labels.csv")),
    (PROFESSIONS, include_str!("../../data/nomenclature/professions.csv")),
    (SECTIONS, include_str!("../../data/nomenclature/pharmacist_sections.csv")),
    (ACCESS_MODES, include_str!("../../data/nomenclature/access_modes.csv")),
    (FORMATS, include_str!("../../data/nomenclature/format_codes.csv")),
];

/// The lists of this program, chosen once.
pub static IN_FORCE: InForce = InForce(OnceLock::new());

/// A place for lists that is filled once.
pub struct InForce(OnceLock<Lists>);

impl InForce {
    /// Those that [`InForce::choose`] was given, else the shipped ones.
    fn lists(&self) -> &Lists {
        self.0.get_or_init(Lists::shipped)
    }

    /// Puts lists in force for the life of the program. `false`: others are in force already, and stay.
    pub fn choose(&self, lists: Lists) -> bool {
        self.0.set(lists).is_ok()
    }
}

/// The lists in force.
pub fn lists() -> &'static Lists {
    IN_FORCE.lists()
}

fn list(at: usize) -> &'static List {
    &lists().0[at]
}

impl Lists {
    /// Those that come with the program.
    pub fn shipped() -> Lists {
        let read = |(_, text): (usize, &str)| List::read(text.as_bytes());
        Lists(SHIPPED.map(read).map(|list| list.expect("a shipped list can be read: every one is, by a test")).into())
    }

    /// These, with one of them replaced by a newer edition.
    pub fn with(mut self, newer: List) -> Result<Lists, list::Error> {
        let place = self.0.iter_mut().find(|known| known.id == newer.id);
        let place = place.ok_or_else(|| list::Error::UnknownList { found: newer.id.clone() })?;
        newer.may_replace(place)?;
        *place = newer;
        Ok(self)
    }

    pub fn all(&self) -> &[List] {
        &self.0
    }

    /// The one with this id.
    pub fn named(&self, id: &str) -> Option<&List> {
        self.0.iter().find(|list| list.id == id)
    }
}

const TYPE_NOT_RECOGNISED: &str = "Type de document non reconnu";
const CLASS_NOT_RECOGNISED: &str = "Autres documents";
const PROFESSION_NOT_RECOGNISED: &str = "Profession non reconnue";
const LABEL_NOT_RECOGNISED: &str = "Confidentialité non reconnue";

/// « Compte rendu d’accouchement ».
pub fn type_label(code: &TypeCode) -> &'static str {
    list(TYPES).value(&code.0, "label").unwrap_or(TYPE_NOT_RECOGNISED)
}

/// Whether this program knows the type at all.
pub fn type_is_known(code: &TypeCode) -> bool {
    list(TYPES).value(&code.0, "label").is_some()
}

/// Whether the DMP takes documents of this type (ASS_X16).
pub fn dmp_takes(code: &TypeCode) -> bool {
    list(TYPES).value(&code.0, "dmp") == Some("1")
}

/// The types that the DMP takes (ASS_X16), in the order of their classes: what a matrix has rows for.
pub fn dmp_types() -> impl Iterator<Item = TypeCode> {
    list(TYPES).codes().filter(|code| list(TYPES).value(code, "dmp") == Some("1")).map(|code| TypeCode(code.to_owned()))
}

/// The class that the DMP gives a type, whatever the document's own metadata say.
pub fn class_of(code: &TypeCode) -> Option<ClassCode> {
    list(TYPES).value(&code.0, "class").filter(|class| !class.is_empty()).map(|class| ClassCode(class.to_owned()))
}

/// « Compte rendu », as the list calls it.
pub fn class_label(code: &ClassCode) -> &'static str {
    list(CLASSES).value(&code.0, "label").unwrap_or(CLASS_NOT_RECOGNISED)
}

/// « Comptes rendus », for a filter.
pub fn class_short(code: &ClassCode) -> &'static str {
    list(CLASSES).value(&code.0, "short").unwrap_or(CLASS_NOT_RECOGNISED)
}

/// At most three letters, for the tile in front of a row: the type's own where it has one (« Bio »), else its class's.
pub fn tile(kind: &TypeCode, class: &ClassCode) -> &'static str {
    let own = list(TYPES).value(&kind.0, "tile").filter(|tile| !tile.is_empty());
    own.or_else(|| list(CLASSES).value(&class.0, "tile")).unwrap_or("?")
}

/// « Infirmier ».
pub fn profession_label(code: ProfessionCode) -> &'static str {
    list(PROFESSIONS).value(&code.0.to_string(), "label").unwrap_or(PROFESSION_NOT_RECOGNISED)
}

/// « Pharmacien biologiste », from a section of the Ordre (TRE_G05).
pub fn section_label(code: &str) -> Option<&'static str> {
    list(SECTIONS).value(code, "label")
}

/// « Non visible par le patient ».
pub fn label_text(label: &Label) -> &'static str {
    list(LABELS).value(label.code(), "label").unwrap_or(LABEL_NOT_RECOGNISED)
}

/// The matrix columns of a profession: `None` when the code is not known, empty when it has none.
pub fn columns_of_profession(code: ProfessionCode) -> Option<Vec<&'static str>> {
    list(PROFESSIONS).value(&code.0.to_string(), "columns").map(columns)
}

/// The matrix columns of a pharmacist's section, as [`columns_of_profession`].
pub fn columns_of_section(code: &str) -> Option<Vec<&'static str>> {
    list(SECTIONS).value(code, "columns").map(columns)
}

fn columns(listed: &'static str) -> Vec<&'static str> {
    listed.split('|').filter(|column| !column.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_chosen_once_and_before_they_are_read() {
        let none = Lists(Vec::new());
        let chosen = InForce(OnceLock::new());
        assert!(chosen.choose(none.clone()));
        assert_eq!(chosen.lists(), &none);
        assert!(!chosen.choose(Lists::shipped()));
        assert_eq!(chosen.lists(), &none, "what is in force stays");
        let shipped = InForce(OnceLock::new());
        assert_eq!(shipped.lists(), &Lists::shipped());
        assert!(!shipped.choose(none), "read already");
    }

    #[test]
    fn every_list_says_what_it_is_and_repeats_nothing() {
        let ids = ["classes", "types", "labels", "professions", "pharmacist_sections", "access_modes", "format_codes"];
        let shipped = Lists::shipped();
        assert_eq!(shipped.all().iter().map(|list| list.id.as_str()).collect::<Vec<_>>(), ids);
        for (at, text) in SHIPPED {
            let list = &shipped.all()[at];
            assert!(!list.name.is_empty() && !list.version.is_empty() && !list.source.is_empty(), "{}", list.id);
            assert!(list.codes().all(|code| list.value(code, "label").is_some_and(|l| !l.is_empty())), "{}", list.id);
            assert_eq!(shipped.named(&list.id), Some(list));
            assert_eq!(List::read(text.as_bytes()).ok().as_ref(), Some(list));
        }
        assert_eq!(list(FORMATS).codes().count(), 62);
        assert_eq!(list(ACCESS_MODES).codes().count(), 3);
    }

    #[test]
    fn a_type_has_a_title_a_class_and_a_tile() {
        for code in list(TYPES).codes() {
            let class = class_of(&TypeCode(code.into()));
            let known = class.is_none_or(|class| list(CLASSES).value(&class.0, "label").is_some());
            assert!(known, "{code} has a class that no list names");
        }
        assert_eq!(dmp_types().count(), 102);
        assert!(dmp_types().all(|code| dmp_takes(&code)) && !dmp_takes(&TypeCode("28617-9".into())));
        assert_eq!(type_label(&TypeCode("15508-5".into())), "Compte rendu d’accouchement");
        assert_eq!(type_label(&TypeCode("99999-9".into())), TYPE_NOT_RECOGNISED);
        assert_eq!(tile(&TypeCode("11502-2".into()), &ClassCode("10".into())), "Bio");
        assert_eq!(tile(&TypeCode("15508-5".into()), &ClassCode("10".into())), "CR");
        assert_eq!(tile(&TypeCode("15508-5".into()), &ClassCode("77".into())), "?");
        let tiles = list(CLASSES).codes().filter_map(|code| list(CLASSES).value(code, "tile"));
        assert!(tiles.into_iter().all(|tile| (1..=3).contains(&tile.chars().count())));
    }

    #[test]
    fn professions_and_labels_are_named() {
        assert_eq!(profession_label(ProfessionCode(60)), "Infirmier");
        assert_eq!(profession_label(ProfessionCode(999)), PROFESSION_NOT_RECOGNISED);
        assert_eq!(columns_of_profession(ProfessionCode(31)), Some(vec![]));
        assert_eq!(columns_of_profession(ProfessionCode(999)), None);
        assert_eq!(columns_of_section("G"), Some(vec!["21b_biologiste"]));
        assert_eq!(label_text(&Label::InvisibleToPatient), "Non visible par le patient");
        assert_eq!(label_text(&Label::Unknown("X".into())), LABEL_NOT_RECOGNISED);
    }
}
