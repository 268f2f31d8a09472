use super::*;
use crate::identity::holder::CardKind;
use x509_parser::prelude::FromDer;
use x509_parser::prelude::X509Certificate;

fn pki() -> Pki {
    // Shared by the tests of this file: drawing keys is the slow part.
    Pki::open_or_make(&std::env::temp_dir().join(format!("chevet-pki-{}", std::process::id())))
        .expect("the sandbox can be made")
}
#[test]
fn x() {
    let _ = (pki(), CardKind::Cps);
    let _ = X509Certificate::from_der(&[]);
}
