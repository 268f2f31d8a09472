//! Two languages, side by side: what a person reads on the screen is written once in each, in the same place.
//!
//! [`say!`](crate::say!) takes the French and the English of one sentence; what stands in braces is found where it is written. One of
//! the two missing does not compile. French is set as its printers do ([`french`]), English is left as it is. Words that are
//! constants wait as [`Both`]. The markup does the same with `Say.one("Retour", "Back")` (`ui/say.slint`).
//!
//! ```
//! use chevet::say::Lang;
//! let left = 2;
//! assert_eq!(chevet::say!(Lang::English, "Il reste {left} essais !", "{left} tries left!"), "2 tries left!");
//! assert_eq!(chevet::say!(Lang::French, "Il reste {left} essais !", "{left} tries left!"), "Il reste 2 essais\u{202f}!");
//! ```
//!
//! French binds where the law's own words do: references to articles, the two texts owed before the first consultation, the
//! national lists and what a server or an author wrote stay as they are, the first three with an English rendering. Paper is
//! French. Pure.

/// The language of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lang {
    #[default]
    French,
    English,
}

/// One thing in each language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Both<T = &'static str> {
    pub french: T,
    pub english: T,
}

impl<T> Both<T> {
    pub fn as_ref(&self) -> Both<&T> {
        Both { french: &self.french, english: &self.english }
    }

    pub fn within(self, lang: Lang) -> T {
        lang.pick(self.french, self.english)
    }
}

/// For constants: `both("Retour", "Back")`. The French is set already.
pub const fn both(french: &'static str, english: &'static str) -> Both {
    Both { french, english }
}

impl Lang {
    pub const ALL: [Lang; 2] = [Lang::French, Lang::English];

    /// Two words that need no setting.
    pub fn pick<T>(self, french: T, english: T) -> T {
        match self {
            Lang::French => french,
            Lang::English => english,
        }
    }

    pub fn other(self) -> Lang {
        self.pick(Lang::English, Lang::French)
    }
}

/// How the screen speaks and looks: what the settings say, until somebody chooses otherwise for the length of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks {
    pub lang: Lang,
    /// One of [`TEXT_PERCENTS`].
    pub text_percent: u16,
    pub light: Light,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Light {
    #[default]
    Day,
    Night,
    /// Night from 20 h to 7 h, by a clock that may be believed.
    ByClock,
}

/// Sizes of text that are offered (WCAG 2.2, 1.4.4: up to 200 %).
pub const TEXT_PERCENTS: [u16; 4] = [100, 125, 150, 200];

impl Default for Looks {
    fn default() -> Looks {
        Looks { lang: Lang::default(), text_percent: 100, light: Light::default() }
    }
}

impl Looks {
    /// The size after this one; after the largest, the smallest.
    pub fn next_size(self) -> u16 {
        TEXT_PERCENTS.into_iter().find(|percent| *percent > self.text_percent).unwrap_or(TEXT_PERCENTS[0])
    }
}

/// One sentence in the language asked for, set for the screen: `say!(lang, "Il y a {age}", "{age} ago")`.
#[macro_export]
macro_rules! say {
    ($lang:expr, $french:literal, $english:literal $(, $value:expr)* $(,)?) => {
        match $lang {
            $crate::say::Lang::French => $crate::say::french(&format_args!($french $(, $value)*).to_string()),
            $crate::say::Lang::English => format_args!($english $(, $value)*).to_string(),
        }
    };
}

/// Sets typed text as French printers do: ’ for ', and no break before ; : ! ? » %, nor after «. The space is a whole one: the
/// bundled font has no narrow one (U+202F), and another font's would look different on each device.
pub fn french(text: &str) -> String {
    let mut set = String::with_capacity(text.len() + 8);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let before_mark = matches!(letters.peek(), Some(';' | ':' | '!' | '?' | '»' | '%'));
        match letter {
            '\'' => set.push('’'),
            ' ' if before_mark || set.ends_with('«') => set.push('\u{a0}'),
            other => set.push(other),
        }
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_never_begin_a_line() {
        assert_eq!(french("d'accord : « oui » ?"), "d’accord\u{a0}: «\u{a0}oui\u{a0}»\u{a0}?");
        assert_eq!(french("22 % connue ; bien !"), "22\u{a0}% connue\u{a0}; bien\u{a0}!");
        assert_eq!(french("7:30"), "7:30");
    }

    #[test]
    fn each_language_says_its_own() {
        let name = "d'Arc";
        assert_eq!(say!(Lang::French, "C'est {name} ?", "Is it {name}?"), "C’est d’Arc\u{a0}?");
        assert_eq!(say!(Lang::English, "C'est {name} ?", "Is it {name}?"), "Is it d'Arc?");
        assert_eq!(say!(Lang::English, "{} sur {}", "{} of {}", 1, 2), "1 of 2");
        assert_eq!(both("oui", "yes").within(Lang::English), "yes");
        assert_eq!(Lang::French.other().other(), Lang::French);
    }

    #[test]
    fn sizes_go_round() {
        let sizes = [100, 125, 150, 200, 7].map(|text_percent| Looks { text_percent, ..Looks::default() }.next_size());
        assert_eq!(sizes, [125, 150, 200, 100, 100]);
    }
}
