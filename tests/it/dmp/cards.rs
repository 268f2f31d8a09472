//! The connector `dmp` against the sandbox's other door: real TLS 1.2, a key outside rustls in the handshake, SOAP, XDS.b, VIHF.
//! That both ends were written from the same facts is said in docs/dmp.md.

use super::*;
use chevet::card;
use chevet::exchange::About;
use chevet::exchange::Dmp;
use chevet::exchange::Error;
use chevet::exchange::Outcome;
use chevet::exchange::dmp::Dialect;
use chevet::exchange::dmp::Settings;
use chevet::exchange::dmp::pen::Pen;
use chevet::exchange::dmp::pen::PenHolder;
use chevet::exchange::dmp::pen::Signing;
use chevet::exchange::dmp::vihf::Actor;
use chevet::exchange::dmp::vihf::Shape;
use chevet::exchange::dmp::vihf::Software;
use chevet::identity::certificate::Certificate;
use chevet::identity::holder::Situation;
use chevet::identity::statement::Hash;
use chevet::identity::statement::SignedInfo;
use chevet::journal::consent::Answer;
use chevet::journal::consent::Consent;
use chevet::journal::consent::Said;
use chevet::journal::consent::Scope;
use chevet::journal::consent::Shown;
use chevet::journal::consent::Speaker;
use chevet::journal::item::Contribution;
use chevet::journal::item::Deed;
use chevet::journal::words::Ground;
use chevet::journal::words::Regime;
use chevet::link::error::Cause;
use chevet::link::holder::KeyHolder;
use chevet::link::holder::KeyInHand;
use chevet::link::holder::NotSigned;
use chevet::record::document::Document;
use chevet::record::document::Label;
use chevet::record::document::Status;
use chevet::record::note::Change;
use chevet::record::sync::Kept;
use chevet::sandbox::pki::CardSecrets;
use chevet::time::Now;
use chevet::time::Wall;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

/// A card's key without the card: who holds it can be changed, and it can be made to fail.
#[derive(Default)]
pub(super) struct Slot {
    inside: Mutex<Option<Arc<InSlot>>>,
}

pub(super) struct InSlot {
    secrets: CardSecrets,
    signed: AtomicU32,
    fails: bool,
    /// What its signature key says instead of signing, or does wrong.
    pub(super) pen: Mutex<PenFault>,
    /// It says nothing until it is told to go on.
    silence: Option<Silence>,
}

/// One end of a card that keeps silent.
struct Silence {
    asked: tokio::sync::Notify,
    go_on: Mutex<mpsc::Receiver<()>>,
}

#[derive(Debug, thiserror::Error)]
#[error("pulled")]
struct Pulled;

impl Slot {
    pub(super) fn put(&self, name: &str, fails: bool) -> Arc<InSlot> {
        self.hold(name, fails, None)
    }

    /// One that keeps silent until `()` is sent.
    fn put_silent(&self, name: &str) -> (Arc<InSlot>, mpsc::Sender<()>) {
        let (send, go_on) = mpsc::channel();
        let silence = Silence { asked: tokio::sync::Notify::new(), go_on: Mutex::new(go_on) };
        (self.hold(name, true, Some(silence)), send)
    }

    fn hold(&self, name: &str, fails: bool, silence: Option<Silence>) -> Arc<InSlot> {
        let secrets = pki().card(&Drawer::profile(name).expect("in the drawer")).expect("a card");
        let card = Arc::new(InSlot { secrets, signed: AtomicU32::new(0), fails, pen: Mutex::default(), silence });
        *self.inside.lock().expect("the slot") = Some(card.clone());
        card
    }

    fn empty(&self) {
        *self.inside.lock().expect("the slot") = None;
    }
}

impl KeyHolder for Slot {
    fn present(&self) -> Option<Arc<dyn KeyInHand>> {
        let card = self.inside.lock().expect("the slot").clone()?;
        Some(card)
    }
}

impl KeyInHand for InSlot {
    fn chain(&self) -> Vec<Vec<u8>> {
        vec![self.secrets.authentication.certificate.clone()]
    }

