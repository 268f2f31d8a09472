//! The drawer of cards beside the demo's window: press a name, and that card is in the reader.

use crate::sandbox::drawer::Drawer;
use crate::sandbox::stage::Stage;
use crate::sandbox::vpcd::Inserted;
use crate::sandbox::vpcd::Slot;
use chevet_ui::CardDrawer;
use slint::ComponentHandle;
use slint::ModelRc;
use slint::SharedString;
use slint::VecModel;
use std::cell::RefCell;
use std::rc::Rc;

/// What the panel's controls share; it lives on the window's thread, and with it.
struct Hand {
    slot: Slot,
    stage: Stage,
    inside: Option<Inserted>,
}

/// Shows the panel, which keeps the stage alive: drop it when the window is closed.
pub fn open(slot: Slot, stage: Stage, first: Option<&str>) -> Result<CardDrawer, slint::PlatformError> {
    let panel = CardDrawer::new()?;
    let names: Vec<SharedString> = Drawer::names().into_iter().map(SharedString::from).collect();
    let about: Vec<SharedString> =
        Drawer::names().into_iter().map(|name| SharedString::from(Drawer::about(name).unwrap_or(""))).collect();
    panel.set_names(ModelRc::new(VecModel::from(names)));
    panel.set_about(ModelRc::new(VecModel::from(about)));
    let hand = Rc::new(RefCell::new(Hand { slot, stage, inside: None }));
    let (weak, insert) = (panel.as_weak(), hand.clone());
    panel.on_insert(move |name| {
        let mut hand = insert.borrow_mut();
        hand.inside = None;
        let card = hand.stage.drawer.card(&name);
        let said = match card.map_err(|error| error.to_string()) {
            Ok(card) => match hand.slot.insert(card) {
                Ok(inserted) => {
                    hand.inside = Some(inserted);
                    name.clone()
                }
                Err(error) => error.to_string().into(),
            },
            Err(error) => error.into(),
        };
        if let Some(panel) = weak.upgrade() {
            panel.set_inside(said);
        }
    });
    let weak = panel.as_weak();
    panel.on_pull(move || {
        hand.borrow_mut().inside = None;
        if let Some(panel) = weak.upgrade() {
            panel.set_inside(SharedString::new());
        }
    });
    if let Some(name) = first {
        panel.invoke_insert(name.into());
    }
    panel.show()?;
    // Beside the window, where a desk has room for both.
    panel.window().set_position(slint::LogicalPosition::new(BESIDE_PX, 0.0));
    Ok(panel)
}

/// Right of a window of 800 pixels.
const BESIDE_PX: f32 = 820.0;
