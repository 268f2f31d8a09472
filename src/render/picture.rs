//! JPEG, PNG and TIFF → pixels, with limits on what a file may ask for.

use std::io::Cursor;
use std::ops::Range;
use std::sync::Arc;

use image::DynamicImage;
use image::ImageDecoder;
use image::ImageError;
use image::ImageFormat;
use image::ImageReader;
use image::Limits;

use crate::record::reading::Page;
use crate::render::Error;
use crate::render::Fault;
use crate::render::wire::PAGE_HEIGHT_PX_MAX;

/// A page of A3 at 600 points per inch is 9,900 high.
const SIDE_PX_MAX: u32 = 16_384;
const MEMORY_BYTES_MAX: u64 = 256 * 1024 * 1024;
const TIFF_PAGES_MAX: u32 = 2_000;

/// How many pages there are (more than one only in a TIFF), and those of them that were asked for.
pub fn draw(content: &[u8], format: ImageFormat, pages: &Range<u32>, width_px: u32) -> Result<(u32, Vec<Page>), Error> {
    let directories = if format == ImageFormat::Tiff { tiff_directories(content) } else { Vec::new() };
    let page_count = u32::try_from(directories.len()).unwrap_or(1).max(1);
    let asked = pages.start.min(page_count)..pages.end.min(page_count);
    let drawn = asked.map(|number| match directories.get(number as usize) {
        Some(directory) if number > 0 => draw_one(&tiff_from(content, *directory), format, width_px),
        _ => draw_one(content, format, width_px),
    });
    let drawn: Vec<Page> = drawn.collect::<Result<_, _>>()?;
    Ok((page_count, drawn))
}

fn draw_one(content: &[u8], format: ImageFormat, width_px: u32) -> Result<Page, Error> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_PX_MAX);
    limits.max_image_height = Some(SIDE_PX_MAX);
    limits.max_alloc = Some(MEMORY_BYTES_MAX);
    let mut reader = ImageReader::with_format(Cursor::new(content), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(named)?;
    let turned = decoder.orientation().map_err(named)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(named)?;
    picture.apply_orientation(turned);
    if picture.width() > width_px || picture.height() > PAGE_HEIGHT_PX_MAX {
        picture = picture.thumbnail(width_px, PAGE_HEIGHT_PX_MAX);
    }
    let mut pixels = picture.into_rgba8();
    for pixel in pixels.pixels_mut() {
        let [red, green, blue, alpha] = pixel.0;
        let over_white = |part: u8| {
            let sum = u32::from(part) * u32::from(alpha) + 255 * (255 - u32::from(alpha));
            u8::try_from(sum / 255).unwrap_or(u8::MAX)
        };
        pixel.0 = [over_white(red), over_white(green), over_white(blue), u8::MAX];
    }
    let (width, height) = pixels.dimensions();
    Ok(Page { width, height, pixels: Arc::from(pixels.into_raw()) })
}

fn named(error: ImageError) -> Error {
    let what = match error {
        ImageError::Limits(_) => Fault::PictureTooLarge,
        ImageError::Unsupported(_) => Fault::PictureCompression,
        _ => Fault::Picture,
    };
    Error::Unreadable { what }
}

/// Where each page's directory is (TIFF 6.0 §2): only the classic form; anything odd ends the list.
fn tiff_directories(content: &[u8]) -> Vec<u32> {
    let Some(order) = TiffOrder::of(content) else { return Vec::new() };
    let mut found = Vec::new();
    let mut next = order.u32_at(content, 4).unwrap_or(0);
    while next != 0 && !found.contains(&next) && found.len() < TIFF_PAGES_MAX as usize {
        found.push(next);
        let at = next as usize;
        let Some(entries) = order.u16_at(content, at) else { break };
        next = order.u32_at(content, at + 2 + usize::from(entries) * 12).unwrap_or(0);
    }
    found
}

/// The same file with another page first.
fn tiff_from(content: &[u8], directory: u32) -> Vec<u8> {
    let mut turned = content.to_vec();
    if let (Some(order), Some(place)) = (TiffOrder::of(content), turned.get_mut(4..8)) {
        place.copy_from_slice(&match order {
            TiffOrder::Little => directory.to_le_bytes(),
            TiffOrder::Big => directory.to_be_bytes(),
        });
    }
    turned
}

