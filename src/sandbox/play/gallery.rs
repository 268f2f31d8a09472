//! Every sentence about a card or a reader that the visit before did not come to: the real page, fed with the real trouble. A
//! card that would say each of them would have to be put in and pulled out again, a reader to have keys; none of it is needed to
//! see the page.

use crate::identity::certificate::Certificate;
use crate::identity::holder::Holder;
use crate::identity::trust::Verified;
use crate::identity::trust::Warning;
use crate::journal::words::Regime;
use crate::policy::Matrix;
use crate::policy::team::Team;
use crate::sandbox::drawer::Drawer;
use crate::sandbox::play::Error;
use crate::sandbox::play::Player;
use crate::say::Both;
use crate::say::Looks;
use crate::screen::leaves::InForce;
use crate::screen::view::DeviceFacts;
use crate::screen::view::View;
use crate::screen::view::view;
use crate::secret::PinBuffer;
use crate::time::Now;
use crate::time::UnixSeconds;
use crate::time::Wall;
use crate::trouble::Trouble;
use crate::visit::Page;
use crate::visit::Visit;
use crate::visit::event::CardRead;
use crate::visit::event::Insertion;
use crate::visit::event::PinEntry;
use crate::visit::event::ReaderState;
use crate::visit::gentle::Patience;
use crate::visit::page::AskPin;
use crate::visit::page::Rules;
use std::sync::Arc;
use std::time::Duration;

impl Player {
    /// Ends on the page on which it began.
    pub(super) async fn gallery(&mut self) -> Result<(), Error> {
        self.tell("\nCe que dirait la borne devant d’autres cartes et d’autres lecteurs :\n");
        let unsaid =
            Trouble::ALL.iter().filter(|trouble| LAYERS.contains(&trouble.words().layer) && !SAID.contains(trouble));
        for trouble in unsaid {
            let words = trouble.words();
            let page = Page::TakeCard(*trouble);
            let visit = if ON_THE_IDLE_PAGE.contains(trouble) { idle(*trouble) } else { visit(page) };
            self.draws(&visit, words.happened, &format!("phrase-{}", words.code), words.name).await?;
        }
        let holder = self.holder_of("nurse")?;
        for (name, sentence, says, page) in pin_pages(&holder) {
            self.draws(&visit(page), says, name, sentence).await?;
        }
        let mut other = visit(Page::AskPin(ask(&holder)));
        other.standing.other_card = true;
        self.draws(
            &other,
            "Une autre carte est dans un autre lecteur",
            "deux-cartes",
            "Deux cartes dans deux lecteurs.",
        )
        .await?;
        let now = self.views.borrow().clone();
        self.hand.show(now).await;
        Ok(())
    }

    /// The page, photographed once it says what it should: the kiosk's own may come in between, at a full minute.
    async fn draws(&mut self, visit: &Visit, says: &str, name: &str, sentence: &str) -> Result<(), Error> {
        for _ in 0..3 {
            self.hand.show(shown(visit)).await;
            self.picture(name, sentence).await?;
            if self.hand.text().await.iter().any(|text| text.contains(says)) {
                return Ok(());
            }
        }
        Err(Error::Wrong { what: "a page of the gallery does not say its sentence" })
    }

    fn holder_of(&self, name: &str) -> Result<Holder, Error> {
        let profile = Drawer::profile(name).ok_or(Error::Wrong { what: "nobody of that name" })?;
        let secrets = self.stage.pki.card(&profile).map_err(|error| Error::Card { what: error.to_string() })?;
        let certificate = Certificate::parse(&secrets.authentication.certificate);
        certificate.map(|certificate| certificate.holder()).map_err(|error| Error::Card { what: error.to_string() })
    }
}

