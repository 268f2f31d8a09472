//! What a server's headers say, as far as anything here depends on it. Pure: text in, meaning out.

use crate::time::UnixSeconds;
use reqwest::header::HeaderMap;

/// A header that is text.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// `Content-Type` without its parameters, in lower case.
pub fn media_type(text: &str) -> String {
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// RFC 9110 §5.6.7, the one form that is sent today: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub fn date(text: &str) -> Option<UnixSeconds> {
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(UnixSeconds(at.as_second()))
}

/// `Retry-After`: seconds, or a date counted from the server's own (RFC 9110 §10.2.3).
pub fn retry_after_s(text: &str, sent: Option<UnixSeconds>) -> Option<u64> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(seconds);
    }
    let (until, from) = (date(text)?, sent?);
    u64::try_from(until.0 - from.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_date_is_read() {
        assert_eq!(date("Mon, 23 Nov 2026 08:42:00 GMT"), Some(UnixSeconds(1_795_423_320)));
        assert_eq!(date("yesterday"), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_on_the_servers_own_clock() {
        let sent = date("Mon, 23 Nov 2026 08:42:00 GMT");
        assert_eq!(retry_after_s("120", None), Some(120));
        assert_eq!(retry_after_s("Mon, 23 Nov 2026 08:43:30 GMT", sent), Some(90));
        assert_eq!(retry_after_s("Mon, 23 Nov 2026 08:43:30 GMT", None), None);
        assert_eq!(retry_after_s("Mon, 23 Nov 2026 08:41:00 GMT", sent), None);
    }
}
