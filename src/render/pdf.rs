//! PDF pages → pixels, by hayro. Scripts, links and attachments are not looked at.

use std::ops::Range;
use std::sync::Arc;

use hayro::PixmapSettings;
use hayro::RenderCache;
use hayro::RenderSettings;
use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::LoadPdfError;
use hayro::hayro_syntax::Pdf;
use hayro::vello_cpu::color::palette::css::WHITE;

use crate::record::reading::Page;
use crate::render::Error;
use crate::render::Fault;
use crate::render::wire::PAGE_HEIGHT_PX_MAX;

/// How many pages there are, and those of them that were asked for.
pub fn draw(content: Vec<u8>, pages: &Range<u32>, width_px: u32) -> Result<(u32, Vec<Page>), Error> {
    let what = |error| match error {
        LoadPdfError::Decryption(_) => Fault::PdfEncrypted,
        LoadPdfError::Invalid => Fault::Pdf,
    };
    let pdf = Pdf::new(content).map_err(|error| Error::Unreadable { what: what(error) })?;
    let all = pdf.pages();
    let page_count = u32::try_from(all.len()).map_err(|_| Error::Unreadable { what: Fault::TooMany })?;
    if page_count == 0 {
        return Err(Error::Unreadable { what: Fault::Pdf });
    }
    let cache = RenderCache::new();
    let settings = InterpreterSettings::default();
    let asked = pages.start.min(page_count)..pages.end.min(page_count);
    let drawn = asked.map(|number| {
        let page = &all[number as usize];
        let pixmap_settings = fit(page.render_dimensions(), width_px);
        let pixmap = hayro::render(page, &cache, &settings, &RenderSettings::default(), &pixmap_settings);
        // Over white nothing is transparent: premultiplied is then the same as plain.
        let mut pixels = pixmap.data_as_u8_slice().to_vec();
        pixels.iter_mut().skip(3).step_by(4).for_each(|alpha| *alpha = u8::MAX);
        Page { width: u32::from(pixmap.width()), height: u32::from(pixmap.height()), pixels: Arc::from(pixels) }
    });
    Ok((page_count, drawn.collect()))
}

/// As wide as asked, unless the page would then be too high.
fn fit((width, height): (f32, f32), width_px: u32) -> PixmapSettings {
    // hayro cuts the fraction off: a hundredth more, so that 1280 stays 1280.
    let across = (width_px as f32 + 0.01) / width;
    let down = (PAGE_HEIGHT_PX_MAX as f32 - 1.0) / height;
    let scale = across.min(down);
    let at_least_one = |length: f32| scale.max(1.01 / length);
    PixmapSettings { x_scale: at_least_one(width), y_scale: at_least_one(height), bg_color: WHITE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_as_wide_as_asked_and_never_too_high() {
        let size = |page: (f32, f32)| {
            let fit = fit(page, 1280);
            ((page.0 * fit.x_scale) as u32, (page.1 * fit.y_scale) as u32)
        };
        assert_eq!(size((595.0, 842.0)), (1280, 1811));
        assert_eq!(size((842.0, 595.0)), (1280, 904));
        assert!(size((10.0, 10_000.0)).1 <= PAGE_HEIGHT_PX_MAX);
        assert_eq!(size((100_000.0, 1.0)), (1280, 1));
    }
}
