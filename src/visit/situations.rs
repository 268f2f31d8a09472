//! « Autre situation »: what is not the ordinary way through the gate. An emergency, somebody who speaks for the patient,
//! a colleague for whom the answer is collected, another event of care, a withdrawal, a minor's secret, brain death. What
//! the law does not allow is not hidden: it is chosen, refused, and explained.

use crate::identity::holder::HolderId;
use crate::journal::Draft;
use crate::journal::consent::Quality;
use crate::journal::consent::Speaker;
use crate::journal::words::Class;
use crate::journal::words::Ground;
use crate::policy::decide;
use crate::policy::decision::Obligation;
use crate::policy::emergency;
use crate::policy::facts::ProfessionKind;
use crate::time::Now;
use crate::visit::answer::about;
use crate::visit::effect::Effect;
use crate::visit::event::StateAnswer;
use crate::visit::event::Touch;
use crate::visit::facts;
use crate::visit::gate::row;
use crate::visit::page::Colleague;
use crate::visit::page::Visit;
use crate::visit::page::gate::About;
use crate::visit::page::gate::Emergency;
use crate::visit::page::gate::EventOfCare;
use crate::visit::page::gate::Gate;
use crate::visit::page::gate::GateStep;
use crate::visit::page::gate::Question;
use crate::visit::page::gate::Situation;
use crate::visit::page::gate::SoFar;
use crate::visit::page::gate::Typed;
use crate::visit::step::WAIT_MAX;

type Turn = (Visit, Vec<Effect>);

impl Visit {
    /// What the page offers, in its order.
    pub fn situations(&self, gate: &Gate, answer: &StateAnswer) -> Vec<Situation> {
        let minor = answer.state.minor == Some(true);
        let in_team = self.rules.team_of(&gate.here.holder, &answer.state).is_some();
        let all = [
            (Situation::Emergency, gate.so_far.emergency.is_none()),
            (Situation::Representative, !gate.so_far.secret),
            (Situation::Colleague, true),
            (Situation::NewEvent, in_team && answer.was_informed()),
            (Situation::Withdrawal, true),
            (Situation::Secret, minor && !gate.so_far.secret),
            (Situation::BrainDeath, !gate.so_far.brain_death),
        ];
        all.into_iter().filter(|(_, offered)| *offered).map(|(situation, _)| situation).collect()
    }

