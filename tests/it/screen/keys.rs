//! Four keys do all that a finger does: next, previous, do, back.

use super::card_out::pages;
use super::*;
use chevet::screen::aids::HardKey;
use std::cell::RefCell;
use std::rc::Rc;

/// The names of the controls that the keys come to, in their order.
fn listening(window: &Window) -> Rc<RefCell<Vec<String>>> {
    let names = Rc::new(RefCell::new(Vec::new()));
    let heard = names.clone();
    window.on_focused(move |name| heard.borrow_mut().push(name.to_owned()));
    names
}

fn key(window: &Window, key: HardKey) {
    window.key(key);
    wait_ms(20);
}

/// Rows that only tell, on pages that have nothing else to touch in them.
fn only_tells(page: &Page, control: &ElementHandle) -> bool {
    let tells = match page {
        Page::Ahead(_) => true,
        Page::Home(home) => home.tray,
        Page::Record(record) => matches!(record.room, Room::History { .. } | Room::Agreements),
        _ => false,
    };
    tells && control.accessible_role() == Some(AccessibleRole::ListItem)
}

fn can_be_done(window: &Window, page: &Page) -> Vec<String> {
    let enabled = |control: &ElementHandle| control.accessible_enabled() != Some(false);
    let able = controls(window).into_iter().filter(|control| enabled(control) && !only_tells(page, control));
    let mut names: Vec<String> =
        able.filter_map(|control| control.accessible_label()).map(|label| label.to_string()).collect();
    names.sort();
    names
}

/// Once around, from where the keys come first to there again. A list exists only as far as it is seen, and goes on as they do.
fn once_around(window: &Window, names: &Rc<RefCell<Vec<String>>>, way: HardKey) -> Vec<String> {
    names.borrow_mut().clear();
    for _ in 0..MOST {
        let before = names.borrow().len();
        key(window, way);
        let mut names = names.borrow_mut();
        // Where there is but one control, the keys stay there.
        if names.len() == before {
            return names.clone();
        }
        // Two controls may be called the same, but not two pairs.
        let end = names.len().saturating_sub(2);
        if end > 1 && names[end..] == names[..2] {
            names.truncate(end);
            return names.clone();
        }
    }
    panic!("never back: {:?}", &names.borrow()[..24])
}

const MOST: usize = 400;

#[test]
fn next_comes_to_every_control_of_every_page_and_to_the_first_again() {
    let (window, _touches) = window();
    let names = listening(&window);
    let mut reached = 0;
    for page in pages() {
        let visit = visit(page);
        let name = visit.page.name();
        // The keys stay where they are as long as their control stays: each page is come to from one that has none.
        show(&window, &super::visit(Page::TakeCard(Trouble::TookTooLong)));
        show(&window, &visit);
        let mut able = can_be_done(&window, &visit.page);
        let visited = once_around(&window, &names, HardKey::Next);
        let count = |names: &[String], name: &String| names.iter().filter(|other| *other == name).count();
        for way in ["at first", "in the end"] {
            for control in &able {
                assert!(
                    count(&visited, control) >= count(&able, control),
                    "{name} {way}: « {control} » not in {visited:?}"
                );
            }
            able = can_be_done(&window, &visit.page);
        }
        reached += visited.len();
        if visited.len() > 1 {
            let back = once_around(&window, &names, HardKey::Previous);
            let missed: Vec<&String> = visited.iter().filter(|control| !back.contains(control)).collect();
            assert!(missed.is_empty(), "{name}, backwards: {missed:?}");
        }
    }
    assert!(reached > 500, "{reached} controls: too few to prove anything");
}

/// What is named last must be what is done: the same touch as a finger's.
#[test]
fn do_does_what_a_finger_does_on_every_page() {
    let (window, mut touches) = window();
    let names = listening(&window);
    for page in pages() {
        let visit = visit(page);
        let name = visit.page.name();
        show(&window, &visit);
        let most = can_be_done(&window, &visit.page).len();
        for _ in 0..most {
            key(&window, HardKey::Next);
            let label = names.borrow().last().cloned().expect("a control");
            sent(&mut touches);
            key(&window, HardKey::Do);
            let by_key = sent(&mut touches);
            let named = |control: &ElementHandle| control.accessible_label().is_some_and(|found| found == label);
            // Two may be called the same: the way back, and the room that it leads to.
            let same: Vec<ElementHandle> = controls(&window).into_iter().filter(named).collect();
            // What it is called may have changed with it.
            if same.is_empty() {
                continue;
            }
            let by_finger = same.iter().map(|control| {
                control.invoke_accessible_default_action();
                sent(&mut touches)
            });
            // What is typed so far goes out with every key of a note: only that it goes out is compared.
            let note = |touch: &Touch| matches!(touch, Touch::NoteTyped(_) | Touch::TextTyped(_));
            let types = |told: &[Touch]| told.iter().any(note);
            let by_finger: Vec<Vec<Touch>> = by_finger.collect();
            let alike = |told: &Vec<Touch>| *told == by_key || types(told) && types(&by_key);
            assert!(by_finger.iter().any(alike), "{name}: « {label} »");
        }
    }
}

