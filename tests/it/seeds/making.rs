//! The seeds that our own code makes, by the same ways on which they come: a virtual card is read, lists and notes are signed.

use crate::desk::pki;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chevet::identity::holder::HolderId;
use chevet::identity::holder::ProfessionCode;
use chevet::journal::Draft;
use chevet::journal::Trace;
use chevet::journal::export;
use chevet::journal::leaf::Pending;
use chevet::journal::note::Head;
use chevet::journal::note::SigningKey;
use chevet::journal::receipt::Claims;
use chevet::journal::receipt::Place;
use chevet::journal::receipt::Receipt;
use chevet::journal::words::Class;
use chevet::journal::words::Ground;
use chevet::journal::words::Mode;
use chevet::journal::words::Regime;
use chevet::journal::words::Source;
use chevet::sandbox::cps::Card;
use chevet::sandbox::drawer::Drawer;
use chevet::sandbox::pki::Authority;
use chevet::sandbox::pki::ListDraft;
use chevet::secret::SecretKey;
use chevet::time::Now;
use chevet::time::UnixSeconds;
use chevet::time::Wall;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::time::Duration;
use uuid::Uuid;

/// Over what is there; the names stay.
pub fn write(folder: &Path) {
    let put = |target: &str, name: &str, bytes: &[u8]| {
        let folder = folder.join(target);
        fs::create_dir_all(&folder).expect("made");
        fs::write(folder.join(name), bytes).expect("written");
    };
    for name in ["nurse", "odd", "cps4", "contactless", "unknown"] {
        put("atr", name, &card(name).answer_to_reset());
    }
    for name in ["nurse", "odd"] {
        let mut card = card(name);
        for file in [0x2F01, 0xD003, 0x2F00] {
            put("tlv", &format!("{name}-{file:04x}"), &read(&mut card, &[0x3F00, file]));
        }
        let tries = exchange(&mut card, &hex::decode("00CB3FFF0A4D087006BF810102A080").expect("hex"));
        if !tries.is_empty() {
            put("tlv", &format!("{name}-tries"), &tries);
        }
        // Wherever this card has its directories: all of the application's small files.
        put("pkcs15", &format!("{name}-dir"), &read(&mut card, &[0x3F00, 0x2F00]));
        let mut found = 0;
        for file in (0x5031..=0x5033).chain(0x7000..=0x7020).chain(0x7B00..=0x7B20) {
            let bytes = read(&mut card, &[0x3F00, 0x0001, file]);
            if !bytes.is_empty() && bytes.len() < 1_000 {
                put("pkcs15", &format!("{name}-{file:04x}"), &bytes);
                found += 1;
            }
        }
        assert!(found >= 3, "{name}: the directories lie elsewhere now");
    }
    let inside =
        [&[0x84, 23][..], b"CLINIQUE DU BAC A SABLE", &[0x85, 10], b"1440000999", &[0x86, 4], b"SA04"].concat();
    let length = u8::try_from(inside.len()).expect("short");
    put("situation", "one", &[&[0xEE, length], inside.as_slice(), &[0; 8]].concat());
    for name in ["nurse", "in-training", "reception"] {
        let secrets = pki().card(&Drawer::profile(name).expect("in the drawer")).expect("drawn");
        put("certificate", name, &secrets.authentication.certificate);
    }
    let anchors = fs::read_to_string(pki().anchors()).expect("anchors");
    let root = anchors.split_inclusive("-----END CERTIFICATE-----\n").next().expect("the root");
    put("authority", "root.pem", root.as_bytes());
    let revoked = [Drawer::profile("revoked").expect("in the drawer")];
    let at = |days: i64| jiff::Timestamp::from_second(1_795_000_000 + days * 86_400).expect("a time");
    for (name, base) in [("whole", None), ("delta", Some(at(-3)))] {
        let draft = ListDraft { authority: Authority::Strong, revoked: &revoked, released: &revoked, at: at(0), base };
        put("crl", name, &pki().list(&draft).expect("signed"));
    }
    journal(&put);
    psc(&put);
    upstream(&put);
    put("datamatrix", "one", b"IS010000000000000000000000S1279035121518989\x1DS21.2.250.1.213.1.4.10S3DOMINIQUE\x1DS4NESSI\x1DS5FS614-05-1979S751215");
    let event = |lines: &str| format!("BEGIN:VEVENT\r\nUID:1\r\n{lines}\r\nEND:VEVENT\r\n");
    let events = [
        event(
            "DTSTART;TZID=Europe/Paris:20261101T083000\r\nRRULE:FREQ=DAILY;UNTIL=20270101\r\nEXDATE:20261102T073000Z\r\nSUMMARY:279035121518989",
        ),
        event("RECURRENCE-ID:20261123T073000Z\r\nDTSTART:20261123T170000Z\r\nDESCRIPTION:2 79 03 51 215\r\n  189 89"),
        event("DTSTART:20261123T160000\r\nSUMMARY:IS01"),
    ];
    put("agenda", "one", format!("BEGIN:VCALENDAR\r\n{}END:VCALENDAR\r\n", events.concat()).as_bytes());
}

