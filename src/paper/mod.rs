//! From what a reader shows to a sheet of A4. Pure: words and pixels in, a PDF or PWG raster out.
//!
//! - `face` our fonts, and how wide a text is in them · `lines` runs → lines no wider than their column
//! - `layout` rows → marks on pages · `press` marks and pictures → PDF · `raster` pixels → PWG raster
//!
//! *Rejected*: handing a foreign PDF to the printer as it is: a printer is no sealed child, and what it makes of a hostile file
//! is nobody's promise. Its pages are drawn by the sealed worker, and become pictures here.

mod face;
mod layout;
mod lines;
mod press;
pub mod raster;

pub use press::Pdf;
pub use press::Picture;
pub use press::press;

use crate::record::reading::Reading;

/// What is to be on paper, before its pictures of whole pages.
pub struct Sheet {
    /// What it is; at the head of the first page.
    pub title: String,
    /// Header, notices and rows, and the pictures that stand among the rows.
    pub reading: Reading,
    /// Under the rows.
    pub code: Option<Code>,
    /// At the foot of every page, beside its number.
    pub foot: String,
}

/// A two-dimensional code without its quiet zone: `side` × `side` modules, rows from the top.
#[derive(Clone, PartialEq, Debug)]
pub struct Code {
    pub side: usize,
    pub dark: Vec<bool>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("a sheet of {pages} pages is more than {PAGES_MAX}")]
    TooLong { pages: usize },
    #[error("the sheet cannot be made: {what}")]
    Made { what: &'static str },
}

/// ISO 216 A4 in points of 1/72 inch.
pub(crate) const WIDTH_PT: f32 = 595.0;
pub(crate) const HEIGHT_PT: f32 = 842.0;
/// The same at [`DOTS_PER_INCH`].
pub const WIDTH_PX: u32 = 2480;
pub const HEIGHT_PX: u32 = 3508;
pub const DOTS_PER_INCH: u32 = 300;
/// What a person prints at a bedside is a few pages; a book is not printed by mistake.
pub const PAGES_MAX: usize = 60;
