//! ITI-18: what is asked of the registry, and what it answers. Pure.

use crate::exchange::dmp::ebrim::Element;
use crate::exchange::dmp::entry;
use crate::exchange::dmp::names;
use crate::exchange::dmp::names::query;
use crate::exchange::dmp::names::status;
use crate::exchange::dmp::said::Remark;
use crate::exchange::dmp::soap;
use crate::exchange::dmp::xml;
use crate::exchange::search::Between;
use crate::exchange::search::Search;
use crate::record::document::Label;
use crate::record::document::Status;
use crate::time::UnixSeconds;
use roxmltree::Node;

/// How much of each object is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// The whole of it.
    LeafClass,
    /// Its id alone.
    ObjectRef,
}

/// What a registry answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: Outcome,
    pub remarks: Vec<Remark>,
    pub objects: Vec<Element>,
    /// Nothing failed, the list is there, and no more was announced than came.
    pub is_whole: bool,
}

/// ebRS 3.0 §2.1.3.1, and IHE's between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Success,
    /// Something came, and something went wrong.
    Partial,
    Failure,
}

/// A stored query with its parameters; values are written as they are given.
pub fn stored(id: &str, returns: Returns, slots: &[(&str, String)]) -> String {
    let returns = match returns {
        Returns::LeafClass => "LeafClass",
        Returns::ObjectRef => "ObjectRef",
    };
    let slot = |(name, value): &(&str, String)| {
        format!(
            "<rim:Slot name=\"{name}\"><rim:ValueList><rim:Value>{}</rim:Value></rim:ValueList></rim:Slot>",
            xml::escape(value)
        )
    };
    let slots: String = slots.iter().map(slot).collect();
    format!(
        "<query:AdhocQueryRequest xmlns:query=\"{}\" xmlns:rim=\"{}\"><query:ResponseOption \
         returnComposedObjects=\"true\" returnType=\"{returns}\"/><rim:AdhocQuery id=\"{id}\">{slots}</rim:AdhocQuery>\
         </query:AdhocQueryRequest>",
        names::QUERY,
        names::RIM,
    )
}

/// Of the synchronisation: the sets that were submitted since, by their ids.
pub fn submissions(patient: &str, since: UnixSeconds) -> String {
    let slots = [
        ("$XDSSubmissionSetPatientId", quoted(patient)),
        ("$XDSSubmissionSetSubmissionTimeFrom", entry::write_time(since)),
        ("$XDSSubmissionSetStatus", list(std::iter::once(status::APPROVED.to_owned()))),
    ];
    stored(query::FIND_SUBMISSION_SETS, Returns::ObjectRef, &slots)
}

/// And what these sets are about: members, and entries whose status they change.
pub fn associations(ids: &[String]) -> String {
    stored(query::GET_ASSOCIATIONS, Returns::LeafClass, &[("$uuid", list(ids.iter().cloned()))])
}

/// And those entries as they are now, with what they replace.
pub fn with_associations(ids: &[String]) -> String {
    let ids = list(ids.iter().cloned());
    stored(query::GET_DOCUMENTS_AND_ASSOCIATIONS, Returns::LeafClass, &[("$XDSDocumentEntryEntryUUID", ids)])
}

/// The ids among objects of which no more was asked.
pub fn ids(objects: &[Element]) -> Vec<String> {
    objects.iter().filter_map(|one| one.attribute("id")).map(str::to_owned).collect()
}

/// The objects that links of one of these kinds lead to.
pub fn targets(objects: &[Element], kinds: &[&str]) -> Vec<String> {
    let links = objects.iter().filter(|one| one.name == "Association");
    let of_kind = links.filter(|one| one.attribute("associationType").is_some_and(|kind| kinds.contains(&kind)));
    of_kind.filter_map(|one| one.attribute("targetObject")).map(str::to_owned).collect()
}

