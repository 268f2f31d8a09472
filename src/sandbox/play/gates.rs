//! Every other way through the gate, played: what the patient said and may take back, another event, an emergency, a
//! child's mother who signs, a colleague for whom the answer is collected, a no.

use crate::sandbox::play::Error;
use crate::sandbox::play::Player;
use crate::screen::view::Body;
use crate::screen::view::View;

impl Player {
    /// Begins in the history of the record that was read, ends at home.
    pub(super) async fn through_the_gate(&mut self) -> Result<(), Error> {
        self.agreements_and_another_event().await?;
        self.emergency().await?;
        self.a_mother_signs().await?;
        self.for_a_colleague_and_no().await
    }

    async fn agreements_and_another_event(&mut self) -> Result<(), Error> {
        self.press("Gestion").await?;
        self.until("what the patient said", |view| matches!(view.body, Body::Agreements(_))).await?;
        self.picture("accords", "Ce que le patient a dit, et comment il peut le reprendre.").await?;
        self.press("Le patient retire son accord").await?;
        self.until("patient's page", is_consent).await?;
        self.picture("retrait", "Le retrait se demande au patient, face à lui, et efface aussitôt.").await?;
        self.press("Plus tard").await?;
        self.until("patient gate", |view| matches!(view.body, Body::Gate(_))).await?;
        self.picture("equipe", "Déjà prévenu aujourd’hui : l’équipe de soins peut ouvrir.").await?;
        self.press(OTHER).await?;
        self.until("other situations", is_choice).await?;
        self.picture("autre-situation", "Ce qui n’est pas le chemin ordinaire : rien n’est caché.").await?;
        self.press("Nouvel événement de soins").await?;
        self.until("patient's page", is_consent).await?;
        self.picture("information", "Un nouvel événement : le patient est prévenu, et peut s’y opposer.").await?;
        self.press("C’est entendu").await?;
        self.owe("consent", 1);
        self.opened_again().await
    }

    async fn emergency(&mut self) -> Result<(), Error> {
        self.come_to("JOUVENEL").await?;
        self.press(OTHER).await?;
        self.until("other situations", is_choice).await?;
        self.press("Urgence\u{a0}: bris de glace").await?;
        self.until(
            "reasons of an emergency",
            |view| matches!(&view.body, Body::Choice(page) if page.title.starts_with("Bris")),
        )
        .await?;
        self.picture("urgence-motifs", "Le bris de glace n’a que les motifs de la loi.").await?;
        self.press("Patient inconscient, risque immédiat pour sa santé").await?;
        self.until("words beside the reason", |view| matches!(view.body, Body::Text(_))).await?;
        self.picture("urgence-precision", "Une précision, si le temps le permet.").await?;
        self.press("Ouvrir en urgence").await?;
        self.owe("break_glass", 1);
        self.owe("listed", 1);
        self.until("list of documents", |view| matches!(view.body, Body::Documents(_))).await?;
        self.picture("bris-de-glace", "Le bandeau reste tant que le dossier est ouvert.").await?;
        self.leave_record().await
    }

    async fn a_mother_signs(&mut self) -> Result<(), Error> {
        self.come_to("ISNARDIÈRE").await?;
        self.ask().await?;
        self.until("who answers", is_choice).await?;
        self.picture("qui-repond", "Pour un enfant, quelqu’un répond : en quelle qualité, et sous quel nom.").await?;
        self.press("Sa mère").await?;
        self.until("the name", |view| matches!(view.body, Body::Text(_))).await?;
        for key in ["I", "S", "A"] {
            self.press(key).await?;
        }
        self.picture("nom-du-representant", "Son nom est gardé avec la réponse.").await?;
        self.press("Tourner l’écran").await?;
        self.until("mother's page", is_consent).await?;
        self.press("Facile à lire").await?;
        self.picture("accord-facile", "La même question, en français facile à lire.").await?;
        self.press("English").await?;
        self.picture("accord-anglais", "Et en anglais.").await?;
        self.press("Français").await?;
        self.picture("accord-representant", "La mère répond pour l’enfant.").await?;
        self.press("Oui, et je signe").await?;
        self.until("pad", |view| matches!(view.body, Body::Sign(_))).await?;
        let pad = self.view_of(|body| match body {
            Body::Sign(page) => Some(page.pad.clone()),
            _ => None,
        })?;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let wave = (0..=40).map(|at| at as f32 / 40.0).map(|x| (0.2 + 0.6 * x, 0.5 + 0.2 * (x * 18.0).sin()));
        if !self.hand.draw(&pad, wave.collect()).await {
            return Err(Error::Wrong { what: "there is no pad to draw on" });
        }
        self.picture("signature", "Une signature au doigt, si la personne le souhaite : des traits, jamais une image.")
            .await?;
        self.press("Oui, je signe").await?;
        self.owe("consent", 1);
        self.opened_again().await
    }

