//! The same records in the DMP's own language: SOAP, XDS.b, VIHF, behind a card's certificate in the TLS handshake.
//!
//! It is written from the same facts as the connector (docs/dmp.md): it finds out whether both ends fit each other, and proves
//! nothing about the DMP. It checks what the facts say is checked: every addressing header, an assertion that is fresh, heard once, and
//! about whoever's card is in the handshake, with their role and their structure.

use crate::exchange::dmp::ebrim;
use crate::exchange::dmp::ebrim::Element;
use crate::exchange::dmp::entry;
use crate::exchange::dmp::multipart;
use crate::exchange::dmp::names;
use crate::exchange::dmp::query::Returns;
use crate::exchange::dmp::soap;
use crate::exchange::dmp::soap::Message;
use crate::exchange::dmp::xml;
use crate::exchange::pdsm::documents;
use crate::patient::ins::InsKind;
use crate::record::document::Document;
use crate::sandbox::dmp::consents;
use crate::sandbox::dmp::consents::Authorization;
use crate::sandbox::dmp::contribution;
use crate::sandbox::dmp::deposit;
use crate::sandbox::dmp::routes;
use crate::sandbox::dmp::routes::Answer;
use crate::sandbox::dmp::routes::Body;
use crate::sandbox::dmp::search;
use crate::sandbox::dmp::server::Shared;
use crate::sandbox::dmp::sets;
use crate::sandbox::dmp::shapes;
use crate::sandbox::dmp::signed;
use crate::sandbox::dmp::state::Act;
use crate::sandbox::dmp::token::Caller;
use crate::sandbox::people::Content;
use crate::sandbox::people::Person;
use crate::sandbox::people::Record;
use crate::time::UnixSeconds;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::Node;
use serde_json::json;
use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use uuid::Uuid;

/// One question: who is in the handshake, and what came.
pub struct Asked<'a> {
    /// PS_IdNat and spoken name of the card's certificate.
    pub card: (&'a str, &'a str),
    pub path: &'a str,
    pub content_type: &'a str,
    pub body: &'a [u8],
}

/// Assertions heard: each serves once.
#[derive(Default)]
pub struct Heard(Mutex<HashSet<String>>);

type Edit = Box<dyn Fn(&mut serde_json::Value)>;

/// A fault: code and sentence.
pub(super) struct Refused(pub(super) &'static str, pub(super) &'static str);

/// What a question is read into.
pub(super) struct Said<'a> {
    pub(super) caller: Caller,
    /// Whom it is about, by their INS.
    pub(super) patient: Option<String>,
    action: String,
    pub(super) body: Node<'a, 'a>,
}

type Reply = Result<(String, Vec<(String, Vec<u8>)>), Refused>;

pub const BASE: &str = "/si-dmp-server/v2/services";
pub(super) const REPOSITORY: &str = "1.2.250.1.213.4.1.1.1.2";
/// How far a clock may be off.
const SKEW_S: i64 = 300;

/// Every question has an answer; a fault's status is 500 (SOAP 1.2 part 2 §7.4.2.2), and it is multipart like any other.
pub fn answer(shared: &Shared, asked: &Asked<'_>) -> Answer {
    let (status, body, documents) = match reply(shared, asked) {
        Ok((body, documents)) => (200, body, documents),
        Err(Refused(code, reason)) => (500, fault(code, reason), Vec::new()),
    };
    let envelope = format!(
        "<soap:Envelope xmlns:soap=\"{}\" xmlns:wsa=\"http://www.w3.org/2005/08/addressing\"><soap:Header>\
         <wsa:MessageID>urn:uuid:{}</wsa:MessageID></soap:Header><soap:Body>{body}</soap:Body></soap:Envelope>",
        soap::ENVELOPE,
        Uuid::now_v7(),
    );
    let is_repository = asked.path.ends_with("/repository");
    let (content_type, bytes) = if is_repository {
        let parts: Vec<(&str, &str, &[u8])> =
            documents.iter().map(|(id, bytes)| (id.as_str(), "application/octet-stream", bytes.as_slice())).collect();
        multipart::write(&envelope, &parts, "", &format!("uuid:{}", Uuid::now_v7()))
    } else {
        ("application/soap+xml; charset=UTF-8".to_owned(), envelope.into_bytes())
    };
    Answer { status, content_type, headers: Vec::new(), body: Body::Bytes(bytes) }
}

