//! `chevet policy explain`: the decision for facts given as flags or as JSON, and why.
//!
//! Policy itself assumes nothing. Here alone, what is not given is filled in with the ordinary case (the record is open,
//! the authorization valid, what the named ground asks for is recorded) and listed as `assumed`; `--strict` leaves it
//! unknown. Facts that have no unknown (a yes-or-no of the site or of the upstream) are "no" and listed either way.

use crate::cli;
use crate::cli::Common;
use crate::identity::holder::CardKind;
use crate::identity::holder::ProfessionCode;
use crate::journal::words::Ground;
use crate::journal::words::Mode;
use crate::journal::words::Regime;
use crate::policy::Decision;
use crate::policy::Facts;
use crate::policy::Matrix;
use crate::policy::decide;
use crate::policy::facts::Ask;
use crate::policy::facts::Cell;
use crate::policy::facts::ConsentFacts;
use crate::policy::facts::DocumentFacts;
use crate::policy::facts::HolderFacts;
use crate::policy::facts::Known;
use crate::policy::facts::ProfessionKind;
use crate::policy::facts::SiteFacts;
use crate::policy::matrix::Place;
use crate::record::document::Label;
use crate::record::document::Status;
use crate::record::document::TypeCode;
use crate::record::state::Authorization;
use crate::record::state::ClosureReason;
use crate::record::state::EmergencySwitches;
use crate::record::state::Existence;
use crate::record::state::RecordState;
use crate::time::UnixSeconds;
use crate::time::Wall;
use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

#[derive(clap::Subcommand)]
pub enum Verb {
    /// Whether a professional may, by which rule, and why
    #[command(after_help = "Example: chevet policy explain --profession 60 --type 15508-5 --ground team --json")]
    Explain(Box<Explain>),
}

#[derive(clap::Args)]
pub struct Explain {
    #[command(flatten)]
    given: Given,
    /// Read the facts from a JSON file with the names that a decision prints; flags win over it
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// Leave what is not given unknown
    #[arg(long)]
    strict: bool,
}

