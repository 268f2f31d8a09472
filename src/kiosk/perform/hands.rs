//! The drivers, and what is held for the holder who is here: their certificate, token and memory-only documents.

use crate::card;
use crate::device::clock::Clock;
use crate::exchange::Connector;
use crate::exchange::connector::Wants;
use crate::exchange::dmp::vihf::Actor;
use crate::exchange::token;
use crate::exchange::upstream::AsHolder;
use crate::exchange::upstream::Upstream;
use crate::identity::certificate::Certificate;
use crate::identity::holder::Holder;
use crate::identity::holder::Situation;
use crate::identity::statement::Statement;
use crate::identity::trust;
use crate::journal::Held;
use crate::journal::trace::CardProof;
use crate::journal::trace::LoginProof;
use crate::journal::words::Mode;
use crate::kiosk::card_key::CardKey;
use crate::kiosk::counter::Counter;
use crate::kiosk::courier;
use crate::kiosk::perform::ahead::Pace;
use crate::kiosk::perform::makers::AgendaFile;
use crate::kiosk::perform::prepared::Prepared;
use crate::kiosk::perform::print::Outlet;
use crate::kiosk::phone::Line;
use crate::kiosk::troubles;
use crate::kiosk::trusted::Trust;
use crate::patient::ins::Patient;
use crate::policy::nomenclature;
use crate::policy::team::Team;
use crate::record::document::UniqueId;
use crate::render::Worker;
use crate::secret::Pin;
use crate::secret::SecretBytes;
use crate::secret::content::Content;
use crate::time::UnixSeconds;
use crate::trouble::Trouble;
use crate::vault::Checked;
use crate::vault::Opened;
use crate::vault::Vault;
use crate::visit::Effect;
use crate::visit::Event;
use crate::visit::event::CardRead;
use crate::visit::event::Desk;
use crate::visit::event::Insertion;
use crate::visit::event::PinAnswer;
use crate::visit::event::PinEntry;
use crate::visit::event::RoundEntry;
use crate::visit::event::Ticket;
use crate::visit::step::DUTY_TEXT;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::sync::mpsc;
use tokio::sync::watch;

/// Everything that `perform` can reach.
pub struct Hands {
    pub device: String,
    pub reader: card::Reader,
    pub vault: Vault,
    pub upstream: Arc<Connector>,
    /// The card, where the connector wants it in the handshake.
    pub key: Arc<CardKey>,
    pub worker: Worker,
    pub trust: Arc<Trust>,
    /// Wakes the task that fetches revocation lists.
    pub lists: mpsc::Sender<()>,
    pub counter: Counter,
    pub clock: Clock,
    pub courier: mpsc::Sender<courier::Order>,
    /// Under whose name the courier may send.
    pub presence: watch::Sender<Option<Arc<AsHolder>>>,
    pub events: mpsc::Sender<Event>,
    pub team: Team,
    /// Pro Santé Connect, where the settings name it.
    pub phone: Option<Line>,
    /// On a desk: the round of a holder whose own is still empty.
    pub starter_round: Vec<Patient>,
    /// Where the settings name one.
    pub agenda: Option<AgendaFile>,
    /// The printer, where the settings name one.
    pub outlet: Option<Outlet>,
    pub prepared: Mutex<Prepared>,
    pub present: Mutex<Option<Present>>,
    /// Which login began the visit of which stay.
    pub begun: Mutex<Option<(Insertion, u64)>>,
    pub pace: Pace,
}

/// The holder who is here. Dropped whole on `Lock`.
pub struct Present {
    pub(super) insertion: Insertion,
    pub(super) holder: Holder,
    pub(super) by: By,
    /// When they came.
    pub(super) since: UnixSeconds,
    /// Index of the login's row, once it is on the disk.
    pub(super) login: Option<u64>,
    /// What may not rest on the disk: fetched and unseen, or seen under its row.
    pub(super) fetched: HashMap<UniqueId, Held<Content>>,
    pub(super) seen: HashMap<UniqueId, Arc<SecretBytes>>,
    /// Fetched ahead, on its way into the compartment, never to be seen from here.
    pub(super) ahead: HashMap<UniqueId, Held<Content>>,
}

