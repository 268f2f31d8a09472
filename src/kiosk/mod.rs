//! Wiring: `main_loop` owns the Visit, `perform` turns effects into driver calls and answers into events.
