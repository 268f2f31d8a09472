//! The VIHF: the SAML 2.0 assertion that goes with each question, made anew for each from one context. Pure.
//!
//! In direct mode it is not signed here: the card speaks for its holder in the TLS handshake (docs/dmp.md §2). What the card
//! knows comes from the card, never from the settings: who, as what, working where.

use crate::exchange::dmp::names;
use crate::exchange::dmp::xml;
use crate::exchange::token;
use crate::identity::holder::Holder;
use crate::identity::holder::ProfessionCode;
use crate::identity::holder::Situation;
use crate::journal::words::Mode;
use crate::time::UnixSeconds;
use uuid::Uuid;

/// The professional for one visit, as their verified card and their own choice say it.
#[derive(Clone)]
pub struct Actor {
    pub holder: Holder,
    /// The authentication certificate's subject, RFC 2253.
    pub subject: String,
    /// « Infirmier », from our own list.
    pub profession_label: String,
    /// When they logged in: not when they ask.
    pub logged_in: UnixSeconds,
}

/// What asks, as the settings say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Software {
    /// Of this installation.
    pub id: Option<String>,
    pub name: String,
    pub version: String,
    /// The number of the homologation; a kiosk that has none says so.
    pub homologation: String,
}

/// Where published examples differ from each other (docs/dmp.md §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// `3.0` in every trace, « 4.0 » in one text.
    pub version: String,
    pub mode_name: ModeName,
}

/// How the attribute that says how one logged in is spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModeName {
    /// `Authentification_Mode`
    Upper,
    /// `Authentification_mode`
    Lower,
}

/// One question's.
pub struct Assertion<'a> {
    pub actor: &'a Actor,
    /// Of the certificate that vouches for it: the authentication one's, or the one's that signs it.
    pub issuer: &'a str,
    pub software: &'a Software,
    pub shape: &'a Shape,
    /// CX of the patient, where the question is about one.
    pub patient: Option<&'a str>,
    pub mode: Mode,
    pub id: Uuid,
    pub at: UnixSeconds,
}

/// What an assertion cannot be without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Lacks {
    #[error("the holder has no profession")]
    Profession,
    #[error("the card says of no situation d'exercice that it is this visit's")]
    Situation,
    #[error("the situation d'exercice has no sector")]
    Sector,
}

impl Default for Shape {
    fn default() -> Shape {
        Shape { version: "3.0".to_owned(), mode_name: ModeName::Upper }
    }
}

impl ModeName {
    fn text(self) -> &'static str {
        match self {
            ModeName::Upper => "Authentification_Mode",
            ModeName::Lower => "Authentification_mode",
        }
    }
}

