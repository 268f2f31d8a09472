//! Gentle time: what nobody touches goes dim, asks, and is locked; its own holder comes back to the same place, nobody else does.

use super::card_out::pages;
use super::card_out::proof;
use super::*;
use chevet::identity::holder::Holder;
use chevet::identity::holder::HolderId;
use chevet::journal::words::Class;
use chevet::screen::view::Body;
use chevet::visit::Visit;
use chevet::visit::event::CardRead;
use chevet::visit::event::Desk;
use chevet::visit::event::PinAnswer;
use chevet::visit::event::PinEntry;
use chevet::visit::gentle::ASKED_FOR;
use chevet::visit::gentle::Attention;
use chevet::visit::gentle::Patience;

fn at(since_boot: Duration) -> Now {
    Now { since_boot, ..now() }
}

fn tick(visit: Visit, since_boot: Duration) -> (Visit, Vec<Effect>) {
    visit.step(Event::Tick, at(since_boot))
}

fn touched(page: Page) -> Visit {
    visit(page).step(Event::Touched(Touch::Stirred), now()).0
}

/// Until it is locked: each time when the visit itself asked to be woken.
fn left_alone(page: Page) -> (Visit, Vec<Effect>) {
    let mut visit = touched(page);
    for _ in 0..10 {
        let alarm = visit.alarm().expect("somebody may be gone");
        let (next, effects) = tick(visit, alarm);
        if next.here().is_none() {
            return (next, effects);
        }
        visit = next;
    }
    panic!("{} is never locked", visit.page.name())
}

/// Whose card was read, who typed the PIN, and how the world answered: up to the page that it opens.
fn comes_back(locked: Visit, as_whom: &Holder) -> Visit {
    let (visit, effects) = locked.step(Event::Touched(Touch::Understood), now());
    let [Effect::ReadCard { insertion }] = effects[..] else { panic!("{effects:?}") };
    let card = CardRead {
        holder: as_whom.clone(),
        tries_left: Some(3),
        pin_digits: (4, 4),
        verified: Verified { crl_age_s: 0, warnings: vec![] },
        pin_entry: PinEntry::Screen,
        is_untried: false,
    };
    let (mut visit, _) = visit.step(Event::CardRead { insertion, answer: Ok(Box::new(card)) }, now());
    for digit in [1, 2, 3, 4] {
        visit = visit.step(Event::Touched(Touch::Digit(digit)), now()).0;
    }
    let (visit, effects) = visit.step(Event::Touched(Touch::Confirm), now());
    assert!(matches!(effects[..], [Effect::CheckPin { .. }]), "{effects:?}");
    let situations = as_whom.situations.clone().unwrap_or_default();
    let (visit, effects) =
        visit.step(Event::PinChecked { insertion, answer: PinAnswer::Here { proof: proof(), situations } }, now());
    let [Effect::Record { ticket, .. }] = effects[..] else { panic!("{effects:?}") };
    let (visit, effects) = visit.step(Event::Recorded { ticket, answer: Ok(vec![committed(Class::Login)]) }, now());
    let [Effect::OpenCompartment { ticket, .. }] = effects[..] else { panic!("{effects:?}") };
    visit.step(Event::CompartmentOpened { ticket, answer: Ok(Desk { round: round(), ..Desk::default() }) }, now()).0
}

/// Pages of somebody whose card is in, and whom a lock concerns.
fn of_a_holder() -> Vec<Page> {
    pages()
        .into_iter()
        .filter(|page| !matches!(page, Page::Ahead(ahead) if ahead.is_fetching()))
        .filter(|page| {
            let name = page.name();
            ["duty", "home", "compose", "ahead", "gate", "record", "document"].contains(&name)
        })
        .map(visit)
        .filter(|visit| !visit.is_by_phone())
        .map(|visit| visit.page)
        .collect()
}

#[test]
fn it_dims_asks_and_locks_and_any_touch_begins_anew() {
    let Patience { dim, lock, .. } = Patience::default();
    let start = now().since_boot;
    let mut open = touched(listed(None));
    assert_eq!((open.attention(), open.alarm()), (Attention::Fresh, Some(start + dim)));
    open = tick(open, start + dim).0;
    assert!(seen(&open).is_dim && seen(&open).asks.is_none());
    assert_eq!(open.alarm(), Some(start + lock - ASKED_FOR));
    open = tick(open, start + lock - ASKED_FOR).0;
    assert!(seen(&open).asks.is_some(), "a minute before");
    assert_eq!(open.alarm(), Some(start + lock));
    // As often as they like (WCAG 2.2.1).
    for round in 1..=12 {
        let later = start + (lock - Duration::from_secs(1)) * round;
        open = tick(open, later).0;
        assert!(matches!(open.page, Page::Record(_)), "round {round}: {}", open.page.name());
        assert_eq!(open.attention(), Attention::Asked, "round {round}");
        open = open.step(Event::Touched(Touch::Stirred), at(later)).0;
        assert!(seen(&open).asks.is_none() && !seen(&open).is_dim, "round {round}");
    }
}

