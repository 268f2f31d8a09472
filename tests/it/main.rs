#[cfg(feature = "sandbox")]
mod card;
#[cfg(feature = "sandbox")]
mod cps;
#[cfg(feature = "sandbox")]
mod desk;
