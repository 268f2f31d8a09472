//! The patient gate: identified, then on what lawful ground. The patient's page is turned to the patient.

use crate::journal::Draft;
use crate::journal::consent::Answer;
use crate::journal::consent::Said;
use crate::journal::consent::Scope;
use crate::journal::consent::Shown;
use crate::journal::consent::Speaker;
use crate::journal::words::Class;
use crate::journal::words::Ground;
use crate::journal::words::Mode;
use crate::journal::words::Source;
use crate::patient::ins::Patient;
use crate::policy::Decision;
use crate::policy::decide;
use crate::policy::facts::Facts;
use crate::policy::rules::ground_that_stands;
use crate::time::Now;
use crate::trouble::Trouble;
use crate::visit::effect::Effect;
use crate::visit::event::Event;
use crate::visit::event::Language;
use crate::visit::event::LinkState;
use crate::visit::event::Listing;
use crate::visit::event::StateAnswer;
use crate::visit::event::Touch;
use crate::visit::facts;
use crate::visit::facts::AtGate;
use crate::visit::page::Gate;
use crate::visit::page::GateStep;
use crate::visit::page::Here;
use crate::visit::page::Page;
use crate::visit::page::Rules;
use crate::visit::page::Visit;
use crate::visit::step::WAIT_MAX;

/// The patient's page, as `screen` words it. A new wording is a new version: it enters every consent.
pub const CONSENT_TEXT: &str = "AC-3";
pub const CONSENT_TEXT_VERSION: u32 = 1;

type Turn = (Visit, Vec<Effect>);

impl Visit {
    pub(super) fn come_to_gate(mut self, here: Here, patient: Patient, now: Now) -> Turn {
        let ticket = self.ticket();
        let ask = Effect::AskState { ticket, patient: patient.clone() };
        let step = GateStep::AskingState { ticket, until: now.since_boot + WAIT_MAX };
        self.gate(Gate { here, patient, step }, vec![ask])
    }

    fn gate(self, gate: Gate, effects: Vec<Effect>) -> Turn {
        self.turn(Page::Gate(Box::new(gate)), effects)
    }

    /// What has waited too long says so; what it waited for is dropped, and its answer will be late.
    pub(super) fn gate_tick(mut self, now: Now) -> Turn {
        if let Page::Gate(gate) = &mut self.page {
            let (until, trouble) = match &gate.step {
                GateStep::AskingState { until, .. }
                | GateStep::Delivering { until, .. }
                | GateStep::Listing { until, .. } => (*until, Trouble::ServerTimedOut),
                GateStep::RecordingAnswer { until, .. } | GateStep::RecordingList { until, .. } => {
                    (*until, Trouble::TraceNotWritten)
                }
                _ => return (self, vec![]),
            };
            if now.since_boot >= until {
                gate.step = GateStep::Failed { trouble };
            }
        }
        (self, vec![])
    }

