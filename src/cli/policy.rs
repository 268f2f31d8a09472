//! `chevet policy explain`: the decision for facts given as flags or as JSON, and why.
//!
//! Policy itself assumes nothing. Here alone, what is not given is filled in with the ordinary case (the record is open,
//! the authorization valid, what the named ground asks for is recorded) and listed as `assumed`; `--strict` leaves it
//! unknown. Facts that have no unknown (a yes-or-no of the site or of the upstream) are "no" and listed either way.

mod filling;
mod given;

use crate::cli;
use crate::cli::Common;
use crate::cli::matrix::data::Device;
use crate::cli::matrix::data::now;
use crate::policy::Decision;
use crate::policy::decide;
use filling::Assumed;
use filling::Filling;
use given::Given;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::path::PathBuf;

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

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{path} cannot be read")]
    Read { path: String, source: std::io::Error },
    #[error("{path} does not hold facts that this program knows")]
    Json { path: String, source: serde_json::Error },
    #[error("{value} is no {fact}; {known} are")]
    Word { fact: &'static str, value: String, known: String },
    #[error("{path} is no signed framework")]
    Framework { path: String, source: crate::policy::establishment::Error },
    #[error("the rules of this device cannot be read")]
    Rulebook { source: crate::kiosk::rulebook::Error },
}

/// Explains; 0 permitted, 1 denied.
pub fn run(verb: Verb, common: &Common) -> u8 {
    let Verb::Explain(asked) = verb;
    match explain(&asked, common) {
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
                Failure::Framework { .. } => cli::SAID_NO,
                Failure::Word { .. } | Failure::Json { .. } => cli::WRONG_USE,
                Failure::Read { .. } | Failure::Rulebook { .. } => cli::FAILED,
            }
        }
    }
}

/// One answer, and what the cli filled in for it.
fn explain(asked: &Explain, common: &Common) -> Result<(Decision, Assumed), Failure> {
    let given = match &asked.facts {
        None => asked.given.clone(),
        Some(path) => {
            let path_text = path.display().to_string();
            let text = fs::read_to_string(path).map_err(|source| Failure::Read { path: path_text.clone(), source })?;
            Given::read(&text, &asked.given).map_err(|source| Failure::Json { path: path_text, source })?
        }
    };
    let device = Device::read(&common.config, &common.state).map_err(|source| Failure::Rulebook { source })?;
    let mut filling = Filling { strict: asked.strict, assumed: Vec::new() };
    let facts = filling.fill(&given, &device.matrix, now())?;
    Ok((decide(&facts), filling.assumed))
}

/// `{allow, rule, sentence, law, facts, assumed, obligations}`.
pub fn as_json(decision: &Decision, assumed: &Assumed) -> Value {
    let looked = decision.facts.iter().map(|(name, value)| ((*name).to_owned(), json!(value.to_string())));
    let assumed = assumed.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
    json!({
        "allow": decision.allow, "rule": decision.rule.id, "sentence": decision.rule.sentence, "law": decision.rule.law,
        "facts": looked.collect::<Map<String, Value>>(), "assumed": assumed.collect::<Map<String, Value>>(),
        "obligations": decision.obligations.iter().map(|o| o.name()).collect::<Vec<_>>(),
    })
}

fn as_text(decision: &Decision, assumed: &Assumed) -> String {
    let word = if decision.allow { "Permis" } else { "Refusé" };
    let looked = decision.facts.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ");
    let assumed = assumed.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ");
    let owed = decision.obligations.iter().map(|o| o.name()).collect::<Vec<_>>().join(" ");
    format!(
        "{word} ({})\n{}\n{}\nSource : {}\nFaits : {looked}\nObligations : {owed}\nSupposé : {assumed}\n",
        decision.rule.id,
        decision.rule.sentence,
        decision.what_can_be_done(),
        decision.rule.law,
    )
}
