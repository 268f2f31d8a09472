//! All integration tests, in one binary: each one links everything.

mod exchange;
mod vault;

#[cfg(feature = "sandbox")]
