//! ITI-81: AuditEvents become the lines of a patient's access history (docs/pdsm.md §6). Pure.

use crate::exchange::pdsm::fhir;
use crate::exchange::pdsm::fhir::Coding;
use crate::exchange::pdsm::fhir::Concept;
use crate::exchange::pdsm::fhir::Extension;
use crate::exchange::pdsm::fhir::Period;
use crate::exchange::pdsm::fhir::Reference;
use crate::exchange::pdsm::names;
use crate::journal::words::Class;
use crate::journal::words::Mode;
use crate::record::state::Access;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct AuditEvent {
    #[serde(rename = "type")]
    kind: Option<Coding>,
    #[serde(default)]
    subtype: Vec<Coding>,
    recorded: Option<String>,
    period: Option<Period>,
    #[serde(default)]
    agent: Vec<Agent>,
    #[serde(default)]
    extension: Vec<Extension>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Agent {
    #[serde(default)]
    requestor: bool,
    #[serde(default)]
    name: String,
    who: Option<Reference>,
    #[serde(default)]
    purpose_of_use: Vec<Concept>,
}

/// What was found, newest first, and how much of it could not be read.
pub struct Found {
    pub accesses: Vec<Access>,
    pub unreadable: usize,
}

pub fn accesses(entries: Vec<Value>) -> Found {
    let read: Vec<Option<Access>> = entries.iter().map(access).collect();
    let unreadable = read.iter().filter(|line| line.is_none()).count();
    let mut accesses: Vec<Access> = read.into_iter().flatten().collect();
    accesses.sort_by_key(|line| std::cmp::Reverse(line.at));
    Found { accesses, unreadable }
}

/// What a patient reads of an act, also of our own that the upstream does not know yet.
pub fn action(class: Class) -> &'static str {
    match class {
        Class::Login => "s’est identifié sur une borne",
        Class::Gate => "a demandé l’accès au dossier",
        Class::Prefetched => "a préparé des documents",
        Class::Listed => "a consulté la liste des documents",
        Class::Searched => "a cherché dans les documents",
        Class::Summary => "a consulté le résumé",
        Class::Opened => "a ouvert un document",
        Class::Printed => "a imprimé un document",
        Class::Contributed => "a ajouté un document",
        Class::Consent => "a recueilli un consentement",
        Class::Refused => "a recueilli un refus",
        Class::Withdrawn => "a recueilli un retrait de consentement",
        Class::BreakGlass => "a accédé au dossier en bris de glace",
        Class::Maintenance => "est intervenu sur une borne",
    }
}

/// TRE_R248 in a patient's words; ours beside it.
pub fn context(mode: Mode) -> &'static str {
    match mode {
        Mode::Normal => "Normal",
        Mode::BrisDeGlace => "Bris de glace",
        Mode::Centre15 => "Centre 15",
        Mode::Prefetch => "Préparation de tournée",
    }
}

fn access(value: &Value) -> Option<Access> {
    let event: AuditEvent = fhir::resource(value, "AuditEvent")?;
    let recorded = event.recorded.as_deref().and_then(fhir::time);
    let started = event.period.as_ref().and_then(|period| period.start.as_deref()).and_then(fhir::time);
    let agent = event.agent.iter().find(|agent| agent.requestor).or(event.agent.first())?;
    Some(Access {
        at: recorded.or(started)?,
        author: agent.author(),
        action: event.action(),
        context: agent.context(),
        unsent: false,
    })
}

