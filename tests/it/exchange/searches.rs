//! A record searched over real TLS: both forms of ITI-67, ITI-66, ANS's synchronisation, and the forms in which a document comes.

use super::*;
use chevet::exchange::Search;
use chevet::record::document::Label;
use chevet::record::sync::Changes;
use chevet::record::sync::Kept;

const BINARY_JSON: &str = "application/fhir+json";

fn patient_resource(matricule: &str) -> Value {
    json!({"resourceType": "Patient", "id": "p7",
        "identifier": [{"system": "urn:oid:1.2.250.1.213.1.4.10", "value": matricule}]})
}

/// Finds nothing by a chain, silently, as some servers do.
fn unchained(ask: &stage::Ask, matricule: &str) -> Reply {
    match (ask.path(), ask.query("patient")) {
        ("/fhir/metadata", _) => Reply::status(404),
        ("/fhir/Patient", _) => Reply::json(200, &searchset(vec![patient_resource(matricule)], None)),
        ("/fhir/DocumentReference", Some("Patient%2Fp7")) => Reply::json(200, &searchset(vec![entry(1)], None)),
        _ => Reply::json(200, &searchset(vec![], None)),
    }
}

#[tokio::test]
async fn a_server_that_does_not_chain_is_asked_by_its_own_name_of_the_patient() {
    let server = Server::start(ServerIs::Right, |ask| unchained(ask, "279035121518989")).await;
    let pdsm = connector(&server, Profile::Put);
    let found = async || {
        let held = pdsm.find(&holder(), &ins(), SINCE).await.expect("a list");
        held.release(&listed()).expect("covered").len()
    };
    assert_eq!(found().await, 1);
    let paths: Vec<String> = server.asks().iter().map(|ask| ask.path().to_owned()).collect();
    assert_eq!(paths, ["/fhir/DocumentReference", "/fhir/Patient", "/fhir/DocumentReference"]);
    assert_eq!(found().await, 1);
    assert_eq!(server.asks().len(), 5, "it is remembered: no more chains");
    let refuses = Server::start(ServerIs::Right, |ask| match ask.query("patient.identifier") {
        Some(_) => Reply::status(400),
        None => unchained(ask, "279035121518989"),
    })
    .await;
    assert_eq!(find(&refuses).await.expect("a list").len(), 1, "a chain that is refused");
}

/// The usual morning: a list that is kept, of which nothing has changed.
#[tokio::test]
async fn a_server_that_chains_is_believed_when_it_finds_nothing() {
    let server = Server::start(ServerIs::Right, |ask| match (ask.path(), ask.query("_lastUpdated")) {
        ("/fhir/metadata", _) => Reply::status(404),
        ("/fhir/Patient", _) => Reply::json(200, &searchset(vec![patient_resource("279035121518989")], None)),
        (_, Some(_)) => Reply::json(200, &searchset(vec![], None)),
        _ => Reply::json(200, &searchset(vec![entry(1)], None)),
    })
    .await;
    let pdsm = connector(&server, Profile::Put);
    pdsm.find(&holder(), &ins(), SINCE).await.expect("a list");
    let before = server.asks().len();
    let held = pdsm.changes(&holder(), &ins(), &kept(&["e1"]), SINCE).await.expect("changes");
    assert!(held.release(&listed()).expect("covered").documents.is_empty());
    let mut asked: Vec<String> = server.asks()[before..].iter().map(|ask| ask.path().to_owned()).collect();
    asked.sort();
    assert_eq!(asked, ["/fhir/DocumentReference", "/fhir/DocumentReference", "/fhir/metadata"]);
}

#[tokio::test]
async fn a_patient_under_another_number_is_not_followed() {
    let server = Server::start(ServerIs::Right, |ask| unchained(ask, "255069999999934")).await;
    assert!(find(&server).await.expect("a list").is_empty());
    assert!(!server.asks().iter().any(|ask| ask.query("patient").is_some()), "nothing was asked about somebody else");
    let two = Server::start(ServerIs::Right, |ask| match ask.path() {
        "/fhir/Patient" => {
            let resource = patient_resource("279035121518989");
            Reply::json(200, &searchset(vec![resource.clone(), resource], None))
        }
        _ => Reply::json(200, &searchset(vec![], None)),
    })
    .await;
    assert!(matches!(find(&two).await, Err(Error::Unreadable { .. })));
}

