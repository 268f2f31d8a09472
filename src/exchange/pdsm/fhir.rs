//! The few FHIR R4 shapes that are read, as far as they are read. Every element is optional here: what a profile requires is
//! checked where it is used, so that one faulty entry is one faulty entry and not a faulty answer.

use crate::exchange::upstream::Error;
use crate::patient::ins::Ins;
use crate::patient::ins::InsKind;
use crate::time::UnixSeconds;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bundle {
    resource_type: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    link: Vec<Link>,
    #[serde(default)]
    pub entry: Vec<Entry>,
}

#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    relation: String,
    #[serde(default)]
    url: String,
}

/// Its resource stays unread until somebody asks for it as something.
#[derive(Deserialize)]
pub struct Entry {
    #[serde(default)]
    resource: Value,
    search: Option<Search>,
    pub response: Option<Response>,
}

#[derive(Deserialize)]
struct Search {
    #[serde(default)]
    mode: String,
}

#[derive(Deserialize)]
pub struct Response {
    #[serde(default)]
    pub status: String,
    #[serde(default)]
    pub outcome: Value,
}

#[derive(Deserialize, Default)]
pub struct Coding {
    #[serde(default)]
    pub system: String,
    #[serde(default)]
    pub code: String,
    #[serde(default)]
    pub display: String,
}

#[derive(Deserialize, Default)]
pub struct Concept {
    #[serde(default)]
    pub coding: Vec<Coding>,
    #[serde(default)]
    pub text: String,
}

#[derive(Deserialize, Default)]
pub struct Identifier {
    #[serde(default)]
    pub system: String,
    #[serde(default)]
    pub value: String,
}

#[derive(Deserialize, Default)]
pub struct Reference {
    #[serde(default)]
    pub reference: String,
    pub identifier: Option<Identifier>,
    #[serde(default)]
    pub display: String,
}

#[derive(Deserialize, Default)]
pub struct Period {
    pub start: Option<String>,
    pub end: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Extension {
    #[serde(default)]
    pub url: String,
    #[serde(default)]
    pub extension: Vec<Extension>,
    pub value_boolean: Option<bool>,
    pub value_code: Option<String>,
    pub value_date: Option<String>,
    pub value_codeable_concept: Option<Concept>,
}

impl Bundle {
    /// A Bundle of that type, or nothing understood at all.
    pub fn read(body: &[u8], kind: &str, what: &'static str) -> Result<Bundle, Error> {
        let bundle: Bundle =
            serde_json::from_slice(body).map_err(|_| Error::Unreadable { what, why: "it is no FHIR Bundle" })?;
        match (bundle.resource_type.as_str(), bundle.kind == kind) {
            ("Bundle", true) => Ok(bundle),
            ("Bundle", false) => Err(Error::Unreadable { what, why: "it is a Bundle of another type" }),
            _ => Err(Error::Unreadable { what, why: "it is no FHIR Bundle" }),
        }
    }

    /// Where the next page is.
    pub fn next(&self) -> Option<&str> {
        self.link.iter().find(|link| link.relation == "next").map(|link| link.url.as_str())
    }

    /// What was searched for: neither what came along nor what the server remarks.
    pub fn matches(self) -> impl Iterator<Item = Value> {
        let wanted =
            |entry: &Entry| entry.search.as_ref().is_none_or(|s| !matches!(s.mode.as_str(), "outcome" | "include"));
        self.entry.into_iter().filter(wanted).map(|entry| entry.resource)
    }
}

/// A resource of that type, or `None`.
pub fn resource<T: DeserializeOwned>(value: &Value, kind: &str) -> Option<T> {
    if value["resourceType"] == kind { T::deserialize(value).ok() } else { None }
}

/// A FHIR `instant`, `dateTime` or `date`; a part of a date is its first day.
pub fn time(text: &str) -> Option<UnixSeconds> {
    match text.len() {
        4 => UnixSeconds::parse(&format!("{text}-01-01")),
        7 => UnixSeconds::parse(&format!("{text}-01")),
        _ => UnixSeconds::parse(text),
    }
}

/// `urn:oid:1.2.3` → `1.2.3`.
pub fn without_urn(value: &str) -> &str {
    value.strip_prefix("urn:oid:").or_else(|| value.strip_prefix("urn:uuid:")).unwrap_or(value)
}

/// `1.2.3` → `urn:oid:1.2.3`, and a UUID → `urn:uuid:…`.
pub fn with_urn(id: &str) -> String {
    let kind = if id.parse::<uuid::Uuid>().is_ok() { "uuid" } else { "oid" };
    format!("urn:{kind}:{id}")
}

/// `urn:oid:<kind>`, the system of this patient's INS.
pub fn ins_system(patient: &Ins) -> String {
    format!("urn:oid:{}", patient.kind.oid())
}

/// Whom an identifier names, where it is an INS.
pub fn ins(identifier: &Identifier) -> Option<Ins> {
    let kind = InsKind::from_oid(identifier.system.strip_prefix("urn:oid:")?)?;
    Ins::unchecked(&identifier.value, kind).ok()
}

/// `system|value`, as a search wants it.
pub fn ins_token(patient: &Ins) -> String {
    format!("{}|{}", ins_system(patient), patient.matricule)
}

/// A value inside a list of values (FHIR R4 §3.1.1.4, "Escaping search parameters").
pub fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for letter in value.chars() {
        if matches!(letter, '\\' | ',' | '|' | '$') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// The id in a reference to a resource of that kind: relative, absolute, or to one of its versions.
pub fn id_of<'a>(reference: &'a str, kind: &str) -> Option<&'a str> {
    let mut parts = reference.split('/').skip_while(|part| *part != kind).skip(1);
    parts.next().filter(|id| !id.is_empty())
}

pub fn find<'a>(extensions: &'a [Extension], url: &str) -> Option<&'a Extension> {
    extensions.iter().find(|extension| extension.url == url)
}

pub fn flag(extensions: &[Extension], url: &str) -> Option<bool> {
    find(extensions, url).and_then(|extension| extension.value_boolean)
}

impl Concept {
    pub fn code_in(&self, system: &str) -> Option<&str> {
        self.coding.iter().find(|coding| coding.system == system).map(|coding| coding.code.as_str())
    }
}
