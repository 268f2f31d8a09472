//! The patient gate: identified, then on what lawful ground. What is not the ordinary way stands in `situations`, the
//! patient's own page and the writing down of its answer in `answer`.
//!
//! ```text
//! AskingState → Standing ──────────────────────────────────────→ Listing → RecordingList → record
//!                  │  └ AskingPatient ⇄ Signing → RecordingAnswer → Delivering ┘   (no: Denied)
//!                  └ Situations → quality, colleague, reason, words → AskingPatient · RecordingEmergency → Listing
//! ```

use crate::identity::holder::Holder;
use crate::identity::holder::Means;
use crate::journal::Draft;
use crate::journal::words::Class;
use crate::journal::words::Ground;
use crate::journal::words::Source;
use crate::patient::ins::Patient;
use crate::policy::Decision;
use crate::policy::decide;
use crate::policy::facts::Facts;
use crate::policy::rules::ground_that_stands;
use crate::time::Now;
use crate::trouble::Trouble;
use crate::visit::effect::Effect;
use crate::visit::effect::Keep;
use crate::visit::event::Event;
use crate::visit::event::Listing;
use crate::visit::event::StateAnswer;
use crate::visit::event::Touch;
use crate::visit::facts;
use crate::visit::page::Here;
use crate::visit::page::Page;
use crate::visit::page::Rules;
use crate::visit::page::Visit;
use crate::visit::page::gate::Answered;
use crate::visit::page::gate::EventOfCare;
use crate::visit::page::gate::Gate;
use crate::visit::page::gate::GateStep;
use crate::visit::page::gate::SoFar;
use crate::visit::step::WAIT_MAX;

type Turn = (Visit, Vec<Effect>);

impl Visit {
    pub(super) fn come_to_gate(self, here: Here, patient: Patient, now: Now) -> Turn {
        self.come_to_gate_with(here, patient, SoFar::nothing(), now)
    }

    pub(super) fn come_to_gate_with(mut self, here: Here, patient: Patient, so_far: SoFar, now: Now) -> Turn {
        let ticket = self.ticket();
        let ask = Effect::AskState { ticket, patient: patient.clone() };
        let step = GateStep::AskingState { ticket, until: now.since_boot + WAIT_MAX };
        self.gate(Gate { here, patient, so_far, step }, vec![ask])
    }

    pub(super) fn gate(self, gate: Gate, effects: Vec<Effect>) -> Turn {
        self.turn(Page::Gate(Box::new(gate)), effects)
    }

    /// What has waited too long says so; what it waited for is dropped, and its answer will be late.
    pub(super) fn gate_tick(mut self, now: Now) -> Turn {
        if let Page::Gate(gate) = &mut self.page
            && let Some((until, trouble)) = gate.step.wait()
            && now.since_boot >= until
        {
            gate.step = GateStep::Failed { trouble };
        }
        (self, vec![])
    }

    pub(super) fn at_gate(self, mut gate: Gate, event: Event, now: Now) -> Turn {
        if let Event::Touched(touch) = event {
            return self.touched_at_gate(gate, touch, now);
        }
        let step = std::mem::replace(&mut gate.step, GateStep::Failed { trouble: Trouble::Internal });
        match (step, event) {
            (GateStep::AskingState { ticket, .. }, Event::StateKnown { ticket: asked, answer }) if asked == ticket => {
                match answer {
                    Ok(answer) => self.state_known(gate, answer, now),
                    Err(trouble) => self.failed(gate, trouble),
                }
            }
            (
                GateStep::RecordingAnswer { ticket, mut answer, question, agreed, said, .. },
                Event::Recorded { ticket: asked, answer: recorded },
            ) if asked == ticket => match recorded {
                Ok(_) => {
                    answer.said.extend(said.into_iter().filter(|said| said.holder == gate.here.holder.id));
                    self.answer_recorded(gate, answer, question, agreed, now)
                }
                Err(trouble) => self.failed(gate, trouble),
            },
            (
                GateStep::RecordingEmergency { ticket, answer, .. },
                Event::Recorded { ticket: asked, answer: recorded },
            ) if asked == ticket => match recorded {
                Ok(_) => self.list(gate, answer, Ground::BreakGlass, now),
                Err(trouble) => self.failed(gate, trouble),
            },
            (
                GateStep::Delivering { ticket, answer, ground, .. },
                Event::Delivered { ticket: asked, answer: delivered },
            ) if asked == ticket => match delivered {
                // Offline is no obstacle: what is on the device may be read on the consent just given.
                Ok(()) => self.list(gate, answer, ground, now),
                Err(trouble) if trouble.leaves_the_compartment() => self.list(gate, answer, ground, now),
                Err(trouble) => self.failed(gate, trouble),
            },
            (GateStep::Listing { ticket, answer, ground, .. }, Event::ListCame { ticket: asked, answer: came })
                if asked == ticket =>
            {
                match came {
                    Ok(listing) => self.record_list(gate, answer, ground, listing, now),
                    Err(trouble) => self.failed(gate, trouble),
                }
            }
            (
                GateStep::RecordingList { ticket, answer, ground, listing, .. },
                Event::Recorded { ticket: asked, answer: recorded },
            ) if asked == ticket => match recorded {
                Ok(rows) => self.show_list(gate, answer, ground, *listing, rows, now),
                Err(trouble) => self.failed(gate, trouble),
            },
            // Late or doubled: nothing changes.
            (step, _) => {
                gate.step = step;
                self.gate(gate, vec![])
            }
        }
    }

