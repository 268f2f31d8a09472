//! Reduced facts, by the oracle's words, and the real [`Facts`] that they stand for.

use chevet::identity::holder::CardKind;
use chevet::identity::holder::ProfessionCode;
use chevet::journal::words::Ground;
use chevet::journal::words::Mode;
use chevet::journal::words::Regime;
use chevet::policy::Facts;
use chevet::policy::facts::Ask;
use chevet::policy::facts::ConsentFacts;
use chevet::policy::facts::HolderFacts;
use chevet::policy::facts::Known;
use chevet::policy::facts::ProfessionKind;
use chevet::policy::facts::SiteFacts;
use chevet::policy::framework::Framework;
use chevet::policy::signed;
use chevet::policy::signed::Standing;
use chevet::record::state::Authorization;
use chevet::record::state::ClosureReason;
use chevet::record::state::EmergencySwitches;
use chevet::record::state::Existence;
use chevet::record::state::RecordState;
use chevet::time::UnixSeconds;
use chevet::time::Wall;

pub const NOW: UnixSeconds = UnixSeconds(1_795_423_320);
const DAY: i64 = 86_400;

pub type Word = &'static str;

pub const KNOWN: [(Word, Known); 3] = [("yes", Known::Yes), ("no", Known::No), ("unknown", Known::Unknown)];

pub const MODES: [(Word, Mode); 4] =
    [("normal", Mode::Normal), ("bris", Mode::BrisDeGlace), ("prefetch", Mode::Prefetch), ("centre", Mode::Centre15)];

pub const GROUNDS: [(Word, Option<Ground>); 6] = [
    ("none", None),
    ("authorization", Some(Ground::Authorization)),
    ("team", Some(Ground::Team)),
    ("explicit", Some(Ground::Explicit)),
    ("break_glass", Some(Ground::BreakGlass)),
    ("refused", Some(Ground::Refused)),
];

pub const REGIMES: [(Word, Regime); 2] = [("arrete", Regime::Arrete2023), ("conseil", Regime::ConseilEtat2025)];

/// (word by a sure clock, brain-dead, framework)
pub type Brain = (Word, bool, Option<Framework>);

/// Alive; then with a framework that stands, without one, and with one that is past or still to come.
pub fn brains() -> Vec<Brain> {
    vec![
        ("no", false, None),
        ("framework", true, Some(framework("2026-01-01", "2026-12-31"))),
        ("bare", true, None),
        ("bare", true, Some(framework("2025-01-01", "2026-11-22"))),
        ("bare", true, Some(framework("2026-11-24", "2027-12-31"))),
    ]
}

/// By a clock that is only a floor, nobody can tell that a framework is not past.
pub fn brain_word(word: Word, time: Wall) -> Word {
    if word == "framework" && !time.is_trusted() { "bare" } else { word }
}

pub fn framework(from: &str, until: &str) -> Framework {
    let line = format!("CHU-2026-014,CHU de Villeneuve,{from},{until}");
    let text = format!("# chevet-framework: 1\nreference,establishment,from,until\n{line}\n");
    let key = include_str!("../../data/keys/development.key");
    let signature = signed::sign(text.as_bytes(), key, "development").expect("signed");
    Framework::open(text.as_bytes(), &signature, Standing::Desk).expect("verified")
}

/// (word, switches)
pub const SWITCHES: [(Word, Option<(bool, bool)>); 4] =
    [("unknown", None), ("no", Some((false, true))), ("yes", Some((true, false))), ("yes", Some((true, true)))];

pub const REASONS: [(Word, Option<&str>); 3] =
    [("given", Some("unconscious: trouvé au sol")), ("none", None), ("none", Some("curiosité"))];

/// (word, when the newest consent was given)
pub const DATES: [(Word, Option<i64>); 3] = [("ok", None), ("ok", Some(NOW.0 + 60)), ("future", Some(NOW.0 + DAY))];