/// The alarm is never one that is over: the loop would turn without rest.
#[test]
fn no_page_wakes_itself_without_end() {
    for page in pages() {
        let name = page.name();
        let mut visit = touched(page);
        let mut now = now().since_boot;
        for _ in 0..40 {
            let Some(alarm) = visit.alarm() else { break };
            let (next, _) = tick(visit, alarm.max(now));
            visit = next;
            now = alarm.max(now);
            assert!(
                visit.alarm().is_none_or(|next| next > now),
                "{name}: {} waits for what is over",
                visit.page.name()
            );
        }
    }
}

/// A round that goes on by itself is not locked; the moment it ends its card is asked back, and not at the clock's next minute.
#[test]
fn a_round_that_ends_with_nobody_there_is_closed_at_once() {
    let fetching = |page: &Page| matches!(page, Page::Ahead(ahead) if ahead.is_fetching());
    for page in pages().into_iter().filter(fetching) {
        let (visit, _) = tick(touched(page), Duration::from_secs(500));
        assert_eq!((visit.attention(), visit.page.name()), (Attention::Away, "ahead"));
        let ends = visit.alarm().expect("what is fetched has an end");
        let (over, effects) = tick(visit, ends);
        assert!(matches!(over.page, Page::TakeCard(_)), "{}", over.page.name());
        assert!(matches!(effects[..], [Effect::Lock]), "{effects:?}");
    }
}

#[test]
fn a_locked_screen_says_nothing_of_anybody_but_whose_card_it_is() {
    let (window, mut touches) = window();
    let secrets = ["Patiente", "Patient-", "De-La-Rochefoucauld", "Compte rendu", "Lettre", "ODETTE", "Plaie", "1953"];
    for page in of_a_holder() {
        let name = page.name();
        let (locked, effects) = left_alone(page);
        assert!(matches!(locked.page, Page::Locked(_)), "{name} → {}", locked.page.name());
        assert!(matches!(effects[..], [Effect::Lock]), "{name}: {effects:?}");
        assert!(locked.here().is_none() && locked.patient().is_none() && locked.holder().is_none(), "{name}");
        show(&window, &locked);
        let said = said(&window);
        for secret in secrets {
            assert!(!said.iter().any(|text| text.contains(secret)), "{name}: « {secret} » in {said:?}");
        }
    }
    let (locked, _) = left_alone(listed(None));
    draws(&window, "locked", &locked, &["Écran verrouillé", "LEFÈVRE-TEST", "Taper mon code"]);
    sends(&window, &mut touches, "Taper mon code", Touch::Understood);
}

#[test]
fn its_own_holder_comes_back_to_the_same_place() {
    for page in of_a_holder() {
        let name = page.name();
        let before = touched(page);
        let here = before.here().expect("a holder");
        let (holder, login) = (here.holder.clone(), here.login);
        let patient = before.patient().map(|patient| patient.ins.clone());
        let (locked, _) = left_alone(before.page);
        let back = comes_back(locked, &holder);
        assert_eq!(back.page.name(), name);
        let here = back.here().expect("still here");
        assert_eq!((here.login, here.round.len()), (login, round().len()), "{name}");
        assert_eq!(back.patient().map(|patient| patient.ins.clone()), patient, "{name}");
        assert_eq!(back.attention(), Attention::Fresh, "{name}");
    }
}

/// A document is opened anew, under a row of its own, at the page on which it was left.
#[test]
fn a_document_is_read_on_where_it_was_left() {
    let place = documents().iter().position(|one| one.document.type_code.0 == "11502-2").expect("a permitted one");
    let Page::Document(mut reader) = reader_of(place, shown(pictures(), 1)) else { panic!("a document") };
    reader.text_percent = 150;
    let page = Page::Document(reader);
    let before = touched(page);
    let holder = before.holder().cloned().expect("a holder");
    let (locked, _) = left_alone(before.page);
    let back = comes_back(locked, &holder);
    let Page::Document(reader) = &back.page else { panic!("{}", back.page.name()) };
    assert!(matches!(reader.step, ReaderStep::Fetching { .. }), "nothing of it was kept");
    assert_eq!((reader.begin_at, reader.text_percent), (1, 150));
}

