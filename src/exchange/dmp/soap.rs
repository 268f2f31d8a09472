//! SOAP 1.2 with WS-Addressing, as the DMP wants it: every addressing header, and `wsse:Security` holding the assertion byte for
//! byte and nothing else. Replies may be multipart, faults too. Pure.

use crate::exchange::dmp::multipart;
use crate::exchange::dmp::multipart::Part;
use crate::exchange::dmp::xml;
use roxmltree::Document;
use roxmltree::Node;
use std::borrow::Cow;
use uuid::Uuid;

/// What stands in the header of one question.
pub struct Header<'a> {
    pub action: &'a str,
    pub to: &'a str,
    pub message: Uuid,
    /// The VIHF, as it was made: not a byte of it is touched.
    pub assertion: &'a str,
}

/// What a server said instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The innermost code's local name, kept verbatim, for example `DMPInvalidCertificate`.
    pub code: String,
    /// The server's own text, for the person at the screen (PRE_ERR).
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the multipart answer cannot be read")]
    Multipart(#[source] multipart::Error),
    #[error("the envelope cannot be read")]
    Xml(#[source] xml::Error),
    #[error("it is no SOAP envelope")]
    NotSoap,
    /// Its text is not part of the error's: it may name a person.
    #[error("the server answered with the fault {}", .0.code)]
    Fault(Fault),
}

/// The envelope of an answer, and the documents beside it.
#[derive(Debug)]
pub struct Message<'a> {
    root: Cow<'a, [u8]>,
    pub parts: Vec<Part<'a>>,
}

pub const ENVELOPE: &str = "http://www.w3.org/2003/05/soap-envelope";
/// A gateway before the service may speak the older one.
const ENVELOPE_1_1: &str = "http://schemas.xmlsoap.org/soap/envelope/";

/// One question. `body` is XML of our own making.
pub fn envelope(header: &Header<'_>, body: &str) -> String {
    let Header { action, to, message, assertion } = header;
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <soap:Envelope xmlns:soap=\"{ENVELOPE}\" xmlns:wsa=\"http://www.w3.org/2005/08/addressing\"><soap:Header>\
         <wsa:Action soap:mustUnderstand=\"true\">{action}</wsa:Action>\
         <wsa:MessageID>urn:uuid:{message}</wsa:MessageID><wsa:To>{to}</wsa:To>\
         <wsa:ReplyTo soap:mustUnderstand=\"true\"><wsa:Address>{ANONYMOUS}</wsa:Address></wsa:ReplyTo>\
         <wsse:Security xmlns:wsse=\"{SECURITY}\">{assertion}</wsse:Security>\
         </soap:Header><soap:Body>{body}</soap:Body></soap:Envelope>",
        action = xml::escape(action),
        to = xml::escape(to),
    )
}

const ANONYMOUS: &str = "http://www.w3.org/2005/08/addressing/anonymous";
const SECURITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";

impl<'a> Message<'a> {
    /// Takes a body apart; `content_type` with its parameters.
    pub fn read(content_type: &str, body: &'a [u8]) -> Result<Message<'a>, Error> {
        if !multipart::is_multipart(content_type) {
            return Ok(Message { root: Cow::Borrowed(body), parts: Vec::new() });
        }
        let mut parts = multipart::read(content_type, body).map_err(Error::Multipart)?;
        let root = parts.remove(0);
        Ok(Message { root: root.bytes, parts })
    }

    /// The envelope, for [`body`].
    pub fn parse(&self) -> Result<Document<'_>, Error> {
        xml::text_of(&self.root).and_then(xml::parse).map_err(Error::Xml)
    }
}

/// Whether it answers that question: one that names another was meant for somebody else. One that names none is not judged.
pub fn is_answer_to(document: &Document<'_>, message: Uuid) -> bool {
    let ours = format!("urn:uuid:{message}");
    let header = xml::child(document.root_element(), "Header");
    header.iter().flat_map(|header| xml::children(*header, "RelatesTo")).all(|one| {
        let said = xml::text(one);
        said.eq_ignore_ascii_case(&ours) || said == UNSPECIFIED
    })
}

/// A fault about a question that was not understood (WS-Addressing 1.0 SOAP Binding §6).
const UNSPECIFIED: &str = "http://www.w3.org/2005/08/addressing/unspecified";

/// What the envelope holds: the first element of its body. A fault is an error.
pub fn body<'a>(document: &'a Document<'_>) -> Result<Node<'a, 'a>, Error> {
    let root = document.root_element();
    let is_soap = matches!(root.tag_name().namespace(), Some(ENVELOPE | ENVELOPE_1_1));
    if !is_soap || root.tag_name().name() != "Envelope" {
        return Err(Error::NotSoap);
    }
    let body = xml::child(root, "Body").ok_or(Error::NotSoap)?;
    let content = body.first_element_child().ok_or(Error::NotSoap)?;
    match content.tag_name().name() {
        "Fault" => Err(Error::Fault(fault(content))),
        _ => Ok(content),
    }
}

