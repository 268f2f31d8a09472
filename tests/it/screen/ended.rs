//! A lease, or the authorization that a record is seen under, ends while it is on the screen: it is taken away.

use super::*;
use chevet::record::note::NoteDraft;
use chevet::time::UnixSeconds;
use chevet::visit::page::Record;
use chevet::visit::page::writing::Writing;
use chevet::visit::page::writing::WritingStep;
use uuid::Uuid;

const END: UnixSeconds = UnixSeconds(1_795_435_200);

fn at(wall: Wall) -> Now {
    Now { since_boot: Duration::from_secs(10), wall }
}

fn ending(page: Page) -> Page {
    let ends = Some(END);
    match page {
        Page::Record(record) => Page::Record(Box::new(Record { ends, ..*record })),
        Page::Document(mut reader) => {
            reader.record.ends = ends;
            Page::Document(reader)
        }
        page => page,
    }
}

#[test]
fn a_record_whose_lease_ends_leaves_the_screen_whatever_is_touched() {
    let pages: [fn() -> Page; 5] = [
        || listed(None),
        || room(history()),
        || room(Room::Why),
        || reader(shown(narrative(), 0), 100),
        || reader(fetching(), 100),
    ];
    let events: [fn() -> Event; 2] = [|| Event::Tick, || Event::Touched(Touch::Why)];
    for (page, event) in pages.iter().flat_map(|page| events.map(|event| (page, event))) {
        let before = END.plus(-1);
        for wall in [Wall::Is(before), Wall::AtLeast(before)] {
            let (open, _) = visit(ending(page())).step(event(), at(wall));
            assert!(matches!(open.page, Page::Record(_) | Page::Document(_)), "within its lease");
        }
        for wall in [Wall::Is(END), Wall::AtLeast(END), Wall::Lost(before)] {
            let (left, effects) = visit(ending(page())).step(event(), at(wall));
            let Page::Home(home) = &left.page else { panic!("{} stays", left.page.name()) };
            assert_eq!(home.notice, Some(Trouble::LeaseEnded));
            assert!(!effects.iter().any(|effect| matches!(effect, Effect::Lock)), "its holder stays");
        }
        let (open, _) = visit(page()).step(event(), at(Wall::Is(END)));
        assert!(matches!(open.page, Page::Record(_) | Page::Document(_)), "nothing of it is kept: it has no end");
    }
}

/// An answer that comes late shows nothing either.
#[test]
fn what_was_asked_before_the_end_is_not_shown_after_it() {
    let ticket = Ticket(1);
    let rendered = || Event::Rendered { ticket, answer: Ok(std::sync::Arc::new(narrative())) };
    let step = || ReaderStep::Rendering {
        ticket,
        committed: committed(chevet::journal::words::Class::Opened),
        page: 0,
        until: Duration::from_secs(600),
    };
    let (shown, _) = visit(ending(reader(step(), 100))).step(rendered(), at(Wall::Is(END.plus(-1))));
    assert!(matches!(&shown.page, Page::Document(reader) if matches!(reader.step, ReaderStep::Shown { .. })));
    let (left, _) = visit(ending(reader(step(), 100))).step(rendered(), at(Wall::Is(END)));
    assert!(matches!(left.page, Page::Home(_)));
}

/// What a holder writes is theirs: it stays on the screen until they leave it.
#[test]
fn a_note_that_is_being_written_stays() {
    let draft = NoteDraft { text: "Pansement refait.".into(), ..NoteDraft::new(Uuid::from_u128(7)) };
    let step = WritingStep::Typing { save_at: None };
    let note = Room::Writing(Box::new(Writing { draft, begun: String::new(), step }));
    let (open, _) = visit(ending(room(note))).step(Event::Tick, at(Wall::Is(END)));
    let (left, _) = match &open.page {
        Page::Record(record) if matches!(record.room, Room::Writing(_)) => {
            open.step(Event::Touched(Touch::Back), at(Wall::Is(END)))
        }
        page => panic!("{}", page.name()),
    };
    assert!(matches!(left.page, Page::Home(_)), "and not a moment longer");
}
