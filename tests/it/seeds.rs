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
    use chevet::exchange::pdsm::documents;
    use chevet::exchange::pdsm::fhir::Bundle;
    use chevet::exchange::pdsm::history;
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
    any("datamatrix", &|seed| std::str::from_utf8(seed).is_ok_and(|text| datamatrix::parse(text).is_ok()));
    any("agenda", &|seed| {
        let agenda =
            std::str::from_utf8(seed).ok().and_then(|text| agenda::read(text, targets::NOON, "Europe/Paris").ok());
        agenda.is_some_and(|agenda| agenda.visits.len() == 1 && agenda.unreadable == 1)
    });
    any("tlv", &|seed| pkcs15::root_application(seed).is_some());
}

#[cfg(feature = "sandbox")]
mod making;