impl Assertion<'_> {
    /// The assertion; its bytes are final.
    pub fn write(&self) -> Result<String, Lacks> {
        let Assertion { actor, issuer, software, shape, patient, mode, id, at } = self;
        let holder = &actor.holder;
        let Situation { structure, sector, .. } = holder.situation().ok_or(Lacks::Situation)?;
        let sector = sector.as_ref().ok_or(Lacks::Sector)?;
        let mut attributes = String::new();
        let mut put = |name: &str, values: &[String]| {
            let values: String =
                values.iter().map(|value| format!("<saml2:AttributeValue>{value}</saml2:AttributeValue>")).collect();
            attributes.push_str(&format!("<saml2:Attribute Name=\"{name}\">{values}</saml2:Attribute>"));
        };
        let plain = |text: &str| [xml::escape(text)];
        put("VIHF_Version", &plain(&shape.version));
        put(shape.mode_name.text(), &plain("DIRECTE"));
        put("Identifiant_Structure", &plain(structure));
        put("Secteur_Activite", &plain(&format!("{sector}^{}", names::SECTOR)));
        put("urn:oasis:names:tc:xacml:2.0:subject:role", &roles(actor)?);
        if let Some(patient) = patient {
            put("urn:oasis:names:tc:xacml:2.0:resource:resource-id", &plain(patient));
        }
        put("Ressource_URN", &plain("urn:dmp"));
        put("urn:oasis:names:tc:xspa:1.0:subject:purposeofuse", &[purpose(*mode)]);
        if let Some(id) = &software.id {
            put("LPS_ID", &plain(id));
        }
        put("LPS_Nom", &plain(&software.name));
        put("LPS_Version", &plain(&software.version));
        put("LPS_ID_HOMOLOGATION_DMP", &plain(&software.homologation));
        Ok(format!(
            "<saml2:Assertion xmlns:saml2=\"urn:oasis:names:tc:SAML:2.0:assertion\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" ID=\"_{id}\" IssueInstant=\"{issued}\" \
             Version=\"2.0\"><saml2:Issuer Format=\"{SUBJECT_NAME}\">{issuer}</saml2:Issuer>\
             <saml2:Subject><saml2:NameID>{who}</saml2:NameID></saml2:Subject>\
             <saml2:AuthnStatement AuthnInstant=\"{since}\"><saml2:AuthnContext><saml2:AuthnContextClassRef>{CARD}\
             </saml2:AuthnContextClassRef></saml2:AuthnContext></saml2:AuthnStatement>\
             <saml2:AttributeStatement>{attributes}</saml2:AttributeStatement></saml2:Assertion>",
            issued = instant(*at),
            // A clock that was put right since may not make the login later than the question.
            since = instant(actor.logged_in.min(*at)),
            issuer = xml::escape(issuer),
            who = xml::escape(&holder.id.0),
        ))
    }
}

/// The profession, and for doctors and pharmacists what they are besides, where it is known.
fn roles(actor: &Actor) -> Result<Vec<String>, Lacks> {
    let holder = &actor.holder;
    let profession = holder.profession.ok_or(Lacks::Profession)?;
    let system = if holder.in_training { names::IN_TRAINING } else { names::PROFESSION };
    let label = xml::escape(&actor.profession_label);
    let first = format!(
        "<Role xmlns=\"{HL7}\" xsi:type=\"CE\" code=\"{}\" codeSystem=\"{system}\" codeSystemName=\"G15\" displayName=\"{label}\"/>",
        profession.0,
        HL7 = names::HL7,
    );
    let second = match profession {
        DOCTOR => holder.specialty.as_ref().map(|code| (code, names::SPECIALTY)),
        PHARMACIST => holder.pharmacist_section.as_ref().map(|code| (code, names::SECTION)),
        _ => None,
    };
    let second = second.map(|(code, system)| {
        let code = xml::escape(code);
        format!("<Role xmlns=\"{}\" xsi:type=\"CE\" code=\"{code}\" codeSystem=\"{system}\"/>", names::HL7)
    });
    Ok(std::iter::once(first).chain(second).collect())
}

fn purpose(mode: Mode) -> String {
    let label = match mode {
        Mode::BrisDeGlace => "Bris de glace",
        Mode::Centre15 => "Accès Centre 15",
        Mode::Normal | Mode::Prefetch => "Accès normal",
    };
    format!(
        "<PurposeOfUse xmlns=\"{}\" xsi:type=\"CE\" code=\"{}\" codeSystem=\"{}\" codeSystemName=\"mode acces VIHF 2.0\" \
         displayName=\"{label}\"/>",
        names::HL7,
        token::purpose(mode),
        names::ACCESS_MODE,
    )
}

/// `2026-09-01T08:30:00.000Z`: the examples have milliseconds.
fn instant(at: UnixSeconds) -> String {
    at.rfc3339().replace('Z', ".000Z")
}

const SUBJECT_NAME: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName";
const CARD: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI";
const DOCTOR: ProfessionCode = ProfessionCode(10);
const PHARMACIST: ProfessionCode = ProfessionCode(21);

