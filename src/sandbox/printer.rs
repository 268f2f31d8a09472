//! A printer that prints nothing: it speaks IPP (RFC 8011), keeps what it is sent in memory, and is out of paper when told to be.

use crate::sandbox::pki::PemPair;
use http_body_util::BodyExt;
use http_body_util::Full;
use hyper::Request;
use hyper::Response;
use hyper::body::Bytes;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use ipp::attribute::IppAttribute;
use ipp::model::DelimiterTag;
use ipp::model::IppVersion;
use ipp::model::Operation;
use ipp::model::StatusCode;
use ipp::parser::IppParser;
use ipp::reader::IppReader;
use ipp::request::IppRequestResponse;
use ipp::value::IppValue;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use std::convert::Infallible;
use std::io::Read;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// A printer that runs until it is dropped.
pub struct Printer {
    /// What `[printer] uri` names.
    pub uri: String,
    tray: Arc<Mutex<Tray>>,
    thread: Option<(oneshot::Sender<()>, std::thread::JoinHandle<()>)>,
}

/// What it is like, and what came.
#[derive(Default)]
struct Tray {
    formats: Vec<&'static str>,
    /// `printer-state-reasons` while it stands still.
    stopped: Option<&'static str>,
    /// It takes its time for each piece that comes.
    slow: Option<Duration>,
    /// Jobs stay in the queue.
    holds: bool,
    /// It gives nothing back.
    keeps: bool,
    jobs: Vec<Job>,
    /// Requests whose end never came.
    cut: u32,
    /// Bytes of the document of the request that is under way.
    arriving: usize,
}

/// A job that came whole.
#[derive(Clone)]
pub struct Job {
    pub format: String,
    pub name: String,
    pub user: String,
    pub document: Vec<u8>,
    pub cancelled: bool,
    done: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the sandbox's printer cannot listen")]
    Listen { source: std::io::Error },
    #[error("the sandbox's printer has no certificate")]
    Certificate,
}

impl Printer {
    /// On a free port of loopback; encrypted where it has a certificate.
    pub fn start(formats: &[&'static str], certificate: Option<&PemPair>) -> Result<Printer, Error> {
        Printer::start_at(Ipv4Addr::LOCALHOST, formats, certificate)
    }

    /// The same at another address of loopback.
    pub fn start_at(
        address: Ipv4Addr,
        formats: &[&'static str],
        certificate: Option<&PemPair>,
    ) -> Result<Printer, Error> {
        let of_listen = |source| Error::Listen { source };
        let acceptor = certificate.map(acceptor).transpose()?;
        let listener = std::net::TcpListener::bind((address, 0)).map_err(of_listen)?;
        listener.set_nonblocking(true).map_err(of_listen)?;
        let port = listener.local_addr().map_err(of_listen)?.port();
        let scheme = if acceptor.is_some() { "ipps" } else { "ipp" };
        let tray = Arc::new(Mutex::new(Tray { formats: formats.to_vec(), ..Tray::default() }));
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(of_listen)?;
        let served = tray.clone();
        let serve = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve(listener, acceptor, served) => {}
                    _ = stopped => {}
                }
            });
        };
        let handle = std::thread::Builder::new().name("sandbox-printer".to_owned()).spawn(serve).map_err(of_listen)?;
        Ok(Printer { uri: format!("{scheme}://{address}:{port}/ipp/print"), tray, thread: Some((stop, handle)) })
    }

    /// `None`: it goes on.
    pub fn stand_still(&self, reason: Option<&'static str>) {
        lock(&self.tray).stopped = reason;
    }

    pub fn takes_its_time(&self, each_piece: Option<Duration>) {
        lock(&self.tray).slow = each_piece;
    }

    /// Jobs stay in its queue, not done.
    pub fn holds(&self, holds: bool) {
        lock(&self.tray).holds = holds;
    }

    /// Whoever asks to take a job back is refused.
    pub fn keeps(&self, keeps: bool) {
        lock(&self.tray).keeps = keeps;
    }

    pub fn jobs(&self) -> Vec<Job> {
        lock(&self.tray).jobs.clone()
    }

    /// How many requests ended in the middle.
    pub fn cut(&self) -> u32 {
        lock(&self.tray).cut
    }

    /// How much of the request that is under way has come.
    pub fn arriving(&self) -> usize {
        lock(&self.tray).arriving
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        if let Some((stop, handle)) = self.thread.take() {
            let _ = stop.send(());
            let _ = handle.join();
        }
    }
}

fn lock(tray: &Mutex<Tray>) -> MutexGuard<'_, Tray> {
    tray.lock().unwrap_or_else(PoisonError::into_inner)
}

fn acceptor(pair: &PemPair) -> Result<TlsAcceptor, Error> {
    let pem = |path| std::fs::read(path).map_err(|_| Error::Certificate);
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem(&pair.certificate)?).collect();
    let key = PrivateKeyDer::from_pem_slice(&pem(&pair.key)?).map_err(|_| Error::Certificate)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| Error::Certificate)?
        .with_no_client_auth()
        .with_single_cert(chain.map_err(|_| Error::Certificate)?, key)
        .map_err(|_| Error::Certificate)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn serve(listener: std::net::TcpListener, acceptor: Option<TlsAcceptor>, tray: Arc<Mutex<Tray>>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let (acceptor, tray) = (acceptor.clone(), tray.clone());
        tokio::spawn(async move {
            match acceptor {
                None => speak(stream, tray).await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        speak(stream, tray).await;
                    }
                }
            }
        });
    }
}

