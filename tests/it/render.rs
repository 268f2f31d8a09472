//! The reader as the kiosk uses it: through the sealed child. And the promise that no narrative text is lost.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use chevet::record::reading::Reading;
use chevet::record::reading::RowKind;
use chevet::record::reading::plain_text;
use chevet::render::Error;
use chevet::render::Fault;
use chevet::render::Limits;
use chevet::render::Worker;
use chevet::render::read_here;
use chevet::secret::SecretBytes;
use proptest::prelude::ProptestConfig;
use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prelude::prop;
use proptest::proptest;
use roxmltree::Node;

/// Others bring their own documents: a folder whose every `*.xml` is read.
const FOLDER_VARIABLE: &str = "CHEVET_CDA_FOLDER";
const SIGSYS: i32 = 31;

fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_chevet"))
}

fn documents() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents")
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(documents().join(name)).expect("a fixture of this repository")
}

fn worker(limits: Limits) -> Worker {
    Worker::start(program(), limits).expect("this kernel seals")
}

fn narrow() -> Limits {
    Limits { page_width_px: 300, ..Limits::default() }
}

fn here(content: &[u8], content_type: &str) -> Result<Reading, Error> {
    read_here(content, content_type, "", 0..3, &narrow())
}

fn lines(reading: &Reading) -> Vec<String> {
    let line = |row: &chevet::record::reading::Row| {
        let cells: Vec<String> = row.cells.iter().map(|cell| plain_text(&cell.text)).collect();
        format!("{} {} {}", row.kind.name(), row.level, plain_text(&row.text) + &cells.join(" | "))
    };
    reading.rows.iter().map(line).collect()
}

async fn through(worker: &Worker, content: Vec<u8>, content_type: &str) -> Result<Reading, Error> {
    worker.read(&SecretBytes::new(content), content_type, "", 0..3).await
}

/// A page that takes minutes to draw: long thin shapes, one over the other.
fn slow_document() -> Vec<u8> {
    let shapes = "0 0 m 595 842 l 3 800 l 590 5 l f\n".repeat(200_000);
    let objects = "1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n\
                   2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n\
                   3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>\nendobj\n";
    let stream = format!("4 0 obj\n<< /Length {} >>\nstream\n{shapes}endstream\nendobj\n", shapes.len());
    format!("%PDF-1.4\n{objects}{stream}trailer << /Size 5 /Root 1 0 R >>\n%%EOF\n").into_bytes()
}

fn narrative(text: &str) -> String {
    format!(
        "<ClinicalDocument xmlns=\"urn:hl7-org:v3\"><component><structuredBody><component><section><title>Titre</title>\
         <text>{text}</text></section></component></structuredBody></component></ClinicalDocument>"
    )
}

// What is shown

#[test]
fn a_letter_is_shown_whole() {
    let reading = here(&fixture("letter-level-3.xml"), "text/xml").expect("readable");
    assert_eq!(reading.format, "cda-level-3");
    let expected = [
        "heading 0 Motif et histoire",
        "paragraph 0 Patiente vue pour dyspnée d’effort[1], depuis trois semaines.",
        "paragraph 0 Poids stable[1].",
        "paragraph 0 Texte libre hors paragraphe.",
        "paragraph 0 Antécédents",
        "numbered 0 1. Hypertension artérielle",
        "bullet 1 traitée depuis 2011",
        "bullet 1 contrôle correct",
        "paragraph 2 automesure tenue",
        "numbered 0 2. Asthme BPCO",
        "footnote 0 [1] Stade NYHA deux.",
        "heading 1 Allergies",
        "paragraph 0 Pénicilline\u{A0}: urticaire.",
        "paragraph 0 Mention portée en marge.",
        "heading 0 Biologie",
        "paragraph 0 Hémogramme",
        "table_head 0 Analyse | Résultat",
        "table_head 0 ce jour | avant",
        "table_row 0 Prélèvement à jeun",
        "table_row 0 Leucocytes | 7,2 x 10^9/L | 6,8 x 10^9/L",
        "table_row 0 Saturation en O2 | 96 % | • 97 %\n• sous 2 L",
        "heading 0 Tracé",
        "paragraph 0 Voir le tracé joint.",
        "picture 0 Image 1 (page 1)",
        "paragraph 0 Électrocardiogramme",
        "heading 0 Données codées",
    ];
    assert_eq!(lines(&reading), expected);
    let spans = reading.rows.iter().find(|row| row.kind == RowKind::TableHead).map(|row| row.cells.clone());
    let spans: Vec<_> = spans.expect("a table").iter().map(|cell| (cell.columns, cell.rows)).collect();
    assert_eq!(spans, [(1, 2), (2, 1)]);
    let deleted = reading.rows.iter().flat_map(|row| &row.text).find(|run| run.text == "Asthme");
    assert!(deleted.is_some_and(|run| run.struck), "what was struck out must not read as said");
    assert_eq!((reading.page_count, reading.pages[0].width, reading.pages[0].height), (1, 24, 12));
    assert_eq!(reading.notices.len(), 2, "{:?}", reading.notices);
    let header: Vec<_> = reading.header.iter().map(|(label, value)| format!("{label} = {value}")).collect();
    for line in [
        "Titre = Consultation d’essai",
        "Patient = NATHALIE DESMAUX (nom de naissance) LENOIR (nom utilisé)",
        "INS = 255069999999934",
        "Naissance = 15/06/1955",
        "Auteur = DR Camille ESSAI, Médecine générale (SM), Maison de santé du Modèle",
        "Date de l’acte = du 10/03/2026 au 12/03/2026",
        "Conservé par = Hébergeur d’essai",
    ] {
        assert!(header.iter().any(|shown| shown == line), "{line} is not in {header:#?}");
    }
}

