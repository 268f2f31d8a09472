//! A window without a display, and what tests do to it: show, press, look, keep a picture.

use super::fixtures::device;
use super::fixtures::now;
use chevet::screen::bridge::Snapshot;
use chevet::screen::bridge::Window;
use chevet::screen::bridge::snapshot;
use chevet::screen::view::View;
use chevet::screen::view::view;
use chevet::visit::Visit;
use chevet::visit::event::Touch;
use i_slint_backend_testing::AccessibleRole;
use i_slint_backend_testing::ElementHandle;
use i_slint_backend_testing::ElementQuery;
use i_slint_backend_testing::TestingBackend;
use i_slint_backend_testing::TestingBackendOptions;
use slint::platform::PointerEventButton;
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::mpsc::Receiver;

pub const SIZES: [(u32, u32); 2] = [(800, 480), (1280, 800)];

/// One thread has one backend, so each test makes its own.
pub fn window() -> (Window, Receiver<Box<Touch>>) {
    let options = TestingBackendOptions { mock_time: true, threading: false, renderer_name: Some("software".into()) };
    slint::platform::set_platform(Box::new(TestingBackend::new(options))).expect("one backend a thread");
    let (sender, receiver) = mpsc::channel(64);
    let window = Window::new(sender).expect("a window without a display");
    window.set_size(800, 480);
    (window, receiver)
}

pub fn wait_ms(time: u64) {
    i_slint_backend_testing::mock_elapsed_time(Duration::from_millis(time));
}

pub fn seen(visit: &Visit) -> View {
    view(visit, now(), &device())
}

pub fn show(window: &Window, visit: &Visit) {
    window.show(&seen(visit));
    wait_ms(200);
}

/// What is said: every accessible label and value.
pub fn said(window: &Window) -> Vec<String> {
    let elements = ElementQuery::from_root(window.app()).find_all();
    let told = elements.iter().flat_map(|element| [element.accessible_label(), element.accessible_value()]);
    told.flatten().map(|text| text.to_string()).filter(|text| !text.is_empty()).collect()
}

pub fn controls(window: &Window) -> Vec<ElementHandle> {
    let control = |element: &ElementHandle| {
        matches!(
            element.accessible_role(),
            Some(AccessibleRole::Button | AccessibleRole::ListItem | AccessibleRole::Checkbox)
        )
    };
    ElementQuery::from_root(window.app()).find_all().into_iter().filter(control).collect()
}

pub fn press(window: &Window, label: &str) {
    let named = |element: &ElementHandle| element.accessible_label().is_some_and(|found| found == label);
    let found = controls(window).into_iter().find(named);
    let labels: Vec<_> = controls(window).iter().filter_map(ElementHandle::accessible_label).collect();
    found
        .unwrap_or_else(|| panic!("no control « {label} » among {labels:?}"))
        .mock_single_click(PointerEventButton::Left);
    wait_ms(200);
}

/// What was sent since the last look, and no more; that a finger moved goes without saying.
pub fn sent(touches: &mut Receiver<Box<Touch>>) -> Vec<Touch> {
    let told = std::iter::from_fn(|| touches.try_recv().ok().map(|touch| *touch));
    told.filter(|touch| *touch != Touch::Stirred).collect()
}

#[track_caller]
pub fn sends(window: &Window, touches: &mut Receiver<Box<Touch>>, label: &str, expected: Touch) {
    press(window, label);
    let told = sent(touches);
    assert!(told == [expected], "« {label} » sent something else: {} touches", told.len());
}

pub fn keep(name: &str, picture: &Snapshot) {
    let Some(folder) = std::env::var_os("CHEVET_SNAPSHOTS") else { return };
    let path = Path::new(&folder).join(format!("{name}-{}x{}.png", picture.width, picture.height));
    image::save_buffer(&path, &picture.rgba, picture.width, picture.height, image::ColorType::Rgba8)
        .expect("the named folder takes a picture");
}

/// Draws the page at both sizes and checks what holds for all: something is drawn, each label is there, and every
/// control has a name, is large enough for a finger, and lies wholly in the window's width.
#[track_caller]
pub fn draws(window: &Window, name: &str, visit: &Visit, labels: &[&str]) {
    for (width, height) in SIZES {
        window.set_size(width, height);
        show(window, visit);
        let picture = snapshot(window).expect("the software renderer takes pictures");
        assert_eq!((picture.width, picture.height), (width, height), "{name}");
        let first = &picture.rgba[..4];
        assert!(picture.rgba.chunks(4).any(|pixel| pixel != first), "{name}: an empty page");
        keep(name, &picture);
        let said = said(window);
        for label in labels {
            assert!(said.iter().any(|text| text.contains(label)), "{name} {width}: no « {label} » in {said:?}");
        }
        for control in controls(window) {
            let label = control.accessible_label().unwrap_or_default();
            assert!(!label.is_empty(), "{name}: a control without a name");
            let (at, size) = (control.absolute_position(), control.size());
            assert!(size.width >= 47.9 && size.height >= 47.9, "{name} {width}: « {label} » is too small: {size:?}");
            let inside = at.x >= 0.0 && at.x + size.width <= width as f32 + 0.5;
            assert!(inside || chip(&label), "{name} {width}: « {label} » leaves the window: {at:?} {size:?}");
        }
    }
    window.set_size(SIZES[0].0, SIZES[0].1);
}

/// Filter chips may be pushed aside with a finger; nothing else may.
pub fn chip(label: &str) -> bool {
    label.rsplit_once(' ').is_some_and(|(_, count)| count.parse::<u32>().is_ok())
}
