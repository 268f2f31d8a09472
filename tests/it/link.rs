//! The link itself: what breaks off goes on, what is urgent goes first, a server that knows less is spoken to as it can.

mod thin;

use crate::exchange::stage;
use crate::exchange::stage::Ask;
use crate::exchange::stage::Reply;
use crate::exchange::stage::Server;
use crate::exchange::stage::ServerIs;
use chevet::exchange::AsDevice;
use chevet::exchange::Error;
use chevet::exchange::Outcome;
use chevet::exchange::Pdsm;
use chevet::exchange::Upstream;
use chevet::exchange::pdsm::Profile;
use chevet::link;
use chevet::link::Answer;
use chevet::link::Client;
use chevet::link::Method;
use chevet::link::Request;
use chevet::link::Sink;
use chevet::link::Spool;
use chevet::link::Timeouts;
use chevet::link::Traffic;
use chevet::link::Turns;
use chevet::link::Urgency;
use chevet::link::traffic::Ledger;
use chevet::link::turns;
use chevet::time::UnixSeconds;
use rustls::HandshakeKind;
use rustls::ProtocolVersion;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;
use tokio::net::TcpListener;
use tokio::net::TcpSocket;
use tokio::net::TcpStream;
use tokio::sync::watch;

fn get(url: String) -> Request<'static> {
    Request {
        method: Method::Get,
        url,
        accept: "*/*".to_owned(),
        bearer: None,
        headers: Vec::new(),
        body: None,
        limit_bytes: 1 << 30,
    }
}

fn client() -> Client {
    stage::client(|_| {}).expect("a client")
}

fn text(length: usize) -> String {
    (0..length).map(|at| char::from(b'a' + (at * 7 % 26) as u8)).collect()
}

/// A server of one text that breaks off its first answers, and what it does with a question for the rest.
async fn breaking(cuts: usize, tags: [&'static str; 2], goes_on: bool) -> (Server, Vec<u8>) {
    let (first, second) = (text(1000), text(1000).to_uppercase());
    let asked = AtomicUsize::new(0);
    let served = [first.clone(), second.clone()];
    let server = Server::start(ServerIs::Right, move |ask| {
        let number = asked.fetch_add(1, Ordering::SeqCst);
        // Of another version, once its tag is another.
        let (tag, text) =
            if number == 0 { (tags[0], &served[0]) } else { (tags[1], &served[usize::from(tags[0] != tags[1])]) };
        let from = ask.header("range").filter(|_| goes_on && ask.header("if-range") == Some(tag));
        let from: usize =
            from.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()).unwrap_or(0);
        let reply = Reply::text(if from > 0 { 206 } else { 200 }, &text[from..]).with("etag", tag);
        let reply = if from > 0 { reply.with("content-range", &format!("bytes {from}-999/1000")) } else { reply };
        if number < cuts { reply.breaks_off_after(300) } else { reply }
    })
    .await;
    (server, if tags[0] == tags[1] { first.into_bytes() } else { second.into_bytes() })
}

/// A content in memory, as the answer's body.
async fn whole(client: &Client, request: Request<'_>) -> Result<Answer, link::Error> {
    let mut spool = Spool::new(None, 0);
    let mut answer = client.fetch(request, &mut spool).await?;
    if (200..300).contains(&answer.status) {
        answer.body = spool.finish()?.content.whole().expect("in memory").show_bytes().to_vec();
    }
    Ok(answer)
}

fn ranges(server: &Server) -> Vec<Option<String>> {
    server.asks().iter().map(|ask| ask.header("range").map(str::to_owned)).collect()
}

#[tokio::test]
async fn what_broke_off_goes_on_where_it_was() {
    let (server, expected) = breaking(2, ["\"a\"", "\"a\""], true).await;
    let answer = whole(&client(), get(server.base.clone())).await.expect("all of it");
    assert_eq!(answer.body, expected);
    assert_eq!(ranges(&server), [None, Some("bytes=300-".into()), Some("bytes=600-".into())]);
}

#[tokio::test]
async fn what_changed_meanwhile_begins_anew() {
    let (server, expected) = breaking(1, ["\"a\"", "\"b\""], true).await;
    let answer = whole(&client(), get(server.base.clone())).await.expect("the new one");
    assert_eq!(answer.body, expected, "nothing of the old one is left");
    assert_eq!(ranges(&server), [None, Some("bytes=300-".into())]);
}

