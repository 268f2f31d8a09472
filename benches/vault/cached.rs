//! A compartment of 5,000 documents: its list, one document of 2 MB, its search index, and what all of it weighs.
//!
//! The plain peers have the same words: a table of the same columns, a file of the same bytes, an FTS5 index in memory with
//! accents taken off and the same question ranked. What the process weighs is asked of a process of its own, which has seen
//! no peer.

use crate::Done;
use crate::Figure;
use crate::NOW;
use crate::micros;
use crate::open;
use crate::row;
use aws_lc_rs::aead::AES_256_GCM;
use aws_lc_rs::aead::Aad;
use aws_lc_rs::aead::LessSafeKey;
use aws_lc_rs::aead::NONCE_LEN;
use aws_lc_rs::aead::Nonce;
use aws_lc_rs::aead::UnboundKey;
use chevet::identity::holder::CertificateKeyId;
use chevet::identity::holder::HolderId;
use chevet::journal::Committed;
use chevet::journal::Held;
use chevet::journal::words::Class;
use chevet::patient::ins::Ins;
use chevet::patient::ins::InsKind;
use chevet::record::document::Attachment;
use chevet::record::document::Author;
use chevet::record::document::ClassCode;
use chevet::record::document::Document;
use chevet::record::document::Label;
use chevet::record::document::Status;
use chevet::record::document::TypeCode;
use chevet::record::document::UniqueId;
use chevet::secret::SecretBytes;
use chevet::secret::content::Content;
use chevet::time::UnixSeconds;
use chevet::vault::Vault;
use rusqlite::Connection;
use rusqlite::params;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use std::time::Instant;

const DOCUMENTS: u32 = 5_000;
const WORDS_EACH: usize = 250;
const LARGE_BYTES: usize = 2 * 1024 * 1024;
/// As sealed files have them.
const CHUNK: usize = 64 * 1024;
const ROUNDS: usize = 9;
const SEARCHES: usize = 300;
pub const WEIGH: &str = "--weigh";

pub async fn measure(folder: &Path) -> Done<Vec<Figure>> {
    let texts = texts();
    let vault = open(folder)?;
    unlock(&vault).await?;
    fill(&vault, &texts).await?;
    let plain = plain_list(&folder.join("plain.db"))?;
    let mut figures = large(&vault, folder).await?;
    figures.push(list(&vault, &plain).await?);
    figures.extend(search(&vault, &texts).await?);
    drop(vault);
    figures.push(weight(folder)?);
    Ok(figures)
}

/// What a fresh process weighs at its highest, with everything open, whole and asked once.
pub async fn weigh(folder: &Path) -> Done<()> {
    let vault = open(folder)?;
    unlock(&vault).await?;
    let listed = vault.list(&patient()?).await?.ok_or("no list")?;
    while vault.index_some().await? {}
    let found = vault.search(&patient()?, "a", &committed(&vault, Class::Searched, None).await?).await?;
    println!("{}", status("VmHWM")?);
    drop((listed, found));
    Ok(())
}

async fn unlock(vault: &Vault) -> Done<()> {
    let holder = HolderId("899700101340".into());
    let statement = vault.compartment_statement(&holder, CertificateKeyId([1; 32])).await?;
    let signature = SecretBytes::new(statement.message().to_vec());
    Ok(vault.unlock(&holder, CertificateKeyId([1; 32]), signature, NOW).await.map(drop)?)
}

async fn fill(vault: &Vault, texts: &[String]) -> Done<()> {
    let patient = patient()?;
    let documents: Vec<Document> = (0..DOCUMENTS).map(document).collect();
    vault.remember_list(&Held::record(patient.clone(), documents), NOW).await?;
    for (number, text) in (0..DOCUMENTS).zip(texts) {
        let id = document(number).unique_id;
        let content = Held::document(patient.clone(), id.clone(), Content::new(text.clone().into_bytes()));
        vault.store(&id, &content, NOW).await?;
        vault.keep_text(&patient, &id, SecretBytes::new(text.clone().into_bytes())).await?;
    }
    // In no list, so that the others are what the peers have.
    let large = Content::new(noise(LARGE_BYTES));
    let id = document(DOCUMENTS).unique_id;
    Ok(vault.store(&id, &Held::document(patient, id.clone(), large), NOW).await?)
}

