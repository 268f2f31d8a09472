//! One whole visit, played by itself through the real window: a card is put in, controls are pressed where they are drawn,
//! every page is photographed, and the story is told in `visit.md`. It ends well only if the traces have arrived.

use crate::sandbox::cps::Card;
use crate::sandbox::stage::Stage;
use crate::sandbox::vpcd::Inserted;
use crate::sandbox::vpcd::Slot;
use crate::screen::bridge::hand::Hand;
use crate::screen::view::Body;
use crate::screen::view::SummaryLook;
use crate::screen::view::View;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::watch;

mod cards;
mod gallery;
mod gates;
mod notes;
mod round;

/// Who plays, on what, and where the pictures go.
pub struct Player {
    pub hand: Hand,
    pub views: watch::Receiver<View>,
    pub stage: Stage,
    pub slot: Slot,
    pub out: PathBuf,
    story: String,
    pictures: u32,
    inside: Option<Inserted>,
    /// Rows that the visit is expected to have written, by class: at least, and at most.
    owed: Vec<(&'static str, usize, usize)>,
}

/// What went otherwise than in the script.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{waited_s} s passed and there was no {what}; the page is {page}")]
    Waited { what: &'static str, page: &'static str, waited_s: u64 },
    #[error("no control is called « {label} » on the page {page}")]
    NoControl { label: String, page: &'static str },
    #[error("the window could not be photographed")]
    NoPicture,
    #[error("the picture {path} could not be written")]
    Picture { path: PathBuf, source: image::ImageError },
    #[error("{path} could not be written")]
    Write { path: PathBuf, source: std::io::Error },
    #[error("the drawer: {what}")]
    Card { what: String },
    #[error("the stage")]
    Stage { source: crate::sandbox::stage::Error },
    #[error("the reader could not be unplugged, or taken by another program: {what}")]
    Reader { what: String },
    #[error("{what}")]
    Wrong { what: &'static str },
}

impl Player {
    pub fn new(hand: Hand, views: watch::Receiver<View>, stage: Stage, slot: Slot, out: &Path) -> Player {
        let story = "# Une visite, jouée sur le bac à sable\n\nToutes les personnes sont inventées.\n".to_owned();
        Player { hand, views, stage, slot, out: out.to_owned(), story, pictures: 0, inside: None, owed: Vec::new() }
    }

    /// Plays it all, then tells it.
    pub async fn play(mut self) -> Result<(), Error> {
        let played = self.scenes().await;
        if let Err(error) = &played {
            self.tell(&format!("\n**La visite s’est arrêtée là** : {error}.\n"));
        }
        self.inside = None;
        self.stage.stop_dmp();
        let path = self.out.join("visit.md");
        std::fs::write(&path, &self.story).map_err(|source| Error::Write { path, source })?;
        self.hand.close().await;
        played
    }

    async fn scenes(&mut self) -> Result<(), Error> {
        if self.stage.speaks_dmp() {
            return self.by_card_alone().await;
        }
        self.enter().await?;
        let patient = self.read().await?;
        self.write_a_note().await?;
        self.through_the_gate().await?;
        self.settle().await?;
        self.make_the_round().await?;
        self.leave_and_deliver().await?;
        self.offline(&patient).await?;
        self.other_cards().await?;
        self.gallery().await?;
        self.tell("\nTout est arrivé. La borne attend la prochaine carte.\n");
        Ok(())
    }

    /// What the connector `dmp` does (docs/dmp.md): a reading and a deposit that is refused once, from the card to the last trace.
    async fn by_card_alone(&mut self) -> Result<(), Error> {
        self.enter().await?;
        self.read().await?;
        self.write_a_note().await?;
        self.leave_record().await?;
        self.settle().await?;
        self.note_arrived().await?;
        self.pull();
        self.until("blank page", |view| matches!(view.body, Body::Idle(_))).await?;
        self.picture("carte-retiree", "Carte retirée : plus rien à l’écran, plus aucune connexion au DMP.").await?;
        self.all_arrived().await?;
        self.owed_arrived().await?;
        self.tell(
            "\nLe dossier a été lu, et une note déposée, dans la langue du DMP ; toutes les traces sont arrivées.\n",
        );
        Ok(())
    }

    /// Before its author's card goes: the note is signed by it.
    async fn note_arrived(&self) -> Result<(), Error> {
        for _look in 0..300 {
            if self.stage.received_documents() == 1 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(Error::Wrong { what: "the note has not arrived" })
    }

    /// Card, PIN (once wrong, to see the tries), home.
    async fn enter(&mut self) -> Result<(), Error> {
        self.until("idle page", |view| matches!(view.body, Body::Idle(_))).await?;
        self.picture("accueil", "La borne attend une carte.").await?;
        self.insert("nurse").await?;
        self.until("PIN page", |view| matches!(view.body, Body::Pin(_))).await?;
        self.picture("code", "La carte est reconnue ; les essais restants sont lus avant de demander le code.").await?;
        self.pin("4321").await?;
        let wrong = |view: &View| matches!(&view.body, Body::Pin(pin) if !pin.alert.is_empty());
        self.until("word about the wrong PIN", wrong).await?;
        self.picture("code-faux", "Un code faux : il reste deux essais, et la borne le dit.").await?;
        self.pin("1234").await?;
        self.until("word about duties", |view| matches!(view.body, Body::Duty(_))).await?;
        self.picture(
            "avant-de-consulter",
            "À la première connexion, puis tous les 180 jours : ce qu’engage une lecture.",
        )
        .await?;
        self.press(UNDERSTOOD).await?;
        self.owe("login", 1);
        self.owe("maintenance", 1);
        self.until("home page", |view| matches!(&view.body, Body::Home(home) if !home.rows.is_empty())).await?;
        self.picture("tournee", "La tournée du jour, dans le compartiment que seule cette carte ouvre.").await
    }

    /// What a consultation entails is read once; then home.
    async fn first_login(&mut self) -> Result<(), Error> {
        self.until("word about duties", |view| matches!(view.body, Body::Duty(_))).await?;
        self.press(UNDERSTOOD).await?;
        self.owe("login", 1);
        self.owe("maintenance", 1);
        self.until("home page", |view| matches!(&view.body, Body::Home(home) if !home.rows.is_empty())).await
    }

    /// The gate, the patient's word, the list, why, two documents, the history. Answers the patient's row.
    async fn read(&mut self) -> Result<String, Error> {
        let asks = self.come_to_a_patient_who_must_be_asked().await?;
        self.picture("identite", "Les cinq traits de l’INS locale ; aucune autorisation : l’accord se demande.")
            .await?;
        let act = self.view_of(|body| match body {
            Body::Gate(gate) => Some(gate.act_label.clone()),
            _ => None,
        })?;
        self.press(&act).await?;
        self.until("patient's page", |view| matches!(view.body, Body::Consent(_))).await?;
        self.picture("accord", "L’écran est tourné vers la patiente ou le patient.").await?;
        let yes = self.view_of(|body| match body {
            Body::Consent(consent) => Some(consent.yes.clone()),
            _ => None,
        })?;
        self.press(&yes).await?;
        self.owe("consent", 1);
        self.owe("listed", 1);
        self.until("list of documents", |view| matches!(view.body, Body::Documents(_))).await?;
        self.picture("documents", "Les documents que la loi permet, après la trace ; les autres sont comptés.").await?;
        self.press(WHY).await?;
        self.until("reasons", |view| matches!(view.body, Body::Why(_))).await?;
        self.picture("pourquoi", "Chaque refus dit sa règle, sa loi, et ce qu’on peut faire.").await?;
        self.back().await?;
        self.until("list of documents", |view| matches!(view.body, Body::Documents(_))).await?;

        let labels = self.view_of(|body| match body {
            Body::Documents(list) => Some(list.rows.iter().map(|row| row.label.clone()).collect::<Vec<_>>()),
            _ => None,
        })?;
        let (mut rows_seen, mut pages_seen, mut opened) = (false, false, 0);
        for label in labels.iter().take(OPENED_MAX) {
            let settled = |view: &View| matches!(&view.body, Body::Reader(reader) if reader.reading.is_some() || reader.notice.is_some());
            self.press_row(label, |view| matches!(view.body, Body::Reader(_))).await?;
            self.until("document", settled).await?;
            let (has_rows, has_pages) = self.view_of(|body| match body {
                Body::Reader(reader) => {
                    let reading = reader.reading.as_ref();
                    let rows = reading.is_some_and(|reading| reading.rows.len() > 5 && reading.pages.is_empty());
                    Some((rows, reading.is_some_and(|reading| !reading.pages.is_empty())))
                }
                _ => None,
            })?;
            opened += 1;
            if has_rows && !rows_seen {
                self.picture("lecture", "Un document CDA, ouvert dans un processus scellé, sous sa propre trace.")
                    .await?;
                self.print().await?;
            }
            if has_pages && !pages_seen {
                self.picture("lecture-pdf", "Un document PDF : la première page.").await?;
            }
            (rows_seen, pages_seen) = (rows_seen || has_rows, pages_seen || has_pages);
            self.back().await?;
            self.until("list of documents", |view| matches!(view.body, Body::Documents(_))).await?;
            if rows_seen && pages_seen {
                break;
            }
        }
        if !(rows_seen && pages_seen) {
            return Err(Error::Wrong { what: "no CDA with text, or no PDF, among the first documents" });
        }
        self.press(SUMMARY).await?;
        self.until("summary", |view| matches!(view.body, Body::Summary(_))).await?;
        self.picture("resume", "Le résumé, tiré des documents structurés ; chaque ligne nomme le sien.").await?;
        let (mut read, mut failed) = (0, 0);
        if let Body::Summary(page) = &self.views.borrow().body {
            read = page.rows.iter().filter(|row| row.look.was_read()).count();
            failed = page.rows.iter().filter(|row| row.look == SummaryLook::SourceFailed).count();
        }
        // On a busy machine one may have come too late, before its row or after it.
        self.owe_between("summary", read, read + failed);
        self.press(HISTORY).await?;
        let came = |view: &View| matches!(&view.body, Body::History(history) if !history.waiting);
        self.until("access history", came).await?;
        self.picture("historique", "L’historique des accès, avec ce qui n’est pas encore transmis.").await?;
        self.owe("opened", opened);
        Ok(asks)
    }

    /// What is open, onto the sandbox's printer.
    async fn print(&mut self) -> Result<(), Error> {
        let before = self.stage.printer.jobs().len();
        self.press(PRINT).await?;
        self.owe("printed", 1);
        self.until("what was printed", |view| matches!(&view.body, Body::Print(page) if page.is_over)).await?;
        self.picture("imprime", "Imprimé, sous sa propre trace ; le travail ne porte aucun nom.").await?;
        if self.stage.printer.jobs().len() != before + 1 {
            return Err(Error::Wrong { what: "the printer has no new job" });
        }
        self.press(CLOSE).await?;
        self.until("document", |view| matches!(&view.body, Body::Reader(reader) if reader.reading.is_some())).await
    }

    /// The first patient of the round whom the gate must ask; those who refuse or are closed are left again.
    async fn come_to_a_patient_who_must_be_asked(&mut self) -> Result<String, Error> {
        let rows = self.view_of(|body| match body {
            Body::Home(home) => Some(home.rows.iter().map(|row| row.label.clone()).collect::<Vec<_>>()),
            _ => None,
        })?;
        for label in rows {
            self.press(&label).await?;
            let known = |view: &View| matches!(view.body, Body::Gate(_) | Body::Why(_) | Body::Trouble(_));
            self.until("patient gate", known).await?;
            let must_ask = matches!(&self.views.borrow().body, Body::Gate(gate)
                if gate.act == crate::screen::view::GateAct::AskConsent);
            if must_ask {
                return Ok(label.split(',').next().unwrap_or(&label).to_owned());
            }
            self.back().await?;
            self.until("home page", |view| matches!(view.body, Body::Home(_))).await?;
        }
        Err(Error::Wrong { what: "nobody in the round must be asked" })
    }

    /// Card out, blank screen; then the DMP must have every trace.
    async fn leave_and_deliver(&mut self) -> Result<(), Error> {
        self.pull();
        self.until("blank page", |view| matches!(view.body, Body::Idle(_))).await?;
        self.picture("carte-retiree", "Carte retirée : plus rien à l’écran. L’accord attend le collègue.").await?;
        self.the_colleague_comes().await?;
        self.all_arrived().await?;
        self.owed_arrived().await?;
        let classes = self.classes_received();
        let count = |class: &str| classes.iter().filter(|received| received.as_str() == class).count();
        let opened = count("opened");
        let web = self.stage.web_url().to_owned();
        self.tell(&format!(
            "\nLe DMP a reçu {} traces, dont {opened} lectures. Le patient les voit sur sa page ({web}).\n",
            classes.len()
        ));
        Ok(())
    }

    /// The same holder and card, no server: what was opened is read again; its trace waits, and leaves once.
    async fn offline(&mut self, patient: &str) -> Result<(), Error> {
        let before = self.classes_received().len();
        self.stage.stop_dmp();
        self.insert("nurse").await?;
        self.until("PIN page", |view| matches!(view.body, Body::Pin(_))).await?;
        self.pin("1234").await?;
        self.until("home page", |view| matches!(&view.body, Body::Home(home) if !home.rows.is_empty())).await?;
        let row = self.view_of(|body| match body {
            Body::Home(home) => {
                home.rows.iter().map(|row| &row.label).find(|label| label.starts_with(patient)).cloned()
            }
            _ => None,
        })?;
        self.press(&row).await?;
        self.until("patient gate", |view| matches!(view.body, Body::Gate(_))).await?;
        let act = self.view_of(|body| match body {
            Body::Gate(gate) => Some(gate.act_label.clone()),
            _ => None,
        })?;
        self.press(&act).await?;
        self.until("list of documents", |view| matches!(view.body, Body::Documents(_))).await?;
        self.picture("hors-ligne", "Sans réseau : la liste gardée, son âge, et ce qui attend.").await?;
        let first = self.view_of(|body| match body {
            Body::Documents(list) => list.rows.first().map(|row| row.label.clone()),
            _ => None,
        })?;
        self.press(&first).await?;
        let read = |view: &View| matches!(&view.body, Body::Reader(reader) if reader.reading.is_some());
        self.until("document from the compartment", read).await?;
        self.pull();
        self.until("blank page", |view| matches!(view.body, Body::Idle(_))).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.picture("traces-en-attente", "La carte est retirée ; les traces attendent le réseau.").await?;
        self.stage.start_dmp().map_err(|source| Error::Stage { source })?;
        self.all_arrived().await?;
        let after = self.classes_received();
        if after.iter().skip(before).filter(|class| class.as_str() == "opened").count() != 1 {
            return Err(Error::Wrong { what: "the offline reading did not arrive exactly once" });
        }
        self.picture("tout-est-transmis", "Le réseau est revenu : tout est transmis.").await
    }

    /// So many more rows of this class must arrive, and no more.
    fn owe(&mut self, class: &'static str, more: usize) {
        self.owe_between(class, more, more);
    }

    fn owe_between(&mut self, class: &'static str, at_least: usize, at_most: usize) {
        match self.owed.iter_mut().find(|(known, ..)| *known == class) {
            Some((_, least, most)) => (*least, *most) = (*least + at_least, *most + at_most),
            None => self.owed.push((class, at_least, at_most)),
        }
    }

    async fn insert(&mut self, name: &'static str) -> Result<(), Error> {
        let card = self.stage.drawer.card(name).map_err(|error| Error::Card { what: error.to_string() })?;
        self.put_in(card, name)
    }

    fn put_in(&mut self, card: Card, name: &str) -> Result<(), Error> {
        // The driver speaks when it next looks into the slot; that wait is its own, not the runtime's.
        let inserted = tokio::task::block_in_place(|| self.slot.insert(card));
        self.inside = Some(inserted.map_err(|error| Error::Card { what: error.to_string() })?);
        self.tell(&format!("\nCarte insérée : *{name}*.\n"));
        Ok(())
    }

    fn pull(&mut self) {
        self.inside = None;
        self.tell("\nCarte retirée.\n");
    }

    async fn pin(&mut self, digits: &str) -> Result<(), Error> {
        for digit in digits.chars() {
            self.press(&digit.to_string()).await?;
        }
        self.press(CONFIRM).await
    }

    async fn back(&mut self) -> Result<(), Error> {
        let back = self.view_of(|body| match body {
            Body::Gate(page) => Some(page.bar.back.clone()),
            Body::Choice(page) => Some(page.bar.back.clone()),
            Body::Agreements(page) => Some(page.bar.back.clone()),
            Body::Why(page) => Some(page.bar.back.clone()),
            Body::History(page) => Some(page.bar.back.clone()),
            Body::Reader(page) => Some(page.bar.back.clone()),
            Body::Documents(page) => Some(page.bar.back.clone()),
            _ => None,
        })?;
        self.press(&back).await
    }

    /// A page is drawn a moment after its view; a control is looked for until it is there.
    async fn press(&mut self, label: &str) -> Result<(), Error> {
        // A finger is slower than a frame: what is pressed must stand where it will stay.
        tokio::time::sleep(Duration::from_millis(300)).await;
        for attempt in 0..60 {
            if self.hand.press(label).await {
                return Ok(());
            }
            // A row further down is drawn only when it comes into sight; one further up, when nothing is left below.
            self.hand.scroll(if attempt < 30 { -40.0 } else { 40.0 }).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(Error::NoControl { label: label.to_owned(), page: self.views.borrow().page })
    }

    /// A list that has just come back may still be moving under the finger: then its row is pressed once more.
    async fn press_row(&mut self, label: &str, began: impl Fn(&View) -> bool) -> Result<(), Error> {
        for _ in 0..3 {
            self.press(label).await?;
            let waited = tokio::time::timeout(SECOND_TRY, self.views.wait_for(|view| began(view))).await;
            if matches!(waited, Ok(Ok(_))) {
                break;
            }
        }
        Ok(())
    }

    async fn until(&mut self, what: &'static str, is_there: impl Fn(&View) -> bool) -> Result<(), Error> {
        let came = {
            let waited = tokio::time::timeout(PATIENCE, self.views.wait_for(|view| is_there(view))).await;
            matches!(waited, Ok(Ok(_)))
        };
        if came {
            return Ok(());
        }
        Err(Error::Waited { what, page: self.views.borrow().page, waited_s: PATIENCE.as_secs() })
    }

    fn view_of<T>(&self, look: impl Fn(&Body) -> Option<T>) -> Result<T, Error> {
        look(&self.views.borrow().body).ok_or(Error::Wrong { what: "the page is not the one that was expected" })
    }

    async fn all_arrived(&mut self) -> Result<(), Error> {
        let sent =
            |view: &View| matches!(&view.body, Body::Idle(idle) if idle.pills.iter().any(|p| p.text == ALL_SENT));
        self.until("« Tout est transmis »", sent).await
    }

    /// Each of them, and no more; on a busy machine the last one may be a moment behind what the page says.
    async fn owed_arrived(&self) -> Result<(), Error> {
        let mut wrong = Vec::new();
        for _look in 0..100 {
            let classes = self.classes_received();
            let count = |class: &str| classes.iter().filter(|received| received.as_str() == class).count();
            let counted = self.owed.iter().map(|(class, least, most)| (*class, *least..=*most, count(class)));
            wrong = counted.filter(|(_, owed, came)| !owed.contains(came)).collect();
            if wrong.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // Class, how many are owed, how many came.
        tracing::error!(?wrong, "traces that arrived");
        Err(Error::Wrong { what: "the traces that arrived are not those of the visit" })
    }

    /// The class of each trace that the DMP holds, as they came.
    fn classes_received(&self) -> Vec<String> {
        let class = |event: serde_json::Value| event["subtype"].as_array()?.last()?["code"].as_str().map(str::to_owned);
        self.stage.received_traces().into_iter().filter_map(class).collect()
    }

    async fn picture(&mut self, name: &str, sentence: &str) -> Result<(), Error> {
        // Long enough for the 120 ms fade and one frame.
        tokio::time::sleep(Duration::from_millis(350)).await;
        let shot = self.hand.snapshot().await.ok_or(Error::NoPicture)?;
        self.pictures += 1;
        let file = format!("{:02}-{name}.png", self.pictures);
        let path = self.out.join(&file);
        image::save_buffer(&path, &shot.rgba, shot.width, shot.height, image::ColorType::Rgba8)
            .map_err(|source| Error::Picture { path, source })?;
        self.tell(&format!("\n{sentence}\n\n![{name}]({file})\n"));
        Ok(())
    }

    fn tell(&mut self, text: &str) {
        self.story.push_str(text);
    }
}

/// How long a page may take to come, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(45);
/// After so long without an effect, a person presses again.
const SECOND_TRY: Duration = Duration::from_secs(5);
/// Among so many of the first documents there is a CDA with text and a PDF.
const OPENED_MAX: usize = 12;
const CONFIRM: &str = "Valider";
const UNDERSTOOD: &str = "J’ai compris";
const WHY: &str = "Pourquoi\u{a0}?";
const SUMMARY: &str = "Résumé";
const HISTORY: &str = "Historique";
const PRINT: &str = "Imprimer";
const CLOSE: &str = "Fermer";
const ALL_SENT: &str = "Tout est transmis";
