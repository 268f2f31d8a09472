//! What a person sees. One way: `Visit → view() → View → watch → show()`; touches go back as messages.
//!
//! - `view` pure: a visit, a time and a device become a [`view::View`], by `before` (idle to gate) and `within` (a record)
//! - `words` dates, times, names, French typography · `labels` professions and classes of documents
//! - `reasons` a decision's rule, law and facts in French
//! - `consent_text` what a patient is asked · `form` what is typed on the INS page
//! - `bridge` alone knows Slint (feature `screen`)

mod before;
pub mod consent_text;
pub mod form;
mod labels;
mod reasons;
pub mod view;
mod within;
pub mod words;

#[cfg(feature = "screen")]
pub mod bridge;
