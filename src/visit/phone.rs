//! A login by telephone (Pro Santé Connect), and how a visit without a card ends.
//!
//! ```text
//! Idle → AskRpps → WaitingForPhone(two digits) → ChoosingExercise → Opening → Duty → Home …
//!                    └ refused, expired, cut off        └ one only: at once
//! any page → PhoneOver(why) → Idle     by Quitter, inactivity, the token's end, the network's; any card → ReadingCard
//! ```
//!
//! A request is known by its ticket: a telephone that answers for an earlier one changes nothing.

use crate::identity::holder::HolderId;
use crate::identity::userinfo::Exercise;
use crate::time::Now;
use crate::trouble::Trouble;
use crate::visit::effect::Effect;
use crate::visit::event::Event;
use crate::visit::event::Insertion;
use crate::visit::event::LinkState;
use crate::visit::event::PhoneLogin;
use crate::visit::event::Ticket;
use crate::visit::event::Touch;
use crate::visit::page::Page;
use crate::visit::page::Visit;
use crate::visit::page::phone::AskRpps;
use crate::visit::page::phone::ChoosingExercise;
use crate::visit::page::phone::RPPS_DIGITS;
use crate::visit::page::phone::WaitingForPhone;
use crate::visit::step::WAIT_MAX;
use std::time::Duration;

type Turn = (Visit, Vec<Effect>);

impl Visit {
    pub(super) fn at_idle(self, event: Event, now: Now) -> Turn {
        let offered = self.rules.by_phone && self.standing.link != LinkState::Offline;
        match event {
            Event::Touched(Touch::ByPhone) if offered => {
                let until = now.since_boot + ENTRY_MAX;
                self.turn(Page::AskRpps(AskRpps { until, ..AskRpps::default() }), vec![])
            }
            Event::Touched(Touch::LookUp(leaf)) => {
                self.turn(Page::About { leaf, until: now.since_boot + ENTRY_MAX }, vec![])
            }
            // Nothing is asked here; anything else is late, and changes nothing.
            _ => self.turn(Page::Idle, vec![]),
        }
    }

    pub(super) fn while_asking_rpps(self, mut ask: AskRpps, event: Event, now: Now) -> Turn {
        let Event::Touched(touch) = event else { return self.turn(Page::AskRpps(ask), vec![]) };
        ask.until = now.since_boot + ENTRY_MAX;
        ask.notice = None;
        match touch {
            Touch::Digit(digit) if digit <= 9 && !ask.is_whole() => ask.digits.push(char::from(b'0' + digit)),
            Touch::Erase => drop(ask.digits.pop()),
            Touch::Back | Touch::Quit => return self.turn(Page::Idle, vec![]),
            Touch::Confirm if ask.is_whole() => {
                let digits = ask.digits.clone();
                return self.ask_phone(ask, &digits, now);
            }
            Touch::Scanned(payload) => return self.ask_phone(ask, &payload, now),
            _ => {}
        }
        self.turn(Page::AskRpps(ask), vec![])
    }

    /// A number with a wrong key rings nobody's telephone.
    fn ask_phone(mut self, mut ask: AskRpps, typed: &str, now: Now) -> Turn {
        let Some(holder) = national_id(typed) else {
            ask.notice = Some(Trouble::RppsMistyped);
            return self.turn(Page::AskRpps(ask), vec![]);
        };
        let ticket = self.ticket();
        let until = now.since_boot + WAIT_MAX;
        let waiting = WaitingForPhone { ticket, holder: holder.clone(), code: None, until };
        self.turn(Page::WaitingForPhone(waiting), vec![Effect::AskPhone { ticket, holder }])
    }

    pub(super) fn while_waiting_for_phone(self, mut waiting: WaitingForPhone, event: Event, now: Now) -> Turn {
        match event {
            Event::PhoneAsked { ticket, answer } if ticket == waiting.ticket => match answer {
                Ok(code) => {
                    waiting.until = code.until + LAST_WORD_MAX;
                    waiting.code = Some(code);
                    self.turn(Page::WaitingForPhone(waiting), vec![])
                }
                Err(trouble) => self.end(Page::TakeCard(trouble)),
            },
            // The guard matters: a telephone may answer for the request before this one.
            Event::PhoneAnswered { ticket, answer } if ticket == waiting.ticket => match answer {
                Ok(login) if login.person.id == waiting.holder => self.phone_answered(ticket, *login, now),
                Ok(_) => self.end(Page::TakeCard(Trouble::PhoneOtherPerson)),
                Err(trouble) => self.end(Page::TakeCard(trouble)),
            },
            // The request is dropped; its telephone may ring on, and opens nothing.
            Event::Touched(Touch::Back | Touch::Quit) => self.end(Page::Idle),
            _ => self.turn(Page::WaitingForPhone(waiting), vec![]),
        }
    }