fn fault(code: &str, reason: &str) -> String {
    format!(
        "<soap:Fault><soap:Code><soap:Value>soap:Sender</soap:Value><soap:Subcode><soap:Value>soap:{code}</soap:Value>\
         </soap:Subcode></soap:Code><soap:Reason><soap:Text xml:lang=\"fr\">{}</soap:Text></soap:Reason></soap:Fault>",
        xml::escape(reason)
    )
}

fn reply(shared: &Shared, asked: &Asked<'_>) -> Reply {
    let unread = Refused("SOAPError", "La demande n’est pas comprise.");
    let Ok(message) = Message::read(asked.content_type, asked.body) else { return Err(unread) };
    let Ok(document) = message.parse() else { return Err(unread) };
    let (Some(header), Ok(body)) = (xml::child(document.root_element(), "Header"), soap::body(&document)) else {
        return Err(unread);
    };
    let said = check(shared, asked, header, body)?;
    let service = asked.path.strip_prefix(BASE).unwrap_or("").trim_start_matches('/');
    let plain = |body: Result<String, Refused>| body.map(|body| (body, Vec::new()));
    match (service, said.action.as_str(), said.body.tag_name().name()) {
        ("patients", "urn:hl7-org:v3:PRPA_IN201307UV02", "PRPA_IN201307UV02") => plain(state(shared, &said)),
        ("habilitations", AUTHORIZE, "setAuthorization") => plain(authorize(shared, &said)),
        ("patientsSpecific", PATIENTS, "patientList") => plain(Ok(patients(shared, &said))),
        ("registry", "urn:ihe:iti:2007:RegistryStoredQuery", "AdhocQueryRequest") => plain(query(shared, &said)),
        ("registry", "urn:ihe:iti:2010:UpdateDocumentSet", "SubmitObjectsRequest") => plain(Ok(update(shared, &said))),
        ("repository", DEPOSIT, "ProvideAndRegisterDocumentSetRequest") => {
            plain(Ok(deposit::answer(shared, &said, &message.parts)))
        }
        ("repository", "urn:ihe:iti:2007:RetrieveDocumentSet", "RetrieveDocumentSetRequest") => retrieve(shared, &said),
        _ => Err(unread),
    }
}

