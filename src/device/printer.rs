//! The printer of the practice, by IPP (RFC 8010, RFC 8011; IPP Everywhere, PWG 5100.14): what it takes, one job at a time.
//!
//! Nothing that names a patient or a professional is in a job's attributes: a printer shows them on its panel and keeps them.

use crate::link::Error as LinkError;
use crate::link::Near;
use crate::link::Timeouts;
use ipp::attribute::IppAttribute;
use ipp::attribute::IppAttributes;
use ipp::model::DelimiterTag;
use ipp::model::IppVersion;
use ipp::model::Operation;
use ipp::parser::IppParser;
use ipp::reader::IppReader;
use ipp::request::IppRequestResponse;
use ipp::value::IppValue;
use std::time::Duration;

/// Where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// `ipp:` or `ipps:`, for example `ipps://imprimante.local/ipp/print`.
    pub uri: String,
    /// PEM: the printer's own certificate, or its issuer's. With `ipps:` alone.
    pub certificate_pem: Option<Vec<u8>>,
}

/// Cheap to clone; no connection is kept.
#[derive(Clone)]
pub struct Printer {
    near: Near,
    /// As the settings name it: `printer-uri`.
    uri: hyper::Uri,
}

/// What it can do, and whether something is in its way (RFC 8011 §5.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub pdf: bool,
    pub raster: bool,
    pub colour: bool,
    pub hindrance: Option<Hindrance>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hindrance {
    Paper,
    Jam,
    Ink,
    Open,
    /// It stands still, and says nothing that is known here.
    Stopped,
    /// It takes no jobs (`printer-is-accepting-jobs`).
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Pdf,
    PwgRaster,
}

/// How far a job is (RFC 8011 §5.3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    Waiting,
    Stopped,
    Done,
    Failed,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the printer's address is none: {what}")]
    Address { what: &'static str },
    #[error("the printer cannot be spoken to")]
    Link { source: LinkError },
    #[error("the printer refused ({status:#06x})")]
    Refused { status: u16 },
    #[error("the printer's answer cannot be understood: {what}")]
    Unreadable { what: &'static str },
}

impl Printer {
    /// Nothing is sent yet.
    pub fn new(options: &Options) -> Result<Printer, Error> {
        let address = |what| Error::Address { what };
        let uri: hyper::Uri = options.uri.parse().map_err(|_| address("it cannot be read"))?;
        let host = uri.host().ok_or(address("it names no host"))?;
        let (scheme, port) = match uri.scheme_str() {
            Some("ipp") => ("http", uri.port_u16().unwrap_or(IPP_PORT)),
            Some("ipps") => ("https", uri.port_u16().unwrap_or(IPP_PORT)),
            _ => return Err(address("it is neither ipp: nor ipps:")),
        };
        let url = format!("{scheme}://{host}:{port}{}", uri.path());
        let near = Near::new(&url, options.certificate_pem.as_deref(), TIMEOUTS);
        let near = near.map_err(|source| Error::Link { source })?;
        Ok(Printer { near, uri })
    }

    /// Get-Printer-Attributes (RFC 8011 §4.2.5).
    pub async fn state(&self) -> Result<State, Error> {
        let mut question = self.question(Operation::GetPrinterAttributes)?;
        let wanted = REQUESTED.iter().map(|name| keyword(name)).collect::<Result<_, _>>()?;
        add(&mut question, DelimiterTag::OperationAttributes, "requested-attributes", IppValue::Array(wanted))?;
        let answer = self.ask(question, Vec::new()).await?;
        Ok(state_of(&answer))
    }

    /// Print-Job (RFC 8011 §4.2.1): its number once the printer has all of it. Dropped before, it is none.
    pub async fn print(&self, document: Vec<u8>, format: Format) -> Result<i32, Error> {
        let mut question = self.question(Operation::PrintJob)?;
        let name = |text: &str| IppValue::new_name_without_language(text).map_err(|_| OURS);
        let kind = IppValue::new_mime_media_type(format.media_type()).map_err(|_| OURS)?;
        let operation = DelimiterTag::OperationAttributes;
        add(&mut question, operation, "job-name", name(JOB_NAME)?)?;
        add(&mut question, operation, "document-format", kind)?;
        add(&mut question, DelimiterTag::JobAttributes, "media", keyword("iso_a4_210x297mm")?)?;
        let answer = self.ask(question, document).await?;
        let job = group(&answer, DelimiterTag::JobAttributes, "job-id").and_then(integer);
        job.ok_or(Error::Unreadable { what: "it gives the job no number" })
    }

    /// Get-Job-Attributes (RFC 8011 §4.3.4).
    pub async fn job(&self, job: i32) -> Result<Job, Error> {
        let mut question = self.question(Operation::GetJobAttributes)?;
        add(&mut question, DelimiterTag::OperationAttributes, "job-id", IppValue::Integer(job))?;
        let answer = self.ask(question, Vec::new()).await?;
        let state = group(&answer, DelimiterTag::JobAttributes, "job-state").and_then(integer);
        Ok(match state {
            Some(3..=5) => Job::Waiting,
            Some(6) => Job::Stopped,
            Some(9) => Job::Done,
            Some(_) => Job::Failed,
            None => return Err(Error::Unreadable { what: "the job has no state" }),
        })
    }

    /// Cancel-Job (RFC 8011 §4.3.3).
    pub async fn cancel(&self, job: i32) -> Result<(), Error> {
        let mut question = self.question(Operation::CancelJob)?;
        add(&mut question, DelimiterTag::OperationAttributes, "job-id", IppValue::Integer(job))?;
        self.ask(question, Vec::new()).await.map(|_| ())
    }

    fn question(&self, operation: Operation) -> Result<IppRequestResponse, Error> {
        let question = IppRequestResponse::new(IppVersion::v2_0(), operation, Some(self.uri.clone()));
        let mut question = question.map_err(|_| OURS)?;
        // A job is its owner's to take back.
        let user = IppValue::new_name_without_language("chevet").map_err(|_| OURS)?;
        add(&mut question, DelimiterTag::OperationAttributes, "requesting-user-name", user)?;
        Ok(question)
    }

    async fn ask(&self, question: IppRequestResponse, document: Vec<u8>) -> Result<IppAttributes, Error> {
        let mut body = question.to_bytes().to_vec();
        // It may not be shared while it is waited for.
        drop(question);
        body.reserve_exact(document.len());
        body.extend_from_slice(&document);
        drop(document);
        let answer = self.near.post("application/ipp", body, ANSWER_BYTES_MAX).await;
        attributes_of(answer.map_err(|source| Error::Link { source })?)
    }
}

/// What an answer to Get-Printer-Attributes says.
pub fn read_state(answer: Vec<u8>) -> Result<State, Error> {
    Ok(state_of(&attributes_of(answer)?))
}

fn attributes_of(answer: Vec<u8>) -> Result<IppAttributes, Error> {
    let parsed = IppParser::new(IppReader::new(std::io::Cursor::new(answer))).parse();
    let parsed = parsed.map_err(|_| Error::Unreadable { what: "it is no IPP" })?;
    let status = parsed.header().operation_or_status as u16;
    // RFC 8011 Appendix B: what begins with 00 was done.
    if status > 0x00ff {
        return Err(Error::Refused { status });
    }
    Ok(parsed.attributes().clone())
}

impl Format {
    pub fn media_type(self) -> &'static str {
        match self {
            Format::Pdf => "application/pdf",
            Format::PwgRaster => "image/pwg-raster",
        }
    }
}

