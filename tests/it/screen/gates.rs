//! The gate, step by step, where the simulation or a reader once found it wrong.

use super::fixtures::*;
use chevet::journal::consent::Answer;
use chevet::journal::consent::Quality;
use chevet::journal::consent::Said;
use chevet::journal::consent::Scope;
use chevet::journal::consent::Shown;
use chevet::journal::consent::Speaker;
use chevet::journal::words::Class;
use chevet::journal::words::Ground;
use chevet::journal::words::Mode;
use chevet::journal::words::Regime;
use chevet::record::state::Authorization;
use chevet::visit::Effect;
use chevet::visit::Event;
use chevet::visit::Page;
use chevet::visit::Visit;
use chevet::visit::event::StateAnswer;
use chevet::visit::event::Touch;
use chevet::visit::page::Room;
use chevet::visit::page::gate::About;
use chevet::visit::page::gate::Emergency;
use chevet::visit::page::gate::GateStep;
use chevet::visit::page::gate::Question;
use chevet::visit::page::gate::Typed;

fn touch(visit: Visit, touch: Touch) -> (Visit, Vec<Effect>) {
    visit.step(Event::Touched(touch), now())
}

fn question(visit: &Visit) -> &Question {
    let Page::Gate(gate) = &visit.page else { panic!("not at the gate: {}", visit.page.name()) };
    let GateStep::AskingPatient { question, .. } = &gate.step else { panic!("the patient is not asked") };
    question
}

fn said(scope: Scope, answer: Answer) -> Said {
    let holder = holder().id;
    Said {
        patient: patient("Patiente-Une", "ODETTE MARIE", 1953).ins,
        collected_by: holder.clone(),
        holder,
        scope,
        answer,
        ground: Ground::Team,
        regime: Regime::ConseilEtat2025,
        shown: Shown { text: "AC-3".into(), version: 2, language: "fr-FR".into() },
        by: Speaker::Patient,
        signature: None,
        at: now(),
    }
}

/// The simulation: told of an event after an objection, a patient who understood was still taken for one who refuses.
#[test]
fn to_be_told_after_an_objection_answers_it() {
    let team = || "Équipe du 2e étage".to_owned();
    let words = vec![
        said(Scope::Team(team()), Answer::Yes),
        said(Scope::Event(team()), Answer::No),
        said(Scope::Authorization, Answer::Withdrawn),
    ];
    let answer = StateAnswer { said: words, ..answer(Authorization::None) };
    let question = Question {
        about: About::Event,
        by: Speaker::Patient,
        colleague: None,
        ground: Ground::Team,
        language: chevet::visit::event::Language::French,
    };
    let (visit, effects) = touch(visit(gate(GateStep::AskingPatient { answer, question })), Touch::Yes);
    let ticket = effects.iter().find_map(|effect| match effect {
        Effect::Record { ticket, .. } => Some(*ticket),
        _ => None,
    });
    let ticket = ticket.expect("the answer is written");
    let (visit, effects) = visit.step(Event::Recorded { ticket, answer: Ok(vec![committed(Class::Consent)]) }, now());
    let Page::Gate(gate) = &visit.page else { panic!("{}", visit.page.name()) };
    assert!(matches!(gate.step, GateStep::Delivering { .. }), "a no that was answered still denies");
    assert!(matches!(effects.as_slice(), [Effect::Deliver { .. }]));
}

/// The simulation: where an authorization stands, whoever speaks for the patient was asked as by an outsider.
#[test]
fn a_team_members_representative_answers_for_the_team() {
    let team = || "Équipe du 2e étage".to_owned();
    let informed = vec![said(Scope::Team(team()), Answer::Yes), said(Scope::Event(team()), Answer::Yes)];
    let answer = StateAnswer { said: informed, ..answer(Authorization::Valid { until: None }) };
    let typing = GateStep::Typing { answer, what: Typed::Representative(Quality::Guardian), wrong: false };
    let (visit, _) = touch(visit(gate(typing)), Touch::TextTyped("DUPONT ANNE".into()));
    let question = question(&visit);
    assert_eq!(question.ground, Ground::Team);
    assert_eq!(question.by, Speaker::Representative { quality: Quality::Guardian, name: "DUPONT ANNE".into() });
}

/// A reader: a withdrawal asked in a record that was opened in an emergency went on under bris de glace.
#[test]
fn an_emergency_ends_with_its_record() {
    let mut open = record(Room::Agreements, vec![]);
    open.so_far.emergency = Some(Emergency { reason: "unconscious", words: String::new() });
    let (visit, _) = touch(visit(Page::Record(Box::new(open))), Touch::Withdraw);
    assert_eq!(question(&visit).about, About::Withdrawal);
    let (_, effects) = touch(visit, Touch::Yes);
    let modes: Vec<Mode> = effects
        .iter()
        .flat_map(|effect| match effect {
            Effect::Record { rows, .. } => rows.iter().map(|row| row.mode).collect(),
            _ => Vec::new(),
        })
        .collect();
    assert_eq!(modes, [Mode::Normal]);
}