/// Addressing, then the assertion against the card.
fn check<'a>(
    shared: &Shared,
    asked: &Asked<'_>,
    header: Node<'a, 'a>,
    body: Node<'a, 'a>,
) -> Result<Said<'a>, Refused> {
    let missing = Refused(
        "MessageAddressingHeaderRequired",
        "A required header representing a Message Addressing Property is not present",
    );
    let value = |name: &'static str| xml::child(header, name).map(xml::text).filter(|text| !text.is_empty());
    let reply_to = xml::at(header, &["ReplyTo", "Address"]).map(xml::text);
    let (Some(action), Some(_), Some(to), Some(_)) = (value("Action"), value("MessageID"), value("To"), reply_to)
    else {
        return Err(missing);
    };
    let invalid = |why| Refused("DMPInvalidVIHF", why);
    if !to.ends_with(asked.path) || !asked.content_type.contains(&format!("action=\"{action}\"")) {
        return Err(missing);
    }
    let assertion = xml::at(header, &["Security", "Assertion"]).ok_or(invalid("Aucun VIHF."))?;
    let id = assertion.attribute("ID").unwrap_or_default();
    let issued = assertion.attribute("IssueInstant").and_then(UnixSeconds::parse).ok_or(invalid("VIHF sans date."))?;
    if (issued.0 - shared.now().0).abs() > SKEW_S {
        return Err(invalid("Le VIHF est d’une autre heure."));
    }
    let is_new = shared.heard.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
    if id.is_empty() || !is_new {
        return Err(invalid("Ce VIHF a déjà servi."));
    }
    let name = xml::at(assertion, &["Subject", "NameID"]).map(xml::text).unwrap_or_default();
    let issuer = xml::child(assertion, "Issuer").map(xml::text).unwrap_or_default();
    if name != asked.card.0 || !issuer.contains(&format!("CN={name}")) {
        return Err(Refused("DMPInvalidCertificate", "Le VIHF n’est pas celui de la carte."));
    }
    // Not asked for; one that is there is right, by the card's other key.
    if let Some(signature) = xml::child(assertion, "Signature") {
        let wrong = Refused("DMPInvalidCertificate", "La signature du VIHF n’est pas valide.");
        let signed = signed::verify(shared, assertion, signature, asked.card.0).ok_or(wrong)?;
        if signed != [id] {
            return Err(invalid("La signature n’est pas celle du VIHF."));
        }
        shared.signed.fetch_add(1, Ordering::SeqCst);
    }
    let attribute = |wanted: &str| -> Option<Node<'a, 'a>> {
        let statement = xml::child(assertion, "AttributeStatement")?;
        statement.children().find(|one| one.attribute("Name") == Some(wanted))?.first_element_child()
    };
    let text = |wanted: &str| attribute(wanted).map(xml::text).filter(|text| !text.is_empty());
    let code = |wanted: &str| attribute(wanted)?.first_element_child()?.attribute("code").map(str::to_owned);
    if text("Identifiant_Structure").is_none_or(|id| !STRUCTURES.iter().any(|known| id.starts_with(known))) {
        return Err(Refused("Sender", "Structure introuvable ou Inactive"));
    }
    let said = [text("VIHF_Version"), text("Authentification_Mode"), text("Secteur_Activite"), text("LPS_Nom")];
    if said.iter().any(Option::is_none) || text("Ressource_URN").as_deref() != Some("urn:dmp") {
        return Err(invalid("Le VIHF n’est pas complet."));
    }
    let role = code("urn:oasis:names:tc:xacml:2.0:subject:role").ok_or(invalid("Le VIHF ne dit pas la profession."))?;
    if !role.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid("La profession n’est pas connue."));
    }
    let mode =
        code("urn:oasis:names:tc:xspa:1.0:subject:purposeofuse").ok_or(invalid("Le VIHF ne dit pas le mode."))?;
    let patient = text("urn:oasis:names:tc:xacml:2.0:resource:resource-id");
    let caller = Caller { id: name, name: asked.card.1.to_owned(), mode };
    shared.state().names.insert(caller.id.clone(), caller.name.clone());
    Ok(Said { caller, patient, action, body })
}

/// `matricule^oid` of a CX.
pub(super) fn key(cx: &str) -> Option<String> {
    let mut parts = cx.trim_matches('\'').split('^');
    let (number, authority) = (parts.next()?, parts.nth(2)?);
    let kind = InsKind::from_oid(authority.split('&').nth(1)?)?;
    Some(format!("{number}^{}", kind.oid()))
}

pub(super) fn whose<'a>(shared: &'a Shared, said: &Said<'_>) -> Option<&'a Person> {
    let key = key(said.patient.as_deref()?)?;
    shared.people.by_key(&key).filter(|person| person.record != Record::NeverCreated)
}

