//! The board: what the clock may be believed, what memory may leave, what a TPM counts, what a scanner reads. Printer, backlight,
//! watchdog and update slots come with the image.

pub mod clock;
pub mod memory;
pub mod scanner;
pub mod tpm;
