//! What is signed here, judged by programs that nobody here wrote: `xmlsec1` on what went over the wire, libxml2 on the canonical form.

use super::cards::Visit;
use super::cards::nurse;
use super::cards::settings;
use super::contributions::note;
use super::*;
use chevet::exchange::Outcome;
use chevet::exchange::dmp::Settings;
use chevet::exchange::dmp::c14n;
use chevet::exchange::dmp::c14n::Form;
use chevet::exchange::dmp::xml;
use chevet::identity::statement::Hash;
use chevet::journal::item::Contribution;
use chevet::record::note::cda;
use proptest::prelude::*;
use std::process::Command;

/// A program of a Debian package, and whether it says yes.
fn run(program: &str, package: &str, arguments: &[&str], file: &Path) -> (bool, Vec<u8>, String) {
    let path = Path::new("/usr/bin").join(program);
    assert!(path.exists(), "{program} is missing: install the Debian package {package}");
    let done = Command::new(path).args(arguments).arg(file).output().expect("it runs");
    (done.status.success(), done.stdout, String::from_utf8_lossy(&done.stderr).into_owned())
}

/// What `xmlsec1` says of a signed document, by the sandbox's authorities. A manifest's own references lead nowhere it could follow:
/// they are compared with the documents in `dmp/deposits`.
pub fn verifies(text: &str) -> Result<(), String> {
    verifies_under(text, &pki().anchors())
}

/// The same, by other authorities (PEM).
pub fn verifies_under(text: &str, anchors: &Path) -> Result<(), String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("signed.xml");
    fs::write(&file, text).expect("written");
    let pem = fs::read_to_string(anchors).expect("authorities");
    let mut arguments: Vec<String> = ["--verify", "--ignore-manifests"].map(str::to_owned).to_vec();
    for id in [
        "ID=urn:oasis:names:tc:SAML:2.0:assertion:Assertion",
        "Id=http://www.w3.org/2000/09/xmldsig#:Manifest",
        "Id=http://uri.etsi.org/01903/v1.1.1#:SignedProperties",
    ] {
        let (name, node) = id.split_once('=').expect("both");
        arguments.extend([format!("--id-attr:{name}"), node.to_owned()]);
    }
    for (number, one) in
        pem.split_inclusive("-----END CERTIFICATE-----").filter(|one| one.contains("BEGIN")).enumerate()
    {
        let path = folder.path().join(format!("ca{number}.pem"));
        fs::write(&path, one.trim_start()).expect("written");
        arguments.extend(["--trusted-pem".to_owned(), path.to_string_lossy().into_owned()]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (is_right, _, said) = run("xmlsec1", "xmlsec1", &arguments, &file);
    if is_right { Ok(()) } else { Err(said) }
}

/// Every letter of a text value or an attribute's that may be changed and leave XML: each in turn must be missed.
fn refuses_a_changed_letter(text: &str, places: &[&str]) {
    for place in places {
        let at = text.find(place).unwrap_or_else(|| panic!("no {place}")) + place.len();
        let old = text[at..].chars().next().expect("a letter");
        let new = if old == 'A' { 'B' } else { 'A' };
        let changed = format!("{}{new}{}", &text[..at], &text[at + old.len_utf8()..]);
        assert!(verifies(&changed).is_err(), "a changed letter behind {place} went unseen");
    }
}

#[tokio::test]
async fn xmlsec1_takes_every_signature_and_no_changed_letter() {
    let visit = Visit::begin_at(now, Settings { sign_assertions: Some(Hash::Sha256), ..settings() });
    visit.slot.put("nurse", false);
    visit.server.keep_bodies();
    let who = nurse();
    let one = Contribution::add(note(81, &who.holder));
    assert_eq!(visit.dmp.contribute(&who, &one).await.expect("an answer"), Outcome::Acknowledged);
    let body = String::from_utf8(visit.server.take_bodies().pop().expect("it was sent")).expect("text");
    let from = |start: &str, end: &str| {
        let at = body.rfind(start).expect("its start");
        body[at..at + body[at..].find(end).expect("its end") + end.len()].to_owned()
    };
    let assertion = from("<saml2:Assertion", "</saml2:Assertion>");
    assert_eq!(verifies(&assertion), Ok(()));
    let places = ["<saml2:NameID>", "displayName=\"", "IssueInstant=\"", "<ds:SignatureValue>", "<ds:DigestValue>"];
    refuses_a_changed_letter(&assertion, &places);
    let envelope = from("<soap:Envelope", "</soap:Envelope>");
    assert_eq!(verifies(&envelope), Ok(()), "inside its envelope too");
    let seal = from("<ds:Signature xmlns", "</ds:Signature>");
    assert_eq!(verifies(&seal), Ok(()));
    let places = [
        "<ds:Manifest Id=\"IHEManifest\"><ds:Reference URI=\"urn:oid:",
        "<xad:SigningTime>",
        "<xad:DigestValue>",
        "<ds:X509SerialNumber>",
        "<ds:SignatureValue>",
        "</ds:Transforms><ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod><ds:DigestValue>",
    ];
    refuses_a_changed_letter(&seal, &places);
}

/// libxml2's canonical text of a whole document.
fn by_libxml2(text: &str, form: Form) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("one.xml");
    fs::write(&file, text).expect("written");
    let argument = if form == Form::Inclusive { "--c14n" } else { "--exc-c14n" };
    let (is_read, out, said) = run("xmllint", "libxml2-utils", &[argument], &file);
    assert!(is_read, "{said}\n{text}");
    String::from_utf8(out).expect("UTF-8")
}

