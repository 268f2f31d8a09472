//! One nurse of the care team before an open record, and the documents in it, the same in every run.

use chevet::identity::holder::CardKind;
use chevet::identity::holder::ProfessionCode;
use chevet::journal::words::Ground;
use chevet::journal::words::Mode;
use chevet::journal::words::Regime;
use chevet::policy::Facts;
use chevet::policy::Matrix;
use chevet::policy::facts::Ask;
use chevet::policy::facts::Cell;
use chevet::policy::facts::ConsentFacts;
use chevet::policy::facts::DocumentFacts;
use chevet::policy::facts::HolderFacts;
use chevet::policy::facts::Known;
use chevet::policy::facts::SiteFacts;
use chevet::policy::matrix::Place;
use chevet::policy::nomenclature;
use chevet::record::document::Label;
use chevet::record::document::Status;
use chevet::record::document::TypeCode;
use chevet::record::state::Authorization;
use chevet::record::state::Existence;
use chevet::record::state::RecordState;
use chevet::time::UnixSeconds;
use chevet::time::Wall;

const NOW: UnixSeconds = UnixSeconds(1_795_423_320);

pub fn nurse(matrix: &Matrix) -> (Place, Facts) {
    let profession = Some(ProfessionCode(60));
    let place = Place::of(profession, None);
    let facts = Facts {
        ask: Ask::SeeDocument,
        holder: HolderFacts { card_kind: CardKind::Cps, profession, kind: place.kind, in_training: false },
        record: RecordState {
            existence: Existence::Open,
            authorization: Authorization::None,
            blocked: false,
            emergency: None,
            minor: Some(false),
            attending_doctor: false,
            administrator: false,
            care_team: None,
            team_words: vec![],
        },
        consent: ConsentFacts {
            initial_team: Known::Yes,
            informed_at_event: Known::Yes,
            explicit: Known::No,
            refused: Known::No,
            in_team: Known::Yes,
            given_at: Some(NOW.plus(-3600)),
            by_representative: Known::No,
        },
        ins_qualified: Known::Yes,
        secret_connection: false,
        mode: Mode::Normal,
        ground: Some(Ground::Team),
        emergency_reason: None,
        document: None,
        site: SiteFacts { brain_death: false, brain_death_framework: None },
        matrix_version: matrix.version.clone(),
        regime: Regime::ConseilEtat2025,
        time: Wall::Is(NOW),
    };
    (place, facts)
}

/// Every type of the DMP in turn and now and then one that nobody knows; one to three labels; some masked, some one's own.
pub fn documents(count: usize) -> Vec<Option<DocumentFacts>> {
    let types: Vec<TypeCode> = nomenclature::dmp_types().collect();
    // xorshift64: the same documents in every run, on every machine.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut dice = |faces: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) % faces
    };
    let document = |_| {
        let kind = dice(types.len() as u64 + 2) as usize;
        let mut labels = vec![[Label::Normal, Label::Restricted, Label::VeryRestricted][dice(3) as usize].clone()];
        if dice(8) == 0 {
            labels.push([Label::InvisibleToPatient, Label::MaskedToProfessionals][dice(2) as usize].clone());
        }
        if dice(16) == 0 {
            labels.push(Label::InvisibleToLegalRepresentatives);
        }
        let status = match dice(20) {
            0 => Status::Archived,
            1 => Status::Superseded,
            2 => Status::Deleted,
            _ => Status::Current,
        };
        Some(DocumentFacts {
            type_code: types.get(kind).cloned().unwrap_or_else(|| TypeCode("99999-9".into())),
            cell: Cell::Unknown,
            labels,
            status,
            by_this_holder: if dice(12) == 0 { Known::Yes } else { Known::No },
        })
    };
    (0..count).map(document).collect()
}
