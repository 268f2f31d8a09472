//! The national lists, as data: what a code is called on the screen, and which column a profession has.
//!
//! `data/nomenclature/*.csv`, each with its version and source. A code that is not there is *not recognised*: the
//! screen says so and policy denies it; a label coming from a server never stands in for ours.

use crate::identity::holder::ProfessionCode;
use crate::policy::table;
use crate::record::document::ClassCode;
use crate::record::document::Label;
use crate::record::document::TypeCode;
use std::collections::HashMap;
use std::sync::LazyLock;

/// One list.
pub struct List {
    pub name: String,
    pub version: String,
    pub source: String,
    header: Vec<String>,
    /// In the file's order.
    entries: Vec<Vec<String>>,
    places: HashMap<String, usize>,
}

pub static CLASSES: LazyLock<List> = LazyLock::new(|| List::read(include_str!("../../data/nomenclature/classes.csv")));
pub static TYPES: LazyLock<List> = LazyLock::new(|| List::read(include_str!("../../data/nomenclature/types.csv")));
pub static LABELS: LazyLock<List> = LazyLock::new(|| List::read(include_str!("../../data/nomenclature/labels.csv")));
pub static PROFESSIONS: LazyLock<List> =
    LazyLock::new(|| List::read(include_str!("../../data/nomenclature/professions.csv")));
pub static SECTIONS: LazyLock<List> =
    LazyLock::new(|| List::read(include_str!("../../data/nomenclature/pharmacist_sections.csv")));
pub static ACCESS_MODES: LazyLock<List> =
    LazyLock::new(|| List::read(include_str!("../../data/nomenclature/access_modes.csv")));
pub static FORMATS: LazyLock<List> =
    LazyLock::new(|| List::read(include_str!("../../data/nomenclature/format_codes.csv")));

const TYPE_NOT_RECOGNISED: &str = "Type de document non reconnu";
const CLASS_NOT_RECOGNISED: &str = "Autres documents";
const PROFESSION_NOT_RECOGNISED: &str = "Profession non reconnue";
const LABEL_NOT_RECOGNISED: &str = "Confidentialité non reconnue";

/// « Compte rendu d’accouchement ».
pub fn type_label(code: &TypeCode) -> &'static str {
    TYPES.value(&code.0, "label").unwrap_or(TYPE_NOT_RECOGNISED)
}

/// Whether this program knows the type at all.
pub fn type_is_known(code: &TypeCode) -> bool {
    TYPES.places.contains_key(&code.0)
}

/// Whether the DMP takes documents of this type (ASS_X16).
pub fn dmp_takes(code: &TypeCode) -> bool {
    TYPES.value(&code.0, "dmp") == Some("1")
}

/// The types that the DMP takes (ASS_X16), in the order of their classes: what a matrix has rows for.
pub fn dmp_types() -> impl Iterator<Item = TypeCode> {
    let place = TYPES.place("dmp");
    let listed = TYPES.entries.iter().filter(move |entry| place.is_some_and(|at| entry[at] == "1"));
    listed.map(|entry| TypeCode(entry[0].clone()))
}

/// The class that the DMP gives a type, whatever the document's own metadata say.
pub fn class_of(code: &TypeCode) -> Option<ClassCode> {
    TYPES.value(&code.0, "class").filter(|class| !class.is_empty()).map(|class| ClassCode(class.to_owned()))
}

/// « Compte rendu », as the list calls it.
pub fn class_label(code: &ClassCode) -> &'static str {
    CLASSES.value(&code.0, "label").unwrap_or(CLASS_NOT_RECOGNISED)
}

/// « Comptes rendus », for a filter.
pub fn class_short(code: &ClassCode) -> &'static str {
    CLASSES.value(&code.0, "short").unwrap_or(CLASS_NOT_RECOGNISED)
}

/// At most three letters, for the tile in front of a row: the type's own where it has one (« Bio »), else its class's.
pub fn tile(kind: &TypeCode, class: &ClassCode) -> &'static str {
    let own = TYPES.value(&kind.0, "tile").filter(|tile| !tile.is_empty());
    own.or_else(|| CLASSES.value(&class.0, "tile")).unwrap_or("?")
}