    fn sign(&self, transcript: &[u8]) -> Result<Vec<u8>, Cause> {
        self.signed.fetch_add(1, Ordering::SeqCst);
        if let Some(silence) = &self.silence {
            silence.asked.notify_one();
            let go_on = silence.go_on.lock().expect("one handshake at a time");
            let _told = tokio::task::block_in_place(|| go_on.recv_timeout(DEADLINE));
        }
        if self.fails {
            return Err(Box::new(Pulled));
        }
        Ok(self.secrets.sign_with_authentication(transcript)?)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum PenFault {
    #[default]
    None,
    /// As a card that has no such key.
    Missing,
    /// It gives the other certificate.
    OtherCertificate,
    /// It signs other words.
    OtherWords,
}

impl PenHolder for Slot {
    fn present(&self) -> Option<Arc<dyn Pen>> {
        let card = self.inside.lock().expect("the slot").clone()?;
        Some(card)
    }
}

impl Pen for InSlot {
    fn certificate(&self) -> Signing<'_, Vec<u8>> {
        Box::pin(async {
            match *self.pen.lock().expect("the pen") {
                PenFault::Missing => Err(Box::new(card::Error::NoSignatureKey) as Cause),
                PenFault::OtherCertificate => Ok(self.secrets.authentication.certificate.clone()),
                PenFault::None | PenFault::OtherWords => Ok(self.secrets.signature.certificate.clone()),
            }
        })
    }

    fn sign(&self, info: SignedInfo) -> Signing<'_, Vec<u8>> {
        let fault = *self.pen.lock().expect("the pen");
        Box::pin(async move {
            assert_eq!(info.hash(), Hash::Sha256, "what these tests can sign");
            let other = [info.message(), b" "].concat();
            let message = if fault == PenFault::OtherWords { &other } else { info.message() };
            Ok(self.secrets.sign_with_signature(message)?)
        })
    }
}

pub(super) struct Visit {
    pub(super) server: Running,
    pub(super) slot: Arc<Slot>,
    pub(super) link: Client,
    pub(super) dmp: Dmp,
}

pub(super) fn settings() -> Settings {
    Settings {
        software: Software {
            id: Some("borne-1".into()),
            name: "CHEVET".into(),
            version: "test".into(),
            homologation: "NON-HOMOLOGUE".into(),
        },
        shape: Shape::default(),
        oid: "1.2.250.1.999.1.1.4242".into(),
        dialect: Dialect::French,
        sign_assertions: None,
        sign_deposits: Hash::Sha256,
    }
}

impl Visit {
    pub(super) fn begin() -> Visit {
        Visit::begin_at(now, settings())
    }

    /// By a clock of its own, or other settings.
    pub(super) fn begin_at(clock: fn() -> UnixSeconds, settings: Settings) -> Visit {
        let server = start(0, None);
        let slot = Arc::new(Slot::default());
        let timeouts = link::Timeouts { connect: DEADLINE, handshake: DEADLINE, answer: DEADLINE, silence: DEADLINE };
        let authority = fs::read(pki().tls_authority()).expect("authority");
        let link = Client::of_holder(&authority, slot.clone(), timeouts).expect("a client");
        let device = client(pki().device());
        let audit = Pdsm::new(device.clone(), &server.base_url, device, &server.base_url, Profile::Put);
        let audit = audit.expect("a trace repository");
        let dmp = Dmp::new(link.clone(), slot.clone(), &server.services_url, audit, settings, Arc::new(clock));
        Visit { server, slot, link, dmp: dmp.expect("a connector") }
    }
}

pub(super) fn actor(name: &str) -> Actor {
    let secrets = pki().card(&Drawer::profile(name).expect("in the drawer")).expect("a card");
    let certificate = Certificate::parse(&secrets.authentication.certificate).expect("a certificate");
    let mut holder = certificate.holder();
    holder.situations = Some(vec![Situation {
        structure: "1440000999".into(),
        name: "CLINIQUE DU BAC A SABLE".into(),
        sector: Some("SA04".into()),
    }]);
    Actor {
        holder,
        subject: certificate.distinguished_name().to_owned(),
        profession_label: "Infirmier".into(),
        logged_in: now(),
    }
}

