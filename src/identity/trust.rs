//! The chain to a configured anchor, the dates under the clock's trust, the revocation lists and their age.