    fn phone_answered(self, ticket: Ticket, login: PhoneLogin, now: Now) -> Turn {
        match &login.person.exercises[..] {
            [] => self.open_by_phone(ticket, login, None, now),
            [only] => {
                let only = only.clone();
                self.open_by_phone(ticket, login, Some(only), now)
            }
            _ => {
                let until = now.since_boot + ENTRY_MAX;
                self.turn(Page::ChoosingExercise(Box::new(ChoosingExercise { ticket, login, until })), vec![])
            }
        }
    }

    pub(super) fn while_choosing_exercise(self, mut choosing: ChoosingExercise, event: Event, now: Now) -> Turn {
        match event {
            Event::Touched(Touch::Choose(place)) if place < choosing.login.person.exercises.len() => {
                let exercise = choosing.login.person.exercises.swap_remove(place);
                self.open_by_phone(choosing.ticket, choosing.login, Some(exercise), now)
            }
            Event::Touched(Touch::Back | Touch::Quit) => self.end(Page::TakeCard(Trouble::VisitEnded)),
            event => {
                if matches!(event, Event::Touched(_)) {
                    choosing.until = now.since_boot + ENTRY_MAX;
                }
                self.turn(Page::ChoosingExercise(Box::new(choosing)), vec![])
            }
        }
    }

    fn open_by_phone(self, ticket: Ticket, login: PhoneLogin, chosen: Option<Exercise>, now: Now) -> Turn {
        let holder = login.person.holder(chosen.as_ref());
        self.open(Insertion::by_phone(ticket), holder, Box::new(login.proof), now)
    }

    /// What ends a visit by telephone from anywhere: its provider, or the network.
    pub(super) fn phone_over(self, ticket: Ticket, trouble: Trouble) -> Turn {
        let stay = Insertion::by_phone(ticket);
        let is_its = match &self.page {
            Page::ChoosingExercise(choosing) => choosing.ticket == ticket,
            Page::Opening(opening) => opening.insertion == stay,
            _ => self.here().is_some_and(|here| here.insertion == stay),
        };
        if is_its { self.end(Page::TakeCard(trouble)) } else { (self, vec![]) }
    }

    /// Online only: without the network nothing of it is left. Before anybody has approved, the request has an end of its own.
    pub(super) fn link_is(mut self, link: LinkState) -> Turn {
        let came_back = link == LinkState::Online && self.standing.link != LinkState::Online;
        self.standing.link = link;
        let is_open = matches!(self.page, Page::Opening(_) | Page::ChoosingExercise(_)) || self.here().is_some();
        if link == LinkState::Offline && is_open && self.is_by_phone() {
            return self.end(Page::TakeCard(Trouble::PhoneOffline));
        }
        let owed = match &self.page {
            Page::Home(home) if came_back => self.make_national(&home.here),
            _ => None,
        };
        (self, owed.into_iter().collect())
    }

    /// Where a card would be asked back, there is none: it is said what happened, and the page goes by itself.
    pub(super) fn without_a_card(mut self, now: Now) -> Visit {
        if let Page::TakeCard(trouble) = self.page {
            let trouble = match trouble {
                Trouble::VisitEnded => Trouble::PhoneVisitEnded,
                Trouble::TookTooLong => Trouble::PhoneTookTooLong,
                other => other,
            };
            self.page = Page::PhoneOver { trouble, until: now.since_boot + OVER_MAX };
        }
        self
    }
}

/// From eleven digits, or from the twelve of a scan with their `8`; the last one is a Luhn key.
fn national_id(typed: &str) -> Option<HolderId> {
    let digits: String = typed.chars().filter(|letter| !letter.is_whitespace()).collect();
    let rpps = match digits.len() {
        RPPS_DIGITS => digits.as_str(),
        _ => digits.strip_prefix('8').filter(|rest| rest.len() == RPPS_DIGITS)?,
    };
    let digit = |letter: char| letter.to_digit(10);
    let numbers: Vec<u32> = rpps.chars().map(digit).collect::<Option<_>>()?;
    let doubled = |number: u32| if number > 4 { 2 * number - 9 } else { 2 * number };
    let weigh = |(at, number): (usize, &u32)| if at % 2 == 1 { doubled(*number) } else { *number };
    let sum: u32 = numbers.iter().rev().enumerate().map(weigh).sum();
    (sum.is_multiple_of(10) && sum > 0).then(|| HolderId(format!("8{rpps}")))
}

/// How long a page waits for the next digit, or for a choice.
const ENTRY_MAX: Duration = Duration::from_secs(90);
/// After its end a request's last word may still be on its way.
const LAST_WORD_MAX: Duration = Duration::from_secs(35);
/// How long it is said that a visit is over.
const OVER_MAX: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_right_down_to_its_key_or_none() {
        let is = |typed: &str| national_id(typed).map(|id| id.0);
        assert_eq!(is("99700101340").as_deref(), Some("899700101340"));
        assert_eq!(is("899700101340").as_deref(), Some("899700101340"));
        assert_eq!(is("997 001 013 40").as_deref(), Some("899700101340"));
        for wrong in ["99700101341", "99700101430", "999700101340", "9970010134", "", "00000000000", "9970010134O"] {
            assert_eq!(is(wrong), None, "{wrong}");
        }
    }
}
