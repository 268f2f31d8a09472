//! Who is there: a certificate's or an e-CPS answer's bytes become a [`Holder`], parsed and verified once, trusted after.
//!
//! Never reads a card, a file or a clock: anchors, CRLs and the time come in as values. Pure.
//!
//! - `holder` the professional, in the words of the national nomenclatures
//! - `certificate` what an IGC-Santé certificate says
//! - `anchors` whom the settings trust, production or test · `crl` revocation lists, whole and delta
//! - `trust` the chain, the dates, the age of the lists
//! - `id_token` what Pro Santé Connect signs · `userinfo` what it says of a professional
//! - `situations` what a card says of where its holder works, behind the PIN · `tlv` objects as cards write them
//! - `statement` the only things that a holder's card is ever asked to sign

pub mod anchors;
pub mod certificate;
pub mod crl;
pub mod holder;
pub mod id_token;
pub mod situations;
pub mod statement;
pub mod tlv;
pub mod trust;
pub mod userinfo;
