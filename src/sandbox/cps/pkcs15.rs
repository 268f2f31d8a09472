//! What the card's files say: EF.DIR, EF.ATR, EF.SN, and the PKCS#15 folder (PKCS#15 v1.1 §6, §5).
//!
//! Identifiers of AODF, PrKDF, CDF and of the certificates are ours: those of real cards are not published, and a host
//! has to find them by way of the ODF.

use crate::identity::holder::CardKind;
use crate::sandbox::cps::Chip;
use crate::sandbox::cps::files::Access;
use crate::sandbox::cps::files::File;
use crate::sandbox::cps::files::HOLDER_NAME;
use crate::sandbox::cps::files::Place;
use crate::sandbox::cps::files::Tree;
use crate::sandbox::cps::make::Documents;
use crate::sandbox::cps::make::Make;
use crate::sandbox::cps::pin;
use crate::sandbox::der;
use crate::sandbox::der::tlv;
use crate::sandbox::pki::CardSecrets;
use crate::sandbox::pki::Profile;

/// Every file of a card.
pub fn tree(profile: &Profile, secrets: &CardSecrets, make: Make, chip: Chip) -> Tree {
    let root = |id, short, content| File { place: Place::Root, id, short: Some(short), read: Access::Anyone, content };
    let open = |id, short, content| File { place: Place::Holder, id, short, read: Access::Anyone, content };
    let own = |id, content| open(make.at(id), None, content);
    let mut files = vec![
        root(0x2f00, 0x1e, directory(make)),
        root(0x2f01, 0x1d, abilities(make)),
        root(0xd003, 0x1c, tlv(&[0x5a], &serial(profile))),
        open(0x5031, Some(0x11), objects(profile, make)),
        open(0x5032, Some(0x12), token_information(profile)),
        own(KEYS, private_keys(make, chip)),
        own(CERTIFICATES, certificates(make)),
        own(CODES, codes(make)),
        own(SIGNATURE_CERTIFICATE, secrets.signature.certificate.clone()),
        own(AUTHENTICATION_CERTIFICATE, secrets.authentication.certificate.clone()),
    ];
    if has_situation(profile) {
        files.push(own(DATA, data_objects(make)));
        files.extend((0..make.places).map(|place| File {
            place: Place::Holder,
            id: SITUATION + place,
            short: None,
            read: Access::Holder,
            content: situation(place),
        }));
    }
    Tree::new(files, make.folder)
}

/// EF.DIR: the application that answers in the contacts. A real card's file has room for a second template, perhaps the
/// contactless application's; OpenSC would take that one.
fn directory(make: Make) -> Vec<u8> {
    let inside = [tlv(&[0x4f], HOLDER_NAME), tlv(&[0x50], b"CPS bac a sable"), tlv(&[0x51], &folder(make))];
    tlv(&[0x61], &inside.concat())
}

/// EF.ATR of a real card, with the stray 80 that it opens with: short APDUs only, 260 bytes in, 256 out.
fn abilities(make: Make) -> Vec<u8> {
    let sizes = [&[0x02_u8, 0x02, 0x01, 0x04][..], &[2, 2, 1, 4], &[2, 2, 1, 0], &[2, 2, 1, 0]].concat();
    [
        if make.has_stray_byte { vec![0x80] } else { Vec::new() },
        tlv(&[0x43], &[0xb8]),
        tlv(&[0x46], &[0x04, 0xb0, 0xec, 0xc1]),
        tlv(&[0x47], &[0x94, 0x01, 0x80]),
        tlv(&[0x4f], crate::sandbox::cps::files::ROOT_NAME),
        tlv(&[0xe0], &sizes),
        tlv(&[0x78], &[0x06, 0x06, 0x2b, 0x81, 0x22, 0xf8, 0x78, 0x02]),
        tlv(&[0x82], &[0x90, 0x00]),
    ]
    .concat()
}

/// Issuer 80 25 00 00 01, then nine digits and a filler.
fn serial(profile: &Profile) -> Vec<u8> {
    let digits: Vec<u8> = profile.card_number.bytes().map(|digit| digit & 0x0f).chain([0x0f]).collect();
    let packed: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    [vec![0x80, 0x25, 0x00, 0x00, 0x01], packed].concat()
}