pub(super) fn by(actor: Actor, mode: Mode) -> AsHolder {
    AsHolder {
        holder: actor.holder.id.clone(),
        token: SecretBytes::new(Vec::new()),
        until: now().plus(300),
        mode: Some(mode),
        actor: Some(Box::new(actor)),
    }
}

pub(super) fn nurse() -> AsHolder {
    by(actor("nurse"), Mode::Normal)
}

pub(super) fn long_ago() -> UnixSeconds {
    now().plus(-4_000 * 86_400)
}

pub(super) async fn list(visit: &Visit, who: &AsHolder, case: Case) -> Result<Vec<Document>, Error> {
    Ok(visit.dmp.find(who, &ins(case), long_ago()).await?.for_storage().clone())
}

/// The same record, asked for in FHIR, is the same list; what comes is byte for byte what is there; and all of it costs the card
/// one signature.
#[tokio::test]
async fn a_record_is_opened_by_one_signature() {
    let visit = Visit::begin();
    let card = visit.slot.put("nurse", false);
    let who = nurse();
    let state = visit.dmp.state(&who, &ins(Case::Authorized), None).await.expect("a state");
    assert_eq!((state.existence, state.authorization), (Existence::Open, Authorization::Valid { until: None }));
    let found = list(&visit, &who, Case::Authorized).await.expect("a list");

    let device = client(pki().device());
    let pdsm = Pdsm::new(device.clone(), &visit.server.base_url, device.clone(), &visit.server.base_url, Profile::Put);
    let (pdsm, token) = (pdsm.expect("a connector"), holder("nurse", &device, &visit.server, 1));
    let fhir = pdsm.find(&token, &ins(Case::Authorized), long_ago()).await;
    let mut fhir = fhir.expect("a list").for_storage().clone();
    for document in &mut fhir {
        document.attachment.url = "urn:oid:1.2.250.1.213.4.1.1.1.2".to_owned();
    }
    fhir.sort_by(|one, other| one.unique_id.cmp(&other.unique_id));
    let mut xds = found.clone();
    xds.sort_by(|one, other| one.unique_id.cmp(&other.unique_id));
    assert!(xds.len() > 10 && xds == fhir, "{} and {} documents", xds.len(), fhir.len());

    let everybody = everybody();
    let person = everybody.of(Case::Authorized).expect("somebody");
    for document in found.iter().take(6) {
        let content = visit.dmp.fetch(&who, &ins(Case::Authorized), document, None).await.expect("its content");
        let paper = person.papers.iter().find(|paper| paper.unique_id == document.unique_id.0).expect("a paper");
        let Content::Bytes(bytes) = &paper.content else { panic!("bytes") };
        let whole = content.for_storage().whole().expect("in memory");
        assert!(whole.show_bytes() == &**bytes);
    }
    assert_eq!(card.signed.load(Ordering::SeqCst), 1);
}

/// After `hang_up` nothing is left of a card: the next connection needs the next card's own signature, in full.
#[tokio::test]
async fn no_session_outlives_its_card() {
    let visit = Visit::begin();
    let first = visit.slot.put("nurse", false);
    for _visit in 0..3 {
        visit.dmp.state(&nurse(), &ins(Case::Authorized), None).await.expect("a state");
        visit.dmp.hang_up();
    }
    assert_eq!(first.signed.load(Ordering::SeqCst), 3);
    assert_eq!(visit.server.connections(), (3, 0), "whole handshakes, though the server would resume");
    visit.slot.empty();
    let nobody = visit.dmp.state(&nurse(), &ins(Case::Authorized), None).await;
    assert!(matches!(nobody, Err(Error::Refused { about: About::Holder, .. })), "{nobody:?}");
    let second = visit.slot.put("doctor", false);
    let doctor = by(actor("doctor"), Mode::Normal);
    visit.dmp.state(&doctor, &ins(Case::Authorized), None).await.expect("a state");
    assert_eq!((first.signed.load(Ordering::SeqCst), second.signed.load(Ordering::SeqCst)), (3, 1));
}

