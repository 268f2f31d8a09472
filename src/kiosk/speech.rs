//! Says pages as they come, and controls as the keys come to them, into the headset that the settings name.

use crate::device::voice::Tongue;
use crate::device::voice::Voice;
use crate::say::Lang;
use crate::screen::spoken::Spoken;
use crate::screen::spoken::Teller;
use crate::screen::view::View;
use tokio::sync::mpsc;
use tokio::sync::watch;

/// Runs until nobody sends views any more; then it is silent.
pub async fn run(mut voice: Voice, mut views: watch::Receiver<View>, mut focused: mpsc::Receiver<String>) {
    let mut teller = Teller::default();
    loop {
        let said = tokio::select! {
            biased;
            changed = views.changed() => {
                if changed.is_err() {
                    return;
                }
                let Some(said) = teller.shown(&views.borrow_and_update()) else { continue };
                // Names of what stood on the page before: nobody hears them after it.
                while focused.try_recv().is_ok() {}
                said
            }
            Some(label) = focused.recv() => Spoken { lang: teller.lang(), lines: vec![label] },
        };
        let text = said.text();
        if text.is_empty() {
            voice.hush();
            continue;
        }
        if let Err(error) = voice.say(tongue(said.lang), &text) {
            tracing::error!(%error, "nothing is said");
        }
    }
}

fn tongue(lang: Lang) -> Tongue {
    match lang {
        Lang::French => Tongue::French,
        Lang::English => Tongue::English,
    }
}