/// TD3.1a. What no registry can be asked for (an unknown label or status) is left out of the question, never of the answer.
pub fn find(search: &Search, patient: &str, returns: Returns) -> String {
    let mut slots = vec![("$XDSDocumentEntryPatientId", quoted(patient))];
    let mut statuses: Vec<&str> = search.statuses.iter().flat_map(|one| asked_status(*one)).collect();
    if statuses.is_empty() {
        statuses = [Status::Current, Status::Archived, Status::Superseded, Status::Deleted]
            .into_iter()
            .filter_map(entry::write_status)
            .collect();
    }
    statuses.dedup();
    slots.push(("$XDSDocumentEntryStatus", list(statuses.iter().map(|one| (*one).to_owned()))));
    let coded = |code: &str, system: &str| format!("{code}^^{system}");
    let mut several = |name, values: Vec<String>| {
        if !values.is_empty() {
            slots.push((name, list(values.into_iter())));
        }
    };
    let types = search.types.iter().map(|code| coded(&code.0, entry::type_system(&code.0)));
    several("$XDSDocumentEntryTypeCode", types.collect());
    let classes = search.categories.iter().map(|code| coded(&code.0, names::CLASS));
    several("$XDSDocumentEntryClassCode", classes.collect());
    let labels = search.labels.iter().filter_map(|label| match label {
        Label::Unknown(_) => None,
        Label::Normal | Label::Restricted | Label::VeryRestricted => Some(coded(label.code(), names::CONFIDENTIALITY)),
        other => Some(coded(other.code(), names::VISIBILITY)),
    });
    several("$XDSDocumentEntryConfidentialityCode", labels.collect());
    let times = [
        ("$XDSDocumentEntryCreationTimeFrom", "$XDSDocumentEntryCreationTimeTo", search.date),
        ("$XDSDocumentEntryServiceStartTimeFrom", "$XDSDocumentEntryServiceStartTimeTo", search.period),
    ];
    for (begin, end, Between { from, until }) in times {
        slots.extend(from.map(|at| (begin, entry::write_time(at))));
        // Both ends belong to it here; `To` does not there (IHE ITI TF Vol 2 §3.18.4.1.2.3.7.1).
        slots.extend(until.map(|at| (end, entry::write_time(at.plus(1)))));
    }
    stored(query::FIND_DOCUMENTS, returns, &slots)
}

/// What is current may be archived, in both worlds' words of it.
fn asked_status(status: Status) -> Vec<&'static str> {
    let also = (status == Status::Current).then_some(Status::Archived);
    std::iter::once(status).chain(also).filter_map(entry::write_status).collect()
}

/// TD3.1b and its like: documents by their unique ids.
pub fn by_unique_id(ids: &[&str], returns: Returns) -> String {
    let ids = list(ids.iter().map(|id| (*id).to_owned()));
    stored(query::GET_DOCUMENTS, returns, &[("$XDSDocumentEntryUniqueId", ids)])
}

/// Some versions of metadata, by their entry ids.
pub fn by_entry(ids: &[String]) -> String {
    let ids = list(ids.iter().cloned());
    stored(query::GET_DOCUMENTS, Returns::LeafClass, &[("$XDSDocumentEntryEntryUUID", ids)])
}

/// A string literal: SQL's quotes (IHE ITI TF Vol 2 §3.18.4.1.2.3.5).
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn list(values: impl Iterator<Item = String>) -> String {
    let values: Vec<String> = values.map(|value| quoted(&value)).collect();
    format!("({})", values.join(","))
}

/// An answer to a question: without its list, one that succeeded says nothing about what stands.
pub fn found(node: Node<'_, '_>) -> Option<Answer> {
    let is_there = node.tag_name().name() == "AdhocQueryResponse" && xml::child(node, "RegistryObjectList").is_some();
    read(node).filter(|answer| is_there || answer.status == Outcome::Failure)
}

