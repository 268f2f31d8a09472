//! The appliance as its users have it: the real program with its window under Xvfb, a card in the real pcscd, the record over
//! TLS. It is a process of its own, so that what is in its memory is its own, and it is moved by a hand on its window.
//!
//! Its patient is invented anew at each run: every word that is looked for afterwards stands in no program and no file.

use crate::demo::Screen;
use crate::desk::Desk;
use crate::desk::pki;
use aws_lc_rs::digest;
use chevet::identity::certificate::Certificate;
use chevet::identity::holder::HolderId;
use chevet::patient::ins::Patient;
use chevet::sandbox::cps::PUK;
use chevet::sandbox::drawer::Drawer;
use chevet::sandbox::people::Author;
use chevet::sandbox::people::Case;
use chevet::sandbox::people::Content;
use chevet::sandbox::people::Paper;
use chevet::sandbox::pki::Pki;
use chevet::sandbox::pki::Profile;
use chevet::sandbox::stage::Stage;
use chevet::sandbox::vpcd::Inserted;
use chevet::secret::SecretBytes;
use chevet::time::UnixSeconds;
use chevet::vault;
use chevet::vault::Vault;
use std::fs::File;
use std::io::Read;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;
use tempfile::TempDir;
use uuid::Uuid;

/// Everything around one kiosk, and the kiosk.
pub struct Machine {
    pub desk: Desk,
    pub stage: Stage,
    /// Has authorized the nurse and the doctor.
    pub patient: Canary,
    /// Must be asked by anybody.
    pub asked: Canary,
    /// A word of the settings, which the kiosk has in memory as long as it runs.
    pub site: String,
    pub folder: TempDir,
    screen: Screen,
    card: Option<Inserted>,
    kiosk: Option<Child>,
}

/// A patient whose every word is looked for.
#[derive(Clone)]
pub struct Canary {
    pub patient: Patient,
    /// In the title of each document, which the list does not show.
    pub title: String,
    /// In the name of each document's author, which the list does show.
    pub author: String,
    /// In the text of each document.
    pub text: String,
    /// A holder wrote it: in a draft of the one who authorized, in a finished note of the one who was asked.
    pub note: String,
    /// A holder looked for it.
    pub looked_for: String,
}

impl Canary {
    /// What they are called, and what they are.
    pub fn words(&self) -> [(&'static str, &str); 8] {
        [
            ("the title", &self.title),
            ("the author", &self.author),
            ("the text", &self.text),
            ("the note", &self.note),
            ("what was looked for", &self.looked_for),
            ("the patient's name", &self.patient.birth_name),
            ("the patient's given name", &self.patient.birth_given_names),
            ("the INS", &self.patient.ins.matricule),
        ]
    }
}

impl Machine {
    /// With both patients in the nurse's and the doctor's rounds; the kiosk does not run yet.
    pub fn set_up() -> Machine {
        let folder = tempfile::tempdir().expect("a folder");
        pki().copy_to(&folder.path().join("pki")).expect("copied");
        let mut stage = Stage::set(folder.path(), now()).expect("a stage");
        let (patient, asked) = (invent(&mut stage, Case::Authorized), invent(&mut stage, Case::Unasked(0)));
        stage.stop_dmp();
        stage.start_dmp().expect("the DMP, with the patient in it");
        let site = word("Maison");
        let settings = std::fs::read_to_string(&stage.settings).expect("settings");
        std::fs::write(&stage.settings, settings.replace("Cabinet de la Gare", &site)).expect("written");
        let machine = Machine {
            desk: Desk::open(),
            stage,
            patient,
            asked,
            site,
            folder,
            screen: Screen::start(),
            card: None,
            kiosk: None,
        };
        std::fs::create_dir(machine.temporary()).expect("made");
        machine.put_rounds();
        machine
    }

    pub fn nurse() -> Profile {
        Drawer::profile("nurse").expect("the nurse")
    }

    pub fn doctor() -> Profile {
        Drawer::profile("doctor").expect("the doctor")
    }

    /// Where the kiosk may put what it does not keep.
    pub fn temporary(&self) -> PathBuf {
        self.folder.path().join("temporary")
    }

    /// What the log says so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log.txt")).expect("a log")
    }

