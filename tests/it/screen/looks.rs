//! Every page, in every size, light, language and size of text: nothing is cut, nothing lies on something else, a finger finds
//! what it wants, and eyes can read it. What is measured is the drawn window, not the markup's intentions.

use super::card_out::pages;
use super::fixtures::*;
use super::harness::*;
use chevet::say::Lang;
use chevet::say::Light;
use chevet::say::Looks;
use chevet::screen::bridge::Snapshot;
use chevet::screen::bridge::Window;
use chevet::screen::bridge::snapshot;
use chevet::screen::view::Body;
use chevet::trouble::Trouble;
use chevet::visit::Page;
use chevet::visit::Visit;
use chevet::visit::event::ReaderState;
use i_slint_backend_testing::AccessibleRole;
use i_slint_backend_testing::ElementHandle;
use i_slint_backend_testing::ElementQuery;
use slint::ComponentHandle;

/// Panels that a board may have.
const SMALL: (u32, u32) = (800, 480);
const LARGE: (u32, u32) = (1280, 800);
const ON_END: (u32, u32) = (480, 800);

/// What is looked at of each page, by panel.
const ON_SMALL: &[(Lang, u16)] = &[
    (Lang::French, 100),
    (Lang::English, 100),
    (Lang::French, 125),
    (Lang::French, 150),
    (Lang::French, 200),
    (Lang::English, 200),
];
const ON_LARGE: &[(Lang, u16)] = &[(Lang::French, 100), (Lang::French, 150), (Lang::French, 200)];
const UPRIGHT: &[(Lang, u16)] =
    &[(Lang::French, 100), (Lang::French, 125), (Lang::French, 150), (Lang::French, 200), (Lang::English, 200)];

/// Upper left corner, lower right corner, in pixels of the window.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Frame {
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
}

impl Frame {
    fn of(element: &ElementHandle) -> Frame {
        let (at, size) = (element.absolute_position(), element.size());
        Frame { left: at.x, top: at.y, right: at.x + size.width, bottom: at.y + size.height }
    }

    fn width(self) -> f32 {
        self.right - self.left
    }

    fn height(self) -> f32 {
        self.bottom - self.top
    }

    /// What both cover; may be less than nothing.
    fn and(self, other: Frame) -> Frame {
        Frame {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        }
    }

    /// A pixel of rounding is nothing.
    fn holds(self, other: Frame) -> bool {
        self.holds_across(other) && other.top >= self.top - SLACK && other.bottom <= self.bottom + SLACK
    }

    fn holds_across(self, other: Frame) -> bool {
        other.left >= self.left - SLACK && other.right <= self.right + SLACK
    }

    fn is_something(self) -> bool {
        self.width() > SLACK && self.height() > SLACK
    }
}

const SLACK: f32 = 1.1;

/// A line or a paragraph, and the part of the window in which it is seen: the whole, or the list that it is moved in.
struct Written {
    words: String,
    frame: Frame,
    seen_in: Frame,
    moves: bool,
}

impl Written {
    fn seen(&self) -> Frame {
        self.frame.and(self.seen_in)
    }
}

fn window_frame(window: &Window) -> Frame {
    let size = window.app().window().size();
    Frame { left: 0.0, top: 0.0, right: size.width as f32, bottom: size.height as f32 }
}

fn is_text(element: &ElementHandle) -> bool {
    let size = element.size();
    size.width > 0.0
        && size.height > 0.0
        && element.type_name().is_some_and(|name| name == "Text" || name == "StyledText")
}

fn written(window: &Window) -> Vec<Written> {
    let whole = window_frame(window);
    let mut all: Vec<Written> = Vec::new();
    for element in ElementQuery::from_root(window.app()).match_descendants().match_predicate(is_text).find_all() {
        let words = element.accessible_label().unwrap_or_default().to_string();
        let frame = Frame::of(&element);
        // An element is found once for each component that it stands in.
        if !all.iter().any(|one| one.frame == frame && one.words == words) {
            all.push(Written { words, frame, seen_in: whole, moves: false });
        }
    }
    let flickables = ElementQuery::from_root(window.app()).match_descendants().match_inherits("Flickable").find_all();
    for flickable in flickables {
        let view = Frame::of(&flickable);
        for element in flickable.query_descendants().match_descendants().match_predicate(is_text).find_all() {
            let frame = Frame::of(&element);
            for one in all.iter_mut().filter(|one| one.frame == frame) {
                one.seen_in = one.seen_in.and(view);
                one.moves = true;
            }
        }
    }
    all
}