/// By what they are here.
pub(super) enum By {
    Card {
        certificate: Box<Certificate>,
        serial: Option<String>,
        /// What it told is written down, or is not worth it.
        is_kept: bool,
        /// One a mode: it says under which one its bearer asks.
        tokens: HashMap<Mode, Arc<AsHolder>>,
    },
    /// Their telephone; what a compartment would keep is here, and goes with them.
    Phone { ticket: Ticket, round: Vec<Patient> },
}

impl Present {
    /// The next call makes others. A telephone's come from its provider alone.
    pub(super) fn forget_tokens(&mut self) {
        if let By::Card { tokens, .. } = &mut self.by {
            tokens.clear();
        }
    }

    /// The card whose telling is still to be written down; asked for once.
    pub(super) fn take_what_to_keep(&mut self) -> Option<Insertion> {
        match &mut self.by {
            By::Card { is_kept, .. } => (!std::mem::replace(is_kept, true)).then_some(self.insertion),
            By::Phone { .. } => None,
        }
    }

    fn serial(&self) -> Option<&str> {
        match &self.by {
            By::Card { serial, .. } => serial.as_deref(),
            By::Phone { .. } => None,
        }
    }

    /// `None`: there is no card.
    pub(super) fn certificate(&self) -> Option<&Certificate> {
        match &self.by {
            By::Card { certificate, .. } => Some(certificate),
            By::Phone { .. } => None,
        }
    }
}

impl Hands {
    /// Nobody is present.
    pub fn nobody() -> Mutex<Option<Present>> {
        Mutex::new(None)
    }

