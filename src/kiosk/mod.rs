//! Wiring: the meaning and the world meet here and nowhere else.
//!
//! A fixed set of named tasks, made at start, joined by bounded channels:
//!
//! ```text
//!  screen (main thread) ──touches──┐                ┌──views (watch)──> screen
//!  reader thread ──notices──> ears ┴──events──> main_loop ──effects──> perform ──> vault thread, worker, upstream
//!                                        ^────────────────answers──────────┘ └──> courier (the outbox)
//! ```
//!
//! - `main_loop` owns the `Visit` · `perform` effect → driver call → event · `courier` delivers what waits
//! - `troubles` every driver's error → one [`Trouble`](crate::trouble::Trouble), logged once
//! - `trusted` authorities and revocation lists, as files · `lists` fetches the lists · `meter` what the line cost today
//! - `speech` says pages and controls into the headset · `light` dims the panel with the page
//! - `counter` whether a TPM says that this disk was put back
//! - `start` reads the settings and makes all of it

pub mod card_key;
pub mod counter;
pub mod courier;
pub mod ears;
pub mod light;
pub mod lists;
pub mod main_loop;
pub mod meter;
pub mod perform;
pub mod phone;
pub mod rulebook;
pub mod speech;
pub mod start;
pub mod troubles;
pub mod trusted;