fn kept(entries: &[&str]) -> Kept {
    Kept { last: UnixSeconds(1_795_423_320), entries: entries.iter().map(|entry| (*entry).to_owned()).collect() }
}

async fn changes(server: &Server, kept: &Kept) -> Result<Changes, Error> {
    let held = connector(server, Profile::Put).changes(&holder(), &ins(), kept, SINCE).await?;
    Ok(held.release(&listed()).expect("covered"))
}

fn ids(changes: &Changes) -> Vec<&str> {
    changes.documents.iter().map(|document| document.entry_uuid.as_str()).collect()
}

#[tokio::test]
async fn a_synchronisation_asks_what_changed_and_what_stands_and_fetches_the_rest_by_twenties() {
    let server =
        Server::start(ServerIs::Right, |ask| match (ask.path(), ask.query("_lastUpdated"), ask.query("_id")) {
            ("/fhir/metadata", ..) => Reply::status(404),
            // Ten minutes of overlap.
            (_, Some(since), _) => {
                assert_eq!(since, "ge2026-11-23T08%3A32%3A00Z");
                assert_eq!(ask.query("status"), None, "replaced and withdrawn versions too");
                Reply::json(200, &searchset(vec![entry(2)], None))
            }
            (_, _, Some(some)) => {
                let numbers = some.split("%2C").map(|id| id[1..].parse().expect("a number"));
                Reply::json(200, &searchset(numbers.map(entry).collect(), None))
            }
            _ => {
                assert!(ask.query("_elements").is_some_and(|named| named.contains("securityLabel")));
                let bare = |number| {
                    json!({"resourceType": "DocumentReference", "id": format!("e{number}"),
                "securityLabel": [{"coding": [{"code": "N"}]}]})
                };
                Reply::json(200, &searchset((1..=46).map(bare).collect(), None))
            }
        })
        .await;
    let found = changes(&server, &kept(&["e1"])).await.expect("changes");
    assert_eq!(found.documents.len(), 45, "one changed, forty-four were never heard of");
    assert_eq!(ids(&found)[..2], ["e2", "e3"]);
    assert_eq!((found.standing.len(), found.standing[0].labels.clone()), (46, vec![Label::Normal]));
    let batches: Vec<usize> =
        server.asks().iter().filter_map(|ask| Some(ask.query("_id")?.split("%2C").count())).collect();
    assert_eq!(batches, [20, 20, 4]);
}

#[tokio::test]
async fn a_synchronisation_is_whole_or_it_is_nothing() {
    let server = Server::start(ServerIs::Right, |ask| match (ask.path(), ask.query("_id")) {
        ("/fhir/metadata", _) => Reply::status(404),
        (_, Some(_)) => Reply::status(500),
        _ => Reply::json(200, &searchset(vec![entry(1), entry(2)], None)),
    })
    .await;
    assert!(changes(&server, &kept(&["e1", "e2"])).await.is_ok());
    let half = Server::start(ServerIs::Right, |ask| match (ask.query("_lastUpdated"), ask.query("_id")) {
        (Some(_), _) => Reply::json(200, &searchset(vec![], None)),
        (_, Some(_)) => Reply::status(500),
        _ => Reply::json(200, &searchset(vec![entry(1), entry(2)], None)),
    })
    .await;
    let said = changes(&half, &kept(&["e1"])).await;
    assert!(matches!(said, Err(Error::Failed { status: 500, .. })), "{said:?}");
}

#[tokio::test]
async fn a_server_that_cannot_search_by_change_is_asked_for_submission_sets() {
    let server = Server::start(ServerIs::Right, |ask| match (ask.path(), ask.query("_id")) {
        ("/fhir/metadata", _) => Reply::json(
            200,
            &json!({"resourceType": "CapabilityStatement", "rest": [{"resource": [
                {"type": "DocumentReference", "searchParam": [{"name": "patient"}, {"name": "date"}]}, {"type": "List"}]}]}),
        ),
        ("/fhir/List", _) => {
            assert_eq!(ask.query("date"), Some("ge2026-11-23T08%3A32%3A00Z"));
            assert!(ask.query("code").is_some_and(|code| code.ends_with("submissionset")));
            let list = json!({"resourceType": "List", "code": {"coding": [{"code": "submissionset",
                "system": "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes"}]},
                "entry": [{"item": {"reference": "DocumentReference/e2"}}]});
            Reply::json(200, &searchset(vec![list], None))
        }
        (_, Some("e2")) => Reply::json(200, &searchset(vec![entry(2)], None)),
        _ => Reply::json(200, &searchset(vec![entry(1), entry(2)], None)),
    })
    .await;
    let found = changes(&server, &kept(&["e1"])).await.expect("changes");
    assert_eq!((ids(&found), found.standing.len()), (vec!["e2"], 2));
    assert!(!server.asks().iter().any(|ask| ask.query("_lastUpdated").is_some()));
    let metadata = server.asks().into_iter().find(|ask| ask.path() == "/fhir/metadata").expect("asked");
    assert_eq!(metadata.header("authorization"), None, "what a server can do is nobody's business but the device's");
}

