//! The link and the `pdsm` connector against a real TLS server on loopback that answers whatever a test tells it to.
//!
//! Certificates are the sandbox's; the server here is not the sandbox DMP: it knows no FHIR, so that it can be wrong.

mod searches;
pub mod stage;

use base64::Engine;
use chevet::exchange::AsDevice;
use chevet::exchange::Error;
use chevet::exchange::Outcome;
use chevet::exchange::Upstream;
use chevet::exchange::outbox::Failure;
use chevet::exchange::pdsm::Profile;
use chevet::journal::Pending;
use chevet::record::document::Document;
use chevet::record::state::Authorization;
use chevet::record::state::Existence;
use chevet::secret::content::Content;
use chevet::time::UnixSeconds;
use serde_json::Value;
use serde_json::json;
use stage::Reply;
use stage::Server;
use stage::ServerIs;
use stage::client;
use stage::connector;
use stage::consent;
use stage::document;
use stage::entry;
use stage::holder;
use stage::ins;
use stage::listed;
use stage::opened;
use stage::searchset;
use stage::trace;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

const SINCE: UnixSeconds = UnixSeconds(1_732_351_320);

async fn find(server: &Server) -> Result<Vec<Document>, Error> {
    let held = connector(server, Profile::Put).find(&holder(), &ins(), SINCE).await?;
    Ok(held.release(&listed()).unwrap_or_else(|_| panic!("the row covers the list")))
}

#[tokio::test]
async fn a_server_that_is_down_is_unreachable() {
    let server = Server::start(ServerIs::Right, |_| Reply::status(200)).await;
    server.stop().await;
    assert!(matches!(find(&server).await, Err(Error::Unreachable { .. })));
}

#[tokio::test]
async fn a_server_by_another_authority_is_not_believed() {
    let server = Server::start(ServerIs::ByAnotherAuthority, |_| Reply::json(200, &searchset(vec![], None))).await;
    let said = find(&server).await;
    assert!(matches!(said, Err(Error::ServerCertificate { .. })), "{said:?}");
    assert_eq!(server.asks().len(), 0, "not one request went to it");
}

#[tokio::test]
async fn a_device_that_is_not_admitted_learns_it() {
    let server = Server::start(ServerIs::ClosedToThisDevice, |_| Reply::json(200, &searchset(vec![], None))).await;
    let said = find(&server).await;
    assert!(matches!(said, Err(Error::DeviceRefused { status: None })), "{said:?}");
    assert_eq!(server.asks().len(), 0);
}

#[tokio::test]
async fn a_refused_holder_is_not_a_refused_device() {
    for status in [401, 403] {
        let server = Server::start(ServerIs::Right, move |_| Reply::status(status)).await;
        let said = find(&server).await;
        assert!(matches!(said, Err(Error::HolderRefused { status: s }) if s == status), "{said:?}");
        let said = connector(&server, Profile::Put).traces(AsDevice, &[trace(1)]).await;
        assert!(matches!(said, Err(Error::DeviceRefused { status: Some(s) }) if s == status), "{said:?}");
    }
}

#[tokio::test]
async fn the_token_goes_with_what_a_holder_asks_and_never_with_traces() {
    let server = Server::start(ServerIs::Right, |ask| match ask.path() {
        "/fhir/AuditEvent/00000000-0000-0000-0000-000000000001" => Reply::status(201),
        _ => Reply::json(200, &searchset(vec![], None)),
    })
    .await;
    find(&server).await.expect("a list");
    connector(&server, Profile::Put).traces(AsDevice, &[trace(1)]).await.expect("outcomes");
    let asks = server.asks();
    assert_eq!(asks[0].header("authorization"), Some("Bearer eyJ.a.token"));
    assert_eq!(asks[0].header("accept"), Some("application/fhir+json"));
    assert!(asks[0].target.contains("patient.identifier=urn%3Aoid%3A1.2.250.1.213.1.4.10%7C279035121518989"));
    assert!(asks[0].target.contains("status=current") && asks[0].target.contains("date=ge2024-11-23T08%3A42%3A00Z"));
    let sent = asks.iter().find(|ask| ask.method == "PUT").expect("a trace");
    assert_eq!(sent.header("authorization"), None);
}

