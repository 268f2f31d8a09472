//! A hand on the real window, for the demo: it finds a control by its accessible label, sends real pointer events to its
//! centre, reads what is on the screen and photographs it. Feature `sandbox`, never in an image.

use crate::screen::bridge::Error;
use crate::screen::bridge::Options;
use crate::screen::bridge::Snapshot;
use crate::screen::bridge::Window;
use crate::screen::bridge::follow;
use crate::screen::bridge::open;
use crate::screen::bridge::snapshot;
use crate::screen::view::View;
use crate::visit::event::Touch;
use i_slint_backend_testing::AccessibleRole;
use i_slint_backend_testing::ElementHandle;
use i_slint_backend_testing::ElementQuery;
use slint::ComponentHandle;
use slint::LogicalPosition;
use slint::platform::PointerEventButton;
use slint::platform::WindowEvent;
use std::rc::Rc;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::sync::watch;

/// What the hand is asked, each with where its answer goes.
pub enum Ask {
    Press(String, oneshot::Sender<bool>),
    Scroll(f32, oneshot::Sender<bool>),
    /// A finger drawn over the control of that label, through fractions of its width and height.
    Draw(String, Vec<(f32, f32)>, oneshot::Sender<bool>),
    Text(oneshot::Sender<Vec<String>>),
    /// A page of somebody else's making, until the next of the kiosk's.
    Show(Box<View>, oneshot::Sender<bool>),
    Snapshot(oneshot::Sender<Option<Snapshot>>),
    /// Closes the window.
    Close,
}

/// The asking side; it may live on any thread.
#[derive(Clone)]
pub struct Hand(mpsc::Sender<Ask>);

/// Both sides of a hand.
pub fn hand() -> (Hand, mpsc::Receiver<Ask>) {
    let (sender, receiver) = mpsc::channel(16);
    (Hand(sender), receiver)
}

impl Hand {
    /// Presses the control of that label; `false` when none is in sight.
    pub async fn press(&self, label: &str) -> bool {
        let (answer, answered) = oneshot::channel();
        self.0.send(Ask::Press(label.to_owned(), answer)).await.is_ok() && answered.await.unwrap_or(false)
    }

    /// Turns the wheel over the middle of the window; downwards is negative.
    pub async fn scroll(&self, by: f32) -> bool {
        let (answer, answered) = oneshot::channel();
        self.0.send(Ask::Scroll(by, answer)).await.is_ok() && answered.await.unwrap_or(false)
    }

    /// Draws one stroke over the control of that label; `false` when none is there.
    pub async fn draw(&self, label: &str, stroke: Vec<(f32, f32)>) -> bool {
        let (answer, answered) = oneshot::channel();
        self.0.send(Ask::Draw(label.to_owned(), stroke, answer)).await.is_ok() && answered.await.unwrap_or(false)
    }

    /// Every accessible label and value, in the order of the page.
    pub async fn text(&self) -> Vec<String> {
        let (answer, answered) = oneshot::channel();
        match self.0.send(Ask::Text(answer)).await {
            Ok(()) => answered.await.unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }

    /// Shows a page that the kiosk is not on, until the kiosk's next.
    pub async fn show(&self, view: View) -> bool {
        let (answer, answered) = oneshot::channel();
        self.0.send(Ask::Show(Box::new(view), answer)).await.is_ok() && answered.await.unwrap_or(false)
    }

    /// What the window looks like; `None` where the renderer cannot say.
    pub async fn snapshot(&self) -> Option<Snapshot> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Ask::Snapshot(answer)).await.ok()?;
        answered.await.ok().flatten()
    }

    pub async fn close(&self) {
        let _already_closed = self.0.send(Ask::Close).await;
    }
}

/// As [`super::run`], with a hand on the window.
pub fn run_driven(
    views: watch::Receiver<View>,
    touches: mpsc::Sender<Box<Touch>>,
    options: Options,
    mut asks: mpsc::Receiver<Ask>,
) -> Result<(), Error> {
    let window = open(&views, touches, options)?;
    follow(&window, views)?;
    let driven: Rc<Window> = window.clone();
    let task = async move {
        while let Some(ask) = asks.recv().await {
            driven.answer(ask);
        }
    };
    slint::spawn_local(task).map_err(|source| Error::Spawn { source })?;
    window.app().run().map_err(|source| Error::Run { source })
}