    /// The kiosk's process.
    pub fn id(&self) -> u32 {
        self.kiosk.as_ref().expect("a kiosk").id()
    }

    /// Starts the kiosk and takes hold of its window.
    pub fn start(&mut self) {
        let socket = self.folder.path().join("hand");
        let _from_an_earlier_run = std::fs::remove_file(&socket);
        let log = File::options().create(true).append(true).open(self.folder.path().join("log.txt")).expect("a log");
        let (variable, value) = self.desk.pcscd.environment();
        let kiosk = Command::new(env!("CARGO_BIN_EXE_chevet"))
            .args(["kiosk", "--window", "800x480", "--config"])
            .arg(&self.stage.settings)
            .arg("--state")
            .arg(&self.stage.state)
            .arg("--hand")
            .arg(&socket)
            .env(variable, value)
            .env("DISPLAY", &self.screen.display)
            .env("CHEVET_LOG", "chevet=trace")
            .env("TMPDIR", self.temporary())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        self.kiosk = Some(kiosk);
        let until = Instant::now() + PATIENCE;
        while UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < until, "no kiosk:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends the kiosk at once, as a power cut does.
    pub fn kill(&mut self) {
        if let Some(mut kiosk) = self.kiosk.take() {
            kiosk.kill().expect("a child that runs can be ended");
            kiosk.wait().expect("it can be waited for");
        }
    }

    /// A card of the drawer with another PIN.
    pub fn insert(&mut self, name: &str, pin: &str) {
        let mut card = self.desk.drawer.card(name).expect("a card");
        let data = [PUK.as_bytes(), pin.as_bytes()].concat();
        let changed = card.answer(&[&[0x00, 0x2c, 0x00, 0x01, data.len() as u8], data.as_slice()].concat());
        assert_eq!(changed, [0x90, 0x00], "the card takes its new PIN");
        card.reset();
        self.card = Some(self.desk.pcscd.slots()[0].insert(card).expect("inserted"));
    }

    /// Every signature that the card gave meanwhile, in order; none where there is no card.
    pub fn pull(&mut self) -> Vec<Vec<u8>> {
        let card = self.card.take().and_then(Inserted::pull);
        card.map(|card| card.signatures().to_vec()).unwrap_or_default()
    }

    /// PIN, then the round.
    pub fn log_in(&self, pin: &str) {
        self.until("the PIN page", |page| page.contains("Valider"));
        for digit in pin.chars() {
            self.press(&digit.to_string());
        }
        self.press("Valider");
        let name = self.patient.patient.birth_name.clone();
        let page = self.until("home, or a holder's duties", |page| page.contains(&name) || page.contains(UNDERSTOOD));
        if !page.contains(&name) {
            self.press(UNDERSTOOD);
            self.until("home", |page| page.contains(&name));
        }
    }

    /// From home to the list of documents, on the authorization that stands.
    pub fn open_record(&self) {
        self.press_first(|label| label.contains(&self.patient.patient.birth_name));
        self.until("a ground that stands", |page| page.contains(OPEN));
        self.press(OPEN);
        self.until("the list", |page| page.contains(&self.patient.author));
    }

    /// The same of the patient who must be asked, and agrees.
    pub fn ask_and_open(&self) {
        self.press_first(|label| label.contains(&self.asked.patient.birth_name));
        self.until("a question to ask", |page| page.contains(ASK));
        self.press(ASK);
        self.until("the patient's page", |page| page.contains(AGREED));
        self.press(AGREED);
        self.until("the list", |page| page.contains(&self.asked.author));
    }

    /// Back to the round.
    pub fn quit_record(&self) {
        self.press(QUIT);
        self.until("home", |page| page.contains(&self.asked.patient.birth_name) && !page.contains(QUIT));
    }

    /// Opens a document of the list, by its place, and waits for its text.
    pub fn read(&self, of: &Canary, place: usize) {
        let labels = self.labels();
        let row = labels.iter().filter(|label| label.contains(&of.author)).nth(place).expect("a row of that place");
        self.press(row);
        self.until("the document's text", |page| page.contains(&of.text));
    }

    pub fn back_to_the_list(&self) {
        self.press("Documents");
        self.until("the list", |page| page.contains(QUIT) && page.contains("Historique"));
    }

    /// A note in the open record: its type, then its words, letter by letter.
    pub fn begin_a_note(&self, words: &str) {
        self.press(WRITE);
        self.until("types of documents", |page| page.contains(NOTE));
        self.press_first(|label| label.contains(NOTE));
        self.until("the sheet", |page| page.contains(READ_AGAIN));
        // A sentence begins with a capital by itself.
        self.strike(&words.to_lowercase());
        self.until("its words", |page| page.contains(words));
    }

    /// What was begun is read again, and kept with its trace.
    pub fn finish_the_note(&self) {
        self.press(READ_AGAIN);
        self.until("its words again", |page| page.contains(DEPOSIT));
        self.press_first(|label| label.starts_with(DEPOSIT));
        self.until("word that it is kept", |page| page.contains("Note enregistrée"));
    }

    /// Words that nobody wrote: the page says so, and them.
    pub fn search(&self, words: &str) {
        self.press("Rechercher");
        self.until("the words' page", |page| page.contains("Que cherchez-vous"));
        self.strike(words);
        self.press("Chercher");
        self.until("what was found", |page| page.contains(words) && page.contains("aucun titre"));
    }

    /// What is on the page, onto the practice's printer.
    pub fn print(&self) {
        let before = self.stage.printer.jobs().len();
        self.press("Imprimer");
        self.until("word that it is printed", |page| page.contains("C’est imprimé"));
        self.press("Fermer");
        assert_eq!(self.stage.printer.jobs().len(), before + 1);
    }

    /// The patient's receipt, from the history; back in the list.
    pub fn show_a_receipt(&self) {
        self.press("Historique");
        self.press("Reçu pour le patient");
        self.until("a receipt", |page| page.contains("liste des documents"));
        self.back_to_the_list();
    }

    fn strike(&self, words: &str) {
        words.chars().for_each(|letter| self.press(&letter.to_string()));
    }

    pub fn press(&self, label: &str) {
        self.press_first(|other| other == label);
    }

    /// Presses the first control whose label is meant, scrolling to it.
    pub fn press_first(&self, meant: impl Fn(&str) -> bool) {
        for attempt in 0..60 {
            // A finger is slower than a frame: what is pressed must stand where it will stay.
            std::thread::sleep(Duration::from_millis(100));
            let labels = self.labels();
            let found: Vec<&String> = labels.iter().filter(|label| meant(label)).collect();
            if found.iter().any(|label| self.ask(&format!("press {label}")) == "yes") {
                return;
            }
            self.ask(if attempt < 30 { "scroll -40" } else { "scroll 40" });
        }
        panic!("nothing to press on this page: {:?}\n{}", self.labels(), self.log());
    }

    /// Waits until the page says so.
    pub fn until(&self, what: &str, there: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let page = self.labels().join("\n");
            if there(&page) {
                return page;
            }
            assert!(Instant::now() < until, "no {what}; the page is {page}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn labels(&self) -> Vec<String> {
        serde_json::from_str(&self.ask("text")).expect("labels")
    }

    fn ask(&self, what: &str) -> String {
        let mut line = UnixStream::connect(self.folder.path().join("hand")).expect("the hand listens");
        line.set_read_timeout(Some(PATIENCE)).expect("a time-out above zero is valid");
        line.write_all(format!("{what}\n").as_bytes()).expect("the hand listens");
        let mut answer = String::new();
        line.read_to_string(&mut answer).expect("the hand answers");
        answer
    }

    /// As if both had been here before: their compartments hold who is to be seen today, and nothing else.
    fn put_rounds(&self) {
        let round = vec![self.patient.patient.clone(), self.asked.patient.clone()];
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let vault = Vault::open(options(&self.stage.state), now()).expect("a vault");
            for profile in [Machine::nurse(), Machine::doctor()] {
                unlock(&vault, &self.desk.pki, &profile, &profile).await.expect("opened");
                vault.put_round(round.clone(), now()).await.expect("kept");
                vault.lock().await;
            }
        });
    }
}

