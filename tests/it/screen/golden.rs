//! Golden pictures: the pages that are seen most, at three sizes, by day and by night, in both languages, one small sheet a page
//! (`tests/golden`). They are a quarter of the size and grey, so that the repository stays small; a word that moves still shows.
//!
//! A page that was changed on purpose: `CHEVET_RENEW=1 cargo test --features sandbox --test it screen::golden`, look at each sheet
//! that git then names, and commit it with the change.

use super::card_out;
use super::fixtures::*;
use super::harness::*;
use chevet::say::Lang;
use chevet::say::Light;
use chevet::say::Looks;
use chevet::screen::bridge::Snapshot;
use chevet::screen::bridge::Window;
use chevet::screen::bridge::snapshot;
use chevet::trouble::Trouble;
use chevet::visit::Page;
use chevet::visit::Visit;
use chevet::visit::event::Language;
use chevet::visit::page::Room;
use image::GrayImage;
use std::path::Path;
use std::path::PathBuf;

const PANELS: [(u32, u32); 3] = [(800, 480), (1280, 800), (480, 800)];
const SMALLER: u32 = 4;

fn pages() -> Vec<(&'static str, Visit)> {
    let page = |page| visit(page);
    let first =
        |name: &str| card_out::pages().into_iter().find(|page| page.name() == name).expect("a page of that name");
    vec![
        ("idle", page(Page::Idle)),
        ("about", page(first("about"))),
        ("pin", page(pin(Some(3), &[1, 2], false, false))),
        ("last-try", page(pin(Some(1), &[], false, false))),
        ("duty", page(first("duty"))),
        ("home", page(home(false, None, round()))),
        ("typing", page(home(true, Some(Trouble::InsWrongKey), round()))),
        ("compose", page(first("compose"))),
        ("ahead", page(first("ahead"))),
        ("gate", page(gate(may_open()))),
        ("consent", page(gate(asking(Language::French)))),
        ("denied", page(gate(denied()))),
        ("documents", page(listed(None))),
        ("history", page(room(history()))),
        ("why", page(room(Room::Why))),
        ("reader", page(reader(shown(narrative(), 0), 100))),
        ("trouble", page(Page::TakeCard(Trouble::CardMute))),
    ]
}

/// Four rows of three pictures: day and night in French, then in English.
fn sheet(window: &Window, visit: &mut Visit) -> GrayImage {
    let width: u32 = PANELS.iter().map(|(width, _)| width / SMALLER).sum();
    let height: u32 = PANELS.iter().map(|(_, height)| height / SMALLER).max().unwrap_or(0);
    let mut sheet = GrayImage::from_pixel(width, height * 4, image::Luma([128]));
    let rows = [Lang::French, Lang::English].into_iter().flat_map(|lang| [(lang, Light::Day), (lang, Light::Night)]);
    for (row, (lang, light)) in (0_u32..).zip(rows) {
        let mut left = 0;
        for (width, height_of) in PANELS {
            visit.standing.looks = Looks { lang, light, ..Looks::default() };
            window.set_size(width, height_of);
            show(window, visit);
            let small = smaller(&snapshot(window).expect("the software renderer takes pictures"));
            image::imageops::replace(&mut sheet, &small, i64::from(left), i64::from(row * height));
            left += width / SMALLER;
        }
    }
    sheet
}

/// Means of squares, in sixteen greys.
fn smaller(picture: &Snapshot) -> GrayImage {
    GrayImage::from_fn(picture.width / SMALLER, picture.height / SMALLER, |x, y| {
        let mut sum = 0_u32;
        for dy in 0..SMALLER {
            for dx in 0..SMALLER {
                let at = (((y * SMALLER + dy) * picture.width + x * SMALLER + dx) * 4) as usize;
                sum += picture.rgba[at..at + 3].iter().map(|part| u32::from(*part)).sum::<u32>();
            }
        }
        let mean = sum / (SMALLER * SMALLER * 3);
        image::Luma([(mean / 17 * 17) as u8])
    })
}

/// Where the two differ most: the mean difference in a square of eight, and its corner.
fn worst(one: &GrayImage, other: &GrayImage) -> (u32, u32, u32) {
    let mut worst = (0, 0, 0);
    for y in (0..one.height().saturating_sub(7)).step_by(4) {
        for x in (0..one.width().saturating_sub(7)).step_by(4) {
            let differ = |at: u32| {
                let (x, y) = (x + at % 8, y + at / 8);
                u32::from(one.get_pixel(x, y).0[0].abs_diff(other.get_pixel(x, y).0[0]))
            };
            let mean = (0..64).map(differ).sum::<u32>() / 64;
            if mean > worst.0 {
                worst = (mean, x * SMALLER, y * SMALLER);
            }
        }
    }
    worst
}

/// One of sixteen greys is 17; a square of which half has another word has more.
const MEAN_MOST: u32 = 12;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.png"))
}

#[test]
fn pages_look_as_they_were_last_looked_at() {
    let (window, _touches) = window();
    let mut wrong = Vec::new();
    for (name, mut visit) in pages() {
        let drawn = sheet(&window, &mut visit);
        if std::env::var_os("CHEVET_RENEW").is_some() {
            drawn.save(file(name)).expect("tests/golden takes pictures");
            continue;
        }
        let kept = image::open(file(name)).unwrap_or_else(|error| panic!("{name}: {error}")).to_luma8();
        if kept.dimensions() != drawn.dimensions() {
            wrong.push(format!("{name} has another size"));
            continue;
        }
        let (mean, x, y) = worst(&kept, &drawn);
        if mean > MEAN_MOST {
            wrong.push(format!("{name} differs by {mean} near {x}, {y} of its sheet"));
        }
    }
    assert!(wrong.is_empty(), "look at these, then renew them:\n{}", wrong.join("\n"));
}

#[test]
fn a_word_that_changes_is_seen() {
    let (window, _touches) = window();
    let drawn = |text_percent| {
        let mut visit = visit(Page::Idle);
        visit.standing.looks = Looks { text_percent, ..Looks::default() };
        show(&window, &visit);
        smaller(&snapshot(&window).expect("a picture"))
    };
    let (one, again, other) = (drawn(100), drawn(100), drawn(125));
    assert_eq!(worst(&one, &again).0, 0, "the same page is drawn the same");
    assert!(worst(&one, &other).0 > MEAN_MOST, "{:?}", worst(&one, &other));
}
