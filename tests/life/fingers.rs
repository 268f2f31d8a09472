//! What a finger does: mostly what its page offers, sometimes anything.

use crate::life::world::Life;
use chevet::journal::consent::Signature;
use chevet::visit::Event;
use chevet::visit::Page;
use chevet::visit::event::Language;
use chevet::visit::event::Look;
use chevet::visit::event::Touch;
use chevet::visit::page::Leaf;
use chevet::visit::page::Room;
use chevet::visit::page::gate::GateStep;

impl Life {
    pub fn touch(&mut self) {
        let dice = &mut self.dice;
        let touch = match &self.visit.page {
            Page::AskPin(ask) => match dice.u8(0..12) {
                0 if ask.card.tries_left != Some(1) => Touch::Back,
                1 => Touch::Erase,
                2 => Touch::LastTry,
                3..=5 => Touch::Confirm,
                _ => Touch::Digit(dice.u8(0..11)),
            },
            Page::Idle if dice.u8(0..8) == 0 => Touch::LookUp(Leaf::Device),
            Page::Idle if dice.u8(0..8) == 0 => Touch::Look(Look::OtherLanguage),
            Page::Idle => Touch::ByPhone,
            Page::AskRpps(_) => self.touch_rpps(),
            Page::WaitingForPhone(_) | Page::PhoneOver { .. } => match dice.u8(0..30) {
                0 => Touch::Back,
                1 => Touch::Understood,
                _ => Touch::Confirm,
            },
            Page::ChoosingExercise(_) => Touch::Choose(dice.usize(0..4)),
            Page::ChoosingSituation(_) => Touch::Choose(dice.usize(0..3)),
            Page::Ahead(_) => self.touch_ahead(),
            Page::Compose(_) => self.touch_compose(),
            Page::Home(home) if home.tray => match dice.u8(0..6) {
                0 | 1 => Touch::Back,
                2 => Touch::SendAgain(0),
                _ => Touch::Correct(0),
            },
            Page::Home(home) if home.leaf.is_some() => match dice.u8(0..4) {
                0 => Touch::LookUp(Leaf::Settings),
                1 => Touch::OpenPatient(0),
                _ => Touch::Back,
            },
            Page::Home(_) if dice.u8(0..40) == 0 => Touch::LookUp(Leaf::Help),
            Page::Home(_) if dice.u8(0..20) == 0 => Touch::OpenRecent(0),
            Page::Home(_) if dice.u8(0..16) == 0 => Touch::ShowTray,
            Page::Home(_) if dice.u8(0..40) == 0 => Touch::Look(Look::NextTextSize),
            Page::Home(_) if dice.u8(0..8) == 0 => Touch::PrepareRound,
            Page::Home(_) if dice.u8(0..12) == 0 => Touch::ComposeRound,
            Page::Home(_) => match dice.u8(0..10) {
                0 if self.seed.is_multiple_of(4) => Touch::HandOver,
                0 => Touch::TypeIns,
                1 => Touch::Quit,
                2 => Touch::InsTyped {
                    matricule: "255069999999934".into(),
                    birth_name: "Inconnue".into(),
                    birth_date: if dice.bool() { "15/06/1955" } else { "15/07/1955" }.into(),
                },
                _ => Touch::OpenPatient(dice.usize(0..12)),
            },
            Page::Locked(_) => match dice.u8(0..12) {
                0 => Touch::Back,
                1 => Touch::Stirred,
                _ => Touch::Understood,
            },
            Page::Duty(_) => Touch::Understood,
            Page::Gate(gate) => {
                let page = at_gate(&gate.step);
                self.touch_at_gate(page)
            }
            Page::Record(record) if matches!(record.room, Room::Agreements) => match dice.u8(0..3) {
                0 => Touch::Withdraw,
                _ => Touch::Back,
            },
            Page::Record(record) if matches!(record.room, Room::AskingWords) => match dice.u8(0..3) {
                0 => Touch::Back,
                1 => Touch::TextTyped("  ".into()),
                _ => Touch::TextTyped("Œdème".into()),
            },
            Page::Record(record) if matches!(record.room, Room::Writing(_)) => match dice.u8(0..12) {
                0 => Touch::Back,
                1..=3 => Touch::Choose(dice.usize(0..4)),
                4..=6 => Touch::NoteTyped("Plaie propre.".into()),
                7 | 8 => Touch::Confirm,
                9 => Touch::NoteTyped("  ".into()),
                _ => Touch::Yes,
            },
            Page::Record(record) if matches!(record.room, Room::Managing(_)) => match dice.u8(0..8) {
                0 => Touch::Back,
                1..=4 => Touch::Choose(dice.usize(0..5)),
                _ => Touch::Yes,
            },
            Page::Document(_) if dice.u8(0..6) == 0 => Touch::Manage,
            Page::Document(_) if dice.u8(0..4) == 0 => Touch::Print,
            Page::Record(record) if matches!(record.room, Room::History { .. } | Room::Receipt(_)) && dice.bool() => {
                Touch::Print
            }
            Page::Printing(_) => match dice.u8(0..8) {
                0 => Touch::Stop,
                1 => Touch::Quit,
                2 => Touch::Print,
                3 => Touch::Back,
                4 => Touch::Understood,
                _ => Touch::Erase,
            },
            // Most people wait for what they looked for.
            Page::Record(record) if matches!(record.room, Room::Searching { .. }) && dice.u8(0..4) > 0 => {
                Touch::Stirred
            }
            Page::Record(record) if matches!(record.room, Room::Filtering { .. }) => match dice.u8(0..6) {
                0 => Touch::Back,
                _ => Touch::Choose(dice.usize(0..6)),
            },
            // Mostly waited for.
            Page::Record(record) if matches!(record.room, Room::Gathering(_)) && dice.u8(0..12) > 0 => Touch::Erase,
            Page::Record(_) => match dice.u8(0..24) {
                16 => Touch::Filter,
                17 | 18 => Touch::ShowSummary,
                19 => Touch::ShowPatient,
                15 => Touch::ShowReceipt,
                13 | 14 => Touch::WriteNote,
                10..=12 => Touch::Search,
                0 => Touch::ShowHistory,
                1 => Touch::FilterClass(Some("10".into())),
                2 => Touch::Why,
                3 => Touch::Back,
                4 => Touch::ShowDocuments,
                5 => Touch::ShowAgreements,
                _ => Touch::OpenDocument(dice.usize(0..3)),
            },
            _ => match dice.u8(0..8) {
                0 => Touch::Back,
                1 => Touch::Quit,
                2 => Touch::NextPage,
                3 => Touch::LargerText,
                4 => Touch::Understood,
                5 => Touch::PreviousPage,
                _ => Touch::Confirm,
            },
        };
        self.last_try_agreed |= touch == Touch::LastTry;
        self.confirmed = touch == Touch::Confirm;
        self.tell(Event::Touched(touch));
    }