/// What opens the folder where its own key and name lie.
pub fn options(folder: &Path) -> vault::Options {
    vault::Options {
        folder: folder.to_owned(),
        device: vault::keys::device_id(folder).expect("a name"),
        software: "tests".to_owned(),
        boot: Uuid::now_v7(),
        device_key: vault::keys::desk_device_key(folder).expect("a key"),
    }
}

/// The compartment of `whose`, with what the card of `by` signs.
pub async fn unlock(vault: &Vault, pki: &Pki, whose: &Profile, by: &Profile) -> Result<(), vault::Error> {
    let certificate = pki.card(whose).expect("a card").authentication.certificate;
    let key = Certificate::parse(&certificate).expect("a certificate").key_id();
    let holder = HolderId(whose.holder_id.to_owned());
    let statement = vault.compartment_statement(&holder, key).await?;
    let signature = pki.card(by).expect("a card").sign_with_authentication(statement.message()).expect("signed");
    vault.unlock(&holder, key, SecretBytes::new(signature), now()).await.map(drop)
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Makes the one who stands for that case somebody else: name, number, titles and texts.
fn invent(stage: &mut Stage, case: Case) -> Canary {
    let person = stage.people.persons.iter_mut().find(|person| person.case == case).expect("a person");
    let (name, given) = (word("Nom").to_uppercase(), word("Prenom").to_uppercase());
    let body = format!("{}{:03}", &person.patient.ins.matricule[..10], fastrand::u16(100..900));
    let number: u64 = body.parse().expect("thirteen digits");
    let matricule = format!("{body}{:02}", 97 - number % 97);
    let (title, author, text) = (word("titre"), word("auteur"), word("texte"));
    let before = person.patient.clone();
    let renamed = |text: &str| {
        text.replace(&before.birth_name, &name)
            .replace(&before.birth_given_names, &given)
            .replace(&before.ins.matricule, &matricule)
    };
    let mut papers: Vec<Paper> = Vec::new();
    for paper in &person.papers {
        let Content::Bytes(bytes) = &paper.content else { continue };
        let Ok(written) = std::str::from_utf8(bytes) else { continue };
        let Some((head, tail)) = written.split_once("<paragraph>") else { continue };
        let said = format!("<paragraph>Observation {text}, sans suite.</paragraph>");
        let mut bytes = renamed(&format!("{head}{said}<paragraph>{tail}")).replace(&paper.title, &title).into_bytes();
        // Two in three are kept in a file of their own, for their size.
        if !papers.len().is_multiple_of(3) {
            bytes.resize(300_000, b' ');
        }
        let mut sha1 = [0; 20];
        sha1.copy_from_slice(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &bytes).as_ref());
        papers.push(Paper {
            title: format!("{title} {}", papers.len()),
            author: Author { id: None, name: format!("{author} {}", papers.len()), ..paper.author.clone() },
            claimed_size: bytes.len() as u64,
            claimed_sha1: Some(sha1),
            content: Content::Bytes(Arc::from(bytes)),
            ..paper.clone()
        });
    }
    person.patient.birth_name = name;
    person.patient.birth_given_names = given;
    person.patient.ins.matricule = matricule;
    person.papers = papers;
    let (note, looked_for) = (word("Note"), word("cherche").to_uppercase());
    Canary { patient: person.patient.clone(), title, author, text, note, looked_for }
}

/// A word that nobody has ever written, of letters that no encoding changes.
fn word(head: &str) -> String {
    let tail: String = (0..8).map(|_| fastrand::lowercase()).collect();
    format!("{head}z{tail}")
}

pub fn now() -> UnixSeconds {
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs();
    UnixSeconds(i64::try_from(seconds).expect("small"))
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target: PathBuf = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// How long a page may take to come, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(45);
const UNDERSTOOD: &str = "J’ai compris";
const OPEN: &str = "Ouvrir le dossier";
const ASK: &str = "Tourner l’écran vers le patient";
const AGREED: &str = "Oui, je suis d’accord";
const QUIT: &str = "Quitter ce dossier";
const WRITE: &str = "Écrire une note";
/// Of the types that a nurse writes at a bedside.
const NOTE: &str = "acte thérapeutique";
const READ_AGAIN: &str = "Relire";
const DEPOSIT: &str = "Identité vérifiée";