impl std::fmt::Debug for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Actor([REDACTED])")
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::identity::holder::CardKind;
    use crate::identity::holder::HolderId;
    use crate::identity::holder::Means;

    pub fn actor() -> Actor {
        Actor {
            holder: Holder {
                id: HolderId("899700000013".into()),
                family_name: "EXEMPLE".into(),
                given_name: "CAMILLE".into(),
                profession: Some(ProfessionCode(10)),
                in_training: false,
                card_kind: CardKind::Cps,
                means: Means::Card,
                specialty: Some("SM26".into()),
                pharmacist_section: None,
                situations: Some(vec![Situation {
                    structure: "499700000013001".into(),
                    name: "CABINET <EXEMPLE>".into(),
                    sector: Some("SA07".into()),
                }]),
            },
            subject: "CN=899700000013+SN=EXEMPLE+GN=CAMILLE,title=Médecin,C=FR".into(),
            profession_label: "Médecin".into(),
            logged_in: UnixSeconds(1_795_423_200),
        }
    }

    pub fn software() -> Software {
        Software { id: None, name: "CHEVET".into(), version: "0.1 & co".into(), homologation: "AUCUNE".into() }
    }

    fn write(actor: &Actor, patient: Option<&str>, mode: Mode, shape: &Shape) -> Result<String, Lacks> {
        let at = UnixSeconds(1_795_423_320);
        Assertion { actor, issuer: &actor.subject, software: &software(), shape, patient, mode, id: Uuid::nil(), at }
            .write()
    }

    /// Every attribute's name, and its values: text, or `code system`.
    fn attributes(text: &str) -> Vec<(String, Vec<String>)> {
        let document = xml::parse(text).expect("well-formed");
        let statement = xml::child(document.root_element(), "AttributeStatement").expect("a statement");
        let value = |node: roxmltree::Node<'_, '_>| match node.first_element_child() {
            Some(code) => {
                assert_eq!(code.tag_name().namespace(), Some(names::HL7));
                let of = |name| code.attribute(name).expect("an attribute");
                assert_eq!(code.attribute(("http://www.w3.org/2001/XMLSchema-instance", "type")), Some("CE"));
                format!("{} {}", of("code"), of("codeSystem"))
            }
            None => xml::text(node),
        };
        xml::children(statement, "Attribute")
            .map(|node| {
                let values = xml::children(node, "AttributeValue").map(value).collect();
                (node.attribute("Name").expect("a name").to_owned(), values)
            })
            .collect()
    }

    #[test]
    fn it_says_who_as_what_where_about_whom_and_why() {
        let cx = "269059900000136^^^&1.2.250.1.213.1.4.10&ISO^NH";
        let text = write(&actor(), Some(cx), Mode::BrisDeGlace, &Shape::default()).expect("whole");
        let expected = [
            ("VIHF_Version", vec!["3.0"]),
            ("Authentification_Mode", vec!["DIRECTE"]),
            ("Identifiant_Structure", vec!["499700000013001"]),
            ("Secteur_Activite", vec!["SA07^1.2.250.1.71.4.2.4"]),
            ("urn:oasis:names:tc:xacml:2.0:subject:role", vec!["10 1.2.250.1.71.1.2.7", "SM26 1.2.250.1.71.4.2.5"]),
            ("urn:oasis:names:tc:xacml:2.0:resource:resource-id", vec![cx]),
            ("Ressource_URN", vec!["urn:dmp"]),
            ("urn:oasis:names:tc:xspa:1.0:subject:purposeofuse", vec!["bris_de_glace 1.2.250.1.213.1.1.4.248"]),
            ("LPS_Nom", vec!["CHEVET"]),
            ("LPS_Version", vec!["0.1 & co"]),
            ("LPS_ID_HOMOLOGATION_DMP", vec!["AUCUNE"]),
        ];
        let expected: Vec<(String, Vec<String>)> = expected
            .into_iter()
            .map(|(name, values)| (name.to_owned(), values.into_iter().map(str::to_owned).collect()))
            .collect();
        assert_eq!(attributes(&text), expected);
        let document = xml::parse(&text).expect("well-formed");
        let root = document.root_element();
        assert_eq!(root.attribute("ID"), Some("_00000000-0000-0000-0000-000000000000"));
        assert_eq!(root.attribute("IssueInstant"), Some("2026-11-23T08:42:00.000Z"));
        let order: Vec<&str> = root.children().map(|node| node.tag_name().name()).collect();
        assert_eq!(order, ["Issuer", "Subject", "AuthnStatement", "AttributeStatement"], "SAML 2.0 core §2.3.3");
        assert_eq!(xml::child(root, "Issuer").map(xml::text), Some(actor().subject));
        assert_eq!(xml::at(root, &["Subject", "NameID"]).map(xml::text).as_deref(), Some("899700000013"));
        let statement = xml::child(root, "AuthnStatement").expect("a statement");
        assert_eq!(statement.attribute("AuthnInstant"), Some("2026-11-23T08:40:00.000Z"), "the login, not now");
        assert_eq!(xml::at(statement, &["AuthnContext", "AuthnContextClassRef"]).map(xml::text).as_deref(), Some(CARD));
    }

    #[test]
    fn the_second_role_is_for_doctors_and_pharmacists_alone() {
        let role = |change: &dyn Fn(&mut Holder)| {
            let mut actor = actor();
            change(&mut actor.holder);
            let text = write(&actor, None, Mode::Normal, &Shape::default()).expect("whole");
            let attributes = attributes(&text);
            assert!(!attributes.iter().any(|(name, _)| name.ends_with("resource-id")), "it is about nobody");
            attributes.into_iter().find(|(name, _)| name.ends_with(":role")).expect("roles").1
        };
        assert_eq!(role(&|holder| holder.specialty = None), ["10 1.2.250.1.71.1.2.7"]);
        assert_eq!(role(&|holder| holder.profession = Some(ProfessionCode(60))), ["60 1.2.250.1.71.1.2.7"]);
        assert_eq!(role(&|holder| holder.in_training = true)[0], "10 1.2.250.1.71.1.2.8");
        let pharmacist = role(&|holder| {
            holder.profession = Some(PHARMACIST);
            holder.pharmacist_section = Some("A".into());
        });
        assert_eq!(pharmacist, ["21 1.2.250.1.71.1.2.7", "A 1.2.250.1.71.4.2.6"]);
    }

    #[test]
    fn what_it_cannot_be_without_is_never_made_up() {
        let without = |change: &dyn Fn(&mut Holder)| {
            let mut actor = actor();
            change(&mut actor.holder);
            write(&actor, None, Mode::Normal, &Shape::default()).err()
        };
        assert_eq!(without(&|holder| holder.profession = None), Some(Lacks::Profession));
        assert_eq!(without(&|holder| holder.situations = None), Some(Lacks::Situation));
        assert_eq!(without(&|holder| holder.situations = Some(vec![])), Some(Lacks::Situation));
        let two = |holder: &mut Holder| {
            let one = holder.situations.clone().expect("one").remove(0);
            holder.situations = Some(vec![one.clone(), one]);
        };
        assert_eq!(without(&two), Some(Lacks::Situation), "the holder chooses, nobody else");
        let blind = |holder: &mut Holder| {
            holder.situations.iter_mut().flatten().for_each(|one| one.sector = None);
        };
        assert_eq!(without(&blind), Some(Lacks::Sector));
    }

    #[test]
    fn a_clock_put_right_since_does_not_make_the_login_later_than_the_question() {
        let late = Actor { logged_in: UnixSeconds(1_795_999_999), ..actor() };
        let text = write(&late, None, Mode::Prefetch, &Shape { version: "4.0".into(), mode_name: ModeName::Lower });
        let text = text.expect("whole");
        assert!(text.contains("AuthnInstant=\"2026-11-23T08:42:00.000Z\""));
        assert!(text.contains("Name=\"Authentification_mode\"") && text.contains(">4.0<"));
        assert!(text.contains("code=\"normal\""), "what is fetched ahead asks for no more than a normal access");
    }
}
