//! Our fonts, a system's font for the signs that they lack, and how wide a text is in them.

use crate::record::reading::Run;
use ttf_parser::Face;

/// A style of text that has a font of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Style {
    Regular,
    Bold,
    Italic,
    BoldItalic,
    /// Arrows, Greek, boxes to tick.
    Signs,
}

/// Those that we bring; the signs' font comes from the system.
pub(super) const STYLES: [Style; 4] = [Style::Regular, Style::Bold, Style::Italic, Style::BoldItalic];

impl Style {
    fn of(run: &Run) -> Style {
        match (run.bold, run.italic) {
            (false, false) => Style::Regular,
            (true, false) => Style::Bold,
            (false, true) => Style::Italic,
            (true, true) => Style::BoldItalic,
        }
    }

    /// Atkinson Hyperlegible Next, as on the screen.
    pub(super) fn file(self) -> &'static [u8] {
        match self {
            Style::Regular | Style::Signs => include_bytes!("../../ui/fonts/AtkinsonHyperlegibleNext_400Regular.ttf"),
            Style::Bold => include_bytes!("../../ui/fonts/AtkinsonHyperlegibleNext_700Bold.ttf"),
            Style::Italic => include_bytes!("../../ui/fonts/AtkinsonHyperlegibleNext_400Regular_Italic.ttf"),
            Style::BoldItalic => include_bytes!("../../ui/fonts/AtkinsonHyperlegibleNext_700Bold_Italic.ttf"),
        }
    }

    pub(super) fn place(self) -> usize {
        self as usize
    }
}

/// The fonts, read once a sheet.
pub(super) struct Faces<'a> {
    ours: [Face<'static>; 4],
    signs: Option<Face<'a>>,
}

impl<'a> Faces<'a> {
    /// `signs`: a TrueType file. `None`: our own files are damaged; a damaged one of the system's is none.
    pub(super) fn read(signs: Option<&'a [u8]>) -> Option<Faces<'a>> {
        let [regular, bold, italic, bold_italic] = STYLES.map(|style| Face::parse(style.file(), 0).ok());
        let ours = [regular?, bold?, italic?, bold_italic?];
        Some(Faces { ours, signs: signs.and_then(|file| Face::parse(file, 0).ok()) })
    }

    /// The font that has it; where none has, our own draws a box.
    pub(super) fn style(&self, letter: char, run: &Run) -> Style {
        let style = Style::of(run);
        let has = |face: &Face<'_>| face.glyph_index(letter).is_some();
        match &self.signs {
            Some(signs) if !has(&self.ours[style.place()]) && has(signs) => Style::Signs,
            _ => style,
        }
    }

    /// In points, at that size; kerning is left out, so that a line is never wider than this says by much.
    pub(super) fn wide(&self, letter: char, style: Style, size: f32) -> f32 {
        let face = match (&self.signs, style) {
            (Some(signs), Style::Signs) => signs,
            _ => &self.ours[style.place().min(STYLES.len() - 1)],
        };
        let glyph = face.glyph_index(letter).unwrap_or(ttf_parser::GlyphId(0));
        let advance = f32::from(face.glyph_hor_advance(glyph).unwrap_or_default());
        advance * size / f32::from(face.units_per_em())
    }

    /// The same, of a text in our regular font.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|letter| self.wide(letter, Style::Regular, size)).sum()
    }

    /// As much of it as has room, and then `…`.
    pub(super) fn cut(&self, text: &str, size: f32, room: f32) -> String {
        if self.width(text, size) <= room {
            return text.to_owned();
        }
        let mut cut = text.to_owned();
        while !cut.is_empty() && self.width(&cut, size) + self.width("…", size) > room {
            cut.pop();
        }
        cut + "…"
    }

    /// Whether a sign would be printed as a box.
    pub(super) fn lacks(&self, letter: char) -> bool {
        let has = |face: &Face<'_>| face.glyph_index(letter).is_some();
        !letter.is_whitespace() && !has(&self.ours[0]) && !self.signs.as_ref().is_some_and(has)
    }
}

/// What looks the same, and our fonts have; a soft hyphen is no sign.
pub(super) fn plainer(letter: char) -> Option<char> {
    match letter {
        '\u{ad}' => None,
        '\u{202f}' | '\u{2009}' => Some('\u{a0}'),
        '\u{2011}' => Some('-'),
        'µ' => Some('μ'),
        other => Some(other),
    }
}
