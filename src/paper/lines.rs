//! Runs → lines no wider than their column. Broken at spaces and line feeds; a word that is wider than the column is broken
//! where it must be. Nothing is left out but the space at which a line was broken.

use crate::paper::face::Faces;
use crate::paper::face::Style;
use crate::paper::face::plainer;
use crate::record::reading::Run;

/// Text in one style, from `x` points right of the column's edge.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Piece {
    pub x: f32,
    pub width: f32,
    pub text: String,
    pub style: Style,
    pub underlined: bool,
    pub struck: bool,
}

pub(super) type Line = Vec<Piece>;

/// At least one line, be it empty.
pub(super) fn wrap(runs: &[Run], width: f32, size: f32, faces: &Faces<'_>) -> Vec<Line> {
    let mut column = Column { lines: vec![vec![]], x: 0.0, width, size, faces };
    for word in words(runs) {
        match word {
            Word::LineFeed => column.feed(),
            Word::Space(run, text) => column.space(run, &text),
            Word::Letters(parts) => column.word(&parts),
        }
    }
    column.lines
}

enum Word<'a> {
    LineFeed,
    Space(&'a Run, String),
    /// A style may change within a word.
    Letters(Vec<(&'a Run, String)>),
}

fn words(runs: &[Run]) -> Vec<Word<'_>> {
    let mut words: Vec<Word<'_>> = Vec::new();
    let mut is_new_run;
    for run in runs {
        is_new_run = true;
        for letter in run.text.chars().filter_map(plainer) {
            match letter {
                '\n' => words.push(Word::LineFeed),
                // A break is not taken at a space that must not be one.
                ' ' | '\t' => match words.last_mut() {
                    Some(Word::Space(..)) => {}
                    _ => words.push(Word::Space(run, " ".to_owned())),
                },
                letter => match words.last_mut() {
                    Some(Word::Letters(parts)) if !is_new_run => {
                        if let Some((_, text)) = parts.last_mut() {
                            text.push(letter);
                        }
                    }
                    Some(Word::Letters(parts)) => parts.push((run, letter.to_string())),
                    _ => words.push(Word::Letters(vec![(run, letter.to_string())])),
                },
            }
            is_new_run = false;
        }
    }
    words
}

struct Column<'a> {
    lines: Vec<Line>,
    x: f32,
    width: f32,
    size: f32,
    faces: &'a Faces<'a>,
}

impl Column<'_> {
    fn feed(&mut self) {
        self.lines.push(vec![]);
        self.x = 0.0;
    }

    /// At the beginning of a line there is none.
    fn space(&mut self, run: &Run, text: &str) {
        if self.x > 0.0 {
            self.put(run, text);
        }
    }

    fn word(&mut self, parts: &[(&Run, String)]) {
        let width: f32 = parts.iter().map(|(run, text)| self.wide(run, text)).sum();
        if self.x + width > self.width && self.x > 0.0 {
            self.feed();
        }
        if width <= self.width {
            parts.iter().for_each(|(run, text)| self.put(run, text));
            return;
        }
        for (run, text) in parts {
            for letter in text.chars() {
                let mut bytes = [0; 4];
                let letter: &str = letter.encode_utf8(&mut bytes);
                if self.x + self.wide(run, letter) > self.width && self.x > 0.0 {
                    self.feed();
                }
                self.put(run, letter);
            }
        }
    }

    fn wide(&self, run: &Run, text: &str) -> f32 {
        text.chars().map(|letter| self.faces.wide(letter, self.faces.style(letter, run), self.size)).sum()
    }

    fn put(&mut self, run: &Run, text: &str) {
        let (underlined, struck) = (run.underlined, run.struck);
        for letter in text.chars() {
            let style = self.faces.style(letter, run);
            let width = self.faces.wide(letter, style, self.size);
            let line = self.lines.last_mut().expect("a column has a line");
            match line.last_mut() {
                Some(last) if (last.style, last.underlined, last.struck) == (style, underlined, struck) => {
                    last.text.push(letter);
                    last.width += width;
                }
                _ => line.push(Piece { x: self.x, width, text: letter.into(), style, underlined, struck }),
            }
            self.x += width;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn faces() -> Faces<'static> {
        Faces::read(None).expect("our fonts")
    }

    fn text_of(lines: &[Line]) -> String {
        lines.iter().flatten().map(|piece| piece.text.as_str()).collect()
    }

    fn bare(text: &str) -> String {
        text.chars().filter(|letter| !matches!(letter, ' ' | '\t' | '\n')).collect()
    }

    #[test]
    fn a_line_is_broken_at_a_space_and_never_at_one_that_holds() {
        let faces = faces();
        let wide = faces.width("Tension 12", 10.0);
        let lines = wrap(&[Run::plain("Tension 12/8 à 7\u{a0}h\u{a0}30")], wide, 10.0, &faces);
        let lines: Vec<String> = lines.iter().map(|line| text_of(std::slice::from_ref(line))).collect();
        assert_eq!(lines, ["Tension ", "12/8 à ", "7\u{a0}h\u{a0}30"]);
    }

    #[test]
    fn a_word_whose_style_changes_is_not_torn() {
        let faces = faces();
        let bold = Run { bold: true, ..Run::plain("g") };
        let lines = wrap(&[Run::plain("aaa 5"), bold, Run::plain("/l")], 30.0, 10.0, &faces);
        assert_eq!(text_of(&lines[1..]), "5g/l", "together on the second line");
    }

    proptest! {
        #[test]
        fn every_letter_is_there_in_order_and_no_line_is_too_wide(
            texts in prop::collection::vec(("[a-zà-ü0-9 \n\u{a0}≤]{0,60}", any::<bool>(), any::<bool>()), 0..8),
            width in 20.0_f32..300.0,
        ) {
            let faces = faces();
            let runs: Vec<Run> =
                texts.into_iter().map(|(text, bold, italic)| Run { bold, italic, ..Run::plain(text) }).collect();
            let lines = wrap(&runs, width, 10.0, &faces);
            let before: String = runs.iter().map(|run| run.text.as_str()).collect();
            prop_assert_eq!(bare(&text_of(&lines)), bare(&before));
            for line in &lines {
                let end = line.last().map_or(0.0, |piece| piece.x + piece.width);
                // Only the space that was before a break hangs over.
                prop_assert!(end <= width + 4.0, "{} > {}", end, width);
            }
        }
    }
}
