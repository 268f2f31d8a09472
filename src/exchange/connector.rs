//! Whichever connector the settings name, behind the one contract: who calls does not know which one speaks.

use crate::exchange::Dmp;
use crate::exchange::Pdsm;
use crate::exchange::search::Search;
use crate::exchange::upstream::AsDevice;
use crate::exchange::upstream::AsHolder;
use crate::exchange::upstream::Checkpoint;
use crate::exchange::upstream::Error;
use crate::exchange::upstream::Outcome;
use crate::exchange::upstream::Upstream;
use crate::journal::Held;
use crate::journal::consent::Consent;
use crate::journal::item::Contribution;
use crate::journal::trace::Trace;
use crate::patient::ins::Ins;
use crate::record::document::Document;
use crate::record::state::Access;
use crate::record::state::RecordState;
use crate::record::sync::Changes;
use crate::record::sync::Kept;
use crate::secret::content::Content;
use crate::time::UnixSeconds;
use std::path::Path;

#[derive(Debug)]
pub enum Connector {
    Pdsm(Box<Pdsm>),
    Dmp(Box<Dmp>),
}

/// What a holder has to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wants {
    /// A token for this audience, bound to this device (docs/pdsm.md §1).
    Token { audience: String, device: [u8; 32] },
    /// Themselves: assertions are made from what their card says, and their card is in the handshake.
    Actor,
}

/// Asks whichever it is.
macro_rules! either {
    ($self:ident, $one:ident => $call:expr) => {
        match $self {
            Connector::Pdsm($one) => $call,
            Connector::Dmp($one) => $call,
        }
    };
}

impl Connector {
    pub fn wants(&self) -> Wants {
        match self {
            Connector::Pdsm(pdsm) => {
                Wants::Token { audience: pdsm.audience().to_owned(), device: pdsm.device_thumbprint() }
            }
            Connector::Dmp(_) => Wants::Actor,
        }
    }

    /// Whether the trace repository is there.
    pub async fn ping(&self) -> Result<(), Error> {
        either!(self, one => one.ping().await)
    }
}

impl Upstream for Connector {
    async fn state(&self, who: &AsHolder, patient: &Ins, team: Option<&str>) -> Result<RecordState, Error> {
        either!(self, one => one.state(who, patient, team).await)
    }

    async fn authorized(&self, who: &AsHolder) -> Result<Vec<(Ins, Option<UnixSeconds>)>, Error> {
        either!(self, one => one.authorized(who).await)
    }

    async fn find(&self, who: &AsHolder, patient: &Ins, since: UnixSeconds) -> Result<Held<Vec<Document>>, Error> {
        either!(self, one => one.find(who, patient, since).await)
    }

    async fn search(&self, who: &AsHolder, patient: &Ins, search: &Search) -> Result<Held<Vec<Document>>, Error> {
        either!(self, one => one.search(who, patient, search).await)
    }

    async fn changes(
        &self,
        who: &AsHolder,
        patient: &Ins,
        kept: &Kept,
        since: UnixSeconds,
    ) -> Result<Held<Changes>, Error> {
        either!(self, one => one.changes(who, patient, kept, since).await)
    }

    async fn fetch(
        &self,
        who: &AsHolder,
        patient: &Ins,
        document: &Document,
        aside: Option<&Path>,
    ) -> Result<Held<Content>, Error> {
        either!(self, one => one.fetch(who, patient, document, aside).await)
    }

    async fn history(&self, who: &AsHolder, patient: &Ins, since: UnixSeconds) -> Result<Held<Vec<Access>>, Error> {
        either!(self, one => one.history(who, patient, since).await)
    }

    async fn consent(&self, who: &AsHolder, consent: &Consent) -> Result<Outcome, Error> {
        either!(self, one => one.consent(who, consent).await)
    }

    async fn contribute(&self, who: &AsHolder, contribution: &Contribution) -> Result<Outcome, Error> {
        either!(self, one => one.contribute(who, contribution).await)
    }

    async fn traces(&self, who: AsDevice, traces: &[Trace]) -> Result<Vec<Outcome>, Error> {
        either!(self, one => one.traces(who, traces).await)
    }

    async fn checkpoint(&self, who: AsDevice, checkpoint: &Checkpoint) -> Result<Outcome, Error> {
        either!(self, one => one.checkpoint(who, checkpoint).await)
    }

    async fn newest_checkpoints(&self, who: AsDevice, device: &str) -> Result<Vec<String>, Error> {
        either!(self, one => one.newest_checkpoints(who, device).await)
    }

    fn server_time(&self) -> Option<UnixSeconds> {
        either!(self, one => one.server_time())
    }

    fn hang_up(&self) {
        either!(self, one => one.hang_up());
    }
}

impl From<Pdsm> for Connector {
    fn from(pdsm: Pdsm) -> Connector {
        Connector::Pdsm(Box::new(pdsm))
    }
}