#[test]
fn a_wrapped_pdf_is_drawn_page_by_page() {
    let content = fixture("scan-level-1-pdf.xml");
    let reading = here(&content, "text/xml").expect("readable");
    assert_eq!((reading.format.as_str(), reading.page_count, reading.pages.len()), ("cda-level-1/pdf", 2, 2));
    let page = &reading.pages[0];
    assert_eq!((page.width, page.height, page.pixels.len()), (300, 424, 300 * 424 * 4));
    let dark = page.pixels.chunks(4).filter(|pixel| pixel[0] < 64).count();
    assert!((500..20_000).contains(&dark), "ink on paper, not {dark} dark pixels");
    assert!(page.pixels.chunks(4).all(|pixel| pixel[3] == 255));
    let second = read_here(&content, "text/xml", "", 1..2, &narrow()).expect("readable");
    assert!(second.pages.len() == 1 && second.pages[0] == reading.pages[1]);
    let none = read_here(&content, "text/xml", "", 7..9, &narrow()).expect("readable");
    assert_eq!((none.page_count, none.pages.len()), (2, 0));
}

#[test]
fn a_note_in_latin_1_keeps_its_accents_and_a_stylesheet_stays_silent() {
    let note = here(&fixture("note-level-1-latin1.xml"), "text/xml").expect("readable");
    assert_eq!(note.format, "cda-level-1/text");
    assert_eq!(lines(&note), ["paragraph 0 Première ligne.", "paragraph 0 Deuxième ligne < 5 mg."]);
    let nested = here(&fixture("self-showing.xml"), "application/xslt+xml").expect("readable");
    assert_eq!(lines(&nested), ["heading 0 Conclusion", "paragraph 0 Document lu sans sa feuille de style."]);
    assert!(nested.header.iter().any(|(_, value)| value == "Lettre d’essai"));
}

// The sealed child

#[tokio::test]
async fn the_child_shows_what_this_process_would() {
    let worker = worker(narrow());
    for name in
        ["letter-level-3.xml", "scan-level-1-pdf.xml", "note-level-1-latin1.xml", "self-showing.xml", "report.pdf"]
    {
        let shown = through(&worker, fixture(name), "").await.expect(name);
        assert!(shown == here(&fixture(name), "").expect(name), "{name} differs");
    }
}

#[test]
fn escapes_are_killed() {
    let probe = |name: &str| {
        let mut command = Command::new(program());
        command.args(["worker", "--probe", name]).env_clear().stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(Stdio::null()).status().expect("the binary of this build")
    };
    for escape in ["open", "exec", "socket", "stdin"] {
        assert_eq!(probe(escape).signal(), Some(SIGSYS), "{escape} was not killed");
    }
    // Out of memory the program aborts, and an abort's own signal is an escape like any other.
    assert!(probe("memory").signal().is_some(), "memory has no limit");
    assert_eq!(probe("landlock").code(), Some(1), "Landlock alone lets a file be opened");
    // Without the seal the same opening succeeds, and the seal alone ends nothing: the probes prove something.
    assert_eq!(probe("unsealed").code(), Some(0));
    assert_eq!(probe("nothing").code(), Some(0));
}