fn state(shared: &Shared, said: &Said<'_>) -> Result<String, Refused> {
    let asked =
        xml::at(said.body, &["controlActProcess", "queryByParameter", "parameterList", "patientIdentifier", "value"]);
    let asked = asked.and_then(|value| Some((value.attribute("extension")?, value.attribute("root")?)));
    let (number, oid) = asked.ok_or(Refused("Sender", "Aucun patient."))?;
    // Body and assertion are about one patient.
    if said.patient.as_deref().and_then(key) != Some(format!("{number}^{oid}")) {
        return Err(Refused("DMPInvalidVIHF", "Le VIHF est d’un autre patient."));
    }
    let person = whose(shared, said);
    if let Some(person) = person {
        routes::log(shared, person, &said.caller, Act::State);
    }
    let holder = said.caller.id.as_str();
    let authorization = person.map(|person| {
        if consents::is_blocked(person, holder) {
            return "INTERDIT";
        }
        match consents::authorization(&shared.state(), person, holder, shared.now()) {
            Authorization::Valid => "VALIDE",
            Authorization::None => "NON_EXISTE",
            Authorization::Expired => "EXPIRE",
            Authorization::Forbidden => "INTERDIT",
        }
    });
    let attending = person.is_some_and(|person| person.attending == Some(holder));
    let lines = authorization.map_or(String::new(), |word| {
        format!(
            "<attentionLine><keyWordText code=\"AUTORISATION\" codeSystem=\"1.2.250.1.213.4.1.2.6.1\"/><value xsi:type=\"CV\" \
             code=\"{word}\" codeSystem=\"1.2.250.1.213.4.1.2.6.2\"/></attentionLine><attentionLine><keyWordText \
             code=\"STATUT_MT\" codeSystem=\"1.2.250.1.213.4.1.2.6.3\"/><value xsi:type=\"BL\" value=\"{attending}\"/>\
             </attentionLine>"
        )
    });
    let (found, subject) = match person {
        None => ("NF", String::new()),
        Some(person) => {
            let status = if person.record == Record::Open { "active" } else { "terminated" };
            let subject = format!(
                "<subject typeCode=\"SUBJ\"><registrationEvent><statusCode code=\"completed\"/><subject1><patient>\
                 <id root=\"{oid}\" extension=\"{number}\"/><statusCode code=\"{status}\"/></patient></subject1>\
                 </registrationEvent></subject>"
            );
            ("OK", subject)
        }
    };
    Ok(format!(
        "<PRPA_IN201308UV02 xmlns=\"{}\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" ITSVersion=\"XML_1.0\">\
         {lines}<acknowledgement typeCode=\"AA\"/><controlActProcess classCode=\"CACT\" moodCode=\"EVN\">{subject}\
         <queryAck><queryResponseCode code=\"{found}\"/></queryAck></controlActProcess></PRPA_IN201308UV02>",
        names::HL7
    ))
}

/// Patient and holder come from the assertion alone; not in an emergency.
fn authorize(shared: &Shared, said: &Said<'_>) -> Result<String, Refused> {
    let person = whose(shared, said).ok_or(Refused("DMPUnknownPatient", "Patient inconnu."))?;
    let status = |code: &str| {
        format!(
            "<h:setAuthorizationResponse xmlns:h=\"{}\"><h:output><h:status>{code}</h:status></h:output>\
             </h:setAuthorizationResponse>",
            names::HABILITATIONS
        )
    };
    if person.record != Record::Open {
        return Ok(status("DMPClosed"));
    }
    if said.caller.mode != "normal" {
        return Ok(status("DMPModeRefused"));
    }
    let now = shared.now();
    let words = match xml::child(said.body, "action").map(xml::text).as_deref() {
        Some("AJOUT") => ("active", "permit"),
        Some("SUPPRESSION") => ("inactive", "permit"),
        _ => return Err(Refused("Sender", "Action inconnue.")),
    };
    let mut consent = shapes::consent(person, &said.caller.id, "authorization", words.0, words.1);
    consent["identifier"] = json!([{"value": format!("urn:uuid:{}", Uuid::now_v7())}]);
    consent["dateTime"] = json!(now.rfc3339());
    consent["provision"]["period"] = json!({"start": now.rfc3339(), "end": now.plus(365 * 86_400).rfc3339()});
    shared.state().consents.push(consent);
    shared.save();
    Ok(status("DMPOk"))
}

fn patients(shared: &Shared, said: &Said<'_>) -> String {
    let state = shared.state();
    let is_theirs = |person: &&Person| {
        let stands = consents::authorization(&state, person, &said.caller.id, shared.now());
        person.record == Record::Open && stands == Authorization::Valid
    };
    let row = |person: &Person| {
        let ins = &person.patient.ins;
        format!(
            "<p:patient><p:id><p:type>{}</p:type><p:value>{}</p:value></p:id></p:patient>",
            ins.kind.oid(),
            ins.matricule
        )
    };
    let rows: String = shared.people.persons.iter().filter(is_theirs).map(row).collect();
    format!(
        "<p:patientListResponse xmlns:p=\"{}\"><p:output><p:status>DMPOk</p:status>{rows}</p:output></p:patientListResponse>",
        names::PATIENTS
    )
}

