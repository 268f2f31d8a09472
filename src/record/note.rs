//! A note written at the bedside: who wrote it, about whom, of which type; and the CDA that it becomes (`cda`). Pure.
//!
//! Its author is whoever's card was in when it was finished, and is never chosen later (P4). Its identifier is an OID made
//! of a UUID (ITU-T X.667, `2.25.…`), chosen when the draft began, so that whatever is sent twice is one document.

pub mod cda;

use crate::identity::holder::Holder;
use crate::identity::holder::HolderId;
use crate::identity::holder::ProfessionCode;
use crate::identity::holder::Situation;
use crate::patient::ins::Patient;
use crate::record::document::ClassCode;
use crate::record::document::Label;
use crate::record::document::TypeCode;
use crate::record::document::UniqueId;
use crate::time::UnixSeconds;
use uuid::Uuid;

/// What was typed so far; it lives on the holder's desk.
#[derive(Clone, PartialEq, Eq)]
pub struct NoteDraft {
    /// The document's, from its first letter.
    pub id: Uuid,
    /// `None`: not chosen yet.
    pub type_code: Option<TypeCode>,
    pub text: String,
    pub replaces: Option<Replaced>,
    /// The item of a note that the upstream refused, which this one is written instead of.
    pub corrects: Option<Uuid>,
}

/// A finished note.
#[derive(Clone, PartialEq, Eq)]
pub struct Note {
    pub id: Uuid,
    pub patient: Patient,
    pub writer: Writer,
    pub type_code: TypeCode,
    /// As our own list calls it: it is the title too.
    pub type_label: String,
    pub class_code: ClassCode,
    pub text: String,
    pub labels: Vec<Label>,
    pub replaces: Option<Replaced>,
    pub at: UnixSeconds,
}

/// The author, as the card named them.
#[derive(Clone, PartialEq, Eq)]
pub struct Writer {
    pub id: HolderId,
    pub family_name: String,
    pub given_name: String,
    pub profession: Option<ProfessionCode>,
    pub profession_label: String,
    pub specialty: Option<String>,
    /// Where they were; a card may say none.
    pub situation: Option<Situation>,
}

/// The version before.
#[derive(Clone, PartialEq, Eq)]
pub struct Replaced {
    pub unique_id: UniqueId,
    /// Its entry upstream (FHIR `id`).
    pub entry: String,
}

/// What an author may do with a document that is in the record (DMP TD3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// TD3.3a: hidden from professionals.
    Mask,
    /// TD3.3a: visible again.
    Show,
    /// TD3.3b: the patient sees it from now on. There is no way back (EX_3.3-1045).
    RevealToPatient,
    /// TD3.3b: so do a minor's legal representatives. There is no way back.
    RevealToRepresentatives,
    /// TD3.3d
    Archive,
    /// TD3.3d, taken back.
    Restore,
    /// TD3.3c, a logical deletion: the author's alone.
    Withdraw,
}

/// The longest note, in characters: two pages.
pub const CHARACTERS_MAX: usize = 6_000;

impl NoteDraft {
    pub fn new(id: Uuid) -> NoteDraft {
        NoteDraft { id, type_code: None, text: String::new(), replaces: None, corrects: None }
    }

    /// Nothing that would be missed.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }
}

impl Note {
    pub fn unique_id(&self) -> UniqueId {
        unique_id(self.id)
    }
}

/// ITU-T X.667 §7: a UUID under the arc 2.25, as one decimal number.
pub fn unique_id(id: Uuid) -> UniqueId {
    UniqueId(format!("2.25.{}", id.as_u128()))
}

impl Writer {
    /// `profession_label` is our own list's.
    pub fn of(holder: &Holder, profession_label: &str) -> Writer {
        Writer {
            id: holder.id.clone(),
            family_name: holder.family_name.clone(),
            given_name: holder.given_name.clone(),
            profession: holder.profession,
            profession_label: profession_label.to_owned(),
            specialty: holder.specialty.clone().or_else(|| holder.pharmacist_section.clone()),
            situation: holder.situation().cloned(),
        }
    }