#[tokio::test]
async fn what_does_not_seal_itself_is_not_used() {
    let silent = Worker::start(PathBuf::from("/bin/true"), narrow());
    assert!(matches!(silent.err(), Some(Error::NotSealed { .. })));
    let absent = Worker::start(PathBuf::from("/nowhere/chevet"), narrow());
    assert!(matches!(absent.err(), Some(Error::Spawn { .. })));
}

#[tokio::test]
async fn hostile_documents_are_named_and_the_next_one_opens() {
    let worker = worker(narrow());
    let letter = fixture("letter-level-3.xml");
    let mut broken_pdf = fixture("report.pdf");
    broken_pdf.truncate(60);
    let bomb =
        "<!DOCTYPE a [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><ClinicalDocument>&b;</ClinicalDocument>";
    let base64 = "<ClinicalDocument xmlns='urn:hl7-org:v3'><component><nonXMLBody>\
                  <text mediaType='application/pdf' representation='B64'>JVBERi0x*Lj</text></nonXMLBody></component></ClinicalDocument>";
    let deep = format!("<ClinicalDocument>{}{}</ClinicalDocument>", "<a>".repeat(20_000), "</a>".repeat(20_000));
    let hostile: Vec<(&str, Vec<u8>, Fault)> = vec![
        ("truncated", letter[..letter.len() / 2].to_vec(), Fault::Xml),
        ("entity bomb", bomb.into(), Fault::Dtd),
        ("deep", deep.into_bytes(), Fault::TooDeep),
        ("base64", base64.into(), Fault::Base64),
        ("pdf", broken_pdf, Fault::Pdf),
        ("picture", b"\x89PNG\r\n\x1a\nnot a picture".to_vec(), Fault::Picture),
        ("no body", b"<ClinicalDocument xmlns='urn:hl7-org:v3'/>".to_vec(), Fault::NoBody),
        ("empty", Vec::new(), Fault::Empty),
    ];
    for (name, content, expected) in hostile {
        let read = through(&worker, content, "").await;
        assert!(matches!(read, Err(Error::Unreadable { what }) if what == expected), "{name}: {:?}", read.err());
        let next = through(&worker, fixture("self-showing.xml"), "").await;
        assert!(next.is_ok(), "after {name}: {:?}", next.err());
    }
    let unknown = through(&worker, vec![0, 1, 2], "application/x-thing").await;
    assert!(matches!(unknown, Err(Error::UnknownFormat { found }) if found == "application/x-thing"));
    let large = worker.read(&SecretBytes::new(vec![b'a'; 64 * 1024 * 1024 + 1]), "text/plain", "", 0..1).await;
    assert!(matches!(large, Err(Error::TooLarge { .. })));
}

/// A page that draws one picture of that filter, its bytes as they are given, and a line in a font of those bytes.
fn pdf_of(filter: &str, parms: &str, picture: &[u8], font: &[u8], side: u32) -> Vec<u8> {
    let mut pdf = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [3 0 R] \
        /Count 1 >>\nendobj\n3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << \
        /XObject << /I 5 0 R >> /Font << /F 6 0 R >> >> >>\nendobj\n6 0 obj\n<< /Type /Font /Subtype /TrueType /BaseFont \
        /Odd /FontDescriptor 7 0 R >>\nendobj\n7 0 obj\n<< /Type /FontDescriptor /FontName /Odd /Flags 4 /FontFile2 8 0 R \
        >>\nendobj\n"
        .to_vec();
    let mut stream = |number: u32, entries: &str, bytes: &[u8]| {
        pdf.extend(format!("{number} 0 obj\n<< {entries} /Length {} >>\nstream\n", bytes.len()).bytes());
        pdf.extend(bytes);
        pdf.extend(b"\nendstream\nendobj\n");
    };
    stream(4, "", b"q 500 0 0 500 50 200 cm /I Do Q BT /F 24 Tf 50 100 Td (Compte rendu) Tj ET");
    let entries = format!(
        "/Type /XObject /Subtype /Image /Width {side} /Height {side} /BitsPerComponent 1 /ColorSpace /DeviceGray \
         /Filter /{filter} {parms}"
    );
    stream(5, &entries, picture);
    stream(8, "", font);
    pdf.extend(b"trailer << /Size 9 /Root 1 0 R >>\n%%EOF\n");
    pdf
}

