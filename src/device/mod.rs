//! The board: what the clock may be believed, what memory may leave. Printer, scanner, backlight, watchdog and update
//! slots come with the image.

pub mod clock;
pub mod memory;