async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, tray: Arc<Mutex<Tray>>) {
    let service = service_fn(move |request| answer(request, tray.clone()));
    // A connection that breaks is the other side's to tell.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(request: Request<Incoming>, tray: Arc<Mutex<Tray>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut body = request.into_body();
    let mut whole = Vec::new();
    lock(&tray).arriving = 0;
    let mut arrival = Arrival { tray: tray.clone(), is_whole: false };
    loop {
        match body.frame().await {
            None => break,
            Some(Ok(frame)) => {
                if let Ok(piece) = frame.into_data() {
                    whole.extend_from_slice(&piece);
                    lock(&tray).arriving = whole.len();
                }
            }
            Some(Err(_)) => return Ok(Response::new(Full::default())),
        }
        let slow = lock(&tray).slow;
        if let Some(pause) = slow {
            tokio::time::sleep(pause).await;
        }
    }
    arrival.is_whole = true;
    let answer = operate(whole, &tray).unwrap_or_else(|| plain(StatusCode::ClientErrorBadRequest));
    let response = Response::builder().header("content-type", "application/ipp");
    Ok(response.body(Full::new(answer.to_bytes())).unwrap_or_default())
}

/// A request on its way: what ends it may be the end of its connection, which ends everything about it.
struct Arrival {
    tray: Arc<Mutex<Tray>>,
    is_whole: bool,
}

impl Drop for Arrival {
    fn drop(&mut self) {
        lock(&self.tray).cut += u32::from(!self.is_whole);
    }
}

/// `None`: it is no IPP.
fn operate(whole: Vec<u8>, tray: &Mutex<Tray>) -> Option<IppRequestResponse> {
    let mut asked = IppParser::new(IppReader::new(std::io::Cursor::new(whole))).parse().ok()?;
    let mut document = Vec::new();
    asked.payload_mut().read_to_end(&mut document).ok()?;
    let operation = asked.header().operation_or_status;
    let asks = |known: Operation| operation == known as i16;
    let value = |name: &str| {
        let group = asked.attributes().first_of(DelimiterTag::OperationAttributes)?;
        group.get(name).map(|attribute| attribute.value().clone())
    };
    let mut tray = lock(tray);
    let tray = &mut *tray;
    let place =
        value("job-id").and_then(|id| if let IppValue::Integer(id) = id { usize::try_from(id).ok() } else { None });
    let mut known = place.and_then(|place| tray.jobs.get_mut(place.wrapping_sub(1)));
    let mut answer = plain(StatusCode::SuccessfulOk);
    if asks(Operation::GetPrinterAttributes) {
        let formats = tray.formats.iter().filter_map(|kind| IppValue::new_mime_media_type(*kind).ok()).collect();
        let reason = IppValue::new_keyword(tray.stopped.unwrap_or("none")).ok()?;
        let colour = IppValue::new_keyword("srgb_8").ok()?;
        add(&mut answer, DelimiterTag::PrinterAttributes, "document-format-supported", IppValue::Array(formats))?;
        let state = if tray.stopped.is_some() { 5 } else { 3 };
        add(&mut answer, DelimiterTag::PrinterAttributes, "printer-state", IppValue::Enum(state))?;
        add(&mut answer, DelimiterTag::PrinterAttributes, "printer-state-reasons", reason)?;
        add(&mut answer, DelimiterTag::PrinterAttributes, "printer-is-accepting-jobs", IppValue::Boolean(true))?;
        add(&mut answer, DelimiterTag::PrinterAttributes, "pwg-raster-document-type-supported", colour)?;
    } else if asks(Operation::PrintJob) {
        let text = |name| value(name).map(|value| value.to_string()).unwrap_or_default();
        let job = Job {
            format: text("document-format"),
            name: text("job-name"),
            user: text("requesting-user-name"),
            document,
            cancelled: false,
            done: !tray.holds,
        };
        tray.jobs.push(job);
        let number = i32::try_from(tray.jobs.len()).ok()?;
        add(&mut answer, DelimiterTag::JobAttributes, "job-id", IppValue::Integer(number))?;
        add(&mut answer, DelimiterTag::JobAttributes, "job-state", IppValue::Enum(3))?;
    } else if let (true, Some(job)) = (asks(Operation::GetJobAttributes), &known) {
        let state = match (job.cancelled, job.done, tray.stopped) {
            (true, ..) => 7,
            (_, true, _) => 9,
            (_, _, Some(_)) => 6,
            _ => 5,
        };
        add(&mut answer, DelimiterTag::JobAttributes, "job-state", IppValue::Enum(state))?;
    } else if asks(Operation::CancelJob) && tray.keeps {
        return Some(plain(StatusCode::ClientErrorNotPossible));
    } else if let (true, Some(job)) = (asks(Operation::CancelJob), &mut known) {
        job.cancelled = true;
    } else {
        return Some(plain(StatusCode::ClientErrorNotFound));
    }
    Some(answer)
}

fn plain(status: StatusCode) -> IppRequestResponse {
    IppRequestResponse::new_response(IppVersion::v2_0(), status, 1).expect("fixed words")
}

fn add(to: &mut IppRequestResponse, tag: DelimiterTag, name: &str, value: IppValue) -> Option<()> {
    to.attributes_mut().add(tag, IppAttribute::with_name(name, value).ok()?);
    Some(())
}