#[tokio::test]
async fn a_server_without_ranges_or_strong_tags_is_asked_for_the_whole() {
    let (server, expected) = breaking(1, ["\"a\"", "\"a\""], false).await;
    assert_eq!(whole(&client(), get(server.base.clone())).await.expect("all of it").body, expected);
    let (server, expected) = breaking(1, ["W/\"a\"", "W/\"a\""], true).await;
    assert_eq!(whole(&client(), get(server.base.clone())).await.expect("all of it").body, expected);
    assert_eq!(ranges(&server), [None, None], "a weak tag vouches for nothing");
}

#[tokio::test]
async fn a_content_that_never_comes_further_is_given_up() {
    let (server, _) = breaking(usize::MAX, ["W/\"a\"", "W/\"a\""], true).await;
    let said = whole(&client(), get(server.base.clone())).await;
    assert!(matches!(said, Err(link::Error::Interrupted { .. })), "{said:?}");
    assert_eq!(server.asks().len(), 4, "once, and three times more");
}

#[tokio::test]
async fn the_hash_is_that_of_the_whole() {
    // The second half is another text's, under the first one's tag: only the hash can tell.
    let (first, second) = (text(1000), text(1000).to_uppercase());
    let served = first.clone();
    let server = Server::start(ServerIs::Right, move |ask| match ask.header("range") {
        None => Reply::text(200, &served).with("etag", "\"a\"").breaks_off_after(300),
        Some(_) => Reply::text(206, &second[300..]).with("etag", "\"a\"").with("content-range", "bytes 300-999/1000"),
    })
    .await;
    let document = stage::document("Binary/b1", first.as_bytes());
    let said = stage::connector(&server, Profile::Put).fetch(&stage::holder(), &stage::ins(), &document, None).await;
    assert!(matches!(said, Err(Error::Damaged { what: "hash" })), "{:?}", said.err());
    assert_eq!(server.asks().len(), 2);
}

/// What is delivered is compressed; a server that does not want it gets it plain, now and from then on, and refuses nothing.
#[tokio::test]
async fn a_server_that_takes_no_compression_is_spoken_to_plainly() {
    for status in [415, 400, 500] {
        let server = Server::start(ServerIs::Right, move |ask| match ask.header("content-encoding") {
            Some(_) => {
                Reply::json(status, &json!({"resourceType": "OperationOutcome", "issue": [{"code": "structure"}]}))
            }
            None => batch(ask),
        })
        .await;
        let pdsm = stage::connector(&server, Profile::Put);
        for _ in 0..2 {
            let outcomes = pdsm.traces(AsDevice, &[stage::trace(1), stage::trace(2)]).await.expect("answered");
            assert_eq!(outcomes, [Outcome::Acknowledged, Outcome::Acknowledged], "{status}");
        }
        let codings: Vec<bool> = server.asks().iter().map(|ask| ask.header("content-encoding").is_some()).collect();
        assert_eq!(codings, [true, false, false], "{status}: asked once, and remembered");
    }
}

#[tokio::test]
async fn a_refusal_after_compression_was_taken_is_about_the_content() {
    let refuses = Arc::new(AtomicUsize::new(0));
    let later = refuses.clone();
    let server = Server::start(ServerIs::Right, move |ask| match later.load(Ordering::SeqCst) {
        0 => batch(ask),
        status => Reply::status(status as u16),
    })
    .await;
    let pdsm = stage::connector(&server, Profile::Put);
    let two = [stage::trace(1), stage::trace(2)];
    pdsm.traces(AsDevice, &two).await.expect("answered");
    refuses.store(429, Ordering::SeqCst);
    assert!(pdsm.traces(AsDevice, &two).await.is_err());
    assert_eq!(server.asks().len(), 2, "not asked again in the plain form");
    assert!(server.asks().iter().all(|ask| ask.header("content-encoding") == Some("gzip")));
}

fn batch(ask: &Ask) -> Reply {
    let entries = ask.json()["entry"].as_array().map_or(0, Vec::len);
    let answers = vec![json!({"response": {"status": "201 Created"}}); entries];
    Reply::json(200, &json!({"resourceType": "Bundle", "type": "batch-response", "entry": answers}))
}

#[tokio::test]
async fn one_connection_is_kept_and_the_next_is_made_by_a_short_handshake() {
    let server = Server::start(ServerIs::Right, |_| Reply::text(200, "yes")).await;
    let client = client();
    for _ in 0..3 {
        client.send(get(server.base.clone())).await.expect("answered");
    }
    assert_eq!(server.handshakes(), [HandshakeKind::Full], "three questions, one connection");
    client.hang_up();
    client.send(get(server.base.clone())).await.expect("answered");
    assert_eq!(server.handshakes(), [HandshakeKind::Full, HandshakeKind::Resumed]);
    assert_eq!(server.versions(), [Some(ProtocolVersion::TLSv1_3); 2]);
}