impl Window {
    fn answer(&self, ask: Ask) {
        // Whoever asked may have gone; then nobody minds.
        let _nobody_listens = match ask {
            Ask::Press(label, answer) => answer.send(self.press(&label)).is_err(),
            Ask::Scroll(by, answer) => answer.send(self.scroll(by)).is_err(),
            Ask::Draw(label, stroke, answer) => answer.send(self.draw(&label, &stroke)).is_err(),
            Ask::Show(view, answer) => {
                self.show(&view);
                answer.send(true).is_err()
            }
            Ask::Text(answer) => answer.send(self.text_on_screen()).is_err(),
            Ask::Snapshot(answer) => answer.send(snapshot(self).ok()).is_err(),
            Ask::Close => slint::quit_event_loop().is_err(),
        };
    }

    /// Sends a real press and release to the centre of the enabled control of that label, if it is in sight.
    pub fn press(&self, label: &str) -> bool {
        let size = self.app().window().size().to_logical(self.app().window().scale_factor());
        // A list ends before the window does: what is only half in sight there is not to be pressed.
        let in_sight = |position: &LogicalPosition| {
            position.x >= 0.0 && position.y >= 0.0 && position.x < size.width && position.y < size.height - MARGIN
        };
        let found = ElementHandle::find_by_accessible_label(self.app(), label)
            .filter(|element| element.accessible_enabled() != Some(false) && is_control(element))
            .map(|element| centre(&element))
            .find(in_sight);
        let Some(position) = found else { return false };
        let window = self.app().window();
        let button = PointerEventButton::Left;
        window.dispatch_event(WindowEvent::PointerMoved { position });
        window.dispatch_event(WindowEvent::PointerPressed { position, button });
        window.dispatch_event(WindowEvent::PointerReleased { position, button });
        window.dispatch_event(WindowEvent::PointerExited);
        true
    }

    /// One stroke over the control of that label, from press to release.
    pub fn draw(&self, label: &str, stroke: &[(f32, f32)]) -> bool {
        let Some(element) = ElementHandle::find_by_accessible_label(self.app(), label).next() else { return false };
        let (at, size) = (element.absolute_position(), element.size());
        let place = |(x, y): &(f32, f32)| LogicalPosition::new(at.x + x * size.width, at.y + y * size.height);
        let (window, button) = (self.app().window(), PointerEventButton::Left);
        let mut points = stroke.iter().map(place);
        let Some(mut position) = points.next() else { return false };
        window.dispatch_event(WindowEvent::PointerMoved { position });
        window.dispatch_event(WindowEvent::PointerPressed { position, button });
        for next in points {
            position = next;
            window.dispatch_event(WindowEvent::PointerMoved { position });
        }
        window.dispatch_event(WindowEvent::PointerReleased { position, button });
        window.dispatch_event(WindowEvent::PointerExited);
        true
    }

    /// Turns the wheel over the middle of the window; downwards is negative.
    pub fn scroll(&self, by: f32) -> bool {
        let window = self.app().window();
        let size = window.size().to_logical(window.scale_factor());
        let position = LogicalPosition::new(size.width / 2.0, size.height / 2.0);
        window.dispatch_event(WindowEvent::PointerScrolled { position, delta_x: 0.0, delta_y: by });
        true
    }

    /// Every accessible label and value, in the order of the page.
    pub fn text_on_screen(&self) -> Vec<String> {
        let mut said = Vec::new();
        for element in ElementQuery::from_root(self.app()).find_all() {
            let told = [element.accessible_label(), element.accessible_value()];
            said.extend(told.into_iter().flatten().map(|text| text.to_string()).filter(|text| !text.is_empty()));
        }
        said.dedup();
        said
    }
}

fn is_control(element: &ElementHandle) -> bool {
    matches!(
        element.accessible_role(),
        Some(AccessibleRole::Button | AccessibleRole::ListItem | AccessibleRole::Checkbox)
    )
}

fn centre(element: &ElementHandle) -> LogicalPosition {
    let (at, size) = (element.absolute_position(), element.size());
    LogicalPosition::new(at.x + size.width / 2.0, at.y + size.height / 2.0)
}

/// No control's centre is nearer to the lower edge.
const MARGIN: f32 = 24.0;