/// One row, its signed head, its receipt.
fn journal(put: &dyn Fn(&str, &str, &[u8])) {
    let name = "chevet-0011223344556677";
    let key = SigningKey::new(name, &SecretKey::fill_with(|seed| seed.fill(1)));
    let at = Wall::Is(UnixSeconds(1_795_423_320));
    let draft = Draft {
        class: Class::Opened,
        holder: HolderId("899700000607".into()),
        profession: Some(ProfessionCode(60)),
        login: Some(0),
        proof: None,
        situation: Some("1440000999".into()),
        patient: None,
        document: None,
        ground: Some(Ground::Team),
        mode: Mode::Normal,
        regime: Regime::ConseilEtat2025,
        rule: "M-01".into(),
        matrix_version: "2026-11".into(),
        reason: None,
        secret: false,
        framework: None,
        source: Source::Online,
        at: Now { since_boot: Duration::from_secs(60), wall: at },
    };
    let row = Pending::new(Trace {
        index: 0,
        id: Uuid::from_u128(1),
        blind: [7; 32],
        boot: Uuid::from_u128(2),
        device: name.into(),
        software: "chevet 0.1.0".into(),
        draft,
    });
    let leaf = row.leaf();
    let note = key.sign(&Head { origin: name.into(), size: 1, root: leaf.0 });
    put("note", "signed", note.as_bytes());
    let claims =
        Claims { class: Class::Opened, ground: Some(Ground::Team), at, holder: HolderId("899700000607".into()) };
    let receipt = Receipt::new(&key, &note, Place { index: 0, leaf, path: Vec::new() }, claims).expect("a receipt");
    put("receipt", "text", receipt.to_text().as_bytes());
    put("receipt", "cbor", &receipt.to_cbor().expect("small"));
    let lines = [
        String::from_utf8(row.canonical().to_vec()).expect("JSON"),
        export::pruned_line(1, &leaf.0),
        export::checkpoint_line(&note, Some(UnixSeconds(1_795_423_400))),
    ];
    put("export", "three-lines", lines.join("\n").as_bytes());
}

/// What Pro Santé Connect says of somebody, and what a provider with a card's key would sign.
fn psc(put: &dyn Fn(&str, &str, &[u8])) {
    let person = json!({
        "sub": "f:0a1b:899700101340", "SubjectNameID": "899700101340", "preferred_username": "899700101340",
        "given_name": "Camille", "family_name": "INVENTEE",
        "SubjectRefPro": {"exercices": [
            {"codeProfession": "60", "codeCategorieProfessionnelle": "C", "activities": [
                {"numeroFinessSite": "750000001", "raisonSocialeSite": "HOPITAL INVENTE", "codeSecteurDactivite": "SA01"}]},
            {"codeProfession": 10, "codeCategorieProfessionnelle": "E", "codeTypeSavoirFaire": "S",
             "codeSavoirFaire": "SM26", "activities": []}]}
    });
    put("userinfo", "two-exercises", person.to_string().as_bytes());
    let roles = json!({"sub": "s", "SubjectNameID": "899700101340", "SubjectRole": ["60^1.2.250.1.213.1.1.5.5"]});
    put("userinfo", "roles-only", roles.to_string().as_bytes());

    let secrets = pki().card(&Drawer::profile("nurse").expect("in the drawer")).expect("drawn");
    let numbers = secrets.authentication.key.numbers().expect("an RSA key");
    let coded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let keys = json!({"keys": [{"kty": "RSA", "kid": "one", "use": "sig", "n": coded(&numbers.modulus), "e": "AQAB"}]});
    let claims =
        json!({"iss": "https://psc.invalid", "sub": "s", "aud": "chevet", "exp": 1_795_423_320, "iat": 1_795_423_200});
    let header = json!({"alg": "RS256", "kid": "one", "typ": "JWT"});
    let signed = format!("{}.{}", coded(header.to_string().as_bytes()), coded(claims.to_string().as_bytes()));
    let signature = secrets.sign_with_authentication(signed.as_bytes()).expect("signed");
    put("id_token", "signed", format!("{keys}\n{signed}.{}", coded(&signature)).as_bytes());
}

