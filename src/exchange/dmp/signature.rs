//! XML-DSig as it is made here: an assertion's own signature (VIHF), and the document that signs a submission (XAdES 1.1.1 inside IHE
//! DSG, docs/dmp.md §4). What is to be signed goes out as a [`SignedInfo`]; what the card answers is put in its place. Pure.

use crate::exchange::dmp::c14n;
use crate::exchange::dmp::c14n::Form;
use crate::exchange::dmp::names;
use crate::exchange::dmp::xml;
use crate::identity::certificate::Certificate;
use crate::identity::statement::Hash;
use crate::identity::statement::SignedInfo;
use crate::time::UnixSeconds;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use roxmltree::Document;
use roxmltree::Node;

/// A document around the place of its signature.
pub struct Unsigned {
    before: String,
    after: String,
    /// What stands in `ds:SignedInfo`, canonical.
    inside: String,
    /// The namespaces that its canonical form declares.
    namespaces: String,
    hash: Hash,
    certificate: Vec<u8>,
}

/// What cannot be signed: XML of our own that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what is to be signed has no canonical form")]
pub struct NotSignable;

impl Unsigned {
    /// What the card is to sign.
    pub fn statement(&self) -> Result<SignedInfo, NotSignable> {
        let Unsigned { inside, namespaces, hash, .. } = self;
        let canonical = format!("<ds:SignedInfo{namespaces}>{inside}</ds:SignedInfo>");
        SignedInfo::of(&canonical, *hash).ok_or(NotSignable)
    }

    /// The document, its bytes final.
    pub fn finish(self, signature: &[u8]) -> String {
        let Unsigned { before, after, inside, certificate, .. } = self;
        format!(
            "{before}<ds:SignedInfo>{inside}</ds:SignedInfo><ds:SignatureValue>{}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>\
             <ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>{after}",
            BASE64.encode(signature),
            BASE64.encode(certificate),
        )
    }
}

/// An assertion, to be signed as a whole: its signature goes behind its issuer (SAML 2.0 core §5).
pub fn assertion(text: &str, certificate: &Certificate, hash: Hash) -> Result<Unsigned, NotSignable> {
    let document = xml::parse(text).map_err(|_| NotSignable)?;
    let root = document.root_element();
    let id = root.attribute("ID").ok_or(NotSignable)?;
    let at = xml::child(root, "Issuer").ok_or(NotSignable)?.range().end;
    let digest = hash.of(c14n::canonical(root, Form::Exclusive, None).as_bytes());
    let exclusive = Form::Exclusive.algorithm();
    let transforms = [ENVELOPED, exclusive];
    let inside =
        [methods(Form::Exclusive, hash), reference(&format!("#{id}"), None, &transforms, hash, &digest)].concat();
    Ok(Unsigned {
        before: format!("{}<ds:Signature xmlns:ds=\"{}\">", &text[..at], names::DSIG),
        after: format!("</ds:Signature>{}", &text[at..]),
        inside,
        namespaces: format!(" xmlns:ds=\"{}\"", names::DSIG),
        hash,
        certificate: certificate.der().to_vec(),
    })
}

/// What a submission's signature is about.
pub struct Submitted<'a> {
    /// Unique id of the submission set.
    pub set: &'a str,
    /// Unique id and bytes, XML, of each document.
    pub documents: &'a [(&'a str, &'a [u8])],
    pub at: UnixSeconds,
}

