//! What is typed on the INS page: three fields and the keys of an own keyboard. Pure; it goes when the page goes.

use crate::say;
use crate::say::Lang;
use crate::screen::words;

/// Which field the keys go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Field {
    #[default]
    Matricule,
    BirthName,
    BirthDate,
}

/// The fields, as typed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Form {
    pub active: Field,
    matricule: String,
    birth_name: String,
    /// Digits only, day first.
    birth_date: String,
}

const MATRICULE_LENGTH: usize = 15;
const NAME_LENGTH_MAX: usize = 80;
const DATE_LENGTH: usize = 8;

impl Form {
    /// One key. What does not belong to the active field changes nothing; a full field hands over to the next.
    pub fn press(&mut self, key: char) {
        match self.active {
            Field::Matricule => {
                let at = self.matricule.len();
                let fits = key.is_ascii_digit() || (self.takes_letter() && matches!(key, 'A' | 'B'));
                if fits && at < MATRICULE_LENGTH {
                    self.matricule.push(key);
                }
                if self.matricule.len() == MATRICULE_LENGTH && self.birth_name.is_empty() {
                    self.active = Field::BirthName;
                }
            }
            Field::BirthName => {
                let fits = key.is_alphabetic() || matches!(key, ' ' | '-' | '\'');
                if fits && self.birth_name.chars().count() < NAME_LENGTH_MAX {
                    self.birth_name.push(key);
                }
            }
            Field::BirthDate => {
                if key.is_ascii_digit() && self.birth_date.len() < DATE_LENGTH {
                    self.birth_date.push(key);
                }
            }
        }
    }

    /// Takes the last character of the active field back.
    pub fn erase(&mut self) {
        match self.active {
            Field::Matricule => self.matricule.pop(),
            Field::BirthName => self.birth_name.pop(),
            Field::BirthDate => self.birth_date.pop(),
        };
    }

    /// Corsica: 2A and 2B in the place of the department (INSEE).
    pub fn takes_letter(&self) -> bool {
        self.active == Field::Matricule && self.matricule.len() == 6 && self.matricule.ends_with('2')
    }

    /// `2 79 03 51 215 189 89`.
    pub fn matricule_shown(&self) -> String {
        words::matricule(&self.matricule)
    }

    pub fn birth_name(&self) -> &str {
        &self.birth_name
    }

    /// `28/03/1979`, as far as it was typed.
    pub fn birth_date_shown(&self) -> String {
        let mut shown = String::with_capacity(10);
        for (at, digit) in self.birth_date.chars().enumerate() {
            if at == 2 || at == 4 {
                shown.push('/');
            }
            shown.push(digit);
        }
        shown
    }

    /// `12 sur 15`, so that a missing digit is seen before it is sent.
    pub fn matricule_count(&self, lang: Lang) -> String {
        say!(lang, "{} sur {MATRICULE_LENGTH}", "{} of {MATRICULE_LENGTH}", self.matricule.len())
    }

    /// Whether all three are there, as far as their shape goes.
    pub fn is_complete(&self) -> bool {
        self.matricule.len() == MATRICULE_LENGTH
            && !self.birth_name.trim().is_empty()
            && self.birth_date.len() == DATE_LENGTH
    }

    /// Matricule, birth name, birth date (jj/mm/aaaa): what the visit is told.
    pub fn typed(&self) -> (String, String, String) {
        (self.matricule.clone(), self.birth_name.clone(), self.birth_date_shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(form: &mut Form, keys: &str) {
        keys.chars().for_each(|key| form.press(key));
    }

    #[test]
    fn three_fields_are_typed_one_after_another() {
        let mut form = Form::default();
        typed(&mut form, "279035121518989");
        assert_eq!(form.active, Field::BirthName);
        typed(&mut form, "PAT-TROIS");
        assert!(!form.is_complete());
        form.active = Field::BirthDate;
        typed(&mut form, "2803197");
        assert!(!form.is_complete());
        typed(&mut form, "99");
        assert!(form.is_complete());
        assert_eq!(form.typed(), ("279035121518989".into(), "PAT-TROIS".into(), "28/03/1979".into()));
    }

    #[test]
    fn a_key_that_does_not_belong_changes_nothing() {
        let mut form = Form::default();
        typed(&mut form, "A18005");
        assert_eq!(form.matricule_count(Lang::French), "5 sur 15");
        typed(&mut form, "2A0");
        assert_eq!(form.matricule_shown(), "1\u{a0}80\u{a0}05\u{a0}2A\u{a0}0");
        form.erase();
        assert_eq!(form.matricule_count(Lang::French), "7 sur 15");
        form.active = Field::BirthDate;
        typed(&mut form, "X1");
        assert_eq!(form.birth_date_shown(), "1");
        form.active = Field::BirthName;
        typed(&mut form, "9D'ÉON");
        assert_eq!(form.birth_name(), "D'ÉON");
    }
}