/// A list exists only as far as it is seen: the keys bring the rest of it into sight.
#[test]
fn next_comes_to_every_one_of_a_hundred_documents() {
    let (window, _touches) = window();
    let names = listening(&window);
    let many: Vec<_> = (0..20).flat_map(|_| documents()).collect();
    let count = many.len();
    let record = record(Room::Documents, many);
    show(&window, &visit(Page::Record(Box::new(record))));
    let rows = |names: &[String]| names.iter().filter(|name| name.contains(", le ") || name.contains("202")).count();
    let visited = once_around(&window, &names, HardKey::Next);
    let seen = rows(&visited);
    assert_eq!(seen, count, "{:?}", visited.last());
}

/// Four keys read a page that is longer than the window to its end, and come to its beginning again.
#[test]
fn do_reads_on_where_a_page_is_longer_than_the_window() {
    let (window, mut touches) = window();
    let names = listening(&window);
    let help = Page::About { leaf: chevet::visit::page::Leaf::Help, until: LATER };
    for (page, first, last) in [
        (help, "Avec votre carte", "Si quelque chose ne va pas"),
        (
            reader(shown(narrative(), 0), 200),
            "Décompensation cardiaque, dyspnée d’effort depuis dix jours (NYHA < 3).",
            "Service de cardiologie, hôpital de la Côte d’Or",
        ),
    ] {
        show(&window, &visit(page));
        let in_sight = |window: &Window, words: &str| said(window).iter().any(|text| text == words);
        assert!(in_sight(&window, first) && !in_sight(&window, last), "{last}: {:?}", said(&window));
        for _ in 0..20 {
            key(&window, HardKey::Next);
            if names.borrow().last().is_some_and(|name| name == "Lire la suite") {
                break;
            }
        }
        assert_eq!(names.borrow().last().map(String::as_str), Some("Lire la suite"));
        sent(&mut touches);
        let mut pressed = 0;
        while !in_sight(&window, last) {
            key(&window, HardKey::Do);
            pressed += 1;
            assert!(pressed < 30, "« {last} » never comes");
        }
        while !in_sight(&window, first) {
            key(&window, HardKey::Do);
            pressed += 1;
            assert!(pressed < 60, "« {first} » never comes again");
        }
        assert!(sent(&mut touches).is_empty(), "nothing else is done");
    }
}

#[test]
fn back_goes_back_and_before_a_question_any_key_only_answers_it() {
    let (window, mut touches) = window();
    show(&window, &visit(listed(None)));
    key(&window, HardKey::Back);
    assert!(sent(&mut touches) == [Touch::Back]);
    let lock = chevet::visit::gentle::Patience::default().lock;
    let awake = visit(listed(None)).step(Event::Touched(Touch::Stirred), now()).0;
    let later = Now { since_boot: now().since_boot + lock - Duration::from_secs(30), ..now() };
    let asked = awake.step(Event::Tick, later).0;
    assert!(seen(&asked).asks.is_some());
    show(&window, &asked);
    for each in [HardKey::Back, HardKey::Do, HardKey::Next, HardKey::Previous] {
        while touches.try_recv().is_ok() {}
        key(&window, each);
        let told: Vec<Touch> = std::iter::from_fn(|| touches.try_recv().ok().map(|touch| *touch)).collect();
        assert!(told == [Touch::Stirred], "{each:?}");
    }
}

/// The place of the keys is seen: the same page, with them on a control, is drawn otherwise, and a finger leaves no mark.
#[test]
fn where_the_keys_are_is_seen() {
    let (window, _touches) = window();
    show(&window, &visit(listed(None)));
    let picture = |window: &Window| snapshot(window).expect("a picture").rgba;
    let before = picture(&window);
    key(&window, HardKey::Next);
    wait_ms(300);
    let shot = snapshot(&window).expect("a picture");
    keep("keys", &shot);
    assert!(before != shot.rgba, "nothing shows where the keys are");
}
