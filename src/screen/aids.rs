//! Beside fingers and eyes: four keys that come in, and the names of what they come to that go out.

use tokio::sync::mpsc;

/// A key of the four, where hands cannot use the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HardKey {
    Previous,
    Next,
    Do,
    Back,
}

/// What the window is joined to besides views and touches.
pub struct Aids {
    pub keys: mpsc::Receiver<HardKey>,
    /// The accessible label of each control that the keys come to.
    pub focused: mpsc::Sender<String>,
}