    fn touched_at_gate(self, mut gate: Gate, touch: Touch, now: Now) -> Turn {
        let step = std::mem::replace(&mut gate.step, GateStep::Failed { trouble: Trouble::Internal });
        match (step, touch) {
            // What is being written down is not left half-way.
            (step @ (GateStep::RecordingAnswer { .. } | GateStep::RecordingEmergency { .. }), _) => {
                gate.step = step;
                self.gate(gate, vec![])
            }
            (GateStep::AskingPatient { answer, question }, touch) => {
                self.touched_by_patient(gate, answer, question, touch, now)
            }
            (GateStep::Signing { answer, question }, touch) => self.touched_pad(gate, answer, question, touch, now),
            (
                step @ (GateStep::Situations { .. }
                | GateStep::ChoosingQuality { .. }
                | GateStep::ChoosingColleague { .. }
                | GateStep::ChoosingReason { .. }
                | GateStep::Typing { .. }),
                touch,
            ) => self.touched_in_situations(gate, step, touch, now),
            (_, Touch::Back | Touch::Quit | Touch::Understood) => self.home(gate.here, None, vec![]),
            (GateStep::Standing { answer, ground: Some(ground), decision, .. }, Touch::OpenRecord)
                if decision.allow =>
            {
                self.list(gate, answer, ground, now)
            }
            (GateStep::Standing { answer, decision, ground, done }, Touch::AskConsent) => {
                match self.ordinary_question(&gate, &answer, &decision) {
                    Some(step) => gate.step = step(answer),
                    None => gate.step = GateStep::Standing { answer, decision, ground, done },
                }
                self.gate(gate, vec![])
            }
            (GateStep::Standing { answer, .. }, Touch::SameEvent) if answer.was_informed() => {
                gate.so_far.event = EventOfCare::Continued;
                self.state_known(gate, answer, now)
            }
            (GateStep::Standing { answer, .. }, Touch::OtherSituation) => {
                gate.step = GateStep::Situations { answer };
                self.gate(gate, vec![])
            }
            (step, _) => {
                gate.step = step;
                self.gate(gate, vec![])
            }
        }
    }

    pub(super) fn failed(self, mut gate: Gate, trouble: Trouble) -> Turn {
        gate.step = GateStep::Failed { trouble };
        self.gate(gate, vec![])
    }

    /// Back to what stands: which ground there is, or what must be asked, or why nothing can be.
    pub(super) fn state_known(self, mut gate: Gate, answer: StateAnswer, now: Now) -> Turn {
        let asked = facts::to_open(&gate.here, &answer, None, &gate.so_far, &self.rules, now);
        let ground = ground_that_stands(&asked);
        let decision = decide(&Facts { ground, ..asked });
        gate.step = if decision.allow || decision.ground_if_yes().is_some() {
            GateStep::Standing { answer, decision: Box::new(decision), ground, done: None }
        } else {
            GateStep::Denied { decision }
        };
        self.gate(gate, vec![])
    }

    pub(super) fn may_open(&self, gate: &Gate, answer: &StateAnswer, ground: Option<Ground>, now: Now) -> Decision {
        decide(&facts::to_open(&gate.here, answer, ground, &gate.so_far, &self.rules, now))
    }