/// ODF: where each directory is, by paths relative to this folder.
fn objects(profile: &Profile, make: Make) -> Vec<u8> {
    let entry = |kind: u8, id: u16| der::context(kind, &der::sequence(&[der::octets(&make.at(id).to_be_bytes())]));
    let mut out = [entry(8, CODES), entry(0, KEYS), entry(4, CERTIFICATES)].concat();
    if has_situation(profile) {
        out.extend(entry(7, DATA));
    }
    out
}

/// TokenInfo. Without its list of algorithms OpenSC believes that the card signs nothing.
fn token_information(profile: &Profile) -> Vec<u8> {
    let algorithm = |reference: u64, mechanism: u64, operations: &[u32]| {
        der::sequence(&[
            der::integer(reference),
            der::integer(mechanism),
            der::null(),
            der::named_bits(operations),
            der::oid("1.2.840.113549.1.1.1"),
            der::integer(reference),
        ])
    };
    // Mechanisms by their PKCS#11 numbers; operations: 1 sign, 5 decipher, 6 hash.
    let algorithms = [
        algorithm(0x10, 0x220, &[6]),
        algorithm(0x40, 0x250, &[6]),
        algorithm(0x12, 0x006, &[1]),
        algorithm(0x42, 0x040, &[1]),
        algorithm(0x02, 0x001, &[1]),
        algorithm(0x1a, 0x001, &[5]),
    ];
    der::sequence(&[
        der::integer(0),
        der::octets(&serial(profile)),
        der::utf8("CHEVET"),
        der::context_primitive(0, b"CPS bac a sable"),
        // loginRequired, prnGeneration.
        der::named_bits(&[1, 2]),
        der::context(2, &algorithms.concat()),
    ])
}

/// AODF: the PIN, four to eight digits, not bound to this folder.
fn codes(make: Make) -> Vec<u8> {
    // initialized, and needs-padding.
    let flags: &[u32] = if make.pin_stored.is_some() { &[4, 5] } else { &[4] };
    let code = |label: &str, id: u8, reference: u8| {
        let attributes = der::sequence(&[
            make.bits(flags),
            // ascii-numeric.
            tlv(&[0x0a], &[0x01]),
            der::integer(pin::DIGITS_MIN as u64),
            der::integer(pin::DIGITS_MAX as u64),
            der::integer(pin::DIGITS_MAX as u64),
            der::context_primitive(0, &[reference]),
        ]);
        der::sequence(&[
            der::sequence(&[der::utf8(label), der::named_bits(&[0, 1])]),
            der::sequence(&[der::octets(&[id])]),
            der::context(1, &attributes),
        ])
    };
    let mut out = code("Code porteur", AUTHENTICATION_ID, make.pin_reference);
    if make.documents == Documents::OtherPin {
        out.extend(code("Code de signature", SIGNATURE_ID, make.pin_reference + 1));
    }
    out
}

/// PrKDF, as a rule without algorithm references, as on real cards. Access modes: 5 sign, 7 decipher, 9 authenticate.
fn private_keys(make: Make, chip: Chip) -> Vec<u8> {
    let key = |label: &str, number: u8, guard: &[Vec<u8>], modes: &[&[u32]], usage: &[u32]| {
        let rules: Vec<Vec<u8>> = modes
            .iter()
            .map(|mode| der::sequence(&[der::named_bits(mode), der::octets(&[AUTHENTICATION_ID])]))
            .collect();
        let common = [&[der::utf8(label), der::named_bits(&[0])], guard, &[der::sequence(&rules)]].concat();
        let mut class = vec![
            der::octets(&identifier(number)),
            make.bits(usage),
            // sensitive, alwaysSensitive, neverExtractable.
            der::named_bits(&[0, 2, 3]),
            der::integer(u64::from(chip.key(number))),
        ];
        if make.names_algorithms {
            class.push(der::context(1, &[der::integer(0x02), der::integer(0x1a)].concat()));
        }
        let kind = der::context(1, &der::sequence(&[der::sequence(&[der::octets(&[])]), der::integer(2048)]));
        der::sequence(&[der::sequence(&common), der::sequence(&class), kind])
    };
    let guarded = [der::octets(&[AUTHENTICATION_ID])];
    let mut out = Vec::new();
    if make.has_many_certificates {
        // What a card authenticates itself with when it is held against a reader: sign, without a PIN.
        out.extend(key("CPS_PRIV_TECH", 3, &[], &[&[9]], &[2]));
    }
    match make.documents {
        Documents::SamePin => out.extend(key("CPS_PRIV_SIG", 1, &guarded, &[&[5]], &[9])),
        Documents::OtherPin => out.extend(key("CPS_PRIV_SIG", 1, &[der::octets(&[SIGNATURE_ID])], &[&[5]], &[9])),
        Documents::None => {}
    }
    // decrypt, sign.
    out.extend(key("CPS_PRIV_AUT", 2, &guarded, &[&[7], &[9]], &[1, 2]));
    out
}

