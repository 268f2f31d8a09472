//! The one place with TLS and HTTP: mutual TLS, time-outs by phase, sizes limited while they stream, the server's time.
//!
//! It knows no FHIR and no journal. It follows no redirect, uses no proxy of the environment, and says nothing of a URL
//! beyond what its caller already knows: an error never holds a query, because a query names a patient.
//!
//! - `client` one server, one warm pool of connections · `address` queries, and where a reference may lead ·
//!   `headers` what a server's headers say
//! - `plain` HTTP without TLS, for what carries its own signature
//! - `error` why a call failed · `tls` whom we believe and who we are
//!
//! *Rejected*: `ureq` (takes a client key only from memory; a key in a TPM needs our own signer, which rustls' configuration allows).

pub mod address;
pub mod client;
pub mod error;
pub mod headers;
pub mod plain;
mod tls;

pub use client::Answer;
pub use client::Client;
pub use client::Method;
pub use client::Options;
pub use client::Request;
pub use client::Timeouts;
pub use error::Error;
