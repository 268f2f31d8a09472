//! The one place with TLS and HTTP: mutual TLS, time-outs by phase, sizes limited while they stream, the server's time.
//!
//! It knows no FHIR and no journal. It follows no redirect, uses no proxy of the environment, and says nothing of a URL
//! beyond what its caller already knows: an error never holds a query, because a query names a patient.
//!
//! - `client` one server, one warm pool of connections · `address` queries, and where a reference may lead
//! - `connect` TCP and TLS, phase by phase · `tls` whom we believe and who we are · `upload` bodies on their way out
//! - `holder` a key that is on a card
//! - `transfer` a content over several connections · `spool` where it gathers · `coding` gzip · `header` the words of headers
//! - `turns` who goes first · `traffic` what went over the line, and what a day may cost
//! - `plain` HTTP without TLS, for what carries its own signature
//! - `near` to the printer, whose certificate the settings name
//! - `error` why a call failed
//!
//! *Rejected*: `ureq` (takes a client key only from memory; a key in a TPM needs our own signer, which rustls' configuration
//! allows); `reqwest` (one limit for connection and handshake, unpacks before anybody can count or continue).

pub mod address;
pub mod client;
mod coding;
mod connect;
pub mod error;
pub mod header;
pub mod holder;
pub mod near;
pub mod plain;
mod spool;
mod tls;
pub mod traffic;
pub mod transfer;
pub mod turns;
mod upload;

pub use client::Answer;
pub use client::Client;
pub use client::Method;
pub use client::Options;
pub use client::Request;
pub use client::Sink;
pub use client::Timeouts;
pub use error::Error;
pub use near::Near;
pub use spool::Spool;
pub use spool::Spooled;
pub use traffic::Traffic;
pub use turns::Turns;
pub use turns::Urgency;