    pub(super) fn list(mut self, mut gate: Gate, answer: StateAnswer, ground: Ground, now: Now) -> Turn {
        if self.allowance_bars(ground, now) {
            return self.failed(gate, Trouble::AllowanceSpent);
        }
        let ticket = self.ticket();
        let (mode, keep) = (gate.so_far.mode(), keep(ground, &gate.here.holder, &gate.so_far));
        let list = Effect::List { ticket, patient: gate.patient.clone(), mode, keep };
        gate.step = GateStep::Listing { ticket, answer, ground, until: now.since_boot + WAIT_MAX };
        self.gate(gate, vec![list])
    }

    /// The list has come and nobody has seen it: its trace goes first (P1).
    fn record_list(
        mut self,
        mut gate: Gate,
        answer: StateAnswer,
        ground: Ground,
        listing: Box<Listing>,
        now: Now,
    ) -> Turn {
        if listing.documents.patient() != &gate.patient.ins {
            return self.failed(gate, Trouble::AnswerUnreadable);
        }
        // An authorization may have ended while the list was on its way.
        let decision = self.may_open(&gate, &answer, Some(ground), now);
        if !decision.allow {
            gate.step = GateStep::Denied { decision };
            return self.gate(gate, vec![]);
        }
        let row = |class, source, reason| Draft {
            ground: Some(ground),
            rule: decision.rule.id.to_owned(),
            source,
            reason,
            ..row(class, &gate.here, &gate.patient, &gate.so_far, &self.rules, now)
        };
        let declared = event_declared(&gate.so_far).map(str::to_owned);
        let rows = vec![row(Class::Gate, answer.source, declared), row(Class::Listed, listing.source, None)];
        let ticket = self.ticket();
        let until = now.since_boot + WAIT_MAX;
        gate.step = GateStep::RecordingList { ticket, answer, ground, listing, until };
        self.gate(gate, vec![Effect::Record { ticket, rows, said: vec![] }])
    }
}

impl GateStep {
    /// Until when this step waits, and what it says when it waited in vain.
    pub(super) fn wait(&self) -> Option<(std::time::Duration, Trouble)> {
        match self {
            GateStep::AskingState { until, .. }
            | GateStep::Delivering { until, .. }
            | GateStep::Listing { until, .. } => Some((*until, Trouble::ServerTimedOut)),
            GateStep::RecordingAnswer { until, .. }
            | GateStep::RecordingEmergency { until, .. }
            | GateStep::RecordingList { until, .. } => Some((*until, Trouble::TraceNotWritten)),
            _ => None,
        }
    }
}

/// What the gate's own row says of the event of care (R.1111-46).
fn event_declared(so_far: &SoFar) -> Option<&'static str> {
    match (so_far.answered, so_far.event) {
        (Answered::Agreed | Answered::Informed, _) | (_, EventOfCare::New) => Some("event: new"),
        (_, EventOfCare::Continued) => Some("event: continued"),
        (_, EventOfCare::Unsaid) => None,
    }
}

/// Only what the team may read again rests on the device; what was opened once, in an emergency, in secret or by telephone does
/// not.
pub(super) fn keep(ground: Ground, holder: &Holder, so_far: &SoFar) -> Keep {
    match ground {
        _ if holder.means == Means::ECps => Keep::Memory,
        _ if so_far.secret || so_far.brain_death => Keep::Memory,
        Ground::Authorization | Ground::Team => Keep::Compartment,
        Ground::Explicit | Ground::BreakGlass | Ground::Refused => Keep::Memory,
    }
}

/// A row of this visit; its caller says the ground, the rule and the source.
pub(super) fn row(class: Class, here: &Here, patient: &Patient, so_far: &SoFar, rules: &Rules, now: Now) -> Draft {
    Draft {
        class,
        holder: here.holder.id.clone(),
        profession: here.holder.profession,
        login: Some(here.login),
        proof: None,
        situation: here.holder.situation().map(|situation| situation.structure.clone()),
        patient: Some(patient.ins.clone()),
        document: None,
        ground: None,
        mode: so_far.mode(),
        regime: rules.regime,
        rule: String::new(),
        matrix_version: rules.matrix.version.clone(),
        reason: None,
        secret: so_far.secret,
        framework: rules.framework.as_ref().filter(|_| so_far.brain_death).map(|signed| signed.reference().to_owned()),
        source: Source::Online,
        at: now,
    }
}
