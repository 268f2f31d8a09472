//! Chevet: a bedside appliance for the French shared medical record.
//!
//! The rooms, in reading order. `ARCHITECTURE.md` says what may use what, and `tests/house.rs` holds it.
//!
//! Meaning: [`visit`] → [`policy`] → [`journal`] → [`record`], [`patient`], [`identity`]; [`paper`] lays out what is printed.
//! The world: [`card`], [`ecps`], [`vault`], [`exchange`] (over [`link`]), [`render`], [`device`].
//! [`kiosk`] wires the two together; [`screen`] shows a visit and knows nothing else.

#![forbid(unsafe_code)]
#![warn(rust_2018_idioms)]

pub mod visit;

pub mod policy;

pub mod identity;
pub mod journal;
pub mod paper;
pub mod patient;
pub mod record;

pub mod say;
pub mod secret;
pub mod time;
pub mod trouble;

pub mod card;
pub mod device;
pub mod ecps;
pub mod exchange;
pub mod link;
pub mod render;
pub mod vault;

pub mod screen;

pub mod cli;
pub mod config;
pub mod kiosk;

#[cfg(feature = "sandbox")]
pub mod sandbox;
