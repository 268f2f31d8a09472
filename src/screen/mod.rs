//! What a person sees. One way: `Visit → view() → View → watch → show()`; touches go back as messages.
//!
//! - `view` pure: a visit, a time and a device become a [`view::View`], by `before` (idle to home), `gate` and `within` (a record)
//! - `ahead` the round, being prepared · `gentle` the question before the lock, and the locked screen
//! - `words` dates, times, names, French typography · `labels` professions and classes of documents
//! - `english` English for the national lists and the rules; every other text has its two languages where it stands (`say`)
//! - `leaves` help, settings, what this device is
//! - `reasons` a decision's rule, law and facts in French
//! - `consent_text` what a patient is asked · `agreements` what they said · `form` what is typed on the INS page · `pad` what is drawn and typed at the gate
//! - `writing` a note and what becomes of it · `sheet` its text while it is typed · `tray` the light, and what was refused
//! - `spoken` what a page says into the headset · `aids` the four keys
//! - `bridge` alone knows Slint (feature `screen`)

mod agreements;
mod ahead;
pub mod aids;
mod before;
pub mod compose;
pub mod consent_text;
mod english;
mod filtering;
pub mod form;
mod gate;
mod gentle;
mod identity;
mod labels;
pub mod leaves;
pub mod pad;
pub mod paper;
mod phone;
mod printing;
mod reasons;
pub mod receipt;
pub mod reception;
#[cfg(feature = "screen")]
mod sheet;
pub mod spoken;
mod summary;
mod tray;
pub mod view;
mod within;
pub mod words;
mod writing;

#[cfg(feature = "screen")]
pub mod bridge;
