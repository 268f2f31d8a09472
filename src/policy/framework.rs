//! Brain death: the establishment's signed framework, the only key to a case that is shipped forbidden.
//!
//! On the current reading of the law nothing is possible for such a patient: nobody can be informed or consent, the
//! emergency is another patient's, and a procurement team is not the care team. The Agence de la biomédecine reads it
//! otherwise; it is for the establishment's lawyers to say, in a framework of use that has a reference. This is that
//! reference as data: signed, for one establishment, with a first and a last day. There is no other way to make a
//! [`Framework`] than to verify one.
//!
//! ```text
//! # chevet-framework: 1
//! reference,establishment,from,until
//! CHU-2026-014,CHU de Villeneuve,2026-11-01,2027-10-31
//! ```

use crate::policy::establishment;
use crate::policy::establishment::Error;
use crate::policy::signed::Standing;
use crate::policy::table;
use crate::time::UnixSeconds;
use crate::time::Wall;

/// One framework, verified. Whether its day has come and is not past, each decision asks anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framework {
    reference: String,
    establishment: String,
    from: UnixSeconds,
    /// The first moment after its last day.
    end: UnixSeconds,
}

const HEADER: [&str; 4] = ["reference", "establishment", "from", "until"];
const FORM: &str = "form: `# chevet-framework: 1` and reference,establishment,from,until";
const DAY_S: i64 = 86_400;

impl Framework {
    /// Verifies, then reads. Whether it is this site's, [`Framework::of_site`] says.
    pub fn open(bytes: &[u8], signature: &str, standing: Standing) -> Result<Framework, Error> {
        let table = establishment::read(bytes, signature, standing, ("chevet-framework", &HEADER, FORM))?;
        let [row] = table.rows.as_slice() else { return Err(Error::Lacks { what: "one line" }) };
        let [reference, establishment, from, until] = row.values.as_slice() else {
            return Err(Error::Lacks { what: "four values" });
        };
        if reference.is_empty() {
            return Err(Error::Lacks { what: "reference" });
        }
        if establishment.is_empty() {
            return Err(Error::Lacks { what: "establishment" });
        }
        let from = table::day_of(from).ok_or(Error::Lacks { what: "first day" })?;
        let last = table::day_of(until).filter(|last| *last >= from).ok_or(Error::Lacks { what: "last day" })?;
        let (reference, establishment) = (reference.clone(), establishment.clone());
        Ok(Framework { reference, establishment, from, end: last.plus(DAY_S) })
    }

    /// Only the establishment for which it was signed may use it: `site` is the name in the settings.
    pub fn of_site(self, site: &str) -> Result<Framework, Error> {
        establishment::is_for(&self.establishment, site).map(|()| self)
    }

    /// For the screen and for every trace.
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// Only when it surely does: a clock that cannot tell is no yes (P5).
    pub fn stands(&self, now: Wall) -> bool {
        now.has_reached(self.from) == Some(true) && now.has_reached(self.end) == Some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::signed;

    const KEY: &str = include_str!("../../data/keys/development.key");
    const HEAD: &str = "# chevet-framework: 1\nreference,establishment,from,until\n";
    const LINE: &str = "CHU-2026-014,CHU de Villeneuve,2026-11-01,2027-10-31\n";

    fn open(text: &str) -> Result<Framework, Error> {
        let signature = signed::sign(text.as_bytes(), KEY, "development").expect("signed");
        Framework::open(text.as_bytes(), &signature, Standing::Desk)?.of_site(" CHU de Villeneuve ")
    }

    #[test]
    fn it_stands_from_its_first_day_to_the_end_of_its_last() {
        let framework = open(&format!("{HEAD}{LINE}")).expect("read");
        assert_eq!(framework.reference(), "CHU-2026-014");
        let at = |text| UnixSeconds::parse(text).expect("a time");
        let first = at("2026-11-01");
        let last = at("2027-10-31T23:59:59Z");
        assert!(framework.stands(Wall::Is(first)) && framework.stands(Wall::Is(last)));
        assert!(!framework.stands(Wall::Is(first.plus(-1))) && !framework.stands(Wall::Is(last.plus(1))));
        assert!(!framework.stands(Wall::AtLeast(first)), "who cannot tell the day cannot tell its end");
    }

    #[test]
    fn what_is_no_framework_of_this_site_is_named() {
        let good = format!("{HEAD}{LINE}");
        let lacks = |text: &str| match open(text).expect_err("refused") {
            Error::Lacks { what } => what,
            other => panic!("refused for another reason: {other}"),
        };
        assert_eq!(lacks(&format!("{HEAD}{LINE}{LINE}")), "one line");
        assert_eq!(lacks(HEAD), "one line");
        assert_eq!(lacks(&good.replace("CHU-2026-014", " ")), "reference");
        assert_eq!(lacks(&good.replace("CHU de Villeneuve", "")), "establishment");
        assert_eq!(lacks(&good.replace("2026-11-01", "bientôt")), "first day");
        assert_eq!(lacks(&good.replace("2027-10-31", "2026-10-31")), "last day");
        assert!(lacks(&good.replace("framework: 1", "framework: 2")).starts_with("form"));
        assert!(lacks(&good.replace("reference,", "ref,")).starts_with("form"));
        let other = open(&good.replace("CHU de Villeneuve", "CHU d’ailleurs")).expect_err("refused");
        assert!(matches!(other, Error::Establishment { .. }), "{other}");
        let empty = open("").expect_err("refused");
        assert!(matches!(empty, Error::Table { .. }), "{empty}");
        let one_day = good.replace("2027-10-31", "2026-11-01");
        assert!(open(&one_day).is_ok());
        let forged = Framework::open(good.as_bytes(), "", Standing::Desk).expect_err("refused");
        assert!(matches!(forged, Error::Signature { .. }), "{forged}");
        let signature = signed::sign(good.as_bytes(), KEY, "development").expect("signed");
        assert!(Framework::open(good.as_bytes(), &signature, Standing::Production).is_err());
        for error in [other, empty, forged, open(HEAD).expect_err("refused")] {
            assert!(error.sentence().ends_with('.'), "no sentence for people: {error}");
        }
    }
}