#[tokio::test]
async fn what_the_card_says_instead_of_signing_comes_back_whole() {
    let visit = Visit::begin();
    visit.slot.put("nurse", true);
    let error = visit.dmp.state(&nurse(), &ins(Case::Authorized), None).await.expect_err("it does not sign");
    let Error::HolderKey { source } = error else { panic!("{error:?}") };
    let source = source.downcast_ref::<NotSigned>().expect("the link's word");
    assert!(source.0.downcast_ref::<Pulled>().is_some(), "{source:?}");
    for bad in ["expired", "revoked", "other-issuer"] {
        if Drawer::profile(bad).is_none() {
            continue;
        }
        visit.slot.put(bad, false);
        let refused = visit.dmp.state(&by(actor(bad), Mode::Normal), &ins(Case::Authorized), None).await;
        assert!(matches!(refused, Err(Error::Refused { about: About::Holder, .. })), "{bad}: {refused:?}");
    }
}

/// As a card does that is being pulled: whoever asked hears of the lock at once, and not when the card has given up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_that_keeps_silent_holds_up_no_lock() {
    let visit = Visit::begin();
    let (card, go_on) = visit.slot.put_silent("nurse");
    let (who, patient) = (nurse(), ins(Case::Authorized));
    let silence = card.silence.as_ref().expect("it keeps silent");
    tokio::select! {
        biased;
        said = visit.dmp.state(&who, &patient, None) => panic!("whoever asked was held up until {said:?}"),
        // The lock, while the card is being asked.
        () = silence.asked.notified() => {}
    }
    assert_eq!(card.signed.load(Ordering::SeqCst), 1);
    go_on.send(()).expect("it still waits");
}

/// The server compares the assertion with the card; the connector makes up nothing that the card does not say.
#[tokio::test]
async fn nobody_asks_in_another_name_or_from_nowhere() {
    let visit = Visit::begin();
    visit.slot.put("nurse", false);
    let state = async |who: AsHolder| visit.dmp.state(&who, &ins(Case::Authorized), None).await;
    let other = state(by(actor("doctor"), Mode::Normal)).await;
    assert!(
        matches!(&other, Err(Error::Refused { code, about: About::Holder, .. }) if code == "DMPInvalidCertificate"),
        "{other:?}"
    );
    let mut elsewhere = actor("nurse");
    elsewhere.holder.situations.iter_mut().flatten().for_each(|place| place.structure = "1999999999".into());
    let elsewhere = state(by(elsewhere, Mode::Normal)).await;
    assert!(matches!(elsewhere, Err(Error::Refused { about: About::Holder, .. })), "{elsewhere:?}");
    let mut nowhere = actor("nurse");
    nowhere.holder.situations = None;
    assert!(matches!(state(by(nowhere, Mode::Normal)).await, Err(Error::Unsayable { .. })));
    assert!(matches!(state(AsHolder { actor: None, ..nurse() }).await, Err(Error::Unsayable { .. })));
}

/// A clock that is an hour off is refused once; from then on the server's own word dates each assertion.
#[tokio::test]
async fn a_wrong_clock_is_put_right_by_the_server() {
    let visit = Visit::begin_at(|| now().plus(-3_600), settings());
    visit.slot.put("nurse", false);
    let first = visit.dmp.state(&nurse(), &ins(Case::Authorized), None).await;
    assert!(matches!(first, Err(Error::Refused { about: About::Holder, .. })), "{first:?}");
    visit.dmp.state(&nurse(), &ins(Case::Authorized), None).await.expect("dated by the server");
}

