//! The care team of a site (L.1110-12): who is presumed to care for its patients together.
//!
//! In production it is a list that the establishment signed; a desk may name the members in its settings. The role of an
//! EHPAD's coordinating doctor (L.1111-16) is on no card, and is believed from a signed list alone.
//!
//! ```text
//! # chevet-team: 1
//! # establishment: EHPAD Les Tilleuls
//! id,role
//! 899700123456,
//! 810000000001,coordinating_doctor
//! ```

use crate::identity::holder::HolderId;
use crate::policy::establishment;
use crate::policy::establishment::Error;
use crate::policy::signed::Standing;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// How a consent names it: the establishment.
    name: String,
    members: Vec<Member>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    /// National identifier, as a card writes it.
    id: String,
    coordinating: bool,
}

const HEADER: [&str; 2] = ["id", "role"];
const FORM: &str = "form: `# chevet-team: 1` and id,role";
const COORDINATING: &str = "coordinating_doctor";

impl Team {
    /// As a desk's settings name it; nobody has a role.
    pub fn named(name: &str, ids: &[String]) -> Team {
        let member = |id: &String| Member { id: id.clone(), coordinating: false };
        Team { name: name.trim().to_owned(), members: ids.iter().map(member).collect() }
    }

    /// Verifies, then reads. Whether it is this site's, [`Team::of_site`] says.
    pub fn open(bytes: &[u8], signature: &str, standing: Standing) -> Result<Team, Error> {
        let table = establishment::read(bytes, signature, standing, ("chevet-team", &HEADER, FORM))?;
        let name = table.note("establishment").filter(|name| !name.is_empty());
        let name = name.ok_or(Error::Lacks { what: "establishment" })?.to_owned();
        let mut members: Vec<Member> = Vec::new();
        for row in &table.rows {
            let no = |what| Error::Line { line: row.line, what };
            let [id, role] = row.values.as_slice() else { return Err(no("not an id and a role")) };
            let coordinating = match role.as_str() {
                "" => false,
                COORDINATING => true,
                _ => return Err(no("the role is neither empty nor coordinating_doctor")),
            };
            if id.is_empty() {
                return Err(no("no id"));
            }
            if members.iter().any(|member| member.id == *id) {
                return Err(no("the same id a second time"));
            }
            members.push(Member { id: id.clone(), coordinating });
        }
        Ok(Team { name, members })
    }

    /// Only the establishment for which it was signed has this team.
    pub fn of_site(self, site: &str) -> Result<Team, Error> {
        establishment::is_for(&self.name, site).map(|()| self)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn count(&self) -> u32 {
        u32::try_from(self.members.len()).unwrap_or(u32::MAX)
    }

    pub fn has(&self, holder: &HolderId) -> bool {
        self.member(holder).is_some()
    }

    /// Whether this holder is the EHPAD's coordinating doctor, by a signed list.
    pub fn is_coordinated_by(&self, holder: &HolderId) -> bool {
        self.member(holder).is_some_and(|member| member.coordinating)
    }

    fn member(&self, holder: &HolderId) -> Option<&Member> {
        self.members.iter().find(|member| member.id == holder.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::signed;

    const KEY: &str = include_str!("../../data/keys/development.key");
    const LIST: &str = "# chevet-team: 1\n# establishment: EHPAD Les Tilleuls\nid,role\n899700000001,\n810000000002,coordinating_doctor\n";

    fn open(text: &str) -> Result<Team, Error> {
        let signature = signed::sign(text.as_bytes(), KEY, "development").expect("signed");
        Team::open(text.as_bytes(), &signature, Standing::Desk)?.of_site(" EHPAD Les Tilleuls ")
    }

    #[test]
    fn a_signed_list_names_its_members_and_their_roles() {
        let team = open(LIST).expect("read");
        assert_eq!((team.name(), team.count()), ("EHPAD Les Tilleuls", 2));
        let [nurse, doctor, other] = ["899700000001", "810000000002", "810000000003"].map(|id| HolderId(id.into()));
        assert_eq!([&nurse, &doctor, &other].map(|id| team.has(id)), [true, true, false]);
        assert_eq!([&nurse, &doctor, &other].map(|id| team.is_coordinated_by(id)), [false, true, false]);
    }

    #[test]
    fn the_settings_give_nobody_a_role() {
        let team = Team::named(" Cabinet ", &["810000000002".into()]);
        let doctor = HolderId("810000000002".into());
        assert!(team.has(&doctor) && !team.is_coordinated_by(&doctor));
        assert_eq!(team.name(), "Cabinet");
    }

    #[test]
    fn a_list_that_is_not_this_sites_or_not_whole_is_refused_by_name() {
        let why = |text: &str| open(text).expect_err("refused").to_string();
        assert!(why(&LIST.replace("Les Tilleuls", "d’ailleurs")).contains("d’ailleurs"));
        assert!(why(&LIST.replace("# establishment: EHPAD Les Tilleuls", "#")).contains("establishment"));
        assert!(why(&LIST.replace("team: 1", "team: 2")).contains("form"));
        assert!(why(&LIST.replace("id,role", "id,rôle")).contains("form"));
        assert_eq!(
            why(&LIST.replace("coordinating_doctor", "chef")),
            "line 5: the role is neither empty nor coordinating_doctor"
        );
        assert_eq!(why(&LIST.replace("810000000002", "")), "line 5: no id");
        assert_eq!(why(&LIST.replace("810000000002", "899700000001")), "line 5: the same id a second time");
        let forged = Team::open(LIST.as_bytes(), "", Standing::Desk).expect_err("refused");
        assert!(matches!(forged, Error::Signature { .. }), "{forged}");
        let signature = signed::sign(LIST.as_bytes(), KEY, "development").expect("signed");
        let desk_key = Team::open(LIST.as_bytes(), &signature, Standing::Production).expect_err("refused");
        assert!(matches!(desk_key, Error::Signature { .. }), "{desk_key}");
    }
}