/// The decoders that fell most often elsewhere, fed with noise of theirs, and pictures that claim to be enormous: drawn, named, or the
/// child dies. Whichever it is, it is said, nobody waits, and the next document opens.
#[tokio::test]
async fn hostile_pictures_and_fonts_take_nothing_with_them() {
    let worker = worker(narrow());
    let mut random = fastrand::Rng::with_seed(11);
    let heads: [(&str, &str, &[u8]); 6] = [
        ("JPXDecode", "", b"\x00\x00\x00\x0cjP  \r\n\x87\n\xff\x4f\xff\x51"),
        ("JBIG2Decode", "", b"\x00\x00\x00\x00\x30\x00\x01\x00\x00\x00\x13"),
        ("CCITTFaxDecode", "/DecodeParms << /K -1 /Columns 60000 /Rows 60000 >>", b"\x26\xa0"),
        ("CCITTFaxDecode", "/DecodeParms << /K 4 /Columns 17 >>", b"\x00\x01"),
        ("DCTDecode", "", b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03"),
        ("FlateDecode", "/DecodeParms << /Predictor 15 /Columns 65535 >>", b"\x78\x9c"),
    ];
    let mut told = 0;
    for (filter, parms, head) in heads {
        for side in [16, 60_000] {
            for round in 0..4 {
                let noise: Vec<u8> = (0..random.usize(1..4_000)).map(|_| random.u8(..)).collect();
                let font = [b"\x00\x01\x00\x00\x00\x09".as_slice(), &noise].concat();
                let picture = [head, &noise].concat();
                let read = through(&worker, pdf_of(filter, parms, &picture, &font, side), "").await;
                let named = matches!(read, Ok(_) | Err(Error::Unreadable { .. } | Error::TimedOut { .. }));
                assert!(named, "{filter} {side}, round {round}: {:?}", read.err());
                told += usize::from(read.is_err());
            }
        }
        let next = through(&worker, fixture("report.pdf"), "").await;
        assert!(next.is_ok(), "after {filter}: {:?}", next.err());
    }
    println!("{told} of 48 were named");
    // Bare pictures that claim more pixels than there are anywhere.
    let png = |width: u32, height: u32| {
        let mut chunk = b"IHDR".to_vec();
        chunk.extend([width.to_be_bytes(), height.to_be_bytes()].concat());
        chunk.extend([8, 6, 0, 0, 0]);
        let sum = crc32fast::hash(&chunk);
        [b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0d".as_slice(), &chunk, &sum.to_be_bytes()].concat()
    };
    let tiff = |side: u32| {
        let entry = |tag: u16, value: u32| {
            [&tag.to_le_bytes()[..], &4u16.to_le_bytes(), &1u32.to_le_bytes(), &value.to_le_bytes()].concat()
        };
        let entries = [entry(256, side), entry(257, side), entry(258, 8), entry(259, 1), entry(273, 8), entry(277, 1)];
        [b"II*\x00\x08\x00\x00\x00\x06\x00".as_slice(), &entries.concat(), &[0; 4]].concat()
    };
    for huge in [png(60_000, 60_000), png(u32::MAX, 1), tiff(60_000), tiff(u32::MAX)] {
        let read = through(&worker, huge, "").await;
        assert!(matches!(read, Err(Error::Unreadable { .. })), "{:?}", read.err());
    }
    // Entities in entities, ten times ten times ten.
    let levels: String =
        (1..10).map(|level| format!("<!ENTITY e{level} \"{}\">", format!("&e{};", level - 1).repeat(10))).collect();
    let laughs = format!("<!DOCTYPE a [<!ENTITY e0 \"ha\">{levels}]><ClinicalDocument>&e9;</ClinicalDocument>");
    let read = through(&worker, laughs.into_bytes(), "").await;
    assert!(matches!(read, Err(Error::Unreadable { what: Fault::Dtd })), "{:?}", read.err());
    assert!(through(&worker, fixture("letter-level-3.xml"), "").await.is_ok());
}

/// Changes a few bytes, always the same for one seed; sometimes cuts the end off.
fn damaged(content: &[u8], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut content = content.to_vec();
    for _ in 0..random.usize(1..8) {
        let at = random.usize(..content.len());
        content[at] = if random.bool() { random.u8(..) } else { b"<>&/\\{}[]()0\0\"'"[random.usize(..14)] };
    }
    if random.u8(..4) == 0 {
        content.truncate(random.usize(1..content.len()));
    }
    content
}

#[tokio::test]
async fn damaged_documents_are_shown_or_named_never_waited_for() {
    let worker = worker(narrow());
    let mut random = fastrand::Rng::with_seed(7);
    for name in ["report.pdf", "scan-level-1-pdf.xml", "letter-level-3.xml"] {
        for round in 0..12 {
            let read = through(&worker, damaged(&fixture(name), &mut random), "").await;
            let named = matches!(read, Ok(_) | Err(Error::Unreadable { .. } | Error::UnknownFormat { .. }));
            assert!(named, "{name}, round {round}: {:?}", read.err());
        }
    }
    assert!(through(&worker, fixture("report.pdf"), "").await.is_ok());
}

#[test]
fn our_own_readers_never_panic_on_damage() {
    let rtf = br"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\b Compte\~rendu\b0\par \u233?\uc2\u-10179 ??\u-8704 ??{\*\x y}\'e9\bin2 ab}".to_vec();
    let mut random = fastrand::Rng::with_seed(11);
    for seed in [fixture("letter-level-3.xml"), fixture("note-level-1-latin1.xml"), fixture("self-showing.xml"), rtf] {
        for _ in 0..400 {
            let read = here(&damaged(&seed, &mut random), "");
            assert!(matches!(read, Ok(_) | Err(Error::Unreadable { .. } | Error::UnknownFormat { .. })));
        }
    }
}

#[tokio::test]
async fn one_that_died_while_it_waited_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = folder.path().join("chevet-struck-down");
    std::os::unix::fs::symlink(program(), &name).expect("a link");
    let worker = Worker::start(name.clone(), narrow()).expect("this kernel seals");
    // The one that waits, ended from outside as the kernel does it when memory is short.
    let waiting = processes(&name);
    assert_eq!(waiting.len(), 1, "one waits");
    for process in &waiting {
        let process = rustix::process::Pid::from_raw(*process).expect("a process number");
        rustix::process::kill_process(process, rustix::process::Signal::KILL).expect("our own child");
    }
    // Its command line goes a moment before it is a zombie, which is what its parent can see.
    let is_dead = |process: &i32| match std::fs::read_to_string(format!("/proc/{process}/stat")) {
        Ok(stat) => stat.contains(") Z "),
        Err(_) => true,
    };
    wait_until("it has died", || waiting.iter().all(is_dead)).await;
    assert!(through(&worker, fixture("report.pdf"), "").await.is_ok());
}

#[tokio::test]
async fn a_child_that_dies_takes_nothing_with_it() {
    // Long enough for a busy machine: it is memory that ends it.
    let worker = worker(Limits { memory_bytes_max: 320 * 1024 * 1024, wall_s_max: 60, ..narrow() });
    let many_lines = "a\n".repeat(6_000_000).into_bytes();
    let read = through(&worker, many_lines, "text/plain").await;
    assert!(matches!(read, Err(Error::Unreadable { what: Fault::WorkerDied })), "{:?}", read.err());
    assert!(through(&worker, fixture("report.pdf"), "").await.is_ok());
}

#[tokio::test]
async fn too_long_is_too_long() {
    let worker = worker(Limits { wall_s_max: 1, ..narrow() });
    let begun = Instant::now();
    let read = through(&worker, slow_document(), "").await;
    assert!(matches!(read, Err(Error::TimedOut { wall_s_max: 1 })), "{:?}", read.err());
    assert!(begun.elapsed() < Duration::from_secs(3), "the processor's limit ended it, not the clock");
    assert!(through(&worker, fixture("report.pdf"), "").await.is_ok());
}

#[tokio::test]
async fn card_out_ends_every_reading_at_once() {
    let worker = worker(narrow());
    let kill = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let begun = Instant::now();
        worker.kill();
        begun.elapsed()
    };
    let (one, two, took) =
        tokio::join!(through(&worker, slow_document(), ""), through(&worker, slow_document(), ""), kill);
    for read in [one, two] {
        assert!(matches!(read, Err(Error::Killed)), "{:?}", read.err());
    }
    assert!(took < Duration::from_millis(50), "kill waited {took:?}");
    assert!(through(&worker, fixture("report.pdf"), "").await.is_ok(), "the next visit reads");
}