/// What the caller said; nothing of it is required, and what is wrong is refused by name.
#[derive(clap::Args, Deserialize, Default, Debug, Clone)]
#[serde(deny_unknown_fields, default)]
pub struct Given {
    /// TRE_G15, for example 60
    #[arg(long, value_name = "CODE")]
    pub profession: Option<u16>,
    /// A pharmacist's section, TRE_G05
    #[arg(long, value_name = "CODE")]
    pub section: Option<String>,
    /// doctor, occupational_doctor, coordinating_doctor, pharmacist, other, without_column
    #[arg(long = "kind", value_name = "KIND")]
    pub profession_kind: Option<String>,
    /// CPS, CPF, CPE or CPA
    #[arg(long, value_name = "KIND")]
    pub card_kind: Option<String>,
    #[arg(long = "training", num_args = 0, default_missing_value = "true", value_name = "TRAINING")]
    pub in_training: Option<bool>,
    /// A document's type, for example 15508-5; without it the question is whether the record may be opened
    #[arg(long = "type", value_name = "CODE")]
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// JDV_J08, one to four
    #[arg(long = "label", value_name = "CODE")]
    pub labels: Option<Vec<String>>,
    /// current, archived, superseded, deleted or unknown
    #[arg(long, value_name = "STATUS")]
    pub status: Option<String>,
    /// The matrix's answer, yes, no or unknown, instead of looking it up
    #[arg(long, value_name = "CELL")]
    pub cell: Option<String>,
    /// The holder is the document's author: yes, no or unknown
    #[arg(long = "own", value_name = "KNOWN")]
    pub by_this_holder: Option<String>,
    /// authorization, team, explicit, break_glass or refused
    #[arg(long, value_name = "GROUND")]
    pub ground: Option<String>,
    /// normal, bris_de_glace, prefetch or centre_15
    #[arg(long, value_name = "MODE")]
    pub mode: Option<String>,
    /// open, never_created, closed, closed_by_patient, closed_deceased, blocked or unknown
    #[arg(long, value_name = "STATE")]
    pub record: Option<String>,
    /// valid, none, expired, forbidden or unknown
    #[arg(long, value_name = "STATUS")]
    pub authorization: Option<String>,
    /// RFC 3339
    #[arg(long, value_name = "TIME")]
    pub authorized_until: Option<String>,
    /// arrete-2023 or conseil-etat-2025
    #[arg(long, value_name = "REGIME")]
    pub regime: Option<String>,
    /// unconscious, vital_distress or acute_confusion, and `: text`
    #[arg(long = "reason", value_name = "REASON")]
    pub emergency_reason: Option<String>,
    #[arg(skip)]
    pub ask: Option<String>,
    #[arg(skip)]
    pub blocked: Option<bool>,
    #[arg(skip)]
    pub attending_doctor: Option<bool>,
    #[arg(skip)]
    pub administrator: Option<bool>,
    #[arg(skip)]
    pub minor: Option<bool>,
    #[arg(skip)]
    pub emergency_allowed: Option<bool>,
    #[arg(skip)]
    pub emergency_masked_allowed: Option<bool>,
    #[arg(skip)]
    pub initial_team: Option<String>,
    #[arg(skip)]
    pub informed_at_event: Option<String>,
    #[arg(skip)]
    pub explicit: Option<String>,
    #[arg(skip)]
    pub refused: Option<String>,
    #[arg(skip)]
    pub in_team: Option<String>,
    #[arg(skip)]
    pub given_at: Option<String>,
    #[arg(skip)]
    pub brain_death: Option<bool>,
    #[arg(skip)]
    pub brain_death_framework: Option<String>,
    #[arg(skip)]
    pub time: Option<String>,
    #[arg(skip)]
    pub time_trust: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{path} cannot be read")]
    Read { path: String, source: std::io::Error },
    #[error("{path} does not hold facts that this program knows")]
    Json { path: String, source: serde_json::Error },
    #[error("{value} is no {fact}; {known} are")]
    Word { fact: &'static str, value: String, known: String },
    #[error("the matrix is not in force")]
    Matrix { source: crate::policy::matrix::Error },
}

/// Explains; 0 permitted, 1 denied.
pub fn run(verb: Verb, common: &Common) -> u8 {
    let Verb::Explain(asked) = verb;
    match explain(&asked) {
        Ok((decision, assumed)) => {
            if common.json {
                println!("{}", as_json(&decision, &assumed));
            } else {
                print!("{}", as_text(&decision, &assumed));
            }
            if decision.allow { cli::DONE } else { cli::SAID_NO }
        }
        Err(failure) => {
            cli::complain(&failure);
            match failure {
                Failure::Word { .. } | Failure::Json { .. } => cli::WRONG_USE,
                Failure::Read { .. } | Failure::Matrix { .. } => cli::FAILED,
            }
        }
    }
}

/// One answer, and what the cli filled in for it.
pub fn explain(asked: &Explain) -> Result<(Decision, Assumed), Failure> {
    let mut given = match &asked.facts {
        None => Given::default(),
        Some(path) => {
            let path_text = path.display().to_string();
            let text = fs::read_to_string(path).map_err(|source| Failure::Read { path: path_text.clone(), source })?;
            serde_json::from_str(&text).map_err(|source| Failure::Json { path: path_text, source })?
        }
    };
    given.overlay(&asked.given);
    let matrix = Matrix::shipped().map_err(|source| Failure::Matrix { source })?;
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let now = UnixSeconds(i64::try_from(clock).unwrap_or(i64::MAX));
    let mut filling = Filling { strict: asked.strict, assumed: Vec::new() };
    let facts = filling.fill(&given, &matrix, now)?;
    Ok((decide(&facts), filling.assumed))
}

/// Names and values that nobody gave.
pub type Assumed = Vec<(&'static str, String)>;

/// `{allow, rule, sentence, law, facts, assumed, obligations}`.
pub fn as_json(decision: &Decision, assumed: &Assumed) -> Value {
    let object = |pairs: &[(&'static str, String)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<Map<String, Value>>()
    };
    json!({
        "allow": decision.allow, "rule": decision.rule.id, "sentence": decision.rule.sentence, "law": decision.rule.law,
        "facts": object(&decision.facts), "assumed": object(assumed),
        "obligations": decision.obligations.iter().map(|o| o.name()).collect::<Vec<_>>(),
    })
}

fn as_text(decision: &Decision, assumed: &Assumed) -> String {
    let word = if decision.allow { "Permis" } else { "Refusé" };
    let list = |pairs: &[(&'static str, String)]| {
        pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    };
    let owed = decision.obligations.iter().map(|o| o.name()).collect::<Vec<_>>().join(" ");
    format!(
        "{word} ({})\n{}\n{}\nSource : {}\nFaits : {}\nObligations : {owed}\nSupposé : {}\n",
        decision.rule.id,
        decision.rule.sentence,
        decision.what_can_be_done(),
        decision.rule.law,
        list(&decision.facts),
        list(assumed),
    )
}

struct Filling {
    strict: bool,
    assumed: Assumed,
}

impl Filling {
    fn fill(&mut self, given: &Given, matrix: &Matrix, now: UnixSeconds) -> Result<Facts, Failure> {
        let (mode, ground) = self.mode_and_ground(given)?;
        let ask = match &given.ask {
            Some(text) => word("ask", text, &[Ask::OpenRecord, Ask::SeeDocument, Ask::PrefetchDocument], |a| a.name())?,
            None if given.kind.is_none() => Ask::OpenRecord,
            None if mode == Mode::Prefetch => Ask::PrefetchDocument,
            None => Ask::SeeDocument,
        };
        let regime = match &given.regime {
            Some(text) => word("regime", text, Regime::ALL, |r| r.name())?,
            None => self.assume("regime", Regime::ConseilEtat2025, |r| r.name().into()),
        };
        let place = Place::of(given.profession.map(ProfessionCode), given.section.as_deref());
        let is_emergency = ground == Some(Ground::BreakGlass);
        let emergency_reason = match &given.emergency_reason {
            None if is_emergency && !self.strict => {
                Some(self.assume("emergency_reason", "unconscious".to_owned(), Clone::clone))
            }
            other => other.clone(),
        };
        Ok(Facts {
            ask,
            holder: self.holder(given, place.kind)?,
            record: self.record(given, is_emergency)?,
            consent: self.consent(given, ground, mode)?,
            mode,
            ground,
            emergency_reason,
            document: self.document(given, ask, &place, matrix)?,
            site: SiteFacts {
                brain_death: self.flag("brain_death", given.brain_death),
                brain_death_framework: given.brain_death_framework.clone(),
            },
            matrix_version: matrix.version.clone(),
            regime,
            time: self.time(given, now)?,
        })
    }

    fn mode_and_ground(&mut self, given: &Given) -> Result<(Mode, Option<Ground>), Failure> {
        let ground = match &given.ground {
            Some(text) => Some(word("ground", text, Ground::ALL, |g| g.name())?),
            None => None,
        };
        let mode = match &given.mode {
            Some(text) => word("mode", text, Mode::ALL, |m| m.name())?,
            None if ground == Some(Ground::BreakGlass) => self.assume("mode", Mode::BrisDeGlace, |m| m.name().into()),
            None => self.assume("mode", Mode::Normal, |m| m.name().into()),
        };
        if ground.is_none() && mode == Mode::BrisDeGlace && !self.strict {
            return Ok((mode, Some(self.assume("ground", Ground::BreakGlass, |g| g.name().into()))));
        }
        Ok((mode, ground))
    }

    fn holder(&mut self, given: &Given, found: ProfessionKind) -> Result<HolderFacts, Failure> {
        let in_training = self.flag("in_training", given.in_training);
        let usual = if in_training { CardKind::Cpf } else { CardKind::Cps };
        let kinds = [CardKind::Cps, CardKind::Cpf, CardKind::Cpe, CardKind::Cpa];
        let card_kind = match &given.card_kind {
            Some(text) => word("card_kind", text, &kinds, |k| k.name())?,
            None => self.assume("card_kind", usual, |k| k.name().into()),
        };
        let professions = [
            ProfessionKind::Doctor,
            ProfessionKind::OccupationalDoctor,
            ProfessionKind::CoordinatingDoctor,
            ProfessionKind::Pharmacist,
            ProfessionKind::Other,
            ProfessionKind::WithoutColumn,
        ];
        let kind = match &given.profession_kind {
            Some(text) => word("profession_kind", text, &professions, |k| k.name())?,
            None => found,
        };
        Ok(HolderFacts { card_kind, profession: given.profession.map(ProfessionCode), kind, in_training })
    }

    fn record(&mut self, given: &Given, is_emergency: bool) -> Result<RecordState, Failure> {
        let closed = |reason| Existence::Closed { reason, on: None };
        let mut blocked = given.blocked;
        let existence = match given.record.as_deref() {
            Some("open") => Existence::Open,
            Some("never_created") => Existence::NeverCreated,
            Some("closed") => closed(ClosureReason::Other),
            Some("closed_by_patient") => closed(ClosureReason::Patient),
            Some("closed_deceased") => closed(ClosureReason::Deceased),
            Some("unknown") => Existence::Unknown,
            Some("blocked") => {
                blocked = Some(true);
                Existence::Open
            }
            Some(other) => {
                let known = "open, never_created, closed, closed_by_patient, closed_deceased, blocked, unknown";
                return Err(Failure::Word { fact: "record", value: other.to_owned(), known: known.into() });
            }
            None if self.strict => Existence::Unknown,
            None => self.assume("record", Existence::Open, |_| "open".into()),
        };
        let until = time("authorized_until", given.authorized_until.as_deref())?;
        let statuses = [
            Authorization::Valid { until },
            Authorization::None,
            Authorization::Expired,
            Authorization::Forbidden,
            Authorization::Unknown,
        ];
        let name = |status: &Authorization| crate::policy::looked::authorization(*status);
        let authorization = match &given.authorization {
            Some(text) => word("authorization", text, &statuses, name)?,
            None if self.strict => Authorization::Unknown,
            None => self.assume("authorization", Authorization::Valid { until }, |_| "valid".into()),
        };
        let said = given.emergency_allowed.is_some() || given.emergency_masked_allowed.is_some();
        let emergency = if said || (is_emergency && !self.strict) {
            let other_professionals = given.emergency_allowed;
            let other_professionals = match other_professionals {
                Some(said) => said,
                None => self.assume("emergency_allowed", !self.strict, ToString::to_string),
            };
            let masked_documents = self.flag("emergency_masked_allowed", given.emergency_masked_allowed);
            Some(EmergencySwitches { samu: other_professionals, other_professionals, masked_documents })
        } else {
            None
        };
        Ok(RecordState {
            existence,
            authorization,
            blocked: self.flag("blocked", blocked),
            emergency,
            minor: given.minor,
            attending_doctor: self.flag("attending_doctor", given.attending_doctor),
            administrator: self.flag("administrator", given.administrator),
        })
    }

    /// What the named ground asks for is recorded; what it does not ask for is not.
    fn consent(&mut self, given: &Given, ground: Option<Ground>, mode: Mode) -> Result<ConsentFacts, Failure> {
        let by_team = ground == Some(Ground::Team) || (mode == Mode::Prefetch && ground == Some(Ground::Authorization));
        let informed = by_team || matches!(ground, Some(Ground::Authorization | Ground::Explicit));
        Ok(ConsentFacts {
            initial_team: self.known("initial_team", given.initial_team.as_deref(), by_team)?,
            informed_at_event: self.known("informed_at_event", given.informed_at_event.as_deref(), informed)?,
            explicit: self.known("explicit", given.explicit.as_deref(), ground == Some(Ground::Explicit))?,
            refused: self.known("refused", given.refused.as_deref(), ground == Some(Ground::Refused))?,
            in_team: self.known("in_team", given.in_team.as_deref(), by_team)?,
            given_at: time("given_at", given.given_at.as_deref())?,
        })
    }

    fn document(
        &mut self,
        given: &Given,
        ask: Ask,
        place: &Place,
        matrix: &Matrix,
    ) -> Result<Option<DocumentFacts>, Failure> {
        let Some(kind) = given.kind.as_ref().filter(|_| ask != Ask::OpenRecord) else { return Ok(None) };
        let type_code = TypeCode(kind.clone());
        let cell = match &given.cell {
            Some(text) => word("cell", text, &[Cell::Yes, Cell::No, Cell::Unknown], |c| c.name())?,
            None => matrix.cell(place, &type_code),
        };
        let labels = match &given.labels {
            Some(codes) => codes.iter().map(|code| Label::from_code(code)).collect(),
            None if self.strict => Vec::new(),
            None => self.assume("labels", vec![Label::Normal], |_| "N".into()),
        };
        let statuses = [Status::Current, Status::Archived, Status::Superseded, Status::Deleted, Status::Unknown];
        let status = match &given.status {
            Some(text) => word("status", text, &statuses, |s| crate::policy::looked::status(*s))?,
            None if self.strict => Status::Unknown,
            None => self.assume("status", Status::Current, |_| "current".into()),
        };
        let by_this_holder = self.known("by_this_holder", given.by_this_holder.as_deref(), false)?;
        Ok(Some(DocumentFacts { type_code, cell, labels, status, by_this_holder }))
    }

    fn time(&mut self, given: &Given, now: UnixSeconds) -> Result<Wall, Failure> {
        let at = match time("time", given.time.as_deref())? {
            Some(at) => at,
            None => self.assume("time", now, |at| at.rfc3339()),
        };
        let trusted = match given.time_trust.as_deref() {
            Some("is") => true,
            Some("at_least") => false,
            Some(other) => {
                let known = "is, at_least".into();
                return Err(Failure::Word { fact: "time_trust", value: other.to_owned(), known });
            }
            None if self.strict => false,
            None => self.assume("time_trust", true, |_| "is".into()),
        };
        Ok(if trusted { Wall::Is(at) } else { Wall::AtLeast(at) })
    }

    fn known(&mut self, fact: &'static str, given: Option<&str>, usual: bool) -> Result<Known, Failure> {
        match given {
            Some(text) => word(fact, text, &[Known::Yes, Known::No, Known::Unknown], |k| k.name()),
            None if self.strict => Ok(Known::Unknown),
            None => Ok(self.assume(fact, if usual { Known::Yes } else { Known::No }, |k| k.name().into())),
        }
    }

    /// A fact without an unknown: "no" when nobody said.
    fn flag(&mut self, fact: &'static str, given: Option<bool>) -> bool {
        given.unwrap_or_else(|| self.assume(fact, false, ToString::to_string))
    }

    fn assume<T>(&mut self, fact: &'static str, value: T, text: impl Fn(&T) -> String) -> T {
        self.assumed.push((fact, text(&value)));
        value
    }
}

fn word<T: Clone>(fact: &'static str, text: &str, all: &[T], name: impl Fn(&T) -> &'static str) -> Result<T, Failure> {
    let found = all.iter().find(|value| name(value) == text).cloned();
    let known = || all.iter().map(&name).collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| Failure::Word { fact, value: text.to_owned(), known: known() })
}

fn time(fact: &'static str, text: Option<&str>) -> Result<Option<UnixSeconds>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let read = UnixSeconds::parse(text).map(Some);
    read.ok_or_else(|| Failure::Word { fact, value: text.to_owned(), known: "RFC 3339 times".into() })
}

impl Given {
    /// A flag wins over the file.
    fn overlay(&mut self, flags: &Given) {
        fn over<T: Clone>(below: &mut Option<T>, above: &Option<T>) {
            if above.is_some() {
                below.clone_from(above);
            }
        }
        over(&mut self.profession, &flags.profession);
        over(&mut self.section, &flags.section);
        over(&mut self.profession_kind, &flags.profession_kind);
        over(&mut self.card_kind, &flags.card_kind);
        over(&mut self.in_training, &flags.in_training);
        over(&mut self.kind, &flags.kind);
        over(&mut self.labels, &flags.labels);
        over(&mut self.status, &flags.status);
        over(&mut self.cell, &flags.cell);
        over(&mut self.by_this_holder, &flags.by_this_holder);
        over(&mut self.ground, &flags.ground);
        over(&mut self.mode, &flags.mode);
        over(&mut self.record, &flags.record);
        over(&mut self.authorization, &flags.authorization);
        over(&mut self.authorized_until, &flags.authorized_until);
        over(&mut self.regime, &flags.regime);
        over(&mut self.emergency_reason, &flags.emergency_reason);
    }
}
