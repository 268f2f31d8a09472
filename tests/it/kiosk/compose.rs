//! A round made on real parts: the agenda's file, the server's list, what the compartment remembers.

use super::round::home;
use super::*;
use chevet::screen::compose::Compose;
use chevet::screen::view::Home;

async fn page(kiosk: &mut Person, what: &str, there: impl Fn(&Compose) -> bool) -> Compose {
    let Body::Compose(page) = kiosk.until(what, |body| matches!(body, Body::Compose(page) if there(page))).await else {
        panic!("another page");
    };
    page
}

fn names(home: &Home) -> Vec<String> {
    home.rows.iter().map(|row| row.name.clone()).collect()
}

/// In an hour and in two, by the clock of the world.
fn agenda(numbers: &[&str]) -> String {
    let now = jiff::Timestamp::now();
    let event = |(place, number): (usize, &&str)| {
        let at = (now + jiff::SignedDuration::from_mins(2 + place as i64)).strftime("%Y%m%dT%H%M%SZ");
        format!(
            "BEGIN:VEVENT\r\nUID:{place}\r\nDTSTART:{at}\r\nSUMMARY:Soins\r\nDESCRIPTION:INS {number}\r\nEND:VEVENT\r\n"
        )
    };
    let events: String = numbers.iter().enumerate().map(event).collect();
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//essai//FR\r\n{events}END:VCALENDAR\r\n")
}

#[test]
fn a_round_is_made_from_the_agenda_the_list_and_who_was_seen() {
    with_card("kiosk::compose::a_round_is_made_from_the_agenda_the_list_and_who_was_seen", "nurse", |hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = stage(folder.path());
            let settings = std::fs::read_to_string(&stage.settings).expect("settings");
            let settings = settings.replacen("[site]\n", "[site]\nagenda = \"tournee.ics\"\n", 1);
            assert!(settings.contains("tournee.ics"));
            std::fs::write(&stage.settings, settings).expect("written");
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.log_in().await;
            let before = names(&home(&mut kiosk, "home", |page| page.compose == "Composer la tournée").await);
            kiosk.open_record_of(0).await;
            kiosk.touch(Touch::Quit).await;
            home(&mut kiosk, "home", |_| true).await;

            // No file yet: said, and the round can be made without.
            kiosk.touch(Touch::ComposeRound).await;
            let first = page(&mut kiosk, "the sources", |page| page.may_keep && page.lines.len() > 1).await;
            let missing = Trouble::AgendaMissing.words().happened;
            assert!(first.lines.iter().any(|line| line.contains(missing)), "{:?}", first.lines);
            let seen =
                |page: &Compose| page.rows.iter().find(|row| row.name == before[0]).expect("there").details.clone();
            assert!(seen(&first).contains("dossier ouvert à"), "{}", seen(&first));
            kiosk.touch(Touch::Back).await;
            home(&mut kiosk, "home", |page| page.rows.len() == before.len()).await;

            let number = |place: usize| stage.people.persons[place].patient.ins.matricule.clone();
            let numbers = [number(2), number(0), "255069999999934".to_owned()];
            let file = stage.settings.with_file_name("tournee.ics");
            let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
            std::fs::write(&file, agenda(&numbers)).expect("written");
            kiosk.touch(Touch::ComposeRound).await;
            let found =
                |page: &Compose| page.may_keep && page.rows.iter().any(|row| row.details.contains("accès jusqu’au"));
            let all = page(&mut kiosk, "the agenda and the list", found).await;
            let name = |place: usize| before[place].clone();
            let first: Vec<&str> = all.rows[..2].iter().map(|row| row.name.as_str()).collect();
            assert_eq!(first, [name(2), name(0)], "by the hour");
            assert!(all.rows[0].details.contains("agenda "), "{}", all.rows[0].details);
            assert!(all.rows[1].details.contains("accès jusqu’au"), "{}", all.rows[1].details);
            let told = |words: &str| all.lines.iter().any(|line| line.contains(words));
            assert!(told("1\u{a0}rendez-vous de l’agenda ne nomme aucun patient connu"), "{:?}", all.lines);

            kiosk.touch(Touch::No).await;
            page(&mut kiosk, "nobody", |page| page.rows.iter().all(|row| !row.chosen)).await;
            kiosk.touch(Touch::Choose(1)).await;
            kiosk.touch(Touch::Choose(0)).await;
            page(&mut kiosk, "two", |page| page.act_label == "Garder 2\u{a0}patients").await;
            kiosk.touch(Touch::Confirm).await;
            let kept = names(&home(&mut kiosk, "the round", |page| page.rows.len() == 2).await);
            assert_eq!(kept, [name(2), name(0)]);

            // The next day: the same card, the same round; who was in it before is not, and who was seen can be recalled.
            hands.pull();
            kiosk.until("a blank page", |body| matches!(body, Body::Idle(_))).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            hands.insert("nurse");
            kiosk.log_in().await;
            assert_eq!(names(&home(&mut kiosk, "home", |_| true).await), kept);
            kiosk.touch(Touch::ComposeRound).await;
            page(&mut kiosk, "the page", |page| page.may_keep).await;
            kiosk.touch(Touch::No).await;
            kiosk.touch(Touch::Confirm).await;
            home(&mut kiosk, "an empty round", |page| page.rows.is_empty()).await;
            kiosk.touch(Touch::ComposeRound).await;
            let recalled = page(&mut kiosk, "who was seen", |page| page.may_keep).await;
            let recalled: Vec<(&str, bool)> = recalled.rows.iter().map(|row| (row.name.as_str(), row.chosen)).collect();
            assert_eq!(recalled, [(name(0).as_str(), true)], "the agenda names two by number; one of them is known");
        });
    });
}
