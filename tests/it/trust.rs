//! Whom a device trusts, with lists that were really signed and really fetched.

mod publisher;

use crate::desk::pki;
use crate::desk::with_card;
use chevet::config;
use chevet::config::Config;
use chevet::identity::anchors;
use chevet::identity::anchors::Realm;
use chevet::identity::certificate::Certificate;
use chevet::identity::crl::Refused;
use chevet::identity::trust::Anchors;
use chevet::identity::trust::AuthorityLists;
use chevet::identity::trust::Crls;
use chevet::identity::trust::Error;
use chevet::identity::trust::ListPolicy;
use chevet::identity::trust::Verified;
use chevet::identity::trust::Warning;
use chevet::identity::trust::verify;
use chevet::kiosk::lists;
use chevet::kiosk::start::Start;
use chevet::kiosk::start::start;
use chevet::kiosk::trusted;
use chevet::kiosk::trusted::Trust;
use chevet::link;
use chevet::link::plain::Bounds;
use chevet::link::plain::Plain;
use chevet::sandbox::drawer::Drawer;
use chevet::sandbox::pki::Authority;
use chevet::sandbox::pki::ListDraft;
use chevet::sandbox::pki::Profile;
use chevet::sandbox::stage::Stage;
use chevet::screen::view::Body;
use chevet::time::UnixSeconds;
use chevet::time::Wall;
use chevet::trouble::Trouble;
use jiff::Timestamp;
use jiff::ToSpan;
use publisher::Publisher;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::sync::LazyLock;
use std::time::Duration;

fn profile(name: &str) -> Profile {
    Drawer::profile(name).expect("in the drawer")
}

fn certificate(name: &str) -> Certificate {
    let secrets = pki().card(&profile(name)).expect("drawn");
    Certificate::parse(&secrets.authentication.certificate).expect("a certificate")
}

fn test_anchors() -> Anchors {
    Anchors::from_pem(&[&std::fs::read(pki().anchors()).expect("anchors")]).expect("anchors")
}

/// A moment, in days before this program began: the number of a list is a second, and must be the same each time.
fn days_ago(days: i64) -> Timestamp {
    static BEGUN: LazyLock<Timestamp> = LazyLock::new(Timestamp::now);
    BEGUN.saturating_sub((24 * days).hours()).expect("in the calendar")
}

fn now() -> Wall {
    Wall::Is(UnixSeconds(Timestamp::now().as_second()))
}

/// The list of the nurse's authority as it was so many days ago.
pub fn whole(days: i64, revoked: &[Profile]) -> Vec<u8> {
    let draft = ListDraft { authority: Authority::Strong, revoked, released: &[], at: days_ago(days), base: None };
    pki().list(&draft).expect("signed")
}

/// To the whole list of `base` days ago.
fn delta(days: i64, base: i64, revoked: &[Profile], released: &[Profile]) -> Vec<u8> {
    let (at, base) = (days_ago(days), Some(days_ago(base)));
    pki().list(&ListDraft { authority: Authority::Strong, revoked, released, at, base }).expect("signed")
}

/// The nurse's card under these lists.
fn judge(lists: &[&[u8]]) -> Result<Verified, Error> {
    let crls = Crls::from_bytes(lists.iter().map(|list| list.to_vec()).collect());
    assert_eq!(crls.unreadable(), 0);
    verify(&certificate("nurse"), &test_anchors(), &crls, now())
}

#[test]
fn a_delta_adds_revocations_and_freshness_to_its_base() {
    let nurse = [profile("nurse")];
    let aging = judge(&[&whole(20, &[])]).expect("tolerated");
    assert_eq!(aging.warnings, [Warning::CrlAging { days_max: 30 }]);
    let fresh = judge(&[&whole(20, &[]), &delta(2, 20, &[], &[])]).expect("fresh by its delta");
    assert_eq!((fresh.warnings, fresh.crl_age_s / 86_400), (vec![], 2));
    let too_old = judge(&[&whole(40, &[]), &delta(2, 40, &[], &[])]).expect("fresh by its delta");
    assert_eq!(too_old.warnings, []);
    assert_eq!(judge(&[&whole(20, &[]), &delta(2, 20, &nurse, &[])]), Err(Error::Revoked));
    // The newest delta counts; one to an older base than ours does too, for it says all since then.
    assert_eq!(judge(&[&whole(20, &[]), &delta(3, 20, &[], &[]), &delta(2, 25, &nurse, &[])]), Err(Error::Revoked));
}