/// The document that signs them: its manifest names the set and each document by its `urn:oid:`.
pub fn submission(what: &Submitted<'_>, certificate: &Certificate, hash: Hash) -> Result<Unsigned, NotSignable> {
    let Submitted { set, documents, at } = what;
    // A set has no bytes of its own (IHE DSG): its digest is one zero.
    let mut manifest = reference(&format!("urn:oid:{set}"), None, &[], hash, &[0]);
    for (unique_id, bytes) in *documents {
        let text = xml::text_of(bytes).map_err(|_| NotSignable)?;
        let document = xml::parse(text).map_err(|_| NotSignable)?;
        let digest = hash.of(c14n::canonical(document.root(), Form::Inclusive, None).as_bytes());
        let transforms = [Form::Inclusive.algorithm()];
        manifest.push_str(&reference(&format!("urn:oid:{unique_id}"), None, &transforms, hash, &digest));
    }
    let (issuer, serial) = certificate.issuer_and_serial().map_err(|_| NotSignable)?;
    let properties = format!(
        "<xad:SignedProperties Id=\"{PROPERTIES}\"><xad:SignedSignatureProperties><xad:SigningTime>{}</xad:SigningTime>\
         <xad:SigningCertificate><xad:Cert><xad:CertDigest><xad:DigestMethod Algorithm=\"{}\"></xad:DigestMethod><xad:DigestValue>{}\
         </xad:DigestValue></xad:CertDigest><xad:IssuerSerial><ds:X509IssuerName>{}</ds:X509IssuerName><ds:X509SerialNumber>{serial}\
         </ds:X509SerialNumber></xad:IssuerSerial></xad:Cert></xad:SigningCertificate><xad:SignaturePolicyIdentifier>\
         <xad:SignaturePolicyImplied></xad:SignaturePolicyImplied></xad:SignaturePolicyIdentifier></xad:SignedSignatureProperties>\
         <xad:SignedDataObjectProperties></xad:SignedDataObjectProperties></xad:SignedProperties>",
        at.rfc3339(),
        digest_algorithm(hash),
        BASE64.encode(hash.of(certificate.der())),
        xml::escape(&issuer),
    );
    let namespaces = format!(" xmlns:ds=\"{}\" xmlns:xad=\"{}\"", names::DSIG, names::XADES);
    let before = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ds:Signature{namespaces} Id=\"{SIGNATURE}\">");
    let after = format!(
        "<ds:Object><ds:SignatureProperties><ds:SignatureProperty Id=\"purposeOfSignature\" Target=\"#{SIGNATURE}\">{}\
         </ds:SignatureProperty></ds:SignatureProperties></ds:Object><ds:Object><ds:Manifest Id=\"{MANIFEST}\">{manifest}</ds:Manifest>\
         </ds:Object><ds:Object><xad:QualifyingProperties Target=\"#{SIGNATURE}\">{properties}</xad:QualifyingProperties></ds:Object>\
         </ds:Signature>",
        names::PURPOSE_SOURCE,
    );
    // The same names stand around its parts with the signature and without.
    let whole = format!("{before}{after}");
    let document = xml::parse(&whole).map_err(|_| NotSignable)?;
    let part = |wanted: &str| {
        let found = by_id(&document, wanted).ok_or(NotSignable)?;
        Ok(hash.of(c14n::canonical(found, Form::Inclusive, None).as_bytes()))
    };
    let transforms = [Form::Inclusive.algorithm()];
    let about =
        |id: &str, kind: &str, digest: &[u8]| reference(&format!("#{id}"), Some(kind), &transforms, hash, digest);
    let inside = [
        methods(Form::Inclusive, hash),
        about(MANIFEST, &format!("{}Manifest", names::DSIG), &part(MANIFEST)?),
        about(PROPERTIES, &format!("{}SignedProperties", names::XADES), &part(PROPERTIES)?),
    ]
    .concat();
    Ok(Unsigned { before, after, inside, namespaces, hash, certificate: certificate.der().to_vec() })
}

/// The element of that `Id`.
pub fn by_id<'a>(document: &'a Document<'_>, wanted: &str) -> Option<Node<'a, 'a>> {
    document.descendants().find(|node| node.attribute("Id") == Some(wanted))
}

fn methods(form: Form, hash: Hash) -> String {
    format!(
        "<ds:CanonicalizationMethod Algorithm=\"{}\"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm=\"{}\"></ds:SignatureMethod>",
        form.algorithm(),
        signature_algorithm(hash),
    )
}

fn reference(uri: &str, kind: Option<&str>, transforms: &[&str], hash: Hash, digest: &[u8]) -> String {
    let kind = kind.map_or(String::new(), |kind| format!(" Type=\"{kind}\""));
    let one = |algorithm: &&str| format!("<ds:Transform Algorithm=\"{algorithm}\"></ds:Transform>");
    let all: String = transforms.iter().map(one).collect();
    let transforms = if all.is_empty() { all } else { format!("<ds:Transforms>{all}</ds:Transforms>") };
    format!(
        "<ds:Reference{kind} URI=\"{}\">{transforms}<ds:DigestMethod Algorithm=\"{}\"></ds:DigestMethod><ds:DigestValue>{}</ds:DigestValue>\
         </ds:Reference>",
        xml::escape(uri),
        digest_algorithm(hash),
        BASE64.encode(digest),
    )
}

pub fn signature_algorithm(hash: Hash) -> &'static str {
    match hash {
        Hash::Sha1 => "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        Hash::Sha256 => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    }
}

pub fn digest_algorithm(hash: Hash) -> &'static str {
    match hash {
        Hash::Sha1 => "http://www.w3.org/2000/09/xmldsig#sha1",
        Hash::Sha256 => "http://www.w3.org/2001/04/xmlenc#sha256",
    }
}

pub const MANIFEST: &str = "IHEManifest";
pub const PROPERTIES: &str = "S0-SignedProperties";
/// What the names of its parts begin with.
const SIGNATURE: &str = "S0";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