enum TiffOrder {
    Little,
    Big,
}

impl TiffOrder {
    fn of(content: &[u8]) -> Option<TiffOrder> {
        match content.get(..4)? {
            b"II*\0" => Some(TiffOrder::Little),
            b"MM\0*" => Some(TiffOrder::Big),
            _ => None,
        }
    }

    fn u16_at(&self, content: &[u8], at: usize) -> Option<u16> {
        let bytes = content.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(match self {
            TiffOrder::Little => u16::from_le_bytes(bytes),
            TiffOrder::Big => u16::from_be_bytes(bytes),
        })
    }

    fn u32_at(&self, content: &[u8], at: usize) -> Option<u32> {
        let bytes = content.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(match self {
            TiffOrder::Little => u32::from_le_bytes(bytes),
            TiffOrder::Big => u32::from_be_bytes(bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::ImageRgb8(image::RgbImage::from_pixel(width, height, image::Rgb([200, 10, 10])))
            .write_to(&mut bytes, format)
            .expect("a picture made here");
        bytes.into_inner()
    }

    #[test]
    fn each_format_becomes_opaque_pixels_no_wider_than_asked() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Tiff] {
            let (count, pages) = draw(&encoded(format, 90, 30), format, &(0..4), 45).expect("readable");
            assert_eq!((count, pages.len()), (1, 1), "{format:?}");
            assert_eq!((pages[0].width, pages[0].height, pages[0].pixels.len()), (45, 15, 45 * 15 * 4));
            assert!(pages[0].pixels[0] > 190 && pages[0].pixels[1] < 30 && pages[0].pixels[3] == 255);
        }
    }

    #[test]
    fn nothing_is_transparent() {
        let clear = image::RgbaImage::from_pixel(3, 3, image::Rgba([0, 0, 0, 0]));
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::ImageRgba8(clear).write_to(&mut bytes, ImageFormat::Png).expect("a picture made here");
        let (_, pages) = draw(bytes.get_ref(), ImageFormat::Png, &(0..1), 10).expect("readable");
        assert!(pages[0].pixels.iter().all(|&byte| byte == 255));
    }

    #[test]
    fn every_page_of_a_tiff_is_reached() {
        // Two files one after the other; the second's offsets are moved, the first's end points to it.
        let first = encoded(ImageFormat::Tiff, 4, 4);
        let order = TiffOrder::of(&first).expect("a TIFF");
        let directory = order.u32_at(&first, 4).expect("a directory") as usize;
        let entries = order.u16_at(&first, directory).expect("entries") as usize;
        let mut both = first.clone();
        both.resize(both.len().next_multiple_of(2), 0);
        let copy_at = both.len();
        // The same directory again: its strips are the first's.
        both.extend_from_slice(&first[directory..directory + 2 + entries * 12]);
        both.extend_from_slice(&[0; 4]);
        let next_at = directory + 2 + entries * 12;
        both[next_at..next_at + 4].copy_from_slice(&u32::try_from(copy_at).expect("small").to_le_bytes());
        let (count, pages) = draw(&both, ImageFormat::Tiff, &(1..2), 10).expect("readable");
        assert_eq!((count, pages.len()), (2, 1));
        assert_eq!(pages[0].width, 4);
    }

    #[test]
    fn damage_and_size_are_told_apart() {
        let what = |content: &[u8], format| match draw(content, format, &(0..1), 10) {
            Err(Error::Unreadable { what }) => Some(what),
            _ => None,
        };
        let mut png = encoded(ImageFormat::Png, 8, 8);
        assert_eq!(what(&png[..40], ImageFormat::Png), Some(Fault::Picture));
        // The header says 100,000 wide (PNG §11.2.2), with its checksum made right again by nobody: too large or damaged.
        png[16..20].copy_from_slice(&100_000_u32.to_be_bytes());
        assert!(matches!(what(&png, ImageFormat::Png), Some(Fault::Picture | Fault::PictureTooLarge)));
        let wide = encoded(ImageFormat::Png, SIDE_PX_MAX + 1, 1);
        assert_eq!(what(&wide, ImageFormat::Png), Some(Fault::PictureTooLarge));
    }
}
