//! What a record needs: its state, its list, its history, its documents. Online when it can, from the compartment
//! when it must; what comes is sealed before anybody may see it.

use crate::exchange::upstream;
use crate::exchange::upstream::Upstream;
use crate::identity::holder::HolderId;
use crate::journal::Committed;
use crate::journal::Held;
use crate::journal::Trace;
use crate::journal::consent::Consent;
use crate::journal::consent::Scope;
use crate::journal::receipt;
use crate::journal::receipt::ReceiptError;
use crate::journal::words::Class;
use crate::journal::words::Mode;
use crate::journal::words::Source;
use crate::kiosk::courier;
use crate::kiosk::perform::hands::Hands;
use crate::kiosk::troubles;
use crate::patient::ins::Ins;
use crate::patient::ins::Patient;
use crate::record::document::Document;
use crate::record::document::UniqueId;
use crate::record::reading::Reading;
use crate::record::state::Access;
use crate::record::state::Authorization;
use crate::record::state::RecordState;
use crate::record::state::TakenBack;
use crate::render;
use crate::secret::SecretBytes;
use crate::time::UnixSeconds;
use crate::trouble::Trouble;
use crate::vault;
use crate::vault::Seen;
use crate::vault::Whose;
use crate::visit::Event;
use crate::visit::effect::Keep;
use crate::visit::event::History;
use crate::visit::event::Listing;
use crate::visit::event::PatientReceipt;
use crate::visit::event::ServerSaid;
use crate::visit::event::StateAnswer;
use std::ops::Range;
use std::sync::Arc;

impl Hands {
    /// TD0.2 now, or what was last known.
    pub(super) async fn ask_state(&self, patient: &Patient) -> Result<StateAnswer, Trouble> {
        let ins = &patient.ins;
        let (state, source, as_of) = match self.state_online(ins).await {
            Ok(state) if self.is_memory_only().await => (state, Source::Online, self.clock.as_shown()),
            Ok(state) => {
                let at = self.believed();
                self.vault.remember_state(ins, &state, at).await.map_err(|error| troubles::of_vault(&error))?;
                (state, Source::Online, at)
            }
            Err(trouble) if trouble.leaves_the_compartment() && !self.is_memory_only().await => {
                let known = self.vault.state(ins).await.map_err(|error| troubles::of_vault(&error))?;
                let (state, as_of) = known.ok_or(trouble)?;
                (state, Source::Cached, as_of)
            }
            Err(trouble) => return Err(trouble),
        };
        let mut consents = self.vault.consents(ins).await.map_err(|error| troubles::of_vault(&error))?;
        let present = self.present.lock().await;
        let holder = present.as_ref().map(|present| &present.holder.id).ok_or(Trouble::CardPulledWhileReading)?;
        let site = self.team.has(holder).then(|| self.team.name());
        let teams: Vec<&str> = site.into_iter().chain(state.care_team.as_deref()).collect();
        consents.retain(|consent| concerns(consent, holder, &teams));
        let spent = self.vault.last_opened_on_consent(ins, holder).await;
        let spent = spent.map_err(|error| troubles::of_vault(&error))?;
        let said = consents.into_iter().map(|consent| consent.said).collect();
        Ok(StateAnswer { state, source, as_of, said, spent })
    }

    async fn state_online(&self, ins: &Ins) -> Result<RecordState, Trouble> {
        let who = self.as_holder(Mode::Normal).await?;
        let team = self.team.has(&who.holder).then(|| self.team.name());
        let answer = self.upstream.state(&who, ins, team).await;
        let state = self.heard(answer).await?;
        self.obey(ins, &state).await?;
        Ok(state)
    }

    /// After a refusal: what stands is asked, so that what was taken back is obeyed.
    pub(super) async fn obey_anew(&self, ins: &Ins) {
        match self.state_online(ins).await {
            Ok(state) => {
                if let Err(error) = self.vault.remember_state(ins, &state, self.believed()).await {
                    tracing::warn!(%error, "the record's state could not be remembered");
                }
            }
            Err(trouble) => tracing::info!(?trouble, "why the server refused cannot be told"),
        }
    }

