//! Pixels → PWG raster (PWG 5102.4-2012), what every IPP Everywhere printer takes.

use crate::paper::DOTS_PER_INCH;
use crate::paper::HEIGHT_PT;
use crate::paper::HEIGHT_PX;
use crate::paper::WIDTH_PT;
use crate::paper::WIDTH_PX;
use crate::paper::press::is_grey;
use crate::record::reading::Page;

/// A document in the making: its synchronisation word, then page after page.
pub struct Raster {
    bytes: Vec<u8>,
    pages: u32,
    colour: bool,
}

impl Raster {
    /// `colour`: the printer takes `srgb_8`; a page without a colour is grey all the same. `pages`: how many there will be.
    pub fn new(pages: u32, colour: bool) -> Raster {
        Raster { bytes: SYNC.to_vec(), pages, colour }
    }

    /// A page of exactly A4 at [`DOTS_PER_INCH`]: what the picture lacks stays white, what is over is cut off.
    pub fn page(&mut self, picture: &Page) {
        let (pixels, _) = picture.pixels.as_chunks::<4>();
        let in_colour = self.colour && !is_grey(pixels);
        self.bytes.extend_from_slice(&header(self.pages, in_colour));
        let (width, height) = (WIDTH_PX as usize, HEIGHT_PX as usize);
        let line_of = |y: usize| -> Vec<u8> {
            let row = pixels.chunks(picture.width.max(1) as usize).nth(y).unwrap_or_default();
            let white = [u8::MAX; 4];
            let across = (0..width).map(|x| row.get(x).unwrap_or(&white));
            if in_colour {
                across.flat_map(|[red, green, blue, _]| [*red, *green, *blue]).collect()
            } else {
                across.map(|pixel| luminance(*pixel)).collect()
            }
        };
        let pixel_bytes = if in_colour { 3 } else { 1 };
        let mut y = 0;
        let mut line = line_of(0);
        while y < height {
            let mut repeated = 0_u8;
            let mut next = Vec::new();
            while y + 1 + usize::from(repeated) < height {
                next = line_of(y + 1 + usize::from(repeated));
                if next != line || repeated == u8::MAX {
                    break;
                }
                repeated += 1;
            }
            self.bytes.push(repeated);
            pack(&line, pixel_bytes, &mut self.bytes);
            y += 1 + usize::from(repeated);
            line = next;
        }
    }

    /// How many there are so far.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// One line (§4.2): 0 to 127, the next pixel one to 128 times; 129 to 255, that many pixels as they are, counted down from 257.
fn pack(line: &[u8], pixel_bytes: usize, into: &mut Vec<u8>) {
    let pixels: Vec<&[u8]> = line.chunks_exact(pixel_bytes).collect();
    let mut at = 0;
    while at < pixels.len() {
        let rest = &pixels[at..];
        let same = rest.iter().take(128).take_while(|pixel| **pixel == rest[0]).count();
        if same > 1 || rest.len() == 1 {
            into.push((same - 1) as u8);
            into.extend_from_slice(rest[0]);
            at += same;
            continue;
        }
        let differ = rest.windows(2).take(127).take_while(|pair| pair[0] != pair[1]).count();
        // The last pixel of the line belongs to them; one that begins a run does not.
        let literal = if differ + 1 == rest.len() { (differ + 1).min(128) } else { differ };
        match literal {
            1 => into.push(0),
            _ => into.push((257 - literal) as u8),
        }
        rest[..literal].iter().for_each(|pixel| into.extend_from_slice(pixel));
        at += literal;
    }
}

/// The page's header (§4.3): numbers are big-endian, what is not set is zero.
fn header(pages: u32, in_colour: bool) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    let mut text = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    text(0, "PwgRaster");
    text(1732, "iso_a4_210x297mm");
    let (width, height) = (WIDTH_PX, HEIGHT_PX);
    let (colours, space) = if in_colour { (3, SRGB) } else { (1, SGRAY) };
    let fields = [
        (276, DOTS_PER_INCH),
        (280, DOTS_PER_INCH),
        (340, 1),
        (352, WIDTH_PT as u32),
        (356, HEIGHT_PT as u32),
        (372, width),
        (376, height),
        (384, 8),
        (388, 8 * colours),
        (392, width * colours),
        (400, space),
        (420, colours),
        (452, pages),
        // Feed and cross-feed as they are.
        (456, 1),
        (460, 1),
        (472, width),
        (476, height),
        // Normal quality.
        (484, 4),
    ];
    for (at, value) in fields {
        header[at..at + 4].copy_from_slice(&value.to_be_bytes());
    }
    header
}

