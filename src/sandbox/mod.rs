//! A virtual CPS and a small DMP, so that all of it runs on any desk. Feature `sandbox`; never in an image.
//!
//! - `der` writes certificates and PKCS#15 files
//! - `pki` a test hierarchy in the shape of the IGC-Santé, and the TLS certificates of the device and of the sandbox DMP
//! - `cps` the card itself: bytes in, bytes out
//! - `drawer` named cards of invented people
//! - `stage` all that is around a kiosk, in one folder · `play` one visit played through the real window · `panel` the drawer's window
//! - `remote` lets another process move the hand on the window
//! - `people` invented patients and their records · `dmp` the server that holds them, and the patients' own page
//! - `psc` a small Pro Santé Connect, and the telephones
//! - `vpcd` puts a card into a virtual reader · `pcscd` a private PC/SC service that has this reader

pub mod cps;
pub mod der;
pub mod dmp;
pub mod drawer;
#[cfg(feature = "screen")]
pub mod panel;
pub mod pcscd;
pub mod people;
pub mod pki;
#[cfg(feature = "screen")]
pub mod play;
pub mod printer;
pub mod psc;
#[cfg(feature = "screen")]
pub mod remote;
pub mod stage;
pub mod vpcd;