#[tokio::test]
async fn every_state_of_a_record_is_told() {
    let visit = Visit::begin();
    visit.slot.put("nurse", false);
    let who = nurse();
    for (case, existence, authorization) in [
        (Case::Authorized, "open", Authorization::Valid { until: None }),
        (Case::Unasked(0), "open", Authorization::None),
        (Case::Expired, "open", Authorization::Expired),
        (Case::Forbidden, "open", Authorization::Forbidden),
        (Case::BlockedNurse, "open", Authorization::Forbidden),
        (Case::NeverCreated, "never", Authorization::Unknown),
    ] {
        let state = visit.dmp.state(&who, &ins(case), None).await.expect("a state");
        let word = match state.existence {
            Existence::Open => "open",
            Existence::NeverCreated => "never",
            Existence::Closed { .. } => "closed",
            Existence::Unknown => "unknown",
        };
        assert_eq!((word, state.authorization), (existence, authorization), "{case:?}");
        assert_eq!(state.blocked, authorization == Authorization::Forbidden);
    }
    let closed = visit.dmp.state(&who, &ins(Case::Closed), None).await.expect("a state");
    assert!(matches!(closed.existence, Existence::Closed { .. }));
    for case in [Case::Unasked(0), Case::Closed, Case::BlockedNurse] {
        let refused = list(&visit, &who, case).await;
        assert!(matches!(refused, Err(Error::Refused { about: About::Patient, .. })), "{case:?}: {:?}", refused.err());
    }
    let theirs = visit.dmp.authorized(&who).await.expect("a list");
    let theirs: Vec<&Ins> = theirs.iter().map(|(ins, _)| ins).collect();
    assert!(theirs.contains(&&ins(Case::Authorized)) && !theirs.contains(&&ins(Case::Unasked(0))));
}

fn said(scope: Scope, answer: Answer, case: Case) -> Consent {
    let who = actor("nurse").holder.id;
    Consent {
        id: uuid::Uuid::now_v7(),
        said: Said {
            patient: ins(case),
            holder: who.clone(),
            collected_by: who,
            scope,
            answer,
            ground: Ground::Explicit,
            regime: Regime::ConseilEtat2025,
            shown: Shown { text: "AC-3".into(), version: 1, language: "fr-FR".into() },
            by: Speaker::Patient,
            signature: None,
            at: Now { since_boot: Duration::ZERO, wall: Wall::Is(now()) },
        },
    }
}

#[tokio::test]
async fn an_authorization_is_given_and_taken_back() {
    let visit = Visit::begin();
    visit.slot.put("nurse", false);
    let (who, case) = (nurse(), Case::Unasked(1));
    let authorization = async || visit.dmp.state(&who, &ins(case), None).await.expect("a state").authorization;
    // A team's consent gives no professional an authorization.
    let team = said(Scope::Team("t".into()), Answer::Yes, case);
    assert_eq!(visit.dmp.consent(&who, &team).await.expect("an answer"), Outcome::Acknowledged);
    assert_eq!(authorization().await, Authorization::None);
    for (answer, expected) in [
        (Answer::Yes, Authorization::Valid { until: None }),
        (Answer::Yes, Authorization::Valid { until: None }),
        (Answer::Withdrawn, Authorization::None),
    ] {
        let consent = said(Scope::Authorization, answer, case);
        assert_eq!(visit.dmp.consent(&who, &consent).await.expect("an answer"), Outcome::Acknowledged);
        assert_eq!(authorization().await, expected, "{answer:?}");
        assert_eq!(list(&visit, &who, case).await.is_ok(), expected != Authorization::None);
    }
    let closed = visit.dmp.consent(&who, &said(Scope::Authorization, Answer::Yes, Case::Closed)).await;
    assert!(matches!(closed.expect("an answer"), Outcome::Refused { code, .. } if code == "DMPClosed"));
}