    /// Does what is asked; `None` when nobody waits for an answer.
    pub async fn perform(&self, effect: Effect) -> Option<Event> {
        self.tell_time().await;
        match effect {
            Effect::ReadCard { insertion } => {
                let answer = self.read_card(insertion).await.map(Box::new);
                Some(Event::CardRead { insertion, answer })
            }
            Effect::CheckPin { insertion, pin } => {
                let answer = self.check_pin(insertion, Some(pin)).await;
                Some(Event::PinChecked { insertion, answer })
            }
            Effect::CheckPinOnReader { insertion } => {
                let answer = self.check_pin(insertion, None).await;
                Some(Event::PinChecked { insertion, answer })
            }
            Effect::OpenCompartment { ticket, insertion, situation } => {
                let answer = self.open_compartment(insertion, situation).await;
                Some(Event::CompartmentOpened { ticket, answer })
            }
            Effect::AskPhone { ticket, holder } => {
                let trouble = self.ask_phone(ticket, holder).err()?;
                Some(Event::PhoneAsked { ticket, answer: Err(trouble) })
            }
            Effect::OpenMemory { ticket, insertion, holder } => {
                let answer = self.open_memory(insertion, *holder).await;
                Some(Event::CompartmentOpened { ticket, answer })
            }
            Effect::Record { ticket, rows, said } => {
                let answer = self.vault.record(rows, said).await.map_err(|error| troubles::of_writing(&error));
                if let Ok(rows) = &answer {
                    self.remember_login(rows).await;
                }
                self.wake_courier();
                Some(Event::Recorded { ticket, answer })
            }
            Effect::AskState { ticket, patient } => {
                Some(Event::StateKnown { ticket, answer: self.ask_state(&patient).await })
            }
            Effect::Deliver { ticket } => {
                let trouble = self.hand_to_courier(ticket).await.err()?;
                Some(Event::Delivered { ticket, answer: Err(trouble) })
            }
            Effect::List { ticket, patient, mode, keep } => {
                let answer = self.list(&patient, mode, keep).await.map(Box::new);
                self.tell_desk().await;
                Some(Event::ListCame { ticket, answer })
            }
            Effect::Recall { ticket } => Some(Event::Recalled { ticket, answer: self.recall().await }),
            Effect::AskAuthorized { ticket } => {
                Some(Event::AuthorizedCame { ticket, answer: self.ask_authorized().await })
            }
            Effect::Prepare { ticket, patient } => {
                Some(Event::Prepared { ticket, answer: self.prepare(patient).await })
            }
            Effect::KeepRound { ticket, patients } => {
                let answer = self.keep_round(patients).await;
                self.tell_desk().await;
                Some(Event::RoundKept { ticket, answer })
            }
            Effect::AskStates { ticket, patients } => {
                Some(Event::StatesKnown { ticket, answers: self.ask_states(&patients).await })
            }
            Effect::Survey { ticket, patients } => {
                let answers = self.survey(&patients).await;
                self.tell_desk().await;
                Some(Event::Surveyed { ticket, answers, bytes_a_second: self.pace.bytes_a_second() })
            }
            Effect::FetchAhead { ticket, patient, documents } => {
                Some(Event::FetchedAhead { ticket, fetched: self.fetch_ahead(&patient, documents).await })
            }
            Effect::KeepAhead { ticket, patient, committed, whole } => {
                let answer = self.keep_ahead(&patient, &committed, whole).await;
                self.tell_desk().await;
                Some(Event::KeptAhead { ticket, answer })
            }
            Effect::DropAhead => {
                self.drop_ahead().await;
                None
            }
            Effect::MakeNational { insertion } => Some(self.make_national(insertion).await),
            Effect::MakeReceipt { ticket, row } => {
                Some(Event::ReceiptMade { ticket, answer: self.make_receipt(row).await.map(Box::new) })
            }
            Effect::History { ticket, patient, mode } => {
                Some(Event::HistoryCame { ticket, answer: self.history(&patient, mode).await.map(Box::new) })
            }
            Effect::Search { ticket, patient, words, committed } => {
                Some(Event::Found { ticket, answer: self.search(&patient, &words, &committed).await })
            }
            Effect::Fetch { ticket, patient, document, mode, keep } => {
                let answer = self.fetch(&patient, &document, mode, keep).await;
                Some(Event::Fetched { ticket, answer })
            }
            Effect::Render { ticket, patient, document, committed, pages } => {
                let answer = self.render(&patient, &document, &committed, pages).await.map(Arc::new);
                Some(Event::Rendered { ticket, answer })
            }
            Effect::Print { ticket, paper, committed } => {
                Some(Event::Printed { ticket, answer: self.print(&paper, committed.as_ref()).await })
            }
            Effect::StopPrint => {
                self.stop_print().await;
                None
            }
            Effect::HandOver { ticket, until } => {
                let answer = self.vault.hand_over(until).await.map_err(|error| troubles::of_vault(&error));
                Some(Event::HandedOver { ticket, answer })
            }
            Effect::OpenDraft { ticket, patient, corrects } => {
                Some(Event::DraftCame { ticket, answer: self.open_draft(&patient, corrects).await })
            }
            Effect::OpenRefused { ticket, id, author } => {
                let note = self.vault.refused_note(id, &author).await.map_err(|error| troubles::of_vault(&error));
                Some(Event::RefusedOpened { ticket, answer: note.map(|note| note.map(|note| note.patient)) })
            }
            Effect::KeepDraft { patient, draft } => {
                self.keep_draft(&patient, *draft).await;
                None
            }
            Effect::Contribute { ticket, row, id, contribution, corrects } => {
                let answer = self.contribute(*row, id, *contribution, corrects).await;
                self.wake_courier();
                Some(Event::Recorded { ticket, answer: answer.map(|row| vec![row]) })
            }
            Effect::SendAgain { id } => {
                self.send_again(id).await;
                self.wake_courier();
                None
            }
            Effect::KeepTold { at } => {
                if let Err(error) = self.vault.keep_told(DUTY_TEXT, at).await {
                    tracing::warn!(%error, "that the holder was told is not remembered; they will be told again");
                }
                None
            }
            Effect::Lock => {
                self.lock().await;
                None
            }
        }
    }

    /// What ended meanwhile is gone before anything is done. An answer that must not be given is then refused by the vault.
    async fn tell_time(&self) {
        if let Err(error) = self.vault.time_is(self.clock.now()).await {
            tracing::error!(%error, "leases that are over could not be ended");
        }
    }