/// Beside it what no design goes below: the cipher alone over the same bytes, chunk by chunk, in place.
async fn large(vault: &Vault, folder: &Path) -> Done<Vec<Figure>> {
    let file = folder.join("plain.pdf");
    std::fs::write(&file, noise(LARGE_BYTES))?;
    let (id, patient) = (document(DOCUMENTS).unique_id, patient()?);
    let committed = committed(vault, Class::Opened, Some(document(DOCUMENTS))).await?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).map_err(|_| "no key")?);
    let nonce = || Nonce::assume_unique_for_key([0; NONCE_LEN]);
    let mut sealed = noise(CHUNK);
    key.seal_in_place_append_tag(nonce(), Aad::empty(), &mut sealed).map_err(|_| "not sealed")?;
    let (mut ours, mut ciphers, mut peers) = (Vec::new(), Vec::new(), Vec::new());
    // As in the morning, or whenever other things were read in between: the bytes come from the disk.
    let sealed_file = sealed_file(folder)?;
    let (mut cold, mut cold_peers) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        out_of_memory(&sealed_file)?;
        let at = Instant::now();
        let content = vault.release(&patient, &id, &committed).await?;
        cold.push(at.elapsed());
        out_of_memory(&file)?;
        let at = Instant::now();
        let plain = std::fs::read(&file)?;
        cold_peers.push(at.elapsed());
        if content.show_bytes() != plain {
            return Err("the document is not what was stored".into());
        }
    }
    for _ in 0..ROUNDS * 5 {
        let at = Instant::now();
        let content = vault.release(&patient, &id, &committed).await?;
        ours.push(at.elapsed());
        let mut alone = Duration::ZERO;
        for _ in 0..LARGE_BYTES / CHUNK {
            let mut chunk = sealed.clone();
            let at = Instant::now();
            key.open_in_place(nonce(), Aad::empty(), &mut chunk).map_err(|_| "not opened")?;
            alone += at.elapsed();
        }
        ciphers.push(alone);
        let at = Instant::now();
        let plain = std::fs::read(&file)?;
        peers.push(at.elapsed());
        if content.show_bytes() != plain {
            return Err("the document is not what was stored".into());
        }
    }
    let figure = |name, ours: &mut Vec<Duration>, peer, peers: &mut Vec<Duration>| Figure {
        name,
        ours: micros(ours) / 1e3,
        peer: Some((peer, micros(peers) / 1e3)),
        unit: "ms",
        goal: 1.5,
    };
    let (disk, memory) = ("plain file read, from the disk", "plain file read, from memory");
    Ok(vec![
        figure("open a document of 2 MB from the disk", &mut cold, disk, &mut cold_peers),
        figure("open a document of 2 MB whose file is still in memory", &mut ours, memory, &mut peers),
        figure("AES-256-GCM alone over as many bytes", &mut ciphers, memory, &mut peers),
    ])
}

/// The file of the one document that is too large for a row.
fn sealed_file(folder: &Path) -> Done<PathBuf> {
    for entry in std::fs::read_dir(folder.join("compartments"))? {
        let compartment = entry?.path();
        if compartment.is_dir()
            && let Some(file) = std::fs::read_dir(compartment)?.next()
        {
            return Ok(file?.path());
        }
    }
    Err("no sealed file".into())
}

/// Written and then forgotten by the kernel: the next reading asks the disk.
fn out_of_memory(path: &Path) -> Done<()> {
    let file = std::fs::File::open(path)?;
    file.sync_all()?;
    Ok(rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?)
}

async fn list(vault: &Vault, plain: &Connection) -> Done<Figure> {
    let patient = patient()?;
    let committed = committed(vault, Class::Listed, None).await?;
    let (mut ours, mut peers) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS * 5 {
        vault.lock().await;
        let at = Instant::now();
        unlock(vault).await?;
        let (held, _) = vault.list(&patient).await?.ok_or("no list")?;
        let documents = held.release(&committed).map_err(|_| "the row does not cover the list")?;
        ours.push(at.elapsed());
        let at = Instant::now();
        let same = select(plain)?;
        peers.push(at.elapsed());
        if documents != same {
            return Err("the peer's list is another one".into());
        }
    }
    let peer = Some(("SQLite select of the same plain rows", micros(&mut peers) / 1e3));
    let name = "open a compartment of 5,000 documents to its list";
    Ok(Figure { name, ours: micros(&mut ours) / 1e3, peer, unit: "ms", goal: 2.0 })
}