fn state_of(answer: &IppAttributes) -> State {
    let value = |name| group(answer, DelimiterTag::PrinterAttributes, name);
    let words = |name| value(name).map(words).unwrap_or_default();
    let formats = words("document-format-supported");
    let takes = |format: Format| formats.iter().any(|known| known.eq_ignore_ascii_case(format.media_type()));
    let is_stopped = value("printer-state").and_then(integer) == Some(5);
    let is_closed = matches!(value("printer-is-accepting-jobs"), Some(IppValue::Boolean(false)));
    let reasons = words("printer-state-reasons");
    let named = reasons.iter().find_map(|reason| hindrance(reason));
    let hindrance = match (is_closed, is_stopped) {
        (true, _) => Some(named.unwrap_or(Hindrance::Closed)),
        (false, true) => Some(named.unwrap_or(Hindrance::Stopped)),
        // What is only reported, or runs low, is in nobody's way.
        (false, false) => None,
    };
    State {
        pdf: takes(Format::Pdf),
        raster: takes(Format::PwgRaster),
        colour: words("pwg-raster-document-type-supported").iter().any(|kind| kind == "srgb_8"),
        hindrance,
    }
}

/// `printer-state-reasons` (RFC 8011 §5.4.12), its severity cut off.
fn hindrance(reason: &str) -> Option<Hindrance> {
    let severity = ["-error", "-warning", "-report"].iter().find_map(|severity| reason.strip_suffix(severity));
    match severity.unwrap_or(reason) {
        "media-empty" | "media-needed" | "input-tray-missing" => Some(Hindrance::Paper),
        "media-jam" => Some(Hindrance::Jam),
        "toner-empty" | "marker-supply-empty" | "developer-empty" => Some(Hindrance::Ink),
        "door-open" | "cover-open" | "interlock-open" => Some(Hindrance::Open),
        _ => None,
    }
}