#[test]
fn nobody_else_comes_back_to_it() {
    let colleague = Holder { id: HolderId("899700000002".into()), ..holder() };
    for page in of_a_holder().into_iter().filter(|page| !matches!(page, Page::Duty(_))) {
        let name = page.name();
        let before = touched(page);
        let holder = before.holder().cloned().expect("a holder");
        let (locked, _) = left_alone(before.page);
        // A card that answers as somebody else's, in the same stay.
        let other = comes_back(locked, &Holder { situations: holder.situations.clone(), ..colleague.clone() });
        assert!(matches!(other.page, Page::Duty(_)), "{name} → {}", other.page.name());
    }
    // Another stay, even of the same card: nothing is left to come back to.
    let (locked, _) = left_alone(listed(None));
    let (out, _) = locked.step(Event::CardOut, now());
    assert!(matches!(seen(&out).body, Body::Idle(_)));
    let (locked, _) = left_alone(listed(None));
    let (again, effects) = locked.step(Event::CardIn(Insertion(9)), now());
    assert!(matches!(effects[..], [Effect::Lock, Effect::ReadCard { .. }]), "{effects:?}");
    let Page::ReadingCard { insertion, .. } = again.page else { panic!("{}", again.page.name()) };
    assert_eq!(insertion, Insertion(9));
}

/// Whoever touches it and does not know the PIN changes nothing; in the end the card is asked back.
#[test]
fn a_locked_screen_stays_so_until_its_end() {
    let (locked, _) = left_alone(listed(None));
    let end = locked.alarm().expect("it ends");
    let (reading, _) = locked.step(Event::Touched(Touch::Understood), now());
    let card = CardRead {
        holder: holder(),
        tries_left: Some(3),
        pin_digits: (4, 4),
        verified: Verified { crl_age_s: 0, warnings: vec![] },
        pin_entry: PinEntry::Screen,
        is_untried: false,
    };
    let insertion = reading.insertion().expect("a card");
    let (asking, _) = reading.step(Event::CardRead { insertion, answer: Ok(Box::new(card)) }, now());
    let waits = asking.alarm().expect("a PIN page ends");
    let (again, effects) = tick(asking, waits);
    assert!(matches!(again.page, Page::Locked(_)), "{}", again.page.name());
    assert!(matches!(effects[..], [Effect::Lock]));
    assert_eq!(again.alarm(), Some(end), "the same end as before");
    let (over, _) = tick(again, end);
    assert!(matches!(over.page, Page::TakeCard(Trouble::TookTooLong)), "{}", over.page.name());
}

/// Without a card nothing could open it again: it ends, as it says.
#[test]
fn a_visit_by_telephone_is_asked_and_then_ends() {
    let Patience { lock, .. } = Patience::default();
    let start = now().since_boot;
    let open = tick(touched(home_by_phone()), start + lock - ASKED_FOR).0;
    let asks = seen(&open).asks.expect("asked first");
    assert!(asks.sentence.contains("se termine"), "{}", asks.sentence);
    let (over, effects) = tick(open, start + lock);
    assert!(matches!(over.page, Page::PhoneOver { trouble: Trouble::PhoneTookTooLong, .. }), "{}", over.page.name());
    assert!(matches!(effects[..], [Effect::Lock]));
}

#[test]
fn the_question_stands_before_the_page_and_one_touch_anywhere_answers_it() {
    let (window, mut touches) = window();
    let Patience { lock, .. } = Patience::default();
    let asked = tick(touched(listed(None)), now().since_boot + lock - ASKED_FOR).0;
    draws(&window, "asked", &asked, &["Êtes-vous toujours là", "Je suis là"]);
    while touches.try_recv().is_ok() {}
    wait_ms(2_000);
    press(&window, "Je suis là");
    let told: Vec<Touch> = std::iter::from_fn(|| touches.try_recv().ok().map(|touch| *touch)).collect();
    assert!(!told.is_empty() && told.iter().all(|touch| *touch == Touch::Stirred), "it does nothing else");
}

/// A finger that pushes a list touches nothing that can be done, and is somebody all the same.
#[test]
fn a_finger_that_only_moves_is_noticed_once_a_second() {
    use slint::ComponentHandle;
    use slint::platform::WindowEvent;
    let (window, mut touches) = window();
    show(&window, &visit(listed(None)));
    while touches.try_recv().is_ok() {}
    wait_ms(2_000);
    let moved = |y: f32| WindowEvent::PointerMoved { position: slint::LogicalPosition::new(300.0, y) };
    let mut all = Vec::new();
    for step in 0..20 {
        window.app().window().dispatch_event(moved(200.0 + step as f32));
        wait_ms(10);
        all.extend(std::iter::from_fn(|| touches.try_recv().ok()));
    }
    assert_eq!(all.len(), 1, "once, and no more, within a second");
    assert!(*all[0] == Touch::Stirred);
    wait_ms(1_100);
    window.app().window().dispatch_event(moved(150.0));
    wait_ms(10);
    assert_eq!(std::iter::from_fn(|| touches.try_recv().ok()).count(), 1, "and again in the next");
}