/// Controls that are moved with what they stand in, each with the part of the window in which it is seen.
fn moving(window: &Window) -> Vec<(Frame, Frame)> {
    let is_button = |element: &ElementHandle| element.accessible_role() == Some(AccessibleRole::Button);
    let flickables = ElementQuery::from_root(window.app()).match_descendants().match_inherits("Flickable").find_all();
    let inside = |flickable: &ElementHandle| {
        let view = Frame::of(flickable);
        let found = flickable.query_descendants().match_descendants().match_predicate(is_button).find_all();
        found.iter().map(|element| (Frame::of(element), view)).collect::<Vec<_>>()
    };
    flickables.iter().flat_map(inside).collect()
}

/// Whatever a finger may touch.
fn touchable(window: &Window) -> Vec<ElementHandle> {
    controls(window).into_iter().filter(|control| control.accessible_enabled() != Some(false)).collect()
}

fn visits() -> Vec<Visit> {
    let longest = |trouble: &Trouble| std::cmp::Reverse(trouble.words().happened.len() + trouble.words().next.len());
    let mut troubles = Trouble::ALL.to_vec();
    troubles.sort_by_key(longest);
    troubles.truncate(3);
    let kept = |page: &Page| !matches!(page, Page::TakeCard(trouble) if !troubles.contains(trouble));
    let mut all: Vec<Visit> = pages().into_iter().filter(kept).map(visit).collect();
    // A bad day on the idle page.
    let mut bad = visit(Page::Idle);
    bad.standing.reader = ReaderState::InTrouble(Trouble::ReaderServiceDown);
    bad.standing.waiting = Some(waiting(3));
    all.push(bad);
    if let Some(only) = only() {
        all.retain(|visit| only.split(',').any(|name| name == visit.page.name()));
    }
    all
}

fn looking(visit: &mut Visit, lang: Lang, text_percent: u16, light: Light) {
    visit.standing.looks = Looks { lang, text_percent, light };
}

/// Which of a page's several faces this is.
fn kind(body: &Body) -> &'static str {
    match body {
        Body::Wait(_) => "wait",
        Body::Choice(_) => "choice",
        Body::Text(_) => "text",
        Body::Note(_) => "note",
        Body::Check(_) => "check",
        Body::Consent(_) => "consent",
        Body::Sign(_) => "sign",
        Body::Agreements(_) => "agreements",
        Body::Why(_) => "why",
        Body::Facts(_) => "facts",
        Body::Summary(_) => "summary",
        Body::Documents(_) => "documents",
        Body::History(_) => "history",
        Body::Receipt(_) => "receipt",
        _ => "itself",
    }
}

/// Everything wrong with one page as it stands, in words.
fn faults(window: &Window, name: &str) -> Vec<String> {
    let whole = window_frame(window);
    let mut wrong = Vec::new();
    // Ten letters stand beside each other on the narrow panel too, and are 40 px wide there; everything else is 48.
    let least = if whole.width() < 640.0 { 40.0 } else { 48.0 };
    let written = written(window);
    for one in &written {
        let inside = if one.moves {
            one.seen_in.holds_across(one.frame) || one.frame.and(one.seen_in).height() >= one.frame.height() - SLACK
        } else {
            whole.holds(one.frame)
        };
        if !inside {
            wrong.push(format!("{name}: « {} » is cut: {:?} in {:?}", one.words, one.frame, one.seen_in));
        }
    }
    for (place, one) in written.iter().enumerate() {
        for other in &written[place + 1..] {
            if one.seen().and(other.seen()).is_something() {
                wrong.push(format!("{name}: « {} » lies on « {} »", one.words, other.words));
            }
        }
    }
    let moving = moving(window);
    let seen_in =
        |frame: Frame| moving.iter().filter(|(one, _)| *one == frame).fold(whole, |seen, (_, view)| seen.and(*view));
    for control in touchable(window) {
        let label = control.accessible_label().unwrap_or_default();
        let frame = Frame::of(&control);
        if frame.width() < least - 0.1 || frame.height() < least - 0.1 {
            wrong.push(format!(
                "{name}: « {label} » is too small for a finger: {} × {}",
                frame.width(),
                frame.height()
            ));
        }
        let center = |one: &Written| {
            let seen = one.seen();
            ((seen.left + seen.right) / 2.0, (seen.top + seen.bottom) / 2.0)
        };
        let is_in = |(x, y): (f32, f32)| x > frame.left && x < frame.right && y > frame.top && y < frame.bottom;
        if control.accessible_role() == Some(AccessibleRole::Button) {
            for one in written.iter().filter(|one| {
                one.seen_in == seen_in(frame)
                    && one.seen().is_something()
                    && is_in(center(one))
                    && !frame.holds(one.seen())
            }) {
                wrong.push(format!("{name}: « {label} » does not hold its words: {:?} in {frame:?}", one.frame));
            }
        }
    }
    wrong
}