/// Each phase has its own limit: the others are long here, so that only the right one can end it.
#[tokio::test]
async fn each_phase_is_given_up_in_its_own_time() {
    let long = Duration::from_secs(60);
    let only = |change: fn(&mut Timeouts)| {
        let mut timeouts = Timeouts { connect: long, handshake: long, answer: long, silence: long };
        change(&mut timeouts);
        stage::client(move |options| options.timeouts = timeouts).expect("a client")
    };
    // Somebody takes the connection and says nothing.
    let mute = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let door = format!("https://{}/fhir", mute.local_addr().expect("an address"));
    let thinks = Server::start(ServerIs::Right, |_| Reply::text(200, "yes").after(Duration::from_secs(60))).await;
    let drips = Server::start(ServerIs::Right, |_| Reply::text(200, "y").drips(SHORT / 4)).await;
    // Whose queue is full: the next one to knock is not even told no.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("bound");
    let full = socket.listen(0).expect("it listens");
    let busy = full.local_addr().expect("an address");
    let mut waiting = Vec::new();
    while let Ok(stream) = tokio::time::timeout(10 * SHORT, TcpStream::connect(busy)).await {
        waiting.push(stream.expect("taken"));
    }
    let stops = Server::start(ServerIs::Right, |_| Reply::text(200, "y").with("content-length", "9").hangs()).await;
    for (phase, url, client) in [
        ("connect", format!("https://{busy}/fhir"), only(|timeouts| timeouts.connect = SHORT)),
        ("handshake", door, only(|timeouts| timeouts.handshake = SHORT)),
        ("answer", thinks.base.clone(), only(|timeouts| timeouts.answer = SHORT)),
        ("silence", stops.base.clone(), only(|timeouts| timeouts.silence = SHORT)),
        ("dripping", drips.base.clone(), only(|timeouts| timeouts.silence = SHORT)),
    ] {
        let began = Instant::now();
        let said = client.send(get(url)).await;
        assert!(matches!(said, Err(link::Error::TimedOut)), "{phase}: {said:?}");
        let lasted = began.elapsed();
        assert!(lasted >= SHORT && lasted < long / 4, "{phase}: {lasted:?}");
    }
}

const SHORT: Duration = Duration::from_millis(200);

/// How much came.
struct Counts(Arc<AtomicU64>);

impl Sink for Counts {
    fn begin(&mut self, _: &str) -> Result<(), link::Error> {
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), link::Error> {
        self.0.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        Ok(())
    }
}

