//! The words of a question: path below the base, parameters, what is refused in them.

use crate::sandbox::dmp::outcome::Refusal;
use crate::time::UnixSeconds;

/// Parameters in the order in which they came, decoded.
pub struct Query(Vec<(String, String)>);

impl Query {
    pub fn parse(text: &str) -> Query {
        let pairs = text.split('&').filter(|part| !part.is_empty()).map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(name), decode(value))
        });
        Query(pairs.collect())
    }

    pub fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter that may come several times.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(have, _)| have == name).map(|(_, value)| value.as_str()).collect()
    }

    /// `urn:oid:OID|value` as `value^OID`, the key of a patient.
    pub fn patient(&self, name: &str) -> Result<String, Refusal> {
        let (system, value) = self.one(name).and_then(|text| text.split_once('|')).ok_or(Refusal::RequestInvalid)?;
        let oid = system.strip_prefix("urn:oid:").ok_or(Refusal::RequestInvalid)?;
        Ok(format!("{value}^{oid}"))
    }

    /// A list of `system|value`, the escapes taken off (FHIR R4 §3.1.1.4).
    pub fn tokens(&self, name: &str) -> Vec<(String, String)> {
        let mut tokens = vec![(String::new(), None::<String>)];
        let mut letters = self.one(name).unwrap_or("").chars();
        while let Some(letter) = letters.next() {
            let at = tokens.len() - 1;
            let (system, value) = &mut tokens[at];
            match letter {
                ',' => tokens.push((String::new(), None)),
                '|' if value.is_none() => *value = Some(String::new()),
                '\\' => value.as_mut().unwrap_or(system).extend(letters.next()),
                other => value.as_mut().unwrap_or(system).push(other),
            }
        }
        tokens.into_iter().filter_map(|(system, value)| Some((system, value?))).collect()
    }

    /// `date=ge…`; anything else than `ge` is not understood.
    pub fn since(&self) -> Result<Option<UnixSeconds>, Refusal> {
        let Some(text) = self.one("date") else { return Ok(None) };
        let at = text.strip_prefix("ge").and_then(UnixSeconds::parse).ok_or(Refusal::RequestInvalid)?;
        Ok(Some(at))
    }

    pub fn number(&self, name: &str, default: usize) -> Result<usize, Refusal> {
        self.one(name).map_or(Ok(default), |text| text.parse().map_err(|_| Refusal::RequestInvalid))
    }

    /// All parameters but one, encoded again, for the link to the next page.
    pub fn without(&self, name: &str) -> String {
        let kept = self.0.iter().filter(|(have, _)| have != name);
        kept.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
    }
}

/// RFC 3986 §2.1, with `+` as a space (application/x-www-form-urlencoded).
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match (bytes[at], pair.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { (byte as char).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_read_and_written_again() {
        let query = Query::parse("patient.identifier=urn:oid:1.2.3%7C279&date=ge2024-11-23T08:42:00Z&_offset=100");
        assert_eq!(query.patient("patient.identifier").as_deref(), Ok("279^1.2.3"));
        let several = Query::parse("a=urn:oid:1%7C8,urn:x%7CUn%5C,%20deux%5C%7Ctrois,four");
        let token = |system: &str, value: &str| (system.to_owned(), value.to_owned());
        assert_eq!(several.tokens("a"), [token("urn:oid:1", "8"), token("urn:x", "Un, deux|trois")]);
        assert!(several.tokens("b").is_empty());
        assert_eq!(query.since().map(|at| at.map(|at| at.rfc3339())), Ok(Some("2024-11-23T08:42:00Z".into())));
        assert_eq!(
            query.without("_offset"),
            "patient.identifier=urn%3Aoid%3A1.2.3%7C279&date=ge2024-11-23T08%3A42%3A00Z"
        );
        assert!(Query::parse("date=lt2024").since().is_err() && Query::parse("").patient("x").is_err());
        assert_eq!(Query::parse("a=%zz%4").one("a"), Some("%zz%4"));
    }
}
