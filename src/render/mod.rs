//! Untrusted bytes → rows and pixels, in a sealed child process. Embedded stylesheets are never run.
//!
//! - `format` what the bytes are, and which reader takes them
//! - `cda` HL7 CDA R2 levels 1 and 3 over `xml` and `narrative` · `pdf` · `picture` · `text` · `rtf`
//! - `worker` the handle: one sealed child ready, one child per document, killed on time-out or card-out
//! - `child` the process itself: no network, no files, no new privileges · `seal` how · `wire` what the two say
//!
//! The parent believes nothing that a child says: lengths, sizes and words are checked while they are read.

mod cda;
mod child;
mod format;
mod header;
mod narrative;
mod pdf;
mod picture;
mod rtf;
mod seal;
mod text;
mod wire;
mod worker;
mod xml;

pub use child::worker_main;
pub use format::named_only;
pub use format::read_here;
pub use worker::Worker;

/// How much a document may cost.
#[derive(Debug, Clone)]
pub struct Limits {
    pub content_bytes_max: u64,
    /// From the request to the last byte of the answer.
    pub wall_s_max: u64,
    /// Address space of the child.
    pub memory_bytes_max: u64,
    pub page_width_px: u32,
    /// A desk whose kernel has no Landlock may still read; an appliance refuses to start.
    pub allow_unsealed: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            content_bytes_max: 64 * 1024 * 1024,
            wall_s_max: 10,
            memory_bytes_max: 768 * 1024 * 1024,
            page_width_px: 1280,
            allow_unsealed: false,
        }
    }
}

/// Why a document is not shown. No text of a document is ever in here: these reach the log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the document has {bytes} bytes, more than the limit")]
    TooLarge { bytes: u64 },
    #[error("the visit ended while the document was read")]
    Killed,
    #[error("the document took longer than {wall_s_max} s")]
    TimedOut { wall_s_max: u64 },
    #[error("the document cannot be read: {what}")]
    Unreadable { what: Fault },
    /// A media type, or `unknown`: letters, digits and `/+.-` only.
    #[error("no reader for the format {found}")]
    UnknownFormat { found: String },
    #[error("the reader's process is not sealed: {what}")]
    NotSealed { what: &'static str },
    #[error("the reader's process could not be started or given the document")]
    Spawn {
        #[source]
        source: std::io::Error,
    },
}

/// What is wrong with a document: a closed list, so that a child cannot put a document's words into the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    #[error("nothing in it")]
    Empty,
    #[error("its character encoding is not known or not kept")]
    Encoding,
    #[error("it is not well-formed XML, or it is cut short")]
    Xml,
    #[error("it declares a document type (DTD), which is refused")]
    Dtd,
    #[error("its elements are nested too deeply")]
    TooDeep,
    #[error("it has too many elements or rows")]
    TooMany,
    #[error("it has no body")]
    NoBody,
    #[error("its body is not valid base64")]
    Base64,
    #[error("its PDF is damaged")]
    Pdf,
    #[error("its PDF is encrypted")]
    PdfEncrypted,
    #[error("its picture is damaged")]
    Picture,
    #[error("its picture is too large")]
    PictureTooLarge,
    #[error("its picture has a compression without reader")]
    PictureCompression,
    #[error("its RTF is damaged")]
    Rtf,
    #[error("the reader's process died on it")]
    WorkerDied,
    #[error("the reader's answer breaks the rules")]
    Answer,
}
