//! ITI-43: one document's bytes, as a part beside the envelope or inline in base64. Pure.

use crate::exchange::dmp::multipart;
use crate::exchange::dmp::multipart::Part;
use crate::exchange::dmp::names;
use crate::exchange::dmp::query;
use crate::exchange::dmp::query::Outcome;
use crate::exchange::dmp::said::Remark;
use crate::exchange::dmp::xml;
use roxmltree::Node;

/// Why there is no document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// The answer is not one to this question.
    Unreadable(&'static str),
    Refused(Vec<Remark>),
}

/// By the *unique* id: an entry's id is refused there.
pub fn request(repository: &str, unique_id: &str) -> String {
    format!(
        "<xds:RetrieveDocumentSetRequest xmlns:xds=\"{}\"><xds:DocumentRequest><xds:RepositoryUniqueId>{}\
         </xds:RepositoryUniqueId><xds:DocumentUniqueId>{}</xds:DocumentUniqueId></xds:DocumentRequest>\
         </xds:RetrieveDocumentSetRequest>",
        names::XDS,
        xml::escape(repository),
        xml::escape(unique_id),
    )
}

/// The bytes of the document that was asked for, and of no other.
pub fn read(node: Node<'_, '_>, parts: &[Part<'_>], unique_id: &str) -> Result<Vec<u8>, Missing> {
    if node.tag_name().name() != "RetrieveDocumentSetResponse" {
        return Err(Missing::Unreadable("it is no RetrieveDocumentSetResponse"));
    }
    let said = xml::child(node, "RegistryResponse").and_then(query::read);
    let said = said.ok_or(Missing::Unreadable("it says not how it went"))?;
    if said.status == Outcome::Failure {
        return Err(Missing::Refused(said.remarks));
    }
    let is_it = |one: &Node<'_, '_>| {
        xml::child(*one, "DocumentUniqueId").is_some_and(|id| xml::text(id).trim_start_matches("urn:oid:") == unique_id)
    };
    let Some(found) = node.children().filter(|one| one.tag_name().name() == "DocumentResponse").find(is_it) else {
        return Err(match said.status {
            Outcome::Success => Missing::Unreadable("it holds another document"),
            Outcome::Partial | Outcome::Failure => Missing::Refused(said.remarks),
        });
    };
    let document = xml::child(found, "Document").ok_or(Missing::Unreadable("it holds no content"))?;
    match xml::child(document, "Include") {
        Some(include) => include
            .attribute("href")
            .and_then(|href| multipart::part_of(parts, href))
            .map(|part| part.bytes.to_vec())
            .ok_or(Missing::Unreadable("its content is not beside it")),
        None => multipart::decode(xml::text(document).as_bytes())
            .filter(|bytes| !bytes.is_empty())
            .ok_or(Missing::Unreadable("its content is no base64")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::dmp::soap;
    use crate::exchange::dmp::soap::Message;

    fn envelope(inside: &str) -> String {
        format!(
            "<s:Envelope xmlns:s='{}'><s:Body><x:RetrieveDocumentSetResponse xmlns:x='{}'>{inside}\
             </x:RetrieveDocumentSetResponse></s:Body></s:Envelope>",
            soap::ENVELOPE,
            names::XDS
        )
    }

    fn response(id: &str, content: &str) -> String {
        format!(
            "<x:DocumentResponse><x:DocumentUniqueId>{id}</x:DocumentUniqueId><x:Document>{content}</x:Document>\
             </x:DocumentResponse>"
        )
    }

    fn reads(inside: &str, documents: &[(&str, &str, &[u8])]) -> Result<Vec<u8>, Missing> {
        let (kind, body) = multipart::write(&envelope(inside), documents, "urn:a", "b");
        let message = Message::read(&kind, &body).expect("a message");
        let document = message.parse().expect("XML");
        read(soap::body(&document).expect("a body"), &message.parts, "1.2.3")
    }

    const SUCCESS: &str = "<r:RegistryResponse xmlns:r='urn:r' status='x:Success'/>";
    const INCLUDE: &str = "<i:Include xmlns:i='urn:i' href='cid:d%40x'/>";

    #[test]
    fn a_document_is_taken_from_beside_or_inside() {
        let beside: [(&str, &str, &[u8]); 2] = [("other@x", "text/xml", b"no"), ("d@x", "text/xml", b"\r\n--\0")];
        let both = [response("1.2.4", "AAAA"), response("urn:oid:1.2.3", INCLUDE)].concat();
        assert_eq!(reads(&format!("{SUCCESS}{both}"), &beside), Ok(b"\r\n--\0".to_vec()));
        assert_eq!(reads(&format!("{SUCCESS}{}", response("1.2.3", " SGVs\n bG8= ")), &[]), Ok(b"Hello".to_vec()));
    }

    #[test]
    fn no_other_document_is_taken_for_it() {
        for (inside, why) in [
            (format!("{SUCCESS}{}", response("1.2.4", "AAAA")), "it holds another document"),
            (format!("{SUCCESS}{}", response("1.2.3", INCLUDE)), "its content is not beside it"),
            (format!("{SUCCESS}{}", response("1.2.3", "é")), "its content is no base64"),
            (format!("{SUCCESS}{}", response("1.2.3", "")), "its content is no base64"),
            (response("1.2.3", "AAAA"), "it says not how it went"),
        ] {
            assert_eq!(reads(&inside, &[]), Err(Missing::Unreadable(why)), "{inside}");
        }
        let failure = "<r:RegistryResponse xmlns:r='urn:r' status='x:Failure'><r:RegistryErrorList><r:RegistryError \
            errorCode='XDSDocumentUniqueIdError'/></r:RegistryErrorList></r:RegistryResponse>";
        let refused = Missing::Refused(vec![Remark { code: "XDSDocumentUniqueIdError".into(), text: String::new() }]);
        assert_eq!(reads(failure, &[]), Err(refused.clone()));
        let beside = format!("{failure}{}", response("1.2.3", "AAAA"));
        assert_eq!(reads(&beside, &[]), Err(refused), "whatever came with it");
    }

    #[test]
    fn it_is_asked_for_by_repository_and_unique_id() {
        let text = request("1.2&3", "1.2.3");
        let document = xml::parse(&text).expect("well-formed");
        let one = xml::child(document.root_element(), "DocumentRequest").expect("a request");
        let value = |name| xml::child(one, name).map(xml::text);
        assert_eq!(value("RepositoryUniqueId").as_deref(), Some("1.2&3"));
        assert_eq!(value("DocumentUniqueId").as_deref(), Some("1.2.3"));
    }
}
