//! Marks and pictures → PDF, page by page: a picture is let go of before the next one comes.

use crate::paper::Code;
use crate::paper::Error;
use crate::paper::HEIGHT_PT;
use crate::paper::PAGES_MAX;
use crate::paper::Sheet;
use crate::paper::WIDTH_PT;
use crate::paper::face::Faces;
use crate::paper::face::STYLES;
use crate::paper::face::Style;
use crate::paper::layout;
use crate::paper::layout::ACROSS;
use crate::paper::layout::Laid;
use crate::paper::layout::Mark;
use crate::paper::layout::SMALL;
use crate::record::reading::Page;
use crate::record::reading::Reading;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use krilla::Document;
use krilla::geom::PathBuilder;
use krilla::geom::Point;
use krilla::geom::Rect;
use krilla::geom::Size;
use krilla::geom::Transform;
use krilla::image::BitsPerComponent;
use krilla::image::CustomImage;
use krilla::image::Image;
use krilla::image::ImageColorspace;
use krilla::page::PageSettings;
use krilla::surface::Surface;
use krilla::text::Font;
use krilla::text::TextDirection;
use std::hash::Hash;
use std::hash::Hasher;
use std::sync::Arc;

/// A document on paper.
pub struct Pdf {
    pub bytes: Vec<u8>,
    pub pages: u32,
}

/// A page of pixels, packed: the pixels themselves are let go of before the next page is drawn.
pub struct Picture {
    image: Image,
    size: (u32, u32),
}

impl Picture {
    /// `number`: which of its document's pages it is.
    pub fn new(page: &Page, number: u32) -> Result<Picture, Error> {
        let pixels = Pixels::of(page, number)?;
        // What is written shrinks to little by itself; a scan or a photograph does not.
        let image = match pixels.is_photograph() {
            true => Image::from_jpeg(pixels.jpeg()?.into(), true),
            false => Image::from_custom(pixels, true),
        };
        let image = image.map_err(|_| Error::Made { what: "a picture that is none" })?;
        Ok(Picture { image, size: (page.width, page.height) })
    }
}

/// The sheet's words, then a page a picture, each as large as the paper allows. `signs`: a TrueType file for the signs that our
/// fonts lack.
pub fn press(sheet: &Sheet, pictures: Vec<Picture>, signs: Option<&[u8]>) -> Result<Pdf, Error> {
    let faces = Faces::read(signs).ok_or(Error::Made { what: "its fonts cannot be read" })?;
    // A picture of a page alone says by itself what it is.
    let Reading { header, rows, notices, .. } = &sheet.reading;
    let says = !rows.is_empty() || !notices.is_empty() || !header.is_empty() || pictures.is_empty();
    let laid = if says { layout::lay(sheet, &faces)? } else { Vec::new() };
    let all = laid.len() + pictures.len();
    if all > PAGES_MAX {
        return Err(Error::TooLong { pages: all });
    }
    let font = |style: Style| Font::new(style.file().to_vec().into(), 0);
    let [Some(regular), Some(bold), Some(italic), Some(bold_italic)] = STYLES.map(font) else {
        return Err(Error::Made { what: "its fonts cannot be embedded" });
    };
    let others = signs.and_then(|file| Font::new(file.to_vec().into(), 0)).unwrap_or_else(|| regular.clone());
    let fonts = [regular, bold, italic, bold_italic, others];
    let mut press = Press { document: Document::new(), fonts, faces, foot: &sheet.foot, done: 0, all };
    laid.iter().try_for_each(|page| press.words(page))?;
    pictures.into_iter().try_for_each(|picture| press.picture(picture))?;
    let bytes = press.document.finish().map_err(|_| Error::Made { what: "its pages do not make a document" })?;
    Ok(Pdf { bytes, pages: all as u32 })
}

struct Press<'a> {
    document: Document,
    fonts: [Font; 5],
    faces: Faces<'a>,
    foot: &'a str,
    done: usize,
    all: usize,
}

impl Press<'_> {
    fn picture(&mut self, picture: Picture) -> Result<(), Error> {
        let room = (ACROSS + 2.0 * PICTURE_OUT, layout::BOTTOM - PICTURE_TOP);
        let (width, height) = (picture.size.0 as f32, picture.size.1 as f32);
        let scale = (room.0 / width).min(room.1 / height);
        let size = Size::from_wh(width * scale, height * scale);
        let size = size.ok_or(Error::Made { what: "a picture without a size" })?;
        let x = (WIDTH_PT - size.width()) / 2.0;
        self.page(|surface, _| {
            surface.push_transform(&Transform::from_translate(x, PICTURE_TOP));
            surface.draw_image(picture.image, size);
            surface.pop();
        })
    }

    fn words(&mut self, page: &Laid) -> Result<(), Error> {
        self.page(|surface, fonts| {
            for mark in &page.marks {
                match mark {
                    Mark::Text { y, size, piece } => {
                        let font = fonts[piece.style.place()].clone();
                        let start = Point::from_xy(piece.x, *y);
                        surface.draw_text(start, font, *size, &piece.text, false, TextDirection::LeftToRight);
                        let line =
                            |surface: &mut Surface<'_>, above: f32| bar(surface, piece.x, y - above, piece.width);
                        if piece.underlined {
                            line(surface, -size * 0.12);
                        }
                        if piece.struck {
                            line(surface, size * 0.3);
                        }
                    }
                    Mark::Rule { x, y, width } => bar(surface, *x, *y, *width),
                    Mark::Code { x, y, side, code } => modules(surface, (*x, *y), *side, code),
                }
            }
        })
    }

    fn page(&mut self, draw: impl FnOnce(&mut Surface<'_>, &[Font; 5])) -> Result<(), Error> {
        let settings =
            PageSettings::from_wh(WIDTH_PT, HEIGHT_PT).ok_or(Error::Made { what: "paper without a size" })?;
        self.done += 1;
        let number = format!("{}/{}", self.done, self.all);
        let mut page = self.document.start_page_with(settings);
        let mut surface = page.surface();
        draw(&mut surface, &self.fonts);
        let right = WIDTH_PT - LEFT_FOOT - self.faces.width(&number, SMALL);
        let mut say = |x, y, text: &str| {
            let (start, font) = (Point::from_xy(x, y), self.fonts[0].clone());
            surface.draw_text(start, font, SMALL, text, false, TextDirection::LeftToRight);
        };
        say(right, HEIGHT_PT - FOOT_UP, &number);
        for (up, line) in self.foot.lines().rev().enumerate() {
            let line = self.faces.cut(line, SMALL, right - LEFT_FOOT - SMALL);
            say(LEFT_FOOT, HEIGHT_PT - FOOT_UP - up as f32 * FOOT_LINE, &line);
        }
        surface.finish();
        page.finish();
        Ok(())
    }
}

