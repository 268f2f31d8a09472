//! All integration tests, in one binary: each one links everything.

#[cfg(feature = "sandbox")]
mod exchange;