#[tokio::test]
async fn a_reading_nobody_waits_for_leaves_no_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = folder.path().join("chevet-given-up");
    std::os::unix::fs::symlink(program(), &name).expect("a link");
    let worker = Worker::start(name.clone(), narrow()).expect("this kernel seals");
    let given_up = tokio::time::timeout(Duration::from_millis(100), through(&worker, slow_document(), "")).await;
    assert!(given_up.is_err(), "the document was not slow enough for this test");
    // One stays: the next one, which has seen nothing.
    wait_until("one child is left", || processes(&name).len() == 1).await;
    drop(worker);
    wait_until("no child is left", || processes(&name).is_empty()).await;
}

async fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(5), "{what}: never");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Processes that were started under this name; one that has ended and is not buried yet has no command line.
fn processes(name: &Path) -> Vec<i32> {
    let wanted = name.as_os_str().as_encoded_bytes();
    let all = std::fs::read_dir("/proc").expect("proc").flatten();
    let ours = |entry: &std::fs::DirEntry| {
        std::fs::read(entry.path().join("cmdline")).is_ok_and(|line| line.starts_with(wanted))
    };
    all.filter(ours).filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

// The verb

#[test]
fn the_verb_shows_what_the_reader_would_and_names_what_it_cannot() {
    let show = |name: &str| {
        let file = documents().join(name);
        Command::new(program()).args(["record", "show"]).arg(file).arg("--json").output().expect("this build's binary")
    };
    let letter = show("letter-level-3.xml");
    assert_eq!(letter.status.code(), Some(0));
    let shown: serde_json::Value = serde_json::from_slice(&letter.stdout).expect("JSON");
    let rows = here(&fixture("letter-level-3.xml"), "").expect("readable").rows.len();
    assert_eq!(shown["rows"].as_array().map(Vec::len), Some(rows));
    assert_eq!((shown["format"].as_str(), shown["pages"].as_u64()), (Some("cda-level-3"), Some(1)));
    let absent = show("no-such-document.xml");
    assert!(absent.status.code() == Some(3) && absent.stdout.is_empty() && !absent.stderr.is_empty());
    let folder = tempfile::tempdir().expect("a folder");
    let cut = folder.path().join("cut.xml");
    std::fs::write(&cut, &fixture("letter-level-3.xml")[..900]).expect("a small file");
    let cut = show(cut.to_str().expect("a plain name"));
    assert_eq!(cut.status.code(), Some(1), "{}", String::from_utf8_lossy(&cut.stderr));
}

// No text lost

#[test]
fn every_document_brought_here_loses_no_text() {
    let folder = std::env::var_os(FOLDER_VARIABLE).map_or_else(documents, PathBuf::from);
    let mut checked = 0;
    for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
        if entry.path().extension().is_none_or(|extension| extension != "xml") {
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        let content = std::fs::read(entry.path()).expect(&name);
        let reading = read_here(&content, "text/xml", "", 0..0, &Limits::default()).expect(&name);
        if reading.format == "cda-level-3" {
            let text = String::from_utf8(content).expect("the folder's documents are UTF-8");
            assert_nothing_lost(&text, &reading).unwrap_or_else(|lost| panic!("{name}: {lost}"));
        }
        checked += 1;
    }
    assert!(checked > 0, "no document in the folder");
}

#[test]
fn the_check_of_lost_text_can_fail() {
    let text = narrative("<paragraph>un deux</paragraph><list><item>trois</item></list>");
    let whole = here(text.as_bytes(), "text/xml").expect("readable");
    assert_eq!(assert_nothing_lost(&text, &whole), Ok(()));
    let mut shorter = whole.clone();
    shorter.rows.remove(1);
    assert!(assert_nothing_lost(&text, &shorter).is_err(), "a row is missing");
    let mut turned = whole;
    turned.rows.swap(1, 2);
    assert!(assert_nothing_lost(&text, &turned).is_err(), "two rows changed places");
}

/// Each text node of titles and texts, white space aside, in order; those of footnotes in order among footnotes.
fn assert_nothing_lost(xml: &str, reading: &Reading) -> Result<(), String> {
    let tree = roxmltree::Document::parse(xml).map_err(|error| error.to_string())?;
    let shown = |footnotes: bool| -> String {
        let rows = reading.rows.iter().filter(|row| (row.kind == RowKind::Footnote) == footnotes);
        let text = rows.flat_map(|row| row.text.iter().chain(row.cells.iter().flat_map(|cell| &cell.text)));
        squeezed(&text.map(|run| run.text.as_str()).collect::<String>())
    };
    let (body, notes) = (shown(false), shown(true));
    let mut at = 0;
    for node in tree.descendants().filter(|node| node.is_text() && is_narrative(*node)) {
        let wanted = squeezed(node.text().unwrap_or(""));
        if node.ancestors().any(|above| above.has_tag_name(("urn:hl7-org:v3", "footnote"))) {
            if !notes.contains(&wanted) {
                return Err(format!("footnote lost: {wanted}"));
            }
            continue;
        }
        match body[at..].find(&wanted) {
            Some(found) => at += found + wanted.len(),
            None => return Err(format!("lost or out of order: {wanted}")),
        }
    }
    Ok(())
}

fn is_narrative(node: Node<'_, '_>) -> bool {
    let section =
        |above: Node<'_, '_>| above.parent().is_some_and(|parent| parent.has_tag_name(("urn:hl7-org:v3", "section")));
    node.ancestors().any(|above| {
        let name = above.tag_name().name();
        (name == "text" || name == "title") && section(above)
    })
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, ' ' | '\t' | '\r' | '\n')).collect()
}