#[test]
fn a_delta_that_does_not_fit_changes_nothing() {
    let nurse = [profile("nurse")];
    let base = whole(20, &[]);
    let aging = Ok(vec![Warning::CrlAging { days_max: 30 }]);
    let warnings = |delta: &[u8]| judge(&[&base, delta]).map(|verified| verified.warnings);
    assert_eq!(warnings(&delta(2, 10, &nurse, &[])), aging, "to a base that is not here: what lies between is unknown");
    assert_eq!(warnings(&delta(25, 30, &nurse, &[])), aging, "older than the whole list, which has it all");
    let mut forged = delta(2, 20, &nurse, &[]);
    let last = forged.len() - 1;
    forged[last] ^= 1;
    assert_eq!(warnings(&forged), aging, "not signed by the authority");
    assert_eq!(judge(&[&delta(2, 20, &[], &[])]), Err(Error::CrlMissing), "a delta alone says nothing of the rest");
    // A hold taken back: gone from the delta, and trusted again with the next whole list.
    assert_eq!(warnings(&delta(2, 20, &[], &nurse)), Ok(vec![]));
    let held = whole(20, &nurse);
    assert_eq!(judge(&[&held, &delta(2, 20, &[], &nurse)]), Err(Error::Revoked));
}

/// The list of the root names authorities: where it is here it counts, however old; whether it must be is the site's to say.
#[test]
fn an_authority_that_was_revoked_takes_its_cards_with_it() {
    let list = |revoked: &[Authority], days| pki().list_of_authorities(revoked, days_ago(days)).expect("signed");
    let judge = |lists: &[Vec<u8>], policy: ListPolicy| {
        let crls = Crls::from_bytes([&[whole(1, &[])], lists].concat()).under(policy);
        (verify(&certificate("nurse"), &test_anchors(), &crls, now()), crls.unspoken_for(&test_anchors()).count())
    };
    let where_there = ListPolicy::default();
    let required = ListPolicy { authorities: AuthorityLists::Required, ..where_there };
    let warnings = |(verdict, unspoken): (Result<Verified, Error>, usize)| (verdict.map(|one| one.warnings), unspoken);
    assert_eq!(warnings(judge(&[], where_there)), (Ok(vec![]), 3), "three authorities of whom nothing is known");
    assert_eq!(judge(&[], required).0, Err(Error::AuthorityCrlMissing));
    for policy in [where_there, required] {
        assert_eq!(warnings(judge(&[list(&[], 1)], policy)), (Ok(vec![]), 0));
        assert_eq!(judge(&[list(&[Authority::Strong], 1)], policy).0, Err(Error::AuthorityRevoked));
        assert_eq!(judge(&[list(&[Authority::Strong], 400)], policy).0, Err(Error::AuthorityRevoked), "an old word");
        assert_eq!(warnings(judge(&[list(&[Authority::Standard], 1)], policy)), (Ok(vec![]), 0), "of another one");
    }
    let aging = vec![Warning::CrlAging { days_max: 30 }];
    assert_eq!(warnings(judge(&[list(&[], 20)], required)), (Ok(aging), 0));
    assert_eq!(judge(&[list(&[], 40)], required).0, Err(Error::CrlTooOld { age_days: 40 }));
    assert_eq!(warnings(judge(&[list(&[], 40)], where_there)), (Ok(vec![]), 0));
    // Signed by nobody who may: it neither revokes nor speaks for anybody.
    let mut forged = list(&[Authority::Strong], 1);
    let last = forged.len() - 1;
    forged[last] ^= 1;
    assert_eq!(warnings(judge(&[forged], where_there)), (Ok(vec![]), 3));
    // Of a card whose own list is missing, what is worse is said.
    let alone = Crls::from_bytes(vec![list(&[Authority::Strong], 1)]);
    assert_eq!(verify(&certificate("nurse"), &test_anchors(), &alone, now()), Err(Error::AuthorityRevoked));
}

