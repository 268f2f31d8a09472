//! What the DMP says when it does not do what was asked: in a fault, an acknowledgement, a registry error, a status. Pure.
//!
//! Its full list of codes is in a guide that is not public: a code that is not known here is kept verbatim and is
//! [`About::Other`]. Codes reach logs, texts do not: they may name a person.

use crate::exchange::upstream;
use crate::exchange::upstream::About;
use crate::exchange::upstream::Error;
use crate::exchange::upstream::Words;

/// A code, and the server's own words for the person at the screen.
#[derive(Clone, PartialEq, Eq)]
pub struct Remark {
    pub code: String,
    pub text: String,
}

impl Remark {
    /// Whom or what it is about: that decides what is done next.
    pub fn about(&self) -> About {
        match self.code.as_str() {
            // IHE ITI TF Vol 3 table 4.2.4.1-2; the last two are a server's own failures, whatever was asked.
            "XDSRegistryBusy"
            | "XDSRegistryOutOfResources"
            | "XDSRepositoryBusy"
            | "XDSRepositoryOutOfResources"
            | "XDSRegistryError"
            | "XDSRepositoryError" => return About::Busy,
            // SOAP 1.2 §5.4.6, 1.1 §4.4.1: not the sender's doing.
            "Receiver" | "Server" => return About::Busy,
            "XDSUnknownPatientId" | "XDSPatientIdDoesNotMatch" | "DMPClosed" => return About::Patient,
            code if code.starts_with("DMPPatientAccess") => return About::Patient,
            _ => {}
        }
        let holders = ["Certificate", "Certification", "VIHF", "Authentication", "Security"];
        let texts = ["structure", "spécialité", "vihf", "certificat"];
        let text = self.text.to_lowercase();
        let is_about_holder =
            holders.iter().any(|word| self.code.contains(word)) || texts.iter().any(|word| text.contains(word));
        if is_about_holder { About::Holder } else { About::Other }
    }

    /// As the answer to a question.
    pub fn error(self) -> Error {
        Error::Refused { about: self.about(), code: self.code, text: Words(self.text) }
    }

    /// As what became of one delivered item: what is busy, or refuses the person rather than the thing, leaves it waiting.
    pub fn outcome(self) -> Result<upstream::Outcome, Error> {
        match self.about() {
            About::Busy | About::Holder => Err(self.error()),
            About::Patient | About::Other => Ok(upstream::Outcome::Refused { code: self.code, reason: self.text }),
        }
    }
}

/// The one that decides among several: what may pass comes last.
pub fn worst(remarks: Vec<Remark>) -> Remark {
    let rank = |remark: &Remark| match remark.about() {
        About::Holder => 0,
        About::Patient => 1,
        About::Other => 2,
        About::Busy => 3,
    };
    let none = Remark { code: "sans-code".to_owned(), text: String::new() };
    remarks.into_iter().min_by_key(rank).unwrap_or(none)
}

impl std::fmt::Debug for Remark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Remark({}, [REDACTED])", self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Outcome;

    fn remark(code: &str, text: &str) -> Remark {
        Remark { code: code.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_code_says_what_is_done_next() {
        for (code, text, expected) in [
            ("DMPInvalidCertificate", "", About::Holder),
            ("DMPIdentityCertificationFailure", "", About::Holder),
            ("Sender", "Structure introuvable ou Inactive", About::Holder),
            ("Sender", "PS et Structure non liés", About::Holder),
            ("Sender", "Aucune spécialité dans le vihf", About::Holder),
            ("DMPClosed", "", About::Patient),
            ("DMPPatientAccessForbidden", "", About::Patient),
            ("XDSUnknownPatientId", "", About::Patient),
            ("XDSRegistryBusy", "", About::Busy),
            ("Receiver", "", About::Busy),
            ("XDSNonIdenticalHash", "", About::Other),
            ("DMPSomethingNew", "", About::Other),
        ] {
            assert_eq!(remark(code, text).about(), expected, "{code} {text}");
        }
    }

    #[test]
    fn only_what_is_about_the_item_sets_it_aside() {
        let refused = Outcome::Refused { code: "DMPSomethingNew".into(), reason: "non".into() };
        assert_eq!(remark("DMPSomethingNew", "non").outcome().ok(), Some(refused));
        assert!(matches!(remark("XDSRegistryBusy", "").outcome(), Err(Error::Refused { about: About::Busy, .. })));
        assert!(matches!(
            remark("DMPInvalidCertificate", "").outcome(),
            Err(Error::Refused { about: About::Holder, .. })
        ));
    }

    #[test]
    fn of_several_the_one_that_cannot_pass_decides() {
        let all = vec![remark("XDSRegistryBusy", ""), remark("XDSNonIdenticalHash", ""), remark("DMPClosed", "")];
        assert_eq!(worst(all).code, "DMPClosed");
        assert_eq!(worst(vec![]).about(), About::Other);
        let named = remark("DMPClosed", "Mme Untel");
        assert!(!format!("{named:?} {:?} {0}", named.clone().error()).contains("Untel"));
    }
}
