//! Telephones: who has been asked, who approved, and whose token has ended. They answer late, for another request, as somebody
//! else, or never. And what must hold of a visit that has nothing but one.

use crate::life::check::device;
use crate::life::people::OUTSIDER;
use crate::life::people::TEAM_MEMBER;
use crate::life::people::round;
use crate::life::world::Fault;
use crate::life::world::Life;
use chevet::identity::holder::HolderId;
use chevet::identity::holder::ProfessionCode;
use chevet::identity::holder::Situation;
use chevet::identity::userinfo::Exercise;
use chevet::identity::userinfo::Person;
use chevet::journal::trace::LoginProof;
use chevet::journal::trace::PhoneProof;
use chevet::screen::view::Body;
use chevet::screen::view::view;
use chevet::trouble::Trouble;
use chevet::visit::Effect;
use chevet::visit::Event;
use chevet::visit::Page;
use chevet::visit::effect::Keep;
use chevet::visit::event::Desk;
use chevet::visit::event::Insertion;
use chevet::visit::event::PhoneCode;
use chevet::visit::event::PhoneLogin;
use chevet::visit::event::Ticket;
use chevet::visit::event::Touch;
use std::collections::HashMap;
use std::collections::HashSet;
use std::time::Duration;

/// What is true of telephones, whatever the visit believes.
#[derive(Default)]
pub struct Phones {
    /// Asked, and not answered yet.
    ringing: Vec<(Ticket, HolderId)>,
    /// Whom each request was for.
    asked: HashMap<Ticket, HolderId>,
    /// Who really approved which request.
    approved: HashMap<Ticket, HolderId>,
    /// Whose token serves: a late approval has one too.
    live: HashSet<Ticket>,
}

/// The five ways in which a visit by telephone ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    Quit,
    Inactivity,
    Token,
    Network,
    Card,
}

impl Life {
    /// The provider takes the request; its telephone rings.
    pub fn ring(&mut self, ticket: Ticket, holder: HolderId, lucky: bool) -> Event {
        if !lucky {
            return Event::PhoneAsked { ticket, answer: Err(Trouble::PhoneUnreachable) };
        }
        self.phones.asked.insert(ticket, holder.clone());
        self.phones.ringing.push((ticket, holder));
        let until = self.now.since_boot + Duration::from_secs(120);
        Event::PhoneAsked { ticket, answer: Ok(PhoneCode { digits: "42".into(), until }) }
    }

    /// Some telephone, mostly the last that rang, is touched by somebody.
    pub fn answer_phone(&mut self) {
        let Some(last) = self.phones.ringing.len().checked_sub(1) else { return };
        let at = if self.dice.u8(0..5) == 0 { self.dice.usize(0..=last) } else { last };
        let (ticket, asked) = self.phones.ringing.remove(at);
        let answer = match self.dice.u8(0..10) {
            0 => Err(Trouble::PhoneDenied),
            1 => Err(Trouble::PhoneExpired),
            // The provider mixes two telephones up.
            2 => Ok(HolderId(if asked.0 == OUTSIDER { TEAM_MEMBER } else { OUTSIDER }.into())),
            _ => Ok(asked),
        };
        let answer = answer.map(|who| {
            self.phones.approved.insert(ticket, who.clone());
            self.phones.live.insert(ticket);
            let exercises = self.dice.usize(0..4);
            Box::new(PhoneLogin {
                person: person(&who, exercises),
                proof: LoginProof::Phone(PhoneProof { id_token: "a.b.c".into(), key: "{}".into() }),
            })
        });
        self.lived.phone_answers += u64::from(answer.is_ok());
        self.tell(Event::PhoneAnswered { ticket, answer });
    }

    /// The provider will not go on, or an old one says so at last.
    pub fn end_token(&mut self) {
        let mine = self.caller().map(|(ticket, _)| ticket);
        let stale = self.dice.u8(0..4) == 0;
        let ticket = if stale { Some(Ticket(self.dice.u64(0..50))) } else { mine };
        let Some(ticket) = ticket else { return };
        self.phones.live.remove(&ticket);
        if self.fault != Fault::TokenEndUnsaid {
            self.tell(Event::PhoneOver { ticket, trouble: Trouble::PhoneTokenEnd });
        } else {
            self.tell(Event::Tick);
        }
    }

    pub fn desk_in_memory(&self) -> Desk {
        Desk { round: round(), ..Desk::default() }
    }

    /// Who is here by telephone, if the page says that somebody is.
    pub fn caller(&self) -> Option<(Ticket, Option<&HolderId>)> {
        let stay = match &self.visit.page {
            Page::Opening(opening) => opening.insertion,
            Page::ChoosingExercise(choosing) => Insertion::by_phone(choosing.ticket),
            _ => self.visit.here()?.insertion,
        };
        let ticket = Ticket(stay.0 & !(1 << 63));
        (Insertion::by_phone(ticket) == stay).then(|| (ticket, self.phones.approved.get(&ticket)))
    }

