//! The board: what the clock may be believed, what memory may leave, what a TPM counts, what a scanner reads, which system
//! starts next. Printer and backlight come later.

pub mod clock;
pub mod memory;
pub mod scanner;
pub mod slots;
pub mod tpm;
