//! The words of HTTP's headers that decide something: what they say, or that they say nothing. Pure.

use crate::time::UnixSeconds;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::tz::TimeZone;

/// `Content-Range` of a 206 (RFC 9110 §14.4), both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentRange {
    pub first: u64,
    pub last: u64,
    /// `None`: the server does not know (`*`).
    pub whole: Option<u64>,
}

/// RFC 9110 §5.6.7: the form of today, and the two old ones that a recipient must understand.
pub fn http_date(text: &str) -> Option<UnixSeconds> {
    if let Ok(at) = DateTimeParser::new().parse_timestamp(text) {
        return Some(UnixSeconds(at.as_second()));
    }
    let old = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    let at: DateTime = old.iter().find_map(|form| DateTime::strptime(form, text).ok())?;
    Some(UnixSeconds(at.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second()))
}

/// The form of today (RFC 9110 §5.6.7).
pub fn write_http_date(at: UnixSeconds) -> Option<String> {
    let at = Timestamp::from_second(at.0).ok()?;
    DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok()
}

/// `Retry-After` in seconds (RFC 9110 §10.2.3); a date is counted from the server's own `Date`.
pub fn retry_after_s(text: &str, date: Option<UnixSeconds>) -> Option<u64> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(seconds);
    }
    let (until, from) = (http_date(text)?, date?);
    u64::try_from(until.0.checked_sub(from.0)?).ok()
}

/// An entity tag that vouches for each byte (RFC 9110 §8.8.3). A weak one (`W/`) does not, and nothing is continued by it.
pub fn strong_tag(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix('"')?.strip_suffix('"')?;
    let plain = |byte: u8| byte == 0x21 || (0x23..=0x7e).contains(&byte) || byte >= 0x80;
    inner.bytes().all(plain).then(|| text.trim())
}

/// A range that makes sense: its ends in order, and inside the whole.
pub fn content_range(text: &str) -> Option<ContentRange> {
    let (unit, range) = text.trim().split_once(' ')?;
    let (ends, whole) = range.trim().split_once('/')?;
    let (first, last) = ends.split_once('-')?;
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let (first, last): (u64, u64) = (number(first)?, number(last)?);
    let whole = if whole == "*" { None } else { Some(number(whole)?) };
    let fits = first <= last && whole.is_none_or(|whole| last < whole);
    (unit.eq_ignore_ascii_case("bytes") && fits).then_some(ContentRange { first, last, whole })
}

/// A media type without its parameters, in lower case.
pub fn media_type(text: &str) -> String {
    text.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_in_its_three_forms() {
        let at = Some(UnixSeconds(784_111_777));
        for (text, expected) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", at),
            ("Sunday, 06-Nov-94 08:49:37 GMT", at),
            ("Sun Nov  6 08:49:37 1994", at),
            ("Mon, 23 Nov 2026 08:42:00 GMT", Some(UnixSeconds(1_795_423_320))),
            ("yesterday", None),
            ("", None),
            ("Sun, 31 Feb 1994 08:49:37 GMT", None),
            ("1994-11-06T08:49:37Z", None),
            ("Sun, 06 Nov 1994 08:49:37", None),
        ] {
            assert_eq!(http_date(text), expected, "{text}");
        }
        assert_eq!(write_http_date(UnixSeconds(784_111_777)).as_deref(), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_on_the_servers_own_clock() {
        let date = http_date("Mon, 23 Nov 2026 08:42:00 GMT");
        for (text, date, expected) in [
            ("120", None, Some(120)),
            (" 0 ", None, Some(0)),
            ("Mon, 23 Nov 2026 08:43:30 GMT", date, Some(90)),
            ("Mon, 23 Nov 2026 08:43:30 GMT", None, None),
            ("Mon, 23 Nov 2026 08:41:00 GMT", date, None),
            ("-5", date, None),
            ("1.5", date, None),
            ("99999999999999999999999", date, None),
            ("soon", date, None),
        ] {
            assert_eq!(retry_after_s(text, date), expected, "{text}");
        }
    }

    #[test]
    fn only_a_strong_tag_vouches_for_bytes() {
        for (text, expected) in [
            ("\"abc\"", Some("\"abc\"")),
            ("\"\"", Some("\"\"")),
            (" \"a-b!\" ", Some("\"a-b!\"")),
            ("W/\"abc\"", None),
            ("w/\"abc\"", None),
            ("abc", None),
            ("\"abc", None),
            ("\"a\"b\"", None),
            ("\"a b\"", None),
            ("\"", None),
            ("", None),
        ] {
            assert_eq!(strong_tag(text), expected, "{text}");
        }
    }

    #[test]
    fn a_range_makes_sense_or_is_none() {
        let range = |first, last, whole| Some(ContentRange { first, last, whole });
        for (text, expected) in [
            ("bytes 0-0/1", range(0, 0, Some(1))),
            ("bytes 100-199/200", range(100, 199, Some(200))),
            ("Bytes 5-9/*", range(5, 9, None)),
            ("bytes 5-4/10", None),
            ("bytes 5-10/10", None),
            ("bytes */10", None),
            ("bytes 5-/10", None),
            ("bytes -5/10", None),
            ("bytes +5-9/10", None),
            ("bytes 5-9", None),
            ("items 5-9/10", None),
            ("bytes 0-18446744073709551616/*", None),
            ("", None),
        ] {
            assert_eq!(content_range(text), expected, "{text}");
        }
    }

    #[test]
    fn a_media_type_loses_its_parameters() {
        assert_eq!(media_type("Application/FHIR+json; charset=utf-8"), "application/fhir+json");
        assert_eq!(media_type(""), "");
    }
}
