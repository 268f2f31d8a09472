#[cfg(feature = "sandbox")]
mod cps;
#[cfg(feature = "sandbox")]
mod desk;