async fn search(vault: &Vault, texts: &[String]) -> Done<Vec<Figure>> {
    let (mut ours, mut peers) = (Vec::new(), Vec::new());
    let mut fts = None;
    for _ in 0..ROUNDS {
        vault.lock().await;
        unlock(vault).await?;
        let at = Instant::now();
        while vault.index_some().await? {}
        ours.push(at.elapsed());
        let at = Instant::now();
        fts = Some(full_text(texts)?);
        peers.push(at.elapsed());
    }
    let fts = fts.ok_or("no index")?;
    let peer = Some(("building FTS5 from the same plain text", micros(&mut peers) / 1e3));
    let name = "search index of 5,000 documents ready";
    let ready = Figure { name, ours: micros(&mut ours) / 1e3, peer, unit: "ms", goal: 0.5 };

    let committed = committed(vault, Class::Searched, None).await?;
    let patient = patient()?;
    let sql = "SELECT rowid FROM text WHERE text MATCH ?1 ORDER BY rank";
    let mut asked = fts.prepare(sql)?;
    let mut dice = Dice(77);
    let (mut ours, mut peers) = (Vec::new(), Vec::new());
    for turn in 0..SEARCHES {
        let words: Vec<String> = (0..1 + turn % 2).map(|_| word(dice.rank())).collect();
        let (question, matching) = (words.join(" "), words.join("* ") + "*");
        let at = Instant::now();
        let found = vault.search(&patient, &question, &committed).await?;
        ours.push(at.elapsed());
        let at = Instant::now();
        let same: Vec<u32> = asked.query_map([&matching], |row| row.get(0))?.collect::<Result<_, _>>()?;
        peers.push(at.elapsed());
        if found.len() != same.len() {
            return Err(format!("« {question} »: {} found, {} by the peer", found.len(), same.len()).into());
        }
    }
    let peer = Some(("FTS5 query, ranked", micros(&mut peers)));
    let one = Figure { name: "one search over them", ours: micros(&mut ours), peer, unit: "us", goal: 1.0 };
    Ok(vec![ready, one])
}

fn weight(folder: &Path) -> Done<Figure> {
    let out = Command::new(std::env::current_exe()?).arg(WEIGH).arg(folder).output()?;
    let said = String::from_utf8(out.stdout)?;
    let ours = said.trim().parse().map_err(|_| String::from_utf8_lossy(&out.stderr).into_owned())?;
    let name = "peak memory of a process with 5,000 documents cached, listed and indexed";
    Ok(Figure { name, ours, peer: None, unit: "MB", goal: 120.0 })
}

/// A row on the disk, for what only a row lets out.
async fn committed(vault: &Vault, class: Class, about: Option<Document>) -> Done<Committed> {
    let document = about.map(|document| (document.unique_id, document.type_code));
    let draft = chevet::journal::Draft { class, document, ..row(0) };
    vault.record(vec![draft], vec![]).await?.pop().ok_or_else(|| "no row".into())
}

fn plain_list(file: &Path) -> Done<Connection> {
    let mut plain = Connection::open(file)?;
    plain.execute_batch(
        "CREATE TABLE document (id INTEGER PRIMARY KEY, unique_id TEXT NOT NULL, entry_uuid TEXT, type_code TEXT,
         type_label TEXT, class_code TEXT, title TEXT, author TEXT, structure TEXT, service_start INTEGER, created INTEGER,
         format_code TEXT, url TEXT, content_type TEXT, size INTEGER, sha1 BLOB);",
    )?;
    let change = plain.transaction()?;
    for number in 0..DOCUMENTS {
        let Document { unique_id, entry_uuid, type_code, type_label, class_code, title, authors, .. } =
            document(number);
        let Document { service_start, created, format_code, attachment, .. } = document(number);
        let author = authors.first().ok_or("no author")?;
        let values = params![
            number,
            unique_id.0,
            entry_uuid,
            type_code.0,
            type_label,
            class_code.0,
            title,
            author.name,
            author.structure,
            service_start.0,
            created.0,
            format_code,
            attachment.url,
            attachment.content_type,
            attachment.size_bytes.map(|size| size as i64),
            attachment.sha1
        ];
        let sql = "INSERT INTO document VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)";
        change.execute(sql, values)?;
    }
    change.commit()?;
    Ok(plain)
}