#[test]
fn a_fetched_list_is_taken_only_if_it_is_signed_and_no_older() {
    let anchors = test_anchors();
    let here = Crls::from_bytes(vec![whole(5, &[]), delta(3, 5, &[], &[])]);
    let accept = |fetched: &[u8]| here.accept(fetched, &anchors).map(|list| list.is_news);
    assert_eq!(accept(&whole(1, &[])), Ok(true));
    assert_eq!(accept(&whole(9, &[])), Err(Refused::Older));
    assert_eq!(accept(&delta(1, 5, &[], &[])), Ok(true));
    assert_eq!(accept(&delta(4, 5, &[], &[])), Err(Refused::Older), "each kind by itself");
    let draft = |authority| ListDraft { authority, revoked: &[], released: &[], at: days_ago(9), base: None };
    let of = |authority| pki().list(&draft(authority)).expect("signed");
    assert_eq!(accept(&of(Authority::Standard)), Ok(true), "of another of our authorities");
    assert_eq!(accept(&of(Authority::Other)), Err(Refused::NotSigned));
    assert_eq!(accept(&of(Authority::ProductionStrong)), Err(Refused::NotSigned));
    let mut changed = whole(1, &[]);
    let last = changed.len() - 1;
    changed[last] ^= 1;
    assert_eq!(accept(&changed), Err(Refused::NotSigned));
    for unreadable in [&b"<html>503</html>"[..], &[], &changed[..100], &[changed.clone(), vec![0]].concat()] {
        assert_eq!(accept(unreadable), Err(Refused::Unreadable));
    }
    let newest = here.accept(&whole(1, &[]), &anchors).expect("taken");
    let with_it = Crls::from_bytes(vec![newest.der.clone()]);
    assert_eq!(with_it.accept(&newest.der, &anchors).map(|list| list.is_news), Ok(false), "the very same");
}

#[test]
fn production_and_test_never_meet() {
    let production = Anchors::from_pem(&[&std::fs::read(pki().production_anchors().expect("drawn")).expect("anchors")]);
    let verdict = verify(&certificate("nurse"), &production.expect("anchors"), &Crls::default(), now());
    assert_eq!(verdict, Err(Error::OtherRealm(Realm::Test)));
    let real =
        pki().card(&Profile { name: "of-production", authority: Authority::ProductionStrong, ..profile("nurse") });
    let real = Certificate::parse(&real.expect("drawn").authentication.certificate).expect("a certificate");
    assert_eq!(verify(&real, &test_anchors(), &Crls::default(), now()), Err(Error::OtherRealm(Realm::Production)));
    assert_eq!(verify(&certificate("other-issuer"), &test_anchors(), &Crls::default(), now()), Err(Error::OtherIssuer));

    // In the settings: the file that is wrong is named.
    let folder = tempfile::tempdir().expect("a folder");
    let settings = |anchors: &[PathBuf], production| {
        let anchors = anchors.to_vec();
        Trust::read(&config::Trust { production, ..config_of(anchors, vec![]) }, folder.path()).map(|_| ())
    };
    let (test, real) = (pki().anchors(), pki().production_anchors().expect("drawn"));
    assert!(
        settings(std::slice::from_ref(&test), false).is_ok() && settings(std::slice::from_ref(&real), true).is_ok()
    );
    for (anchors, production) in [(vec![real.clone(), test.clone()], true), (vec![test.clone()], true)] {
        match settings(&anchors, production) {
            Err(trusted::Error::Authorities { path, source: anchors::Error::OtherRealm { .. } }) => {
                assert_eq!(path, test)
            }
            other => panic!("{other:?}"),
        }
    }
}

