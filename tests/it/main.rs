//! One binary for the tests of whole rooms: each links everything, so there is one.

#[cfg(feature = "screen")]
mod screen;
