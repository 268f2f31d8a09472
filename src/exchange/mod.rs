//! To and fro. The [`upstream::Upstream`] trait hides which connector speaks; `outbox` decides, without sockets, what is
//! sent next.
//!
//! - `upstream` the contract · `search` what is looked for · `pdsm` FHIR R4 (docs/pdsm.md) · `dmp` SOAP, XDS.b, VIHF (docs/dmp.md) · `connector` either · `token` what the card signs for it
//! - `outbox` the plan of delivery, pure
//!
//! It keeps nothing: what waits is the vault's, what has arrived is [`Held`](crate::journal::Held) until its trace is durable.

pub mod connector;
pub mod dmp;
pub mod outbox;
pub mod pdsm;
pub mod search;
pub mod token;
pub mod upstream;

pub use connector::Connector;
pub use dmp::Dmp;
pub use pdsm::Pdsm;
pub use search::Search;
pub use upstream::About;
pub use upstream::AsDevice;
pub use upstream::AsHolder;
pub use upstream::Checkpoint;
pub use upstream::Error;
pub use upstream::Outcome;
pub use upstream::Upstream;
