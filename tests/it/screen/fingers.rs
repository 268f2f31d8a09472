//! Two fingers on a document, as a touchscreen sends them: parted they enlarge it, brought together they make it smaller.

use super::fixtures::*;
use super::harness::*;
use chevet::screen::bridge::Window;
use chevet::visit::Page;
use chevet::visit::event::Touch;
use i_slint_core::input::TouchPhase;
use i_slint_core::lengths::LogicalPoint;
use i_slint_core::platform::InternalEvent;
use slint::ComponentHandle;
use slint::platform::WindowEvent;
use tokio::sync::mpsc::Receiver;

const MIDDLE: (f32, f32) = (500.0, 260.0);

fn finger(window: &Window, id: i32, apart: f32, phase: TouchPhase) {
    let side = if id == 0 { -0.5 } else { 0.5 };
    let position = LogicalPoint::new(MIDDLE.0 + side * apart, MIDDLE.1);
    window.app().window().dispatch_event(WindowEvent::internal(InternalEvent::Touch { id, position, phase }));
    wait_ms(16);
}

/// Two fingers come down so far apart, move, and leave.
fn pinch(window: &Window, touches: &mut Receiver<Box<Touch>>, ways: &[f32]) -> Vec<Touch> {
    sent(touches);
    for id in [0, 1] {
        finger(window, id, ways[0], TouchPhase::Started);
    }
    for apart in ways {
        for id in [0, 1] {
            finger(window, id, *apart, TouchPhase::Moved);
        }
    }
    for id in [0, 1] {
        finger(window, id, ways[ways.len() - 1], TouchPhase::Ended);
    }
    sent(touches)
}

fn shown_page() -> Page {
    reader(shown(pictures(), 1), 125)
}

#[test]
fn two_fingers_zoom_step_by_step() {
    let (window, mut touches) = window();
    for page in [shown_page(), reader(shown(narrative(), 0), 125)] {
        show(&window, &visit(page));
        let parted = pinch(&window, &mut touches, &[100.0, 110.0, 140.0, 180.0, 230.0]);
        assert!(parted.len() >= 2 && parted.iter().all(|touch| *touch == Touch::LargerText), "{}", parted.len());
        let met = pinch(&window, &mut touches, &[230.0, 180.0, 140.0, 100.0]);
        assert!(met.len() >= 2 && met.iter().all(|touch| *touch == Touch::SmallerText), "{}", met.len());
        let held = pinch(&window, &mut touches, &[150.0, 152.0, 149.0, 151.0]);
        assert!(held.is_empty(), "fingers that rest change nothing: {}", held.len());
    }
}

#[test]
fn one_finger_only_moves_the_page() {
    let (window, mut touches) = window();
    show(&window, &visit(shown_page()));
    sent(&mut touches);
    finger(&window, 0, 0.0, TouchPhase::Started);
    for apart in [40.0, 90.0, 160.0, 260.0] {
        finger(&window, 0, apart, TouchPhase::Moved);
    }
    finger(&window, 0, 260.0, TouchPhase::Ended);
    assert!(sent(&mut touches).is_empty());
}