/// What an author does with their own document; sent twice it is done once, and somebody else's stays as it is.
#[tokio::test]
async fn a_document_is_masked_shown_archived_and_withdrawn_by_its_author_alone() {
    let visit = Visit::begin();
    visit.slot.put("nurse", false);
    let who = nurse();
    let found = list(&visit, &who, Case::Labelled).await.expect("a list");
    let own =
        found.iter().find(|one| one.authors[0].id.as_deref() == Some(people::NURSE) && one.status == Status::Current);
    let own = own.expect("she wrote one").clone();
    let change = |document: &Document, change: Change| Contribution {
        author: who.holder.clone(),
        patient: ins(Case::Labelled),
        unique_id: document.unique_id.clone(),
        type_code: document.type_code.clone(),
        deed: Deed::Change { change, labels: change.labels_after(&document.labels) },
    };
    let now_is = async || {
        let found = list(&visit, &who, Case::Labelled).await.expect("a list");
        found.into_iter().find(|one| one.unique_id == own.unique_id).map(|one| (one.labels, one.status))
    };
    let masked = vec![Label::Normal, Label::MaskedToProfessionals];
    for (what, expected) in [
        (Change::Show, Some((vec![Label::Normal], Status::Current))),
        (Change::Mask, Some((masked.clone(), Status::Current))),
        (Change::Mask, Some((masked, Status::Current))),
        (Change::Show, Some((vec![Label::Normal], Status::Current))),
        (Change::Archive, Some((vec![Label::Normal], Status::Archived))),
        (Change::Restore, Some((vec![Label::Normal], Status::Current))),
        (Change::Withdraw, None),
    ] {
        let done = visit.dmp.contribute(&who, &change(&own, what)).await.expect("an answer");
        assert_eq!((done, now_is().await), (Outcome::Acknowledged, expected), "{what:?}");
    }
    let other = found.iter().find(|one| one.authors[0].id.is_none()).expect("somebody else wrote one");
    let refused = visit.dmp.contribute(&who, &change(other, Change::Mask)).await.expect("an answer");
    assert!(matches!(refused, Outcome::Refused { code, .. } if code == "XDSMetadataUpdateError"));
}

/// The list that is kept becomes what stands: an archived document too, whose entry keeps its id.
#[tokio::test]
async fn a_kept_list_follows_what_stands() {
    let visit = Visit::begin();
    visit.slot.put("nurse", false);
    let who = nurse();
    let before = list(&visit, &who, Case::Authorized).await.expect("a list");
    let current = before.iter().find(|one| one.status == Status::Current).expect("a current one").clone();
    let gone = before.iter().rfind(|one| one.status == Status::Current).expect("another").clone();
    let archived = dmp::Amendment { archived: Some(true), ..dmp::Amendment::default() };
    visit.server.amend(&current.entry_uuid, archived);
    let withdrawn = dmp::Amendment { status: Some("entered-in-error".into()), ..dmp::Amendment::default() };
    visit.server.amend(&gone.entry_uuid, withdrawn);
    let kept = Kept { last: now(), entries: before.iter().map(|one| one.entry_uuid.clone()).collect() };
    let changes = visit.dmp.changes(&who, &ins(Case::Authorized), &kept, long_ago()).await.expect("changes");
    let merged = chevet::record::sync::merge(before.clone(), changes.for_storage().clone());
    let now_is = merged.documents.iter().find(|one| one.unique_id == current.unique_id).expect("still listed");
    assert_eq!(now_is.status, Status::Archived);
    assert!(merged.gone.contains(&gone.unique_id) && merged.gone.len() == 1);
    assert_eq!(merged.documents.len(), before.len() - 1);
}

