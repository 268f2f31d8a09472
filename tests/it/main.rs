#[cfg(feature = "sandbox")]
mod dmp;
