//! A private PC/SC service, real, with two virtual slots.