#[tokio::test]
async fn an_answer_that_is_no_fhir_is_named_and_quotes_nothing() {
    let patient_words = "{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"entry\":[{\"name\":\"DUPONT\"";
    for body in
        [patient_words, "<html>DUPONT</html>", "", "[]", "{\"resourceType\":\"Patient\",\"type\":\"searchset\"}"]
    {
        let server = Server::start(ServerIs::Right, move |_| Reply::text(200, body)).await;
        let said = find(&server).await.expect_err("unreadable");
        assert!(matches!(said, Error::Unreadable { what: "the list", .. }), "{body}: {said:?}");
        assert!(!format!("{said:?} {said}").contains("DUPONT"));
    }
}

#[tokio::test]
async fn one_faulty_entry_takes_no_other_with_it() {
    let entries = vec![entry(1), json!({"resourceType": "DocumentReference", "id": 9}), json!(null), entry(2)];
    let server = Server::start(ServerIs::Right, move |_| Reply::json(200, &searchset(entries.clone(), None))).await;
    let types: Vec<String> = find(&server).await.expect("a list").into_iter().map(|d| d.type_code.0).collect();
    assert_eq!(types, ["34133-9", "unreadable", "unreadable", "34133-9"]);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_taken_for_whole() {
    let text = searchset(vec![entry(1)], None).to_string();
    let server = Server::start(ServerIs::Right, move |_| Reply::text(200, &text).breaks_off_after(40)).await;
    assert!(matches!(find(&server).await, Err(Error::Unreachable { .. })));
}

#[tokio::test]
async fn a_silent_server_is_left_in_time() {
    let server = Server::start(ServerIs::Right, |_| Reply::status(200).hangs()).await;
    let started = Instant::now();
    let said = find(&server).await;
    assert!(matches!(said, Err(Error::TimedOut)), "{said:?}");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(ServerIs::Right, |_| Reply::json(200, &searchset(vec![entry(1)], None))).await;
    let to = format!("{}/DocumentReference", elsewhere.base);
    let server = Server::start(ServerIs::Right, move |_| Reply::status(302).with("location", &to)).await;
    assert!(matches!(find(&server).await, Err(Error::Failed { status: 302, .. })));
    assert_eq!(elsewhere.asks().len(), 0, "the token stayed here");
}

#[tokio::test]
async fn all_pages_are_read_however_they_are_linked() {
    let server = Server::start(ServerIs::Right, |ask| {
        let (number, next) = match ask.query("page") {
            None => (1, Some("DocumentReference?page=2".to_owned())),
            Some("2") => (2, Some(format!("https://{}/fhir/DocumentReference?page=3", ask.host()))),
            _ => (3, None),
        };
        Reply::json(200, &searchset(vec![entry(number)], next.as_deref()))
    })
    .await;
    let ids: Vec<String> = find(&server).await.expect("a list").into_iter().map(|d| d.unique_id.0).collect();
    assert_eq!(ids, ["1.2.1", "1.2.2", "1.2.3"]);
}

#[tokio::test]
async fn pages_that_do_not_end_or_lead_away_are_refused() {
    let circle = Server::start(ServerIs::Right, |_| {
        Reply::json(200, &searchset(vec![entry(1)], Some("DocumentReference?page=2")))
    })
    .await;
    let said = find(&circle).await;
    assert!(matches!(said, Err(Error::Unreadable { why: "its pages do not end", .. })), "{said:?}");
    assert_eq!(circle.asks().len(), 2);

    let elsewhere = Server::start(ServerIs::Right, |_| Reply::json(200, &searchset(vec![], None))).await;
    let to = format!("{}/DocumentReference", elsewhere.base);
    let leads_away =
        Server::start(ServerIs::Right, move |_| Reply::json(200, &searchset(vec![entry(1)], Some(&to)))).await;
    let said = find(&leads_away).await;
    assert!(matches!(said, Err(Error::Unreadable { why: "it leads to another server", .. })), "{said:?}");
    assert_eq!(elsewhere.asks().len(), 0, "the token stayed here");
}

#[tokio::test]
async fn a_compressed_answer_is_read_and_the_servers_time_kept() {
    let server = Server::start(ServerIs::Right, |_| Reply::json(200, &searchset(vec![entry(1)], None)).gzip()).await;
    let pdsm = connector(&server, Profile::Put);
    assert_eq!(pdsm.server_time(), None);
    let held = pdsm.find(&holder(), &ins(), SINCE).await.expect("a list");
    assert_eq!(held.release(&listed()).ok().map(|list| list.len()), Some(1));
    assert!(server.asks()[0].header("accept-encoding").is_some_and(|value| value.contains("gzip")));
    let real = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let said = pdsm.server_time().expect("the server said it").0;
    assert!((real as i64 - said).abs() < 30, "{said}");
    server.stop().await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(pdsm.find(&holder(), &ins(), SINCE).await.is_err());
    assert!(pdsm.server_time().is_some_and(|later| later.0 > said), "an old word is not taken for the present");
}

#[tokio::test]
async fn the_records_state_is_three_questions() {
    let server = Server::start(ServerIs::Right, |ask| match ask.path() {
        "/fhir/Patient" => Reply::json(
            200,
            &searchset(
                vec![json!({"resourceType": "Patient", "active": true,
            "identifier": [{"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "279035121518989"}]})],
                None,
            ),
        ),
        // A server that knows no care teams.
        "/fhir/CareTeam" => Reply::status(404),
        _ => Reply::json(
            200,
            &searchset(
                vec![json!({"resourceType": "Consent", "status": "active",
            "category": [{"coding": [{"system": "https://chevet.invalid/fhir/CodeSystem/consent-category",
                "code": "authorization"}]}], "provision": {"type": "permit"}})],
                None,
            ),
        ),
    })
    .await;
    let state = connector(&server, Profile::Put).state(&holder(), &ins(), Some("Val, B|C")).await.expect("a state");
    assert_eq!((state.existence, state.authorization), (Existence::Open, Authorization::Valid { until: None }));
    let consent = server.asks().into_iter().find(|ask| ask.path() == "/fhir/Consent").expect("asked");
    let team = "https%3A%2F%2Fchevet.invalid%2Ffhir%2Fidentifier%2Fteam%7CVal%5C%2C+B%5C%7CC";
    let me = "urn%3Aoid%3A1.2.250.1.71.4.2.1%7C899700000012";
    assert_eq!(consent.query("actor.identifier"), Some(&*format!("{me}%2C{team}")));
    assert_eq!((state.care_team, state.team_words), (None, vec![]));
    let care_team = server.asks().into_iter().find(|ask| ask.path() == "/fhir/CareTeam").expect("asked");
    assert_eq!(care_team.query("participant.identifier"), Some(me));

    let half = Server::start(ServerIs::Right, |ask| match ask.path() {
        "/fhir/Patient" => Reply::json(200, &searchset(vec![], None)),
        _ => Reply::status(500),
    })
    .await;
    let said = connector(&half, Profile::Put).state(&holder(), &ins(), None).await;
    assert!(matches!(said, Err(Error::Failed { status: 500, .. })), "half a state is no state: {said:?}");
}

#[tokio::test]
async fn whose_records_a_holder_may_open_is_one_question_and_all_its_pages() {
    let of = |matricule: &str| {
        let actor =
            json!({"reference": {"identifier": {"system": "urn:oid:1.2.250.1.71.4.2.1", "value": "899700000012"}}});
        let patient = json!({"system": "urn:oid:1.2.250.1.213.1.4.10", "value": matricule});
        json!({"resourceType": "Consent", "status": "active", "patient": {"identifier": patient},
            "category": [{"coding": [{"system": "https://chevet.invalid/fhir/CodeSystem/consent-category",
                "code": "authorization"}]}], "provision": {"type": "permit", "actor": [actor]}})
    };
    let server = Server::start(ServerIs::Right, move |ask| match ask.query("page") {
        None => Reply::json(200, &searchset(vec![of("279035121518989")], Some("Consent?page=2"))),
        _ => Reply::json(200, &searchset(vec![of("255069999999934"), json!({"resourceType": "Consent"})], None)),
    })
    .await;
    let found = connector(&server, Profile::Put).authorized(&holder()).await.expect("a list");
    let found: Vec<&str> = found.iter().map(|(ins, _)| ins.matricule.as_str()).collect();
    assert_eq!(found, ["255069999999934", "279035121518989"]);
    let asks = server.asks();
    assert_eq!(asks.len(), 2);
    let category = "https%3A%2F%2Fchevet.invalid%2Ffhir%2FCodeSystem%2Fconsent-category%7C";
    assert_eq!(asks[0].query("category"), Some(&*format!("{category}authorization%2C{category}blocking")));
    assert_eq!(asks[0].query("actor.identifier"), Some("urn%3Aoid%3A1.2.250.1.71.4.2.1%7C899700000012"));
    assert_eq!(asks[0].query("patient.identifier"), None);
}

#[tokio::test]
async fn content_is_fetched_raw_or_wrapped_and_verified() {
    let content = b"<ClinicalDocument/>";
    let raw =
        Server::start(ServerIs::Right, |_| Reply::text(200, "<ClinicalDocument/>").with("content-type", "text/xml"))
            .await;
    let wrapped = Server::start(ServerIs::Right, |_| {
        Reply::json(
            200,
            &json!({"resourceType": "Binary", "contentType": "text/xml", "data": "PENsaW5pY2FsRG9jdW1lbnQvPg=="}),
        )
    })
    .await;
    let absolute = format!("{}/Binary/b1", raw.base);
    for (server, url) in [(&raw, "Binary/b1"), (&raw, &*absolute), (&wrapped, "Binary/b1")] {
        let pdsm = connector(server, Profile::Put);
        let held = pdsm.fetch(&holder(), &ins(), &document(url, content), None).await.expect("content");
        let shown = held.release(&opened()).unwrap_or_else(|_| panic!("the row covers the document"));
        assert_eq!(shown.whole().expect("in memory").show_bytes(), content);
    }
    let mut wrong = document("Binary/b1", content);
    wrong.attachment.sha1 = Some([0; 20]);
    let said = connector(&raw, Profile::Put).fetch(&holder(), &ins(), &wrong, None).await;
    assert!(matches!(said, Err(Error::Damaged { what: "hash" })), "{said:?}");
    wrong.attachment.size_bytes = Some(18);
    let said = connector(&raw, Profile::Put).fetch(&holder(), &ins(), &wrong, None).await;
    assert!(matches!(said, Err(Error::Damaged { what: "size" })), "{said:?}");
}

/// On its way it lies in a file that no folder names, and is verified, unwrapped and handed out as any other.
#[tokio::test]
async fn a_large_content_lies_aside_while_it_comes() {
    let content = vec![b'x'; 3_000_000];
    let data = base64::engine::general_purpose::STANDARD.encode(&content);
    let reply = Reply::text(200, &"x".repeat(3_000_000)).with("content-type", "text/xml");
    let again = reply.clone();
    let raw = Server::start(ServerIs::Right, move |_| again.clone());
    let binary = json!({"resourceType": "Binary", "contentType": "text/xml", "data": data});
    let wrapped = Server::start(ServerIs::Right, move |_| Reply::json(200, &binary));
    let folder = tempfile::tempdir().expect("a folder");
    for (server, is_aside) in [(raw.await, true), (wrapped.await, false)] {
        let pdsm = connector(&server, Profile::Put);
        let mut wanted = document("Binary/b1", &content);
        let held = pdsm.fetch(&holder(), &ins(), &wanted, Some(folder.path())).await.expect("content");
        let shown = held.release(&opened()).expect("the row covers the document");
        assert_eq!(matches!(shown, Content::Aside(_)), is_aside);
        assert_eq!(shown.whole().expect("it can be read back").show_bytes(), content);
        assert_eq!(folder.path().read_dir().expect("a folder").count(), 0);
        wanted.attachment.sha1 = Some([0; 20]);
        let said = pdsm.fetch(&holder(), &ins(), &wanted, Some(folder.path())).await;
        assert!(matches!(said, Err(Error::Damaged { what: "hash" })), "{said:?}");
    }
    let server = Server::start(ServerIs::Right, move |_| reply.clone()).await;
    let (pdsm, wanted) = (connector(&server, Profile::Put), document("Binary/b1", &content));
    let said = pdsm.fetch(&holder(), &ins(), &wanted, Some(std::path::Path::new("/proc"))).await;
    assert!(
        matches!(said, Err(Error::NotKept { .. })),
        "a disk that takes nothing is no absence of the network: {said:?}"
    );
}

#[tokio::test]
async fn content_on_another_server_is_not_asked_for() {
    let elsewhere = Server::start(ServerIs::Right, |_| Reply::text(200, "x")).await;
    let server = Server::start(ServerIs::Right, |_| Reply::text(200, "x")).await;
    let away = document(&format!("{}/Binary/b1", elsewhere.base), b"x");
    let said = connector(&server, Profile::Put).fetch(&holder(), &ins(), &away, None).await;
    assert!(matches!(said, Err(Error::Unreadable { .. })), "{said:?}");
    assert_eq!(elsewhere.asks().len() + server.asks().len(), 0);
}

#[tokio::test]
async fn a_200_mb_document_is_stopped_at_the_limit() {
    const MB: u64 = 1024 * 1024;
    let flow = Reply::status(200).with("content-type", "application/pdf").flows(200 * MB);
    let sent = flow.sent();
    let server = Server::start(ServerIs::Right, move |_| flow.clone()).await;
    let mut large = document("Binary/b1", b"");
    (large.attachment.size_bytes, large.attachment.sha1) = (None, None);
    let pdsm = connector(&server, Profile::Put).with_document_limit(4 * MB);
    let said = pdsm.fetch(&holder(), &ins(), &large, None).await;
    assert!(matches!(said, Err(Error::TooLarge { limit_bytes }) if limit_bytes == 4 * MB), "{said:?}");
    drop(pdsm);
    tokio::time::sleep(Duration::from_millis(200)).await;
    // What the kernel's buffers took beside it; the rest never left the server, so that it is in no memory of ours.
    let sent = sent.load(Ordering::SeqCst);
    assert!((4 * MB..40 * MB).contains(&sent), "{} MB were sent", sent / MB);

    large.attachment.size_bytes = Some(200 * MB);
    let asked = server.asks().len();
    let said = connector(&server, Profile::Put).fetch(&holder(), &ins(), &large, None).await;
    assert!(matches!(said, Err(Error::TooLarge { .. })), "{said:?}");
    assert_eq!(server.asks().len(), asked, "what is announced as too large is not even asked for");
}

#[tokio::test]
async fn a_server_that_asks_for_time_gets_it() {
    let server = Server::start(ServerIs::Right, |_| Reply::status(429).with("retry-after", "7")).await;
    let said = connector(&server, Profile::Put).traces(AsDevice, &[trace(1), trace(2)]).await.expect_err("busy");
    assert!(matches!(said, Error::Failed { status: 429, retry_after_s: Some(7) }), "{said:?}");
    assert_eq!(Failure::of(&said), Failure::AfterSeconds(7));
    assert_eq!(server.asks().len(), 1, "a busy server is not asked once more, item by item");
}

#[tokio::test]
async fn sending_twice_leaves_one_of_each() {
    let kept: Arc<Mutex<HashMap<String, Value>>> = Arc::default();
    let store = kept.clone();
    let server = Server::start(ServerIs::Right, move |ask| {
        let body = ask.json();
        let put =
            |resource: &Value| store.lock().expect("not poisoned").insert(resource["id"].to_string(), resource.clone());
        if body["resourceType"] == "AuditEvent" {
            put(&body);
            return Reply::status(201);
        }
        let entries = body["entry"].as_array().cloned().unwrap_or_default();
        let answers: Vec<Value> = entries
            .iter()
            .map(|entry| {
                assert_eq!(entry["request"]["method"], "PUT");
                match entry["resource"]["id"].as_str() {
                    Some(id) if id.ends_with("13") => json!({"response": {"status": "422 No", "outcome": {
                        "resourceType": "OperationOutcome", "issue": [{"code": "invariant", "diagnostics": "no"}]}}}),
                    Some(id) if id.ends_with("14") => json!({"response": {"status": "500"}}),
                    _ => {
                        put(&entry["resource"]);
                        json!({"response": {"status": "200 OK"}})
                    }
                }
            })
            .collect();
        Reply::json(200, &json!({"resourceType": "Bundle", "type": "batch-response", "entry": answers}))
    })
    .await;
    let pdsm = connector(&server, Profile::Put);
    let rows = [trace(0x11), trace(0x12), trace(0x13), trace(0x14)];
    for _ in 0..2 {
        let outcomes = pdsm.traces(AsDevice, &rows).await.expect("outcomes");
        let refused = Outcome::Refused { code: "invariant".into(), reason: "no".into() };
        assert_eq!(outcomes, [Outcome::Acknowledged, Outcome::Acknowledged, refused, Outcome::NotNow]);
    }
    assert_eq!(pdsm.traces(AsDevice, &rows[..1]).await.expect("one"), [Outcome::Acknowledged]);
    let kept = kept.lock().expect("not poisoned");
    assert_eq!(kept.len(), 2);
    let first = &kept["\"00000000-0000-0000-0000-000000000011\""];
    let leaf = hex::encode(Pending::new(trace(0x11)).leaf().0);
    assert!(first.to_string().contains(&leaf), "the row's leaf is what the server keeps");
}

#[tokio::test]
async fn a_server_without_batches_gets_them_one_by_one() {
    let server =
        Server::start(ServerIs::Right, |ask| if ask.method == "PUT" { Reply::status(201) } else { Reply::status(404) })
            .await;
    let outcomes = connector(&server, Profile::Put).traces(AsDevice, &[trace(1), trace(2)]).await.expect("outcomes");
    assert_eq!(outcomes, [Outcome::Acknowledged, Outcome::Acknowledged]);
    let methods: Vec<String> = server.asks().into_iter().map(|ask| ask.method).collect();
    assert_eq!(methods, ["POST", "PUT", "PUT"]);

    // A wrong address refuses nothing for good.
    let wrong = Server::start(ServerIs::Right, |_| Reply::status(404)).await;
    let said = connector(&wrong, Profile::Put).traces(AsDevice, &[trace(1), trace(2)]).await;
    assert!(matches!(said, Err(Error::Failed { status: 404, .. })), "{said:?}");
}

#[tokio::test]
async fn a_repository_without_put_gets_a_bundle_even_for_one() {
    let server = Server::start(ServerIs::Right, |ask| {
        assert_eq!((ask.method.as_str(), ask.path()), ("POST", "/fhir"));
        assert_eq!(ask.json()["entry"][0]["request"], json!({"method": "POST", "url": "AuditEvent"}));
        Reply::json(
            200,
            &json!({"resourceType": "Bundle", "type": "batch-response", "entry": [{"response": {"status": "201"}}]}),
        )
    })
    .await;
    let outcomes = connector(&server, Profile::Post).traces(AsDevice, &[trace(1)]).await.expect("outcomes");
    assert_eq!(outcomes, [Outcome::Acknowledged]);
}

#[tokio::test]
async fn a_consent_is_made_once_and_a_refused_one_says_why() {
    let server = Server::start(ServerIs::Right, |ask| match ask.header("if-none-exist") {
        Some("identifier=urn:ietf:rfc:3986|urn:uuid:00000000-0000-0000-0000-000000000005") => Reply::status(201),
        other => panic!("{other:?}"),
    })
    .await;
    let pdsm = connector(&server, Profile::Put);
    assert_eq!(pdsm.consent(&holder(), &consent()).await.expect("an outcome"), Outcome::Acknowledged);
    assert_eq!(server.asks()[0].json()["resourceType"], "Consent");

    let closed = Server::start(ServerIs::Right, |_| {
        Reply::json(
            422,
            &json!({"resourceType": "OperationOutcome", "issue": [{"code": "business-rule", "details": {
            "coding": [{"system": "https://chevet.invalid/fhir/CodeSystem/outcome", "code": "refused"}],
            "text": "Le dossier est fermé."}}]}),
        )
    })
    .await;
    let said = connector(&closed, Profile::Put).consent(&holder(), &consent()).await.expect("an outcome");
    assert_eq!(said, Outcome::Refused { code: "refused".into(), reason: "Le dossier est fermé.".into() });
}

#[tokio::test]
async fn a_history_is_read() {
    let server = Server::start(ServerIs::Right, |ask| {
        assert_eq!(ask.query("_sort"), Some("-date"));
        Reply::json(
            200,
            &searchset(
                vec![json!({"resourceType": "AuditEvent", "recorded": "2026-11-23T08:42:00Z",
            "agent": [{"requestor": true, "name": "INFIRMIER Alix"}],
            "subtype": [{"system": "https://chevet.invalid/fhir/CodeSystem/trace-class", "code": "opened"}]})],
                None,
            ),
        )
    })
    .await;
    let held = connector(&server, Profile::Put).history(&holder(), &ins(), SINCE).await.expect("a history");
    let lines = held.release(&listed()).unwrap_or_else(|_| panic!("the row covers it"));
    assert_eq!((&*lines[0].author, &*lines[0].action), ("INFIRMIER Alix", "a ouvert un document"));
}

#[test]
fn what_is_no_key_or_certificate_is_refused_at_once() {
    let broken = client(|options| options.ca_pem = b"nothing".to_vec());
    assert!(matches!(broken, Err(chevet::link::Error::Pem { what: "file of authorities" })));
    let foreign = client(|options| options.key_pem = stage::wrong_device_key());
    assert!(matches!(foreign, Err(chevet::link::Error::DeviceKey { .. })), "the key of another certificate");
}
