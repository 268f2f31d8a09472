//! The card that is in the reader, as the key of a TLS handshake and as what signs documents: where `link`, `exchange` and `card` meet,
//! which do not know each other.
//!
//! It is there from the moment when its certificate was believed until `Lock`. A key in hand is one insertion's: what was begun
//! with one card is never signed by another.

use crate::card;
use crate::exchange::dmp::pen::Pen;
use crate::exchange::dmp::pen::PenHolder;
use crate::exchange::dmp::pen::Signing;
use crate::identity::statement::SignedInfo;
use crate::identity::statement::Statement;
use crate::link::error::Cause;
use crate::link::holder::KeyHolder;
use crate::link::holder::KeyInHand;
use crate::visit::event::Insertion;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use tokio::runtime::Handle;

/// Nobody's, or one card's.
#[derive(Default)]
pub struct CardKey(Mutex<Option<Arc<InHand>>>);

struct InHand {
    reader: card::Reader,
    insertion: Insertion,
    /// DER
    certificate: Vec<u8>,
    runtime: Handle,
}

/// A transcript that no handshake of ours begins with.
#[derive(Debug, thiserror::Error)]
#[error("what is to be signed is no handshake")]
struct NoHandshake;

impl CardKey {
    /// From inside the runtime in which the card will be waited for.
    pub fn take(&self, reader: &card::Reader, insertion: Insertion, certificate: &[u8]) {
        let (reader, certificate) = (reader.clone(), certificate.to_vec());
        self.put(Some(Arc::new(InHand { reader, insertion, certificate, runtime: Handle::current() })));
    }

    pub fn leave(&self) {
        self.put(None);
    }

    fn put(&self, key: Option<Arc<InHand>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = key;
    }
}

impl KeyHolder for CardKey {
    fn present(&self) -> Option<Arc<dyn KeyInHand>> {
        let key = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(key)
    }
}

impl PenHolder for CardKey {
    fn present(&self) -> Option<Arc<dyn Pen>> {
        let key = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(key)
    }
}

impl Pen for InHand {
    fn certificate(&self) -> Signing<'_, Vec<u8>> {
        Box::pin(async { self.reader.signature_certificate(self.insertion.0).await.map_err(Cause::from) })
    }

    fn sign(&self, info: SignedInfo) -> Signing<'_, Vec<u8>> {
        Box::pin(async { self.reader.sign_document(self.insertion.0, info).await.map_err(Cause::from) })
    }
}

impl KeyInHand for InHand {
    /// Whoever checks it knows the issuers: a card holds none.
    fn chain(&self) -> Vec<Vec<u8>> {
        vec![self.certificate.clone()]
    }

    fn sign(&self, transcript: &[u8]) -> Result<Vec<u8>, Cause> {
        let statement = Statement::handshake(transcript).ok_or(NoHandshake)?;
        let signing = self.reader.sign(self.insertion.0, statement);
        // rustls asks inside a poll of the handshake's own task (`link/connect`); the other tasks of this thread go on elsewhere.
        tokio::task::block_in_place(|| self.runtime.block_on(signing)).map_err(Cause::from)
    }
}
