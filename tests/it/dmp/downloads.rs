//! What a whole record costs the line, and documents that come in pieces, over the sandbox's own HTTP/2.

use super::*;
use chevet::link::Method;
use chevet::link::Request;
use chevet::link::Sink;
use chevet::link::Urgency;
use chevet::link::turns;
use chevet::record::document::Document;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// Over HTTP/2. The first question finds that out, and what follows has its connection: the questions of a state, a list and five
/// documents at once. After hanging up it is another one, made by one short handshake.
#[tokio::test]
async fn all_of_a_record_comes_over_one_connection() {
    let server = start(0, None);
    let device = client(pki().device());
    let pdsm = Pdsm::new(device.clone(), &server.base_url, device.clone(), &server.base_url, Profile::Put)
        .expect("a connector");
    let (nurse, ins) = (holder("nurse", &device, &server, 2), ins(Case::Authorized));
    let found = pdsm.find(&nurse, &ins, now().plus(-800 * 86_400)).await.expect("found");
    assert_eq!(server.connections(), (1, 0));
    for connections in [(1, 0), (2, 1)] {
        pdsm.state(&nurse, &ins, None).await.expect("a state");
        let some = found.for_storage();
        let fetch = |at: usize| pdsm.fetch(&nurse, &ins, &some[at], None);
        tokio::try_join!(fetch(0), fetch(1), fetch(2), fetch(3), fetch(4)).expect("five documents");
        assert_eq!(server.connections(), connections);
        pdsm.hang_up();
    }
}

/// The real server's own tags and ranges: of what is compressed, and of what is not.
#[tokio::test]
async fn a_document_that_is_cut_again_and_again_arrives_whole() {
    let server = start(0, None);
    let device = client(pki().device());
    let pdsm = Pdsm::new(device.clone(), &server.base_url, device.clone(), &server.base_url, Profile::Put)
        .expect("a connector");
    let nurse = holder("nurse", &device, &server, 3);
    for (case, title) in [(Case::Authorized, None), (Case::Broken, Some(broken::STRANGE))] {
        server.faults().clear();
        let ins = ins(case);
        let found = pdsm.find(&nurse, &ins, UnixSeconds(0)).await.expect("found");
        let is_it = |document: &&Document| title.is_none_or(|title| document.title == title);
        let document = found.for_storage().iter().find(is_it).expect("in the record");
        let size = document.attachment.size_bytes.expect("said");
        // What is compressed is cut too: to a twelfth it does not go.
        server.faults().set(Fault::CutAfter(size as usize / 12));
        pdsm.fetch(&nurse, &ins, document, None).await.expect("whole, by its hash");
    }
}

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

/// Three transfers that are paused for somebody who waits have had all that a stream may hold: their answer still comes, over
/// the same connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_paused_leaves_room_on_its_connection() {
    let server = start(0, None);
    let device = client(pki().device());
    let pdsm = Pdsm::new(device.clone(), &server.base_url, device.clone(), &server.base_url, Profile::Put)
        .expect("a connector");
    let nurse = Arc::new(holder("nurse", &device, &server, 4));
    let people = everybody();
    let papers = &people.of(Case::Broken).expect("somebody").papers;
    let huge = papers.iter().find(|paper| paper.title == broken::HUGE).expect("a huge one");
    let url = format!("{}/Binary/{}", server.base_url, huge.entry_id);
    // It is known that there is one connection, and it is there.
    for _ in 0..2 {
        pdsm.state(&nurse, &ins(Case::Authorized), None).await.expect("a state");
    }
    let connections = server.connections();
    let came = Arc::new(AtomicU64::new(0));
    let quiet: Vec<_> = (0..3)
        .map(|_| {
            let (url, nurse, device, came) = (url.clone(), nurse.clone(), device.clone(), came.clone());
            tokio::spawn(turns::at(Urgency::Prefetch, async move {
                let request = Request {
                    method: Method::Get,
                    url,
                    accept: "*/*".to_owned(),
                    bearer: Some(&nurse.token),
                    headers: Vec::new(),
                    body: None,
                    limit_bytes: 1 << 30,
                };
                device.fetch(request, &mut Counts(came)).await.map(|answer| answer.status)
            }))
        })
        .collect();
    while came.load(Ordering::SeqCst) < 1 << 20 {
        assert!(quiet.iter().all(|one| !one.is_finished()), "they broke off");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // Long enough for everything that is on its way to have come.
    server.faults().set(Fault::Slow(Duration::from_millis(500)));
    let found = pdsm.find(&nurse, &ins(Case::Authorized), now().plus(-800 * 86_400)).await.expect("found");
    assert!(!found.for_storage().is_empty());
    assert!(quiet.iter().all(|one| !one.is_finished()), "they were over before anybody was in their way");
    assert_eq!(server.connections(), connections, "one connection for all of it");
    quiet.iter().for_each(tokio::task::JoinHandle::abort);
}
