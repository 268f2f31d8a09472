//! The patient's page: what is asked, of whom; and their answer, on the disk before it is acted upon.

use crate::journal::Draft;
use crate::journal::consent::Answer;
use crate::journal::consent::Said;
use crate::journal::consent::Scope;
use crate::journal::consent::Shown;
use crate::journal::consent::Signature;
use crate::journal::consent::Speaker;
use crate::journal::words::Class;
use crate::journal::words::Ground;
use crate::policy::Decision;
use crate::policy::decision::Obligation;
use crate::record::state::Authorization;
use crate::time::Now;
use crate::visit::effect::Effect;
use crate::visit::event::Language;
use crate::visit::event::LinkState;
use crate::visit::event::StateAnswer;
use crate::visit::event::Touch;
use crate::visit::gate::row;
use crate::visit::page::Visit;
use crate::visit::page::gate::About;
use crate::visit::page::gate::Answered;
use crate::visit::page::gate::Done;
use crate::visit::page::gate::Gate;
use crate::visit::page::gate::GateStep;
use crate::visit::page::gate::Question;
use crate::visit::step::WAIT_MAX;

/// A new wording is a new version: it enters every consent. `screen::consent_text` writes them.
pub const TEXT_VERSION: u32 = 2;

impl About {
    /// The name of its text.
    pub fn text(self) -> &'static str {
        match self {
            About::Access => "AC-3",
            About::Event => "IN-1",
            About::Withdrawal => "RT-1",
        }
    }
}

impl Language {
    /// BCP 47; easy-to-read French has no tag of its own.
    pub fn tag(self) -> &'static str {
        match self {
            Language::French => "fr-FR",
            Language::EasyFrench => "fr-FR-x-falc",
            Language::English => "en",
        }
    }
}

impl Question {
    pub(super) fn to_patient(about: About, ground: Ground) -> Question {
        Question { about, by: Speaker::Patient, colleague: None, ground, language: Language::French }
    }

    /// As a row keeps it: which text, which version, in which language.
    fn text_shown(&self) -> Shown {
        Shown { text: self.about.text().to_owned(), version: TEXT_VERSION, language: self.language.tag().to_owned() }
    }
}

type Turn = (Visit, Vec<Effect>);
type ToStep = Box<dyn FnOnce(StateAnswer) -> GateStep>;

impl Visit {
    /// What the ordinary way asks next, if the decision says that somebody's yes would open the record. For a minor the
    /// first question is who answers.
    pub(super) fn ordinary_question(&self, gate: &Gate, answer: &StateAnswer, decision: &Decision) -> Option<ToStep> {
        let ground = decision.ground_if_yes()?;
        if answer.state.minor == Some(true) && !gate.so_far.secret {
            return Some(Box::new(|answer| GateStep::ChoosingQuality { answer }));
        }
        let question = Question::to_patient(about(decision), ground);
        Some(Box::new(move |answer| GateStep::AskingPatient { answer, question }))
    }

    pub(super) fn touched_by_patient(
        self,
        mut gate: Gate,
        answer: StateAnswer,
        mut question: Question,
        touch: Touch,
        now: Now,
    ) -> Turn {
        match touch {
            // On the patient's page "back" is "later": nothing was said, nothing is written.
            Touch::Later | Touch::Back => return self.state_known(gate, answer, now),
            Touch::Yes => return self.record_answer(gate, answer, question, true, None, now),
            Touch::No if question.about == About::Withdrawal => return self.state_known(gate, answer, now),
            Touch::No => return self.record_answer(gate, answer, question, false, None, now),
            Touch::Sign => {
                gate.step = GateStep::Signing { answer, question };
                return self.gate(gate, vec![]);
            }
            Touch::Language(language) => question.language = language,
            _ => {}
        }
        gate.step = GateStep::AskingPatient { answer, question };
        self.gate(gate, vec![])
    }

    pub(super) fn touched_pad(
        self,
        mut gate: Gate,
        answer: StateAnswer,
        question: Question,
        touch: Touch,
        now: Now,
    ) -> Turn {
        gate.step = match touch {
            Touch::Signed(signature) => {
                return self.record_answer(gate, answer, question, true, Some(signature), now);
            }
            Touch::Back | Touch::Later => GateStep::AskingPatient { answer, question },
            _ => GateStep::Signing { answer, question },
        };
        self.gate(gate, vec![])
    }

