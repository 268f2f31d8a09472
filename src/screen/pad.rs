//! What is drawn with a finger on the patient's page, and what is typed at the gate. Pure, bounded; both go when their page
//! goes.

use crate::journal::consent::PAD_HEIGHT;
use crate::journal::consent::PAD_WIDTH;
use crate::journal::consent::POINTS_MAX;
use crate::journal::consent::Point;
use crate::journal::consent::Signature;

/// Strokes, in a signature's own unit.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Pad {
    strokes: Vec<Vec<Point>>,
    points: usize,
}

impl Pad {
    /// A finger at these fractions of the pad's width and height; `begins`: it has just come down. What lies outside the
    /// pad is taken to its edge; a full pad takes no more.
    pub fn draw(&mut self, x: f32, y: f32, begins: bool) {
        if self.points >= POINTS_MAX {
            return;
        }
        let point = (along(x, PAD_WIDTH), along(y, PAD_HEIGHT));
        match self.strokes.last_mut() {
            Some(stroke) if !begins => {
                if stroke.last() == Some(&point) {
                    return;
                }
                stroke.push(point);
            }
            _ => self.strokes.push(vec![point]),
        }
        self.points += 1;
    }

    pub fn clear(&mut self) {
        *self = Pad::default();
    }

    /// As an SVG path, for the screen.
    pub fn path(&self) -> String {
        let mut path = String::with_capacity(self.points * 12);
        for stroke in &self.strokes {
            for (at, (x, y)) in stroke.iter().enumerate() {
                let verb = if at == 0 { "M" } else { "L" };
                path.push_str(&format!("{verb} {x} {y} "));
            }
        }
        path
    }

    /// `None` while nothing worth the name is drawn.
    pub fn signature(&self) -> Option<Signature> {
        Signature::new(self.strokes.clone())
    }
}

fn along(fraction: f32, length: u16) -> u16 {
    // Saturating: not a number is the pad's corner.
    (fraction.clamp(0.0, 1.0) * f32::from(length)) as u16
}

/// A few words, in capitals, by the own keyboard.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Typed {
    text: String,
}

impl Typed {
    /// One key; digits alone where a number is asked for.
    pub fn press(&mut self, key: char, digits: bool) {
        let fits = if digits { key.is_ascii_digit() } else { key.is_alphanumeric() || matches!(key, ' ' | '-' | '\'') };
        if fits && self.text.chars().count() < LENGTH_MAX {
            self.text.push(key);
        }
    }

    pub fn erase(&mut self) {
        self.text.pop();
    }

    pub fn text(&self) -> &str {
        &self.text
    }
}

const LENGTH_MAX: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stroke_follows_the_finger_and_stays_on_the_pad() {
        let mut pad = Pad::default();
        pad.draw(0.5, 0.5, true);
        assert!(pad.signature().is_none(), "a tap");
        pad.draw(2.0, -1.0, false);
        pad.draw(2.0, -1.0, false);
        pad.draw(f32::NAN, 0.0, true);
        assert_eq!(pad.path(), "M 5000 1500 L 10000 0 M 0 0 ");
        let signature = pad.signature().expect("a stroke");
        assert_eq!(signature.strokes().first().map(Vec::len), Some(2));
        for at in 0..2 * POINTS_MAX {
            pad.draw((at % 2) as f32, 0.0, false);
        }
        assert!(pad.signature().is_some(), "a full pad is still a signature");
        pad.clear();
        assert_eq!(pad.path(), "");
    }

    #[test]
    fn a_key_that_does_not_belong_changes_nothing() {
        let mut typed = Typed::default();
        "Ab1-\n".chars().for_each(|key| typed.press(key, false));
        assert_eq!(typed.text(), "Ab1-");
        "x2".chars().for_each(|key| typed.press(key, true));
        typed.erase();
        typed.erase();
        assert_eq!(typed.text(), "Ab1");
        (0..200).for_each(|_| typed.press('a', false));
        assert_eq!(typed.text().len(), LENGTH_MAX);
    }
}