    /// In which quality somebody may speak for this patient.
    pub fn qualities(answer: &StateAnswer) -> &'static [Quality] {
        let (parents, protectors) = Quality::ALL.split_at(3);
        match answer.state.minor {
            Some(true) => parents,
            Some(false) => protectors,
            None => Quality::ALL,
        }
    }

    /// The colleagues whose names are known, but for who is here; a last line is for a number that is typed.
    pub fn colleagues(&self, gate: &Gate) -> Vec<&Colleague> {
        self.rules.colleagues.iter().filter(|colleague| colleague.id != gate.here.holder.id).collect()
    }

    pub(super) fn touched_in_situations(self, mut gate: Gate, step: GateStep, touch: Touch, now: Now) -> Turn {
        match (step, touch) {
            (GateStep::Situations { answer }, Touch::Choose(place)) => {
                match self.situations(&gate, &answer).get(place).copied() {
                    Some(situation) => self.take_situation(gate, answer, situation, now),
                    None => {
                        gate.step = GateStep::Situations { answer };
                        self.gate(gate, vec![])
                    }
                }
            }
            (GateStep::Situations { answer }, Touch::Back) => self.state_known(gate, answer, now),
            (GateStep::ChoosingQuality { answer }, Touch::Choose(place)) => {
                gate.step = match Visit::qualities(&answer).get(place) {
                    Some(quality) => typing(answer, Typed::Representative(*quality)),
                    None => GateStep::ChoosingQuality { answer },
                };
                self.gate(gate, vec![])
            }
            (GateStep::ChoosingColleague { answer }, Touch::Choose(place)) => {
                let known: Vec<Colleague> = self.colleagues(&gate).into_iter().cloned().collect();
                gate.step = match known.get(place) {
                    Some(colleague) => ask_for(answer, colleague.clone()),
                    None if place == known.len() => typing(answer, Typed::Colleague),
                    None => GateStep::ChoosingColleague { answer },
                };
                self.gate(gate, vec![])
            }
            (GateStep::ChoosingReason { answer }, Touch::Choose(place)) => {
                gate.step = match emergency::REASONS.get(place) {
                    Some(reason) => typing(answer, Typed::Emergency(reason.code)),
                    None => GateStep::ChoosingReason { answer },
                };
                self.gate(gate, vec![])
            }
            // A minor's ordinary way begins with who answers: from there "back" is the gate.
            (GateStep::ChoosingQuality { answer }, Touch::Back) => self.state_known(gate, answer, now),
            (GateStep::ChoosingColleague { answer } | GateStep::ChoosingReason { answer }, Touch::Back) => {
                gate.step = GateStep::Situations { answer };
                self.gate(gate, vec![])
            }
            (GateStep::Typing { answer, what, .. }, Touch::Back) => {
                gate.step = match what {
                    Typed::Representative(_) => GateStep::ChoosingQuality { answer },
                    Typed::Colleague => GateStep::ChoosingColleague { answer },
                    Typed::Emergency(_) => GateStep::ChoosingReason { answer },
                };
                self.gate(gate, vec![])
            }
            (GateStep::Typing { answer, what, .. }, Touch::TextTyped(text)) => {
                self.typed_at_gate(gate, answer, what, text.trim(), now)
            }
            (step, _) => {
                gate.step = step;
                self.gate(gate, vec![])
            }
        }
    }

    fn take_situation(self, mut gate: Gate, answer: StateAnswer, situation: Situation, now: Now) -> Turn {
        match situation {
            Situation::Emergency => {
                let urgent = Emergency { reason: "", words: String::new() };
                let so_far = SoFar { emergency: Some(urgent), ..gate.so_far.clone() };
                let ground = Some(Ground::BreakGlass);
                let asked = facts::to_open(&gate.here, &answer, ground, &so_far, &self.rules, now);
                let decision = decide(&asked);
                // Only the reason is lacking; whatever else denies is said instead of a list that leads nowhere.
                gate.step = if decision.obligations.contains(&Obligation::GiveReason) {
                    GateStep::ChoosingReason { answer }
                } else {
                    GateStep::Denied { decision }
                };
            }
            Situation::Representative => gate.step = GateStep::ChoosingQuality { answer },
            Situation::Colleague => gate.step = GateStep::ChoosingColleague { answer },
            Situation::Withdrawal => return self.ask_withdrawal(gate, answer),
            Situation::NewEvent => {
                gate.so_far.event = EventOfCare::New;
                gate.step =
                    GateStep::AskingPatient { answer, question: Question::to_patient(About::Event, Ground::Team) };
            }
            Situation::Secret => {
                gate.so_far.secret = true;
                return self.state_known(gate, answer, now);
            }
            Situation::BrainDeath => {
                gate.so_far.brain_death = true;
                return self.state_known(gate, answer, now);
            }
        }
        self.gate(gate, vec![])
    }

    /// The patient takes back, or refuses beforehand, what this holder and their team may do.
    pub(super) fn ask_withdrawal(self, mut gate: Gate, answer: StateAnswer) -> Turn {
        let question = Question::to_patient(About::Withdrawal, self.ground_here(&gate, &answer));
        gate.step = GateStep::AskingPatient { answer, question };
        self.gate(gate, vec![])
    }

    /// Whether this holder is answered as one of the team, or alone: an occupational doctor always is (L.1111-17 IV).
    fn ground_here(&self, gate: &Gate, answer: &StateAnswer) -> Ground {
        let in_team = self.rules.team_of(&gate.here.holder, &answer.state).is_some();
        let alone = self.rules.place(&gate.here.holder).kind == ProfessionKind::OccupationalDoctor;
        if in_team && !alone { Ground::Team } else { Ground::Explicit }
    }

    fn typed_at_gate(self, mut gate: Gate, answer: StateAnswer, what: Typed, text: &str, now: Now) -> Turn {
        let again = |answer| GateStep::Typing { answer, what, wrong: true };
        gate.step = match what {
            Typed::Representative(_) if text.is_empty() => again(answer),
            Typed::Representative(quality) => {
                let asked = facts::to_open(&gate.here, &answer, None, &gate.so_far, &self.rules, now);
                let decision = decide(&asked);
                if decision.ground_if_yes().is_none() {
                    return self.state_known(gate, answer, now);
                }
                // Where something stands already, they confirm it: for the team, if the holder is of it.
                let ground = self.ground_here(&gate, &answer);
                let by = Speaker::Representative { quality, name: text.to_owned() };
                let question = Question { by, ..Question::to_patient(about(&decision), ground) };
                GateStep::AskingPatient { answer, question }
            }
            Typed::Colleague => match national_id(text).filter(|id| *id != gate.here.holder.id) {
                Some(id) => {
                    let known = self.rules.colleagues.iter().find(|colleague| colleague.id == id).cloned();
                    let colleague = known.unwrap_or(Colleague { id, name: String::new() });
                    ask_for(answer, colleague)
                }
                None => again(answer),
            },
            Typed::Emergency(reason) => {
                gate.so_far.emergency = Some(Emergency { reason, words: text.to_owned() });
                return self.break_glass(gate, answer, now);
            }
        };
        self.gate(gate, vec![])
    }

    /// Its own row, with the reason, is on the disk before anything is asked for (L.1111-17 I; EX_0.3-1050).
    fn break_glass(mut self, mut gate: Gate, answer: StateAnswer, now: Now) -> Turn {
        let decision = self.may_open(&gate, &answer, Some(Ground::BreakGlass), now);
        if !decision.allow {
            gate.step = GateStep::Denied { decision };
            return self.gate(gate, vec![]);
        }
        let row = Draft {
            ground: Some(Ground::BreakGlass),
            rule: decision.rule.id.to_owned(),
            reason: gate.so_far.emergency.as_ref().map(Emergency::as_given),
            source: answer.source,
            ..row(Class::BreakGlass, &gate.here, &gate.patient, &gate.so_far, &self.rules, now)
        };
        let ticket = self.ticket();
        gate.step = GateStep::RecordingEmergency { ticket, answer, until: now.since_boot + WAIT_MAX };
        self.gate(gate, vec![Effect::Record { ticket, rows: vec![row], said: vec![] }])
    }
}