/// Every document of a record that this holder may see, as XDS holds it.
pub(super) fn entries(shared: &Shared, person: &Person, caller: &Caller) -> Vec<Document> {
    let found = documents::documents(search::visible(shared, person, caller), &person.patient.ins).documents;
    let xds = |mut document: Document| {
        document.attachment.url = format!("urn:oid:{REPOSITORY}");
        document
    };
    found.into_iter().map(xds).collect()
}

pub(super) fn response(kind: &str, namespace: &str, status: &str, inside: &str) -> String {
    format!(
        "<q:{kind} xmlns:q=\"{namespace}\" status=\"urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:{status}\">{inside}</q:{kind}>"
    )
}

pub(super) fn errors(code: &str, text: &str) -> String {
    format!(
        "<rs:RegistryErrorList xmlns:rs=\"{}\"><rs:RegistryError errorCode=\"{code}\" codeContext=\"{}\" \
         severity=\"urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error\"/></rs:RegistryErrorList>",
        names::RS,
        xml::escape(text)
    )
}

fn query(shared: &Shared, said: &Said<'_>) -> Result<String, Refused> {
    let failed = |code: &str, text: &str| response("AdhocQueryResponse", names::QUERY, "Failure", &errors(code, text));
    let asked = xml::child(said.body, "AdhocQuery").map(Element::read).ok_or(Refused("Sender", "Aucune requête."))?;
    let Some(person) = whose(shared, said) else { return Ok(failed("XDSUnknownPatientId", "patient inconnu")) };
    if routes::may_read(shared, person, &said.caller).is_err() {
        return Ok(failed("DMPPatientAccessForbidden", "accès non autorisé"));
    }
    let values = |name: &str| -> Option<Vec<String>> {
        let text: String = asked.slot(name).collect();
        let list = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'))?;
        Some(list.split("','").map(|one| one.trim_matches('\'').replace("''", "'")).collect())
    };
    let has = |name: &str, is: &dyn Fn(&str) -> bool| values(name).is_none_or(|list| list.iter().any(|one| is(one)));
    if asked.attribute("id") == Some(names::query::FIND_DOCUMENTS) {
        let patient: String = asked.slot("$XDSDocumentEntryPatientId").collect();
        if key(&patient) != said.patient.as_deref().and_then(key) || values("$XDSDocumentEntryStatus").is_none() {
            return Ok(failed("XDSStoredQueryMissingParam", "$XDSDocumentEntryPatientId, $XDSDocumentEntryStatus"));
        }
    }
    let listed = |objects: Vec<Element>| {
        let objects: String = objects.iter().map(Element::write).collect();
        let list = format!("<RegistryObjectList xmlns=\"{}\">{objects}</RegistryObjectList>", names::RIM);
        response("AdhocQueryResponse", names::QUERY, "Success", &list)
    };
    let caller = &said.caller;
    match asked.attribute("id") {
        Some(names::query::FIND_DOCUMENTS | names::query::GET_DOCUMENTS) => {}
        Some(names::query::GET_DOCUMENTS_AND_ASSOCIATIONS) if values("$XDSDocumentEntryEntryUUID").is_some() => {}
        Some(names::query::FIND_SUBMISSION_SETS) if values("$XDSSubmissionSetStatus").is_some() => {
            let patient: String = asked.slot("$XDSSubmissionSetPatientId").collect();
            if key(&patient) != said.patient.as_deref().and_then(key) {
                return Ok(failed("XDSStoredQueryMissingParam", "$XDSSubmissionSetPatientId"));
            }
            let from = asked.slot("$XDSSubmissionSetSubmissionTimeFrom").next().and_then(entry::time);
            return Ok(listed(sets::since(shared, person, caller, from)));
        }
        Some(names::query::GET_ASSOCIATIONS) if values("$uuid").is_some() => {
            return Ok(listed(sets::links(shared, person, caller, &|set| has("$uuid", &|one| one == set))));
        }
        _ => return Ok(failed("XDSUnknownStoredQuery", "requête inconnue")),
    }
    let time = |name: &str| asked.slot(name).next().and_then(entry::time);
    let (from, until) = (time("$XDSDocumentEntryServiceStartTimeFrom"), time("$XDSDocumentEntryServiceStartTimeTo"));
    let mut found = entries(shared, person, &said.caller);
    found.retain(|one| {
        has("$XDSDocumentEntryUniqueId", &|id| id == one.unique_id.0)
            && has("$XDSDocumentEntryEntryUUID", &|id| id == one.entry_uuid)
            && has("$XDSDocumentEntryStatus", &|status| entry::read_status(status) == one.status)
            && has("$XDSDocumentEntryTypeCode", &|code| code.split('^').next() == Some(&one.type_code.0))
            && from.is_none_or(|from| one.service_start >= from)
            && until.is_none_or(|until| one.service_start < until)
    });
    routes::log(shared, person, &said.caller, Act::Listed);
    let cx = said.patient.as_deref().unwrap_or_default();
    let returns = xml::child(said.body, "ResponseOption").and_then(|option| option.attribute("returnType"));
    let returns = if returns == Some("ObjectRef") { Returns::ObjectRef } else { Returns::LeafClass };
    let mut objects: Vec<Element> = found
        .iter()
        .map(|document| match returns {
            Returns::ObjectRef => Element::new("ObjectRef").with("id", &document.entry_uuid),
            // With what a registry adds of its own: it must come back.
            Returns::LeafClass => {
                let extra = ebrim::slot(KEPT, &[&document.unique_id.0]);
                let mut object = entry::write(document, cx);
                object.children.insert(0, extra);
                object
            }
        })
        .collect();
    if asked.attribute("id") == Some(names::query::GET_DOCUMENTS_AND_ASSOCIATIONS) {
        let is_asked = |id: &str| has("$XDSDocumentEntryEntryUUID", &|one| one == id);
        objects.extend(sets::replaced(shared, person, caller, &is_asked));
    }
    Ok(listed(objects))
}

