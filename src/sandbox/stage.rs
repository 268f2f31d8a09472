//! The stage of the demo and of the end-to-end tests: certificates, a DMP over TLS, settings, all in one folder. The kiosk
//! that is started on it is the real one, with nothing in it that knows of a stage.

use crate::sandbox::dmp;
use crate::sandbox::drawer::Drawer;
use crate::sandbox::people::People;
use crate::sandbox::pki;
use crate::sandbox::pki::Pki;
use crate::time::UnixSeconds;
use std::path::Path;
use std::path::PathBuf;

/// Everything around a kiosk, except the reader.
pub struct Stage {
    pub pki: Pki,
    pub drawer: Drawer,
    pub people: People,
    pub dmp: dmp::Running,
    /// `kiosk.toml`
    pub settings: PathBuf,
    /// The kiosk's state folder.
    pub state: PathBuf,
    options: dmp::Options,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the sandbox's folder cannot be used")]
    Folder { source: std::io::Error },
    #[error("the sandbox's certificates cannot be made")]
    Pki { source: pki::Error },
    #[error("the sandbox's DMP cannot be started")]
    Dmp { source: dmp::Error },
}

impl Stage {
    /// Sets everything up in `folder`; what is there from an earlier time is used again. Needs a tokio runtime.
    pub async fn set(folder: &Path, today: UnixSeconds) -> Result<Stage, Error> {
        let of_folder = |source| Error::Folder { source };
        std::fs::create_dir_all(folder).map_err(of_folder)?;
        let pki = Pki::open_or_make(&folder.join("pki")).map_err(|source| Error::Pki { source })?;
        let people = People::generate(SEED, today);
        let options = dmp::Options {
            pki: pki.clone(),
            people: people.clone(),
            port: 0,
            web_port: 0,
            snapshot: Some(folder.join("dmp.json")),
        };
        let running = dmp::start(options.clone()).await.map_err(|source| Error::Dmp { source })?;
        let settings = folder.join("kiosk.toml");
        std::fs::write(&settings, settings_text(&pki, &running.base_url)).map_err(of_folder)?;
        let state = folder.join("state");
        Ok(Stage { drawer: Drawer::new(pki.clone()), pki, people, dmp: running, settings, state, options })
    }

    /// The DMP goes away: nobody answers at its address.
    pub async fn stop_dmp(&mut self) {
        self.dmp.stop().await;
    }

    /// And comes back, at the same address, with all it knew.
    pub async fn start_dmp_again(&mut self) -> Result<(), Error> {
        let options = dmp::Options { port: self.dmp.port, web_port: self.dmp.web_port, ..self.options.clone() };
        self.dmp = dmp::start(options).await.map_err(|source| Error::Dmp { source })?;
        Ok(())
    }
}

/// The nurse and the doctor of the drawer are one team.
fn settings_text(pki: &Pki, base_url: &str) -> String {
    let team: Vec<String> = ["nurse", "doctor", "last-try"]
        .into_iter()
        .filter_map(Drawer::profile)
        .map(|profile| format!("{:?}", profile.holder_id))
        .collect();
    let device = pki.device();
    format!(
        "# Written by the sandbox.\n\
         [site]\nname = \"Cabinet de la Gare\"\nteam = [{team}]\nregime = \"conseil-etat-2025\"\n\n\
         [vault]\nkey = \"none\"\n\n\
         [trust]\nanchors = [{anchors:?}]\ncrls = {crls:?}\nproduction = false\n\n\
         [reader]\npinpad = \"off\"\n\n\
         [upstream]\nurl = {base_url:?}\nca = {ca:?}\ncertificate = {certificate:?}\nkey = {key:?}\n\
         connector = \"pdsm\"\n",
        team = team.join(", "),
        anchors = pki.anchors(),
        crls = pki.revocation_lists(),
        ca = pki.tls_authority(),
        certificate = device.certificate,
        key = device.key,
    )
}

/// Everybody is invented from this.
const SEED: u64 = 2026;