/// CDF: both certificates by absolute paths.
fn certificates(make: Make) -> Vec<u8> {
    let certificate = |label: &str, number: u8, file: u16| {
        der::sequence(&[
            der::sequence(&[der::utf8(label), tlv(&[0x03], &[0])]),
            der::sequence(&[der::octets(&identifier(number))]),
            der::context(1, &der::sequence(&[path(make, make.at(file))])),
        ])
    };
    let mut out = Vec::new();
    if make.has_many_certificates {
        out.extend(certificate("Certificat technique", 3, SIGNATURE_CERTIFICATE));
        out.extend(certificate("Certificat mal nomme", 2, SIGNATURE_CERTIFICATE));
    }
    if make.documents != Documents::None {
        out.extend(certificate("Certificat de signature CPS", 1, SIGNATURE_CERTIFICATE));
    }
    out.extend(certificate("Certificat d'authentification CPS", 2, AUTHENTICATION_CERTIFICATE));
    out
}

/// DODF: the first "situation d'exercice", behind the PIN.
fn data_objects(make: Make) -> Vec<u8> {
    der::sequence(&[
        der::sequence(&[der::utf8("CPS_ACTIVITY_01_PS"), der::named_bits(&[0]), der::octets(&[AUTHENTICATION_ID])]),
        der::sequence(&[der::utf8("CPS")]),
        der::context(1, &path(make, SITUATION)),
    ])
}

/// Template EE: name, identifier, sector of a structure that does not exist.
fn situation(place: u16) -> Vec<u8> {
    let (name, identifier) = if place == 0 {
        ("CLINIQUE DU BAC A SABLE".to_owned(), "1440000999".to_owned())
    } else {
        (format!("CENTRE DE SOINS {place}"), format!("14400009{}", 99 - place))
    };
    let inside = [tlv(&[0x84], name.as_bytes()), tlv(&[0x85], identifier.as_bytes()), tlv(&[0x86], b"SA04")];
    tlv(&[0xee], &inside.concat())
}

impl Chip {
    /// A key's reference, in the commands that choose it.
    fn key(self, number: u8) -> u8 {
        if self == Chip::Cps4 { number << 4 } else { 0x80 | number }
    }
}

fn has_situation(profile: &Profile) -> bool {
    matches!(profile.kind, CardKind::Cps | CardKind::Cpf)
}

fn path(make: Make, file: u16) -> Vec<u8> {
    der::sequence(&[der::octets(&[folder(make), file.to_be_bytes().to_vec()].concat())])
}

fn folder(make: Make) -> Vec<u8> {
    [[0x3f, 0x00], make.folder.to_be_bytes()].concat()
}

/// The application's name and a number: what binds a key to its certificate.
fn identifier(number: u8) -> Vec<u8> {
    [HOLDER_NAME, &[number]].concat()
}

const AUTHENTICATION_ID: u8 = 0x01;
const SIGNATURE_ID: u8 = 0x02;
const KEYS: u16 = 0x7001;
const CERTIFICATES: u16 = 0x7002;
const CODES: u16 = 0x7003;
const DATA: u16 = 0x7004;
const SIGNATURE_CERTIFICATE: u16 = 0xb001;
const AUTHENTICATION_CERTIFICATE: u16 = 0xb002;
const SITUATION: u16 = 0xd120;
