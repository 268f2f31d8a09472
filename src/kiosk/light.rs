//! The panel's backlight follows the page: what nobody touches goes dim, and bright again when somebody is asked for or there.

use crate::device::backlight::Backlight;
use crate::screen::view::View;
use tokio::sync::watch;

/// Runs until nobody sends views any more.
pub async fn run(panel: Backlight, mut views: watch::Receiver<View>) {
    let mut dim = None;
    loop {
        let wanted = {
            let view = views.borrow_and_update();
            view.is_dim && view.asks.is_none()
        };
        if dim != Some(wanted) {
            dim = Some(wanted);
            if let Err(error) = panel.set(wanted) {
                tracing::warn!(%error, "the backlight stays as it is");
            }
        }
        if views.changed().await.is_err() {
            return;
        }
    }
}