fn retrieve(shared: &Shared, said: &Said<'_>) -> Reply {
    let failed = |code: &str| {
        let response = response("RegistryResponse", names::RS, "Failure", &errors(code, ""));
        let body = format!(
            "<x:RetrieveDocumentSetResponse xmlns:x=\"{}\">{response}</x:RetrieveDocumentSetResponse>",
            names::XDS
        );
        Ok((body, Vec::new()))
    };
    let one = xml::child(said.body, "DocumentRequest").ok_or(Refused("Sender", "Aucun document."))?;
    let value = |name: &'static str| xml::child(one, name).map(xml::text).unwrap_or_default();
    let (repository, id) = (value("RepositoryUniqueId"), value("DocumentUniqueId"));
    if repository != REPOSITORY {
        return failed("XDSUnknownRepositoryId");
    }
    let Some(person) = whose(shared, said) else { return failed("XDSUnknownPatientId") };
    if routes::may_read(shared, person, &said.caller).is_err() {
        return failed("DMPPatientAccessForbidden");
    }
    let is_seen = entries(shared, person, &said.caller).iter().any(|known| known.unique_id.0 == id);
    let paper = person.papers.iter().find(|paper| paper.unique_id == id);
    let bytes = match paper.map(|paper| &paper.content) {
        Some(Content::Bytes(bytes)) => Some(bytes.to_vec()),
        Some(Content::Zeros(count)) => usize::try_from(*count).ok().map(|count| vec![0; count]),
        None => {
            let state = shared.state();
            let found = state.contributions.iter().find(|known| known.unique_id.trim_start_matches("urn:oid:") == id);
            found.and_then(|known| STANDARD.decode(&known.data).ok())
        }
    };
    let Some(bytes) = bytes.filter(|_| is_seen) else { return failed("XDSDocumentUniqueIdError") };
    routes::log(shared, person, &said.caller, Act::Read);
    let body = format!(
        "<x:RetrieveDocumentSetResponse xmlns:x=\"{}\">{}<x:DocumentResponse><x:RepositoryUniqueId>{REPOSITORY}\
         </x:RepositoryUniqueId><x:DocumentUniqueId>{id}</x:DocumentUniqueId><x:Document><xop:Include \
         xmlns:xop=\"http://www.w3.org/2004/08/xop/include\" href=\"cid:{id}%40dmp.invalid\"/></x:Document>\
         </x:DocumentResponse></x:RetrieveDocumentSetResponse>",
        names::XDS,
        response("RegistryResponse", names::RS, "Success", ""),
    );
    Ok((body, vec![(format!("{id}@dmp.invalid"), bytes)]))
}