    /// JDV_J01's code: `G15_10/SM26` with a specialty, `G15_60` without.
    pub fn code(&self) -> Option<String> {
        let profession = self.profession?.0;
        Some(match &self.specialty {
            Some(specialty) => format!("G15_{profession}/{specialty}"),
            None => format!("G15_{profession}"),
        })
    }
}

impl Change {
    pub const ALL: [Change; 7] = [
        Change::Mask,
        Change::Show,
        Change::RevealToPatient,
        Change::RevealToRepresentatives,
        Change::Archive,
        Change::Restore,
        Change::Withdraw,
    ];

    /// As a row and the disk keep it.
    pub fn name(self) -> &'static str {
        match self {
            Change::Mask => "mask",
            Change::Show => "show",
            Change::RevealToPatient => "reveal-to-patient",
            Change::RevealToRepresentatives => "reveal-to-representatives",
            Change::Archive => "archive",
            Change::Restore => "restore",
            Change::Withdraw => "withdraw",
        }
    }

    pub fn from_name(name: &str) -> Option<Change> {
        Change::ALL.into_iter().find(|change| change.name() == name)
    }

    /// The labels that a document has after it. One that has none is a normal one.
    pub fn labels_after(self, before: &[Label]) -> Vec<Label> {
        let gone = match self {
            Change::Mask | Change::Show => Some(Label::MaskedToProfessionals),
            Change::RevealToPatient => Some(Label::InvisibleToPatient),
            Change::RevealToRepresentatives => Some(Label::InvisibleToLegalRepresentatives),
            Change::Archive | Change::Restore | Change::Withdraw => None,
        };
        let mut after: Vec<Label> = before.iter().filter(|label| Some(*label) != gone.as_ref()).cloned().collect();
        if self == Change::Mask {
            after.push(Label::MaskedToProfessionals);
        }
        if !after.iter().any(|label| matches!(label, Label::Normal | Label::Restricted | Label::VeryRestricted)) {
            after.insert(0, Label::Normal);
        }
        after
    }
}

impl std::fmt::Debug for NoteDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NoteDraft([REDACTED])")
    }
}

impl std::fmt::Debug for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Note([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_an_oid_that_any_register_takes() {
        let UniqueId(longest) = unique_id(Uuid::from_u128(u128::MAX));
        assert_eq!(longest, "2.25.340282366920938463463374607431768211455");
        assert!(longest.len() <= 64, "XDS takes 64 characters");
    }

    #[test]
    fn masking_and_showing_change_one_label_and_no_other() {
        let (masked, hidden) = (Label::MaskedToProfessionals, Label::InvisibleToLegalRepresentatives);
        let both = [Label::Normal, hidden.clone(), masked.clone()];
        assert_eq!(Change::Mask.labels_after(&both[..2]), both);
        assert_eq!(Change::Mask.labels_after(&both), both, "twice is once");
        assert_eq!(Change::Show.labels_after(&both), both[..2]);
        assert_eq!(Change::Withdraw.labels_after(&both), both, "whoever withdraws shows nothing");
        assert_eq!(Change::RevealToRepresentatives.labels_after(&both), [Label::Normal, masked.clone()]);
        assert_eq!(Change::RevealToPatient.labels_after(&both), both, "the patient saw it already");
        assert_eq!(Change::RevealToPatient.labels_after(&[Label::InvisibleToPatient]), [Label::Normal]);
        assert_eq!(Change::Show.labels_after(&[masked]), [Label::Normal], "never none at all");
    }

    #[test]
    fn every_change_has_a_name_that_is_read_again() {
        for change in Change::ALL {
            assert_eq!(Change::from_name(change.name()), Some(change));
        }
        assert_eq!(Change::from_name("destroy"), None);
    }
}
