//! Addresses: a search's query, and where a reference of the server may lead. Only to that same server, because the
//! holder's token goes along.

use crate::link::error::Error;
use url::Url;

/// `base` without the slashes at its end, if it is an https URL.
pub fn base(url: &str) -> Result<String, Error> {
    let plain = url.trim_end_matches('/');
    match Url::parse(plain) {
        Ok(parsed) if parsed.scheme() == "https" && parsed.query().is_none() => Ok(plain.to_owned()),
        _ => Err(Error::Address),
    }
}

/// `base/path?name=value&…`, values percent-encoded.
pub fn search(base: &str, path: &str, parameters: &[(&str, &str)]) -> Result<String, Error> {
    let mut url = Url::parse(&format!("{base}/{path}")).map_err(|_| Error::Address)?;
    url.query_pairs_mut().extend_pairs(parameters);
    Ok(url.into())
}

/// Fields as a form's body (`application/x-www-form-urlencoded`).
pub fn form(fields: &[(&str, &str)]) -> String {
    // The same encoder as a query's; its base is never seen.
    match search("https://form.invalid", "", fields) {
        Ok(url) => url.split_once('?').map(|(_, form)| form.to_owned()).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

/// Where `reference` leads from `base`: relative to it, or absolute. [`Error::Address`] when that is another server.
pub fn follow(base: &str, reference: &str) -> Result<String, Error> {
    let from = Url::parse(&format!("{base}/")).map_err(|_| Error::Address)?;
    let to = from.join(reference).map_err(|_| Error::Address)?;
    let alone = to.username().is_empty() && to.password().is_none();
    if to.origin() == from.origin() && alone { Ok(to.into()) } else { Err(Error::Address) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://dmp.example:8443/fhir";

    #[test]
    fn a_forms_fields_cannot_run_into_each_other() {
        assert_eq!(form(&[("scope", "a b"), ("hint", "x&y=z+1")]), "scope=a+b&hint=x%26y%3Dz%2B1");
    }

    #[test]
    fn a_reference_stays_on_its_server() {
        let leads = |to: &str| follow(BASE, to).ok();
        assert_eq!(leads("Binary/b1").as_deref(), Some("https://dmp.example:8443/fhir/Binary/b1"));
        assert_eq!(leads("/other/b1").as_deref(), Some("https://dmp.example:8443/other/b1"));
        assert_eq!(
            leads("https://dmp.example:8443/fhir?page=2").as_deref(),
            Some("https://dmp.example:8443/fhir?page=2")
        );
        for elsewhere in [
            "https://dmp.example/fhir/Binary/b1",
            "http://dmp.example:8443/fhir/Binary/b1",
            "https://dmp.example.evil:8443/fhir",
            "//evil.example/fhir",
            "https://dmp.example:8443@evil.example/",
            "https://me@dmp.example:8443/fhir",
            "file:///etc/passwd",
            "data:text/plain,x",
        ] {
            assert_eq!(leads(elsewhere), None, "{elsewhere}");
        }
    }

    #[test]
    fn values_are_encoded() {
        let url = search(BASE, "Patient", &[("identifier", "urn:oid:1.2|34&x=ü")]).expect("an address");
        assert_eq!(url, "https://dmp.example:8443/fhir/Patient?identifier=urn%3Aoid%3A1.2%7C34%26x%3D%C3%BC");
        assert_eq!(base("https://dmp.example/fhir//").ok().as_deref(), Some("https://dmp.example/fhir"));
        assert!(base("http://dmp.example/fhir").is_err());
    }
}
