//! The fuzz targets over their seeds, in every ordinary run: what fell once does not fall again.
//!
//! `CHEVET_SEEDS=write` writes the seeds that our own code makes: the sandbox's card, its lists, a signed note.

#[path = "../../fuzz/src/targets.rs"]
mod targets;

use std::fs;
use std::path::Path;
use std::path::PathBuf;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds")
}

#[test]
fn every_target_takes_its_seeds_and_what_is_cut_of_them() {
    #[cfg(feature = "sandbox")]
    if std::env::var("CHEVET_SEEDS").is_ok_and(|what| what == "write") {
        making::write(&folder());
    }
    let mut known: Vec<String> = fs::read_dir(folder())
        .expect("fuzz/seeds")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    known.sort();
    let mut names: Vec<String> = targets::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    names.sort();
    assert_eq!(known, names, "a folder of seeds for each target, and no other");
    for (name, target) in targets::TARGETS {
        let seeds: Vec<Vec<u8>> = fs::read_dir(folder().join(name))
            .expect("a folder")
            .map(|entry| fs::read(entry.expect("an entry").path()).expect("a seed"))
            .collect();
        assert!(!seeds.is_empty(), "{name} has no seed");
        for seed in seeds {
            assert!(seed.len() <= 8_192, "{name}: a seed is small");
            target(&seed);
            for cut in [0, 1, 2, seed.len() / 3, seed.len() / 2, seed.len().saturating_sub(1)] {
                target(&seed[..cut.min(seed.len())]);
            }
        }
    }
}

