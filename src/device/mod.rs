//! The board: clock trust, network state, printer, scanner, backlight, watchdog. The only room with `nix`-like calls.