impl AuditEvent {
    fn action(&self) -> String {
        let code_of = |system: &str| self.subtype.iter().find(|s| s.system == system).map(|s| s.code.as_str());
        // Where there is room for one subtype, ours stands in the extension.
        let parts = fhir::find(&self.extension, names::LOG_ENTRY).map_or(&[][..], |entry| &entry.extension);
        let beside = fhir::find(parts, "class").and_then(|part| part.value_code.as_deref());
        if let Some(class) = code_of(names::TRACE_CLASS).or(beside).and_then(Class::from_name) {
            return action(class).to_owned();
        }
        let interaction = match code_of(names::INTERACTION) {
            Some("search-type" | "search") => Some("a consulté la liste des documents"),
            Some("read" | "vread") => Some("a ouvert un document"),
            Some("create") => Some("a ajouté un document"),
            Some("update" | "patch") => Some("a modifié un document"),
            Some("delete") => Some("a supprimé un document"),
            _ => None,
        };
        // A server's own sentence comes first, unless it is only FHIR's English name of the interaction.
        let said = self.subtype.iter().filter(|s| s.system != names::INTERACTION).map(|s| s.display.as_str());
        let kind = self.kind.as_ref().map(|kind| kind.display.as_str());
        said.chain(interaction).chain(kind).find(|text| !text.is_empty()).unwrap_or("action non précisée").to_owned()
    }
}

impl Agent {
    fn author(&self) -> String {
        let who = self.who.as_ref();
        let texts = [
            Some(self.name.as_str()),
            who.map(|who| who.display.as_str()),
            who.and_then(|who| who.identifier.as_ref()).map(|id| id.value.as_str()),
        ];
        texts.into_iter().flatten().find(|text| !text.is_empty()).unwrap_or("auteur non précisé").to_owned()
    }

    fn context(&self) -> String {
        let codes = |system| self.purpose_of_use.iter().find_map(move |concept| concept.code_in(system));
        let mode = codes(names::ACCESS_MODE).or(codes(names::MODE));
        match (mode.and_then(Mode::from_name), mode) {
            (Some(mode), _) => context(mode).to_owned(),
            (None, Some(other)) => other.to_owned(),
            (None, None) => context(Mode::Normal).to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(at: &str, subtype: Value, agent: Value) -> Value {
        json!({"resourceType": "AuditEvent", "recorded": at, "type": {"code": "rest", "display": "Accès"},
            "subtype": subtype, "agent": [{"requestor": false, "name": "borne"}, agent]})
    }

    #[test]
    fn lines_are_read_in_our_words_newest_first() {
        let nurse = json!({"requestor": true, "who": {"identifier": {"value": "899700000012"}},
            "purposeOfUse": [{"coding": [{"system": names::ACCESS_MODE, "code": "bris_de_glace"}]}]});
        let doctor = json!({"requestor": true, "name": "MÉDECIN0047 Claire", "who": {"display": "autre"}});
        let found = accesses(vec![
            event(
                "2026-01-01T00:00:00Z",
                json!([{"system": names::INTERACTION, "code": "read"},
                {"system": names::TRACE_CLASS, "code": "printed"}]),
                nurse,
            ),
            event(
                "2026-01-02T00:00:00.5Z",
                json!([{"system": names::INTERACTION, "code": "search-type", "display": "search"}]),
                doctor.clone(),
            ),
            event(
                "2026-01-03T00:00:00Z",
                json!([{"system": "urn:dmp", "code": "x", "display": "a ouvert le DMP"}]),
                doctor.clone(),
            ),
            event("2026-01-04T00:00:00Z", json!([]), doctor),
        ]);
        assert_eq!(found.unreadable, 0);
        let lines: Vec<(&str, &str, &str)> =
            found.accesses.iter().map(|a| (a.author.as_str(), a.action.as_str(), a.context.as_str())).collect();
        assert_eq!(
            lines,
            [
                ("MÉDECIN0047 Claire", "Accès", "Normal"),
                ("MÉDECIN0047 Claire", "a ouvert le DMP", "Normal"),
                ("MÉDECIN0047 Claire", "a consulté la liste des documents", "Normal"),
                ("899700000012", "a imprimé un document", "Bris de glace"),
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_is_counted_and_takes_no_other_with_it() {
        let good = event("2026-01-01T00:00:00Z", json!([]), json!({"requestor": true}));
        let nobody = json!({"resourceType": "AuditEvent", "recorded": "2026-01-01T00:00:00Z", "agent": []});
        let found = accesses(vec![json!(null), good, nobody, event("yesterday", json!([]), json!({}))]);
        assert_eq!((found.accesses.len(), found.unreadable), (1, 3));
        assert_eq!(found.accesses[0].author, "auteur non précisé");
    }
}