fn typing(answer: StateAnswer, what: Typed) -> GateStep {
    GateStep::Typing { answer, what, wrong: false }
}

/// L.1111-17 II: their consent counts for that colleague alone, this time.
fn ask_for(answer: StateAnswer, colleague: Colleague) -> GateStep {
    let question = Question::to_patient(About::Access, Ground::Explicit);
    GateStep::AskingPatient { answer, question: Question { colleague: Some(colleague), ..question } }
}

/// PS_IdNat of an RPPS number: eleven digits, the last a Luhn key over them all, behind an `8`.
fn national_id(typed: &str) -> Option<HolderId> {
    let digits: Vec<u32> =
        typed.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(10)).collect::<Option<_>>()?;
    if digits.len() != RPPS_LENGTH {
        return None;
    }
    let doubled = |(at, digit): (usize, &u32)| match (at % 2, digit * 2) {
        (0, _) => *digit,
        (_, twice) if twice > 9 => twice - 9,
        (_, twice) => twice,
    };
    let sum: u32 = digits.iter().rev().enumerate().map(doubled).sum();
    let number: String = digits.iter().map(u32::to_string).collect();
    sum.is_multiple_of(10).then(|| HolderId(format!("8{number}")))
}

const RPPS_LENGTH: usize = 11;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_rpps_number_has_its_key() {
        assert_eq!(national_id("10101456726"), None, "a wrong key");
        assert_eq!(national_id("1010145672"), None);
        assert_eq!(national_id("1010145672x"), None);
        let right = (0..10).filter_map(|key| national_id(&format!("1010145672{key}"))).count();
        assert_eq!(right, 1, "one key in ten");
        // The textbook number of the Luhn formula (ISO/IEC 7812-1, annex B).
        assert_eq!(national_id("7992 739 8713"), Some(HolderId("879927398713".into())));
    }
}
