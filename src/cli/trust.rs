//! `chevet trust`: whose cards this device believes, and how old its lists of revoked cards are.
//!
//! An authority is added only after somebody compared its fingerprint: a yes on a terminal, or the fingerprint itself from a
//! script. A running kiosk reads authorities when it starts, lists at each card.

use crate::cli;
use crate::cli::Common;
use crate::config::Config;
use crate::identity::anchors::Authority;
use crate::identity::trust::Age;
use crate::identity::trust::ListPolicy;
use crate::kiosk::lists;
use crate::kiosk::lists::Fetched;
use crate::kiosk::trusted;
use crate::kiosk::trusted::Trust;
use crate::link::plain::Bounds;
use crate::link::plain::Plain;
use crate::time::UnixSeconds;
use serde::Serialize;
use std::error::Error;
use std::io::BufRead;
use std::io::IsTerminal;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub enum Verb {
    /// The authorities with their fingerprints, the revocation lists with their age
    #[command(after_help = "Example: chevet trust list --config kiosk.toml --json")]
    List,
    /// Trust the authorities of a file (PEM, or one in DER), after their fingerprints were compared
    #[command(after_help = "Example: chevet trust add ACI-FO-PP.cer --fingerprint 1B:05:3B:…")]
    Add {
        file: PathBuf,
        /// SHA-256 of a certificate in the file, as published; once for each of them. Asked on a terminal without it
        #[arg(long, value_name = "HEX")]
        fingerprint: Vec<String>,
    },
    /// Fetch the revocation lists now
    #[command(after_help = "Example: chevet trust refresh --json")]
    Refresh,
}

#[derive(Serialize)]
struct Listing {
    production: bool,
    authorities: Vec<ShownAuthority>,
    lists: Vec<ShownList>,
    /// Authorities on whose own revocation no list here speaks.
    unspoken_for: Vec<String>,
    /// Where lists are fetched.
    points: Vec<String>,
}

#[derive(Serialize)]
struct ShownAuthority {
    subject: String,
    issuer: String,
    /// SHA-256 of the certificate, upper case.
    fingerprint: String,
    not_before: String,
    not_after: String,
}

#[derive(Serialize)]
struct ShownList {
    issuer: String,
    this_update: String,
    age_days: i64,
    delta: bool,
    /// `fresh`, `tolerated` or `too_old`.
    state: &'static str,
}

#[derive(Serialize)]
struct ShownFetch {
    url: String,
    ok: bool,
    issuer: Option<String>,
    this_update: Option<String>,
    /// It is newer than what was here.
    is_news: bool,
    why: Option<String>,
}

pub fn run(verb: Verb, common: &Common) -> u8 {
    let config = match cli::settings(common) {
        Ok(config) => config,
        Err(code) => return code,
    };
    match verb {
        Verb::List => list(&config, common),
        Verb::Add { file, fingerprint } => add(&config, common, &file, &fingerprint),
        Verb::Refresh => refresh(&config, common),
    }
}

fn list(config: &Config, common: &Common) -> u8 {
    let read = Trust::read(&config.trust, &common.state);
    let whole = read.and_then(|trust| Ok((trust.crls()?, trust.points()?, trust)));
    let (crls, points, trust) = match whole {
        Ok(whole) => whole,
        Err(error) => return failed(&error),
    };
    let now = UnixSeconds(jiff::Timestamp::now().as_second());
    let listing = Listing {
        production: config.trust.production,
        authorities: trust.anchors.authorities().iter().map(shown).collect(),
        lists: crls.signed(&trust.anchors).map(|list| shown_list(list, now, crls.policy())).collect(),
        unspoken_for: crls.unspoken_for(&trust.anchors).map(|authority| authority.subject.clone()).collect(),
        points,
    };
    if common.json {
        return print(&listing);
    }
    println!("trusts      {} authorities", if listing.production { "production" } else { "test" });
    for authority in &listing.authorities {
        print!("{}", described(authority));
    }
    for ShownList { issuer, age_days, delta, state, .. } in &listing.lists {
        let kind = if *delta { "delta list" } else { "list" };
        println!("{kind:<11} {age_days} days old, {state}: {issuer}");
    }
    for subject in &listing.unspoken_for {
        println!("not known   whether this authority was revoked, for no list of the one above it is here: {subject}");
    }
    if crls.unreadable() > 0 {
        println!("left out    {} files that are no revocation lists", crls.unreadable());
    }
    for point in &listing.points {
        println!("fetched at  {point}");
    }
    cli::DONE
}