    async fn for_a_colleague_and_no(&mut self) -> Result<(), Error> {
        self.come_to("KERVIGNAC").await?;
        self.press(OTHER).await?;
        self.until("other situations", is_choice).await?;
        self.press("Recueillir l’accord pour un collègue").await?;
        self.until("colleagues", |view| matches!(&view.body, Body::Choice(page) if page.title.starts_with("Pour")))
            .await?;
        self.picture("collegues", "L’accord vaut pour un seul collègue, une fois.").await?;
        let first = self.view_of(|body| match body {
            Body::Choice(page) => page.lines.first().map(|line| line.label.clone()),
            _ => None,
        })?;
        self.press(&first).await?;
        self.until("patient's page", is_consent).await?;
        self.press("Oui, je suis d’accord").await?;
        self.owe("consent", 1);
        self.until("the gate again", |view| matches!(&view.body, Body::Gate(page) if !page.done.is_empty())).await?;
        self.picture("accord-pour-collegue", "Noté pour le collègue ; ici, rien n’est ouvert.").await?;
        self.ask().await?;
        self.until("patient's page", is_consent).await?;
        self.press("Non").await?;
        self.owe("refused", 1);
        self.until("why not", |view| matches!(view.body, Body::Why(_))).await?;
        self.picture("refus", "Un non est écrit avant tout, et s’explique.").await?;
        self.back().await?;
        self.until("home page", is_home).await
    }

    /// Whoever the answer was collected for opens the record with their own card, once.
    pub(super) async fn the_colleague_comes(&mut self) -> Result<(), Error> {
        self.insert("pharmacist").await?;
        self.until("PIN page", |view| matches!(view.body, Body::Pin(_))).await?;
        self.pin("1234").await?;
        self.first_login().await?;
        self.come_to("KERVIGNAC").await?;
        self.picture("accord-du-collegue", "La pharmacienne, avec sa carte : l’accord recueilli pour elle.").await?;
        self.ask().await?;
        self.owe("listed", 1);
        self.until("list of documents", |view| matches!(view.body, Body::Documents(_))).await?;
        self.pull();
        self.until("blank page", |view| matches!(view.body, Body::Idle(_))).await
    }

    /// Home, and from there to the gate of whoever has this birth name.
    async fn come_to(&mut self, birth_name: &str) -> Result<(), Error> {
        let row = self.view_of(|body| match body {
            Body::Home(home) => {
                home.rows.iter().map(|row| &row.label).find(|label| label.contains(birth_name)).cloned()
            }
            _ => None,
        })?;
        self.press_row(&row, |view| !matches!(view.body, Body::Home(_))).await?;
        self.until("patient gate", |view| matches!(view.body, Body::Gate(_))).await
    }

    async fn ask(&mut self) -> Result<(), Error> {
        let act = self.view_of(|body| match body {
            Body::Gate(gate) => Some(gate.act_label.clone()),
            _ => None,
        })?;
        self.press(&act).await
    }

    /// The list comes under its own row, and the record is left.
    async fn opened_again(&mut self) -> Result<(), Error> {
        self.owe("listed", 1);
        self.until("list of documents", |view| matches!(view.body, Body::Documents(_))).await?;
        self.leave_record().await
    }

    pub(super) async fn leave_record(&mut self) -> Result<(), Error> {
        self.press("Quitter ce dossier").await?;
        self.until("home page", is_home).await
    }
}

fn is_home(view: &View) -> bool {
    matches!(&view.body, Body::Home(home) if !home.rows.is_empty())
}

fn is_consent(view: &View) -> bool {
    matches!(view.body, Body::Consent(_))
}

fn is_choice(view: &View) -> bool {
    matches!(view.body, Body::Choice(_))
}

const OTHER: &str = "Autre situation";
