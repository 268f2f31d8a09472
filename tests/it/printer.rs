//! The client of the printer, against the sandbox's: whom it speaks to, what it sends, and what it takes back.

use crate::desk::pki;
use chevet::device::printer::Error;
use chevet::device::printer::Format;
use chevet::device::printer::Hindrance;
use chevet::device::printer::Job;
use chevet::device::printer::Options;
use chevet::device::printer::Printer;
use chevet::link;
use chevet::sandbox::printer::Printer as Stand;
use std::net::Ipv4Addr;
use std::time::Duration;
use std::time::Instant;

const PDF: &[&str] = &["application/pdf", "image/pwg-raster"];

fn client(uri: &str, certificate_pem: Option<Vec<u8>>) -> Printer {
    Printer::new(&Options { uri: uri.to_owned(), certificate_pem }).expect("an address")
}

fn block_on<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime").block_on(what)
}

#[test]
fn a_job_arrives_whole_and_names_nobody() {
    let stand = Stand::start(PDF, None).expect("a printer");
    let printer = client(&stand.uri, None);
    block_on(async {
        let state = printer.state().await.expect("a state");
        assert!(state.pdf && state.raster && state.colour && state.hindrance.is_none(), "{state:?}");
        let sent = vec![7; 300_000];
        let job = printer.print(sent.clone(), Format::PwgRaster).await.expect("a job");
        assert_eq!(printer.job(job).await.expect("its state"), Job::Done);
        let came = stand.jobs();
        assert!(came[0].document == sent, "byte for byte");
        assert_eq!(
            (came[0].format.as_str(), came[0].name.as_str(), came[0].user.as_str()),
            ("image/pwg-raster", "Chevet", "chevet")
        );
        assert!(printer.job(job + 1).await.is_err(), "no such job");
    });
}

#[test]
fn what_stands_still_says_why_and_a_waiting_job_is_taken_back() {
    let stand = Stand::start(PDF, None).expect("a printer");
    let printer = client(&stand.uri, None);
    block_on(async {
        stand.holds(true);
        let job = printer.print(vec![1; 10], Format::Pdf).await.expect("a job");
        assert_eq!(printer.job(job).await.expect("its state"), Job::Waiting);
        stand.stand_still(Some("media-empty-error"));
        assert_eq!(printer.job(job).await.expect("its state"), Job::Stopped);
        assert_eq!(printer.state().await.expect("a state").hindrance, Some(Hindrance::Paper));
        printer.cancel(job).await.expect("taken back");
        assert!(stand.jobs()[0].cancelled);
        assert_eq!(printer.job(job).await.expect("its state"), Job::Failed);
    });
}

/// What is not wholly sent when the card goes is no job.
#[test]
fn a_print_that_is_dropped_is_cut_in_the_middle() {
    let stand = Stand::start(PDF, None).expect("a printer");
    stand.takes_its_time(Some(Duration::from_millis(20)));
    let printer = client(&stand.uri, None);
    block_on(async {
        let sending = printer.print(vec![7; 8_000_000], Format::Pdf);
        let cut = tokio::time::timeout(Duration::from_millis(400), sending).await;
        assert!(cut.is_err(), "eight megabytes take longer");
        // It reads on, as far as there is anything.
        stand.takes_its_time(None);
        let until = Instant::now() + Duration::from_secs(10);
        while stand.cut() == 0 && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!((stand.cut(), stand.jobs().len()), (1, 0));
        assert!(stand.arriving() > 0 && stand.arriving() < 8_000_000);
    });
}

/// Its own certificate, or its issuer's; nobody else's, whatever name is on it.
#[test]
fn only_the_printer_that_the_settings_name_is_spoken_to() {
    let pki = pki();
    let pem = |path| std::fs::read(path).expect("a certificate");
    let stand = Stand::start(PDF, Some(&pki.server())).expect("a printer");
    let own = client(&stand.uri, Some(pem(pki.server().certificate)));
    let issuer = client(&stand.uri, Some(pem(pki.tls_authority())));
    let other = client(&stand.uri, Some(pem(pki.wrong_server().certificate)));
    // Where another name than the certificate's is asked for, its issuer's word is not enough; the very certificate is.
    let elsewhere = Stand::start_at(Ipv4Addr::new(127, 0, 0, 2), PDF, Some(&pki.server())).expect("a printer");
    let own_elsewhere = client(&elsewhere.uri, Some(pem(pki.server().certificate)));
    let issuer_elsewhere = client(&elsewhere.uri, Some(pem(pki.tls_authority())));
    block_on(async {
        assert!(own.state().await.is_ok());
        assert!(issuer.state().await.is_ok());
        let refused = other.state().await.expect_err("another printer");
        assert!(matches!(refused, Error::Link { source: link::Error::ServerCertificate { .. } }), "{refused:?}");
        assert!(own_elsewhere.state().await.is_ok());
        let refused = issuer_elsewhere.state().await.expect_err("a name that is not on it");
        assert!(matches!(refused, Error::Link { source: link::Error::ServerCertificate { .. } }), "{refused:?}");
        assert_eq!(stand.jobs().len(), 0);
    });
}

/// It has all of it, and goes without a word: that is not "nobody is there".
#[test]
fn a_printer_that_goes_with_the_document_is_told_from_one_that_is_not_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let swallow = move || {
        let (mut stream, _) = listener.accept().expect("a question");
        let mut asked = [0; 200];
        let _ = std::io::Read::read(&mut stream, &mut asked).expect("read");
    };
    let swallowing = std::thread::spawn(swallow);
    let printer = client(&format!("ipp://127.0.0.1:{port}/ipp/print"), None);
    let answer = block_on(printer.print(vec![1; 10], Format::Pdf));
    assert!(matches!(answer, Err(Error::Link { source: link::Error::Interrupted { .. } })), "{answer:?}");
    swallowing.join().expect("it is gone");
    let answer = block_on(printer.print(vec![1; 10], Format::Pdf));
    assert!(matches!(answer, Err(Error::Link { source: link::Error::Unreachable { .. } })), "{answer:?}");
}

#[test]
fn what_is_no_printer_is_said_to_be_none() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let answer = move || {
        let (mut stream, _) = listener.accept().expect("a question");
        let mut asked = [0; 2000];
        let _ = std::io::Read::read(&mut stream, &mut asked).expect("read");
        std::io::Write::write_all(&mut stream, b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").expect("said");
    };
    let answering = std::thread::spawn(answer);
    let printer = client(&format!("ipp://127.0.0.1:{port}/ipp/print"), None);
    let answer = block_on(printer.state());
    assert!(matches!(answer, Err(Error::Unreadable { .. })), "{answer:?}");
    answering.join().expect("it answered");
}