/// A target that cannot tell one of its own from noise would find nothing behind the first check.
#[test]
fn the_seeds_reach_behind_the_first_check() {
    use chevet::card::pkcs15;
    use chevet::device::printer;
    use chevet::exchange::Outcome;
    use chevet::exchange::dmp;
    use chevet::exchange::dmp::ebrim::Element;
    use chevet::exchange::dmp::entry;
    use chevet::exchange::dmp::habilitation;
    use chevet::exchange::dmp::multipart;
    use chevet::exchange::dmp::query;
    use chevet::exchange::dmp::retrieve;
    use chevet::exchange::dmp::soap;
    use chevet::exchange::dmp::xml;
    use chevet::exchange::pdsm::answer;
    use chevet::exchange::pdsm::capability::Capability;
    use chevet::exchange::pdsm::documents;
    use chevet::exchange::pdsm::fhir::Bundle;
    use chevet::exchange::pdsm::history;
    use chevet::exchange::pdsm::lists;
    use chevet::identity::certificate::Certificate;
    use chevet::identity::crl::Crls;
    use chevet::identity::id_token;
    use chevet::identity::id_token::Keys;
    use chevet::identity::situations;
    use chevet::identity::userinfo::Person;
    use chevet::journal::note;
    use chevet::link::header;
    use chevet::patient::agenda;
    use chevet::patient::datamatrix;
    let any = |target: &str, reached: &dyn Fn(&[u8]) -> bool| {
        let seeds = fs::read_dir(folder().join(target)).expect("seeds");
        let mut seeds = seeds.map(|entry| fs::read(entry.expect("an entry").path()).expect("a seed"));
        assert!(seeds.any(|seed| reached(&seed)), "no seed of {target} is a whole one");
    };
    any("certificate", &|seed| Certificate::parse(seed).is_ok());
    any("crl", &|seed| Crls::from_bytes(vec![seed.to_vec()]).unreadable() == 0);
    any("note", &|seed| std::str::from_utf8(seed).is_ok_and(|text| note::read(text).is_ok()));
    any("pkcs15", &|seed| !pkcs15::keys(seed).is_empty());
    any("pkcs15", &|seed| !pkcs15::certificates(seed).is_empty());
    any("pkcs15", &|seed| !pkcs15::pins(seed).is_empty());
    any("userinfo", &|seed| Person::read(seed).is_some_and(|person| person.exercises.len() == 2));
    any("id_token", &|seed| {
        let text = std::str::from_utf8(seed).unwrap_or_default();
        let Some((set, token)) = text.split_once('\n') else { return false };
        Keys::read(set.as_bytes()).is_some_and(|keys| id_token::open(token, &keys).is_ok())
    });
    any("situation", &|seed| situations::read(seed).is_some());
    any("printer", &|seed| {
        printer::read_state(seed.to_vec()).is_ok_and(|state| state.hindrance.is_some() && state.pdf)
    });
    any("tlv", &|seed| pkcs15::serial(seed).is_some());
    let resource = |seed: &[u8]| serde_json::from_slice(seed).ok().into_iter().collect::<Vec<serde_json::Value>>();
    any("fhir", &|seed| documents::documents(resource(seed), &targets::ASKED).unreadable == 0);
    any("fhir", &|seed| history::accesses(resource(seed)).unreadable == 0);
    any("bundle", &|seed| {
        Bundle::read(seed, "searchset", "a search")
            .is_ok_and(|page| page.next().is_some() && page.matches().count() == 2)
    });
    any("headers", &|seed| {
        let mut lines = std::str::from_utf8(seed).unwrap_or_default().lines();
        let date = lines.next().and_then(header::http_date);
        lines.next().and_then(|line| header::retry_after_s(line, date)) == Some(90)
    });
    any("batch", &|seed| {
        let outcomes = answer::batched(seed, 4).unwrap_or_default();
        matches!(&outcomes[..], [Outcome::Acknowledged, Outcome::Refused { code, .. }, Outcome::NotNow, Outcome::NotNow]
            if code == "business-rule" || code == "refused")
    });
    any("lists", &|seed| {
        Bundle::read(seed, "searchset", "sets")
            .is_ok_and(|page| lists::entries(&page.matches().collect::<Vec<_>>()) == ["e1", "e2"])
    });
    any("capability", &|seed| {
        let said = Capability::read(seed);
        !said.lists && !said.last_updated
    });
    // Each kind of answer is read by its own reader.
    let said = |seed: &[u8], read: &dyn Fn(roxmltree::Node<'_, '_>, &[multipart::Part<'_>]) -> bool| {
        let end = seed.iter().position(|byte| *byte == b'\n').unwrap_or(0);
        let kind = std::str::from_utf8(&seed[..end]).unwrap_or_default();
        let message = soap::Message::read(kind, &seed[(end + 1).min(seed.len())..]);
        message.is_ok_and(|message| {
            message.parse().is_ok_and(|document| soap::body(&document).is_ok_and(|node| read(node, &message.parts)))
        })
    };
    any("soap", &|seed| {
        let entries = |answer: query::Answer| entry::documents(&answer.objects).documents.len();
        said(seed, &|node, _| query::read(node).is_some_and(|answer| entries(answer) == 1))
    });
    any("soap", &|seed| said(seed, &|node, _| query::read(node).is_some_and(|answer| answer.remarks.len() == 1)));
    any("soap", &|seed| said(seed, &|node, _| dmp::state::read(node).is_ok()));
    any("soap", &|seed| said(seed, &|node, _| habilitation::is_set(node) == Some(Ok(()))));
    any("soap", &|seed| said(seed, &|node, _| matches!(habilitation::listed(node), Some(Ok(all)) if all.len() == 1)));
    any("soap", &|seed| said(seed, &|node, parts| retrieve::read(node, parts, "1.2.3").is_ok()));
    any("ebrim", &|seed| {
        let text = std::str::from_utf8(seed).unwrap_or_default();
        xml::parse(text).is_ok_and(|document| entry::read(&Element::read(document.root_element())).is_some())
    });
    any("outcome", &|seed| seed.starts_with(b"422{\"resourceType\""));
    any("resumed", &|seed| {
        let text = std::str::from_utf8(seed).unwrap_or_default();
        let second = text.lines().nth(1).and_then(|line| line.split('\t').nth(1)).and_then(header::content_range);
        // Where the first line left off: seven bytes a letter.
        second.is_some_and(|range| Some(range.first) == text.lines().next().map(|line| line.len() as u64 * 7))
    });
    any("datamatrix", &|seed| std::str::from_utf8(seed).is_ok_and(|text| datamatrix::parse(text).is_ok()));
    any("agenda", &|seed| {
        let agenda =
            std::str::from_utf8(seed).ok().and_then(|text| agenda::read(text, targets::NOON, "Europe/Paris").ok());
        agenda.is_some_and(|agenda| agenda.visits.len() == 1 && agenda.unreadable == 1)
    });
    any("tlv", &|seed| pkcs15::root_application(seed).is_some());
    any("document", &|seed| {
        let read = chevet::render::read_here(seed, "", "", 0..0, &chevet::render::Limits::default());
        read.is_ok_and(|reading| chevet::record::summary::lines(&reading).len() == 9)
    });
}

#[cfg(feature = "sandbox")]
mod making;