    /// At the gate each step has its own page.
    fn touch_at_gate(&mut self, page: AtGate) -> Touch {
        let dice = &mut self.dice;
        match (page, dice.u8(0..12)) {
            (AtGate::Patient, 0) => Touch::Later,
            (_, 0) => Touch::Back,
            (AtGate::Standing, 1..=3) => Touch::OpenRecord,
            (AtGate::Standing, 4..=6) => Touch::AskConsent,
            (AtGate::Standing, 7 | 8) => Touch::SameEvent,
            (AtGate::Standing, _) => Touch::OtherSituation,
            (AtGate::Choosing, _) => Touch::Choose(dice.usize(0..8)),
            (AtGate::Typing, 1) => Touch::TextTyped(String::new()),
            (AtGate::Typing, 2) => Touch::TextTyped("99700201470".into()),
            (AtGate::Typing, _) => Touch::TextTyped("PARENT ANNE".into()),
            (AtGate::Patient, 1..=5) => Touch::Yes,
            (AtGate::Patient, 6 | 7) => Touch::No,
            (AtGate::Patient, 8) => Touch::Sign,
            (AtGate::Patient, 9) => Touch::Language(Language::English),
            (AtGate::Patient, _) => Touch::Later,
            (AtGate::Pad, _) => Signature::new(vec![vec![(1, 1), (2, 2)]]).map_or(Touch::Back, Touch::Signed),
            (AtGate::Ended, 1..=8) | (AtGate::Other, 1) => Touch::Understood,
            (AtGate::Ended | AtGate::Other, _) => {
                [Touch::Yes, Touch::OpenRecord, Touch::Choose(0)][dice.usize(0..3)].clone()
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum AtGate {
    Standing,
    Choosing,
    Typing,
    Patient,
    Pad,
    Ended,
    Other,
}

fn at_gate(step: &GateStep) -> AtGate {
    match step {
        GateStep::Standing { .. } => AtGate::Standing,
        GateStep::Situations { .. }
        | GateStep::ChoosingQuality { .. }
        | GateStep::ChoosingColleague { .. }
        | GateStep::ChoosingReason { .. } => AtGate::Choosing,
        GateStep::Typing { .. } => AtGate::Typing,
        GateStep::AskingPatient { .. } => AtGate::Patient,
        GateStep::Signing { .. } => AtGate::Pad,
        GateStep::Denied { .. } | GateStep::Failed { .. } => AtGate::Ended,
        _ => AtGate::Other,
    }
}
