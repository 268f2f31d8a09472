//! Readers and other programs, as the page tells them: the truth within two seconds, and by itself again when all is well.

use super::*;
use crate::desk::with_two_readers;

const TRUE_WITHIN: Duration = Duration::from_secs(2);

/// Until the page says so; it may take no longer than the truth may.
async fn within(kiosk: &mut Person, what: &str, there: impl Fn(&Body) -> bool) -> Body {
    let since = Instant::now();
    let body = kiosk.until(what, there).await;
    assert!(since.elapsed() < TRUE_WITHIN, "{what} after {:?}", since.elapsed());
    body
}

fn is_idle_with(trouble: Trouble) -> impl Fn(&Body) -> bool {
    move |body| matches!(body, Body::Idle(page) if page.title == trouble.words().happened)
}

fn is_pin_of(name: &'static str) -> impl Fn(&Body) -> bool {
    move |body| matches!(body, Body::Pin(page) if page.name.starts_with(name))
}

/// With somebody logged in: unplugged and plugged in again, the service dead, back without its reader, and back with it.
#[test]
fn a_reader_that_goes_and_comes_is_told_on_the_page_within_two_seconds() {
    let test = "kiosk::readers::a_reader_that_goes_and_comes_is_told_on_the_page_within_two_seconds";
    with_two_readers(test, "nurse", |hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let settings = std::fs::read_to_string(&stage.settings).expect("settings");
            let named = settings.replace("[reader]\n", "[reader]\nname = \"bac a sable\"\n");
            assert_ne!(settings, named);
            std::fs::write(&stage.settings, named).expect("written");
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.log_in().await;
            hands.unplug(0);
            within(&mut kiosk, "no reader", is_idle_with(Trouble::NoReader)).await;
            hands.plug_in(0);
            within(&mut kiosk, "the reader again", |body| !is_idle_with(Trouble::NoReader)(body)).await;
            kiosk.until("its card", is_pin_of("QUERVENNEC")).await;
            hands.stop_service();
            within(&mut kiosk, "no service", is_idle_with(Trouble::ReaderServiceDown)).await;
            hands.start_service_without_readers();
            within(&mut kiosk, "a service, and no reader", is_idle_with(Trouble::NoReader)).await;
            hands.stop_service();
            within(&mut kiosk, "no service", is_idle_with(Trouble::ReaderServiceDown)).await;
            hands.start_service();
            within(&mut kiosk, "the reader again", |body| !is_idle_with(Trouble::ReaderServiceDown)(body)).await;
            kiosk.log_in().await;
            assert_eq!(hands.tries_left(), Some(3));
        });
    });
}

/// Another card of the same make in the same reader: never under the name, nor with the PIN, of the one before.
#[test]
fn a_card_swapped_for_one_of_the_same_make_is_its_own_on_the_page() {
    let test = "kiosk::readers::a_card_swapped_for_one_of_the_same_make_is_its_own_on_the_page";
    with_card(test, "nurse", |hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            for (card, name) in [("doctor", "TALBOISSEAU"), ("nurse", "QUERVENNEC"), ("doctor", "TALBOISSEAU")] {
                kiosk.type_pin().await;
                hands.pull_and_see();
                // No look at the page in between: what was typed for one card is not there for the next.
                hands.insert(card);
                let Body::Pin(page) = within(&mut kiosk, "the other card", is_pin_of(name)).await else {
                    panic!("no PIN page")
                };
                assert_eq!((page.typed, page.alert.as_str()), (0, ""), "{name}");
                kiosk.touch(Touch::Confirm).await;
                assert_eq!(hands.tries_left(), Some(3), "{name}");
            }
            kiosk.log_in().await;
        });
    });
}

/// It is told who holds the card, and once the other lets go the page goes on without a hand.
#[test]
fn a_card_that_another_program_holds_is_told_on_the_page_until_it_lets_go() {
    let test = "kiosk::readers::a_card_that_another_program_holds_is_told_on_the_page_until_it_lets_go";
    with_card(test, "nurse", |hands: &Hands| {
        hands.pull_and_see();
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.until("a reader", |body| text_of(body).contains("Lecteur prêt")).await;
            let service = pcsc::Context::establish(pcsc::Scope::User).expect("the service");
            let names = service.list_readers_owned().expect("readers");
            let held =
                service.connect(&names[0], pcsc::ShareMode::Direct, pcsc::Protocols::UNDEFINED).expect("nobody has it");
            hands.insert("nurse");
            let busy = |body: &Body| text_of(body).contains(Trouble::ReaderBusy.words().happened);
            within(&mut kiosk, "word about the other program", busy).await;
            assert_eq!(hands.apdus(), 0, "nothing was said to the card");
            drop(held);
            within(&mut kiosk, "the card's page", is_pin_of("QUERVENNEC")).await;
            kiosk.log_in().await;
        });
    });
}
