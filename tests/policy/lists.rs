//! The national lists: our own form, what a publication makes of one, and what is refused by name.

use chevet::policy::nomenclature::Lists;
use chevet::policy::nomenclature::list::Change;
use chevet::policy::nomenclature::list::Error;
use chevet::policy::nomenclature::list::List;
use chevet::policy::signed;
use chevet::policy::signed::Standing;
use chevet::policy::table;
use proptest::prelude::*;

const CLASSES: &str = include_str!("../../data/nomenclature/classes.csv");
const KEY: &str = include_str!("../../data/keys/development.key");

fn classes() -> List {
    List::read(CLASSES.as_bytes()).expect("a list")
}

fn renewed(publication: &str) -> Result<List, Error> {
    classes().renewed(publication.as_bytes(), "2026-12-01.1".into(), "TRE_A03 2026".into(), "ANS".into())
}

#[test]
fn what_is_written_is_read_again() {
    for list in Lists::shipped().all() {
        assert_eq!(&List::read(list.write().as_bytes()).expect("our own form"), list);
    }
    assert!(classes().write().contains("\"Plan de soins, protocole de soins\""));
}

#[test]
fn a_publication_renames_and_adds_and_drops_nothing() {
    let change = |code: &str, column: &str, before: Option<&str>, after: &str| Change {
        code: code.into(),
        column: column.into(),
        before: before.map(str::to_owned),
        after: Some(after.to_owned()),
    };
    let expected = [
        change("11", "label", Some("Synthèse"), "Synthèses"),
        change("96", "label", None, "Nouvelle classe"),
        change("96", "short", None, ""),
        change("96", "tile", None, ""),
    ];
    let csv = "code;label\n11;Synthèses\n96;Nouvelle classe\n";
    let system = r#"{"resourceType":"CodeSystem","concept":[{"code":"11","display":"Synthèses"},{"code":"96","display":"Nouvelle classe"}]}"#;
    let set = r#" {"resourceType":"ValueSet","compose":{"include":[{"system":"x","concept":[{"code":"11","display":"Synthèses"}]},
        {"concept":[{"code":"96","display":"Nouvelle classe"}]}]}}"#;
    let code_last = "label,code\nSynthèses,11\nNouvelle classe,96\n";
    for publication in [csv, system, set, code_last] {
        let next = renewed(publication).expect("read");
        assert_eq!(next.changes_from(&classes()), expected, "{publication}");
        let head = (next.edition.as_str(), next.version.as_str(), next.source.as_str());
        assert_eq!(head, ("2026-12-01.1", "TRE_A03 2026", "ANS"));
        assert!(next.may_replace(&classes()).is_ok());
        assert_eq!(next.value("10", "tile"), Some("CR"), "what the publication does not know stays");
        assert_eq!(next.codes().count(), classes().codes().count() + 1);
    }
    assert_eq!(classes().changes_from(&classes()), []);
}

