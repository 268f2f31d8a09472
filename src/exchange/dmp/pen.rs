//! Whoever signs documents in a holder's name: the other key of the card that is in, which is waited for and may say no.

use crate::identity::statement::SignedInfo;
use crate::link::error::Cause;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Who signs now, if anybody.
pub trait PenHolder: Send + Sync {
    fn present(&self) -> Option<Arc<dyn Pen>>;
}

pub type Signing<'a, T> = Pin<Box<dyn Future<Output = Result<T, Cause>> + Send + 'a>>;

/// One card's, as long as it is in.
pub trait Pen: Send + Sync {
    /// DER.
    fn certificate(&self) -> Signing<'_, Vec<u8>>;

    /// RSASSA-PKCS1-v1_5.
    fn sign(&self, info: SignedInfo) -> Signing<'_, Vec<u8>>;
}