    /// What the upstream took back is destroyed before anything is shown: this holder's copies, or everybody's, whose cards
    /// may be away.
    async fn obey(&self, ins: &Ins, state: &RecordState) -> Result<(), Trouble> {
        // By telephone nothing is remembered; colleagues' copies, and this holder's under their card, are there all the same.
        let before = match self.is_memory_only().await {
            true => None,
            false => self.vault.state(ins).await.map_err(|error| troubles::of_vault(&error))?.map(|(state, _)| state),
        };
        let whose = match state.takes_back(before.as_ref()) {
            None => return Ok(()),
            Some(TakenBack::Everybody) => Whose::Everybody,
            Some(TakenBack::ThisHolder) => Whose::Holder(self.holder().await?),
        };
        self.vault.shred(ins, whose).await.map_err(|error| troubles::of_writing(&error))
    }

    /// A document that was masked since: who else has it cannot be seen without their cards, so their copies of this patient
    /// go, and are fetched again.
    async fn obey_masking(&self, list: &Held<Vec<Document>>, since: UnixSeconds) -> Result<(), Trouble> {
        if !self.vault.was_taken_back(list, since).await.map_err(|error| troubles::of_vault(&error))? {
            return Ok(());
        }
        self.shred_others(list.patient()).await
    }

    async fn shred_others(&self, ins: &Ins) -> Result<(), Trouble> {
        let others = Whose::EverybodyBut(self.holder().await?);
        self.vault.shred(ins, others).await.map_err(|error| troubles::of_writing(&error))
    }

    /// What this holder read of that record, and when they last saw its list before this visit.
    async fn seen(&self, ins: &Ins) -> Result<Seen, Trouble> {
        let begun = (*self.begun.lock().await).map(|(_, login)| login);
        let seen = self.vault.seen_by(ins, &self.holder().await?, begun).await;
        seen.map_err(|error| troubles::of_vault(&error))
    }

    pub(super) async fn holder(&self) -> Result<HolderId, Trouble> {
        let present = self.present.lock().await;
        present.as_ref().map(|present| present.holder.id.clone()).ok_or(Trouble::CardPulledWhileReading)
    }

    /// Whoever's record was opened is in the round from then on; better traits replace those that were only typed.
    async fn remember_patient(&self, patient: &Patient) -> Result<(), Trouble> {
        let of_vault = |error| troubles::of_vault(&error);
        let mut round: Vec<Patient> =
            self.vault.round().await.map_err(of_vault)?.into_iter().map(|row| row.patient).collect();
        match round.iter_mut().find(|known| known.ins == patient.ins) {
            Some(known) if known == patient => return Ok(()),
            Some(known) => *known = patient.clone(),
            None => round.push(patient.clone()),
        }
        self.vault.put_round(round, self.clock.as_shown()).await.map_err(of_vault)
    }

    /// Only a help when the next round is composed: a disk that fails must not keep a list back, its row says so better.
    async fn remember_recent(&self, patient: &Patient) {
        if let Err(error) = self.vault.keep_recent(patient, self.clock.as_shown()).await {
            tracing::warn!(%error, "a patient is not kept among the recent ones");
        }
    }