fn bar(surface: &mut Surface<'_>, x: f32, y: f32, width: f32) {
    fill(surface, [Rect::from_xywh(x, y, width, LINE_THICK)]);
}

/// A two-dimensional code, `side` modules a side, its quiet zone left white around it.
fn modules(surface: &mut Surface<'_>, (x, y): (f32, f32), length: f32, code: &Code) {
    let one = length / code.side as f32;
    let dark = code.dark.iter().enumerate().filter(|(_, dark)| **dark).map(|(at, _)| {
        let (column, row) = (at % code.side, at / code.side);
        Rect::from_xywh(x + column as f32 * one, y + row as f32 * one, one, one)
    });
    fill(surface, dark);
}

fn fill(surface: &mut Surface<'_>, rectangles: impl IntoIterator<Item = Option<Rect>>) {
    let mut path = PathBuilder::new();
    rectangles.into_iter().flatten().for_each(|rectangle| path.push_rect(rectangle));
    if let Some(path) = path.finish() {
        surface.draw_path(&path);
    }
}

/// Grey where nothing is coloured: a third of the bytes.
#[derive(Clone)]
struct Pixels {
    /// Its page: what it is known by.
    number: u32,
    bytes: Arc<[u8]>,
    size: (u32, u32),
    is_grey: bool,
}

impl Pixels {
    fn of(page: &Page, number: u32) -> Result<Pixels, Error> {
        let (pixels, rest) = page.pixels.as_chunks::<4>();
        let expected = page.width as usize * page.height as usize;
        if !rest.is_empty() || pixels.len() != expected || expected == 0 {
            return Err(Error::Made { what: "a picture with too few pixels" });
        }
        let is_grey = is_grey(pixels);
        let bytes = if is_grey {
            pixels.iter().map(|[grey, ..]| *grey).collect()
        } else {
            pixels.iter().flat_map(|[red, green, blue, _]| [*red, *green, *blue]).collect()
        };
        Ok(Pixels { number, bytes, size: (page.width, page.height), is_grey })
    }

    /// More than a quarter of it is neither white nor black.
    fn is_photograph(&self) -> bool {
        self.bytes.iter().filter(|byte| (16..240).contains(*byte)).count() > self.bytes.len() / 4
    }

    fn jpeg(&self) -> Result<Vec<u8>, Error> {
        let mut packed = Vec::new();
        let kind = if self.is_grey { ExtendedColorType::L8 } else { ExtendedColorType::Rgb8 };
        let mut encoder = JpegEncoder::new_with_quality(&mut packed, JPEG_QUALITY);
        let done = encoder.encode(&self.bytes, self.size.0, self.size.1, kind);
        done.map_err(|_| Error::Made { what: "a picture that cannot be packed" })?;
        Ok(packed)
    }
}

pub(super) fn is_grey(pixels: &[[u8; 4]]) -> bool {
    pixels.iter().all(|[red, green, blue, _]| red == green && green == blue)
}

/// Two pictures of one document are never the same one.
impl Hash for Pixels {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

impl CustomImage for Pixels {
    fn color_channel(&self) -> &[u8] {
        &self.bytes
    }

    fn alpha_channel(&self) -> Option<&[u8]> {
        None
    }

    fn bits_per_component(&self) -> BitsPerComponent {
        BitsPerComponent::Eight
    }

    fn size(&self) -> (u32, u32) {
        self.size
    }

    fn icc_profile(&self) -> Option<&[u8]> {
        None
    }

    fn color_space(&self) -> ImageColorspace {
        if self.is_grey { ImageColorspace::Luma } else { ImageColorspace::Rgb }
    }
}

/// Of a hundred: a scan's small print stays sharp.
const JPEG_QUALITY: u8 = 90;
const LEFT_FOOT: f32 = 51.0;
const FOOT_UP: f32 = 34.0;
const FOOT_LINE: f32 = 12.0;
const LINE_THICK: f32 = 0.6;
/// A picture of a page may go further out than text.
const PICTURE_OUT: f32 = 24.0;
const PICTURE_TOP: f32 = 24.0;
