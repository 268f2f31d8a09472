//! Who lives in the world: four cards, the patients of a round, their documents, and what was said before.

use crate::life::world::Card;
use chevet::identity::holder::CardKind;
use chevet::identity::holder::Holder;
use chevet::identity::holder::HolderId;
use chevet::identity::holder::Means;
use chevet::identity::holder::ProfessionCode;
use chevet::journal::consent::Answer;
use chevet::journal::consent::Said;
use chevet::journal::consent::Scope;
use chevet::journal::consent::Shown;
use chevet::journal::consent::Speaker;
use chevet::journal::words::Ground;
use chevet::journal::words::Regime;
use chevet::patient::ins::BirthDate;
use chevet::patient::ins::Ins;
use chevet::patient::ins::InsKind;
use chevet::patient::ins::Patient;
use chevet::patient::ins::Sex;
use chevet::policy::Matrix;
use chevet::policy::facts::Cell;
use chevet::policy::framework::Framework;
use chevet::policy::matrix::Column;
use chevet::policy::signed;
use chevet::policy::signed::Standing;
use chevet::policy::team::Team;
use chevet::record::document::Attachment;
use chevet::record::document::Author;
use chevet::record::document::ClassCode;
use chevet::record::document::Document;
use chevet::record::document::Label;
use chevet::record::document::Status;
use chevet::record::document::TypeCode;
use chevet::record::document::UniqueId;
use chevet::record::state::TeamWord;
use chevet::say::Looks;
use chevet::time::Now;
use chevet::time::UnixSeconds;
use chevet::time::Wall;
use chevet::visit::event::RoundEntry;
use chevet::visit::gentle::Patience;
use chevet::visit::page::Colleague;
use chevet::visit::page::Rules;
use std::time::Duration;

pub const TEAM_MEMBER: &str = "899700101340";
/// Not of the team; the nurse may collect for them.
pub const OUTSIDER: &str = "899700201470";
pub const TEAM: &str = "equipe";
/// The upstream's care team of one patient; the outsider is of it.
pub const CARE_TEAM: &str = "rééducation";
/// Signed, for every other life.
const FRAMEWORK: &str =
    "# chevet-framework: 1\nreference,establishment,from,until\nCADRE,equipe,2026-01-01,2027-12-31\n";
const KEY: &str = include_str!("../../data/keys/development.key");
/// When every life begins: 2026-11-18 in the morning.
pub const BEGINNING: i64 = 1_795_000_000;
pub const ZONE: &str = "Europe/Paris";

pub fn rules(with_framework: bool) -> Rules {
    let framework = || {
        let signature = signed::sign(FRAMEWORK.as_bytes(), KEY, "development").expect("signed");
        Framework::open(FRAMEWORK.as_bytes(), &signature, Standing::Desk).expect("verified")
    };
    let types = [("10213-7", Cell::Yes), ("11488-4", Cell::No), ("29274-8", Cell::Yes), ("11505-5", Cell::Yes)];
    let columns = vec![Column("60_69".into()), Column("10".into())];
    let rows = types.iter().map(|(code, cell)| (TypeCode((*code).into()), vec![*cell; 2])).collect();
    Rules {
        matrix: Matrix::new("sim".into(), columns, rows),
        regime: Regime::ConseilEtat2025,
        team: Team::named(TEAM, &[TEAM_MEMBER.into()]),
        colleagues: vec![Colleague { id: HolderId(OUTSIDER.into()), name: "AUTRE Nom".into() }],
        time_zone: ZONE.into(),
        duty_days: 180,
        framework: with_framework.then(framework),
        left_aside: vec![],
        by_phone: true,
        prints: true,
        looks: Looks::default(),
        patience: Patience::default(),
    }
}

pub fn card(which: usize, dice: &mut fastrand::Rng) -> Card {
    let (id, profession, card_kind) = [
        (TEAM_MEMBER, Some(60), CardKind::Cps),
        (OUTSIDER, Some(10), CardKind::Cps),
        ("300000000001/CPET1", None, CardKind::Cpe),
        ("899700000004", Some(60), CardKind::Cpf),
    ][which];
    let holder = Holder {
        id: HolderId(id.into()),
        family_name: "NOM".into(),
        given_name: "Prénom".into(),
        profession: profession.map(ProfessionCode),
        in_training: card_kind == CardKind::Cpf,
        card_kind,
        means: Means::Card,
        specialty: None,
        pharmacist_section: None,
        situations: None,
    };
    Card { holder, tries_left: dice.u8(1..4), says_tries: dice.u8(0..5) > 0 }
}

pub fn round() -> Vec<RoundEntry> {
    let names = [
        "AUTORISE",
        "ORDINAIRE",
        "FERME",
        "JAMAIS",
        "BLOQUE",
        "MINEUR",
        "OPPOSE",
        "TAIT",
        "INTERDIT",
        "SUIVI",
        "REPRIS",
    ];
    let entry = |(at, name): (usize, &&str)| RoundEntry {
        patient: Patient {
            ins: Ins::unchecked(&format!("2550699999999{at:02}"), InsKind::Test).expect("fifteen digits"),
            birth_name: (*name).into(),
            birth_given_names: "ANNE".into(),
            sex: Sex::Female,
            birth_date: BirthDate { year: 1955, month: 6, day: 15 },
            birth_place: None,
        },
        cached: 0,
        as_of: None,
        ready: None,
    };
    names.iter().enumerate().map(entry).collect()
}

