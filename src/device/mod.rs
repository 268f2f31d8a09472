//! The board: what the clock may be believed, what memory may leave, what a TPM counts, what a scanner reads, which of four keys
//! was pressed, what is said into the headset, how bright the panel is, that the loop turns, which system starts next.

pub mod backlight;
pub mod clock;
pub mod keys;
pub mod memory;
pub mod printer;
pub mod scanner;
pub mod slots;
pub mod tpm;
pub mod voice;
pub mod watchdog;
