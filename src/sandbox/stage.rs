//! The stage of the demo and of the end-to-end tests: certificates, a DMP over TLS, settings, all in one folder. The kiosk
//! that is started on it is the real one, with nothing in it that knows of a stage.

use crate::policy::signed;
use crate::sandbox::dmp;
use crate::sandbox::drawer::Drawer;
use crate::sandbox::people::People;
use crate::sandbox::pki;
use crate::sandbox::pki::Pki;
use crate::sandbox::pki::Profile;
use crate::sandbox::printer;
use crate::sandbox::printer::Printer;
use crate::sandbox::psc;
use crate::time::UnixSeconds;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

/// Everything around a kiosk, except the reader.
pub struct Stage {
    pub pki: Pki,
    pub drawer: Drawer,
    pub people: People,
    /// Telephones approve by themselves after a few seconds.
    psc: psc::Running,
    /// Prints nothing, and keeps it.
    pub printer: Printer,
    /// `None` while it is away.
    dmp: Option<dmp::Running>,
    /// The settings name the connector `dmp`.
    speaks_dmp: bool,
    /// Where it was last, and comes back to.
    port: u16,
    card_port: u16,
    web_port: u16,
    web_url: String,
    snapshot: PathBuf,
    /// `kiosk.toml`
    pub settings: PathBuf,
    /// The kiosk's state folder.
    pub state: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the sandbox's folder cannot be used")]
    Folder { source: std::io::Error },
    #[error("the sandbox's certificates cannot be made")]
    Pki { source: pki::Error },
    #[error("the sandbox's team cannot be signed")]
    Team { source: signed::Error },
    #[error("the sandbox's DMP cannot be started")]
    Dmp { source: dmp::Error },
    #[error("the sandbox's Pro Santé Connect cannot be started")]
    Psc { source: psc::Error },
    #[error("the sandbox's printer cannot be started")]
    Printer { source: printer::Error },
}

impl Stage {
    /// Sets everything up in `folder`; what is there from an earlier time is used again.
    pub fn set(folder: &Path, today: UnixSeconds) -> Result<Stage, Error> {
        let of_folder = |source| Error::Folder { source };
        std::fs::create_dir_all(folder).map_err(of_folder)?;
        let pki = Pki::open_or_make(&folder.join("pki")).map_err(|source| Error::Pki { source })?;
        Stage::set_with(folder, pki, today)
    }

    /// The same, with certificates that were drawn elsewhere.
    pub fn set_with(folder: &Path, pki: Pki, today: UnixSeconds) -> Result<Stage, Error> {
        let of_folder = |source| Error::Folder { source };
        let options = psc::Options {
            pki: pki.clone(),
            port: 0,
            approves_after: Some(APPROVES_AFTER),
            interval_s: 2,
            request_s: 120,
            access_s: 120,
        };
        let psc = psc::start(options).map_err(|source| Error::Psc { source })?;
        let printer = Printer::start(&PRINTS, None).map_err(|source| Error::Printer { source })?;
        let mut stage = Stage {
            psc,
            printer,
            drawer: Drawer::new(pki.clone()),
            pki,
            people: People::generate(SEED, today),
            dmp: None,
            speaks_dmp: false,
            port: 0,
            card_port: 0,
            web_port: 0,
            web_url: String::new(),
            snapshot: folder.join("dmp.json"),
            settings: folder.join("kiosk.toml"),
            state: folder.join("state"),
        };
        let base_url = stage.start_dmp()?;
        let printer = &stage.printer.uri;
        let team = team_text();
        let signature = signed::sign(team.as_bytes(), KEY, "development").map_err(|source| Error::Team { source })?;
        std::fs::write(folder.join("team.csv"), team).map_err(of_folder)?;
        std::fs::write(folder.join("team.sig"), signature).map_err(of_folder)?;
        std::fs::write(&stage.settings, settings_text(&stage.pki, &base_url, &stage.psc.issuer, printer))
            .map_err(of_folder)?;
        Ok(stage)
    }

    /// The kiosk that is started on it speaks to the DMP in its own language, and to the trace repository as ever. Without telephones.
    pub fn speak_dmp(&mut self) -> Result<(), Error> {
        let Some(running) = &self.dmp else { return Ok(()) };
        let settings = dmp_settings_text(&self.pki, &running.services_url, &running.base_url, &self.printer.uri);
        std::fs::write(&self.settings, settings).map_err(|source| Error::Folder { source })?;
        self.speaks_dmp = true;
        Ok(())
    }

    pub fn speaks_dmp(&self) -> bool {
        self.speaks_dmp
    }

    /// Whether the DMP refuses whatever a holder adds.
    pub fn refuse_notes(&self, refuses: bool) {
        let Some(running) = &self.dmp else { return };
        match refuses {
            true => running.faults().set(dmp::Fault::RefusesNotes),
            false => running.faults().clear(),
        }
    }

    /// Each answer comes that much later.
    pub fn answer_late(&self, by: Duration) {
        if let Some(running) = &self.dmp {
            running.faults().set(dmp::Fault::Slow(by));
        }
    }

