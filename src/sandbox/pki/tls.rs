//! TLS certificates of the sandbox DMP and of the device: P-256, two years, from an authority of their own.

use crate::sandbox::der;
use crate::sandbox::pki::Error;
use crate::sandbox::pki::certificate;
use crate::sandbox::pki::certificate::Draft;
use crate::sandbox::pki::certificate::Issuer;
use crate::sandbox::pki::certificate::Weight;
use crate::sandbox::pki::certificate::attribute;
use crate::sandbox::pki::certificate::extension;
use crate::sandbox::pki::hours;
use crate::sandbox::pki::keys;
use crate::sandbox::pki::keys::Key;
use crate::sandbox::pki::write;
use jiff::Timestamp;
use std::net::Ipv4Addr;
use std::path::Path;

/// The device certificate's common name.
pub const DEVICE_NAME: &str = "borne-1.bac-a-sable.invalid";

/// Makes both families, once. Authorities' keys are not kept: nothing more is ever signed by them.
pub(super) fn make(folder: &Path) -> Result<(), Error> {
    for prefix in ["", "wrong-"] {
        // The last file written marks the family as whole.
        if folder.join(format!("{prefix}ca.pem")).exists() {
            continue;
        }
        let now = Timestamp::now();
        let name = subject(&format!("CHEVET BAC A SABLE {prefix}TLS").to_uppercase());
        let authority = Issuer { name: name.clone(), key: Key::p256()? };
        let draft = |serial: &str, subject: Vec<u8>, extensions: Vec<Vec<u8>>| Draft {
            serial: certificate::serial(&["tls", prefix, serial]),
            subject,
            not_before: hours(now, -24),
            not_after: hours(now, 24 * 365 * 2),
            extensions,
        };
        let roles = [("server", "localhost", SERVER_AUTH), ("device", DEVICE_NAME, CLIENT_AUTH)];
        for (role, common_name, purpose) in roles {
            let extensions = vec![
                certificate::leaf_constraints(),
                certificate::key_usage(&[0]),
                certificate::extended_key_usage(&[purpose]),
                extension("2.5.29.17", Weight::Plain, &alternative_names(role)),
            ];
            let key = Key::p256()?;
            let der = draft(role, subject(common_name), extensions).sign(&key, &authority)?;
            key.write_pem(&folder.join(format!("{prefix}{role}-key.pem")))?;
            write(&folder.join(format!("{prefix}{role}.pem")), keys::pem("CERTIFICATE", &der).as_bytes())?;
        }
        let extensions = vec![certificate::authority_constraints(), certificate::key_usage(&[5, 6])];
        let der = draft("ca", name, extensions).sign(&authority.key, &authority)?;
        write(&folder.join(format!("{prefix}ca.pem")), keys::pem("CERTIFICATE", &der).as_bytes())?;
    }
    Ok(())
}

fn subject(common_name: &str) -> Vec<u8> {
    certificate::name(vec![
        vec![attribute(certificate::COUNTRY, "FR")],
        vec![attribute(certificate::ORGANISATION, "CHEVET BAC A SABLE")],
        vec![attribute(certificate::COMMON_NAME, common_name)],
    ])
}

/// dNSName `[2]`, iPAddress `[7]` (RFC 5280 §4.2.1.6).
fn alternative_names(role: &str) -> Vec<u8> {
    let dns = |name: &str| der::context_primitive(2, name.as_bytes());
    if role == "server" {
        let v6 = std::net::Ipv6Addr::LOCALHOST.octets();
        let [here, at_the_end] = [Ipv4Addr::LOCALHOST, AT_THE_END].map(|v4| der::context_primitive(7, &v4.octets()));
        der::sequence(&[dns("localhost"), here, der::context_primitive(7, &v6), at_the_end])
    } else {
        der::sequence(&[dns(DEVICE_NAME)])
    }
}

/// Where the server stands when a test puts it at the end of a wire of its own: nobody's address (RFC 5737).
pub const AT_THE_END: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";