fn add(config: &Config, common: &Common, path: &Path, fingerprints: &[String]) -> u8 {
    let file = match std::fs::read(path) {
        Ok(file) => file,
        Err(error) => {
            cli::complain(&error);
            return cli::FAILED;
        }
    };
    if let Err(error) = trusted::judge_addition(&config.trust, &common.state, path, file.clone()) {
        return failed(&error);
    }
    let found = match Authority::all_of(&file) {
        Ok(found) => found,
        Err(error) => {
            cli::complain(&error);
            return cli::SAID_NO;
        }
    };
    // Whoever is asked sees what they are asked about; standard output is for the answer alone with --json.
    let asks = fingerprints.is_empty() && std::io::stdin().is_terminal();
    match (common.json, asks) {
        (false, _) => found.iter().for_each(|authority| print!("{}", described(&shown(authority)))),
        (true, true) => found.iter().for_each(|authority| eprint!("{}", described(&shown(authority)))),
        (true, false) => {}
    }
    let agreed = match fingerprints {
        [] if asks => agrees_on_terminal(),
        [] => Agreement::NobodyToAsk,
        given => Agreement::of(&found, given),
    };
    match agreed {
        Agreement::Yes => {}
        Agreement::No => {
            eprintln!("chevet: nothing was added");
            return cli::SAID_NO;
        }
        Agreement::Differs => {
            eprintln!(
                "chevet: the fingerprints given are not those of every certificate in the file; nothing was added"
            );
            return cli::SAID_NO;
        }
        Agreement::NobodyToAsk => {
            eprintln!("chevet: there is no terminal to ask on; give --fingerprint for each certificate in the file");
            return cli::WRONG_USE;
        }
    }
    let Some(first) = found.first() else { return cli::SAID_NO };
    match trusted::keep_authorities(&common.state, &file, &first.fingerprint) {
        Ok(_) if common.json => print(&found.iter().map(shown).collect::<Vec<_>>()),
        Ok(kept) => {
            println!("added as {}; a running kiosk trusts it after its next start", kept.display());
            cli::DONE
        }
        Err(error) => failed(&error),
    }
}

enum Agreement {
    Yes,
    No,
    Differs,
    NobodyToAsk,
}

impl Agreement {
    /// One for each certificate, and none too many: who compared three has not agreed to a fourth.
    fn of(found: &[Authority], given: &[String]) -> Agreement {
        let plain = |text: &String| text.replace(':', "").to_ascii_uppercase();
        let mut given: Vec<String> = given.iter().map(plain).collect();
        let mut wanted: Vec<String> = found.iter().map(|authority| hex::encode_upper(authority.fingerprint)).collect();
        given.sort();
        given.dedup();
        wanted.sort();
        wanted.dedup();
        if given == wanted { Agreement::Yes } else { Agreement::Differs }
    }
}

fn agrees_on_terminal() -> Agreement {
    eprint!("Compare each fingerprint with the one that the agency publishes. Trust them? (yes/no) ");
    let mut line = String::new();
    let read = std::io::stderr().flush().and_then(|()| std::io::stdin().lock().read_line(&mut line));
    if read.is_ok() && line.trim() == "yes" { Agreement::Yes } else { Agreement::No }
}

