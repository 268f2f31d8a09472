//! The morning's round over the wire beside curl, one opening counted in round trips, and what a large document costs in memory.

use crate::Done;
use crate::figure::Figure;
use crate::figure::Goal;
use crate::memory;
use crate::stage::Stage;
use crate::stage::now;
use crate::wire::Quality;
use crate::wire::Wire;
use chevet::exchange::AsHolder;
use chevet::exchange::Pdsm;
use chevet::exchange::Upstream;
use chevet::identity::holder::CertificateKeyId;
use chevet::identity::holder::HolderId;
use chevet::journal::Committed;
use chevet::journal::Draft;
use chevet::journal::Pending;
use chevet::journal::Trace;
use chevet::journal::words::Class;
use chevet::link::Urgency;
use chevet::link::turns;
use chevet::patient::ins::Ins;
use chevet::patient::ins::InsKind;
use chevet::record::sync::Kept;
use chevet::sandbox::dmp::Running;
use chevet::sandbox::people::Case;
use chevet::sandbox::people::Content;
use chevet::sandbox::people::NURSE;
use chevet::sandbox::people::Paper;
use chevet::sandbox::people::People;
use chevet::sandbox::people::Person;
use chevet::sandbox::people::Standing;
use chevet::secret::SecretBytes;
use chevet::vault;
use chevet::vault::Vault;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::time::Instant;
use uuid::Uuid;

const DOCUMENTS: usize = 10;
const SINCE_S: i64 = 2 * 366 * 24 * 3600;

/// `patients` of ten documents each, once by curl and once by us, on the same wire.
pub fn measure(stage: &Stage, folder: &Path, patients: usize) -> Done<Vec<Figure>> {
    let thin = Quality { bits_per_second: Some(200_000), delay: Duration::from_millis(300), lost_per_mille: 0 };
    let people = day(patients)?;
    let (wire, connector) = (Wire::lay(thin)?, |server: &Running| stage.connector(server));
    let server = stage.server(&wire, people.clone())?;
    let curl = by_curl(stage, &wire, &server, folder, &people, &stage.nurse(&connector(&server)?)?)?;
    let ours = by_us(stage, &wire, &server, &people)?;
    drop(server);
    let far = Quality { bits_per_second: None, ..thin };
    Ok(vec![
        Figure {
            name: format!("the round: {patients} patients x {DOCUMENTS} documents over 200 kbit/s and 600 ms"),
            ours,
            peer: Some(("curl, sequential, one connection", curl)),
            unit: "s",
            goal: Goal::Most(0.7),
        },
        Figure {
            name: "round trips until the list shows, warm connection (whole ones of 600 ms)".to_owned(),
            ours: opening(stage, far)?,
            peer: None,
            unit: "round trips",
            goal: Goal::Most(2.0),
        },
        Figure {
            name: "memory until a 50 MB document is sealed in the compartment (both ends in one process)".to_owned(),
            ours: large(stage, folder)?,
            peer: None,
            unit: "MB",
            goal: Goal::Most(8.0),
        },
    ])
}

/// Half of the documents above 20 KB, one in twenty above 500 KB and not to be compressed further.
fn day(patients: usize) -> Done<People> {
    let source = People::generate(2026, now());
    let model = source.of(Case::Authorized).ok_or("somebody stands for it")?;
    let words: Vec<u8> = model
        .papers
        .iter()
        .filter(|paper| paper.mime == "text/xml")
        .filter_map(|paper| if let Content::Bytes(bytes) = &paper.content { Some(bytes.to_vec()) } else { None })
        .flatten()
        .collect();
    let mut at = 0;
    let persons = (0..patients).map(|number| {
        let papers = (0..DOCUMENTS).map(|place| {
            let order = number * DOCUMENTS + place;
            let is_large = order % 20 == 7;
            let size = if is_large { 600_000 } else { 12_000 + order * 1_777 % 17_000 };
            let bytes =
                if is_large { noise(size) } else { words.iter().cycle().skip(at).take(size).copied().collect() };
            at += size;
            paper(&model.papers[place], order, if is_large { "application/pdf" } else { "text/xml" }, bytes)
        });
        let papers = papers.collect();
        let mut person = Person { papers, standing: vec![Standing::Valid(NURSE)], ..model.clone() };
        person.patient.ins = ins(number);
        person
    });
    Ok(People { persons: persons.collect(), today: source.today })
}

fn ins(number: usize) -> Ins {
    Ins::unchecked(&format!("{:015}", 255_069_999_900_000 + number), InsKind::Test).expect("fifteen digits")
}

