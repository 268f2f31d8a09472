//! The journal: what was done, by whom, for whom and why, in rows that cannot be rewritten unseen.
//!
//! This room says what a row is, byte for byte; the `vault` keeps the rows and `exchange` sends them. It is the only
//! mint of [`Committed`], the token without which no title and no content leaves the vault or the network buffer:
//!
//! ```text
//! Draft ── vault adds index, id, blind ──> Trace ──> Pending ── commit + fsync ──> Committed ──> release
//! ```
//!
//! Invariant (P1): [`Pending::committed`] is called in `vault/` alone, after the commit; `tests/house.rs` holds it. Pure.

pub mod allowance;
pub mod branch;
pub mod consent;
pub mod counter;
pub mod export;
pub mod held;
pub mod item;
pub mod jump;
pub mod leaf;
pub mod note;
pub mod receipt;
pub mod trace;
pub mod tree;
pub mod words;

pub use held::Held;
pub use leaf::Committed;
pub use leaf::Pending;
pub use trace::Draft;
pub use trace::Trace;