fn select(plain: &Connection) -> Done<Vec<Document>> {
    let mut asked = plain.prepare("SELECT * FROM document ORDER BY id")?;
    let document = |row: &rusqlite::Row<'_>| {
        Ok(Document {
            unique_id: UniqueId(row.get(1)?),
            entry_uuid: row.get(2)?,
            logical_id: None,
            type_code: TypeCode(row.get(3)?),
            type_label: row.get(4)?,
            class_code: ClassCode(row.get(5)?),
            title: row.get(6)?,
            authors: vec![Author { id: None, name: row.get(7)?, structure: row.get(8)? }],
            labels: vec![Label::Normal],
            status: Status::Current,
            service_start: UnixSeconds(row.get(9)?),
            created: UnixSeconds(row.get(10)?),
            format_code: row.get(11)?,
            attachment: Attachment {
                url: row.get(12)?,
                content_type: row.get(13)?,
                size_bytes: row.get::<_, Option<i64>>(14)?.map(|size| size as u64),
                sha1: row.get(15)?,
            },
            by_patient: false,
        })
    };
    Ok(asked.query_map([], document)?.collect::<Result<_, _>>()?)
}

/// In memory, as ours is; accents taken off, as ours are.
fn full_text(texts: &[String]) -> Done<Connection> {
    let mut fts = Connection::open_in_memory()?;
    fts.execute_batch("CREATE VIRTUAL TABLE text USING fts5(title, body, tokenize = 'unicode61 remove_diacritics 2')")?;
    let change = fts.transaction()?;
    {
        let mut put = change.prepare("INSERT INTO text (rowid, title, body) VALUES (?1, ?2, ?3)")?;
        for (number, text) in (0..DOCUMENTS).zip(texts) {
            let Document { title, type_label, authors, .. } = document(number);
            let title = format!("{title} {type_label}");
            let author = authors.first().map_or("", |author| &author.name);
            let structure = authors.first().and_then(|author| author.structure.as_deref()).unwrap_or("");
            put.execute(params![number, title, format!("{author} {structure} {text}")])?;
        }
    }
    change.commit()?;
    Ok(fts)
}

fn document(number: u32) -> Document {
    let mut dice = Dice(u64::from(number) + 1);
    let at = NOW.plus(-i64::from(number) * 3_600);
    Document {
        unique_id: UniqueId(format!("1.2.250.1.999.1.{number}")),
        entry_uuid: format!("urn:uuid:00000000-0000-4000-8000-{number:012}"),
        logical_id: None,
        type_code: TypeCode("11490-0".into()),
        type_label: "Lettre de liaison à la sortie d’un établissement de soins".into(),
        class_code: ClassCode("10".into()),
        title: format!("{} {}", word(dice.rank()), word(dice.rank())),
        authors: vec![Author {
            id: None,
            name: format!("Dr {}", word(dice.rank())),
            structure: Some("Clinique de la Gare".into()),
        }],
        labels: vec![Label::Normal],
        status: Status::Current,
        service_start: at,
        created: at,
        format_code: "urn:ihe:iti:xds-sd:pdf:2008".into(),
        attachment: Attachment {
            url: format!("Binary/{number}"),
            content_type: "text/xml".into(),
            size_bytes: Some(2_000),
            sha1: Some([7; 20]),
        },
        by_patient: false,
    }
}

fn patient() -> Done<Ins> {
    Ok(Ins::unchecked("279035121518989", InsKind::Test)?)
}

/// Words as a language has them: few of them often, most of them seldom.
fn texts() -> Vec<String> {
    let mut dice = Dice(4_711);
    let text = |_| (0..WORDS_EACH).map(|_| word(dice.rank())).collect::<Vec<String>>().join(" ");
    (0..DOCUMENTS).map(text).collect()
}

const VOCABULARY: u64 = 20_000;

/// The word of that rank; every seventh has an accent.
fn word(rank: u64) -> String {
    const PARTS: [&str; 16] =
        ["ra", "ti", "mo", "lé", "pu", "dan", "vi", "sor", "che", "nal", "gue", "bri", "fo", "tre", "cu", "ju"];
    let mut rest = rank * 7 + 300;
    let mut word = String::new();
    while rest > 0 {
        word.push_str(PARTS[(rest % 16) as usize]);
        rest /= 16;
    }
    word
}

struct Dice(u64);

impl Dice {
    /// PCG's multiplier: good enough for words.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// Rank n with a chance of about 1/n.
    fn rank(&mut self) -> u64 {
        let unit = self.next() as f64 / (1_u64 << 31) as f64;
        ((VOCABULARY as f64).powf(unit) as u64).min(VOCABULARY - 1)
    }
}

fn noise(length: usize) -> Vec<u8> {
    let mut dice = Dice(9);
    (0..length).map(|_| dice.next() as u8).collect()
}

/// MB, of this process.
fn status(what: &str) -> Done<f64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find(|line| line.starts_with(what)).ok_or("no such line")?;
    let kilobytes: f64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kilobytes / 1024.0)
}