/// ITU-R BT.709, in integers.
fn luminance([red, green, blue, _]: [u8; 4]) -> u8 {
    ((u32::from(red) * 54 + u32::from(green) * 183 + u32::from(blue) * 19) >> 8) as u8
}

const SYNC: &[u8; 4] = b"RaS2";
const HEADER_BYTES: usize = 1796;
const SGRAY: u32 = 18;
const SRGB: u32 = 19;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::Arc;

    /// As PWG 5102.4 §4.2 says it.
    fn unpacked(mut packed: &[u8], pixel_bytes: usize) -> Vec<u8> {
        let mut line = Vec::new();
        while let [count, rest @ ..] = packed {
            let (times, pixels) = match *count {
                0..=127 => (usize::from(*count) + 1, 1),
                128 => panic!("no line is left to be white"),
                many => (1, 257 - usize::from(many)),
            };
            let (these, after) = rest.split_at(pixels * pixel_bytes);
            (0..times).for_each(|_| line.extend_from_slice(these));
            packed = after;
        }
        line
    }

    proptest! {
        #[test]
        fn a_line_is_unpacked_as_it_was(line in prop::collection::vec(prop::collection::vec(0_u8..3, 3), 1..400)) {
            for pixel_bytes in [1, 3] {
                let line: Vec<u8> = line.iter().flatten().copied().collect();
                let mut packed = Vec::new();
                pack(&line, pixel_bytes, &mut packed);
                prop_assert_eq!(&unpacked(&packed, pixel_bytes), &line);
            }
        }

        #[test]
        fn a_noisy_line_hardly_grows(line in prop::collection::vec(any::<u8>(), 1..4000)) {
            let mut packed = Vec::new();
            pack(&line, 1, &mut packed);
            prop_assert_eq!(unpacked(&packed, 1), line.clone());
            prop_assert!(packed.len() <= line.len() + line.len() / 40 + 8, "{} of {}", packed.len(), line.len());
        }
    }

    fn page(width: u32, height: u32, pixel: [u8; 4]) -> Page {
        let pixels: Vec<u8> = (0..width * height).flat_map(|_| pixel).collect();
        Page { width, height, pixels: Arc::from(pixels) }
    }

    #[test]
    fn a_page_is_a4_at_300_dots_whatever_the_picture() {
        let mut raster = Raster::new(2, true);
        raster.page(&page(10, 10, [0, 0, 0, 255]));
        raster.page(&page(3000, 10, [250, 0, 0, 255]));
        let bytes = raster.finish();
        assert_eq!(&bytes[..4], b"RaS2");
        let first = &bytes[4..];
        let number = |page: &[u8], at: usize| u32::from_be_bytes([page[at], page[at + 1], page[at + 2], page[at + 3]]);
        assert_eq!((number(first, 372), number(first, 376), number(first, 392)), (2480, 3508, 2480));
        assert_eq!((number(first, 400), number(first, 388), number(first, 452)), (SGRAY, 8, 2), "black is no colour");
        // Ten lines with ten black pixels, then white ones to the end.
        let mut lines = &first[HEADER_BYTES..];
        let (mut height, mut dark) = (0, 0);
        while height < 3508 {
            height += usize::from(lines[0]) + 1;
            let repeats = usize::from(lines[0]) + 1;
            lines = &lines[1..];
            let mut across = 0;
            while across < 2480 {
                let times = usize::from(lines[0]) + 1;
                assert!(lines[0] < 128, "nothing in it is worth being literal");
                dark += if lines[1] == 0 { times * repeats } else { 0 };
                across += times;
                lines = &lines[2..];
            }
            assert_eq!(across, 2480);
        }
        assert_eq!((height, dark), (3508, 100));
        assert_eq!((number(lines, 400), number(lines, 388), number(lines, 392)), (SRGB, 24, 3 * 2480));
    }
}
