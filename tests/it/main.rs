//! Every integration test, one module a room, in one binary: each binary links everything.

#[cfg(all(feature = "sandbox", feature = "screen"))]
mod demo;
#[cfg(feature = "sandbox")]
mod exchange;
mod render;
mod vault;
