//! How a record is searched: ITI-67 in both of its forms, ITI-66, and ANS's synchronisation over them (docs/pdsm.md §4).
//!
//! MHD chains: `patient.identifier`. A server that finds nothing that way, or refuses it, is asked for its own name of the patient
//! first and searched by it; which of the two it understands is remembered for as long as the program runs.

use crate::exchange::pdsm::FHIR_JSON;
use crate::exchange::pdsm::PAGE_BYTES_MAX;
use crate::exchange::pdsm::Pdsm;
use crate::exchange::pdsm::capability::Capability;
use crate::exchange::pdsm::documents;
use crate::exchange::pdsm::fhir;
use crate::exchange::pdsm::lists;
use crate::exchange::pdsm::names;
use crate::exchange::search::Between;
use crate::exchange::search::Search;
use crate::exchange::upstream::AsHolder;
use crate::exchange::upstream::Error;
use crate::exchange::upstream::failed;
use crate::link::Method;
use crate::link::Request;
use crate::patient::ins::Ins;
use crate::record::document::Document;
use crate::record::document::Status;
use crate::record::sync;
use crate::record::sync::Changes;
use crate::record::sync::Kept;
use crate::time::UnixSeconds;
use serde_json::Value;

type Parameters = Vec<(&'static str, String)>;

const LIST: &str = "the list";

impl Pdsm {
    pub(super) async fn documents(
        &self,
        who: &AsHolder,
        patient: &Ins,
        search: &Search,
    ) -> Result<Vec<Document>, Error> {
        let entries = self.about(who, patient, "DocumentReference", parameters(search)).await?;
        Ok(read(entries, patient))
    }

    /// What changed and what stands are asked together: over a slow link each round trip counts.
    pub(super) async fn changed(
        &self,
        who: &AsHolder,
        patient: &Ins,
        kept: &Kept,
        since: UnixSeconds,
    ) -> Result<Changes, Error> {
        let (changed, standing) =
            tokio::try_join!(self.changed_entries(who, patient, kept, since), self.standing(who, patient, since))?;
        let replaced = documents::replaced(&changed);
        let standing = documents::standing(&standing);
        let mut found = read(changed, patient);
        let missing = sync::missing(&standing, &kept.entries, &found);
        found.extend(self.in_batches(who, patient, &missing).await?);
        Ok(Changes { documents: found, standing, replaced })
    }

    /// By the last change where the server can search by it, by what was submitted since where it cannot.
    async fn changed_entries(
        &self,
        who: &AsHolder,
        patient: &Ins,
        kept: &Kept,
        not_before: UnixSeconds,
    ) -> Result<Vec<Value>, Error> {
        let since = kept.last.plus(-sync::OVERLAP_S);
        match self.capability().await {
            Capability { last_updated: true, .. } => {
                let search = Search::changed_since(since, not_before);
                self.about(who, patient, "DocumentReference", parameters(&search)).await
            }
            Capability { lists: true, .. } => {
                let parameters = vec![
                    ("code", format!("{}|{}", names::LIST_TYPE, lists::SUBMISSION_SET)),
                    ("status", "current".to_owned()),
                    ("date", format!("ge{}", since.rfc3339())),
                    ("_count", PAGE.to_owned()),
                ];
                let submitted = self.about(who, patient, "List", parameters).await?;
                self.entries_in_batches(who, patient, &lists::entries(&submitted)).await
            }
            // What is new is found among what stands.
            _ => Ok(Vec::new()),
        }
    }

    async fn standing(&self, who: &AsHolder, patient: &Ins, since: UnixSeconds) -> Result<Vec<Value>, Error> {
        let mut asked = parameters(&Search::standing_since(since));
        asked.push(("_elements", documents::STANDING_ELEMENTS.to_owned()));
        self.about(who, patient, "DocumentReference", asked).await
    }

    async fn in_batches(&self, who: &AsHolder, patient: &Ins, entries: &[String]) -> Result<Vec<Document>, Error> {
        Ok(read(self.entries_in_batches(who, patient, entries).await?, patient))
    }

    async fn entries_in_batches(&self, who: &AsHolder, patient: &Ins, entries: &[String]) -> Result<Vec<Value>, Error> {
        let mut found = Vec::new();
        for batch in entries.chunks(sync::BATCH) {
            let search = Search::of_entries(batch);
            found.extend(self.about(who, patient, "DocumentReference", parameters(&search)).await?);
        }
        Ok(found)
    }

    /// A search about one patient, in the form that this server understands.
    async fn about(
        &self,
        who: &AsHolder,
        patient: &Ins,
        kind: &str,
        parameters: Parameters,
    ) -> Result<Vec<Value>, Error> {
        if self.chains.get() != Some(&false) {
            let chained = with(("patient.identifier", fhir::ins_token(patient)), &parameters);
            match self.pages(who, kind, LIST, &borrowed(&chained)).await {
                // Nothing from a server that has found something that way is nothing: on most days nothing has changed.
                Ok(found) if found.is_empty() && self.chains.get().is_none() => {}
                // A chain that is not understood.
                Err(Error::Failed { status: 400, .. }) => {}
                Ok(found) => {
                    let _known = self.chains.set(true);
                    return Ok(found);
                }
                Err(error) => return Err(error),
            }
        }
        let Some(reference) = self.reference(who, patient).await? else { return Ok(Vec::new()) };
        let direct = with(("patient", reference), &parameters);
        let found = self.pages(who, kind, LIST, &borrowed(&direct)).await?;
        if !found.is_empty() {
            let _known = self.chains.set(false);
        }
        Ok(found)
    }

    /// What this server calls that patient. It must say whose number it is: the token goes with what follows.
    async fn reference(&self, who: &AsHolder, patient: &Ins) -> Result<Option<String>, Error> {
        let ins = fhir::ins_token(patient);
        let found = self.pages(who, "Patient", LIST, &[("identifier", &*ins)]).await?;
        let system = fhir::ins_system(patient);
        let is_theirs = |resource: &&Value| {
            let ids = resource["identifier"].as_array().map(Vec::as_slice).unwrap_or_default();
            ids.iter().any(|id| id["system"] == system.as_str() && id["value"] == patient.matricule.as_str())
        };
        let mut ids = found.iter().filter(is_theirs).filter_map(|resource| resource["id"].as_str());
        match (ids.next(), ids.next()) {
            (Some(id), None) => Ok(Some(format!("Patient/{id}"))),
            (None, _) => Ok(None),
            (Some(_), Some(_)) => Err(Error::Unreadable { what: LIST, why: "two patients have the same INS" }),
        }
    }

    /// Asked once; a server that cannot be reached is asked again the next time.
    pub(super) async fn capability(&self) -> Capability {
        let learn = async {
            let request = Request {
                method: Method::Get,
                url: format!("{}/metadata", self.base),
                accept: FHIR_JSON.to_owned(),
                bearer: None,
                headers: Vec::new(),
                body: None,
                limit_bytes: PAGE_BYTES_MAX,
            };
            let answer = self.upstream.send(request).await.map_err(|error| failed(error, "metadata"))?;
            match answer.status {
                200..=299 => Ok(Capability::read(&answer.body)),
                500.. | 429 => Err(Error::Failed { status: answer.status, retry_after_s: None }),
                _ => Ok(Capability::UNSAID),
            }
        };
        self.learned.get_or_try_init(|| learn).await.copied().unwrap_or(Capability::UNSAID)
    }
}

/// The most that one page is asked to hold.
const PAGE: &str = "100";

/// A search in FHIR's words (R4 DocumentReference §search, MHD §3.67.4.1.2).
fn parameters(search: &Search) -> Parameters {
    let mut all: Parameters = Vec::new();
    let mut several = |name, values: Vec<String>| {
        if !values.is_empty() {
            all.push((name, values.join(",")));
        }
    };
    let mut statuses: Vec<String> = search.statuses.iter().filter_map(|status| status_code(*status)).collect();
    statuses.dedup();
    several("status", statuses);
    several("type", search.types.iter().map(|code| fhir::escape(&code.0)).collect());
    several("category", search.categories.iter().map(|code| fhir::escape(&code.0)).collect());
    let labels = search.labels.iter().filter(|label| !matches!(label, crate::record::document::Label::Unknown(_)));
    several("security-label", labels.map(|label| fhir::escape(label.code())).collect());
    several("_id", search.entries.iter().map(|id| fhir::escape(id)).collect());
    for (name, Between { from, until }) in [("date", search.date), ("period", search.period)] {
        all.extend(from.map(|at| (name, format!("ge{}", at.rfc3339()))));
        all.extend(until.map(|at| (name, format!("le{}", at.rfc3339()))));
    }
    all.extend(search.changed_since.map(|at| ("_lastUpdated", format!("ge{}", at.rfc3339()))));
    all.push(("_count", PAGE.to_owned()));
    all
}

fn status_code(status: Status) -> Option<String> {
    let code = match status {
        Status::Current | Status::Archived => "current",
        Status::Superseded => "superseded",
        Status::Deleted => "entered-in-error",
        Status::Unknown => return None,
    };
    Some(code.to_owned())
}

fn with(first: (&'static str, String), rest: &Parameters) -> Parameters {
    std::iter::once(first).chain(rest.iter().cloned()).collect()
}

fn borrowed(parameters: &Parameters) -> Vec<(&str, &str)> {
    parameters.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

fn read(entries: Vec<Value>, patient: &Ins) -> Vec<Document> {
    let found = documents::documents(entries, patient);
    if found.unreadable > 0 {
        tracing::warn!(unreadable = found.unreadable, "list");
    }
    found.documents
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::document::ClassCode;
    use crate::record::document::Label;
    use crate::record::document::TypeCode;

    #[test]
    fn every_parameter_is_written_as_fhir_has_it() {
        let at = UnixSeconds(1_795_423_320);
        let search = Search {
            statuses: vec![Status::Current, Status::Archived, Status::Superseded, Status::Deleted, Status::Unknown],
            types: vec![TypeCode("34133-9".into()), TypeCode("a,b".into())],
            categories: vec![ClassCode("11".into())],
            date: Between::since(at),
            period: Between { from: Some(at), until: Some(at.plus(60)) },
            labels: vec![Label::Normal, Label::Unknown("x".into()), Label::MaskedToProfessionals],
            changed_since: Some(at),
            entries: vec!["e1".into(), "e2".into()],
        };
        let written: Vec<String> = parameters(&search).iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            written,
            [
                "status=current,superseded,entered-in-error",
                "type=34133-9,a\\,b",
                "category=11",
                "security-label=N,MASQUE_PS",
                "_id=e1,e2",
                "date=ge2026-11-23T08:42:00Z",
                "period=ge2026-11-23T08:42:00Z",
                "period=le2026-11-23T08:43:00Z",
                "_lastUpdated=ge2026-11-23T08:42:00Z",
                "_count=100"
            ]
        );
        assert_eq!(parameters(&Search::default()), [("_count", "100".to_owned())]);
    }
}