/// SOAP 1.2 §5.4, or 1.1 §4.4.
fn fault(fault: Node<'_, '_>) -> Fault {
    let mut code = xml::child(fault, "Code");
    let mut name = None;
    // The innermost subcode says most.
    while let Some(one) = code {
        name = xml::child(one, "Value").map(xml::text).or(name);
        code = xml::child(one, "Subcode");
    }
    let name = name.or_else(|| xml::child(fault, "faultcode").map(xml::text)).unwrap_or_default();
    let reason = xml::at(fault, &["Reason", "Text"]).or_else(|| xml::child(fault, "faultstring")).map(xml::text);
    let code = name.rsplit(':').next().unwrap_or_default();
    Fault { code: shortened(code, CODE_MAX), reason: shortened(&reason.unwrap_or_default(), REASON_MAX) }
}

/// No more of a stranger's text than fits where it is kept and shown.
pub fn shortened(text: &str, characters_max: usize) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(characters_max).collect()
}

pub const CODE_MAX: usize = 80;
pub const REASON_MAX: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    fn said(content_type: &str, bytes: &[u8]) -> Result<String, Error> {
        let message = Message::read(content_type, bytes)?;
        let document = message.parse()?;
        body(&document).map(|node| node.tag_name().name().to_owned())
    }

    const FAULT: &str = "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Header/><s:Body><s:Fault>\
        <s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>s:DMPInvalidCertificate</s:Value></s:Subcode></s:Code>\
        <s:Reason><s:Text xml:lang='fr'>Le certificat est invalide</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>";

    #[test]
    fn a_question_has_every_header_and_its_assertion_untouched() {
        let assertion = "<a:Assertion xmlns:a=\"urn:x\"   ID='_1'\n>é</a:Assertion>";
        let header = Header { action: "urn:a&b", to: "https://dmp.example/x", message: Uuid::nil(), assertion };
        let text = envelope(&header, "<q xmlns=\"urn:q\"/>");
        assert!(text.contains(assertion));
        let document = xml::parse(&text).expect("well-formed");
        let header = xml::child(document.root_element(), "Header").expect("a header");
        let value = |name| xml::child(header, name).map(xml::text);
        assert_eq!(value("Action").as_deref(), Some("urn:a&b"));
        assert_eq!(value("MessageID").as_deref(), Some("urn:uuid:00000000-0000-0000-0000-000000000000"));
        assert_eq!(value("To").as_deref(), Some("https://dmp.example/x"));
        assert_eq!(value("ReplyTo").as_deref(), Some(ANONYMOUS));
        let names: Vec<&str> =
            header.children().filter(|node| node.is_element()).map(|node| node.tag_name().name()).collect();
        assert_eq!(names, ["Action", "MessageID", "To", "ReplyTo", "Security"]);
        let security = xml::child(header, "Security").expect("security");
        assert_eq!(security.children().count(), 1, "the assertion alone");
        assert_eq!(body(&document).expect("a body").tag_name().name(), "q");
    }

    #[test]
    fn a_fault_is_told_whatever_it_comes_in() {
        let fault = Fault { code: "DMPInvalidCertificate".into(), reason: "Le certificat est invalide".into() };
        assert_eq!(said("application/soap+xml", FAULT.as_bytes()), Err(Error::Fault(fault.clone())));
        let (kind, multipart) = multipart::write(FAULT, &[], "urn:a", "b");
        assert_eq!(said(&kind, &multipart), Err(Error::Fault(fault)));
        let old = "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body><e:Fault>\
            <faultcode>e:Server</faultcode><faultstring>non</faultstring></e:Fault></e:Body></e:Envelope>";
        let expected = Fault { code: "Server".into(), reason: "non".into() };
        assert_eq!(said("text/xml", old.as_bytes()), Err(Error::Fault(expected.clone())));
        assert!(!Error::Fault(expected).to_string().contains("non"), "its text stays out of logs");
        let long = FAULT.replace("Le certificat est invalide", &"é\u{85}".repeat(1_000));
        match said("", long.as_bytes()) {
            Err(Error::Fault(fault)) => assert_eq!(fault.reason, "é".repeat(REASON_MAX)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_answer_to_another_question_is_told() {
        let is_ours = |header: &str| {
            let text = format!("<e:Envelope xmlns:e='{ENVELOPE}'><e:Header>{header}</e:Header></e:Envelope>");
            is_answer_to(&xml::parse(&text).expect("XML"), Uuid::nil())
        };
        let related = |id: &str| format!("<RelatesTo> {id} </RelatesTo>");
        let ours = related(&format!("urn:uuid:{}", Uuid::nil()));
        let other = related(&format!("urn:uuid:{}", Uuid::max()));
        assert!(is_ours("") && is_ours(&ours) && is_ours(&related(UNSPECIFIED)));
        for bad in [other.clone(), related(""), format!("{ours}{other}")] {
            assert!(!is_ours(&bad), "{bad}");
        }
    }

    #[test]
    fn what_is_no_envelope_is_refused() {
        let good = "<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope'><e:Body><x/></e:Body></e:Envelope>";
        assert_eq!(said("", good.as_bytes()).as_deref(), Ok("x"));
        for bad in ["<html/>", "<Envelope><Body><x/></Body></Envelope>", &good.replace("<x/>", ""), "<x/>"] {
            assert_eq!(said("text/html", bad.as_bytes()), Err(Error::NotSoap), "{bad}");
        }
        let dtd = format!("<!DOCTYPE x [<!ENTITY y 'z'>]>{good}");
        assert_eq!(said("", dtd.as_bytes()), Err(Error::Xml(xml::Error::Dtd)));
        assert_eq!(said("multipart/related", b"x"), Err(Error::Multipart(multipart::Error::Boundary)));
    }
}
