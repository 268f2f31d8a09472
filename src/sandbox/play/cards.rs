//! What a person sees with every card and every reader that is not as it should be, played: each sentence has its picture.
//! Those that no card of the drawer says are in `gallery`.

use crate::sandbox::cps::Card;
use crate::sandbox::cps::Faults;
use crate::sandbox::drawer;
use crate::sandbox::pcscd::READER;
use crate::sandbox::pcscd::order;
use crate::sandbox::play::Error;
use crate::sandbox::play::Player;
use crate::screen::view::Body;
use crate::screen::view::View;
use crate::trouble::Trouble;
use std::ffi::CString;
use std::time::Duration;

impl Player {
    pub(super) async fn other_cards(&mut self) -> Result<(), Error> {
        for (card, name, sentence) in REFUSED {
            self.insert(card).await?;
            self.refused(name, sentence).await?;
            self.take_away().await?;
        }
        self.insert("last-try").await?;
        let asks = |view: &View| matches!(&view.body, Body::Pin(pin) if pin.asks_last_try);
        self.until("question about the last try", asks).await?;
        self.picture("dernier-essai", "Dernier essai : la borne demande un oui avant tout chiffre.").await?;
        self.take_away().await?;
        self.insert("in-training").await?;
        self.until("PIN page", |view| matches!(view.body, Body::Pin(_))).await?;
        self.picture("carte-en-formation", "Une carte de professionnel en formation : la page le dit.").await?;
        self.take_away().await?;
        self.insert("reception").await?;
        self.until("PIN page", |view| matches!(view.body, Body::Pin(_))).await?;
        self.pin("1234").await?;
        self.until("reception desk", |view| matches!(view.body, Body::Reception(_))).await?;
        self.picture("accueil-cpe", "Une carte d’établissement (CPE) ouvre l’accueil, jamais un dossier.").await?;
        self.take_away().await?;
        self.insert("authorised").await?;
        self.until("PIN page", |view| matches!(view.body, Body::Pin(_))).await?;
        self.pin("1234").await?;
        self.until("reception desk", |view| matches!(view.body, Body::Reception(_))).await?;
        self.picture("accueil-cpa", "Une personne autorisée (CPA) : l’accueil, jamais un dossier.").await?;
        self.take_away().await?;
        self.pulled_in_its_pin().await?;
        self.under_anothers_number().await?;
        self.mute().await?;
        self.held_by_another().await?;
        self.unplugged().await?;
        // The reception desk's login is a row like any other.
        self.all_arrived().await
    }

    /// The card goes while its PIN is checked.
    async fn pulled_in_its_pin(&mut self) -> Result<(), Error> {
        self.insert("doctor").await?;
        self.until("PIN page", |view| matches!(view.body, Body::Pin(_))).await?;
        if let Some(inside) = &self.inside {
            // Its tries are asked for once more, then the PIN is sent.
            let pulled_at = Some(inside.counters().apdus + 1);
            inside.set_faults(Faults { pulled_at, ..Faults::default() });
        }
        self.pin("1234").await?;
        self.until("blank page", |view| matches!(view.body, Body::Idle(_))).await?;
        self.picture(
            "carte-retiree-pendant-le-code",
            "Carte arrachée pendant la vérification du code : rien à l’écran, et aucun code faux.",
        )
        .await?;
        self.take_away().await
    }

    /// Another card has the number of the nurse's, whom the device knows.
    async fn under_anothers_number(&mut self) -> Result<(), Error> {
        let card = self.printed(|drawer| drawer.card_numbered("physiotherapist", "nurse"))?;
        self.put_in(card, "une autre, sous le numéro de l’infirmière")?;
        self.until("PIN page", |view| matches!(view.body, Body::Pin(_))).await?;
        self.pin("1234").await?;
        self.refused(
            "carte-changee",
            "Une autre carte sous un numéro connu : sa signature la trahit, rien ne s’ouvre.",
        )
        .await?;
        self.take_away().await
    }

    async fn mute(&mut self) -> Result<(), Error> {
        let mut card = self.printed(|drawer| drawer.card("doctor"))?;
        card.faults.mute = true;
        self.put_in(card, "muette")?;
        self.refused("carte-muette", "Une carte qui ne répond pas : la borne n’attend pas toujours.").await?;
        self.take_away().await
    }

    /// A program that holds the reader keeps the card from the kiosk, and the kiosk heals by itself.
    async fn held_by_another(&mut self) -> Result<(), Error> {
        let failed = |error: pcsc::Error| Error::Reader { what: error.to_string() };
        let name =
            CString::new(format!("{READER} 00 00")).map_err(|error| Error::Reader { what: error.to_string() })?;
        let other = pcsc::Context::establish(pcsc::Scope::User).map_err(failed)?;
        let held = other.connect(&name, pcsc::ShareMode::Direct, pcsc::Protocols::UNDEFINED).map_err(failed)?;
        self.insert("doctor").await?;
        self.refused("lecteur-occupe", "Un autre programme tient le lecteur.").await?;
        drop(held);
        self.until("PIN page, by itself", |view| matches!(view.body, Body::Pin(_))).await?;
        self.take_away().await
    }

    async fn unplugged(&mut self) -> Result<(), Error> {
        let slot = self.slot.clone();
        let ordered = |what| {
            tokio::task::block_in_place(|| order(&slot, what))
                .map_err(|error| Error::Reader { what: error.to_string() })
        };
        ordered("unplug")?;
        let is_absent =
            |view: &View| matches!(&view.body, Body::Idle(idle) if idle.title == Trouble::NoReader.words().happened);
        self.until("word about the reader", is_absent).await?;
        self.picture("lecteur-absent", "Plus de lecteur : la page d’accueil le dit, et quoi faire.").await?;
        ordered("plug")?;
        let is_ready =
            |view: &View| matches!(&view.body, Body::Idle(idle) if idle.pills.iter().any(|p| p.text == READY));
        self.until("« Lecteur prêt »", is_ready).await
    }

    async fn refused(&mut self, name: &str, sentence: &str) -> Result<(), Error> {
        self.until("page that says why not", |view| matches!(view.body, Body::Trouble(_))).await?;
        self.picture(name, sentence).await
    }

    async fn take_away(&mut self) -> Result<(), Error> {
        self.pull();
        self.until("idle page", |view| matches!(view.body, Body::Idle(_))).await?;
        // No hand is faster than a reader looks.
        tokio::time::sleep(Duration::from_millis(800)).await;
        Ok(())
    }

    fn printed(&self, print: impl FnOnce(&drawer::Drawer) -> Result<Card, drawer::Error>) -> Result<Card, Error> {
        print(&self.stage.drawer).map_err(|error| Error::Card { what: error.to_string() })
    }
}

const REFUSED: [(&str, &str, &str); 8] = [
    ("unknown", "carte-inconnue", "Une carte d’une autre famille : rien ne lui est demandé."),
    ("cps4", "carte-cps4", "Une carte d’une autre génération : nommée, et refusée."),
    ("contactless", "carte-sans-contact", "Une carte tenue contre le lecteur : elle prouve sa présence, pas le code."),
    ("expired", "carte-perimee", "Une carte périmée."),
    ("not-yet", "carte-pas-encore-valable", "Une carte qui n’est pas encore valable."),
    ("revoked", "carte-revoquee", "Une carte en opposition."),
    ("other-issuer", "carte-autre-emetteur", "Une carte qu’aucune autorité connue n’a émise."),
    ("pin-blocked", "carte-bloquee", "Une carte bloquée : aucun code n’est demandé."),
];
const READY: &str = "Lecteur prêt";
