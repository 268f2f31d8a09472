//! What a decision prints: the names of facts, their values and the obligations. They are read by scripts and stand in
//! traces, so each is typed here again.

use super::cases::*;
use chevet::identity::holder::CardKind;
use chevet::identity::holder::Holder;
use chevet::identity::holder::HolderId;
use chevet::identity::holder::Means;
use chevet::identity::holder::ProfessionCode;
use chevet::journal::words::Class;
use chevet::journal::words::Ground;
use chevet::journal::words::Mode;
use chevet::journal::words::Regime;
use chevet::policy::Facts;
use chevet::policy::decide;
use chevet::policy::decision::Obligation;
use chevet::policy::decision::Told;
use chevet::policy::decision::Value;
use chevet::policy::facts::Ask;
use chevet::policy::facts::Cell;
use chevet::policy::facts::DocumentFacts;
use chevet::policy::facts::Known;
use chevet::policy::facts::ProfessionKind;
use chevet::policy::looked;
use chevet::policy::matrix::Place;
use chevet::policy::nomenclature;
use chevet::policy::rules::articles;
use chevet::record::document::ClassCode;
use chevet::record::document::Label;
use chevet::record::document::Status;
use chevet::record::document::TypeCode;
use chevet::record::state::Authorization;
use chevet::record::state::ClosureReason;
use chevet::record::state::Existence;
use chevet::time::Wall;
use std::collections::BTreeMap;

/// Every fact that some rule looks at, as it is printed of these facts.
fn printed(facts: &Facts) -> BTreeMap<&'static str, String> {
    let told = articles().flat_map(|article| {
        let mut told = Told::new();
        article.looks_at.iter().for_each(|fact| (fact.tell)(facts, &mut told));
        assert!(told.iter().map(|(name, _)| *name).eq(article.looks_at.iter().map(|fact| fact.name)));
        told
    });
    told.map(|(name, value)| (name, value.to_string())).collect()
}

fn said() -> Facts {
    let mut facts = nothing_said();
    facts.ask = Ask::SeeDocument;
    facts.holder.in_training = true;
    facts.record.authorization = Authorization::Valid { until: Some(NOW) };
    facts.record.minor = Some(true);
    facts.record.emergency = switches(Some((true, false)));
    facts.record.attending_doctor = true;
    facts.consent.initial_team = Known::Yes;
    facts.consent.explicit = Known::Unknown;
    facts.consent.given_at = Some(NOW.plus(-60));
    facts.consent.by_representative = Known::Unknown;
    facts.secret_connection = true;
    (facts.mode, facts.ground) = (Mode::BrisDeGlace, Some(Ground::BreakGlass));
    facts.emergency_reason = Some("unconscious: Mme Untel".into());
    facts.document = Some(DocumentFacts {
        type_code: TypeCode("15508-5".into()),
        cell: Cell::Yes,
        labels: vec![Label::MaskedToProfessionals, Label::Normal],
        status: Status::Archived,
        by_this_holder: Known::No,
    });
    facts.site.brain_death = true;
    facts.site.brain_death_framework = Some(framework("2026-01-01", "2026-12-31"));
    facts.regime = Regime::Arrete2023;
    facts.time = Wall::AtLeast(NOW);
    facts
}

