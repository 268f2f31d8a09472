//! What is not given is filled in here, with the ordinary case, and said to be assumed; `--strict` leaves it unknown.

use crate::cli::policy::Failure;
use crate::cli::policy::given::Given;
use crate::identity::holder::CardKind;
use crate::identity::holder::ProfessionCode;
use crate::journal::words::Ground;
use crate::journal::words::Mode;
use crate::journal::words::Regime;
use crate::policy::Facts;
use crate::policy::Matrix;
use crate::policy::facts::Ask;
use crate::policy::facts::Cell;
use crate::policy::facts::ConsentFacts;
use crate::policy::facts::DocumentFacts;
use crate::policy::facts::HolderFacts;
use crate::policy::facts::Known;
use crate::policy::facts::ProfessionKind;
use crate::policy::facts::SiteFacts;
use crate::policy::framework::Framework;
use crate::policy::matrix::Place;
use crate::policy::signed::Standing;
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
use std::fs;
use std::path::Path;

/// Names and values that nobody gave.
pub type Assumed = Vec<(&'static str, String)>;

const ASKS: &[Ask] = &[Ask::OpenRecord, Ask::SeeDocument, Ask::PrefetchDocument, Ask::Deposit];

/// Fills in, and remembers what.
pub struct Filling {
    pub strict: bool,
    pub assumed: Assumed,
}

impl Filling {
    /// Everything that a decision may look at.
    pub fn fill(&mut self, given: &Given, matrix: &Matrix, now: UnixSeconds) -> Result<Facts, Failure> {
        let (mode, ground) = self.mode_and_ground(given)?;
        let ask = match &given.ask {
            Some(text) => word("ask", text, ASKS, |a| a.name())?,
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
            ins_qualified: self.known("ins_qualified", given.ins_qualified.as_deref(), ask == Ask::Deposit)?,
            secret_connection: self.flag("secret_connection", given.secret_connection),
            mode,
            ground,
            emergency_reason,
            document: self.document(given, ask, &place, matrix)?,
            site: SiteFacts {
                brain_death: self.flag("brain_death", given.brain_death),
                brain_death_framework: given.brain_death_framework.as_deref().map(framework).transpose()?,
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
            minor: match given.minor {
                None if given.secret_connection == Some(true) && !self.strict => {
                    Some(self.assume("minor", true, ToString::to_string))
                }
                said => said,
            },
            attending_doctor: self.flag("attending_doctor", given.attending_doctor),
            administrator: self.flag("administrator", given.administrator),
            care_team: None,
            team_words: vec![],
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
            by_representative: self.known("by_representative", given.by_representative.as_deref(), false)?,
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
        let own = ask == Ask::Deposit;
        let by_this_holder = self.known("by_this_holder", given.by_this_holder.as_deref(), own)?;
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

/// Whose establishment it is, is asked where a site is known: at a kiosk's start.
fn framework(path: &Path) -> Result<Framework, Failure> {
    let read =
        |path: &Path| fs::read(path).map_err(|source| Failure::Read { path: path.display().to_string(), source });
    let signature = String::from_utf8_lossy(&read(&path.with_extension("sig"))?).into_owned();
    let opened = Framework::open(&read(path)?, &signature, Standing::Desk);
    opened.map_err(|source| Failure::Framework { path: path.display().to_string(), source })
}
