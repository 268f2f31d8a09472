//! XML signatures as this server checks them: references, digests, the signature, and whose key it is.
//!
//! The canonical form is the connector's own code: that it is right is said by `xmlsec1` and libxml2 (tests/it/dmp/signatures.rs).

use crate::exchange::dmp::c14n;
use crate::exchange::dmp::c14n::Form;
use crate::exchange::dmp::signature;
use crate::exchange::dmp::xml;
use crate::identity::certificate::Certificate;
use crate::identity::statement::Hash;
use crate::identity::statement::SignedInfo;
use crate::sandbox::dmp::server::Shared;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::Node;

/// What it signs, by their ids, all of them inside `around`. `None`: it is not that card's signature, or not of what is there.
pub fn verify<'a>(shared: &Shared, around: Node<'a, 'a>, signature: Node<'a, 'a>, card: &str) -> Option<Vec<&'a str>> {
    let info = xml::child(signature, "SignedInfo")?;
    let form = form(xml::child(info, "CanonicalizationMethod")?)?;
    let method = xml::child(info, "SignatureMethod")?.attribute("Algorithm")?;
    let hash = [Hash::Sha1, Hash::Sha256].into_iter().find(|hash| signature::signature_algorithm(*hash) == method)?;
    let der = decoded(xml::at(signature, &["KeyInfo", "X509Data", "X509Certificate"])?)?;
    if !shared.verifier.signs_documents(&der, card, shared.now().0) {
        return None;
    }
    let statement = SignedInfo::of(&c14n::canonical(info, form, None), hash)?;
    let value = decoded(xml::child(signature, "SignatureValue")?)?;
    Certificate::parse(&der).ok()?.verify_document(&statement, &value).ok()?;
    let references = xml::children(info, "Reference").map(|one| {
        let id = one.attribute("URI")?.strip_prefix('#')?;
        let target = around.descendants().find(|node| node.attribute("Id").or(node.attribute("ID")) == Some(id))?;
        let transforms: Vec<Node<'_, '_>> =
            xml::child(one, "Transforms").iter().flat_map(|list| list.children().filter(Node::is_element)).collect();
        let without = (transforms.len() > 1).then_some(signature);
        let text = c14n::canonical(target, form_of(transforms.last().copied())?, without);
        is_digest(one, text.as_bytes()).then_some(id)
    });
    references.collect()
}

/// Whether a reference's digest is that of these bytes.
pub fn is_digest(reference: Node<'_, '_>, bytes: &[u8]) -> bool {
    let method = xml::child(reference, "DigestMethod").and_then(|node| node.attribute("Algorithm"));
    let hash = [Hash::Sha1, Hash::Sha256].into_iter().find(|hash| Some(signature::digest_algorithm(*hash)) == method);
    let digest = xml::child(reference, "DigestValue").and_then(decoded);
    hash.is_some_and(|hash| digest == Some(hash.of(bytes)))
}

fn form_of(transform: Option<Node<'_, '_>>) -> Option<Form> {
    form(transform?)
}

fn form(node: Node<'_, '_>) -> Option<Form> {
    let named = node.attribute("Algorithm")?;
    [Form::Inclusive, Form::Exclusive].into_iter().find(|form| form.algorithm() == named)
}

fn decoded(node: Node<'_, '_>) -> Option<Vec<u8>> {
    STANDARD.decode(xml::text(node)).ok()
}