fn paper(model: &Paper, order: usize, mime: &'static str, bytes: Vec<u8>) -> Paper {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &bytes);
    Paper {
        unique_id: format!("1.2.250.1.213.1.4.10.98.{order}"),
        entry_id: format!("b{order}"),
        logical_id: format!("00000000-0000-4000-8000-{order:012}"),
        mime,
        labels: vec!["N"],
        claimed_size: bytes.len() as u64,
        claimed_sha1: digest.as_ref().try_into().ok(),
        content: Content::Bytes(bytes.into()),
        ..model.clone()
    }
}

fn noise(size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    aws_lc_rs::rand::fill(&mut bytes).expect("there is chance");
    bytes
}

/// The same questions in the same order, one after the other.
fn by_curl(stage: &Stage, wire: &Wire, server: &Running, folder: &Path, people: &People, who: &AsHolder) -> Done<f64> {
    let (base, device) = (&server.base_url, stage.pki.device());
    let token = String::from_utf8_lossy(who.token.show_bytes()).into_owned();
    let since = now().plus(-SINCE_S).rfc3339();
    let mut settings = format!(
        "silent\nfail\ncacert = {:?}\ncert = {:?}\nkey = {:?}\nheader = \"Authorization: Bearer {token}\"\n",
        stage.pki.tls_authority(),
        device.certificate,
        device.key
    );
    let mut count = 0;
    for person in &people.persons {
        let patient = format!("urn:oid:{}%7C{}", person.patient.ins.kind.oid(), person.patient.ins.matricule);
        let me = format!("urn:oid:1.2.250.1.71.4.2.1%7C{}", who.holder.0);
        let questions = [
            format!("Patient?identifier={patient}"),
            format!("Consent?patient.identifier={patient}&actor.identifier={me}"),
            format!("CareTeam?patient.identifier={patient}&participant.identifier={me}&status=active"),
            format!("DocumentReference?patient.identifier={patient}&status=current&date=ge{since}&_count=100"),
        ];
        let contents = person.papers.iter().map(|paper| format!("Binary/{}", paper.entry_id));
        for question in questions.into_iter().chain(contents) {
            settings.push_str(&format!("url = \"{base}/{question}\"\noutput = \"/dev/null\"\n"));
            count += 1;
        }
    }
    std::fs::create_dir_all(folder)?;
    let path = folder.join("curl.conf");
    std::fs::write(&path, settings)?;
    let began = Instant::now();
    let curl = wire.near(|| Command::new("curl").arg("--config").arg(&path).status())?;
    let seconds = began.elapsed().as_secs_f64();
    if curl.success() {
        Ok(seconds)
    } else {
        Err(format!("curl asked for {count} things and ended with {curl}").into())
    }
}

fn by_us(stage: &Stage, wire: &Wire, server: &Running, people: &People) -> Done<f64> {
    let connector = stage.connector(server)?;
    let who = stage.nurse(&connector)?;
    let began = Instant::now();
    let round = wire.near(|| {
        on_a_runtime(async {
            for person in &people.persons {
                patient(&connector, &who, &person.patient.ins).await.map_err(|error| error.to_string())?;
            }
            Ok(())
        })
    });
    round?;
    Ok(began.elapsed().as_secs_f64())
}

/// State, list, and the documents, several at once: what a prefetch asks for.
async fn patient(connector: &Pdsm, who: &AsHolder, ins: &Ins) -> Result<(), chevet::exchange::Error> {
    connector.state(who, ins, None).await?;
    let found = connector.find(who, ins, now().plus(-SINCE_S)).await?;
    let documents = found.release(&listed(ins)).map_err(|_| chevet::exchange::Error::TimedOut)?;
    for some in documents.chunks(TOGETHER) {
        let mut fetching: Vec<_> =
            some.iter().map(|document| Box::pin(connector.fetch(who, ins, document, None))).collect();
        // All of them, each polled until it is done.
        for one in together(&mut fetching).await {
            one?;
        }
    }
    Ok(())
}

/// What lets a list out: here, a row that nobody keeps.
fn listed(ins: &Ins) -> Committed {
    let draft = Draft { class: Class::Listed, patient: Some(ins.clone()), document: None, ..crate::evening::row(1) };
    Pending::new(Trace {
        index: 1,
        id: Uuid::from_u128(1),
        blind: [1; 32],
        boot: Uuid::from_u128(9),
        device: "bench".into(),
        software: "chevet bench".into(),
        draft,
    })
    .committed()
}