fn refresh(config: &Config, common: &Common) -> u8 {
    let trust = match Trust::read(&config.trust, &common.state) {
        Ok(trust) => trust,
        Err(error) => return failed(&error),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return failed_by(&error),
    };
    let fetched = match runtime.block_on(lists::round(&trust, &Plain::new(Bounds::default()))) {
        Ok(fetched) => fetched,
        Err(error) => return failed(&error),
    };
    let refused = fetched.iter().any(|one| matches!(one.outcome, Err(lists::Error::Refused { .. })));
    let unreached =
        fetched.iter().any(|one| matches!(one.outcome, Err(lists::Error::Link { .. } | lists::Error::Keep { .. })));
    let shown: Vec<ShownFetch> = fetched.into_iter().map(shown_fetch).collect();
    if common.json {
        let printed = print(&shown);
        if printed != cli::DONE {
            return printed;
        }
    } else {
        say_fetched(&shown);
    }
    match (unreached, refused) {
        (true, _) => cli::FAILED,
        (false, true) => cli::SAID_NO,
        (false, false) => cli::DONE,
    }
}

fn say_fetched(shown: &[ShownFetch]) {
    if shown.is_empty() {
        println!("no address is known yet: put a card in, or name trust.crl_urls in the settings");
    }
    for ShownFetch { url, this_update, is_news, why, .. } in shown {
        match (why, this_update) {
            (Some(why), _) => println!("failed      {url}: {why}"),
            (None, Some(at)) if *is_news => println!("newer       {url}: of {at}"),
            (None, at) => println!("unchanged   {url}: of {}", at.as_deref().unwrap_or("an unknown day")),
        }
    }
}

fn shown(authority: &Authority) -> ShownAuthority {
    ShownAuthority {
        subject: authority.subject.clone(),
        issuer: authority.issuer.clone(),
        fingerprint: hex::encode_upper(authority.fingerprint),
        not_before: authority.not_before.rfc3339(),
        not_after: authority.not_after.rfc3339(),
    }
}

fn shown_list((issuer, at, delta): (&str, UnixSeconds, bool), now: UnixSeconds, policy: ListPolicy) -> ShownList {
    let age_s = (now.0 - at.0).max(0);
    let state = match policy.age(age_s) {
        Age::TooOld => "too_old",
        Age::Tolerated => "tolerated",
        Age::Fresh => "fresh",
    };
    ShownList { issuer: issuer.to_owned(), this_update: at.rfc3339(), age_days: age_s / 86_400, delta, state }
}

fn shown_fetch(Fetched { url, outcome }: Fetched) -> ShownFetch {
    match outcome {
        Ok(list) => ShownFetch {
            url,
            ok: true,
            issuer: Some(list.issuer),
            this_update: Some(list.this_update.rfc3339()),
            is_news: list.is_news,
            why: None,
        },
        Err(error) => {
            let why = error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
            ShownFetch { url, ok: false, issuer: None, this_update: None, is_news: false, why: Some(why) }
        }
    }
}

/// For people, with the fingerprint that is to be compared.
fn described(authority: &ShownAuthority) -> String {
    let ShownAuthority { subject, issuer, fingerprint, not_before, not_after } = authority;
    format!(
        "authority   {subject}\n  issuer    {issuer}\n  valid     {not_before} to {not_after}\n  SHA-256   {}\n",
        in_pairs(fingerprint)
    )
}

/// `1B:05:3B…`, as OpenSSL and the agency write it.
fn in_pairs(hex: &str) -> String {
    let pairs: Vec<&str> = (0..hex.len() / 2).map(|pair| &hex[2 * pair..2 * pair + 2]).collect();
    pairs.join(":")
}

/// Authorities that are refused are a no; a file that cannot be read or written is a failure.
fn failed(error: &trusted::Error) -> u8 {
    cli::complain(error);
    match error {
        trusted::Error::Authorities { .. } | trusted::Error::Together { .. } => cli::SAID_NO,
        trusted::Error::Read { .. } | trusted::Error::Write { .. } => cli::FAILED,
    }
}

fn failed_by(error: &(dyn Error + 'static)) -> u8 {
    cli::complain(error);
    cli::FAILED
}

fn print(value: &impl Serialize) -> u8 {
    match serde_json::to_string(value) {
        Ok(text) => {
            println!("{text}");
            cli::DONE
        }
        Err(error) => failed_by(&error),
    }
}