/// A narrative as no standard would allow it: any element in any other.
#[derive(Debug, Clone)]
enum Piece {
    Word,
    Element(&'static str, Vec<Piece>),
}

const ELEMENTS: &[&str] = &[
    "content",
    "content styleCode=\"Bold Italics\"",
    "paragraph",
    "br",
    "list",
    "list listType=\"ordered\"",
    "item",
    "caption",
    "table",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "td",
    "td colspan=\"2\"",
    "th",
    "sub",
    "sup",
    "linkHtml",
    "footnote ID=\"f\"",
    "footnoteRef IDREF=\"f\"",
    "renderMultiMedia referencedObject=\"m\"",
    "colgroup",
    "marginalia",
];

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let word = proptest::strategy::Just(Piece::Word);
    let piece = word.prop_recursive(6, 60, 6, |inner| {
        let element = (0..ELEMENTS.len(), prop::collection::vec(inner, 0..6));
        element.prop_map(|(name, inside)| Piece::Element(ELEMENTS[name], inside))
    });
    prop::collection::vec(piece, 1..8)
}

/// Each word is another one, so that order and number can be told; some are digits, for what is raised or lowered.
fn write(pieces: &[Piece], spaced: bool, words: &mut usize, out: &mut String) {
    for piece in pieces {
        match piece {
            Piece::Word => {
                *words += 1;
                out.push_str(&if words.is_multiple_of(3) {
                    format!("9{words:04}9")
                } else {
                    format!("w{words:04}e\u{301}")
                });
                out.push_str(if spaced { " \n " } else { "" });
            }
            Piece::Element(name, inside) => {
                out.push_str(&format!("<{name}>"));
                write(inside, spaced, words, out);
                out.push_str(&format!("</{}>", name.split(' ').next().unwrap_or(name)));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_generated_narrative_loses_a_word(pieces in pieces(), spaced in any::<bool>()) {
        let (mut words, mut text) = (0, String::new());
        write(&pieces, spaced, &mut words, &mut text);
        let xml = narrative(&text);
        let reading = here(xml.as_bytes(), "text/xml").expect("well-formed");
        if let Err(lost) = assert_nothing_lost(&xml, &reading) {
            panic!("{lost}\nin {text}\nshown {:#?}", lines(&reading));
        }
        // Nor is any said twice.
        let shown: String = lines(&reading).concat();
        for word in 1..=words {
            let mark = format!("{word:04}");
            let times = shown.matches(&format!("w{mark}")).count() + shown.matches(&format!("9{mark}9")).count();
            assert_eq!(times, 1, "word {word} of {text}");
        }
    }
}