#[track_caller]
fn is_the_same(text: &str) {
    let document = xml::parse(text).expect("well-formed");
    for form in [Form::Inclusive, Form::Exclusive] {
        assert_eq!(c14n::canonical(document.root(), form, None), by_libxml2(text, form), "{form:?} of {text}");
    }
}

fn element() -> impl Strategy<Value = String> {
    let spaces = || {
        prop::collection::vec(
            prop::sample::select(vec![
                "xmlns='urn:d'",
                "xmlns=''",
                "xmlns:a='urn:1'",
                "xmlns:b='urn:1'",
                "xmlns:a='urn:2'",
            ]),
            0..3,
        )
    };
    let words = "[ a-z\u{e9}\\t\\n]{0,6}(&amp;|&lt;|&gt;|&quot;|&#13;|&#10;|&#9;)?";
    let name = prop::sample::select(vec!["x", "a:x", "b:y", "y"]);
    let attribute = (prop::sample::select(vec!["k", "a:k", "b:l", "l"]), words);
    let begun = (name, spaces(), prop::collection::vec(attribute, 0..3)).prop_map(|(name, spaces, attributes)| {
        let kept = |all: Vec<(String, String)>| {
            let mut seen = std::collections::BTreeSet::new();
            all.into_iter()
                .filter(|(name, _)| seen.insert(name.clone()))
                .map(|(_, whole)| format!(" {whole}"))
                .collect::<String>()
        };
        let spaces = spaces.into_iter().map(|one| (one.split('=').next().unwrap_or("").to_owned(), one.to_owned()));
        // One that both prefixes could name would be there twice.
        let local = |name: &str| name.split(':').next_back().unwrap_or("").to_owned();
        let attributes = attributes.into_iter().map(|(name, value)| (local(name), format!("{name}=\"{value}\"")));
        (name, format!("<{name}{}{}", kept(spaces.collect()), kept(attributes.collect())))
    });
    let leaf = (begun, words).prop_map(|((name, start), text)| (name, start, text));
    let leaf = leaf.prop_map(
        |(name, start, text)| if text.is_empty() { format!("{start}/>") } else { format!("{start}>{text}</{name}>") },
    );
    leaf.prop_recursive(3, 12, 3, |inside| {
        (
            prop::sample::select(vec!["x", "a:z", "b:z"]),
            prop::collection::vec(inside, 1..3),
            prop::sample::select(vec!["", "<!-- c -->", "<?p  q?>", "<![CDATA[<&]]>"]),
        )
            .prop_map(|(name, inside, beside)| format!("<{name} xmlns:b='urn:3'>{beside}{}</{name}>", inside.concat()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn libxml2_writes_the_same_canonical_text(inside in element()) {
        is_the_same(&format!("<?xml version='1.0'?>\n<!--1--><r xmlns:a='urn:a' xmlns:b='urn:b'>{inside}</r>\n<?e?>"));
    }
}

#[test]
fn libxml2_writes_the_same_canonical_text_of_a_note() {
    let author = chevet::identity::holder::HolderId("899700000012".into());
    is_the_same(std::str::from_utf8(&cda::write(&note(82, &author))).expect("UTF-8"));
}