/// « Infirmier ».
pub fn profession_label(code: ProfessionCode) -> &'static str {
    PROFESSIONS.value(&code.0.to_string(), "label").unwrap_or(PROFESSION_NOT_RECOGNISED)
}

/// « Pharmacien biologiste », from a section of the Ordre (TRE_G05).
pub fn section_label(code: &str) -> Option<&'static str> {
    SECTIONS.value(code, "label")
}

/// « Non visible par le patient ».
pub fn label_text(label: &Label) -> &'static str {
    LABELS.value(label.code(), "label").unwrap_or(LABEL_NOT_RECOGNISED)
}

/// The matrix columns of a profession: `None` when the code is not known, empty when it has none.
pub fn columns_of_profession(code: ProfessionCode) -> Option<Vec<&'static str>> {
    PROFESSIONS.value(&code.0.to_string(), "columns").map(columns)
}

/// The matrix columns of a pharmacist's section, as [`columns_of_profession`].
pub fn columns_of_section(code: &str) -> Option<Vec<&'static str>> {
    SECTIONS.value(code, "columns").map(columns)
}

fn columns(listed: &'static str) -> Vec<&'static str> {
    listed.split('|').filter(|column| !column.is_empty()).collect()
}

impl List {
    /// Reads a shipped list.
    fn read(text: &str) -> List {
        let table = table::read(text.as_bytes()).expect("a shipped list is a table: every one is read by a test");
        let note = |name| table.note(name).unwrap_or_default().to_owned();
        let (name, version, source) = (note("name"), note("version"), note("source"));
        let entries: Vec<Vec<String>> = table.rows.into_iter().map(|row| row.values).collect();
        let places = entries.iter().enumerate().map(|(at, entry)| (entry[0].clone(), at)).collect();
        List { name, version, source, header: table.header, entries, places }
    }

    /// Every code, in the list's order.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry[0].as_str())
    }

    /// One value of one code.
    pub fn value(&self, code: &str, column: &str) -> Option<&str> {
        let entry = &self.entries[*self.places.get(code)?];
        self.place(column).map(|at| entry[at].as_str())
    }

    fn place(&self, column: &str) -> Option<usize> {
        self.header.iter().position(|name| name == column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_says_what_it_is_and_repeats_nothing() {
        let lists = [&*CLASSES, &*TYPES, &*LABELS, &*PROFESSIONS, &*SECTIONS, &*ACCESS_MODES, &*FORMATS];
        for list in lists {
            assert!(!list.name.is_empty() && !list.version.is_empty() && !list.source.is_empty(), "{}", list.name);
            assert_eq!(list.places.len(), list.entries.len(), "{} names a code twice", list.name);
            assert!(list.codes().all(|code| list.value(code, "label").is_some_and(|l| !l.is_empty())), "{}", list.name);
        }
    }

    #[test]
    fn a_type_has_a_title_a_class_and_a_tile() {
        for code in TYPES.codes() {
            let class = class_of(&TypeCode(code.into()));
            let known = class.is_none_or(|class| CLASSES.value(&class.0, "label").is_some());
            assert!(known, "{code} has a class that no list names");
        }
        assert_eq!(dmp_types().count(), 102);
        assert_eq!(type_label(&TypeCode("15508-5".into())), "Compte rendu d’accouchement");
        assert_eq!(type_label(&TypeCode("99999-9".into())), TYPE_NOT_RECOGNISED);
        assert_eq!(tile(&TypeCode("11502-2".into()), &ClassCode("10".into())), "Bio");
        assert_eq!(tile(&TypeCode("15508-5".into()), &ClassCode("10".into())), "CR");
        assert_eq!(tile(&TypeCode("15508-5".into()), &ClassCode("77".into())), "?");
        let tiles = CLASSES.codes().filter_map(|code| CLASSES.value(code, "tile"));
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