#[test]
fn every_fact_is_printed_under_its_name() {
    let all = [
        ("administrator", "false"),
        ("ask", "see_document"),
        ("attending_doctor", "true"),
        ("authorization", "valid"),
        ("authorized_until", "2026-11-23T08:42:00Z"),
        ("blocked", "false"),
        ("brain_death", "true"),
        ("brain_death_framework", "CHU-2026-014"),
        ("by_representative", "unknown"),
        ("by_this_holder", "no"),
        ("card_kind", "CPS"),
        ("cell", "yes"),
        ("emergency_allowed", "true"),
        ("emergency_masked_allowed", "false"),
        ("emergency_reason", "unconscious"),
        ("explicit", "unknown"),
        ("given_at", "2026-11-23T08:41:00Z"),
        ("ground", "break_glass"),
        ("in_team", "no"),
        ("in_training", "true"),
        ("informed_at_event", "no"),
        ("initial_team", "yes"),
        ("ins_qualified", "unknown"),
        ("labels", "N+MASQUE_PS"),
        ("matrix_version", "2026-11-23.1"),
        ("minor", "true"),
        ("mode", "bris_de_glace"),
        ("profession", "60"),
        ("profession_kind", "other"),
        ("record", "open"),
        ("refused", "no"),
        ("regime", "arrete-2023"),
        ("secret_connection", "true"),
        ("status", "archived"),
        ("time", "2026-11-23T08:42:00Z"),
        ("time_trust", "at_least"),
        ("type", "15508-5"),
    ];
    assert_eq!(printed(&said()).into_iter().collect::<Vec<_>>(), all.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn what_nobody_said_is_printed_as_none_or_unknown() {
    let mut facts = nothing_said();
    facts.holder.profession = None;
    let printed = printed(&facts);
    for name in ["profession", "authorized_until", "given_at", "ground", "emergency_reason", "type", "cell", "labels"] {
        assert_eq!(printed[name], "none", "{name}");
    }
    for name in ["status", "by_this_holder", "brain_death_framework", "authorization"] {
        assert_eq!(printed[name], "none", "{name}");
    }
    for name in ["minor", "emergency_allowed", "emergency_masked_allowed", "ins_qualified"] {
        assert_eq!(printed[name], "unknown", "{name}");
    }
    assert_eq!(printed["time_trust"], "is");
}

#[test]
fn every_state_has_its_word() {
    let closed = |reason| Existence::Closed { reason, on: None };
    let records = [Existence::NeverCreated, Existence::Open, closed(ClosureReason::Patient)];
    assert_eq!(records.each_ref().map(looked::existence), ["never_created", "open", "closed_by_patient"]);
    let records = [closed(ClosureReason::Deceased), closed(ClosureReason::Other), Existence::Unknown];
    assert_eq!(records.each_ref().map(looked::existence), ["closed_deceased", "closed", "unknown"]);
    let statuses = [Authorization::None, Authorization::Expired, Authorization::Forbidden, Authorization::Unknown];
    assert_eq!(statuses.map(looked::authorization), ["none", "expired", "forbidden", "unknown"]);
    let statuses = [Status::Current, Status::Archived, Status::Superseded, Status::Deleted, Status::Unknown];
    assert_eq!(statuses.map(looked::status), ["current", "archived", "superseded", "deleted", "unknown"]);
    let asks = [Ask::OpenRecord, Ask::SeeDocument, Ask::PrefetchDocument, Ask::Deposit];
    assert_eq!(asks.map(Ask::name), ["open_record", "see_document", "prefetch_document", "deposit"]);
    assert_eq!([Known::Yes, Known::No, Known::Unknown].map(Known::name), ["yes", "no", "unknown"]);
    assert_eq!([Cell::Yes, Cell::No, Cell::Unknown].map(Cell::name), ["yes", "no", "unknown"]);
    let kinds = [
        (ProfessionKind::Doctor, "doctor"),
        (ProfessionKind::OccupationalDoctor, "occupational_doctor"),
        (ProfessionKind::CoordinatingDoctor, "coordinating_doctor"),
        (ProfessionKind::Pharmacist, "pharmacist"),
        (ProfessionKind::Other, "other"),
        (ProfessionKind::WithoutColumn, "without_column"),
    ];
    for (kind, name) in kinds {
        assert_eq!(kind.name(), name);
    }
    let owed = [
        (Obligation::RecordInitialConsent, "record_initial_consent"),
        (Obligation::InformAtThisEvent, "inform_at_this_event"),
        (Obligation::AskExplicitConsent, "ask_explicit_consent"),
        (Obligation::GiveReason, "give_reason"),
        (Obligation::ShowEmergencyBanner, "show_emergency_banner"),
        (Obligation::WarnInvisibleToPatient, "warn_invisible_to_patient"),
        (Obligation::WarnInvisibleToLegalRepresentatives, "warn_invisible_to_legal_representatives"),
        (Obligation::KeepFromLegalRepresentatives, "keep_from_legal_representatives"),
        (Obligation::InformOfDeposit, "inform_of_deposit"),
        (Obligation::TraceAs(Class::BreakGlass), "trace_as_break_glass"),
    ];
    for (obligation, name) in owed {
        assert_eq!(obligation.name(), name);
    }
}

#[test]
fn a_value_prints_what_it_holds_however_long() {
    let long = "une référence de cadre bien plus longue que quinze lettres";
    assert_eq!(Value::from(long).to_string(), long);
    assert_eq!(Value::from("15508-5").to_string(), "15508-5");
    let labels = |labels: &[Label]| Value::from(labels).to_string();
    let known = [
        Label::MaskedToProfessionals,
        Label::InvisibleToLegalRepresentatives,
        Label::InvisibleToPatient,
        Label::VeryRestricted,
        Label::Restricted,
        Label::Normal,
    ];
    assert_eq!(labels(&known), "N+R+V+INVISIBLE_PATIENT+INVISIBLE_REPRESENTANTS_LEGAUX+MASQUE_PS");
    assert_eq!(labels(&[Label::Normal, Label::Normal]), "N");
    assert_eq!(labels(&[]), "");
    assert_eq!(labels(&[Label::Normal, Label::Unknown("SECRET".into())]), "N+SECRET");
}

#[test]
fn every_act_is_traced_as_what_it_is() {
    let traced = |ask, change: &dyn Fn(&mut Facts)| {
        let mut facts = Facts { ask, ..nothing_said() };
        facts.record.authorization = Authorization::Valid { until: None };
        facts.ground = Some(Ground::Authorization);
        facts.document = said().document;
        facts.document.iter_mut().for_each(|d| d.labels = vec![Label::Normal]);
        change(&mut facts);
        let decision = decide(&facts);
        assert!(decision.allow, "{decision:?}");
        decision.obligations.last().copied()
    };
    let urgent = |f: &mut Facts| {
        (f.mode, f.ground) = (Mode::BrisDeGlace, Some(Ground::BreakGlass));
        f.emergency_reason = Some("unconscious".into());
        f.record.emergency = switches(Some((true, false)));
    };
    let ahead = |f: &mut Facts| (f.consent.in_team, f.consent.initial_team) = (Known::Yes, Known::Yes);
    let deposit = |f: &mut Facts| {
        f.ins_qualified = Known::Yes;
        f.document.iter_mut().for_each(|d| d.by_this_holder = Known::Yes);
    };
    let as_class = |class| Some(Obligation::TraceAs(class));
    assert_eq!(traced(Ask::OpenRecord, &|_| {}), as_class(Class::Gate));
    assert_eq!(traced(Ask::OpenRecord, &urgent), as_class(Class::BreakGlass));
    assert_eq!(traced(Ask::SeeDocument, &|_| {}), as_class(Class::Opened));
    assert_eq!(traced(Ask::SeeDocument, &urgent), as_class(Class::Opened));
    assert_eq!(traced(Ask::PrefetchDocument, &ahead), as_class(Class::Prefetched));
    let open_ahead = |f: &mut Facts| {
        ahead(f);
        f.mode = Mode::Prefetch;
    };
    assert_eq!(traced(Ask::OpenRecord, &open_ahead), as_class(Class::Prefetched));
    assert_eq!(traced(Ask::Deposit, &deposit), as_class(Class::Contributed));
}

/// What a permitted act still owes, and nothing else.
#[test]
fn a_permitted_act_owes_what_the_law_asks() {
    let owed = |change: &dyn Fn(&mut Facts)| {
        let mut facts = nothing_said();
        facts.record.authorization = Authorization::Valid { until: None };
        facts.ground = Some(Ground::Authorization);
        change(&mut facts);
        let decision = decide(&facts);
        assert!(decision.allow, "{decision:?}");
        decision.obligations.to_vec()
    };
    let (gate, opened) = (Obligation::TraceAs(Class::Gate), Obligation::TraceAs(Class::Opened));
    assert_eq!(owed(&|_| {}), [Obligation::InformAtThisEvent, gate]);
    assert_eq!(owed(&|f| f.consent.informed_at_event = Known::Yes), [gate]);
    assert_eq!(owed(&|f| (f.ground, f.consent.explicit) = (Some(Ground::Explicit), Known::Yes)), [gate]);
    let dead =
        |f: &mut Facts| (f.site.brain_death, f.site.brain_death_framework) = (true, said().site.brain_death_framework);
    assert_eq!(owed(&dead), [gate]);
    let plain = |f: &mut Facts| {
        (f.ask, f.document) = (Ask::SeeDocument, said().document);
        f.document.iter_mut().for_each(|d| d.labels = vec![Label::Normal]);
    };
    assert_eq!(owed(&plain), [opened]);
    let ahead = |f: &mut Facts| {
        f.mode = Mode::Prefetch;
        (f.consent.in_team, f.consent.initial_team) = (Known::Yes, Known::Yes);
    };
    assert_eq!(owed(&ahead), [Obligation::TraceAs(Class::Prefetched)]);
    let urgent = |f: &mut Facts| {
        (f.mode, f.ground) = (Mode::BrisDeGlace, Some(Ground::BreakGlass));
        f.emergency_reason = Some("unconscious".into());
        f.record.emergency = switches(Some((true, false)));
    };
    assert_eq!(owed(&urgent), [Obligation::ShowEmergencyBanner, Obligation::TraceAs(Class::BreakGlass)]);
}

/// A permit says which rule gave it.
#[test]
fn a_permit_says_by_which_rule() {
    let rule = |change: &dyn Fn(&mut Facts)| {
        let mut facts = nothing_said();
        facts.record.authorization = Authorization::Valid { until: None };
        facts.ground = Some(Ground::Authorization);
        change(&mut facts);
        decide(&facts).rule.id
    };
    let team = |f: &mut Facts| {
        f.ground = Some(Ground::Team);
        (f.consent.in_team, f.consent.initial_team, f.consent.informed_at_event) = (Known::Yes, Known::Yes, Known::Yes);
    };
    let urgent = |f: &mut Facts| {
        (f.mode, f.ground) = (Mode::BrisDeGlace, Some(Ground::BreakGlass));
        f.emergency_reason = Some("unconscious".into());
        f.record.emergency = switches(Some((true, true)));
    };
    assert_eq!(rule(&|_| {}), "G-01");
    assert_eq!(rule(&team), "G-02");
    assert_eq!(rule(&|f| (f.ground, f.consent.explicit) = (Some(Ground::Explicit), Known::Yes)), "G-03");
    assert_eq!(rule(&urgent), "E-07");
    let masked = |f: &mut Facts| {
        (f.ask, f.document) = (Ask::SeeDocument, said().document);
        f.document.iter_mut().for_each(|d| d.labels = vec![Label::MaskedToProfessionals]);
    };
    let through = |change: &dyn Fn(&mut Facts)| {
        rule(&|f| {
            masked(f);
            change(f);
        })
    };
    assert_eq!(through(&|f| f.document.iter_mut().for_each(|d| d.by_this_holder = Known::Yes)), "L-10");
    assert_eq!(through(&|f| f.record.attending_doctor = true), "L-11");
    assert_eq!(through(&|f| f.record.administrator = true), "L-12");
    assert_eq!(through(&urgent), "L-13");
    assert_eq!(through(&|f| f.document.iter_mut().for_each(|d| d.labels = vec![Label::Normal])), "M-01");
}

/// What the patient is asked for, by who asks.
#[test]
fn a_gate_asks_no_more_than_it_needs() {
    use Obligation::AskExplicitConsent;
    use Obligation::InformAtThisEvent;
    use Obligation::RecordInitialConsent;
    let asked = |change: &dyn Fn(&mut Facts)| {
        let mut facts = nothing_said();
        facts.consent.in_team = Known::Yes;
        change(&mut facts);
        let decision = decide(&facts);
        assert!(!decision.allow);
        decision.obligations.to_vec()
    };
    assert_eq!(asked(&|_| {}), [RecordInitialConsent, InformAtThisEvent]);
    assert_eq!(asked(&|f| f.regime = Regime::Arrete2023), [InformAtThisEvent]);
    assert_eq!(asked(&|f| f.consent.initial_team = Known::Yes), [InformAtThisEvent]);
    assert_eq!(asked(&|f| f.consent.informed_at_event = Known::Yes), [RecordInitialConsent]);
    assert_eq!(asked(&|f| f.consent.in_team = Known::Unknown), [AskExplicitConsent]);
    assert_eq!(asked(&|f| f.holder.kind = ProfessionKind::OccupationalDoctor), [AskExplicitConsent]);
    assert_eq!(asked(&|f| f.ground = Some(Ground::Explicit)), [AskExplicitConsent]);
    let coordinating = |f: &mut Facts| {
        (f.regime, f.holder.kind) = (Regime::Arrete2023, ProfessionKind::CoordinatingDoctor);
    };
    assert_eq!(asked(&coordinating), [RecordInitialConsent, InformAtThisEvent]);
    assert_eq!(asked(&|f| f.consent.refused = Known::Yes), [RecordInitialConsent, InformAtThisEvent]);
    assert_eq!(asked(&|f| (f.ground, f.consent.refused) = (Some(Ground::Refused), Known::Yes)), []);
    assert_eq!(asked(&|f| f.record.blocked = true), []);
    // A change of mind is asked for at an ordinary gate, and nowhere else.
    let refused = |change: &dyn Fn(&mut Facts)| {
        asked(&|f| {
            f.consent.refused = Known::Yes;
            change(f);
        })
    };
    assert_eq!(refused(&|f| f.mode = Mode::BrisDeGlace), []);
    assert_eq!(refused(&|f| f.mode = Mode::Centre15), []);
    assert_eq!(refused(&|f| f.ground = Some(Ground::BreakGlass)), []);
    assert_eq!(refused(&|f| f.mode = Mode::Prefetch), []);
    assert_eq!(refused(&|f| f.ask = Ask::PrefetchDocument), []);
}

/// Whatever is asked now, the question is under which ground the record may be opened.
#[test]
fn the_ground_that_stands_is_that_of_opening() {
    let mut facts = Facts { ask: Ask::SeeDocument, ..nothing_said() };
    facts.record.authorization = Authorization::Valid { until: None };
    assert_eq!(chevet::policy::ground_that_stands(&facts), Some(Ground::Authorization));
    facts.record.authorization = Authorization::None;
    facts.consent.explicit = Known::Yes;
    assert_eq!(chevet::policy::ground_that_stands(&facts), Some(Ground::Explicit));
    let decision = decide(&nothing_said());
    assert_eq!(decision.what_can_be_done(), "Tournez l’écran vers le patient et demandez-lui.");
}

fn holder(profession: u16, specialty: Option<&str>) -> Holder {
    Holder {
        id: HolderId("899700000001".into()),
        family_name: "Infirmière-Une".into(),
        given_name: "Camille".into(),
        profession: Some(ProfessionCode(profession)),
        in_training: false,
        card_kind: CardKind::Cps,
        means: Means::Card,
        specialty: specialty.map(str::to_owned),
        pharmacist_section: None,
        situations: None,
    }
}

/// « Hors médecins du travail »: they have no column, and only they.
#[test]
fn a_profession_has_its_kind() {
    let kind = |profession, specialty| Place::of_holder(&holder(profession, specialty)).kind;
    assert_eq!(kind(10, None), ProfessionKind::Doctor);
    assert_eq!(kind(10, Some("SM26")), ProfessionKind::Doctor);
    for specialty in ["SM25", "SCH35", "C41", "CAPA11", "FON-29"] {
        let place = Place::of_holder(&holder(10, Some(specialty)));
        assert_eq!((place.kind, place.columns.len()), (ProfessionKind::OccupationalDoctor, 0), "{specialty}");
        assert_eq!(kind(60, Some(specialty)), ProfessionKind::Other, "only a doctor is one");
    }
    assert_eq!(kind(21, None), ProfessionKind::Pharmacist);
    assert_eq!(kind(60, None), ProfessionKind::Other);
    assert_eq!(kind(31, None), ProfessionKind::WithoutColumn);
}

#[test]
fn codes_have_the_national_labels() {
    let class = |code: &str| ClassCode(code.into());
    assert_eq!(nomenclature::class_of(&TypeCode("15508-5".into())), Some(class("10")));
    assert_eq!(nomenclature::class_of(&TypeCode("99999-9".into())), None);
    assert_eq!(nomenclature::class_label(&class("11")), "Synthèse");
    assert_eq!(nomenclature::class_short(&class("11")), "Synthèses");
    assert_eq!(nomenclature::class_label(&class("21")), "Autres documents");
    assert_eq!(nomenclature::section_label("G"), Some("Pharmacien biologiste"));
    assert_eq!(nomenclature::section_label("Z"), None);
}
