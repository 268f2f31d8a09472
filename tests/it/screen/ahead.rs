//! The round, being prepared: before, while, cut short, done.

use super::fixtures;
use super::fixtures::*;
use super::harness::*;
use chevet::record::document::Outline;
use chevet::screen::view::Body;
use chevet::screen::view::view;
use chevet::trouble::Trouble;
use chevet::visit::Page;
use chevet::visit::Visit;
use chevet::visit::event::Spent;
use chevet::visit::event::Ticket;
use chevet::visit::event::Touch;
use chevet::visit::page::National;
use chevet::visit::page::ahead::Ahead;
use chevet::visit::page::ahead::AheadStep;
use chevet::visit::page::ahead::Prepared;
use chevet::visit::page::ahead::Stands;

const RULE: &str = "On ne charge à l’avance qu’après le consentement initial du patient.";

fn ahead(step: AheadStep, ready: usize) -> Visit {
    let Page::Home(home) = home(false, None, round()) else { panic!("home") };
    let outline = |bytes| {
        let mut document = document("11502-2", "Biologie", "10", "Laboratoire", "2026-11-20T10:00:00Z").document;
        document.attachment.size_bytes = Some(bytes);
        Outline::of(&document)
    };
    let stands = |place| match place {
        _ if place < ready => Stands::Ready { here: 12 },
        1 => Stands::Denied(Box::new(decision(false, "P-04", RULE, vec![]))),
        2 => Stands::Incomplete { here: 9, lacking: 1 },
        _ => Stands::ToFetch { documents: vec![outline(1_800_000), outline(20_000)], here: 3 },
    };
    let one = |(place, entry): (usize, chevet::visit::event::RoundEntry)| Prepared {
        patient: entry.patient,
        answer: None,
        stands: stands(place),
    };
    let patients = home.here.round.clone().into_iter().enumerate().map(one).collect();
    let mut visit = fixtures::visit(Page::Ahead(Box::new(Ahead { here: home.here, patients, step, stopping: false })));
    visit.standing.bytes_a_second = Some(25_000);
    visit
}

#[test]
fn a_round_tells_how_much_and_how_long_before_and_how_far_after() {
    let (window, mut touches) = window();
    let mut proposed = ahead(AheadStep::Proposed, 0);
    let how_much = "À charger\u{a0}: 6\u{a0}documents, 5,5\u{a0}Mo, environ 4\u{a0}min.";
    let told = [how_much, "À ouvrir au chevet", "consentement initial", "2\u{a0}documents · 1,8\u{a0}Mo", "9 sur 10"];
    draws(&window, "ahead-proposed", &proposed, &told);
    sends(&window, &mut touches, "Préparer", Touch::Start);
    sends(&window, &mut touches, "Tournée", Touch::Back);
    proposed.standing.bytes_a_second = None;
    draws(&window, "ahead-no-pace", &proposed, &["durée connue après le premier patient"]);

    // On a metered line, what the day has cost so far stands beside it.
    proposed.standing.spent = Some(Spent { bytes: 12_400_000, budget_bytes: Some(50_000_000) });
    draws(&window, "ahead-metered", &proposed, &["Forfait du jour\u{a0}: 12,4\u{a0}Mo sur 50,0\u{a0}Mo."]);
    proposed.standing.spent = Some(Spent { bytes: 12_400_000, budget_bytes: None });
    let Body::Ahead(page) = view(&proposed, now(), &device()).body else { panic!("the page") };
    assert!(!page.summary.contains("Forfait"), "{}", page.summary);

    let fetching = ahead(AheadStep::Fetching { ticket: Ticket(1), place: 3, until: LATER }, 1);
    let told = [
        "1\u{a0}patient prêt sur 5",
        "Encore 4\u{a0}documents",
        "En cours…",
        "continue seule",
        "Prêt · 12\u{a0}documents",
    ];
    draws(&window, "ahead-fetching", &fetching, &told);
    sends(&window, &mut touches, "Arrêter", Touch::Stop);

    let cut = ahead(AheadStep::Over { trouble: Some(Trouble::Offline) }, 2);
    let told = ["2\u{a0}patients prêts sur 5", "Reste 4\u{a0}documents", Trouble::Offline.words().happened];
    draws(&window, "ahead-cut", &cut, &told);
    sends(&window, &mut touches, "Reprendre", Touch::Start);
    draws(
        &window,
        "ahead-done",
        &ahead(AheadStep::Over { trouble: None }, 5),
        &["5\u{a0}patients prêts sur 5", "même hors ligne"],
    );
    let left_alone = fixtures::visit(Page::TakeCard(Trouble::RoundPrepared));
    draws(&window, "ahead-left-alone", &left_alone, &["La tournée a été préparée.", "Retirez votre carte."]);
}

#[test]
fn home_offers_the_round_and_tells_what_was_made_up_for() {
    let (window, mut touches) = window();
    let Page::Home(mut page) = home(false, None, round()) else { panic!("home") };
    page.national = Some(National { made: 2, refused: 1 });
    let visit = fixtures::visit(Page::Home(page));
    let told = ["3\u{a0}patients prêts sur 5", "Trace nationale faite pour 2\u{a0}patients lus hors ligne."];
    draws(&window, "home-national", &visit, &told);
    sends(&window, &mut touches, "Compléter la tournée", Touch::PrepareRound);
    let Body::Home(page) = view(&visit, now(), &device()).body else { panic!("home") };
    assert_eq!(page.rows[4].pill.text, "En partie · 7\u{a0}h\u{a0}34", "read here, and never prepared");
}
