//! Every integration test, one module a room, in one binary: each binary links everything.

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
mod exchange;
#[cfg(feature = "sandbox")]
mod kiosk;
mod policy;
mod render;
#[cfg(feature = "screen")]
mod screen;
#[cfg(feature = "sandbox")]
mod trust;
mod vault;
