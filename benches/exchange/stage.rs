//! Both ends of the wire: the sandbox's server at the far one, a device and a nurse at the near one.

use crate::Done;
use crate::wire::Wire;
use chevet::exchange::AsHolder;
use chevet::exchange::Pdsm;
use chevet::exchange::pdsm::Profile;
use chevet::exchange::token;
use chevet::identity::holder::HolderId;
use chevet::journal::words::Mode;
use chevet::link;
use chevet::link::Client;
use chevet::sandbox::dmp;
use chevet::sandbox::dmp::Running;
use chevet::sandbox::drawer::Drawer;
use chevet::sandbox::people::People;
use chevet::sandbox::pki::Pki;
use chevet::secret::SecretBytes;
use chevet::time::UnixSeconds;
use std::path::Path;

/// Tokens serve for five minutes, and some of this takes longer: each part asks for its own.
pub struct Stage {
    pub pki: Pki,
}

impl Stage {
    pub fn set(folder: &Path) -> Done<Stage> {
        Ok(Stage { pki: Pki::open_or_make(&folder.join("pki"))? })
    }

    pub fn server(&self, wire: &Wire, people: People) -> Done<Running> {
        let options =
            dmp::Options { pki: self.pki.clone(), people, port: 0, card_port: 0, web_port: 0, snapshot: None };
        Ok(wire.far(|| dmp::start_at_the_end(options))?)
    }

    pub fn client(&self) -> Done<Client> {
        let device = self.pki.device();
        Ok(Client::new(link::Options {
            ca_pem: std::fs::read(self.pki.tls_authority())?,
            certificate_pem: std::fs::read(device.certificate)?,
            key_pem: SecretBytes::new(std::fs::read(device.key)?),
            timeouts: link::Timeouts::default(),
        })?)
    }

    pub fn connector(&self, server: &Running) -> Done<Pdsm> {
        Ok(Pdsm::new(self.client()?, &server.base_url, self.client()?, &server.base_url, Profile::Put)?)
    }

    pub fn nurse(&self, connector: &Pdsm) -> Done<AsHolder> {
        let profile = Drawer::profile("nurse").ok_or("the drawer has a nurse")?;
        let card = self.pki.card(&profile)?;
        let mut nonce = [0; 32];
        aws_lc_rs::rand::fill(&mut nonce).map_err(|_| "no chance")?;
        let request = token::Request {
            holder: HolderId(profile.holder_id.to_owned()),
            x5c: vec![card.authentication.certificate.clone()],
            audience: connector.audience().to_owned(),
            now: now(),
            nonce,
            device: connector.device_thumbprint(),
            mode: Mode::Normal,
        };
        let input = request.signing_input();
        let signature = card.sign_with_authentication(input.as_bytes())?;
        Ok(request.finish(&input, &signature))
    }
}

pub fn now() -> UnixSeconds {
    UnixSeconds(jiff::Timestamp::now().as_second())
}
