//! Which documents of a list are shown, and in which order. Pure.

use crate::record::document::Document;
use crate::time::UnixSeconds;

/// All that is `None` lets everything through.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// TRE_A03, for example `10`.
    pub class: Option<String>,
    /// JDV_J07 or ASS_X16.
    pub kind: Option<String>,
    /// Clinical date, and since when that is.
    pub period: Option<(Period, UnixSeconds)>,
    /// As the list names them.
    pub author: Option<String>,
    /// The author's structure.
    pub setting: Option<String>,
}

/// How far back, in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    Week,
    Month,
    SixMonths,
    Year,
}

/// What a list can be narrowed by, beside its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Facet {
    Kind,
    Period,
    Author,
    Setting,
}

impl Period {
    pub const ALL: [Period; 4] = [Period::Week, Period::Month, Period::SixMonths, Period::Year];

    fn days(self) -> i64 {
        match self {
            Period::Week => 7,
            Period::Month => 31,
            Period::SixMonths => 183,
            Period::Year => 366,
        }
    }

    /// The first second of it at `now`.
    pub fn since(self, now: UnixSeconds) -> UnixSeconds {
        now.plus(-self.days() * 86_400)
    }
}

impl Facet {
    pub const ALL: [Facet; 4] = [Facet::Kind, Facet::Period, Facet::Author, Facet::Setting];
}

impl Filter {
    pub fn fits(&self, document: &Document) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        let one_is = |wanted: &Option<String>, found: fn(&Document) -> Vec<&str>| {
            wanted.as_ref().is_none_or(|wanted| found(document).iter().any(|found| found == wanted))
        };
        is(&self.class, &document.class_code.0)
            && is(&self.kind, &document.type_code.0)
            && self.period.is_none_or(|(_, since)| document.service_start >= since)
            && one_is(&self.author, authors)
            && one_is(&self.setting, settings)
    }

    /// Whether anything but the class is chosen.
    pub fn is_narrowed(&self) -> bool {
        *self != Filter { class: self.class.clone(), ..Filter::default() }
    }

    /// This one, with `facet` open again.
    pub fn without(&self, facet: Facet) -> Filter {
        let mut open = self.clone();
        match facet {
            Facet::Kind => open.kind = None,
            Facet::Period => open.period = None,
            Facet::Author => open.author = None,
            Facet::Setting => open.setting = None,
        }
        open
    }
}

/// What there is to choose from, each with how many documents it has, the fullest first: of those that all else lets through.
/// Nothing for [`Facet::Period`], whose choices are always the same.
pub fn choices<'a>(
    facet: Facet,
    filter: &Filter,
    documents: impl Iterator<Item = &'a Document>,
) -> Vec<(String, usize)> {
    let others = filter.without(facet);
    let mut found: Vec<(String, usize)> = Vec::new();
    for document in documents.filter(|document| others.fits(document)) {
        let values = match facet {
            Facet::Kind => vec![document.type_code.0.as_str()],
            Facet::Author => authors(document),
            Facet::Setting => settings(document),
            Facet::Period => vec![],
        };
        for value in values {
            match found.iter_mut().find(|(known, _)| known == value) {
                Some((_, count)) => *count += 1,
                None => found.push((value.to_owned(), 1)),
            }
        }
    }
    found.sort_by(|(a, few), (b, many)| many.cmp(few).then_with(|| a.cmp(b)));
    found.truncate(CHOICES_MAX);
    found
}

fn authors(document: &Document) -> Vec<&str> {
    distinct(document.authors.iter().map(|author| author.name.as_str()))
}

fn settings(document: &Document) -> Vec<&str> {
    distinct(document.authors.iter().filter_map(|author| author.structure.as_deref()))
}

fn distinct<'a>(values: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    for value in values.filter(|value| !value.is_empty()) {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

/// Nobody reads a longer list of names; the search finds them.
const CHOICES_MAX: usize = 40;

/// Names of people are in no log.
impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Filter([REDACTED])")
    }
}