#[track_caller]
fn nothing(mut wrong: Vec<String>) {
    let count = wrong.len();
    wrong.dedup();
    assert!(wrong.is_empty(), "{count} faults:\n{}", wrong.join("\n"));
}

#[test]
fn nothing_is_cut_and_a_finger_finds_everything() {
    fits(SMALL, ON_SMALL);
}

#[test]
fn nothing_is_cut_on_the_large_panel() {
    fits(LARGE, ON_LARGE);
}

#[test]
fn nothing_is_cut_on_a_panel_that_stands_on_end() {
    fits(ON_END, UPRIGHT);
}

#[track_caller]
fn fits(panel: (u32, u32), variants: &[(Lang, u16)]) {
    let (window, _touches) = window();
    window.set_size(panel.0, panel.1);
    let mut wrong = Vec::new();
    let mut looked_at = 0;
    for mut visit in visits() {
        for (lang, percent) in variants {
            looking(&mut visit, *lang, *percent, Light::Day);
            show(&window, &visit);
            let page = seen(&visit).page;
            let body = kind(&seen(&visit).body);
            if lang == &Lang::French && std::env::var_os("CHEVET_SNAPSHOTS").is_some() {
                let place = looked_at / variants.len();
                let shot = snapshot(&window).expect("a picture");
                keep(&format!("looks-{place:03}-{page}-{body}-{percent}"), &shot);
            }
            wrong.extend(faults(&window, &format!("{page} {body} {}×{} {percent}", panel.0, panel.1)));
            looked_at += 1;
        }
    }
    assert!(looked_at >= 80 * variants.len() || only().is_some(), "too few to prove anything: {looked_at}");
    nothing(wrong);
}

/// While one page is worked at: `CHEVET_PAGES=home,record` looks at no other.
fn only() -> Option<String> {
    std::env::var("CHEVET_PAGES").ok()
}

/// Ink and ground as they are drawn: the commonest colour under a text, and that which stands out most from it.
fn drawn_contrast(picture: &Snapshot, frame: Frame) -> Option<f64> {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let clamp = |at: f32, most: usize| (at.max(0.0) as usize).min(most);
    let (left, right) = (clamp(frame.left, width), clamp(frame.right.ceil(), width));
    let (top, bottom) = (clamp(frame.top, height), clamp(frame.bottom.ceil(), height));
    let pixel = |x: usize, y: usize| {
        let at = (y * width + x) * 4;
        [picture.rgba[at], picture.rgba[at + 1], picture.rgba[at + 2]]
    };
    let mut seen: std::collections::HashMap<[u8; 3], usize> = std::collections::HashMap::new();
    for y in top..bottom {
        for x in left..right {
            *seen.entry(pixel(x, y)).or_default() += 1;
        }
    }
    let ground = *seen.iter().max_by_key(|(_, count)| **count)?.0;
    let most = seen.keys().map(|colour| contrast(*colour, ground)).fold(1.0, f64::max);
    Some(most)
}

fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// WCAG 2.2, relative luminance.
fn luminance(colour: [u8; 3]) -> f64 {
    let channel = |value: u8| {
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(colour[0]) + 0.7152 * channel(colour[1]) + 0.0722 * channel(colour[2])
}

#[test]
fn every_drawn_text_can_be_read_by_day_and_by_night() {
    let (window, _touches) = window();
    let mut wrong = Vec::new();
    let (mut read, mut outlined) = (0, 0);
    for mut visit in visits() {
        for light in [Light::Day, Light::Night] {
            looking(&mut visit, Lang::French, 100, light);
            show(&window, &visit);
            let picture = snapshot(&window).expect("the software renderer takes pictures");
            let name = format!("{} {light:?}", seen(&visit).page);
            for one in written(&window).iter().filter(|one| one.seen().height() >= one.frame.height().min(12.0)) {
                if one.words.trim().is_empty() && one.frame.height() > 60.0 {
                    continue;
                }
                let Some(found) = drawn_contrast(&picture, one.seen()) else { continue };
                read += 1;
                // Nothing but its ground: an empty line.
                if found > 1.05 && found < TEXT_LEAST {
                    wrong.push(format!("{name}: « {} » {:?} stands out {found:.2}", one.words, one.frame));
                }
            }
            for control in touchable(&window).iter().filter(|control| is_button(control)) {
                let Some(found) = outline_contrast(&window, &picture, Frame::of(control)) else { continue };
                outlined += 1;
                if found < CONTROL_LEAST {
                    let label = control.accessible_label().unwrap_or_default();
                    wrong.push(format!("{name}: the edge of « {label} » stands out {found:.2}"));
                }
            }
        }
    }
    assert!(read > 1000 && outlined > 500 || only().is_some(), "too few to prove anything: {read}, {outlined}");
    nothing(wrong);
}

/// WCAG 2.2, 1.4.6 and 1.4.11.
const TEXT_LEAST: f64 = 7.0;
const CONTROL_LEAST: f64 = 3.0;

fn is_button(element: &ElementHandle) -> bool {
    element.accessible_role() == Some(AccessibleRole::Button)
}

/// How a control stands out from what lies left of it, at half its height: by its edge, or by its ground. `None`: it is not in sight.
fn outline_contrast(window: &Window, picture: &Snapshot, frame: Frame) -> Option<f64> {
    let moving = moving(window);
    let views = moving.iter().filter(|(one, _)| *one == frame);
    let seen = views.fold(window_frame(window), |seen, (_, view)| seen.and(*view));
    let (left, middle) = (frame.left.round(), ((frame.top + frame.bottom) / 2.0).round());
    let is_seen = middle > seen.top && middle < seen.bottom && left - 2.0 >= seen.left && left + 4.0 < seen.right;
    if !is_seen {
        return None;
    }
    let pixel = |x: f32| {
        let at = (middle as usize * picture.width as usize + x as usize) * 4;
        [picture.rgba[at], picture.rgba[at + 1], picture.rgba[at + 2]]
    };
    let outside = pixel(left - 2.0);
    (-1..4_i8).map(|by| contrast(pixel(left + f32::from(by)), outside)).reduce(f64::max)
}

/// A page in English says nothing in French, but what is somebody's own: names, a server's words, a document, the law's wording.
#[test]
fn an_english_page_is_english() {
    let (window, _touches) = window();
    let mut wrong = Vec::new();
    let mut read = 0;
    let mut all = visits();
    all.extend(Trouble::ALL.iter().map(|trouble| visit(Page::TakeCard(*trouble))));
    for mut visit in all {
        looking(&mut visit, Lang::English, 100, Light::Day);
        show(&window, &visit);
        let page = seen(&visit).page;
        // The patient's page has a language of its own.
        if matches!(seen(&visit).body, Body::Consent(_) | Body::Sign(_) | Body::Receipt(_) | Body::Reader(_)) {
            continue;
        }
        for text in said(&window).iter().map(|text| text.split(PRESCRIBED).next().unwrap_or_default()) {
            read += 1;
            if let Some(word) = french_word(text) {
                wrong.push(format!("{page}: « {text} » says {word}"));
            }
        }
    }
    assert!(read > 1000, "too few to prove anything: {read}");
    wrong.sort();
    nothing(wrong);
}

/// A word that no English sentence has. What is cited or somebody's own is taken away first.
fn french_word(text: &str) -> Option<String> {
    let mut rest = text.to_owned();
    for own in OWN {
        rest = rest.replace(own, " ");
    }
    let words =
        rest.split(|letter: char| !letter.is_alphabetic() && letter != '’').filter(|word| word.chars().count() > 1);
    let french = |word: &&str| {
        let lower = word.to_lowercase();
        FRENCH.contains(&lower.as_str())
            || lower.starts_with("l’")
            || lower.starts_with("d’")
            || lower.chars().any(|l| "éèàçêùîôâœ".contains(l))
    };
    words.into_iter().find(french).map(str::to_owned)
}

/// After it the law's own wording stands in French.
const PRESCRIBED: &str = "The prescribed wording, in French:";

/// Names of people, places, services and laws, as the fixtures and the law have them.
const OWN: &[&str] = &[
    "LEFÈVRE-TEST",
    "PATIENTE-UNE",
    "Patiente-Une",
    "Élodie",
    "DE-LA-ROCHEFOUCAULD-MONTMORENCY-TEST",
    "infirmière",
    "Cabinet de la Gare",
    "Consultation de la liste",
    "Ajout d’un document",
    "Service des urgences",
    "Accès en urgence",
    "Le patient vous a déjà autorisé à consulter son dossier.",
    "arrêté du",
    "Mon espace santé",
    "Pro Santé Connect",
    "Conseil d’État",
    "Agence du numérique en santé",
    "Français",
    "Facile à lire",
    "bris de glace",
    "Traitements au long cours",
    "Appendicectomie dans l’enfance",
    "Antécédents chirurgicaux",
    "Pénicilline",
    "Allergies et hypersensibilités",
    "Type d’allergie",
    "Allergie médicamenteuse",
    "comprimé par jour",
];

const FRENCH: &[&str] = &[
    "le", "la", "les", "des", "du", "un", "une", "et", "est", "sont", "pas", "votre", "vous", "ce", "cette", "dans",
    "sur", "pour", "avec", "sans", "par", "au", "aux", "qui", "que", "il", "elle", "borne", "carte", "dossier",
    "retour", "quitter", "valider",
];