async fn together<F: Future + Unpin>(all: &mut [F]) -> Vec<F::Output> {
    let mut done: Vec<Option<F::Output>> = all.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (one, slot) in all.iter_mut().zip(&mut done).filter(|(_, slot)| slot.is_none()) {
            if let std::task::Poll::Ready(output) = std::pin::Pin::new(one).poll(context) {
                *slot = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

const TOGETHER: usize = 5;

/// What is asked between the touch and the list, with a connection that is there: the first time, or where a list is kept.
fn opening(stage: &Stage, quality: Quality) -> Done<f64> {
    let people = People::generate(2026, now());
    let patient = people.of(Case::Authorized).ok_or("somebody stands for it")?.patient.ins.clone();
    let wire = Wire::lay(quality)?;
    let server = stage.server(&wire, people)?;
    let connector = stage.connector(&server)?;
    let who = stage.nurse(&connector)?;
    let seconds = wire.near(|| {
        on_a_runtime(async {
            let of = |error: chevet::exchange::Error| error.to_string();
            let since = now().plus(-SINCE_S);
            connector.state(&who, &patient, None).await.map_err(of)?;
            let began = Instant::now();
            connector.state(&who, &patient, None).await.map_err(of)?;
            let held = connector.find(&who, &patient, since).await.map_err(of)?;
            let first = began.elapsed();
            // The next day: a list is kept, and nothing has changed.
            let documents = held.release(&listed(&patient)).map_err(|_| "the row is about this list")?;
            let entries = documents.into_iter().map(|document| document.entry_uuid).collect();
            let kept = Kept { last: now(), entries };
            connector.changes(&who, &patient, &kept, since).await.map_err(of)?;
            let began = Instant::now();
            connector.state(&who, &patient, None).await.map_err(of)?;
            connector.changes(&who, &patient, &kept, since).await.map_err(of)?;
            Ok(began.elapsed().max(first).as_secs_f64())
        })
    })?;
    Ok((seconds / 0.6).round())
}

/// The highest that memory rose above what it was before, from the question until the document is sealed in the compartment.
fn large(stage: &Stage, folder: &Path) -> Done<f64> {
    const SIZE: u64 = 50 * 1024 * 1024;
    let mut people = day(1)?;
    people.persons[0].papers.truncate(1);
    people.persons[0].papers[0].content = Content::Zeros(SIZE);
    people.persons[0].papers[0].mime = "application/pdf";
    (people.persons[0].papers[0].claimed_size, people.persons[0].papers[0].claimed_sha1) = (SIZE, None);
    let patient = people.persons[0].patient.ins.clone();
    let wire = Wire::lay(Quality { bits_per_second: None, delay: Duration::from_millis(5), lost_per_mille: 0 })?;
    let server = stage.server(&wire, people)?;
    let connector = stage.connector(&server)?.with_document_limit(SIZE);
    let who = stage.nurse(&connector)?;
    let state = folder.join("large");
    let peak = wire.near(|| {
        on_a_runtime(async {
            let vault = unlocked(&state).await.map_err(|error| error.to_string())?;
            let of = |error: chevet::exchange::Error| error.to_string();
            let held = connector.find(&who, &patient, now().plus(-SINCE_S)).await.map_err(of)?;
            vault.remember_list(&held, now()).await.map_err(|error| error.to_string())?;
            let documents = held.release(&listed(&patient)).map_err(|_| "the row is about this list")?;
            let document = documents.first().ok_or("one document")?;
            let before = memory::begin();
            let fetching = connector.fetch(&who, &patient, document, Some(vault.folder()));
            let came = turns::at(Urgency::Prefetch, fetching).await.map_err(of)?;
            vault.store(&document.unique_id, &came, now()).await.map_err(|error| error.to_string())?;
            let peak = memory::peak() - before;
            let is_here = vault.has(&patient, &document.unique_id).await.map_err(|error| error.to_string())?;
            if is_here { Ok(peak) } else { Err("it is not in the compartment".to_owned()) }
        })
    })?;
    Ok(peak as f64 / f64::from(1 << 20))
}

/// A vault whose compartment is open.
async fn unlocked(state: &Path) -> Done<Vault> {
    let options = vault::Options {
        folder: state.to_owned(),
        device: vault::keys::device_id(state)?,
        software: "bench".to_owned(),
        boot: Uuid::now_v7(),
        device_key: vault::keys::desk_device_key(state)?,
    };
    let vault = Vault::open(options, now())?;
    let (holder, key) = (HolderId(NURSE.into()), CertificateKeyId([1; 32]));
    let statement = vault.compartment_statement(&holder, key).await?;
    vault.unlock(&holder, key, SecretBytes::new(statement.message().to_vec()), now()).await?;
    Ok(vault)
}

fn on_a_runtime<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(work)
}
