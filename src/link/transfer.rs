//! One content that may take several connections: from where it goes on, and when it must begin anew. Pure.
//!
//! ```text
//! 200 ─ taken from the start ─ broken off ─ strong tag? ─ Range + If-Range ─┬ 206 that fits ─ goes on
//!                                              └ none: the whole again      ├ 200: changed, or no ranges known here ─ anew
//!                                                                           └ 206 that does not fit, 416 ─ the whole again
//! ```
//!
//! Bytes are counted as they travel: of a compressed answer it is the compressed bytes that are continued (RFC 9110 §14.1),
//! and its tag is that coding's. Whether the whole is right is told by its hash, not here.

use crate::link::header::ContentRange;

/// What the head of an answer says of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub status: u16,
    pub range: Option<ContentRange>,
    /// Only a strong one.
    pub tag: Option<String>,
    /// `Content-Encoding`, empty without one.
    pub coding: String,
}

/// What an answer is to what came before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begins {
    /// From the first byte: what came before is void.
    Anew,
    GoesOn,
    /// It fits nothing: the whole must be asked for.
    Nowhere,
    /// No content, a refusal.
    Refused,
}

#[derive(Debug, Clone, Default)]
pub struct Transfer {
    received: u64,
    /// By what it can be continued.
    tag: Option<String>,
    coding: String,
    /// How far any try has come.
    furthest: u64,
    vain: u32,
}

impl Transfer {
    /// What to ask for besides.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        match &self.tag {
            Some(tag) if self.received > 0 => {
                vec![("range", format!("bytes={}-", self.received)), ("if-range", tag.clone())]
            }
            _ => Vec::new(),
        }
    }

    pub fn answered(&mut self, head: &Head) -> Begins {
        match head.status {
            206 if self.fits(head) => Begins::GoesOn,
            206 | 416 => {
                self.begin_anew();
                Begins::Nowhere
            }
            200..=299 => {
                (self.received, self.tag, self.coding) = (0, head.tag.clone(), head.coding.clone());
                Begins::Anew
            }
            _ => Begins::Refused,
        }
    }

    /// Where we are, by the same bytes: the tag is repeated in a 206 (RFC 9110 §15.3.7), and one that is not is taken for it.
    fn fits(&self, head: &Head) -> bool {
        self.received > 0
            && self.tag.is_some()
            && head.range.is_some_and(|range| range.first == self.received)
            && head.tag.as_ref().is_none_or(|tag| self.tag.as_ref() == Some(tag))
            && head.coding == self.coding
    }

    pub fn took(&mut self, bytes: u64) {
        self.received += bytes;
    }

    /// What came is of no use: the next try asks for the whole.
    pub fn begin_anew(&mut self) {
        (self.received, self.tag) = (0, None);
    }

    /// Whether any try that broke off had brought something.
    pub fn has_begun(&self) -> bool {
        self.furthest > 0
    }

    /// After a try that broke off: how many in a row came no further than one before them.
    pub fn broke_off(&mut self) -> u32 {
        if self.received > self.furthest {
            (self.furthest, self.vain) = (self.received, 0);
        }
        self.vain += 1;
        self.vain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16, range: Option<(u64, u64)>, tag: Option<&str>) -> Head {
        let range = range.map(|(first, last)| ContentRange { first, last, whole: Some(100) });
        Head { status, range, tag: tag.map(str::to_owned), coding: String::new() }
    }

    fn after(tag: Option<&str>, received: u64) -> Transfer {
        let mut transfer = Transfer::default();
        assert_eq!(transfer.answered(&head(200, None, tag)), Begins::Anew);
        transfer.took(received);
        transfer
    }

    #[test]
    fn it_goes_on_only_where_it_stopped_and_in_the_same_bytes() {
        let a = Some("\"a\"");
        for (name, answer, expected) in [
            ("fits", head(206, Some((40, 99)), a), Begins::GoesOn),
            ("fits, its tag not repeated", head(206, Some((40, 99)), None), Begins::GoesOn),
            ("changed since", head(200, None, Some("\"b\"")), Begins::Anew),
            ("no ranges here", head(200, None, a), Begins::Anew),
            ("another place", head(206, Some((39, 99)), a), Begins::Nowhere),
            ("no range said", head(206, None, a), Begins::Nowhere),
            ("other bytes", head(206, Some((40, 99)), Some("\"b\"")), Begins::Nowhere),
            ("another coding", Head { coding: "gzip".into(), ..head(206, Some((40, 99)), a) }, Begins::Nowhere),
            ("beyond its end", head(416, None, None), Begins::Nowhere),
            ("gone", head(404, None, None), Begins::Refused),
            ("redirected", head(302, None, None), Begins::Refused),
        ] {
            assert_eq!(after(a, 40).answered(&answer), expected, "{name}");
        }
    }

    #[test]
    fn without_a_strong_tag_or_a_byte_the_whole_is_asked_for() {
        assert_eq!(after(None, 40).headers(), []);
        assert_eq!(after(Some("\"a\""), 0).headers(), []);
        assert_eq!(Transfer::default().headers(), []);
        let asked = after(Some("\"a\""), 40).headers();
        assert_eq!(asked, [("range", "bytes=40-".to_owned()), ("if-range", "\"a\"".to_owned())]);
        let mut lost = after(Some("\"a\""), 40);
        lost.answered(&head(416, None, None));
        assert_eq!(lost.headers(), []);
    }

    #[test]
    fn a_206_that_nobody_asked_for_is_no_beginning() {
        assert_eq!(Transfer::default().answered(&head(206, Some((0, 99)), None)), Begins::Nowhere);
    }

    #[test]
    fn a_try_is_in_vain_when_it_comes_no_further() {
        let mut transfer = after(Some("\"a\""), 40);
        assert_eq!((transfer.broke_off(), transfer.broke_off()), (1, 2));
        transfer.took(1);
        assert_eq!(transfer.broke_off(), 1);
        // Anew, and cut at the same place each time: it ends.
        transfer.answered(&head(200, None, None));
        transfer.took(30);
        assert_eq!(transfer.broke_off(), 2);
    }
}