/// While somebody reads a large document: whether the patient took something back, and what they say, goes first; what the
/// device accounts for does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_patient_says_goes_before_what_somebody_reads_and_traces_do_not() {
    for (asked, is_asked, goes_first) in
        [("state", true, true), ("consent", true, true), ("list", true, false), ("traces", false, false)]
    {
        let server = Server::start(ServerIs::Right, |ask| match ask.path() {
            "/fhir/large" => Reply::status(200).flows(1 << 30),
            _ => Reply::status(200).hangs(),
        })
        .await;
        let (turns, traffic) = (Turns::default(), Traffic::default());
        let patient = |options: &mut link::Options| {
            (options.timeouts.silence, options.timeouts.answer) = (Duration::from_secs(60), Duration::from_secs(60));
        };
        let client = || stage::client(patient).expect("a client").sharing(&turns, &traffic);
        let pdsm = Pdsm::new(client(), &server.base, client(), &server.base, Profile::Put).expect("a connector");
        let came = Arc::new(AtomicU64::new(0));
        let (reader, counted, url) = (client(), came.clone(), format!("{}/large", server.base));
        let reading =
            tokio::spawn(async move { turns::at(Urgency::Person, reader.fetch(get(url), &mut Counts(counted))).await });
        until(|| came.load(Ordering::SeqCst) > 1 << 20).await;
        let asking = tokio::spawn(async move {
            let who = stage::holder();
            match asked {
                "state" => drop(pdsm.state(&who, &stage::ins(), None).await),
                "consent" => drop(pdsm.consent(&who, &stage::consent()).await),
                "traces" => drop(pdsm.traces(AsDevice, &[stage::trace(1)]).await),
                _ => drop(pdsm.find(&who, &stage::ins(), UnixSeconds(0)).await),
            }
        });
        if is_asked {
            until(|| server.asks().len() >= 2).await;
        }
        // What was already read may still be counted.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let before = came.load(Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(300)).await;
        let moves = came.load(Ordering::SeqCst) > before;
        assert_eq!((moves, server.asks().len() >= 2), (!goes_first, is_asked), "{asked}");
        assert!(!reading.is_finished() && !asking.is_finished(), "{asked}: it was over before it was looked at");
        reading.abort();
        asking.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_under_way_makes_room_for_what_is_more_urgent() {
    const SIZE: u64 = 96 << 20;
    let (thinking, thinks) = watch::channel(true);
    let server = Server::start(ServerIs::Right, move |ask| match ask.path() {
        "/fhir/large" => Reply::status(200).flows(SIZE),
        _ if *thinks.borrow() => Reply::status(200).hangs(),
        _ => Reply::text(200, "yes"),
    })
    .await;
    let (turns, traffic) = (Turns::default(), Traffic::default());
    let client = stage::client(|options| options.timeouts.silence = Duration::from_secs(60)).expect("a client");
    let client = client.sharing(&turns, &traffic);
    let came = Arc::new(AtomicU64::new(0));
    let (quiet, counted, url) = (client.clone(), came.clone(), format!("{}/large", server.base));
    let prefetch =
        tokio::spawn(async move { turns::at(Urgency::Prefetch, quiet.fetch(get(url), &mut Counts(counted))).await });
    let is_past = |bytes: u64| came.load(Ordering::SeqCst) > bytes;
    until(|| is_past(1 << 20)).await;

    let (person, url) = (client.clone(), format!("{}/page", server.base));
    let asked = tokio::spawn(async move { person.send(get(url)).await });
    until(|| server.asks().len() == 2).await;
    // What was already read may still be counted; then nothing more comes.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let paused_at = came.load(Ordering::SeqCst);
    assert!(paused_at < SIZE, "it was over before anybody was in its way");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(came.load(Ordering::SeqCst), paused_at, "it goes on beside somebody who waits");

    thinking.send_replace(false);
    asked.abort();
    prefetch.await.expect("it lives").expect("all of it");
    assert_eq!(came.load(Ordering::SeqCst), SIZE);
    assert!(traffic.bytes() > SIZE, "and it was counted: {}", traffic.bytes());
}

async fn until(is_so: impl Fn() -> bool) {
    let until = tokio::time::Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(tokio::time::Instant::now() < until, "it never came to that");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_spent_day_ends_only_what_is_prepared_in_advance() {
    let text = text(20_000);
    let server = Server::start(ServerIs::Right, move |_| Reply::text(200, &text)).await;
    let (folder, traffic) = (tempfile::tempdir().expect("a folder"), Traffic::default());
    let client = client().sharing(&Turns::default(), &traffic);
    let mut ledger = Ledger::open(folder.path(), &traffic, Some(30_000));
    let prefetch = || turns::at(Urgency::Prefetch, whole(&client, get(server.base.clone())));
    ledger.enter("2026-11-23").expect("written");
    prefetch().await.expect("within the day's budget");
    let said = prefetch().await;
    assert!(matches!(said, Err(link::Error::OverBudget)), "in the middle of it: {said:?}");
    let asked = server.asks().len();
    assert!(prefetch().await.is_err());
    assert_eq!(server.asks().len(), asked, "and nothing more is asked for");
    whole(&client, get(server.base.clone())).await.expect("somebody waits for it");
    ledger.enter("2026-11-23").expect("written");
    ledger.enter("2026-11-24").expect("written");
    prefetch().await.expect("another day");
}

#[tokio::test]
async fn the_devices_own_time_goes_with_each_question() {
    let server = Server::start(ServerIs::Right, |_| Reply::text(200, "yes")).await;
    let plain = client();
    plain.send(get(server.base.clone())).await.expect("answered");
    let dated = plain.dated_by(Arc::new(|| UnixSeconds(784_111_777)));
    dated.send(get(server.base.clone())).await.expect("answered");
    let dates: Vec<Option<String>> = server.asks().iter().map(|ask| ask.header("date").map(str::to_owned)).collect();
    assert_eq!(dates, [None, Some("Sun, 06 Nov 1994 08:49:37 GMT".into())]);
}

/// Compressed bytes that were changed on their way are no beginning of anything: the whole is asked for.
#[tokio::test]
async fn what_cannot_be_unpacked_begins_anew() {
    let text = text(20_000);
    let served = text.clone();
    let asked = AtomicUsize::new(0);
    let server = Server::start(ServerIs::Right, move |_| {
        let reply = Reply::text(200, &served).with("etag", "\"a\"").gzip();
        if asked.fetch_add(1, Ordering::SeqCst) == 0 { reply.damaged_at(10_000) } else { reply }
    })
    .await;
    let answer = whole(&client(), get(server.base.clone())).await.expect("the second time");
    assert_eq!(answer.body, text.into_bytes());
    assert_eq!(ranges(&server), [None, None]);
}