    /// The visit is over. The worker dies first: it alone holds a document in clear.
    pub async fn lock(&self) {
        self.worker.kill();
        self.reader.leave();
        self.end_phone();
        if let Some(outlet) = &self.outlet {
            outlet.forget_job();
        }
        self.presence.send_replace(None);
        // Lost in a full channel, a note that the next card could sign waits for the one after it.
        let _told = self.courier.try_send(courier::Order::CardLeft);
        self.key.leave();
        self.upstream.hang_up();
        // The keys do not wait for whoever still holds the presence.
        let forget = async { *self.present.lock().await = None };
        tokio::join!(self.vault.lock(), forget);
    }

    /// The certificate, found and verified; nothing of the holder is believed before.
    async fn read_card(&self, insertion: Insertion) -> Result<CardRead, Trouble> {
        let contents = self.contents(insertion).await.map_err(|error| troubles::of_card(&error))?;
        let certificate =
            Certificate::parse(&contents.certificate).map_err(|error| troubles::of_certificate(&error))?;
        // Read at each card: a list that came in since is in force now.
        let crls = self.trust.crls().map_err(|error| troubles::of_trusted(&error))?;
        let verdict = trust::verify(&certificate, &self.trust.anchors, &crls, self.clock.now().wall);
        self.want_lists_of(&certificate, &verdict);
        let verified = verdict.map_err(|error| troubles::of_trust(&error))?;
        let holder = certificate.holder();
        self.key.take(&self.reader, insertion, certificate.der());
        *self.present.lock().await = Some(Present {
            insertion,
            holder: holder.clone(),
            by: By::Card {
                certificate: Box::new(certificate),
                serial: contents.serial.clone(),
                is_kept: false,
                tokens: HashMap::new(),
            },
            since: self.clock.as_shown(),
            login: None,
            fetched: HashMap::new(),
            seen: HashMap::new(),
            ahead: HashMap::new(),
        });
        let pin_entry = if contents.has_pinpad { PinEntry::Reader } else { PinEntry::Screen };
        let is_untried = contents.generation.is_untried();
        let card::CardContents { tries_left, pin_digits, .. } = contents;
        Ok(CardRead { holder, tries_left, pin_digits, pin_entry, is_untried, verified })
    }

    /// A card whose chain stands tells where its authority publishes, and the authorities where the ones above them do. An address from any other card is never asked.
    fn want_lists_of(&self, certificate: &Certificate, verdict: &Result<trust::Verified, trust::Error>) {
        let lacking = match verdict {
            Ok(verified) => verified.warnings.iter().any(|warning| matches!(warning, trust::Warning::CrlAging { .. })),
            Err(trust::Error::CrlMissing | trust::Error::AuthorityCrlMissing | trust::Error::CrlTooOld { .. }) => true,
            Err(_) => return,
        };
        let said = [certificate.lists_at(), &self.trust.anchors.lists_at()].concat();
        let learned = self.trust.learn_points(&said).unwrap_or_else(|error| {
            tracing::warn!(%error, "where revocation lists are fetched is not remembered");
            false
        });
        if learned || lacking {
            // A full channel means that it is wanted already.
            let _wanted = self.lists.try_send(());
        }
    }

