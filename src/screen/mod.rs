//! What a person sees. One way: `Visit → view() → View → watch → show()`; touches go back as messages.
//!
//! - `view` pure: a visit, a time and a device become a [`view::View`], by `before` (idle to home), `gate` and `within` (a record)
//! - `ahead` the round, being prepared
//! - `words` dates, times, names, French typography · `labels` professions and classes of documents
//! - `reasons` a decision's rule, law and facts in French
//! - `consent_text` what a patient is asked · `agreements` what they said · `form` what is typed on the INS page · `pad` what is drawn and typed at the gate
//! - `writing` a note and what becomes of it · `sheet` its text while it is typed · `tray` the light, and what was refused
//! - `bridge` alone knows Slint (feature `screen`)

mod agreements;
mod ahead;
mod before;
pub mod compose;
pub mod consent_text;
pub mod form;
mod gate;
mod labels;
pub mod pad;
mod phone;
mod reasons;
pub mod receipt;
pub mod reception;
#[cfg(feature = "screen")]
mod sheet;
mod tray;
pub mod view;
mod within;
pub mod words;
mod writing;

#[cfg(feature = "screen")]
pub mod bridge;
