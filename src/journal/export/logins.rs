//! Who was there. A login's row holds the card's certificate and its signature over a nonce: that is authorship. Every other
//! row names the login under which it was written, and the cards that countersign a head name theirs. A login by telephone
//! holds what its provider signed and the key that signed it; that the key is the provider's own, its published keys say.

use crate::identity::certificate::Certificate;
use crate::identity::id_token;
use crate::identity::statement::Statement;
use crate::identity::trust::Anchors;
use crate::identity::trust::verify_past;
use crate::journal::export::line::CardProof;
use crate::journal::export::line::PhoneProof;
use crate::journal::export::line::Proof;
use crate::journal::export::line::Row;
use crate::journal::note;
use crate::journal::note::Countersignature;
use crate::journal::note::Head;
use crate::time::UnixSeconds;
use crate::time::Wall;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::collections::HashMap;
use std::collections::HashSet;

#[derive(Default)]
pub(super) struct Logins {
    /// By the login's row.
    known: HashMap<u64, Login>,
    pruned: HashSet<u64>,
    uncertified: bool,
    by_phone: u64,
}

struct Login {
    holder: String,
    /// `None`: by e-CPS, or by a journal of before there were proofs.
    certificate: Option<Certificate>,
}

impl Logins {
    pub fn pruned(&mut self, at: u64) {
        self.pruned.insert(at);
    }

    /// Takes a row in, and says what is wrong with its author.
    pub fn row(&mut self, row: &Row<'_>, at: u64, anchors: Option<&Anchors>) -> Result<(), &'static str> {
        if row.is_login {
            let certificate = match &row.proof {
                Some(Proof::Card(proof)) => Some(proven(row, proof)?),
                Some(Proof::Phone(proof)) => {
                    proven_by_phone(row, proof)?;
                    self.by_phone += 1;
                    None
                }
                None => None,
            };
            if let (Some(certificate), Some(anchors)) = (&certificate, anchors) {
                let time = UnixSeconds::parse(&row.time).ok_or("the row's time is none")?;
                let wall = if row.clock == "is" { Wall::Is(time) } else { Wall::AtLeast(time) };
                if verify_past(certificate, anchors, wall).is_err() {
                    self.uncertified = true;
                    return Err("the login's certificate does not come from the given authorities");
                }
            }
            self.known.insert(at, Login { holder: row.holder.clone().into_owned(), certificate });
            return Ok(());
        }
        let Some(login) = row.login else { return Ok(()) };
        match self.known.get(&login) {
            Some(known) if known.holder == row.holder => Ok(()),
            Some(_) => Err("the row names the login of somebody else"),
            None if self.pruned.contains(&login) => Ok(()),
            None => Err("the row names a login that is none"),
        }
    }

    pub fn are_certified(&self) -> bool {
        !self.uncertified
    }

    /// Logins by telephone, which no authority for cards certifies.
    pub fn by_phone(&self) -> u64 {
        self.by_phone
    }

    /// Whether that card, by the certificate in its login's row, has signed this head.
    pub fn countersigned(&self, head: &Head, card: &Countersignature) -> Result<(), &'static str> {
        let login = self.known.get(&card.login).filter(|_| card.login < head.size);
        let certificate = login
            .and_then(|login| login.certificate.as_ref())
            .ok_or("a countersignature names a login without a certificate")?;
        let key = certificate.key_id();
        let statement = Statement::countersignature(&head.origin, key, note::text(head).as_bytes());
        let is_right =
            card.is_of(&head.origin, key) && certificate.verify_signature(statement.message(), &card.signature).is_ok();
        if is_right { Ok(()) } else { Err("a countersignature is not that card's over this checkpoint") }
    }
}

/// The certificate, once its card has proven to be there.
fn proven(row: &Row<'_>, proof: &CardProof<'_>) -> Result<Certificate, &'static str> {
    const UNREADABLE: &str = "the login's proof is not understood";
    let bytes = |text: &str| BASE64.decode(text).map_err(|_| UNREADABLE);
    let certificate = Certificate::parse(&bytes(&proof.certificate)?).map_err(|_| UNREADABLE)?;
    let nonce: [u8; 32] =
        hex::decode(proof.nonce.as_bytes()).ok().and_then(|nonce| nonce.try_into().ok()).ok_or(UNREADABLE)?;
    if certificate.holder().id.0 != row.holder {
        return Err("the login's certificate is somebody else's");
    }
    let statement = Statement::login(&row.device, certificate.key_id(), &nonce);
    match certificate.verify_signature(statement.message(), &bytes(&proof.signature)?) {
        Ok(()) => Ok(certificate),
        Err(_) => Err("the login's proof is not signed by its certificate"),
    }
}

/// Signed by the key beside it, about this row's holder, no longer before the row than a login takes.
fn proven_by_phone(row: &Row<'_>, proof: &PhoneProof<'_>) -> Result<(), &'static str> {
    let key = id_token::Key::read(&proof.key).ok_or("the login's key is not understood")?;
    let claims =
        id_token::open_with(&proof.id_token, &key).map_err(|_| "the login's id_token is not signed by its key")?;
    if claims.national_id.as_ref().map(|id| id.0.as_str()) != Some(&*row.holder) {
        return Err("the login's id_token is somebody else's");
    }
    let at = UnixSeconds::parse(&row.time).ok_or("the row's time is none")?;
    let is_of_this_login = row.clock != "is" || (-60..=LOGIN_S_MAX).contains(&(at.0 - claims.issued.0));
    if is_of_this_login { Ok(()) } else { Err("the login's id_token is from another time") }
}

/// From the token to the row: a choice of situations may lie between.
const LOGIN_S_MAX: i64 = 900;
