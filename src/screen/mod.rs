//! What a person sees. One way: `Visit → view() → View → watch → show()`; touches go back as messages.
//!
//! - `view` pure: a visit, a time and a device become a [`view::View`]
//! - `bridge` alone knows Slint (feature `screen`)

pub mod view;
