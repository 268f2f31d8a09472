//! The board: what the clock may be believed, what the boot is called. Printer, scanner, backlight, watchdog and update
//! slots come with the image.

pub mod clock;