    pub(super) fn at_gate(mut self, mut gate: Gate, event: Event, now: Now) -> Turn {
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
                GateStep::RecordingAnswer { ticket, answer, ground, agreed, .. },
                Event::Recorded { ticket: asked, answer: recorded },
            ) if asked == ticket => match recorded {
                Ok(_) if agreed => self.agreed(gate, answer, ground, now),
                Ok(_) => {
                    let decision = self.may_open(&gate.here, &answer, None, AtGate::Refused, now);
                    gate.step = GateStep::Denied { decision };
                    // A refusal leaves at once; nobody waits for it.
                    let ticket = self.ticket();
                    self.gate(gate, vec![Effect::Deliver { ticket }])
                }
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
            // On the patient's page "back" is "later": nothing was said, nothing is written.
            (GateStep::AskingPatient { answer, .. }, Touch::Later | Touch::Back) => self.state_known(gate, answer, now),
            (GateStep::AskingPatient { answer, ground, .. }, Touch::Language(language)) => {
                gate.step = GateStep::AskingPatient { answer, ground, language };
                self.gate(gate, vec![])
            }
            (GateStep::AskingPatient { answer, ground, language }, Touch::Yes) => {
                self.record_answer(gate, answer, ground, language, true, now)
            }
            (GateStep::AskingPatient { answer, ground, language }, Touch::No) => {
                self.record_answer(gate, answer, ground, language, false, now)
            }
            // An answer being written down is not left half-way.
            (step @ GateStep::RecordingAnswer { .. }, _) => {
                gate.step = step;
                self.gate(gate, vec![])
            }
            (_, Touch::Back | Touch::Quit | Touch::Understood) => self.home(gate.here, None, vec![]),
            (GateStep::Standing { answer, ground: Some(ground), decision }, Touch::OpenRecord) if decision.allow => {
                self.list(gate, answer, ground, now)
            }
            (GateStep::Standing { answer, decision, ground }, Touch::AskConsent) => {
                gate.step = match decision.ground_if_yes() {
                    Some(ground) => GateStep::AskingPatient { answer, ground, language: Language::French },
                    None => GateStep::Standing { answer, decision, ground },
                };
                self.gate(gate, vec![])
            }
            (step, _) => {
                gate.step = step;
                self.gate(gate, vec![])
            }
        }
    }

    fn failed(self, mut gate: Gate, trouble: Trouble) -> Turn {
        gate.step = GateStep::Failed { trouble };
        self.gate(gate, vec![])
    }

    fn state_known(self, mut gate: Gate, answer: StateAnswer, now: Now) -> Turn {
        let asked = facts::to_open(&gate.here, &answer, None, AtGate::NotAsked, &self.rules, now);
        let ground = ground_that_stands(&asked);
        let decision = decide(&Facts { ground, ..asked });
        gate.step = if decision.allow || decision.ground_if_yes().is_some() {
            GateStep::Standing { answer, decision, ground }
        } else {
            GateStep::Denied { decision }
        };
        self.gate(gate, vec![])
    }

    fn may_open(&self, here: &Here, answer: &StateAnswer, ground: Option<Ground>, said: AtGate, now: Now) -> Decision {
        decide(&facts::to_open(here, answer, ground, said, &self.rules, now))
    }

    /// What was said is on the disk before it is acted upon, refusals above all.
    fn record_answer(
        mut self,
        mut gate: Gate,
        answer: StateAnswer,
        ground: Ground,
        language: Language,
        agreed: bool,
        now: Now,
    ) -> Turn {
        let shown = Shown {
            text: CONSENT_TEXT.to_owned(),
            version: CONSENT_TEXT_VERSION,
            language: match language {
                Language::French => "fr-FR",
                Language::EasyFrench => "fr-FR-x-falc",
                Language::English => "en",
            }
            .to_owned(),
        };
        let scope = match ground {
            Ground::Team => Scope::Team(self.rules.team_name.clone()),
            _ => Scope::HolderOnce,
        };
        let said = |scope| Said {
            patient: gate.patient.ins.clone(),
            holder: gate.here.holder.id.clone(),
            collected_by: gate.here.holder.id.clone(),
            scope,
            answer: if agreed { Answer::Yes } else { Answer::No },
            ground: if agreed { ground } else { Ground::Refused },
            regime: self.rules.regime,
            shown: shown.clone(),
            by: Speaker::Patient,
            at: now,
        };
        let said = vec![said(scope), said(Scope::Authorization)];
        let class = if agreed { Class::Consent } else { Class::Refused };
        let reason = format!("{} v{} {}", shown.text, shown.version, shown.language);
        let row = Draft {
            ground: Some(if agreed { ground } else { Ground::Refused }),
            reason: Some(reason),
            source: answer.source,
            ..row(class, &gate.here, &gate.patient, &self.rules, now)
        };
        let ticket = self.ticket();
        gate.step = GateStep::RecordingAnswer { ticket, answer, ground, agreed, until: now.since_boot + WAIT_MAX };
        self.gate(gate, vec![Effect::Record { ticket, rows: vec![row], said }])
    }

    fn agreed(mut self, mut gate: Gate, answer: StateAnswer, ground: Ground, now: Now) -> Turn {
        let decision = self.may_open(&gate.here, &answer, Some(ground), AtGate::Agreed, now);
        if !decision.allow {
            gate.step = GateStep::Denied { decision };
            return self.gate(gate, vec![]);
        }
        if self.standing.link == LinkState::Offline {
            return self.list(gate, answer, ground, now);
        }
        let ticket = self.ticket();
        gate.step = GateStep::Delivering { ticket, answer, ground, until: now.since_boot + WAIT_MAX };
        self.gate(gate, vec![Effect::Deliver { ticket }])
    }

    fn list(mut self, mut gate: Gate, answer: StateAnswer, ground: Ground, now: Now) -> Turn {
        if self.allowance_bars(ground, now) {
            return self.failed(gate, Trouble::AllowanceSpent);
        }
        let ticket = self.ticket();
        let list = Effect::List { ticket, patient: gate.patient.clone() };
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
        let decision = self.may_open(&gate.here, &answer, Some(ground), said_for(ground), now);
        if !decision.allow {
            gate.step = GateStep::Denied { decision };
            return self.gate(gate, vec![]);
        }
        let row = |class, source| Draft {
            ground: Some(ground),
            rule: decision.rule.id.to_owned(),
            source,
            ..row(class, &gate.here, &gate.patient, &self.rules, now)
        };
        let rows = vec![row(Class::Gate, answer.source), row(Class::Listed, listing.source)];
        let ticket = self.ticket();
        let until = now.since_boot + WAIT_MAX;
        gate.step = GateStep::RecordingList { ticket, answer, ground, listing, until };
        self.gate(gate, vec![Effect::Record { ticket, rows, said: vec![] }])
    }
}

/// A ground other than a standing authorization rests on what the patient said at this gate.
pub(super) fn said_for(ground: Ground) -> AtGate {
    match ground {
        Ground::Team | Ground::Explicit => AtGate::Agreed,
        Ground::Authorization | Ground::BreakGlass => AtGate::NotAsked,
        Ground::Refused => AtGate::Refused,
    }
}

/// A row of this visit; its caller says the ground, the rule and the source.
pub(super) fn row(class: Class, here: &Here, patient: &Patient, rules: &Rules, now: Now) -> Draft {
    Draft {
        class,
        holder: here.holder.id.clone(),
        profession: here.holder.profession,
        login: Some(here.login),
        proof: None,
        situation: None,
        patient: Some(patient.ins.clone()),
        document: None,
        ground: None,
        mode: Mode::Normal,
        regime: rules.regime,
        rule: String::new(),
        matrix_version: rules.matrix.version.clone(),
        reason: None,
        secret: false,
        framework: None,
        source: Source::Online,
        at: now,
    }
}
