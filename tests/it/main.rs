//! Every integration test, one module a room, in one binary: each binary links everything.

#[cfg(all(feature = "sandbox", feature = "screen"))]
mod burglar;
#[cfg(feature = "sandbox")]
mod card;
#[cfg(feature = "sandbox")]
mod courier;
#[cfg(feature = "sandbox")]
mod cps;
#[cfg(all(feature = "sandbox", feature = "screen"))]
mod demo;
#[cfg(feature = "sandbox")]
mod desk;
#[cfg(feature = "sandbox")]
mod dmp;
#[cfg(feature = "sandbox")]
mod doctor;
mod ecps;
#[cfg(feature = "sandbox")]
mod exchange;
#[cfg(feature = "sandbox")]
mod idle;
mod kiosk;
#[cfg(feature = "sandbox")]
mod link;
#[cfg(feature = "sandbox")]
mod lives;
#[cfg(all(feature = "sandbox", feature = "screen"))]
mod machine;
#[cfg(all(feature = "sandbox", feature = "screen"))]
mod memory;
#[cfg(all(feature = "sandbox", feature = "screen"))]
mod needles;
mod paper;
#[cfg(feature = "sandbox")]
mod person;
mod policy;
#[cfg(feature = "sandbox")]
mod printer;
mod render;
#[cfg(feature = "screen")]
mod screen;
mod seeds;
mod slots;
#[cfg(all(feature = "sandbox", feature = "screen"))]
mod theft;
#[cfg(feature = "sandbox")]
mod trust;
mod vault;
#[cfg(feature = "sandbox")]
#[path = "../wire/mod.rs"]
mod wire;
