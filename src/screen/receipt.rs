//! The page on which a patient takes their receipt: what it says, and the code that proves it.

use crate::say;
use crate::say::Lang;
use crate::say::french;
use crate::screen::view::Bar;
use crate::visit::event::PatientReceipt;
use std::sync::Arc;

/// Turned to the patient.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    pub bar: Bar,
    pub lines: Vec<String>,
    /// For speech.
    pub code_label: String,
    pub hint: String,
    /// Empty where there is no printer.
    pub print: String,
    pub side: usize,
    pub dark: Arc<[bool]>,
}

pub(super) fn page(lang: Lang, receipt: &PatientReceipt, bar: Bar, print: String) -> Receipt {
    // The sheet's last lines are about the paper under which the code stands.
    let said = receipt.sheet.split("\n\n").take(2).flat_map(str::lines);
    Receipt {
        bar,
        lines: said.map(french).collect(),
        code_label: say!(lang, "Code du reçu", "Code of the receipt"),
        hint: say!(
            lang,
            "Photographiez ce code : c'est la preuve de cet accès. Il ne contient ni votre nom, ni rien de vos documents.",
            "Photograph this code: it proves this access. It holds neither your name nor anything of your documents."
        ),
        print,
        side: receipt.side,
        dark: Arc::clone(&receipt.dark),
    }
}
