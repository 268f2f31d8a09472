//! All that a decision may look at. There is no `Default`: what is not known is said to be unknown.

use crate::identity::holder::CardKind;
use crate::identity::holder::ProfessionCode;
use crate::journal::words::Ground;
use crate::journal::words::Mode;
use crate::journal::words::Regime;
use crate::policy::framework::Framework;
use crate::record::document::Label;
use crate::record::document::Status;
use crate::record::document::TypeCode;
use crate::record::state::RecordState;
use crate::time::UnixSeconds;
use crate::time::Wall;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ask {
    /// To open the patient's record at all.
    OpenRecord,
    /// To see one document, its title included.
    SeeDocument,
    /// To fetch one document for later, unseen.
    PrefetchDocument,
    /// To put a document into the record, or to change one's own that is there. Authorizations speak of consultation only.
    Deposit,
}

/// Yes, no, or we do not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Known {
    Yes,
    No,
    Unknown,
}

/// The matrix's answer for (profession column, document type).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cell {
    Yes,
    No,
    Unknown,
}

/// What the rules need to know of a profession beyond its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProfessionKind {
    Doctor,
    /// Access only with express consent (L.1111-17 IV).
    OccupationalDoctor,
    /// Access with the resident's consent (L.1111-16).
    CoordinatingDoctor,
    Pharmacist,
    /// Any other profession that has a column in the matrix.
    Other,
    /// A code without a column, or none: denied.
    WithoutColumn,
}

/// The values that decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub ask: Ask,
    pub holder: HolderFacts,
    pub record: RecordState,
    pub consent: ConsentFacts,
    /// The patient's INS was qualified: obtained from the téléservice and compared with an identity document.
    pub ins_qualified: Known,
    /// What a minor asked to keep from their legal representatives (CSP R.1111-50); the trace says so.
    pub secret_connection: bool,
    pub mode: Mode,
    pub ground: Option<Ground>,
    /// The reason given for a bris de glace, from the closed list.
    pub emergency_reason: Option<String>,
    /// `None` for [`Ask::OpenRecord`].
    pub document: Option<DocumentFacts>,
    pub site: SiteFacts,
    pub matrix_version: String,
    pub regime: Regime,
    pub time: Wall,
}

impl Facts {
    /// The reference of the framework under which this is decided, for the trace; `None` when none was needed.
    pub fn framework_reference(&self) -> Option<&str> {
        let framework = self.site.brain_death_framework.as_ref().filter(|_| self.site.brain_death);
        framework.map(Framework::reference)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolderFacts {
    pub card_kind: CardKind,
    pub profession: Option<ProfessionCode>,
    pub kind: ProfessionKind,
    pub in_training: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentFacts {
    /// The initial consent of this patient to this team is recorded.
    pub initial_team: Known,
    /// The patient was informed at this event.
    pub informed_at_event: Known,
    /// Express consent, given to this holder at this gate.
    pub explicit: Known,
    /// The patient refused or withdrew; wins over everything but its own later revocation.
    pub refused: Known,
    /// The holder is in the site's signed team list, or in the upstream's CareTeam.
    pub in_team: Known,
    /// When the newest of these was given; a date in the future is not believed.
    pub given_at: Option<UnixSeconds>,
    /// A legal representative speaks for the patient at this gate.
    pub by_representative: Known,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentFacts {
    pub type_code: TypeCode,
    pub cell: Cell,
    /// One to four at once.
    pub labels: Vec<Label>,
    pub status: Status,
    pub by_this_holder: Known,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteFacts {
    /// The patient is brain-dead and organ procurement is considered (the deck).
    pub brain_death: bool,
    /// The establishment's signed framework, the only key to that case. It can only come from a verified file; its
    /// reference enters every trace.
    pub brain_death_framework: Option<Framework>,
}
