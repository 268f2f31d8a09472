//! What waits to be delivered, and whose credential it needs.

use crate::identity::holder::HolderId;
use crate::journal::consent::Consent;
use crate::patient::ins::Ins;
use uuid::Uuid;

/// One thing in the outbox. Its id makes delivery idempotent; its author never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub id: Uuid,
    pub needs: Needs,
    pub body: Body,
}

/// Under which credential the upstream takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needs {
    /// Mutual TLS with the device's certificate.
    Device,
    /// That holder's token: it waits for their next visit.
    Holder(HolderId),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// The journal row at this index, as an AuditEvent. Always [`Needs::Device`].
    Trace { index: u64 },
    /// Always [`Needs::Holder`].
    Consent(Box<Consent>),
    /// A finished note. Always [`Needs::Holder`].
    Contribution(Box<Contribution>),
}

/// A finished document on its way upstream.
#[derive(Clone, PartialEq, Eq)]
pub struct Contribution {
    pub patient: Ins,
    /// The CDA's own identifier.
    pub unique_id: String,
    pub type_code: String,
    pub title: String,
    /// CDA R2, UTF-8.
    pub cda: Vec<u8>,
}

/// Where an item stands. "Set aside" is visible, explained, and blocks nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Waiting,
    Sent,
    Acknowledged,
    SetAside { code: String, reason: String },
}

impl Body {
    /// As `chevet sync status` counts it.
    pub fn kind(&self) -> &'static str {
        match self {
            Body::Trace { .. } => "traces",
            Body::Consent(_) => "consents",
            Body::Contribution(_) => "contributions",
        }
    }
}

impl std::fmt::Debug for Contribution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contribution([REDACTED])")
    }
}
