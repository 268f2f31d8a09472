//! `[printer]`: where the practice's printer is, and by what it is known.

use serde::Deserialize;
use std::net::IpAddr;
use std::path::PathBuf;
use url::Host;
use url::Url;

/// What is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printer {
    /// `ipps:`, or `ipp:` where the settings allow it.
    pub uri: String,
    /// PEM: the printer's own certificate, or its issuer's. With `ipps:` alone.
    pub certificate: Option<PathBuf>,
}

impl Printer {
    /// By what people know it.
    pub fn host(&self) -> String {
        let uri = Url::parse(&self.uri).ok();
        uri.and_then(|uri| uri.host_str().map(str::to_owned)).unwrap_or_else(|| self.uri.clone())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    uri: String,
    certificate: Option<PathBuf>,
    #[serde(default)]
    unencrypted: bool,
}

/// What is printed is a patient's: in clear it goes to this very device alone, or where somebody wrote that it may.
pub(super) fn understand(raw: Raw, at: &impl Fn(PathBuf) -> PathBuf) -> Result<Printer, &'static str> {
    let uri = Url::parse(&raw.uri).map_err(|_| "printer.uri is no address, such as ipps://printer.local/ipp/print")?;
    let is_here = match uri.host() {
        // An address of an unknown scheme is not looked at more closely than this.
        Some(Host::Domain(name)) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Err("printer.uri names no host"),
    };
    match (uri.scheme(), &raw.certificate) {
        ("ipps", None) => Err("printer.certificate is needed: the file (PEM) of the printer's own certificate"),
        ("ipp", Some(_)) => Err("printer.certificate goes with ipps:// alone"),
        ("ipp", None) if !is_here && !raw.unencrypted => {
            Err("printer.uri is not encrypted: use ipps://, or write printer.unencrypted = true")
        }
        ("ipp" | "ipps", certificate) => Ok(Printer { uri: raw.uri.clone(), certificate: certificate.clone().map(at) }),
        _ => Err("printer.uri begins neither with ipps:// nor with ipp://"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(text: &str) -> Result<Printer, &'static str> {
        let raw: Raw = toml::from_str(text).expect("its keys are known");
        understand(raw, &|path| PathBuf::from("/etc/chevet").join(path))
    }

    #[test]
    fn nothing_of_a_patient_crosses_the_practice_in_clear_unless_it_is_written() {
        let here = understood("uri = \"ipp://127.0.0.1:8631/ipp/print\"").expect("this very device");
        assert_eq!((here.host().as_str(), here.certificate), ("127.0.0.1", None));
        assert!(understood("uri = \"ipp://localhost/ipp/print\"").is_ok());
        let away = "uri = \"ipp://imprimante.local/ipp/print\"";
        assert!(understood(away).expect_err("in clear").contains("unencrypted"));
        assert!(understood(&format!("{away}\nunencrypted = true")).is_ok());
        let known = understood("uri = \"ipps://imprimante.local/ipp/print\"\ncertificate = \"p.pem\"");
        assert_eq!(known.expect("encrypted").certificate, Some(PathBuf::from("/etc/chevet/p.pem")));
    }

    #[test]
    fn what_is_lacking_is_named() {
        for (wrong, named) in [
            ("uri = \"imprimante\"", "printer.uri"),
            ("uri = \"http://imprimante.local/\"", "printer.uri"),
            ("uri = \"ipps://imprimante.local/ipp/print\"", "printer.certificate"),
            ("uri = \"ipp://localhost/ipp\"\ncertificate = \"p.pem\"", "printer.certificate"),
        ] {
            assert!(understood(wrong).expect_err(wrong).contains(named), "{wrong}");
        }
    }
}
