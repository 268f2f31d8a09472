//! TD0.3, giving and taking back this holder's authorization, and TD0.4, whose records they are authorized to open. Pure.
//!
//! Patient and holder of TD0.3 stand in the VIHF alone: body and assertion are made from one context, in one call.

use crate::exchange::dmp::entry;
use crate::exchange::dmp::names;
use crate::exchange::dmp::said::Remark;
use crate::exchange::dmp::soap;
use crate::exchange::dmp::xml;
use crate::journal::consent::Answer;
use crate::journal::consent::Scope;
use crate::patient::ins::Ins;
use crate::patient::ins::InsKind;
use crate::time::UnixSeconds;
use roxmltree::Node;

/// What becomes of an authorization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// AJOUT
    Add,
    /// SUPPRESSION
    Remove,
}

/// What a patient's word means to the DMP, which knows one professional's authorization and nothing of teams, events or
/// single consents: those stay here, and in the traces. `None`: there is nothing to tell it.
pub fn action(scope: &Scope, answer: Answer) -> Option<Action> {
    match (scope, answer) {
        (Scope::Authorization, Answer::Yes) => Some(Action::Add),
        (Scope::Authorization, Answer::No | Answer::Withdrawn) => Some(Action::Remove),
        (Scope::Team(_) | Scope::HolderOnce | Scope::Event(_), _) => None,
    }
}

pub fn set(action: Action) -> String {
    let action = match action {
        Action::Add => "AJOUT",
        Action::Remove => "SUPPRESSION",
    };
    format!("<setAuthorization xmlns=\"{}\"><action>{action}</action></setAuthorization>", names::HABILITATIONS)
}

/// `Ok`: it stands as it was asked, now or before. `None`: it cannot be read.
pub fn is_set(node: Node<'_, '_>) -> Option<Result<(), Remark>> {
    if node.tag_name().name() != "setAuthorizationResponse" {
        return None;
    }
    status(node)
}

/// The status of such an answer, wherever its schema puts it.
fn status(node: Node<'_, '_>) -> Option<Result<(), Remark>> {
    let find = |name: &str| node.descendants().find(|one| one.tag_name().name() == name).map(xml::text);
    let code = find("status").filter(|code| is_code(code))?;
    if code == "DMPOk" {
        return Some(Ok(()));
    }
    let text = find("context").unwrap_or_default();
    Some(Err(Remark { code: soap::shortened(&code, soap::CODE_MAX), text: soap::shortened(&text, soap::REASON_MAX) }))
}

/// Codes reach logs: what is no code is not taken for one.
fn is_code(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|one| one.is_ascii_alphanumeric() || matches!(one, b'_' | b'-'))
}

/// Authorizations that were given since.
pub fn list(since: UnixSeconds) -> String {
    format!(
        "<patientList xmlns=\"{}\"><startDate>{}</startDate><dateType>LASTAUTORIZATION</dateType></patientList>",
        names::PATIENTS,
        entry::write_time(since)
    )
}

/// The INS of each row. The rows' layout is not published: what counts is a number beside the OID of its kind, in an element or
/// in attributes. Names are not read: they are never to be shown. `None`: it cannot be read.
pub fn listed(node: Node<'_, '_>) -> Option<Result<Vec<Ins>, Remark>> {
    if !node.tag_name().name().starts_with("patientList") {
        return None;
    }
    if let Err(remark) = status(node)? {
        return Some(Err(remark));
    }
    let mut found: Vec<Ins> = Vec::new();
    for element in node.descendants().filter(Node::is_element) {
        let leaves = element.children().filter(|child| child.is_element() && child.first_element_child().is_none());
        let inside = leaves.map(xml::text).chain(element.attributes().map(|one| one.value().trim().to_owned()));
        let words: Vec<String> = inside.chain([xml::text(element)]).collect();
        let kinds: Vec<InsKind> = words.iter().filter_map(|word| InsKind::from_oid(word)).collect();
        let [kind] = kinds.as_slice() else { continue };
        let numbers = words.iter().filter_map(|word| Ins::unchecked(word, *kind).ok());
        for ins in numbers {
            if !found.contains(&ins) {
                found.push(ins);
            }
        }
    }
    Some(Ok(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node<T>(text: &str, read: impl Fn(Node<'_, '_>) -> T) -> T {
        read(xml::parse(text).expect("well-formed").root_element())
    }

    #[test]
    fn a_word_means_an_authorization_or_nothing() {
        assert_eq!(action(&Scope::Authorization, Answer::Yes), Some(Action::Add));
        for no in [Answer::No, Answer::Withdrawn] {
            assert_eq!(action(&Scope::Authorization, no), Some(Action::Remove));
        }
        for scope in [Scope::HolderOnce, Scope::Team("t".into()), Scope::Event("t".into())] {
            assert_eq!(action(&scope, Answer::Yes), None, "no authorization that nobody gave: {scope:?}");
        }
        assert!(set(Action::Add).contains(">AJOUT<") && set(Action::Remove).contains(">SUPPRESSION<"));
    }

    #[test]
    fn only_dmpok_is_ok() {
        let said = |status: &str| {
            node(
                &format!(
                    "<h:setAuthorizationResponse xmlns:h='urn:x'><h:output>{status}<h:context>déjà présente</h:context>\
                     </h:output></h:setAuthorizationResponse>"
                ),
                is_set,
            )
        };
        assert_eq!(said("<h:status>DMPOk</h:status>"), Some(Ok(())));
        let refused = Remark { code: "DMPClosed".into(), text: "déjà présente".into() };
        assert_eq!(said("<h:status> DMPClosed </h:status>"), Some(Err(refused)));
        assert_eq!(said(""), None);
        assert_eq!(said("<h:status>Mme Untel</h:status>"), None, "what is no code reaches no log");
        assert_eq!(node("<x><status>DMPOk</status></x>", is_set), None);
    }

    #[test]
    fn the_patients_are_found_in_either_layout_and_never_by_a_name() {
        let text = "<p:patientListResponse xmlns:p='urn:x'><p:output><p:status>DMPOk</p:status>\
            <p:row><p:id><p:type>1.2.250.1.213.1.4.10</p:type><p:value>269059900000136</p:value></p:id>\
            <p:id><p:type>1.2.250.1.213.1.4.11</p:type><p:value>269059900000137</p:value></p:id><p:lastName>X</p:lastName></p:row>\
            <p:row><p:id type='1.2.250.1.213.1.4.8'>279035121518989</p:id></p:row>\
            <p:row><p:id><p:type>1.2.250.1.213.1.4.10</p:type><p:value>269059900000136</p:value></p:id></p:row>\
            </p:output></p:patientListResponse>";
        let found = node(text, listed).expect("readable").expect("accepted");
        let found: Vec<(&str, InsKind)> = found.iter().map(|ins| (ins.matricule.as_str(), ins.kind)).collect();
        assert_eq!(found, [("269059900000136", InsKind::Test), ("279035121518989", InsKind::Nir)]);
        let nobody = "<patientListResponse><status>DMPOk</status></patientListResponse>";
        assert_eq!(node(nobody, listed), Some(Ok(vec![])));
        assert_eq!(node("<patientListResponse/>", listed), None);
        let refused = Remark { code: "DMPOups".into(), text: String::new() };
        assert_eq!(node(&nobody.replace("DMPOk", "DMPOups"), listed), Some(Err(refused)));
    }
}