    /// The PIN, or the one that is typed on the reader, goes to the card once, and the card proves itself over a nonce that was drawn here and now.
    async fn check_pin(&self, insertion: Insertion, pin: Option<Pin>) -> PinAnswer {
        let mut nonce = [0; 32];
        if aws_lc_rs::rand::fill(&mut nonce).is_err() {
            return PinAnswer::Failed(Trouble::Internal);
        }
        let present = self.present.lock().await;
        let Some(present) = present.as_ref().filter(|present| present.insertion == insertion) else {
            return PinAnswer::Failed(Trouble::CardPulledWhileReading);
        };
        let Some(own) = present.certificate() else { return PinAnswer::Failed(Trouble::Internal) };
        let statement = || Statement::login(&self.device, own.key_id(), &nonce);
        let answer = match pin {
            Some(pin) => self.reader.login(insertion.0, pin, statement()).await,
            None => self.reader.login_on_reader(insertion.0, statement()).await,
        };
        match answer {
            Ok(signature) => {
                if own.verify_signature(statement().message(), &signature).is_err() {
                    tracing::warn!("the card's login signature does not fit its certificate");
                    return PinAnswer::Failed(Trouble::SignatureRefused);
                }
                let certificate = own.der().to_vec();
                let proof = Box::new(LoginProof::Card(CardProof { certificate, nonce, signature }));
                match self.reader.situations(insertion.0).await {
                    Ok(situations) => PinAnswer::Here { proof, situations },
                    Err(error @ card::Error::Removed) => PinAnswer::Failed(troubles::of_card(&error)),
                    // Where they work is said by nobody then; who they are is proven all the same.
                    Err(error) => {
                        tracing::warn!(%error, "the card does not say where its holder works");
                        PinAnswer::Here { proof, situations: Vec::new() }
                    }
                }
            }
            Err(card::Error::WrongPin { tries_left }) => PinAnswer::Wrong { tries_left },
            Err(card::Error::Blocked) => PinAnswer::Blocked,
            Err(error @ card::Error::NotAsKnown) => {
                self.forget_card(present.serial()).await;
                PinAnswer::Failed(troubles::of_card(&error))
            }
            Err(error) => PinAnswer::Failed(troubles::of_card(&error)),
        }
    }

    /// The card's deterministic signature is half of the compartment's key.
    async fn open_compartment(&self, insertion: Insertion, situation: Option<Situation>) -> Result<Desk, Trouble> {
        let opened = {
            let mut present = self.present.lock().await;
            let present = present
                .as_mut()
                .filter(|present| present.insertion == insertion)
                .ok_or(Trouble::CardPulledWhileReading)?;
            present.holder.situations = Some(situation.into_iter().collect());
            let present = &*present;
            let own = present.certificate().ok_or(Trouble::Internal)?;
            let (id, key) = (&present.holder.id, own.key_id());
            let of_vault = |error| troubles::of_vault(&error);
            let statement = self.vault.compartment_statement(id, key).await.map_err(of_vault)?;
            let message = statement.message().to_vec();
            let signature =
                self.reader.sign(insertion.0, statement).await.map_err(|error| troubles::of_card(&error))?;
            if own.verify_signature(&message, &signature).is_err() {
                return Err(Trouble::SignatureRefused);
            }
            // A floor where nobody vouches for the time: the system's clock must not end leases.
            let at = self.clock.now().wall.value();
            self.vault.unlock(id, key, SecretBytes::new(signature), at).await.map_err(of_vault)?
        };
        let mut notice = match opened {
            Opened::Whole => None,
            Opened::SetAside => Some(Trouble::DeskSetAside),
            Opened::NewestLost => Some(Trouble::DeskNewestLost),
        };
        let now = self.clock.now();
        if matches!(self.vault.round().await, Err(crate::vault::Error::Damaged { .. })) {
            // Without its round no page comes: what else is looked at in a quiet moment is looked at now.
            let checked = self.vault.check_compartment(now.wall.value()).await;
            if checked.map_err(|error| troubles::of_vault(&error))? == Checked::SealedAside {
                notice = Some(Trouble::DeskSetAside);
            }
        }
        let taken = self.vault.take_over(now.since_boot, now.wall.value()).await;
        taken.map_err(|error| troubles::of_vault(&error))?;
        if !self.starter_round.is_empty() && self.desk().await?.round.is_empty() {
            let round = self.starter_round.clone();
            self.vault.put_round(round, self.clock.as_shown()).await.map_err(|error| troubles::of_vault(&error))?;
        }
        Ok(Desk { notice, ..self.desk().await? })
    }