    /// What was said is on the disk before it is acted upon, refusals above all.
    fn record_answer(
        mut self,
        mut gate: Gate,
        answer: StateAnswer,
        question: Question,
        agreed: bool,
        signature: Option<Signature>,
        now: Now,
    ) -> Turn {
        let (given, class) = match (question.about, agreed) {
            (About::Withdrawal, _) => (Answer::Withdrawn, Class::Withdrawn),
            (_, true) => (Answer::Yes, Class::Consent),
            (_, false) => (Answer::No, Class::Refused),
        };
        let ground = if given == Answer::Yes { question.ground } else { Ground::Refused };
        let me = &gate.here.holder.id;
        let shown = question.text_shown();
        let said = |(scope, given)| Said {
            patient: gate.patient.ins.clone(),
            holder: question.colleague.as_ref().map_or(me, |colleague| &colleague.id).clone(),
            collected_by: me.clone(),
            scope,
            answer: given,
            ground,
            regime: self.rules.regime,
            shown: shown.clone(),
            by: question.by.clone(),
            signature: signature.clone(),
            at: now,
        };
        let said: Vec<Said> = self.scopes(&gate, &question, &answer, given).into_iter().map(said).collect();
        let row = Draft {
            ground: Some(ground),
            reason: Some(format!("{} v{} {}", shown.text, shown.version, shown.language)),
            source: answer.source,
            ..row(class, &gate.here, &gate.patient, &gate.so_far, &self.rules, now)
        };
        let ticket = self.ticket();
        let until = now.since_boot + WAIT_MAX;
        gate.step = GateStep::RecordingAnswer { ticket, answer, question, agreed, said: said.clone(), until };
        self.gate(gate, vec![Effect::Record { ticket, rows: vec![row], said }])
    }

    /// What one answer is about. An answer about the team binds it whole; one about a colleague, or from outside the
    /// team, is for one time. The authorization upstream (TD0.3) follows, the last word of all.
    fn scopes(&self, gate: &Gate, question: &Question, answer: &StateAnswer, given: Answer) -> Vec<(Scope, Answer)> {
        let team = || self.rules.team_of(&gate.here.holder, &answer.state).unwrap_or_default().to_owned();
        let for_team = question.colleague.is_none() && question.ground == Ground::Team;
        let valid = matches!(answer.state.authorization, Authorization::Valid { .. });
        match (question.about, given) {
            (About::Access, _) if for_team => {
                vec![(Scope::Team(team()), given), (Scope::Event(team()), given), (Scope::Authorization, given)]
            }
            (About::Access, _) => vec![(Scope::HolderOnce, given), (Scope::Authorization, given)],
            (About::Event, Answer::Yes) if valid => vec![(Scope::Event(team()), given)],
            (About::Event, Answer::Yes) => vec![(Scope::Event(team()), given), (Scope::Authorization, given)],
            // « Pas aujourd’hui »: no authorization is left, and none is forbidden for ever.
            (About::Event, _) => vec![(Scope::Event(team()), given), (Scope::Authorization, Answer::Withdrawn)],
            (About::Withdrawal, _) if for_team => vec![(Scope::Team(team()), given), (Scope::Authorization, given)],
            (About::Withdrawal, _) => vec![(Scope::HolderOnce, given), (Scope::Authorization, given)],
        }
    }

    /// The answer is on the disk.
    pub(super) fn answer_recorded(
        mut self,
        mut gate: Gate,
        answer: StateAnswer,
        question: Question,
        agreed: bool,
        now: Now,
    ) -> Turn {
        if let Some(colleague) = question.colleague {
            // It is theirs, not this holder's: here everything stands as it stood.
            let (mut visit, mut effects) = self.state_known(gate, answer, now);
            if let crate::visit::Page::Gate(gate) = &mut visit.page
                && let GateStep::Standing { done, .. } = &mut gate.step
            {
                *done = Some(Done { colleague, agreed });
            }
            effects.push(visit.deliver());
            return (visit, effects);
        }
        gate.so_far.represented = question.by != Speaker::Patient;
        gate.so_far.answered = match (question.about, agreed) {
            (About::Access, true) => Answered::Agreed,
            (About::Event, true) => Answered::Informed,
            (About::Withdrawal, _) | (_, false) => Answered::Refused,
        };
        if gate.so_far.answered == Answered::Refused {
            let decision = self.may_open(&gate, &answer, None, now);
            gate.step = GateStep::Denied { decision };
            // A refusal leaves at once; nobody waits for it.
            let deliver = self.deliver();
            return self.gate(gate, vec![deliver]);
        }
        let ground = question.ground;
        let decision = self.may_open(&gate, &answer, Some(ground), now);
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

    fn deliver(&mut self) -> Effect {
        Effect::Deliver { ticket: self.ticket() }
    }
}

/// Where only the information at this event is owed, the patient is informed; otherwise asked.
pub fn about(decision: &Decision) -> About {
    let owes = |what| decision.obligations.contains(&what);
    let informs_only = owes(Obligation::InformAtThisEvent)
        && !owes(Obligation::RecordInitialConsent)
        && !owes(Obligation::AskExplicitConsent);
    if informs_only { About::Event } else { About::Access }
}
