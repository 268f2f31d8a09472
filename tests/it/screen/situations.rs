//! Where a holder works: chosen when the card names several places, taken as it stands when it names one, and in every row.

use super::*;
use chevet::identity::holder::Situation;
use chevet::journal::trace::CardProof;
use chevet::journal::trace::LoginProof;
use chevet::visit::Visit;
use chevet::visit::event::PinAnswer;
use std::time::Duration;

fn place(structure: &str, name: &str) -> Situation {
    Situation { structure: structure.into(), name: name.into(), sector: Some("SA04".into()) }
}

/// The card has taken its PIN and says this.
fn proven(situations: Vec<Situation>) -> (Visit, Vec<Effect>) {
    let Page::AskPin(ask) = pin(Some(3), &[], false, false) else { panic!("a PIN page") };
    let page = Page::CheckingPin {
        insertion: Insertion(1),
        card: ask.card,
        was_wrong: false,
        until: Duration::from_secs(600),
    };
    let proof = LoginProof::Card(CardProof { certificate: vec![1], nonce: [2; 32], signature: vec![3] });
    let answer = PinAnswer::Here { proof: Box::new(proof), situations };
    visit(page).step(Event::PinChecked { insertion: Insertion(1), answer }, now())
}

/// The structure in the one row that is to be written.
fn written(effects: &[Effect]) -> Option<String> {
    let [Effect::Record { rows, .. }] = effects else { panic!("the login's row, and nothing else") };
    let [row] = rows.as_slice() else { panic!("one row") };
    row.situation.clone()
}

#[test]
fn of_several_places_the_holder_says_which_and_the_rows_say_it() {
    let both = || vec![place("1440000999", "CLINIQUE"), place("499700366240007", "")];
    let (choosing, effects) = proven(both());
    assert_eq!((choosing.page.name(), effects.len()), ("choosing_situation", 0));
    let Body::Choice(page) = view(&choosing, now(), &device()).body else { panic!("a page of choices") };
    let lines: Vec<(&str, &str)> = page.lines.iter().map(|line| (line.label.as_str(), line.hint.as_str())).collect();
    assert_eq!(lines, [("CLINIQUE", "1440000999 · SA04"), ("499700366240007", "499700366240007 · SA04")]);
    assert_eq!(page.bar.name, "LEFÈVRE-TEST Camille");

    let (choosing, effects) = choosing.step(Event::Touched(Touch::Choose(2)), now());
    assert_eq!((choosing.page.name(), effects.len()), ("choosing_situation", 0), "there is no third");
    let (opening, effects) = choosing.step(Event::Touched(Touch::Choose(1)), now());
    assert_eq!(opening.page.name(), "opening");
    assert_eq!(written(&effects).as_deref(), Some("499700366240007"));

    let (choosing, _) = proven(both());
    let (left, effects) = choosing.step(Event::CardOut, now());
    assert_eq!(left.page.name(), "idle");
    assert!(matches!(effects[..], [Effect::Lock]));
}

#[test]
fn one_place_is_taken_and_none_asks_nothing() {
    let (opening, effects) = proven(vec![place("1440000999", "CLINIQUE")]);
    assert_eq!((opening.page.name(), written(&effects).as_deref()), ("opening", Some("1440000999")));
    let (opening, effects) = proven(Vec::new());
    assert_eq!((opening.page.name(), written(&effects)), ("opening", None));
}