/// One of the round, and one whose name was typed once.
pub fn recent() -> Vec<(Patient, UnixSeconds)> {
    let seen = round().swap_remove(0).patient;
    let ins = Ins::unchecked("255069999999934", InsKind::Test).expect("fifteen digits");
    let typed = Patient { ins, birth_name: "INCONNUE".into(), birth_given_names: String::new(), ..seen.clone() };
    vec![(seen, UnixSeconds(BEGINNING - 3_600)), (typed, UnixSeconds(BEGINNING - 7_200))]
}

/// One permitted, one forbidden, one unknown to the matrix, one of an unknown type, one with an unknown label.
pub fn documents(patient: &Ins) -> Vec<Document> {
    let kinds = [
        ("11505-5", Label::Normal),
        ("11488-4", Label::Normal),
        ("29274-8", Label::Normal),
        ("99999-9", Label::Normal),
        ("10213-7", Label::Unknown("X".into())),
    ];
    let document = |(at, (kind, label)): (usize, &(&str, Label))| Document {
        unique_id: UniqueId(format!("{}.{at}", patient.matricule)),
        entry_uuid: format!("e{at}"),
        logical_id: None,
        type_code: TypeCode((*kind).into()),
        type_label: "Compte rendu".into(),
        class_code: ClassCode("10".into()),
        title: format!("TITRE-{}-{at}", patient.matricule),
        // One of them is the team member's own.
        authors: vec![Author { id: (at == 0).then(|| TEAM_MEMBER.into()), name: "Dr A".into(), structure: None }],
        labels: vec![label.clone()],
        status: Status::Current,
        service_start: UnixSeconds(1_790_000_000 + at as i64),
        created: UnixSeconds(1_790_000_000),
        format_code: "urn:x".into(),
        attachment: Attachment { url: "b".into(), content_type: "text/xml".into(), size_bytes: None, sha1: None },
        by_patient: false,
    };
    kinds.iter().enumerate().map(document).collect()
}

/// What the upstream knows of teams: one patient agreed to a care team of which the outsider is; another took back, an
/// hour ago and elsewhere, what they had said about the site's.
pub fn upstream_teams(patient: &Patient, me: Option<&HolderId>) -> (Option<String>, Vec<TeamWord>) {
    let word = |team: &str, agreed, seconds_ago| TeamWord {
        team: team.into(),
        agreed,
        at: Some(UnixSeconds(BEGINNING - seconds_ago)),
        until: None,
    };
    match patient.birth_name.as_str() {
        "SUIVI" if me.is_some_and(|me| me.0 == OUTSIDER) => {
            (Some(CARE_TEAM.into()), vec![word(CARE_TEAM, true, 3 * 86_400)])
        }
        "REPRIS" if me.is_some_and(|me| me.0 == TEAM_MEMBER) => (None, vec![word(TEAM, false, TAKEN_BACK_S)]),
        _ => (None, vec![]),
    }
}

/// So long before the beginning.
const TAKEN_BACK_S: i64 = 3_600;

/// Of some patients the team had a consent the day before, or earlier today; or the nurse collected one for a colleague.
pub fn said_before(dice: &mut fastrand::Rng) -> Vec<Said> {
    let mut said = Vec::new();
    for entry in round() {
        let seconds_ago = match dice.u8(0..4) {
            0 => 86_400,
            1 => 600,
            2 => {
                said.push(consent_for_the_outsider(&entry.patient.ins));
                continue;
            }
            _ => continue,
        };
        said.extend(consent_to_team(&entry.patient.ins, seconds_ago));
    }
    said
}

/// The initial consent, so many seconds before the beginning.
pub fn consent_to_team(patient: &Ins, seconds_ago: i64) -> Vec<Said> {
    let at = Now { since_boot: Duration::ZERO, wall: Wall::Is(UnixSeconds(BEGINNING - seconds_ago)) };
    let said = |scope| Said {
        patient: patient.clone(),
        holder: HolderId(TEAM_MEMBER.into()),
        collected_by: HolderId(TEAM_MEMBER.into()),
        scope,
        answer: Answer::Yes,
        ground: Ground::Team,
        regime: Regime::ConseilEtat2025,
        shown: Shown { text: "AC-3".into(), version: 1, language: "fr-FR".into() },
        by: Speaker::Patient,
        signature: None,
        at,
    };
    vec![said(Scope::Team(TEAM.into())), said(Scope::Event(TEAM.into()))]
}

/// The nurse collected it for them this morning.
fn consent_for_the_outsider(patient: &Ins) -> Said {
    let first = consent_to_team(patient, 600).swap_remove(0);
    Said { holder: HolderId(OUTSIDER.into()), scope: Scope::HolderOnce, ground: Ground::Explicit, ..first }
}
