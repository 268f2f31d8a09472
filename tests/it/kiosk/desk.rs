//! The reception desk on real parts: a CPE's card, a bracelet before the scanner, and the nurse who finds that patient proposed.

use super::*;
use crate::kiosk::scanned::plugged;
use crate::kiosk::scanned::stage_with_scanner;
use crate::needles::files;
use crate::needles::find;
use crate::needles::spellings;

#[test]
fn who_was_read_at_the_desk_is_proposed_to_the_next_professional_and_on_no_disk() {
    let name = "kiosk::desk::who_was_read_at_the_desk_is_proposed_to_the_next_professional_and_on_no_disk";
    with_card(name, "reception", |hands: &Hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let (stage, device) = stage_with_scanner(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.type_pin().await;
            kiosk.touch(Touch::Confirm).await;
            kiosk.until("the desk", |body| matches!(body, Body::Reception(_))).await;

            // Somebody of no round here.
            let code = "IS010000000000000000000000S1255069999999934S21.2.250.1.213.1.4.10\u{1d}S3ANNE\u{1d}S4CANARDIERE\u{1d}S5FS615-06-1955S775056";
            let mut scanner = plugged(&device);
            let read = |body: &Body| matches!(body, Body::Check(page) if page.text.contains("CANARDIERE"));
            kiosk.scan(&mut scanner, code, read).await;
            kiosk.touch(Touch::Yes).await;
            let handed_on = |body: &Body| {
                matches!(body, Body::Reception(page) if page.lines.iter().any(|line| line.contains("1\u{a0}identité préparée")))
            };
            kiosk.until("word that they wait", handed_on).await;
            kiosk.touch(Touch::ShowLeaflet).await;
            kiosk.until("the leaflet", |body| matches!(body, Body::Duty(page) if page.title.contains("droits"))).await;
            hands.pull();
            let blank = kiosk.until("a blank page", |body| matches!(body, Body::Idle(_))).await;
            assert!(!text_of(&blank).contains("CANARDIERE") && !text_of(&blank).contains("Canardiere"));
            tokio::time::sleep(Duration::from_secs(1)).await;

            hands.insert("nurse");
            kiosk.log_in().await;
            kiosk.touch(Touch::ComposeRound).await;
            let proposed = |body: &Body| {
                matches!(body, Body::Compose(page) if page.may_keep && page.rows.iter().any(|row| {
                    row.chosen && row.details.contains("préparé à l’accueil")
                }))
            };
            kiosk.until("whom the desk read", proposed).await;
            let sought = [spellings("a name", "CANARDIERE"), spellings("a number", "255069999999934")].concat();
            let bytes: Vec<u8> = files(&stage.state).into_iter().flat_map(|path| std::fs::read(path).expect("a file")).collect();
            assert!(!bytes.is_empty());
            assert_eq!(find(&bytes, &sought), Vec::<String>::new(), "on no disk");
            kiosk.touch(Touch::Confirm).await;
            kiosk.until("home", |body| matches!(body, Body::Home(_))).await;
            kiosk.touch(Touch::ComposeRound).await;
            let kept = kiosk.until("the page", |body| matches!(body, Body::Compose(page) if page.may_keep)).await;
            let Body::Compose(kept) = kept else { panic!("the page") };
            let desk = kept.rows.iter().filter(|row| row.details.contains("accueil")).count();
            assert_eq!(desk, 0, "taken once");
            assert!(kept.rows.iter().any(|row| row.name.contains("CANARDIERE") && row.chosen));
        });
    });
}