#[tokio::test]
async fn a_search_is_asked_as_it_was_put() {
    let server = Server::start(ServerIs::Right, |_| Reply::json(200, &searchset(vec![entry(1)], None))).await;
    let search = Search { labels: vec![Label::Normal], changed_since: Some(SINCE), ..Search::default() };
    let held = connector(&server, Profile::Put).search(&holder(), &ins(), &search).await.expect("a list");
    assert_eq!(held.outlines().len(), 1);
    let ask = &server.asks()[0];
    assert_eq!((ask.query("security-label"), ask.query("status")), (Some("N"), None));
    assert_eq!(ask.query("_lastUpdated"), Some("ge2024-11-23T08%3A42%3A00Z"));
}

/// What comes in place of a document, and whether it is taken.
async fn fetched(url: &str, kind: &str, content: &[u8], reply: Reply) -> Result<Vec<u8>, Error> {
    let server = Server::start(ServerIs::Right, move |_| reply.clone()).await;
    let url = url.replace("BASE", &server.base);
    let mut wanted = document(&url, content);
    wanted.attachment.content_type = kind.into();
    let held = connector(&server, Profile::Put).fetch(&holder(), &ins(), &wanted, None).await?;
    Ok(held.release(&stage::opened()).expect("covered").whole().expect("in memory").show_bytes().to_vec())
}

#[tokio::test]
async fn every_form_of_a_document_is_read_and_checked() {
    let content = b"<ClinicalDocument/>";
    let raw = || Reply::text(200, "<ClinicalDocument/>").with("content-type", "text/xml");
    let in_binary =
        |data: &str| Reply::json(200, &json!({"resourceType": "Binary", "contentType": "text/xml", "data": data}));
    for url in ["Binary/b1", "BASE/Binary/b1"] {
        assert_eq!(fetched(url, "text/xml", content, raw()).await.expect(url), content);
        let json = in_binary("PENsaW5pY2FsRG9jdW1lbnQvPg==");
        assert_eq!(fetched(url, "text/xml", content, json).await.expect(url), content);
    }
    let damaged = fetched("Binary/b1", "text/xml", content, in_binary("PENsaW5pY2FsRG9jdW1lbnQvIA==")).await;
    assert!(matches!(damaged, Err(Error::Damaged { what: "hash" })), "{damaged:?}");
    let elsewhere = fetched("https://127.0.0.2/fhir/Binary/b1", "text/xml", content, raw()).await;
    assert!(matches!(elsewhere, Err(Error::Unreadable { why: "it leads to another server", .. })));

    // A FHIR document: as it is, or wrapped in a Binary that is FHIR too.
    let bundle = "{\"resourceType\":\"Bundle\",\"type\":\"document\"}";
    let plain = Reply::text(200, bundle).with("content-type", BINARY_JSON);
    let as_it_is = fetched("Bundle/d1", BINARY_JSON, bundle.as_bytes(), plain).await;
    assert_eq!(as_it_is.expect("a Bundle"), bundle.as_bytes());
    let data = "eyJyZXNvdXJjZVR5cGUiOiJCdW5kbGUiLCJ0eXBlIjoiZG9jdW1lbnQifQ==";
    let unwrapped = fetched("Binary/b1", BINARY_JSON, bundle.as_bytes(), in_binary(data)).await;
    assert_eq!(unwrapped.expect("a Bundle"), bundle.as_bytes());
    let other =
        Reply::text(200, "{\"resourceType\":\"Bundle\",\"type\":\"searchset\"}").with("content-type", BINARY_JSON);
    let damaged = fetched("Bundle/d1", BINARY_JSON, bundle.as_bytes(), other).await;
    assert!(matches!(damaged, Err(Error::Damaged { .. })), "{damaged:?}");
}