fn pin_pages(holder: &Holder) -> Vec<(&'static str, &'static str, &'static str, Page)> {
    let plain = || ask(holder);
    let with = |change: &dyn Fn(&mut AskPin)| {
        let mut page = plain();
        change(&mut page);
        Page::AskPin(page)
    };
    let tolerated = |warning| Verified { crl_age_s: 12 * 86_400, warnings: vec![warning] };
    vec![
        (
            "cps4-non-verifiee",
            "Une CPS4 que les réglages laissent essayer : aucune vraie carte ne l’a été.",
            "CPS4",
            with(&|page| page.card.is_untried = true),
        ),
        (
            "essais-inconnus",
            "Une carte qui ne dit pas ses essais est traitée comme au dernier.",
            "La carte ne dit pas combien d’essais il reste",
            with(&|page| page.card.tries_left = None),
        ),
        (
            "liste-vieillie",
            "La liste des cartes en opposition vieillit : la page dit ce qui l’attend.",
            "La liste des cartes en opposition a 12 jours",
            with(&|page| page.card.verified = tolerated(Warning::CrlAging { days_max: 30 })),
        ),
        (
            "heure-incertaine",
            "L’heure n’est pas vérifiée : la page ne promet pas que la carte vaut encore.",
            "L’heure n’est pas vérifiée",
            with(&|page| page.card.verified = tolerated(Warning::ValidityUncertain)),
        ),
        (
            "code-sur-le-lecteur",
            "Un lecteur à clavier : le code s’y tape, la borne ne le voit pas.",
            "Tapez votre code sur le lecteur",
            on_reader(holder),
        ),
    ]
}

fn on_reader(holder: &Holder) -> Page {
    let AskPin { insertion, mut card, until, .. } = ask(holder);
    card.pin_entry = PinEntry::Reader;
    Page::CheckingPin { insertion, card, was_wrong: false, until }
}

fn ask(holder: &Holder) -> AskPin {
    let card = Box::new(CardRead {
        holder: holder.clone(),
        tries_left: Some(3),
        pin_digits: (4, 8),
        pin_entry: PinEntry::Screen,
        is_untried: false,
        verified: Verified { crl_age_s: 0, warnings: vec![] },
    });
    let digits = PinBuffer::new();
    AskPin { insertion: Insertion(1), card, digits, was_wrong: false, last_try_agreed: false, until: LATER }
}

fn idle(trouble: Trouble) -> Visit {
    let mut idle = visit(Page::Idle);
    idle.standing.reader = ReaderState::InTrouble(trouble);
    idle
}

fn visit(page: Page) -> Visit {
    let rules = Rules {
        matrix: Matrix::new(String::new(), vec![], vec![]),
        regime: Regime::ConseilEtat2025,
        team: Team::named("", &[]),
        colleagues: vec![],
        time_zone: ZONE.to_owned(),
        duty_days: 180,
        framework: None,
        by_phone: false,
        prints: false,
        looks: Looks::default(),
        patience: Patience::default(),
        left_aside: vec![],
    };
    let mut visit = Visit::new(Arc::new(rules));
    visit.page = page;
    visit.standing.reader = ReaderState::Ready;
    visit
}

fn shown(visit: &Visit) -> View {
    let facts = DeviceFacts {
        site_name: "Cabinet de la Gare".to_owned(),
        software: String::new(),
        key_provider: Both {
            french: "Borne non protégée contre le vol".to_owned(),
            english: "Device not protected against theft".to_owned(),
        },
        time_zone: ZONE.to_owned(),
        has_scanner: false,
        in_force: InForce::default(),
    };
    let now =
        Now { since_boot: Duration::from_secs(60), wall: Wall::Is(UnixSeconds(jiff::Timestamp::now().as_second())) };
    view(visit, now, &facts)
}

const LAYERS: [&str; 3] = ["lecteur", "carte", "identité"];
/// What a card or a reader of the visit has said already.
const SAID: [Trouble; 12] = [
    Trouble::NoReader,
    Trouble::ReaderBusy,
    Trouble::CardMute,
    Trouble::CardUnknown,
    Trouble::CardCps4,
    Trouble::CardContactless,
    Trouble::CardBlocked,
    Trouble::CardNotAsKnown,
    Trouble::CertificateExpired,
    Trouble::CertificateNotYetValid,
    Trouble::CertificateRevoked,
    Trouble::CertificateOtherIssuer,
];
const ON_THE_IDLE_PAGE: [Trouble; 1] = [Trouble::ReaderServiceDown];
const ZONE: &str = "Europe/Paris";
const LATER: Duration = Duration::from_secs(120);