#[test]
fn a_publication_that_is_none_is_refused_by_name() {
    assert!(matches!(renewed("code,label\n11,a\n11,b\n"), Err(Error::Twice { code }) if code == "11"));
    assert!(matches!(renewed("code,label\n,a\n"), Err(Error::Empty { line: 2 })));
    assert!(matches!(renewed("code,label\n97,\n"), Err(Error::Empty { .. })));
    assert!(matches!(renewed("code,colour\n11,red\n"), Err(Error::Header { .. })));
    assert!(matches!(renewed("label\nx\n"), Err(Error::Publication)));
    assert!(matches!(renewed("{"), Err(Error::Publication)));
    assert!(matches!(renewed(r#"{"resourceType":"Bundle"}"#), Err(Error::Publication)));
    assert!(matches!(renewed(r#"{"resourceType":"CodeSystem","concept":[]}"#), Err(Error::Publication)));
    let twice = r#"{"resourceType":"CodeSystem","concept":[{"code":"1","display":"a"},{"code":"1","display":"a"}]}"#;
    assert!(matches!(renewed(twice), Err(Error::Twice { .. })));
    let huge = format!("{{{}", " ".repeat(table::BYTES_MAX));
    assert!(matches!(renewed(&huge), Err(Error::Table { source: table::Error::TooLarge { .. } })));
    // Exactly as long as may be is read, and then found to be none.
    let long = format!("{{{}", " ".repeat(table::BYTES_MAX - 1));
    assert!(matches!(renewed(&long), Err(Error::Publication)));
}

#[test]
fn what_is_no_list_is_refused_by_name() {
    let refused = |from: &str, to: &str| {
        let text = CLASSES.replacen(from, to, 1);
        assert_ne!(text, CLASSES, "{from}");
        List::read(text.as_bytes()).expect_err("refused")
    };
    assert!(matches!(refused("# chevet-list: classes\n", ""), Error::Lacks { what: "name: `# chevet-list:`" }));
    assert!(matches!(refused("# chevet-list: classes\n", "# chevet-list:\n"), Error::Lacks { .. }));
    assert!(matches!(refused("# edition: 2026-11-23.1\n", ""), Error::Lacks { what: "edition" }));
    assert!(matches!(refused("2026-11-23.1", "latest"), Error::Edition { .. }));
    assert!(matches!(refused("# name", "# nom"), Error::Lacks { what: "French name" }));
    assert!(matches!(refused("# version", "# v"), Error::Lacks { .. }));
    assert!(matches!(refused("# source", "# s"), Error::Lacks { what: "source" }));
    assert!(matches!(refused("code,label", "label,code"), Error::Lacks { what: "columns code and label" }));
    assert!(matches!(List::read(CLASSES.replace(",short,tile", "").as_bytes()), Err(Error::Table { .. })));
    assert!(matches!(refused("10,Compte rendu,", "10,,"), Error::Empty { line: 7 }));
    assert!(matches!(refused("10,Compte rendu,", ",Compte rendu,"), Error::Empty { line: 7 }));
    assert!(matches!(refused("\n11,", "\n10,"), Error::Twice { code } if code == "10"));
    assert!(matches!(List::read(b"# chevet-list: x\n# edition: 2026-01-01.1\ncode\n"), Err(Error::Lacks { .. })));
    for error in [refused("2026-11-23.1", "latest"), refused("\n11,", "\n10,"), refused("# source", "# s")] {
        assert!(error.sentence().ends_with('.'), "no sentence for people: {error}");
    }
}

#[test]
fn only_a_newer_edition_that_forgets_nothing_takes_the_place() {
    let edition = |text: &str| List::read(text.as_bytes()).expect("a list");
    let next = CLASSES.replace("2026-11-23.1", "2026-11-23.2");
    assert!(edition(&next).may_replace(&classes()).is_ok());
    assert!(matches!(classes().may_replace(&classes()), Err(Error::Older { .. })));
    let older = edition(&CLASSES.replace("2026-11-23.1", "2026-11-22.9"));
    assert!(matches!(older.may_replace(&classes()), Err(Error::Older { .. })));
    let lost = edition(&next.replace("\n95,", "\n96,"));
    assert!(matches!(lost.may_replace(&classes()), Err(Error::Lost { code }) if code == "95"));
    let other = edition(&next.replace("short,tile", "tile,short"));
    assert!(matches!(other.may_replace(&classes()), Err(Error::Header { .. })));
    let lists = Lists::shipped().with(edition(&next)).expect("newer");
    assert_eq!(lists.named("classes").map(|list| list.edition.as_str()), Some("2026-11-23.2"));
    assert_eq!(lists.named("types"), Lists::shipped().named("types"));
    let stranger = edition(&next.replace("chevet-list: classes", "chevet-list: colours"));
    assert!(matches!(Lists::shipped().with(stranger), Err(Error::UnknownList { .. })));
}

#[test]
fn what_is_not_signed_is_not_read() {
    let signature = signed::sign(CLASSES.as_bytes(), KEY, "development").expect("signed");
    assert!(List::open(CLASSES.as_bytes(), &signature, Standing::Desk).is_ok());
    assert!(matches!(List::open(CLASSES.as_bytes(), &signature, Standing::Production), Err(Error::Signature { .. })));
    assert!(matches!(List::open(b"code,label\n", &signature, Standing::Desk), Err(Error::Signature { .. })));
}

proptest! {
    #[test]
    fn any_bytes_are_survived(tail in proptest::collection::vec(any::<u8>(), 0..300), cut in 0..CLASSES.len()) {
        let mut bytes = CLASSES.as_bytes()[..cut].to_vec();
        bytes.extend_from_slice(&tail);
        let _any_answer = List::read(&bytes);
        let read = classes().renewed(&tail, "2026-12-01.1".into(), "v".into(), "s".into());
        prop_assert!(read.map_or(true, |list| list.codes().count() <= classes().codes().count() + 300));
    }

    /// A value comes back as it was written, whatever it holds.
    #[test]
    fn a_value_comes_back(label in "[^\\p{C}]{1,30}") {
        let label = label.trim().to_owned();
        prop_assume!(!label.is_empty());
        let publication = format!("code,label\n11,{}\n", table::quoted(&label));
        let list = classes().renewed(publication.as_bytes(), "2026-12-01.1".into(), "v".into(), "s".into());
        let list = list.expect("read");
        prop_assert_eq!(list.value("11", "label"), Some(label.as_str()));
    }
}