/// (word, status, how far the clock is believed)
pub fn authorizations() -> Vec<(Word, Authorization, Wall)> {
    let until = |seconds: i64| Authorization::Valid { until: Some(NOW.plus(seconds)) };
    let (is, at_least) = (Wall::Is(NOW), Wall::AtLeast(NOW));
    vec![
        ("stands", Authorization::Valid { until: None }, is),
        ("stands", until(DAY), is),
        // Nobody can tell: allowed within the kiosk's budget.
        ("stands", until(DAY), at_least),
        ("lapsed", until(-DAY), is),
        ("lapsed", until(-DAY), at_least),
        ("lapsed", Authorization::None, is),
        ("lapsed", Authorization::Expired, at_least),
        ("barred", Authorization::Forbidden, is),
        ("barred", Authorization::Unknown, is),
    ]
}

/// (word, holder)
pub fn holders() -> Vec<(Word, HolderFacts)> {
    let holder = |card_kind, profession: Option<u16>, kind, in_training| HolderFacts {
        card_kind,
        profession: profession.map(ProfessionCode),
        kind,
        in_training,
    };
    use CardKind::Cpa;
    use CardKind::Cpe;
    use CardKind::Cpf;
    use CardKind::Cps;
    vec![
        ("staff", holder(Cps, Some(60), ProfessionKind::Other, false)),
        ("coord", holder(Cps, Some(10), ProfessionKind::CoordinatingDoctor, false)),
        ("work", holder(Cps, Some(10), ProfessionKind::OccupationalDoctor, false)),
        ("staff", holder(Cps, Some(10), ProfessionKind::Doctor, false)),
        ("staff", holder(Cpf, Some(10), ProfessionKind::Doctor, true)),
        ("staff", holder(Cpf, Some(21), ProfessionKind::Pharmacist, true)),
        ("barred", holder(Cpf, Some(60), ProfessionKind::Other, true)),
        ("barred", holder(Cpf, Some(60), ProfessionKind::Other, false)),
        ("barred", holder(Cps, Some(60), ProfessionKind::Other, true)),
        ("barred", holder(Cps, Some(35), ProfessionKind::WithoutColumn, false)),
        ("barred", holder(Cps, None, ProfessionKind::Other, false)),
        ("barred", holder(Cpe, Some(60), ProfessionKind::Other, false)),
        ("barred", holder(Cpa, None, ProfessionKind::WithoutColumn, false)),
    ]
}

/// (word, existence, blocked)
pub fn records() -> Vec<(Word, Existence, bool)> {
    let closed = |reason| Existence::Closed { reason, on: Some(NOW) };
    vec![
        ("open", Existence::Open, false),
        ("blocked", Existence::Open, true),
        ("shut", Existence::NeverCreated, false),
        ("shut", closed(ClosureReason::Patient), false),
        ("shut", closed(ClosureReason::Deceased), true),
        ("shut", closed(ClosureReason::Other), false),
        ("shut", Existence::Unknown, false),
    ]
}

/// A nurse before an open record, nothing said and nothing claimed.
pub fn nothing_said() -> Facts {
    Facts {
        ask: Ask::OpenRecord,
        holder: holders()[0].1.clone(),
        record: RecordState {
            existence: Existence::Open,
            authorization: Authorization::None,
            blocked: false,
            emergency: None,
            minor: None,
            attending_doctor: false,
            administrator: false,
            care_team: None,
            team_words: vec![],
        },
        consent: ConsentFacts {
            initial_team: Known::No,
            informed_at_event: Known::No,
            explicit: Known::No,
            refused: Known::No,
            in_team: Known::No,
            given_at: None,
            by_representative: Known::No,
        },
        ins_qualified: Known::Unknown,
        secret_connection: false,
        mode: Mode::Normal,
        ground: None,
        emergency_reason: None,
        document: None,
        site: SiteFacts { brain_death: false, brain_death_framework: None },
        matrix_version: "2026-11-23.1".into(),
        regime: Regime::ConseilEtat2025,
        time: Wall::Is(NOW),
    }
}

pub fn switches(pair: Option<(bool, bool)>) -> Option<EmergencySwitches> {
    pair.map(|(other_professionals, masked_documents)| EmergencySwitches {
        samu: false,
        other_professionals,
        masked_documents,
    })
}