/// The three questions of the synchronisation, and the ids of what stands: no entry that is here and was not touched comes again.
#[tokio::test]
async fn a_synchronisation_asks_for_what_was_touched_and_for_nothing_else() {
    let visit = Visit::begin();
    visit.slot.put("nurse", false);
    let (who, patient) = (nurse(), ins(Case::Authorized));
    let before = list(&visit, &who, Case::Authorized).await.expect("a list");
    let ids = |documents: &[Document]| documents.iter().map(|one| one.entry_uuid.clone()).collect::<Vec<_>>();
    // The people were drawn as of now: what was made in the last days was submitted then.
    let kept = Kept { last: now().plus(30 * 86_400), entries: ids(&before) };
    let changes = async |kept: &Kept| {
        visit.server.keep_bodies();
        let changes = visit.dmp.changes(&who, &patient, kept, long_ago()).await.expect("changes").for_storage().clone();
        let asked = visit.server.take_bodies();
        let is = |body: &Vec<u8>, what: &str| String::from_utf8_lossy(body).contains(what);
        let kinds = ["f26abbcb", "a7ae438b", "14d4debf", "bab9529a"];
        let counts = kinds.map(|kind| asked.iter().filter(|body| is(body, kind)).count());
        assert_eq!(counts.iter().sum::<usize>(), asked.len(), "and nothing else is asked");
        (changes, counts)
    };
    let (nothing, counts) = changes(&kept).await;
    assert_eq!((nothing.documents.len(), counts), (0, [1, 0, 1, 0]), "two questions where nothing happened");
    assert_eq!(chevet::record::sync::merge(before.clone(), nothing).documents, before);
    // A version of a note, and a list that is not kept at all: by twenties.
    let first = Contribution::add(super::contributions::note(91, &who.holder));
    visit.dmp.contribute(&who, &first).await.expect("an answer");
    let with_first = list(&visit, &who, Case::Authorized).await.expect("a list");
    let replaces = chevet::record::note::Replaced { unique_id: first.unique_id.clone(), entry: String::new() };
    let note = super::contributions::note(92, &who.holder);
    let second = Contribution::add(chevet::record::note::Note { replaces: Some(replaces), ..note });
    assert_eq!(visit.dmp.contribute(&who, &second).await.expect("an answer"), Outcome::Acknowledged);
    let (newer, counts) = changes(&Kept { last: now(), entries: ids(&with_first) }).await;
    assert_eq!((counts[0], counts[1], counts[2], counts[3] > 0), (1, 1, 1, true));
    assert!(newer.documents.iter().any(|one| one.unique_id == second.unique_id));
    let old = with_first.iter().find(|one| one.unique_id == first.unique_id).expect("it was there");
    assert_eq!(newer.replaced.as_slice(), std::slice::from_ref(&old.entry_uuid), "what it replaces is said");
    let merged = chevet::record::sync::merge(with_first, newer);
    assert!(merged.gone.contains(&first.unique_id));
    let (all, counts) = changes(&Kept { last: kept.last, entries: Vec::new() }).await;
    assert_eq!(counts[3], all.documents.len().div_ceil(chevet::record::sync::BATCH), "by twenties");
    assert_eq!(all.documents.len(), before.len() + 1);
}

#[tokio::test]
async fn what_came_otherwise_than_promised_is_not_taken() {
    let visit = Visit::begin();
    visit.slot.put("nurse", false);
    let who = nurse();
    let found = list(&visit, &who, Case::Authorized).await.expect("a list");
    let document = found.iter().find(|one| one.attachment.sha1.is_some()).expect("with a hash").clone();
    let fetch = async |change: &dyn Fn(&mut Document)| {
        let mut document = document.clone();
        change(&mut document);
        visit.dmp.fetch(&who, &ins(Case::Authorized), &document, None).await.err()
    };
    assert!(fetch(&|_| {}).await.is_none());
    let other = fetch(&|document| document.attachment.sha1 = Some([0; 20])).await;
    assert!(matches!(other, Some(Error::Damaged { what: "hash" })), "{other:?}");
    let short = fetch(&|document| document.attachment.size_bytes = Some(1)).await;
    assert!(matches!(short, Some(Error::Damaged { what: "size" })), "{short:?}");
    let nowhere = fetch(&|document| document.attachment.url = "urn:oid:1.2.3".into()).await;
    assert!(matches!(nowhere, Some(Error::Refused { code, .. }) if code == "XDSUnknownRepositoryId"));
    let unknown = fetch(&|document| document.unique_id.0 = "1.2.3".into()).await;
    assert!(matches!(unknown, Some(Error::Refused { code, .. }) if code == "XDSDocumentUniqueIdError"));
    let huge = fetch(&|document| document.attachment.size_bytes = Some(u64::MAX)).await;
    assert!(matches!(huge, Some(Error::TooLarge { .. })), "{huge:?}");
    visit.server.faults().set(Fault::Status { status: 503, retry_after_s: None });
    assert!(matches!(fetch(&|_| {}).await, Some(Error::Failed { status: 503, .. })));
    visit.server.faults().set(Fault::Truncated);
    assert!(fetch(&|_| {}).await.is_some());
}
