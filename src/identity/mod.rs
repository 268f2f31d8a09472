//! Who is there: a certificate's or an e-CPS answer's bytes become a [`Holder`], parsed and verified once, trusted after.
//!
//! Never reads a card, a file or a clock: anchors, CRLs and the time come in as values. Pure.
//!
//! - `holder` the professional, in the words of the national nomenclatures
//! - `certificate` what an IGC-Santé certificate says
//! - `id_token` what Pro Santé Connect signs · `userinfo` what it says of a professional
//! - `trust` the chain, the dates, the revocation lists
//! - `statement` the only things that a holder's card is ever asked to sign

pub mod certificate;
pub mod holder;
pub mod id_token;
pub mod statement;
pub mod trust;
pub mod userinfo;