/// What a server answers, by the shapes of docs/pdsm.md.
fn upstream(put: &dyn Fn(&str, &str, &[u8])) {
    let identifier = json!({"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "279035121518989"});
    let nurse = json!({"system": "urn:oid:1.2.250.1.71.4.2.1", "value": "899700101340"});
    let document = json!({
        "resourceType": "DocumentReference", "id": "d1", "status": "current", "date": "2026-11-02T09:30:00Z",
        "contained": [{"resourceType": "PractitionerRole", "id": "a1",
            "practitioner": {"identifier": nurse, "display": "Maëlle QUERVENNEC"}}],
        "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.250.1.213.99.1"},
        "identifier": [{"value": "urn:uuid:0b8d3c5e-7f11-4d21-9d35-6f3a2f4c1e01"}],
        "type": {"coding": [{"system": "http://loinc.org", "code": "11488-4", "display": "Compte rendu"}]},
        "category": [{"coding": [{"code": "10"}]}],
        "subject": {"identifier": identifier}, "author": [{"reference": "#a1"}],
        "securityLabel": [{"coding": [{"code": "N"}]}],
        "content": [{"attachment": {"contentType": "text/xml", "url": "Binary/d1", "size": 12,
            "hash": "2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "title": "Un titre", "creation": "2026-11-02T09:30:00Z"},
            "format": {"code": "urn:ihe:iti:xds-sd:text:2008"}}],
        "context": {"period": {"start": "2026-11"}}
    });
    let access = json!({
        "resourceType": "AuditEvent", "recorded": "2026-11-02T09:31:00Z", "type": {"code": "rest"},
        "subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": "read"}],
        "agent": [{"requestor": true, "who": {"identifier": nurse}, "name": "Maëlle QUERVENNEC"}]
    });
    let patient = json!({
        "resourceType": "Patient", "id": "p1", "identifier": [identifier], "active": true,
        "extension": [{"url": "https://chevet.invalid/fhir/StructureDefinition/minor", "valueBoolean": false}]
    });
    let consent = json!({
        "resourceType": "Consent", "id": "c1", "status": "active",
        "category": [{"coding": [{"system": "https://chevet.invalid/fhir/CodeSystem/consent-category",
            "code": "authorization"}]}],
        "patient": {"identifier": identifier},
        "provision": {"type": "permit", "period": {"end": "2027-01-01"}, "actor": [{"reference": {"identifier": nurse}}]}
    });
    for (name, resource) in [("document", &document), ("access", &access), ("patient", &patient), ("consent", &consent)]
    {
        put("fhir", name, resource.to_string().as_bytes());
    }
    let page = json!({
        "resourceType": "Bundle", "type": "searchset", "total": 3,
        "link": [{"relation": "next", "url": "https://dmp.example:8443/fhir?page=2"}],
        "entry": [{"search": {"mode": "match"}, "resource": document}, {"search": {"mode": "match"}, "resource": access},
            {"search": {"mode": "outcome"}, "resource": {"resourceType": "OperationOutcome"}}]
    });
    put("bundle", "page", page.to_string().as_bytes());
    let lines = [
        "Mon, 23 Nov 2026 08:42:00 GMT",
        "Mon, 23 Nov 2026 08:43:30 GMT",
        "application/fhir+json; charset=utf-8",
        "Binary/d1",
    ];
    put("headers", "date", lines.join("\n").as_bytes());
    put("headers", "seconds", b"Mon, 23 Nov 2026 08:42:00 GMT\n120\n\nhttps://elsewhere.example/");
}

fn card(name: &str) -> Card {
    Drawer::new(pki()).card(name).expect("printed")
}

/// A transparent file, or nothing when there is none.
fn read(card: &mut Card, path: &[u16]) -> Vec<u8> {
    let path: Vec<u8> = path.iter().flat_map(|id| id.to_be_bytes()).collect();
    let length = u8::try_from(path.len()).expect("short");
    let selected = exchange(card, &[&[0x00, 0xA4, 0x09, 0x04, length], path.as_slice()].concat());
    let mut whole = Vec::new();
    if selected.is_empty() {
        return whole;
    }
    loop {
        let [high, low] = u16::try_from(whole.len()).expect("small").to_be_bytes();
        let part = exchange(card, &[0x00, 0xB0, high, low, 0x80]);
        whole.extend_from_slice(&part);
        if part.len() < 0x80 {
            return whole;
        }
    }
}

/// One command under T=0: GET RESPONSE while there is more, and again with the length that the card names.
fn exchange(card: &mut Card, command: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    let mut command = command.to_vec();
    loop {
        let answer = card.answer(&command);
        let (part, status) = answer.split_at(answer.len() - 2);
        data.extend_from_slice(part);
        match status {
            [0x61, more] => command = vec![0x00, 0xC0, 0x00, 0x00, *more],
            [0x6C, right] => *command.last_mut().expect("a command has a length") = *right,
            _ => return data,
        }
    }
}
