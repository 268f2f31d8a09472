//! Cards that really sign, for what must be proven with them.

use super::*;
use crate::desk::pki;
use chevet::identity::certificate::Certificate;
use chevet::identity::statement::Statement;
use chevet::journal::export::Report;
use chevet::journal::export::Verifier;
use chevet::journal::note::VerifyingKey;
use chevet::journal::trace::CardProof;
use chevet::journal::trace::LoginProof;
use chevet::sandbox::drawer::Drawer;
use chevet::sandbox::pki::CardSecrets;
use chevet::vault::Look;
use chevet::vault::Uncountersigned;

pub const DEVICE: &str = "chevet-0011223344556677";

pub struct Card {
    pub holder: &'static str,
    pub certificate: Certificate,
    secrets: CardSecrets,
}

/// One of the drawer's, by its name.
pub fn card(name: &str) -> Card {
    let profile = Drawer::profile(name).expect("in the drawer");
    let secrets = pki().card(&profile).expect("drawn");
    let certificate = Certificate::parse(&secrets.authentication.certificate).expect("a certificate");
    Card { holder: profile.holder_id, certificate, secrets }
}

impl Card {
    pub fn sign(&self, statement: &Statement) -> Vec<u8> {
        self.secrets.sign_with_authentication(statement.message()).expect("signed")
    }

    /// The row of a login that this card has really proven.
    pub fn login_row(&self) -> Draft {
        let nonce = [4; 32];
        let signature = self.sign(&Statement::login(DEVICE, self.certificate.key_id(), &nonce));
        let proof = LoginProof::Card(CardProof { certificate: self.certificate.der().to_vec(), nonce, signature });
        // While the certificate is valid, whenever it was drawn.
        let at = now(self.certificate.not_before().plus(60));
        Draft { proof: Some(proof), at, ..draft(Class::Login, self.holder, None) }
    }

    pub fn countersign(&self, head: &Uncountersigned) -> Vec<u8> {
        self.sign(&Statement::countersignature(DEVICE, self.certificate.key_id(), head.text.as_bytes()))
    }
}

/// Twelve rows: a login with its gate, then ten documents of one patient.
pub async fn live_by(vault: &Vault, card: &Card) {
    let gate = draft(Class::Gate, card.holder, Some((&patient(), None)));
    vault.record(vec![card.login_row(), gate], vec![]).await.expect("recorded");
    for number in 1..=10 {
        opened_row(vault, card.holder, &patient(), number).await;
    }
}

/// The card signs whatever is the newest head.
pub async fn attest(vault: &Vault, card: &Card, login: u64) -> u64 {
    let head = vault.uncountersigned().await.expect("read").expect("something to sign");
    let signature = card.countersign(&head);
    vault.countersigned(head.size, login, card.certificate.key_id(), signature).await.expect("kept");
    head.size
}

/// A look beside the open vault.
pub fn look(folder: &Path) -> Look {
    let key_file = folder.join("key");
    write_private(&key_file, &[0x5a; 32]);
    write_private(&folder.join("device.id"), format!("{DEVICE}\n").as_bytes());
    Look::open(folder, Some(&key_file)).expect("a look")
}

pub fn export_of(look: &Look) -> Vec<String> {
    let mut out = Vec::new();
    look.export(&mut out).expect("exported");
    String::from_utf8(out).expect("text").lines().map(str::to_owned).collect()
}

pub fn device_key(look: &Look) -> VerifyingKey {
    VerifyingKey::parse(&look.status().expect("read").device_key).expect("a key")
}

/// With the device's key, and the authorities that the drawer's right cards come from.
pub fn proven(lines: &[String], key: &VerifyingKey) -> Report {
    let pem = std::fs::read(pki().anchors()).expect("anchors");
    let anchors = chevet::identity::trust::Anchors::from_pem(&[&pem]).expect("anchors");
    let mut verifier = Verifier::new(Some(key.clone())).with_anchors(anchors);
    lines.iter().for_each(|line| verifier.line(line.as_bytes()));
    verifier.finish()
}
