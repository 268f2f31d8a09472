//! A bracelet held before the scanner that the settings name: a serial one, which is a terminal like any other.

use super::*;
use crate::ecps::bracelet;
use chevet::sandbox::people::round_for;
use rustix::pty;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

/// The scanner is plugged in after the start, pulled out and plugged in again: each time it is heard, and what it reads opens the
/// gate of whom it names. What is no bracelet says so, and the page stays.
#[test]
fn a_bracelet_opens_the_gate_of_whom_it_names() {
    with_card("kiosk::scanned::a_bracelet_opens_the_gate_of_whom_it_names", "nurse", |_hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let (stage, device) = stage_with_scanner(folder.path());
            let mut kiosk = Person::before(&stage, &stage.settings).await;
            kiosk.log_in().await;
            let round = round_for(&HolderId("899700101340".to_owned()));
            for patient in &round[..2] {
                let mut scanner = plugged(&device);
                let page = kiosk.scan(&mut scanner, &bracelet(patient), |body| matches!(body, Body::Gate(_))).await;
                let Body::Gate(gate) = page else { panic!("a gate") };
                assert!(gate.traits.iter().any(|(_, value)| value.contains(&patient.birth_name)), "{:?}", gate.traits);
                kiosk.touch(Touch::Back).await;
                kiosk.until("home", |body| matches!(body, Body::Home(_))).await;
                let told = Trouble::InsUnreadable.words().happened;
                let says = |notice: &chevet::screen::view::Notice| notice.happened == told;
                let is_told = |body: &Body| matches!(body, Body::Home(home) if home.notice.as_ref().is_some_and(says));
                kiosk.scan(&mut scanner, "3017620422003", is_told).await;
                std::fs::remove_file(&device).expect("pulled out");
            }
        });
    });
}

/// A stage whose settings name a serial scanner that is not plugged in yet, and where it will be.
pub(super) fn stage_with_scanner(folder: &Path) -> (Stage, PathBuf) {
    let (stage, device) = (stage(folder), folder.join("scanner"));
    let text = std::fs::read_to_string(&stage.settings).expect("settings");
    let scanner = format!("\n[scanner]\ndevice = \"{}\"\nkind = \"serial\"\n", device.display());
    std::fs::write(&stage.settings, text + &scanner).expect("written");
    (stage, device)
}

impl Person {
    /// Holds it before the scanner until it is heard: what was read before somebody listened is dropped.
    pub(super) async fn scan(&mut self, scanner: &mut File, code: &str, there: impl Fn(&Body) -> bool) -> Body {
        for _try in 0..100 {
            scanner.write_all(format!("{code}\r\n").as_bytes()).expect("the scanner is plugged in");
            let seen = self.kiosk.views.wait_for(|view: &View| there(&view.body));
            if let Ok(seen) = tokio::time::timeout(Duration::from_millis(300), seen).await {
                return seen.expect("the kiosk lives").body.clone();
            }
        }
        panic!("the scan was not heard; the page is {}", text_of(&self.shown()))
    }
}

/// A terminal that stands at `device`: its other end, which closes as one unplugs.
pub(super) fn plugged(device: &Path) -> File {
    let flags = pty::OpenptFlags::RDWR | pty::OpenptFlags::NOCTTY | pty::OpenptFlags::CLOEXEC;
    let ours = pty::openpt(flags).expect("a terminal");
    pty::grantpt(&ours).expect("granted");
    pty::unlockpt(&ours).expect("unlocked");
    let name = pty::ptsname(&ours, Vec::new()).expect("a name").into_string().expect("text");
    symlink(name, device).expect("a link");
    File::from(ours)
}