/// An AdhocQueryResponse, or a RegistryResponse, which has no objects. `None`: it is neither.
pub fn read(node: Node<'_, '_>) -> Option<Answer> {
    if !matches!(node.tag_name().name(), "AdhocQueryResponse" | "RegistryResponse") {
        return None;
    }
    let status = match node.attribute("status")?.rsplit(':').next()? {
        "Success" => Outcome::Success,
        "PartialSuccess" => Outcome::Partial,
        _ => Outcome::Failure,
    };
    let errors = xml::child(node, "RegistryErrorList");
    let errors = errors.iter().flat_map(|list| list.children().filter(|one| one.tag_name().name() == "RegistryError"));
    let remark = |one: Node<'_, '_>| Remark {
        code: soap::shortened(one.attribute("errorCode").unwrap_or(""), soap::CODE_MAX),
        text: soap::shortened(one.attribute("codeContext").unwrap_or(""), soap::REASON_MAX),
    };
    let list = xml::child(node, "RegistryObjectList");
    let objects = list.iter().flat_map(|list| list.children().filter(Node::is_element));
    let objects: Vec<Element> = objects.map(Element::read).collect();
    let total = node.attribute("totalResultCount");
    let all_came = total.is_none_or(|total| total.trim().parse::<usize>().is_ok_and(|total| total <= objects.len()));
    let is_whole = status == Outcome::Success && list.is_some() && all_came;
    Some(Answer { status, remarks: errors.map(remark).collect(), objects, is_whole })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::document::ClassCode;
    use crate::record::document::TypeCode;

    const CX: &str = "269059900000136^^^&1.2.250.1.213.1.4.10&ISO^NH";

    /// Name and value of each parameter.
    fn slots(text: &str) -> Vec<(String, String)> {
        let document = xml::parse(text).expect("well-formed");
        let query = xml::child(document.root_element(), "AdhocQuery").expect("a query");
        let query = Element::read(query);
        let name = |slot: &Element| slot.attribute("name").expect("a name").to_owned();
        query.named("Slot").map(|slot| (name(slot), query.slot(&name(slot)).collect())).collect()
    }

    #[test]
    fn every_parameter_is_written_as_xds_has_it() {
        let at = UnixSeconds(1_795_423_320);
        let search = Search {
            statuses: vec![Status::Current, Status::Archived, Status::Unknown],
            types: vec![TypeCode("34133-9".into()), TypeCode("DOC'PAT".into())],
            categories: vec![ClassCode("11".into())],
            date: Between::since(at),
            period: Between { from: Some(at), until: Some(at) },
            labels: vec![Label::Normal, Label::Unknown("x".into()), Label::MaskedToProfessionals],
            ..Search::default()
        };
        let written: Vec<String> = slots(&find(&search, CX, Returns::LeafClass))
            .into_iter()
            .map(|(name, value)| format!("{}={value}", &name[17..]))
            .collect();
        assert_eq!(
            written,
            [
                "PatientId='269059900000136^^^&1.2.250.1.213.1.4.10&ISO^NH'".to_owned(),
                format!("Status=('{}','{}')", names::status::APPROVED, names::status::ARCHIVED),
                "TypeCode=('34133-9^^2.16.840.1.113883.6.1','DOC''PAT^^1.2.250.1.213.1.1.4.12')".to_owned(),
                "ClassCode=('11^^1.2.250.1.213.1.1.4.1')".to_owned(),
                "ConfidentialityCode=('N^^2.16.840.1.113883.5.25','MASQUE_PS^^1.2.250.1.213.1.1.4.13')".to_owned(),
                "CreationTimeFrom=20261123084200".to_owned(),
                "ServiceStartTimeFrom=20261123084200".to_owned(),
                "ServiceStartTimeTo=20261123084201".to_owned(),
            ]
        );
        let all = slots(&find(&Search::default(), CX, Returns::LeafClass));
        assert_eq!(all.len(), 2, "patient and status are mandatory, and nothing else");
        assert_eq!(all[1].1.matches("StatusType").count(), 4);
    }

    #[test]
    fn only_a_list_that_came_whole_says_what_stands() {
        let whole = |text: &str| found(xml::parse(text).expect("XML").root_element()).map(|answer| answer.is_whole);
        let answer = |said: &str, list: &str| format!("<AdhocQueryResponse {said}>{list}</AdhocQueryResponse>");
        let (none, one) = ("<RegistryObjectList/>", "<RegistryObjectList><ObjectRef id='1'/></RegistryObjectList>");
        assert_eq!(whole(&answer("status='x:Success'", none)), Some(true));
        assert_eq!(whole(&answer("status='x:Success' totalResultCount='1'", one)), Some(true));
        for said in ["totalResultCount='2'", "totalResultCount='-1'", "totalResultCount=''"] {
            assert_eq!(whole(&answer(&format!("status='x:Success' {said}"), one)), Some(false), "{said}");
        }
        assert_eq!(whole(&answer("status='x:PartialSuccess'", one)), Some(false));
        assert_eq!(whole(&answer("status='x:Failure'", "")), Some(false));
        assert_eq!(whole(&answer("status='x:Success'", "")), None);
        assert_eq!(whole(&answer("status='x:Success'", one).replace("AdhocQuery", "Registry")), None);
    }

    #[test]
    fn an_answer_is_read_with_what_went_wrong() {
        let read = |text: &str| {
            let document = xml::parse(text).expect("well-formed");
            read(document.root_element())
        };
        let answer = |status: &str, inside: &str| {
            format!(
                "<q:AdhocQueryResponse xmlns:q='{}' xmlns:rs='{}' xmlns='{}' status='urn:x:{status}'>{inside}</q:AdhocQueryResponse>",
                names::QUERY,
                names::RS,
                names::RIM
            )
        };
        let two = "<RegistryObjectList><ObjectRef id='urn:uuid:1'/><ExtrinsicObject id='2'/></RegistryObjectList>";
        let found = read(&answer("Success", two)).expect("an answer");
        assert_eq!((found.status, found.objects.len(), found.remarks.len()), (Outcome::Success, 2, 0));
        assert_eq!(found.objects[0].attribute("id"), Some("urn:uuid:1"));
        let error = "<rs:RegistryErrorList><rs:RegistryError errorCode='XDSUnknownPatientId' codeContext='inconnu'/>\
            </rs:RegistryErrorList>";
        let failed = read(&answer("Failure", error)).expect("an answer");
        assert_eq!(failed.status, Outcome::Failure);
        assert_eq!(failed.remarks, [Remark { code: "XDSUnknownPatientId".into(), text: "inconnu".into() }]);
        let partial = read(&answer("PartialSuccess", &format!("{error}{two}"))).expect("an answer");
        assert_eq!((partial.status, partial.objects.len()), (Outcome::Partial, 2));
        assert_eq!(read(&answer("Unavailable", "")).map(|one| one.status), Some(Outcome::Failure), "unknown means no");
        assert_eq!(read("<AdhocQueryResponse/>"), None, "one without a status is none");
        assert_eq!(read("<x status='Success'/>"), None);
    }
}