    /// ITI-67 now, or the list that was last known. Either way nobody has seen it yet.
    pub(super) async fn list(&self, patient: &Patient, mode: Mode, keep: Keep) -> Result<Listing, Trouble> {
        let ins = &patient.ins;
        let of_vault = |error| troubles::of_vault(&error);
        let online = match keep {
            Keep::Compartment => self.synchronise(ins, mode).await,
            Keep::Memory => self.list_online(ins, mode).await,
        };
        match online {
            Ok((documents, as_of)) => {
                self.remember_in_memory(patient).await;
                if keep == Keep::Compartment {
                    self.remember_patient(patient).await?;
                    self.remember_recent(patient).await;
                    self.refresh_authorization(ins).await;
                }
                let lease = match keep {
                    Keep::Compartment => self.vault.lease_end(ins).await.map_err(of_vault)?,
                    Keep::Memory => None,
                };
                let Seen { opened, last_visit } = self.seen(ins).await?;
                Ok(Listing { documents, opened, last_visit, source: Source::Online, as_of, lease })
            }
            Err(trouble) if trouble.leaves_the_compartment() && !self.is_memory_only().await => {
                let (documents, as_of) = self.vault.list(ins).await.map_err(of_vault)?.ok_or(trouble)?;
                self.remember_recent(patient).await;
                let lease = self.vault.lease_end(ins).await.map_err(of_vault)?;
                let Seen { opened, last_visit } = self.seen(ins).await?;
                Ok(Listing { documents, opened, last_visit, source: Source::Cached, as_of, lease })
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// The whole list, and when it was asked for.
    async fn list_online(&self, ins: &Ins, mode: Mode) -> Result<(Held<Vec<Document>>, UnixSeconds), Trouble> {
        let who = self.as_holder(mode).await?;
        let begun = self.believed();
        let answer = self.upstream.find(&who, ins, self.not_before()).await;
        Ok((self.heard(answer).await?, begun))
    }

    /// The list in the compartment, brought to what the upstream says: what changed since the last time, or, where there is
    /// none, the whole. What was replaced, masked, withdrawn acts on every copy before the list is handed out.
    pub(super) async fn synchronise(
        &self,
        ins: &Ins,
        mode: Mode,
    ) -> Result<(Held<Vec<Document>>, UnixSeconds), Trouble> {
        let of_vault = |error| troubles::of_vault(&error);
        if let Some(kept) = self.vault.kept(ins).await.map_err(of_vault)? {
            let who = self.as_holder(mode).await?;
            // Before the question: what is written while it runs is asked for again the next time.
            let begun = self.believed();
            let answer = self.upstream.changes(&who, ins, &kept, self.not_before()).await;
            let changes = self.heard(answer).await?;
            match self.vault.take_in(&changes, begun).await {
                Ok(taken_back) => {
                    if taken_back {
                        self.shred_others(ins).await?;
                    }
                    if let Some(list) = self.vault.list(ins).await.map_err(of_vault)? {
                        return Ok(list);
                    }
                }
                // Its lease ended, or the patient withdrew, while the question was on its way.
                Err(vault::Error::Shredded) => {}
                Err(error) => return Err(of_vault(error)),
            }
        }
        let (documents, begun) = self.list_online(ins, mode).await?;
        self.obey_masking(&documents, begun.plus(-AUTOMATIC_SEARCH_S_MAX)).await?;
        self.vault.remember_list(&documents, begun).await.map_err(of_vault)?;
        Ok((documents, begun))
    }

    /// An automatic search looks back no further.
    fn not_before(&self) -> UnixSeconds {
        self.clock.as_shown().plus(-AUTOMATIC_SEARCH_S_MAX)
    }

    /// A consent given at the gate has just become an authorization upstream: known offline from now on.
    async fn refresh_authorization(&self, ins: &Ins) {
        let known = self.vault.state(ins).await.ok().flatten();
        let stands = known.is_some_and(|(state, _)| matches!(state.authorization, Authorization::Valid { .. }));
        if stands {
            return;
        }
        if let Ok(state) = self.state_online(ins).await
            && let Err(error) = self.vault.remember_state(ins, &state, self.believed()).await
        {
            tracing::warn!(%error, "the record's state could not be remembered");
        }
    }

    /// ITI-81 with our own rows that the upstream does not know yet.
    pub(super) async fn history(&self, ins: &Ins, mode: Mode) -> Result<History, Trouble> {
        let who = self.as_holder(mode).await;
        let lines = match who {
            Ok(who) => {
                let since = self.clock.as_shown().plus(-HISTORY_S);
                let answer = self.upstream.history(&who, ins, since).await;
                self.heard(answer).await
            }
            Err(trouble) => Err(trouble),
        };
        let complete = lines.is_ok();
        let lines = match lines {
            Ok(lines) => lines,
            Err(trouble) if trouble.leaves_the_compartment() => Held::record(ins.clone(), Vec::new()),
            Err(trouble) => return Err(trouble),
        };
        let unsent = self.vault.unsent_accesses(ins).await.map_err(|error| troubles::of_vault(&error))?;
        Ok(History { lines, unsent: unsent.iter().filter_map(unsent_line).collect(), complete })
    }

    /// ITI-68 into the compartment, or into this visit's memory.
    pub(super) async fn fetch(
        &self,
        ins: &Ins,
        document: &Document,
        mode: Mode,
        keep: Keep,
    ) -> Result<Source, Trouble> {
        let of_vault = |error| troubles::of_vault(&error);
        if !self.is_memory_only().await && self.vault.has(ins, &document.unique_id).await.map_err(of_vault)? {
            return Ok(Source::Cached);
        }
        let who = self.as_holder(mode).await?;
        // What may not be kept does not lie on the disk on its way either.
        let aside = (keep == Keep::Compartment).then(|| self.vault.folder());
        let answer = self.upstream.fetch(&who, ins, document, aside).await;
        let content = self.heard(answer).await?;
        if keep == Keep::Compartment {
            match self.vault.store(&document.unique_id, &content, self.believed()).await {
                Ok(()) => return Ok(Source::Online),
                // The patient withdrew: it may be read now, on the ground that stands, and not kept.
                Err(vault::Error::Shredded) => {}
                Err(error) => return Err(of_vault(error)),
            }
        }
        let mut present = self.present.lock().await;
        let present = present.as_mut().ok_or(Trouble::CardPulledWhileReading)?;
        present.fetched.insert(document.unique_id.clone(), content);
        Ok(Source::Online)
    }

    /// The only door to pixels: released under its own durable row, then parsed by the sealed worker.
    pub(super) async fn render(
        &self,
        ins: &Ins,
        document: &Document,
        committed: &Committed,
        pages: Range<u32>,
    ) -> Result<Reading, Trouble> {
        let content = self.content_of(ins, document, committed).await?;
        let kind = document.attachment.content_type.as_str();
        let reading = self.worker.read(&content, kind, &document.format_code, pages).await;
        let reading = match reading {
            // What it is, and what to do: more than that there is something.
            Err(render::Error::UnknownFormat { found }) => Ok(render::named_only(&found)),
            reading => reading.map_err(|error| troubles::of_render(&error)),
        };
        if let Ok(reading) = &reading {
            self.keep_words(ins, document, reading).await;
        }
        self.tell_desk().await;
        reading
    }

    /// Released under its own durable row, from wherever it rests.
    pub(super) async fn content_of(
        &self,
        ins: &Ins,
        document: &Document,
        committed: &Committed,
    ) -> Result<Arc<SecretBytes>, Trouble> {
        if let Some(content) = self.release_from_memory(document, committed).await? {
            return Ok(content);
        }
        let released = self.vault.release(ins, &document.unique_id, committed).await;
        Ok(Arc::new(released.map_err(|error| troubles::of_vault(&error))?))
    }

    /// The proof of one row of this visit, as paper says it and as a code carries it.
    pub(super) async fn make_receipt(&self, row: u64) -> Result<PatientReceipt, Trouble> {
        let receipt = self.vault.receipt(row).await.map_err(|error| troubles::of_vault(&error))?;
        let made = || {
            let code = receipt::qr(&receipt.to_cbor()?)?;
            let dark = code.to_colors().into_iter().map(|module| module == qrcode::Color::Dark).collect();
            Ok(PatientReceipt { sheet: receipt.printed()?, side: code.width(), dark })
        };
        made().map_err(|error: ReceiptError| {
            tracing::error!(%error, "a receipt cannot be shown");
            Trouble::Internal
        })
    }

    /// What the sealed worker read, for the search. Nothing waits for it: without it the words are not found.
    async fn keep_words(&self, ins: &Ins, document: &Document, reading: &Reading) {
        let words = reading.words();
        if words.trim().is_empty() {
            return;
        }
        let words = SecretBytes::new(words.into_bytes());
        if let Err(error) = self.vault.keep_text(ins, &document.unique_id, words).await {
            tracing::warn!(%error, "the words of a document are not kept; a search will not find them");
        }
    }

    /// Under the row of the search, in what is kept here.
    pub(super) async fn search(&self, ins: &Ins, words: &str, committed: &Committed) -> Result<Vec<UniqueId>, Trouble> {
        let found = self.vault.search(ins, words, committed).await.map_err(|error| troubles::of_vault(&error))?;
        Ok(found.into_iter().map(|found| found.document).collect())
    }

    async fn release_from_memory(
        &self,
        document: &Document,
        committed: &Committed,
    ) -> Result<Option<Arc<SecretBytes>>, Trouble> {
        let mut present = self.present.lock().await;
        let present = present.as_mut().ok_or(Trouble::CardPulledWhileReading)?;
        if let Some(held) = present.fetched.remove(&document.unique_id) {
            let content = held.release(committed).map_err(|_| Trouble::TraceNotWritten)?;
            let content = content.whole().map_err(|error| {
                tracing::error!(%error, "a document cannot be read back from where it lay while it came");
                Trouble::Internal
            })?;
            present.seen.insert(document.unique_id.clone(), content);
        }
        Ok(present.seen.get(&document.unique_id).cloned())
    }

    /// What a lease begins with: never the system's clock, which may say any year.
    pub(super) fn believed(&self) -> UnixSeconds {
        self.clock.now().wall.value()
    }

    /// What every upstream answer tells besides: the time, and whether there is a network.
    pub(super) async fn heard<T>(&self, answer: Result<T, upstream::Error>) -> Result<T, Trouble> {
        if let Some(at) = self.upstream.server_time() {
            self.clock.heard(at);
        }
        let trouble = answer.as_ref().err().map(troubles::of_upstream);
        if trouble == Some(Trouble::ServerRefusedHolder)
            && let Some(present) = self.present.lock().await.as_mut()
        {
            // It may have been made by a clock that was wrong until this answer: the next call makes another.
            present.forget_tokens();
        }
        // What it says itself comes before the answer that it is about.
        let said = match &answer {
            Err(upstream::Error::Refused { code, text, .. }) => {
                let said = ServerSaid { code: code.clone(), text: text.0.clone() };
                Some(Event::ServerSaid(Box::new(said)))
            }
            _ => None,
        };
        for event in said.into_iter().chain([Event::LinkIs(courier::link_of(trouble))]) {
            if self.events.send(event).await.is_err() {
                tracing::debug!("the loop is gone");
            }
        }
        answer.map_err(|error| troubles::of_upstream(&error))
    }
}

/// What was said to this holder, or about a team that they are in; what a colleague outside it was told is not theirs.
fn concerns(consent: &Consent, holder: &HolderId, teams: &[&str]) -> bool {
    let about_team = matches!(&consent.said.scope, Scope::Team(name) | Scope::Event(name) if teams.contains(&&**name));
    consent.said.holder == *holder || about_team
}

/// A row of ours, in the words of a history; rows that are no access are not in it.
fn unsent_line(trace: &Trace) -> Option<Access> {
    let action = match trace.draft.class {
        Class::Listed => "a ouvert le DMP sur une borne Chevet",
        Class::Searched => "a cherché dans les documents",
        Class::Summary => "a consulté le résumé",
        Class::Opened => "a lu un document",
        Class::Printed => "a imprimé un document",
        Class::Consent => "a recueilli un accord",
        Class::Refused => "a enregistré un refus",
        Class::Withdrawn => "a enregistré un retrait",
        Class::BreakGlass => "a ouvert le DMP en bris de glace",
        Class::Contributed => "a déposé un document",
        _ => return None,
    };
    Some(Access {
        at: trace.draft.at.wall.value(),
        author: trace.draft.holder.0.clone(),
        action: action.to_owned(),
        context: "Pas encore transmis".to_owned(),
        unsent: true,
    })
}

/// The longest that an automatic search may look back: two years (facts: ANS sync v0.3).
const AUTOMATIC_SEARCH_S_MAX: i64 = 2 * 366 * 24 * 3600;
/// How far back a history is asked for: one year.
const HISTORY_S: i64 = 366 * 24 * 3600;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::consent::Answer;
    use crate::journal::consent::Said;
    use crate::journal::consent::Shown;
    use crate::journal::consent::Speaker;
    use crate::journal::words::Ground;
    use crate::journal::words::Regime;
    use crate::patient::ins::InsKind;
    use crate::time::Now;
    use crate::time::Wall;
    use std::time::Duration;
    use uuid::Uuid;

    fn consent(id: u128, scope: Scope, answer: Answer) -> Consent {
        let holder = HolderId("8".into());
        let said = Said {
            patient: Ins::unchecked("279035121518989", InsKind::Test).expect("well formed"),
            holder: holder.clone(),
            collected_by: holder,
            scope,
            answer,
            ground: Ground::Team,
            regime: Regime::ConseilEtat2025,
            shown: Shown { text: "AC-3".into(), version: 1, language: "fr-FR".into() },
            by: Speaker::Patient,
            signature: None,
            at: Now { since_boot: Duration::ZERO, wall: Wall::Is(UnixSeconds(0)) },
        };
        Consent { id: Uuid::from_u128(id), said }
    }

    #[test]
    fn a_colleagues_refusal_binds_the_team_and_nobody_else() {
        let of_team = consent(1, Scope::Team("t".into()), Answer::No);
        let of_one = consent(2, Scope::HolderOnce, Answer::No);
        for (who, teams, by_team, by_one) in
            [("8", &["t"][..], true, true), ("9", &["s", "t"], true, false), ("7", &["s"], false, false)]
        {
            assert_eq!(concerns(&of_team, &HolderId(who.into()), teams), by_team, "{who}");
            assert_eq!(concerns(&of_one, &HolderId(who.into()), teams), by_one, "{who}");
        }
    }
}
