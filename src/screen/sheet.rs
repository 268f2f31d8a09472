//! The text of a note while it is typed with the own keyboard. Pure, bounded; it goes when its page goes.

use crate::record::note::CHARACTERS_MAX;

/// What stands on the page.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Sheet {
    text: String,
}

impl Sheet {
    pub fn new(text: &str) -> Sheet {
        Sheet { text: text.chars().take(CHARACTERS_MAX).collect() }
    }

    /// One key. A sentence begins with a capital, as it would on a telephone.
    pub fn press(&mut self, key: char) {
        if (key.is_control() && key != '\n') || self.text.chars().count() >= CHARACTERS_MAX {
            return;
        }
        match self.begins_sentence() {
            true => self.text.extend(key.to_uppercase()),
            false => self.text.push(key),
        }
    }

    pub fn erase(&mut self) {
        self.text.pop();
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    fn begins_sentence(&self) -> bool {
        let before = self.text.trim_end_matches(' ');
        let gap = before.len() < self.text.len();
        before.is_empty() || before.ends_with('\n') || (gap && before.ends_with(['.', '!', '?']))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &str) -> String {
        let mut sheet = Sheet::default();
        keys.chars().for_each(|key| sheet.press(key));
        sheet.text().to_owned()
    }

    #[test]
    fn a_sentence_begins_with_a_capital_and_a_number_stays_whole() {
        assert_eq!(
            typed("plaie propre. éviter l'eau.\nrevoir à 12.5 mg"),
            "Plaie propre. Éviter l'eau.\nRevoir à 12.5 mg"
        );
        assert_eq!(typed("ta 12/7\u{7}"), "Ta 12/7");
    }

    #[test]
    fn a_full_page_takes_no_more() {
        let full = "x".repeat(CHARACTERS_MAX + 5);
        let mut sheet = Sheet::new(&full);
        assert_eq!(sheet.text().len(), CHARACTERS_MAX);
        sheet.press('y');
        assert_eq!(sheet.text().len(), CHARACTERS_MAX);
        sheet.erase();
        sheet.press('y');
        assert!(sheet.text().ends_with('y'));
    }
}
