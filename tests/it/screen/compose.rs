//! The round, being made.

use super::fixtures;
use super::fixtures::*;
use super::harness::*;
use chevet::screen::view::Body;
use chevet::screen::view::view;
use chevet::trouble::Trouble;
use chevet::visit::Page;
use chevet::visit::Visit;
use chevet::visit::event::Ticket;
use chevet::visit::event::Touch;
use chevet::visit::page::compose::Candidate;
use chevet::visit::page::compose::Compose;
use chevet::visit::page::compose::Told;

fn compose(change: impl FnOnce(&mut Compose)) -> Visit {
    let Page::Home(home) = home(false, None, round()) else { panic!("home") };
    let one = |entry: &chevet::visit::event::RoundEntry| Candidate {
        patient: entry.patient.clone(),
        chosen: true,
        prepared: false,
        seen: None,
        authorized: None,
        at: None,
    };
    let mut candidates: Vec<Candidate> = home.here.round.iter().map(one).collect();
    candidates[0].at = Some(at("2026-11-23T07:30:00Z"));
    candidates[0].authorized = Some(Some(at("2027-05-23T07:30:00Z")));
    candidates[1].seen = Some(at("2026-11-23T06:30:00Z"));
    candidates[2].seen = Some(at("2026-11-20T06:30:00Z"));
    candidates[2].authorized = Some(None);
    candidates[2].chosen = false;
    let (told, typing, notice, recall, list, keeping) = (Told::default(), false, None, None, None, None);
    let mut page = Compose { here: home.here, candidates, told, typing, notice, recall, list, keeping };
    change(&mut page);
    fixtures::visit(Page::Compose(Box::new(page)))
}

/// The page as it stands, while it asks, while it keeps, and while an INS is typed.
pub fn pages() -> Vec<Page> {
    let changes: [fn(&mut Compose); 4] = [
        |_| {},
        |page| (page.recall, page.list) = (Some((Ticket(1), LATER)), Some((Ticket(2), LATER))),
        |page| page.keeping = Some((Ticket(1), LATER)),
        |page| (page.typing, page.notice) = (true, Some(Trouble::InsWrongKey)),
    ];
    changes.into_iter().map(|change| compose(change).page).collect()
}

#[test]
fn a_round_is_made_by_touching_names() {
    let (window, mut touches) = window();
    let told = [
        "Composer la tournée",
        "Garder 4\u{a0}patients",
        "agenda 8\u{a0}h\u{a0}30",
        "accès jusqu’au 23/05/2027",
        "dossier ouvert à 7\u{a0}h\u{a0}30",
        "dossier ouvert le 20/11/2026",
        "accès autorisé, pas dans la tournée",
    ];
    draws(&window, "compose", &compose(|_| {}), &told);
    sends(&window, &mut touches, "Garder 4\u{a0}patients", Touch::Confirm);
    sends(&window, &mut touches, "Saisir un INS", Touch::TypeIns);
    sends(&window, &mut touches, "Tout décocher", Touch::No);
    sends(&window, &mut touches, "Tournée", Touch::Back);
    let Body::Compose(page) = view(&compose(|_| {}), now(), &device()).body else { panic!("the page") };
    sends(&window, &mut touches, &page.rows[2].label, Touch::Choose(2));
}

#[test]
fn what_the_sources_do_not_say_is_said() {
    let (window, _touches) = window();
    let all = compose(|page| {
        page.told = Told { agenda_unknown: 2, agenda_trouble: None, authorized_unknown: 1, authorized_trouble: None };
    });
    let told =
        ["2\u{a0}rendez-vous de l’agenda ne nomment aucun patient connu", "1\u{a0}autre patient vous a donné accès"];
    draws(&window, "compose-unknown", &all, &told);
    let waits = compose(|page| {
        (page.list, page.recall) = (Some((Ticket(2), LATER)), Some((Ticket(1), LATER)));
        page.candidates.iter_mut().for_each(|one| one.chosen = false);
        page.told.agenda_trouble = Some(Trouble::AgendaMissing);
    });
    let told = ["La borne demande qui vous a donné accès", "n’est pas là où la borne le cherche", "Vider la tournée"];
    draws(&window, "compose-waiting", &waits, &told);
    let Body::Compose(page) = view(&waits, now(), &device()).body else { panic!("the page") };
    assert!(!page.may_keep, "who is proposed is still on its way");
    let failed = compose(|page| {
        page.told.authorized_trouble = Some(Trouble::Offline);
        page.notice = Some(Trouble::InsUnreadable);
    });
    let told = ["Hors ligne\u{a0}: la borne ne peut pas demander", Trouble::InsUnreadable.words().happened];
    draws(&window, "compose-offline", &failed, &told);
    assert_eq!(
        home_of(&view(&fixtures::visit(home(false, None, round())), now(), &device()).body),
        "Composer la tournée"
    );
    assert_eq!(home_of(&view(&fixtures::visit(home_by_phone()), now(), &device()).body), "");
}

fn home_of(body: &Body) -> String {
    let Body::Home(page) = body else { panic!("home") };
    page.compose.clone()
}
