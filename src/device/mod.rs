//! The board: what the clock may be believed, what memory may leave, what a TPM counts. Printer, scanner, backlight, watchdog and update
//! slots come with the image.

pub mod clock;
pub mod memory;
pub mod tpm;