    /// The DMP goes away: nobody answers at its address.
    pub fn stop_dmp(&mut self) {
        if let Some(running) = self.dmp.take() {
            running.stop();
        }
    }

    /// It comes (back), at the same address, with all it knew. Answers its base URL.
    pub fn start_dmp(&mut self) -> Result<String, Error> {
        let options = dmp::Options {
            pki: self.pki.clone(),
            people: self.people.clone(),
            port: self.port,
            card_port: self.card_port,
            web_port: self.web_port,
            snapshot: Some(self.snapshot.clone()),
        };
        let running = dmp::start(options).map_err(|source| Error::Dmp { source })?;
        (self.port, self.card_port, self.web_port) = (running.port, running.card_port, running.web_port);
        self.web_url = running.web_url.clone();
        let base_url = running.base_url.clone();
        running.trust_issuer(&self.psc.issuer, &self.psc.jwk());
        self.dmp = Some(running);
        Ok(base_url)
    }

    /// A document's metadata, amended now: masked, archived, replaced, withdrawn. Nothing happens while the DMP is away.
    pub fn amend(&self, entry: &str, amendment: dmp::Amendment) {
        if let Some(dmp) = &self.dmp {
            dmp.amend(entry, amendment);
        }
    }

    /// The telephones, and what goes wrong with them.
    pub fn psc(&self) -> &psc::Running {
        &self.psc
    }

    /// The patient's side: a plain web page.
    pub fn web_url(&self) -> &str {
        &self.web_url
    }

    /// The journal's signed heads that the DMP holds; none while it is away.
    pub fn received_checkpoints(&self) -> Vec<serde_json::Value> {
        self.dmp.as_ref().map(dmp::Running::received_checkpoints).unwrap_or_default()
    }

    /// How many documents were added to the DMP; none while it is away.
    pub fn received_documents(&self) -> usize {
        self.dmp.as_ref().map_or(0, |running| running.received_documents().len())
    }

    /// What the DMP holds of traces, as AuditEvents, in the order of arrival; none while it is away.
    pub fn received_traces(&self) -> Vec<serde_json::Value> {
        self.dmp.as_ref().map(dmp::Running::received_traces).unwrap_or_default()
    }
}

/// The nurse and the doctor of the drawer are one team.
fn team_text() -> String {
    let members = ["nurse", "doctor", "last-try"].into_iter().filter_map(Drawer::profile);
    let members: String = members.map(|profile| format!("{},\n", profile.holder_id)).collect();
    format!("# chevet-team: 1\n# establishment: {SITE}\nid,role\n{members}")
}

fn settings_text(pki: &Pki, base_url: &str, issuer: &str, printer: &str) -> String {
    format!(
        "{}[upstream]\nurl = {base_url:?}\n{}connector = \"pdsm\"\n\n\
         [ecps]\nissuer = {issuer:?}\nclient_id = \"borne\"\nca = {:?}\n\n\
         [printer]\nuri = {printer:?}\n",
        site_text(pki),
        identity_text(pki),
        pki.tls_authority(),
    )
}

/// An OID of an arc that is for demonstrations, and no homologation.
fn dmp_settings_text(pki: &Pki, services_url: &str, audit_url: &str, printer: &str) -> String {
    let identity = identity_text(pki);
    format!(
        "{}[upstream]\nurl = {services_url:?}\n{identity}connector = \"dmp\"\n\n\
         [dmp]\noid = \"1.2.250.1.999.1.1.4242\"\n\n\
         [audit]\nurl = {audit_url:?}\n{identity}\n\
         [printer]\nuri = {printer:?}\n",
        site_text(pki),
    )
}

/// Whom the device believes, and what it shows.
fn identity_text(pki: &Pki) -> String {
    let device = pki.device();
    format!("ca = {:?}\ncertificate = {:?}\nkey = {:?}\n", pki.tls_authority(), device.certificate, device.key)
}

/// The others are colleagues whose names the site knows.
fn site_text(pki: &Pki) -> String {
    let named = |profile: Profile| {
        format!("{:?} = \"{} {} ({})\"\n", profile.holder_id, profile.family_name, profile.given_name, profile.title)
    };
    let colleagues: String =
        ["physiotherapist", "pharmacist"].into_iter().filter_map(Drawer::profile).map(named).collect();
    format!(
        "# Written by the sandbox.\n\
         [site]\nname = {SITE:?}\nteam_list = \"team.csv\"\nregime = \"conseil-etat-2025\"\n\n\
         [site.colleagues]\n{colleagues}\n\
         [vault]\nkey = \"none\"\n\n\
         [trust]\nanchors = [{anchors:?}]\ncrls = {crls:?}\nproduction = false\n\n\
         [reader]\npinpad = \"never\"\n\n",
        anchors = pki.anchors(),
        crls = pki.revocation_lists(),
    )
}

const SITE: &str = "Cabinet de la Gare";
/// Believed at desks only.
const KEY: &str = include_str!("../../data/keys/development.key");
/// As most do.
const PRINTS: [&str; 2] = ["application/pdf", "image/pwg-raster"];
/// Long enough to read the two digits.
const APPROVES_AFTER: Duration = Duration::from_secs(6);
/// Everybody is invented from this.
pub const SEED: u64 = 2026;