/// A status, or new labels: of the caller's own document, and with everything that was known of it.
fn update(shared: &Shared, said: &Said<'_>) -> String {
    match updated(shared, said) {
        Ok(()) => response("RegistryResponse", names::RS, "Success", ""),
        Err(code) => response("RegistryResponse", names::RS, "Failure", &errors(code, "")),
    }
}

fn updated(shared: &Shared, said: &Said<'_>) -> Result<(), &'static str> {
    let person = whose(shared, said).ok_or("XDSUnknownPatientId")?;
    let list = xml::child(said.body, "RegistryObjectList").map(Element::read).ok_or("XDSRegistryMetadataError")?;
    let link = list.named("Association").next().ok_or("XDSRegistryMetadataError")?;
    let known = entries(shared, person, &said.caller);
    let target = link.attribute("targetObject").unwrap_or_default();
    let slot = |name: &'static str| link.slot(name).next().unwrap_or_default();
    let (unique, edit): (String, Edit) = match link.attribute("associationType") {
        Some(names::association::UPDATE_STATUS) => {
            let document = known.iter().find(|one| one.entry_uuid == target).ok_or("XDSMetadataUpdateError")?;
            if entry::write_status(document.status) != Some(slot("OriginalStatus")) {
                return Err("XDSMetadataUpdateError");
            }
            let (archived, deleted) = match slot("NewStatus") {
                names::status::ARCHIVED => (true, false),
                names::status::APPROVED => (false, false),
                names::status::DELETED => (false, true),
                _ => return Err("XDSMetadataUpdateError"),
            };
            let edit = move |document: &mut serde_json::Value| {
                document["extension"] = json!([{"url": ARCHIVED, "valueBoolean": archived}]);
                document["status"] = json!(if deleted { "entered-in-error" } else { "current" });
            };
            (document.unique_id.0.clone(), Box::new(edit))
        }
        Some(names::association::HAS_MEMBER) => {
            let anew = list.named("ExtrinsicObject").find(|one| one.attribute("id") == Some(target));
            let anew = anew.ok_or("XDSRegistryMetadataError")?;
            let unique = anew.external(names::entry::UNIQUE_ID).ok_or("XDSRegistryMetadataError")?.to_owned();
            let document = known.iter().find(|one| one.unique_id.0 == unique).ok_or("XDSMetadataUpdateError")?;
            if slot("PreviousVersion") != "1" {
                return Err("XDSMetadataVersionError");
            }
            // The whole entry, what only a registry knows of it included.
            let again = entry::read(anew).ok_or("XDSRegistryMetadataError")?;
            let is_whole = anew.slot(KEPT).eq([unique.as_str()])
                && (&again.title, &again.type_code, &again.attachment.sha1)
                    == (&document.title, &document.type_code, &document.attachment.sha1);
            if !is_whole {
                return Err("XDSMetadataUpdateError");
            }
            let labels: serde_json::Value =
                again.labels.iter().map(|label| json!({"coding": [{"code": label.code()}]})).collect();
            (unique, Box::new(move |document| document["securityLabel"] = labels.clone()))
        }
        _ => return Err("XDSRegistryMetadataError"),
    };
    let mut state = shared.state();
    let changed = contribution::change(&mut state, shared, &said.caller, &format!("urn:oid:{unique}"), edit);
    drop(state);
    changed.map_err(|_| "XDSMetadataUpdateError")?;
    routes::log(shared, person, &said.caller, Act::Changed);
    Ok(())
}

const DEPOSIT: &str = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b";
const AUTHORIZE: &str = "urn:si-dmp-habilitations:HabilitationsEndPoint:setAuthorization";
const PATIENTS: &str = "urn:si-dmp-patients:PatientSpecificEndPoint:patientList";
/// A slot that no profile knows.
const KEPT: &str = "urn:chevet.invalid:kept-by-the-registry";
const ARCHIVED: &str = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived";
/// Those of the drawer's cards.
const STRUCTURES: [&str; 1] = ["14400009"];
