//! A finger of the demo's: presses controls where they are drawn and photographs the window. It finds them by their
//! accessible label, as a screen reader would, and sends real pointer events; it calls no callback and sets no property.

use chevet_ui::App;
use i_slint_backend_testing::ElementHandle;
use slint::ComponentHandle;
use slint::LogicalPosition;
use slint::Weak;
use slint::platform::PointerEventButton;
use slint::platform::WindowEvent;
use tokio::sync::oneshot;

/// Reaches the window from any thread.
#[derive(Clone)]
pub struct Remote {
    window: Weak<App>,
}

impl Remote {
    pub fn new(window: Weak<App>) -> Remote {
        Remote { window }
    }

    /// Presses the control of that label. When none is drawn, turns the wheel once, for a row further down, and says no.
    pub async fn press(&self, label: &str) -> bool {
        let label = label.to_owned();
        self.on_window(move |app| {
            let size = app.window().size().to_logical(app.window().scale_factor());
            let drawn = ElementHandle::find_by_accessible_label(app, &label)
                .map(|element| centre(&element))
                .find(|at| at.x > 0.0 && at.x < size.width && at.y > 0.0 && at.y < size.height);
            let window = app.window();
            match drawn {
                Some(position) => {
                    let button = PointerEventButton::Left;
                    window.dispatch_event(WindowEvent::PointerMoved { position });
                    window.dispatch_event(WindowEvent::PointerPressed { position, button });
                    window.dispatch_event(WindowEvent::PointerReleased { position, button });
                    true
                }
                None => {
                    let position = LogicalPosition::new(size.width * 0.3, size.height * 0.6);
                    window.dispatch_event(WindowEvent::PointerMoved { position });
                    window.dispatch_event(WindowEvent::PointerScrolled { position, delta_x: 0.0, delta_y: -60.0 });
                    false
                }
            }
        })
        .await
        .unwrap_or(false)
    }

    /// Width, height, RGBA.
    pub async fn picture(&self) -> Option<(u32, u32, Vec<u8>)> {
        self.on_window(|app| {
            let buffer = app.window().take_snapshot().ok()?;
            Some((buffer.width(), buffer.height(), buffer.as_bytes().to_vec()))
        })
        .await
        .flatten()
    }

    /// Ends the window, and with it the program.
    pub fn close(&self) {
        if slint::quit_event_loop().is_err() {
            tracing::debug!("the window is gone already");
        }
    }

    async fn on_window<T: Send + 'static>(&self, look: impl FnOnce(&App) -> T + Send + 'static) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let asked = self.window.upgrade_in_event_loop(move |app| {
            // Nobody waits any more when the play has ended.
            let _nobody_waits = answer.send(look(&app));
        });
        asked.ok()?;
        answered.await.ok()
    }
}

fn centre(element: &ElementHandle) -> LogicalPosition {
    let (at, size) = (element.absolute_position(), element.size());
    LogicalPosition::new(at.x + size.width / 2.0, at.y + size.height / 2.0)
}
