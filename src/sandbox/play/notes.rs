//! A note, written at the bedside: typed, read again, finished, refused once by the server, corrected from « À régler ».

use crate::sandbox::play::Error;
use crate::sandbox::play::Player;
use crate::screen::view::Body;
use crate::screen::view::View;

impl Player {
    /// Begins in an open record, ends in its list.
    pub(super) async fn write_a_note(&mut self) -> Result<(), Error> {
        self.press("Écrire une note").await?;
        self.until("types of documents", |view| matches!(view.body, Body::Choice(_))).await?;
        self.picture("note-type", "Seuls les types que la matrice ouvre à cette profession sont proposés.").await?;
        let first = self.view_of(|body| match body {
            Body::Choice(page) => page.lines.first().map(|line| line.label.clone()),
            _ => None,
        })?;
        self.press(&first).await?;
        self.until("sheet", |view| matches!(view.body, Body::Note(_))).await?;
        for key in "plaie propre.".chars() {
            let label = if key == ' ' { "espace".to_owned() } else { key.to_string() };
            self.press(&label).await?;
        }
        self.picture("note", "Le brouillon est gardé sur la borne, sous cette carte seule.").await?;
        self.press("Relire").await?;
        self.until("page to read again", |view| matches!(view.body, Body::Check(_))).await?;
        self.picture("note-relire", "Tout le texte, une fois encore, et ce que le dépôt atteste.").await?;
        self.stage.refuse_notes(true);
        let act = self.view_of(|body| match body {
            Body::Check(page) => Some(page.act_label.clone()),
            _ => None,
        })?;
        self.press(&act).await?;
        self.owe("contributed", 1);
        let done = |view: &View| matches!(&view.body, Body::Wait(page) if page.title.starts_with("Note enregistrée"));
        self.until("word that it is kept", done).await?;
        self.picture("note-enregistree", "Enregistrée avec sa trace, dans une seule transaction.").await?;
        self.press("Documents").await?;
        self.until("list of documents", |view| matches!(view.body, Body::Documents(_))).await
    }

    /// Begins at home, and ends there: what the server refused is settled.
    pub(super) async fn settle(&mut self) -> Result<(), Error> {
        let refused = |view: &View| matches!(&view.body, Body::Home(home) if !home.tray.is_empty());
        self.until("word about a refusal", refused).await?;
        self.picture("feu-rouge", "Le serveur a refusé la note : le feu le dit, et rien d’autre n’attend.").await?;
        let tray = self.view_of(|body| match body {
            Body::Home(home) => Some(home.tray.clone()),
            _ => None,
        })?;
        self.press(&tray).await?;
        self.until("tray", |view| matches!(view.body, Body::Tray(_))).await?;
        self.picture("a-regler", "Ce qui a été refusé, pourquoi, et que faire. Rien ne s’efface à la main.").await?;
        self.stage.refuse_notes(false);
        self.correct().await?;
        let settled = |view: &View| matches!(&view.body, Body::Home(home) if home.tray.is_empty());
        self.until("word that nothing is left to settle", settled).await
    }

    /// From the tray through the patient's gate to the note's own words, and back home.
    async fn correct(&mut self) -> Result<(), Error> {
        self.press("Corriger").await?;
        self.until("patient gate", |view| matches!(view.body, Body::Gate(_))).await?;
        let open = self.view_of(|body| match body {
            Body::Gate(gate) => Some(gate.act_label.clone()),
            _ => None,
        })?;
        self.press(&open).await?;
        self.owe("listed", 1);
        let refused = |view: &View| matches!(&view.body, Body::Note(note) if note.begun.ends_with("laie propre."));
        self.until("words that were refused", refused).await?;
        self.press(".").await?;
        self.picture("note-a-corriger", "Son texte revient à son auteur, dans le dossier du patient.").await?;
        self.press("Relire").await?;
        self.until("page to read again", |view| matches!(view.body, Body::Check(_))).await?;
        let deposit = self.view_of(|body| match body {
            Body::Check(page) => Some(page.act_label.clone()),
            _ => None,
        })?;
        self.press(&deposit).await?;
        self.owe("contributed", 1);
        let done = |view: &View| matches!(&view.body, Body::Wait(page) if page.title.starts_with("Note enregistrée"));
        self.until("word that it is kept", done).await?;
        self.press("Documents").await?;
        self.until("list of documents", |view| matches!(view.body, Body::Documents(_))).await?;
        self.leave_record().await
    }
}
