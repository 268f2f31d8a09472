//! What a patient said, to whom, about what, and which text was before their eyes.

use crate::identity::holder::HolderId;
use crate::journal::words::Ground;
use crate::journal::words::Regime;
use crate::patient::ins::Ins;
use crate::time::Now;
use uuid::Uuid;

/// A consent, a refusal or a withdrawal. Append-only: a later one answers an earlier one, and refusal wins.
#[derive(Clone, PartialEq, Eq)]
pub struct Consent {
    /// UUIDv7, chosen by the vault at capture; the FHIR `Consent.identifier`.
    pub id: Uuid,
    pub said: Said,
}

/// What was said, as the visit knows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Said {
    pub patient: Ins,
    /// Who asked.
    pub holder: HolderId,
    /// Who took the answer down, when it was a colleague (L.1111-17 II).
    pub collected_by: HolderId,
    pub scope: Scope,
    pub answer: Answer,
    pub ground: Ground,
    pub regime: Regime,
    pub shown: Shown,
    pub by: Speaker,
    /// Drawn with a finger, where the patient wished to.
    pub signature: Option<Signature>,
    pub at: Now,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The care team as a whole: the initial consent. The list's identifier from the settings, or the CareTeam's.
    Team(String),
    /// This holder, this time.
    HolderOnce,
    /// This holder's authorization upstream (TD0.3).
    Authorization,
    /// Information of the patient at one event of their care (R.1111-46), for the team of that name; a no is an objection.
    Event(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Yes,
    No,
    Withdrawn,
}

/// Who spoke for the patient.
#[derive(Clone, PartialEq, Eq)]
pub enum Speaker {
    Patient,
    /// Holder of parental authority, or in charge of the protection of an adult (CSP L.1111-2 II and III).
    Representative {
        quality: Quality,
        name: String,
    },
}

/// In which quality somebody speaks for a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quality {
    Mother,
    Father,
    /// Another holder of parental authority.
    ParentalAuthority,
    /// « Tuteur », or « curateur » with a mission on the person.
    Guardian,
    /// « Mandat de protection future ».
    FutureProtection,
    /// « Habilitation familiale ».
    FamilyEntitlement,
}

impl Quality {
    /// Every value, in the order in which a minor's gate offers them.
    pub const ALL: &'static [Quality] = &[
        Quality::Mother,
        Quality::Father,
        Quality::ParentalAuthority,
        Quality::Guardian,
        Quality::FutureProtection,
        Quality::FamilyEntitlement,
    ];

    /// Its stable name, on the disk and on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Quality::Mother => "mother",
            Quality::Father => "father",
            Quality::ParentalAuthority => "parental_authority",
            Quality::Guardian => "guardian",
            Quality::FutureProtection => "future_protection",
            Quality::FamilyEntitlement => "family_entitlement",
        }
    }

    pub fn from_name(name: &str) -> Option<Quality> {
        Quality::ALL.iter().copied().find(|quality| quality.name() == name)
    }
}

/// A point of a stroke, in ten-thousandths of the pad's width both ways.
pub type Point = (u16, u16);

/// A signature as it was drawn: strokes, never a picture. Bounded, so that a finger cannot fill the disk.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature {
    strokes: Vec<Vec<Point>>,
}

/// The width of the pad, in a signature's own unit.
pub const PAD_WIDTH: u16 = 10_000;
/// Its height in the same unit.
pub const PAD_HEIGHT: u16 = 3_000;
pub const POINTS_MAX: usize = 4_000;

impl Signature {
    /// `None` for what is no signature: nothing drawn, off the pad, or more than [`POINTS_MAX`] points.
    pub fn new(strokes: Vec<Vec<Point>>) -> Option<Signature> {
        let points = strokes.iter().map(Vec::len).sum::<usize>();
        let on_pad = strokes.iter().flatten().all(|(x, y)| *x <= PAD_WIDTH && *y <= PAD_HEIGHT);
        let drawn = strokes.iter().any(|stroke| stroke.len() > 1);
        (drawn && on_pad && points <= POINTS_MAX).then_some(Signature { strokes })
    }

    pub fn strokes(&self) -> &[Vec<Point>] {
        &self.strokes
    }

    /// As an SVG image (SVG 1.1 §8.3), for an export.
    pub fn svg(&self) -> String {
        let mut path = String::new();
        for stroke in &self.strokes {
            for (at, (x, y)) in stroke.iter().enumerate() {
                let verb = if at == 0 { 'M' } else { 'L' };
                path.push_str(&format!("{verb}{x} {y}"));
            }
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {PAD_WIDTH} {PAD_HEIGHT}\"><path d=\"{path}\" \
             fill=\"none\" stroke=\"#000\" stroke-width=\"60\" stroke-linecap=\"round\"/></svg>"
        )
    }
}

/// The text that was displayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// For example `AC-3`.
    pub text: String,
    pub version: u32,
    /// BCP 47, `fr-FR`, `en`, or `fr-FR-x-falc` for easy-to-read French.
    pub language: String,
}

impl std::fmt::Debug for Consent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Consent({:?}, [REDACTED])", self.said.answer)
    }
}

impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Said({:?}, [REDACTED])", self.answer)
    }
}

impl std::fmt::Debug for Speaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Speaker::Patient => f.write_str("Patient"),
            Speaker::Representative { quality, .. } => write!(f, "Representative({quality:?}, [REDACTED])"),
        }
    }
}

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signature({} strokes, [REDACTED])", self.strokes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_drawn_on_the_pad_and_bounded() {
        let line = vec![(0, 0), (PAD_WIDTH, PAD_HEIGHT)];
        let signature = Signature::new(vec![line.clone()]).expect("drawn");
        assert!(signature.svg().contains("d=\"M0 0L10000 3000\""), "{}", signature.svg());
        assert_eq!(Signature::new(vec![]), None);
        assert_eq!(Signature::new(vec![vec![(1, 1)]]), None, "a tap is no signature");
        assert_eq!(Signature::new(vec![vec![(0, 0), (0, PAD_HEIGHT + 1)]]), None);
        assert_eq!(Signature::new(vec![vec![(0, 0); POINTS_MAX + 1]]), None);
        assert!(Signature::new(vec![vec![(0, 0); POINTS_MAX]]).is_some());
        assert!(!format!("{signature:?}").contains("10000"));
    }

    #[test]
    fn a_quality_is_read_back_by_its_name() {
        assert!(Quality::ALL.iter().all(|quality| Quality::from_name(quality.name()) == Some(*quality)));
        assert_eq!(Quality::from_name("neighbour"), None);
    }
}
