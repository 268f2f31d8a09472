//! Pro Santé Connect by telephone: OpenID Connect CIBA, poll mode. Online only, and nothing of it touches a disk.
//!
//! ```text
//! ask (who, two digits) → auth_req_id → poll … poll → tokens → accept: id_token verified, UserInfo read → who is here
//!                                        └ refused, expired      └ refresh … until the provider says no → revoke
//! ```
//!
//! - `client` the questions, over our link · `assertion` who we are, where that is not the TLS certificate
//! - `answer` what the provider says, as values · `poll` when to ask again; both pure
//!
//! It keeps no state between calls and decides nothing about a visit. Tokens, codes and identities are in no error and no
//! log. The provider is asked for its addresses and keys at each login: a key that was changed is found out at once.
//!
//! *Rejected*: `openidconnect` (133 crates, no CIBA, no generic grant). Ping and push modes: nothing listens on the device.

pub mod answer;
pub mod assertion;
pub mod client;
pub mod poll;

use crate::identity::id_token;
use crate::link;

/// Why a login by telephone came to nothing. Texts carry no personal data.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("asking for {what} failed")]
    Link { what: &'static str, source: link::Error },
    #[error("the answer to {what} cannot be understood: {why}")]
    Unreadable { what: &'static str, why: &'static str },
    #[error("the provider says that it is another one than the settings name")]
    OtherIssuer,
    #[error("the provider failed at {what} (HTTP {status})")]
    Failed { what: &'static str, status: u16 },
    /// The client's registration, its certificate or its key.
    #[error("the provider does not accept this device at {what} (HTTP {status})")]
    ClientRefused { what: &'static str, status: u16 },
    #[error("the provider knows no such person")]
    UnknownPerson,
    #[error("the request was refused on the telephone")]
    Denied,
    #[error("nobody answered on the telephone in time")]
    Expired,
    #[error("what the provider signed is not believed")]
    Token { source: id_token::Error },
    #[error("UserInfo is about somebody else than the id_token")]
    OtherPerson,
    #[error("the provider refused to go on")]
    RefreshRefused,
    #[error("the key that signs for this device is no PKCS#8 P-256 key")]
    SigningKey,
}