    pub(super) async fn desk(&self) -> Result<Desk, Trouble> {
        if let Some(desk) = self.desk_in_memory().await {
            return Ok(desk);
        }
        let rows = self.vault.round().await.map_err(|error| troubles::of_vault(&error))?;
        let entry = |row: crate::vault::RoundRow| RoundEntry {
            patient: row.patient,
            cached: row.cached,
            as_of: row.as_of,
            ready: row.ready,
        };
        let told = self.vault.told(DUTY_TEXT).await.map_err(|error| troubles::of_vault(&error))?;
        // Only a help: a desk opens without it.
        let recent = self.vault.recent().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "who was seen lately is not known");
            Vec::new()
        });
        let present = self.present.lock().await;
        let card_ends = present.as_ref().and_then(Present::certificate).map(Certificate::not_after);
        Ok(Desk { round: rows.into_iter().map(entry).collect(), recent, told, card_ends, notice: None })
    }

    /// The round as it stands now, for the next time home is shown.
    pub(super) async fn tell_desk(&self) {
        self.tell_desk_with(None).await;
    }

    /// The same, with what happened to it.
    pub(super) async fn tell_desk_with(&self, notice: Option<Trouble>) {
        let insertion = self.present.lock().await.as_ref().map(|present| present.insertion);
        if let (Some(insertion), Ok(desk)) = (insertion, self.desk().await)
            && self.events.send(Event::DeskIs { insertion, desk: Desk { notice, ..desk } }).await.is_err()
        {
            tracing::debug!("the loop is gone");
        }
    }

    /// A token signed by the card, good for a few minutes; made anew when it is near its end.
    pub(super) async fn as_holder(&self, mode: Mode) -> Result<Arc<AsHolder>, Trouble> {
        let now = self.clock.as_shown();
        let mut present = self.present.lock().await;
        let present = present.as_mut().ok_or(Trouble::CardPulledWhileReading)?;
        let (certificate, tokens) = match &mut present.by {
            By::Card { certificate, tokens, .. } => (certificate, tokens),
            By::Phone { ticket, .. } => return self.as_holder_by_phone(*ticket, mode),
        };
        // One that seems to last for years was made before the clock was put right.
        let serves = |token: &&Arc<AsHolder>| {
            token.until > now.plus(TOKEN_MARGIN_S) && token.until <= now.plus(token::LIFE_S + TOKEN_MARGIN_S)
        };
        if let Some(token) = tokens.get(&mode).filter(serves) {
            return Ok(token.clone());
        }
        let Wants::Token { audience, device } = self.upstream.wants() else {
            let actor = Actor {
                holder: present.holder.clone(),
                subject: certificate.distinguished_name().to_owned(),
                profession_label: present.holder.profession.map_or("", nomenclature::profession_label).to_owned(),
                logged_in: present.since,
            };
            return Ok(Arc::new(AsHolder {
                holder: present.holder.id.clone(),
                token: SecretBytes::new(Vec::new()),
                until: now.plus(token::LIFE_S),
                mode: Some(mode),
                actor: Some(Box::new(actor)),
            }));
        };
        let mut nonce = [0; 32];
        aws_lc_rs::rand::fill(&mut nonce).map_err(|_| Trouble::Internal)?;
        let request = token::Request {
            holder: present.holder.id.clone(),
            x5c: vec![certificate.der().to_vec()],
            audience,
            now,
            nonce,
            device,
            mode,
        };
        let signing_input = request.signing_input();
        let statement = Statement::token(&signing_input).ok_or(Trouble::Internal)?;
        let signature =
            self.reader.sign(present.insertion.0, statement).await.map_err(|error| troubles::of_card(&error))?;
        let token = Arc::new(request.finish(&signing_input, &signature));
        tokens.insert(mode, token.clone());
        Ok(token)
    }

    pub(super) fn wake_courier(&self) {
        // A full channel means that it is awake already.
        let _awake = self.courier.try_send(courier::Order::Wake);
    }

    /// Everything that waits for this holder leaves beside what is done here; the courier tells the visit how it went.
    async fn hand_to_courier(&self, ticket: Ticket) -> Result<(), Trouble> {
        let who = self.as_holder(Mode::Normal).await?;
        self.presence.send_replace(Some(who));
        self.courier.send(courier::Order::Deliver { ticket }).await.map_err(|_| Trouble::Internal)
    }
}

/// A token that ends within this is not worth starting a call with.
const TOKEN_MARGIN_S: i64 = 30;
