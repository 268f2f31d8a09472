//! What goes into the headset: the page's own words when it comes, a control's accessible label when the keys come to it.

use super::card_out::pages;
use super::*;
use chevet::device::voice::Options;
use chevet::device::voice::Tongue;
use chevet::device::voice::Voice;
use chevet::kiosk::start::join_aids;
use chevet::say::Lang;
use chevet::screen::aids::HardKey;
use chevet::screen::spoken;
use chevet::screen::spoken::Teller;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Instant;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Instead of espeak-ng: writes down how it was called and what it was told, one line each call, and may speak on for ever.
fn stand_in(folder: &Path, goes_on: bool) -> Options {
    let program = folder.join("espeak-ng");
    let (args, said) = (folder.join("args"), folder.join("said"));
    let rest = if goes_on { "exec /bin/sleep 1000" } else { "" };
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> {}\n/bin/cat >> {said}\necho '|' >> {said}\n{rest}\n",
        args.display(),
        said = said.display()
    );
    std::fs::write(&program, script).expect("a script");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("a program");
    Options { headset: "plughw:CARD=Headset".into(), program: program.display().to_string() }
}

/// Waits a while for what that file holds to be so; what it then holds.
async fn comes(path: &Path, is_so: impl Fn(&str) -> bool) -> Option<String> {
    for _ in 0..600 {
        if let Ok(text) = std::fs::read_to_string(path)
            && is_so(&text)
        {
            return Some(text);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    None
}

/// The last thing said was said to its end.
fn is_whole(said: &str) -> bool {
    said.trim_end().ends_with('|')
}

fn lives(pid: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Ended and not yet buried is ended.
    state.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

/// Every line that is said stands on the page: nothing is said that could not be read there.
#[test]
fn a_page_says_its_own_words_and_no_others() {
    let (window, _touches) = window();
    // Tall enough for the longest help: what lies below the edge of a list is not found.
    window.set_size(1280, 3_000);
    let mut silent = 0;
    for page in pages() {
        let visit = visit(page);
        let name = visit.page.name();
        let view = seen(&visit);
        let spoken = spoken::of(&view);
        silent += usize::from(spoken.lines.is_empty());
        assert_eq!(
            spoken.lines.is_empty(),
            matches!(view.body, Body::Idle(_) | Body::Typing(_)) && no_notice(&view.body),
            "{name}"
        );
        show(&window, &visit);
        let page_says = said(&window).join(" ").replace(['\n', '\u{a0}', '\u{202f}'], " ");
        // A long narrative is drawn in parts, and a row cell by cell.
        if matches!(view.body, Body::Reader(_)) {
            continue;
        }
        for line in &spoken.lines {
            let line = line.replace(['\n', '\u{a0}', '\u{202f}'], " ");
            assert!(page_says.contains(line.trim()), "{name} says « {line} » and shows {page_says}");
        }
    }
    assert!(silent >= 1, "the idle page says nothing");
}

fn no_notice(body: &Body) -> bool {
    match body {
        Body::Typing(page) => page.notice.is_none(),
        _ => true,
    }
}

#[test]
fn the_patients_page_is_said_in_the_patients_language() {
    let of = |language| spoken::of(&seen(&visit(gate(asking(language)))));
    assert_eq!(of(Language::English).lang, Lang::English);
    assert_eq!(of(Language::French).lang, Lang::French);
    assert_eq!(of(Language::EasyFrench).lang, Lang::French);
    let english = of(Language::English);
    let Body::Consent(page) = seen(&visit(gate(asking(Language::English)))).body else { panic!("the patient's page") };
    assert!(english.lines.contains(&page.body) && english.lines.contains(&page.title));
}

/// « Êtes-vous là ? » is asked once, and answered in silence: a page of ten minutes' reading does not begin again.
#[test]
fn a_page_is_not_said_again_after_the_question() {
    let mut teller = Teller::default();
    let page = visit(listed(None)).step(Event::Touched(Touch::Stirred), now()).0;
    let lines = |said: Option<spoken::Spoken>| said.map(|said| said.lines);
    assert!(lines(teller.shown(&seen(&page))).is_some_and(|lines| !lines.is_empty()), "it comes");
    let lock = chevet::visit::gentle::Patience::default().lock;
    let later = Now { since_boot: now().since_boot + lock - Duration::from_secs(30), ..now() };
    let asked = page.step(Event::Tick, later).0;
    let question = lines(teller.shown(&seen(&asked))).expect("the question is said");
    assert!(question.concat().contains("là"), "{question:?}");
    let answered = asked.step(Event::Touched(Touch::Stirred), later).0;
    assert!(lines(teller.shown(&seen(&answered))).is_some_and(|lines| lines.is_empty()), "hushed, and no more");
    assert!(teller.shown(&seen(&answered)).is_none(), "nothing new");
    let why = answered.step(Event::Touched(Touch::Why), later).0;
    assert!(lines(teller.shown(&seen(&why))).is_some_and(|lines| !lines.is_empty()), "another page is said");
}

/// From the key to the program's standard input: the label of the control that has the keys, and nothing in its arguments.
#[test]
fn what_is_said_is_the_label_of_the_control_that_has_the_keys() {
    let (window, _touches) = window();
    let folder = tempfile::tempdir().expect("a folder");
    let options = stand_in(folder.path(), false);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let (views_in, views) = watch::channel(seen(&visit(Page::Idle)));
    let mut tasks = JoinSet::new();
    let aids = runtime.block_on(async { join_aids(None, Some(options), &views, &mut tasks) }).expect("joined");
    window.on_focused(move |label| aids.focused.try_send(label.to_owned()).expect("somebody listens"));
    let page = visit(listed(None));
    show(&window, &page);
    views_in.send_replace(seen(&page));
    let (said_file, args_file) = (folder.path().join("said"), folder.path().join("args"));
    let page_said = comes(&said_file, |said| said.contains("PATIENTE-UNE") && is_whole(said));
    let mut before = runtime.block_on(page_said).expect("the page says whose it is");
    for _ in 0..3 {
        window.key(HardKey::Next);
        wait_ms(20);
        let labels: Vec<String> = controls(&window)
            .iter()
            .filter_map(ElementHandle::accessible_label)
            .map(|label| label.to_string())
            .collect();
        let grown = comes(&said_file, |said| said.len() > before.len() && is_whole(said));
        let said = runtime.block_on(grown).expect("the key's control is said");
        let told = said[before.len()..].trim_end().trim_end_matches('|').trim_end().to_owned();
        assert!(labels.contains(&told), "« {told} » is no label of {labels:?}");
        before = said;
    }
    let args = std::fs::read_to_string(&args_file).expect("it was called");
    assert!(args.lines().all(|line| line == "--stdin -b 1 -v fr -d plughw:CARD=Headset"), "{args}");
}

#[test]
fn without_a_headset_in_the_settings_nothing_is_sent() {
    let (_views_in, views) = watch::channel(seen(&visit(Page::Idle)));
    let mut tasks = JoinSet::new();
    let aids = join_aids(None, None, &views, &mut tasks).expect("joined");
    assert!(tasks.is_empty(), "nobody speaks");
    assert!(aids.focused.try_send("Documents".into()).is_err(), "nobody listens");
}

/// Card out: silent at once, whatever was being read.
#[test]
fn a_card_that_goes_ends_what_is_being_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = stand_in(folder.path(), true);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        // The mouth itself.
        let mut voice = Voice::new(options.clone());
        voice.say(Tongue::French, "Compte rendu").expect("said");
        let first = voice.pid().expect("a process");
        assert!(lives(first));
        voice.say(Tongue::French, "Lettre").expect("said");
        let second = voice.pid().expect("a process");
        voice.hush();
        for pid in [first, second] {
            let end = Instant::now() + Duration::from_secs(5);
            while lives(pid) && Instant::now() < end {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            assert!(!lives(pid), "{pid} speaks on");
        }
        // And the task, by the view of a card that is out.
        let (views_in, views) = watch::channel(seen(&visit(Page::Idle)));
        let mut tasks = JoinSet::new();
        let _aids = join_aids(None, Some(options), &views, &mut tasks).expect("joined");
        // Not there where both were hushed before a word.
        drop(std::fs::remove_file(folder.path().join("said")));
        views_in.send_replace(seen(&visit(listed(None))));
        assert!(comes(&folder.path().join("said"), is_whole).await.is_some(), "the page speaks");
        let speaks = || {
            let children = format!("/proc/{0}/task", std::process::id());
            let tasks = std::fs::read_dir(children).into_iter().flatten().flatten();
            let of =
                |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            let pids: Vec<u32> = tasks
                .map(of)
                .flat_map(|pids| pids.split(' ').filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
                .collect();
            pids.into_iter().filter(|pid| lives(*pid)).any(|pid| {
                std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with(b"/bin/sleep\x001000"))
            })
        };
        assert!(speaks(), "it goes on until it is stopped");
        views_in.send_replace(seen(&visit(listed(None)).step(Event::CardOut, now()).0));
        let end = Instant::now() + Duration::from_secs(5);
        while speaks() && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(!speaks(), "the card is out, and it speaks on");
    });
}

/// Debian's own espeak-ng makes sound of it, in both languages.
#[test]
fn what_is_sent_is_heard() {
    let folder = tempfile::tempdir().expect("a folder");
    for (language, text) in [("fr", "Êtes-vous toujours là\u{a0}?"), ("en", "Are you still there?")] {
        let wav = folder.path().join(format!("{language}.wav"));
        let mut child = Command::new("espeak-ng")
            .args(["--stdin", "-b", "1", "-v", language, "-w"])
            .arg(&wav)
            .stdin(std::process::Stdio::piped())
            .spawn()
            .expect("espeak-ng is installed (scripts/lib/setup.sh)");
        std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), text.as_bytes()).expect("told");
        assert!(child.wait().expect("it ends").success());
        let bytes = std::fs::read(&wav).expect("a sound");
        let loudest = bytes[44..].chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]]).unsigned_abs()).max();
        assert!(bytes.len() > 20_000 && loudest.unwrap_or(0) > 2_000, "{language}: {} bytes, {loudest:?}", bytes.len());
    }
}
