//! One binary for every integration test: each would link everything again.

#[cfg(feature = "sandbox")]
mod card;
#[cfg(feature = "sandbox")]
mod cps;
#[cfg(feature = "sandbox")]
mod desk;