fn trust(folder: &Path, urls: Vec<String>) -> Trust {
    Trust::read(&config_of(vec![pki().anchors()], urls), folder).expect("read")
}

fn config_of(anchors: Vec<PathBuf>, crl_urls: Vec<String>) -> config::Trust {
    config::Trust {
        anchors,
        crls: None,
        crl_urls,
        crl_fresh_days: 7,
        crl_tolerated_days: 30,
        authority_lists: config::AuthorityLists::WhereThere,
        production: false,
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

#[test]
fn lists_are_fetched_kept_and_never_replaced_by_older_ones() {
    let publisher = Publisher::start();
    let folder = tempfile::tempdir().expect("a folder");
    let urls = ["/whole.crl", "/delta.crl"].map(|path| publisher.url(path)).to_vec();
    let trust = trust(folder.path(), urls);
    let plain = Plain::new(Bounds::default());
    let round = || {
        let fetched = runtime().block_on(lists::round(&trust, &plain)).expect("the addresses are read");
        fetched.into_iter().map(|one| one.outcome.map(|list| list.is_news)).collect::<Vec<_>>()
    };
    let nurse = || verify(&certificate("nurse"), &trust.anchors, &trust.crls().expect("read"), now());
    assert_eq!(nurse(), Err(Error::CrlMissing));

    publisher.serve("/whole.crl", whole(20, &[]));
    assert!(matches!(round()[..], [Ok(true), Err(lists::Error::Link { source: link::Error::Status { status: 404 } })]));
    assert_eq!(nurse().map(|verified| verified.crl_age_s / 86_400), Ok(20));
    publisher.serve("/delta.crl", delta(1, 20, &[], &[]));
    assert!(matches!(round()[..], [Ok(false), Ok(true)]));
    assert_eq!(nurse().map(|verified| verified.crl_age_s / 86_400), Ok(1));

    // A list put back by somebody on the way, and one of nobody: what is here stays.
    publisher.serve("/whole.crl", whole(25, &[]));
    publisher.serve("/delta.crl", b"not a list".to_vec());
    let refused = |outcome: &Result<bool, lists::Error>| match outcome {
        Err(lists::Error::Refused { source }) => *source,
        other => panic!("{other:?}"),
    };
    assert_eq!(round().iter().map(refused).collect::<Vec<_>>(), [Refused::Older, Refused::Unreadable]);
    assert_eq!(nurse().map(|verified| verified.crl_age_s / 86_400), Ok(1));

    publisher.serve("/whole.crl", whole(0, &[profile("nurse")]));
    assert!(matches!(round()[0], Ok(true)));
    assert_eq!(nurse(), Err(Error::Revoked));
}

/// A server that says too much, that says it without end, that sends elsewhere, or nothing.
#[test]
fn a_fetch_is_bounded_in_size_and_time_and_goes_nowhere_else() {
    let publisher = Publisher::start();
    let bounds =
        Bounds { silence: Duration::from_millis(400), whole: Duration::from_millis(1_500), ..Bounds::default() };
    let plain = Plain::new(bounds);
    let get = |path: &str| runtime().block_on(plain.get(&publisher.url(path), 1_000)).expect_err("no list comes of it");
    publisher.serve("/large", vec![0; 1_001]);
    assert!(matches!(get("/large"), link::Error::TooLarge { .. }));
    assert!(matches!(get("/endless"), link::Error::TooLarge { .. }), "without a length, counted while it comes");
    assert!(matches!(get("/silent"), link::Error::TimedOut));
    assert!(matches!(get("/trickle"), link::Error::TimedOut), "never silent for long");
    assert!(matches!(get("/elsewhere"), link::Error::Status { status: 302 }));
    assert!(matches!(get("/cut"), link::Error::Interrupted { .. }));
    publisher.serve("/fits", vec![7; 1_000]);
    assert_eq!(runtime().block_on(plain.get(&publisher.url("/fits"), 1_000)).expect("it fits"), [7; 1_000]);
}

#[test]
fn only_what_is_new_of_a_cards_addresses_is_remembered() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = "http://igc.bac-a-sable.invalid/CRL/ACI-FO-PP-TEST.crl".to_owned();
    let trust = trust(folder.path(), vec![settings.clone()]);
    let card = certificate("nurse");
    let above = "http://igc.bac-a-sable.invalid/CRL/ACR-PP-TEST.crl".to_owned();
    let expected = [settings.clone(), above.clone()];
    assert_eq!(card.lists_at(), [settings], "the LDAP addresses are left out, and with them the delta's");
    assert_eq!(test_anchors().lists_at(), [above], "where the root publishes which authorities it has revoked");
    let said = [card.lists_at(), &test_anchors().lists_at()].concat();
    assert!(trust.learn_points(&said).expect("remembered"));
    assert!(!trust.learn_points(&said).expect("known"));
    assert!(!trust.learn_points(&["http://a\nhttp://b".to_owned()]).expect("a line has no end inside"));
    assert_eq!(trust.points().expect("read"), expected);
    let again = self::trust(folder.path(), vec![]);
    assert_eq!(again.points().expect("read"), expected[1..]);
}

/// The kiosk whole: no list, and the screen says which; the network comes, the kiosk fetches by itself, and the card that was
/// refused is asked for its PIN.
#[test]
fn a_missing_list_is_said_and_then_fetched() {
    with_card("trust::a_missing_list_is_said_and_then_fetched", "nurse", |hands| {
        runtime().block_on(async {
            let folder = tempfile::tempdir().expect("a folder");
            let stage = Stage::set_with(folder.path(), hands.pki(), UnixSeconds(Timestamp::now().as_second()));
            let stage = stage.expect("a stage");
            let publisher = Publisher::start();
            let text = std::fs::read_to_string(&stage.settings).expect("settings");
            let from = format!("crls = {:?}", stage.pki.revocation_lists());
            let to = format!("crl_urls = [{:?}]", publisher.url("/whole.crl"));
            assert!(text.contains(&from), "{text}");
            std::fs::write(&stage.settings, text.replace(&from, &to)).expect("written");
            let config = Config::read(&stage.settings).expect("settings");
            let program = PathBuf::from(env!("CARGO_BIN_EXE_chevet"));
            let begin = Start { config, state: stage.state.clone(), credentials: None, program, starter_round: vec![] };
            let mut kiosk = start(begin).await.expect("started");
            let mut until = async |what: &str, there: &(dyn Fn(&Body) -> bool + Sync)| {
                let waited = kiosk.views.wait_for(|view| there(&view.body));
                let waited = tokio::time::timeout(Duration::from_secs(20), waited).await;
                assert!(waited.is_ok_and(|view| view.is_ok()), "no {what}");
            };
            let missing = Trouble::RevocationListMissing.words().happened;
            until("word about the list", &|body| matches!(body, Body::Trouble(page) if page.happened == missing)).await;
            let points = std::fs::read_to_string(stage.state.join("crl/points")).expect("what the card said");
            assert!(points.contains("ACI-FO-PP-TEST.crl"), "{points}");

            publisher.serve("/whole.crl", whole(1, &[]));
            hands.pull();
            until("idle page", &|body| matches!(body, Body::Idle(_))).await;
            // Wakes the task: it has rested, and a list is lacking.
            hands.insert("nurse");
            let asks = |body: &Body| matches!(body, Body::Pin(_));
            for _ in 0..6 {
                tokio::time::sleep(Duration::from_secs(3)).await;
                if asks(&kiosk.views.borrow().body) {
                    return;
                }
                hands.pull();
                tokio::time::sleep(Duration::from_secs(1)).await;
                hands.insert("nurse");
            }
            panic!("the list was not fetched: the page is {}", kiosk.views.borrow().page);
        });
    });
}

/// `chevet trust …` with the sandbox's settings; exit code and standard output.
fn chevet(stage: &Stage, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chevet"));
    command.arg("trust").args(arguments).stdin(Stdio::null());
    let output = command.arg("--config").arg(&stage.settings).arg("--state").arg(&stage.state).output();
    let output = output.expect("the program starts");
    (output.status.code().expect("it ends by itself"), String::from_utf8(output.stdout).expect("text"))
}

#[test]
fn an_authority_is_added_only_by_its_fingerprint() {
    let folder = tempfile::tempdir().expect("a folder");
    let now = UnixSeconds(Timestamp::now().as_second());
    let stage = Stage::set_with(folder.path(), pki(), now).expect("a stage");
    let publisher = Publisher::start();
    let text = std::fs::read_to_string(&stage.settings).expect("settings");
    // Only the root and two authorities: the nurse's is to be added.
    let pem = std::fs::read_to_string(pki().anchors()).expect("anchors");
    let all: Vec<&str> = pem.split_inclusive("-----END CERTIFICATE-----\n").collect();
    let (three, strong) = (folder.path().join("three.pem"), folder.path().join("strong.pem"));
    std::fs::write(&three, [all[0], all[2], all[3]].concat()).expect("written");
    std::fs::write(&strong, all[1]).expect("written");
    let text = text.replace(&format!("{:?}", pki().anchors()), &format!("{three:?}"));
    let urls = format!("crl_urls = [{:?}]", publisher.url("/whole.crl"));
    let text = text.replace(&format!("crls = {:?}", pki().revocation_lists()), &urls);
    std::fs::write(&stage.settings, text).expect("written");
    let subjects = || {
        let (code, text) = chevet(&stage, &["list", "--json"]);
        assert_eq!(code, 0);
        let listed: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(listed["production"], false);
        let of = |authority: &serde_json::Value| authority["subject"].as_str().expect("text").to_owned();
        listed["authorities"].as_array().expect("a list").iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(subjects().len(), 3);

    let strong = strong.to_str().expect("text");
    let (code, shown) = chevet(&stage, &["add", strong]);
    assert_eq!(code, 2, "nobody to ask, and no fingerprint");
    let (_, fingerprint) = shown.split_once("SHA-256").expect("it is shown before it is accepted");
    let fingerprint = fingerprint.trim();
    let digest = Command::new("openssl").args(["x509", "-noout", "-fingerprint", "-sha256", "-in", strong]).output();
    let openssl = String::from_utf8(digest.expect("openssl is there").stdout).expect("text");
    assert!(openssl.trim().ends_with(fingerprint), "{openssl}{fingerprint}");
    let other = fingerprint.replacen(|c: char| c != 'A', "A", 1);
    assert_eq!(chevet(&stage, &["add", strong, "--fingerprint", &other]).0, 1);
    assert_eq!(subjects().len(), 3, "nothing was added so far");
    let production = pki().production_anchors().expect("drawn");
    let refused = chevet(&stage, &["add", production.to_str().expect("text"), "--fingerprint", fingerprint]);
    assert_eq!(refused.0, 1, "production at a test device");

    assert_eq!(chevet(&stage, &["refresh"]).0, 3, "nobody publishes yet");
    publisher.serve("/whole.crl", whole(9, &[]));
    assert_eq!(chevet(&stage, &["refresh"]).0, 1, "not an authority of ours yet");
    assert_eq!(chevet(&stage, &["add", strong, "--fingerprint", &fingerprint.to_lowercase()]).0, 0);
    assert!(subjects().iter().any(|subject| subject.contains("FORT")), "{:?}", subjects());
    let (code, text) = chevet(&stage, &["refresh", "--json"]);
    let fetched: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((code, &fetched[0]["ok"], &fetched[0]["is_news"]), (0, &true.into(), &true.into()));
    let (_, text) = chevet(&stage, &["list", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let unspoken = listed["unspoken_for"].as_array().expect("a list");
    assert!(unspoken.len() == 3, "no list of the root is here: {unspoken:?}");
    assert_eq!((&listed["lists"][0]["age_days"], &listed["lists"][0]["state"]), (&9.into(), &"tolerated".into()));
}

/// On a terminal, with either form of the answer: nobody is asked for a yes before they have seen what to compare.
#[test]
fn whoever_is_asked_on_a_terminal_has_seen_the_fingerprint() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::set_with(folder.path(), pki(), UnixSeconds(Timestamp::now().as_second())).expect("a stage");
    let pem = std::fs::read_to_string(pki().anchors()).expect("anchors");
    let all: Vec<&str> = pem.split_inclusive("-----END CERTIFICATE-----\n").collect();
    let (three, strong) = (folder.path().join("three.pem"), folder.path().join("strong.pem"));
    std::fs::write(&three, [all[0], all[2], all[3]].concat()).expect("written");
    std::fs::write(&strong, all[1]).expect("written");
    let text = std::fs::read_to_string(&stage.settings).expect("settings");
    std::fs::write(&stage.settings, text.replace(&format!("{:?}", pki().anchors()), &format!("{three:?}")))
        .expect("written");
    let digest =
        Command::new("openssl").args(["x509", "-noout", "-fingerprint", "-sha256", "-in"]).arg(&strong).output();
    let digest = String::from_utf8(digest.expect("openssl is there").stdout).expect("text");
    let fingerprint = digest.trim().split_once('=').expect("OpenSSL's form").1;
    let added = || std::fs::read_dir(stage.state.join("trust")).map_or(0, Iterator::count);
    for (json, word, code) in [("", "no", 1), ("--json", "no", 1), ("--json", "yes", 0)] {
        let answer = folder.path().join("answer");
        let verb = format!(
            "{} trust add {} {json} --config {} --state {} > {}",
            env!("CARGO_BIN_EXE_chevet"),
            strong.display(),
            stage.settings.display(),
            stage.state.display(),
            if json.is_empty() { "/dev/tty".into() } else { answer.display().to_string() },
        );
        let mut terminal = Terminal::running(&verb);
        let seen = terminal.until("(yes/no)");
        assert!(seen.contains(fingerprint), "asked for a yes without it ({json}): {seen}");
        assert_eq!(terminal.say(word), code, "{json} {word}");
        assert_eq!(added(), usize::from(code == 0), "{json} {word}");
        if code == 0 {
            let answer: serde_json::Value =
                serde_json::from_slice(&std::fs::read(&answer).expect("an answer")).expect("JSON");
            assert_eq!(
                answer[0]["fingerprint"],
                fingerprint.replace(':', ""),
                "standard output is JSON and nothing else"
            );
        }
    }
}

/// A command on a terminal of its own, by util-linux's `script`.
struct Terminal {
    child: std::process::Child,
    screen: std::process::ChildStdout,
}

impl Terminal {
    fn running(command: &str) -> Terminal {
        let mut script = Command::new("script");
        script.args(["-qec", command, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = script.spawn().expect("script is missing: install the Debian package bsdutils");
        let screen = child.stdout.take().expect("piped");
        Terminal { child, screen }
    }

    /// What is on it, up to that word.
    fn until(&mut self, word: &str) -> String {
        let mut seen = Vec::new();
        let mut byte = [0];
        while !seen.ends_with(word.as_bytes()) {
            self.screen.read_exact(&mut byte).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&seen)));
            seen.push(byte[0]);
        }
        String::from_utf8(seen).expect("text")
    }

    /// Types a line; the exit code of what runs there.
    fn say(mut self, line: &str) -> i32 {
        let mut keys = self.child.stdin.take().expect("piped");
        keys.write_all(format!("{line}\n").as_bytes()).expect("typed");
        let mut rest = Vec::new();
        self.screen.read_to_end(&mut rest).expect("read to its end");
        drop(keys);
        self.child.wait().expect("it ends").code().expect("a code")
    }
}