fn group<'a>(answer: &'a IppAttributes, tag: DelimiterTag, name: &str) -> Option<&'a IppValue> {
    answer.groups_of(tag).find_map(|group| group.get(name)).map(IppAttribute::value)
}

fn integer(value: &IppValue) -> Option<i32> {
    match value {
        IppValue::Integer(number) | IppValue::Enum(number) => Some(*number),
        _ => None,
    }
}

/// One word, or several.
fn words(value: &IppValue) -> Vec<String> {
    match value {
        IppValue::Array(values) => values.iter().flat_map(words).collect(),
        IppValue::Keyword(word) => vec![word.as_str().to_owned()],
        IppValue::MimeMediaType(kind) => vec![kind.as_str().to_owned()],
        _ => Vec::new(),
    }
}

fn keyword(word: &str) -> Result<IppValue, Error> {
    IppValue::new_keyword(word).map_err(|_| OURS)
}

fn add(to: &mut IppRequestResponse, tag: DelimiterTag, name: &str, value: IppValue) -> Result<(), Error> {
    to.attributes_mut().add(tag, IppAttribute::with_name(name, value).map_err(|_| OURS)?);
    Ok(())
}

const OURS: Error = Error::Unreadable { what: "our own question" };
const JOB_NAME: &str = "Chevet";
const REQUESTED: [&str; 5] = [
    "document-format-supported",
    "printer-state",
    "printer-state-reasons",
    "printer-is-accepting-jobs",
    "pwg-raster-document-type-supported",
];
const IPP_PORT: u16 = 631;
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// A printer that wakes up takes its time; one that is out of paper takes no more bytes.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(10),
    handshake: Duration::from_secs(20),
    answer: Duration::from_secs(45),
    silence: Duration::from_secs(45),
};

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(attributes: &[(&str, IppValue)]) -> IppAttributes {
        let mut answer = IppAttributes::new();
        for (name, value) in attributes {
            let attribute = IppAttribute::with_name(*name, value.clone()).expect("a name");
            answer.add(DelimiterTag::PrinterAttributes, attribute);
        }
        answer
    }

    fn kind(name: &str) -> IppValue {
        IppValue::new_mime_media_type(name).expect("a type")
    }

    #[test]
    fn what_it_takes_is_read_from_one_value_or_many() {
        let one = state_of(&answer(&[("document-format-supported", kind("image/pwg-raster"))]));
        assert_eq!((one.pdf, one.raster, one.colour, one.hindrance), (false, true, false, None));
        let many = IppValue::Array(vec![kind("image/urf"), kind("application/PDF")]);
        let colour = IppValue::Array(vec![keyword("sgray_8").expect("a word"), keyword("srgb_8").expect("a word")]);
        let many =
            state_of(&answer(&[("document-format-supported", many), ("pwg-raster-document-type-supported", colour)]));
        assert_eq!((many.pdf, many.raster, many.colour), (true, false, true));
    }

    #[test]
    fn only_a_printer_that_stands_still_is_hindered() {
        let reasons =
            |words: &[&str]| IppValue::Array(words.iter().map(|word| keyword(word).expect("a word")).collect());
        let state = |number, words: &[&str]| {
            let state = [("printer-state", IppValue::Enum(number)), ("printer-state-reasons", reasons(words))];
            state_of(&answer(&state)).hindrance
        };
        assert_eq!(state(3, &["none"]), None);
        assert_eq!(state(4, &["media-low-report", "toner-empty-warning"]), None, "it prints");
        assert_eq!(state(5, &["other", "media-empty-error"]), Some(Hindrance::Paper));
        assert_eq!(state(5, &["media-jam"]), Some(Hindrance::Jam));
        assert_eq!(state(5, &["door-open-error"]), Some(Hindrance::Open));
        assert_eq!(state(5, &["marker-supply-empty-error"]), Some(Hindrance::Ink));
        assert_eq!(state(5, &["paused"]), Some(Hindrance::Stopped));
        let closed = answer(&[("printer-is-accepting-jobs", IppValue::Boolean(false))]);
        assert_eq!(state_of(&closed).hindrance, Some(Hindrance::Closed));
    }

    #[test]
    fn an_address_is_one_of_a_printer() {
        let made = |uri: &str, pem: Option<&[u8]>| {
            Printer::new(&Options { uri: uri.into(), certificate_pem: pem.map(<[u8]>::to_vec) }).map(|_| ())
        };
        assert!(made("ipp://127.0.0.1:8631/ipp/print", None).is_ok());
        for wrong in ["http://127.0.0.1/ipp/print", "ipp:///ipp/print", "imprimante", "ipps://127.0.0.1/ipp/print"] {
            assert!(made(wrong, None).is_err(), "{wrong}");
        }
        assert!(made("ipps://127.0.0.1/ipp/print", Some(b"no certificate")).is_err());
    }
}