    pub fn is_live(&self, ticket: Ticket) -> bool {
        self.phones.live.contains(&ticket)
    }

    /// What must end an open visit by telephone, if that is what the event is.
    pub fn cause_of(&self, event: &Event) -> Option<Cause> {
        let (ticket, _) = self.caller()?;
        match event {
            Event::CardIn(_) => Some(Cause::Card),
            Event::LinkIs(chevet::visit::event::LinkState::Offline) => Some(Cause::Network),
            Event::PhoneOver { ticket: over, .. } if *over == ticket => Some(Cause::Token),
            Event::Tick if self.visit.here().is_some_and(|here| self.now.since_boot >= here.until) => {
                Some(Cause::Inactivity)
            }
            Event::Touched(Touch::Quit) if matches!(self.visit.page, Page::Home(_)) => Some(Cause::Quit),
            _ => None,
        }
    }

    /// Online only, and no resume: the very step that sees an end leaves nobody, and locks.
    pub fn check_phone_end(&mut self, cause: Option<Cause>, effects: &[Effect], at: &str) {
        let Some(cause) = cause else { return };
        assert!(
            self.visit.holder().is_none() && self.visit.patient().is_none(),
            "{at}: {cause:?}, and somebody is left"
        );
        assert!(matches!(effects.first(), Some(Effect::Lock)), "{at}: {cause:?}, and no lock");
        let counted = match cause {
            Cause::Quit => &mut self.lived.phone_quits,
            Cause::Inactivity => &mut self.lived.phone_inactive,
            Cause::Token => &mut self.lived.phone_tokens,
            Cause::Network => &mut self.lived.phone_networks,
            Cause::Card => &mut self.lived.phone_cards,
        };
        *counted += 1;
        if cause != Cause::Card {
            let Body::Trouble(page) = view(&self.visit, self.now, &device()).body else {
                panic!("{at}: {cause:?}, and nothing says so")
            };
            let is_said = ["Rien n’est gardé", "Nothing is kept"].iter().any(|words| page.next.contains(words));
            assert!(is_said, "{at}: {cause:?}");
        }
    }

    /// Memory only: nothing of a visit by telephone is asked to rest on the device.
    pub fn check_memory_only(&self, effects: &[Effect], at: &str) {
        if !self.visit.is_by_phone() {
            return;
        }
        for effect in effects {
            let rests = match effect {
                Effect::List { keep, .. } | Effect::Fetch { keep, .. } => *keep != Keep::Memory,
                Effect::OpenCompartment { .. }
                | Effect::KeepTold { .. }
                | Effect::KeepDraft { .. }
                | Effect::CheckPin { .. } => true,
                _ => false,
            };
            assert!(!rests, "{at}: {effect:?} by telephone");
        }
    }

    /// Whose word counts now: the card's in the reader, or the one who approved this very request.
    pub fn who(&self) -> Option<HolderId> {
        match self.caller() {
            Some((_, approved)) => approved.cloned(),
            None => self.inside.map(|(which, _)| self.cards[which].holder.id.clone()),
        }
    }

    /// P3, without a card: whoever is here approved this very request, and their token serves. `false`: nobody is.
    pub fn check_caller(&self, at: &str) -> bool {
        let Some((ticket, approved)) = self.caller() else { return false };
        let holder = match &self.visit.page {
            Page::Opening(opening) => Some(&opening.holder.id),
            Page::ChoosingExercise(choosing) => Some(&choosing.login.person.id),
            _ => self.visit.holder().map(|holder| &holder.id),
        };
        assert_eq!(holder, approved, "{at}: open for somebody who did not approve");
        assert_eq!(holder, self.phones.asked.get(&ticket), "{at}: open for somebody who was not asked for");
        assert!(self.is_live(ticket), "{at}: open under a token that has ended");
        true
    }

    pub fn touch_rpps(&mut self) -> Touch {
        match self.dice.u8(0..10) {
            0 => Touch::Back,
            1 => Touch::Digit(self.dice.u8(0..11)),
            2 => Touch::Confirm,
            3 => Touch::Scanned("899700101341".into()),
            4..=6 => Touch::Scanned(OUTSIDER.into()),
            _ => Touch::Scanned(TEAM_MEMBER[1..].into()),
        }
    }
}

fn person(id: &HolderId, exercises: usize) -> Person {
    let exercise = |at: usize| Exercise {
        profession: ProfessionCode(if id.0 == OUTSIDER { 10 } else { 60 }),
        in_training: false,
        specialty: None,
        pharmacist_section: None,
        situation: Some(Situation { structure: format!("175000000{at}"), name: "LIEU".into(), sector: None }),
    };
    Person {
        subject: id.0.clone(),
        id: id.clone(),
        family_name: "NOM".into(),
        given_name: "Prénom".into(),
        exercises: (0..exercises).map(exercise).collect(),
    }
}
