//! A view's parts as the markup's structs, field by field. Nothing is decided here.

use crate::say::Lang;
use crate::screen::compose::Compose;
use crate::screen::compose::Row;
use crate::screen::form::Field;
use crate::screen::form::Form;
use crate::screen::leaves::About;
use crate::screen::leaves::Told;
use crate::screen::printing::Print;
use crate::screen::receipt::Receipt;
use crate::screen::reception::Reception;
use crate::screen::view;
use crate::visit::event::Look;
use crate::visit::page::Leaf;
use slint::Image;
use slint::ModelRc;
use slint::Rgba8Pixel;
use slint::SharedPixelBuffer;
use slint::SharedString;
use slint::VecModel;

pub(super) fn list<From, To: Clone + 'static>(from: &[From], make: impl Fn(&From) -> To) -> ModelRc<To> {
    ModelRc::new(VecModel::from(from.iter().map(make).collect::<Vec<To>>()))
}

/// Forgets every page.
pub(super) fn wipe(screen: &chevet_ui::Screen<'_>) {
    screen.set_shown(chevet_ui::Shown::Blank);
    screen.set_idle(Default::default());
    screen.set_wait(Default::default());
    screen.set_pin(Default::default());
    screen.set_rpps(Default::default());
    screen.set_phone(Default::default());
    screen.set_home(Default::default());
    screen.set_round(Default::default());
    screen.set_compose(Default::default());
    screen.set_candidates(Default::default());
    screen.set_ahead(Default::default());
    screen.set_form(Default::default());
    screen.set_form_notice(Default::default());
    screen.set_gate(Default::default());
    screen.set_choice(Default::default());
    screen.set_choice_lines(Default::default());
    screen.set_words(Default::default());
    screen.set_typed(Default::default());
    screen.set_note(Default::default());
    screen.set_check(Default::default());
    screen.set_tray(Default::default());
    screen.set_tray_rows(Default::default());
    screen.set_consent(Default::default());
    screen.set_sign(Default::default());
    screen.set_drawn(Default::default());
    screen.set_duty(Default::default());
    screen.set_agreements(Default::default());
    screen.set_agreement_rows(Default::default());
    screen.set_why(Default::default());
    screen.set_facts(Default::default());
    screen.set_summary(Default::default());
    screen.set_summary_rows(Default::default());
    screen.set_documents(Default::default());
    screen.set_chips(Default::default());
    screen.set_document_rows(Default::default());
    screen.set_history(Default::default());
    screen.set_history_rows(Default::default());
    screen.set_receipt(Default::default());
    screen.set_code(Default::default());
    screen.set_reader(Default::default());
    screen.set_reader_rows(Default::default());
    screen.set_reader_header(Default::default());
    screen.set_sections(Default::default());
    screen.set_picture(Default::default());
    screen.set_print(Default::default());
    screen.set_reception(Default::default());
    screen.set_locked(Default::default());
    screen.set_trouble(Default::default());
}

fn text(text: &str) -> SharedString {
    SharedString::from(text)
}

fn texts(texts: &[String]) -> ModelRc<SharedString> {
    list(texts, |line| SharedString::from(line.as_str()))
}

fn tone(tone: view::Tone) -> chevet_ui::Tone {
    match tone {
        view::Tone::Quiet => chevet_ui::Tone::Quiet,
        view::Tone::Good => chevet_ui::Tone::Good,
        view::Tone::Care => chevet_ui::Tone::Care,
        view::Tone::Stopped => chevet_ui::Tone::Stopped,
    }
}

fn pill(pill: &view::Pill) -> chevet_ui::Pill {
    chevet_ui::Pill { text: text(&pill.text), tone: tone(pill.tone) }
}

pub(super) fn notice(notice: &view::Notice) -> chevet_ui::Notice {
    chevet_ui::Notice { happened: text(&notice.happened), next: text(&notice.next), code: text(&notice.code) }
}

fn maybe_notice(told: &Option<view::Notice>) -> chevet_ui::Notice {
    told.as_ref().map(notice).unwrap_or_default()
}

fn bar(bar: &view::Bar) -> chevet_ui::Bar {
    chevet_ui::Bar {
        back: text(&bar.back),
        name: text(&bar.name),
        traits: text(&bar.traits),
        pill: pill(&bar.pill),
        may_quit: bar.may_quit,
        banner: pill(&bar.banner),
    }
}

pub(super) fn idle(page: &view::Idle) -> chevet_ui::Idle {
    chevet_ui::Idle {
        clock: text(&page.clock),
        date: text(&page.date),
        pills: list(&page.pills, pill),
        title: text(&page.title),
        hint: text(&page.hint),
        by_phone: text(&page.by_phone),
        help: text(&page.help),
        site: text(&page.site),
        protection: text(&page.protection),
        version: text(&page.version),
        matrix: text(&page.matrix),
    }
}

pub(super) fn wait(page: &view::Wait) -> chevet_ui::Wait {
    chevet_ui::Wait { bar: bar(&page.bar), title: text(&page.title), hint: text(&page.hint) }
}

pub(super) fn pin(page: &view::Pin) -> chevet_ui::Pin {
    chevet_ui::Pin {
        card: text(&page.card),
        name: text(&page.name),
        role: text(&page.role),
        typed: number(page.typed),
        places: number(page.places),
        tries: text(&page.tries),
        tries_tone: tone(page.tries_tone),
        alert: text(&page.alert),
        asks_last_try: page.asks_last_try,
        last_try_title: text(&page.last_try_title),
        last_try: text(&page.last_try),
        may_confirm: page.may_confirm,
        notice: text(&page.notice),
    }
}

pub(super) fn rpps(page: &view::Rpps) -> chevet_ui::Rpps {
    chevet_ui::Rpps {
        title: text(&page.title),
        sentence: text(&page.sentence),
        number: text(&page.number),
        count: text(&page.count),
        notice: maybe_notice(&page.notice),
        may_confirm: page.may_confirm,
        foot: text(&page.foot),
        back: text(&page.back),
    }
}

pub(super) fn phone(page: &view::Phone) -> chevet_ui::Phone {
    chevet_ui::Phone {
        title: text(&page.title),
        digits: text(&page.digits),
        label: text(&page.label),
        sentence: text(&page.sentence),
        warning: text(&page.warning),
        foot: text(&page.foot),
        back: text(&page.back),
    }
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

pub(super) fn home(page: &view::Home) -> chevet_ui::Home {
    chevet_ui::Home {
        name: text(&page.name),
        role: text(&page.role),
        pills: list(&page.pills, pill),
        summary: text(&page.summary),
        memory_only: text(&page.memory_only),
        notice: maybe_notice(&page.notice),
        tray: text(&page.tray),
        compose: text(&page.compose),
        prepare: text(&page.prepare),
        national: text(&page.national),
        hand_over: text(&page.hand_over),
        scan: text(&page.scan),
        empty: text(&page.empty),
    }
}

pub(super) fn compose(page: &Compose) -> chevet_ui::Compose {
    chevet_ui::Compose {
        title: text(&page.title),
        back: text(&page.back),
        act_label: text(&page.act_label),
        may_keep: page.may_keep,
        type_label: text(&page.type_label),
        clear_label: text(&page.clear_label),
        lines: texts(&page.lines),
        notice: maybe_notice(&page.notice),
    }
}

pub(super) fn candidate(row: &Row) -> chevet_ui::Candidate {
    chevet_ui::Candidate {
        name: text(&row.name),
        details: text(&row.details),
        chosen: row.chosen,
        label: text(&row.label),
    }
}

pub(super) fn ahead(page: &view::Ahead) -> chevet_ui::Ahead {
    chevet_ui::Ahead {
        back: text(&page.back),
        title: text(&page.title),
        summary: text(&page.summary),
        hint: text(&page.hint),
        act_label: text(&page.act_label),
        stops: page.act == view::AheadAct::Stop,
        percent: number(page.percent),
        notice: maybe_notice(&page.notice),
    }
}

pub(super) fn round_row(row: &view::RoundRow) -> chevet_ui::RoundRow {
    chevet_ui::RoundRow {
        name: text(&row.name),
        details: text(&row.details),
        pill: pill(&row.pill),
        label: text(&row.label),
        place: 0,
        is_recent: false,
    }
}

/// The round, then the last visits under a heading of their own: one list, which draws no more than is in sight.
pub(super) fn patients(lang: Lang, page: &view::Home) -> ModelRc<chevet_ui::RoundRow> {
    let placed = |is_recent| {
        move |(place, row): (usize, &view::RoundRow)| chevet_ui::RoundRow {
            place: number(place),
            is_recent,
            ..round_row(row)
        }
    };
    let heading = chevet_ui::RoundRow {
        name: lang.pick("Dernières visites", "Last visits").into(),
        place: HEADING,
        ..Default::default()
    };
    let round = page.rows.iter().enumerate().map(placed(false));
    let heading = (!page.recent.is_empty()).then_some(heading);
    let rows = round.chain(heading).chain(page.recent.iter().enumerate().map(placed(true)));
    ModelRc::new(VecModel::from(rows.collect::<Vec<_>>()))
}

const HEADING: i32 = -1;

pub(super) fn form(lang: Lang, form: &Form) -> chevet_ui::Form {
    chevet_ui::Form {
        active: match form.active {
            Field::Matricule => chevet_ui::Field::Matricule,
            Field::BirthName => chevet_ui::Field::BirthName,
            Field::BirthDate => chevet_ui::Field::BirthDate,
        },
        matricule: text(&form.matricule_shown()),
        matricule_count: text(&form.matricule_count(lang)),
        birth_name: text(form.birth_name()),
        birth_date: text(&form.birth_date_shown()),
        complete: form.is_complete(),
        takes_letter: form.takes_letter(),
    }
}

pub(super) fn gate(page: &view::Gate) -> chevet_ui::Gate {
    chevet_ui::Gate {
        bar: bar(&page.bar),
        traits: traits(&page.traits),
        pill: pill(&page.pill),
        headline: text(&page.headline),
        sentence: text(&page.sentence),
        law: text(&page.law),
        act: match page.act {
            view::GateAct::None => chevet_ui::GateAct::None,
            view::GateAct::OpenRecord => chevet_ui::GateAct::OpenRecord,
            view::GateAct::AskConsent => chevet_ui::GateAct::AskConsent,
        },
        act_label: text(&page.act_label),
        same_event: text(&page.same_event),
        other: text(&page.other),
        done: text(&page.done),
    }
}

pub(super) fn choice(page: &view::Choice) -> chevet_ui::Choice {
    chevet_ui::Choice { bar: bar(&page.bar), title: text(&page.title), sentence: text(&page.sentence) }
}

pub(super) fn choice_line(line: &view::ChoiceLine) -> chevet_ui::ChoiceLine {
    chevet_ui::ChoiceLine { label: text(&line.label), hint: text(&line.hint), tone: tone(line.tone) }
}

pub(super) fn words(page: &view::Text) -> chevet_ui::Words {
    chevet_ui::Words {
        bar: bar(&page.bar),
        title: text(&page.title),
        sentence: text(&page.sentence),
        label: text(&page.label),
        digits: page.digits,
        optional: page.optional,
        act_label: text(&page.act_label),
        notice: maybe_notice(&page.notice),
    }
}

pub(super) fn note(page: &view::Note) -> chevet_ui::Note {
    chevet_ui::Note {
        bar: bar(&page.bar),
        title: text(&page.title),
        sentence: text(&page.sentence),
        label: text(&page.label),
        act_label: text(&page.act_label),
    }
}

pub(super) fn check(page: &view::Check) -> chevet_ui::Check {
    chevet_ui::Check {
        bar: bar(&page.bar),
        title: text(&page.title),
        lead: text(&page.lead),
        text: text(&page.text),
        warning: text(&page.warning),
        act_label: text(&page.act_label),
        is_grave: page.is_grave,
    }
}

pub(super) fn tray(page: &view::Tray) -> chevet_ui::Tray {
    chevet_ui::Tray {
        title: text(&page.title),
        sentence: text(&page.sentence),
        empty: text(&page.empty),
        back: text(&page.back),
    }
}

pub(super) fn tray_row(row: &view::TrayRow) -> chevet_ui::TrayRow {
    chevet_ui::TrayRow {
        title: text(&row.title),
        reason: text(&row.reason),
        next: text(&row.next),
        code: text(&row.code),
        act_label: text(&row.act_label),
        correct_label: text(&row.correct_label),
        label: text(&row.label),
    }
}

pub(super) fn sign(page: &view::Sign) -> chevet_ui::Sign {
    chevet_ui::Sign {
        turned: text(&page.turned),
        title: text(&page.title),
        pad: text(&page.pad),
        clear: text(&page.clear),
        back: text(&page.back),
        act_label: text(&page.act_label),
        foot: text(&page.foot),
    }
}

pub(super) fn duty(page: &view::Duty) -> chevet_ui::Duty {
    chevet_ui::Duty {
        name: text(&page.name),
        role: text(&page.role),
        title: text(&page.title),
        body: text(&page.body),
        act_label: text(&page.act_label),
        foot: text(&page.foot),
        print: text(&page.print),
    }
}

pub(super) fn agreements(page: &view::Agreements) -> chevet_ui::Agreements {
    let (facts, empty, withdraw) = (traits(&page.facts), text(&page.empty), text(&page.withdraw));
    chevet_ui::Agreements { bar: bar(&page.bar), facts, empty, withdraw }
}

fn traits(rows: &[(String, String)]) -> ModelRc<chevet_ui::Trait> {
    list(rows, |(label, value)| chevet_ui::Trait { label: text(label), value: text(value) })
}

pub(super) fn facts(page: &view::Facts) -> chevet_ui::Facts {
    let (title, foot) = (text(&page.title), text(&page.foot));
    chevet_ui::Facts { bar: bar(&page.bar), title, rows: traits(&page.rows), foot }
}

pub(super) fn summary(page: &view::Summary) -> chevet_ui::Summary {
    let (denied, denied_rest) = (text(&page.denied), text(&page.denied_rest));
    chevet_ui::Summary { bar: bar(&page.bar), denied, denied_rest }
}

pub(super) fn summary_row(row: &view::SummaryRow) -> chevet_ui::SummaryRow {
    chevet_ui::SummaryRow {
        look: match row.look {
            view::SummaryLook::Line => chevet_ui::SummaryLook::Line,
            view::SummaryLook::Heading => chevet_ui::SummaryLook::Heading,
            view::SummaryLook::Note => chevet_ui::SummaryLook::Note,
            view::SummaryLook::Care => chevet_ui::SummaryLook::Care,
            view::SummaryLook::Source => chevet_ui::SummaryLook::Source,
            view::SummaryLook::SourceUnrecognised | view::SummaryLook::SourceFailed => {
                chevet_ui::SummaryLook::SourceFailed
            }
        },
        text: text(&row.text),
        details: text(&row.details),
        source: text(&row.source),
        label: text(&row.label),
        act: row.act.map_or(-1, number),
    }
}

pub(super) fn agreement_row(row: &view::AgreementRow) -> chevet_ui::AgreementRow {
    chevet_ui::AgreementRow {
        when: text(&row.when),
        what: text(&row.what),
        who: text(&row.who),
        pill: pill(&row.pill),
        label: text(&row.label),
    }
}

pub(super) fn consent(page: &view::Consent) -> chevet_ui::Consent {
    chevet_ui::Consent {
        turned: text(&page.turned),
        title: text(&page.title),
        body: text(&page.body),
        no: text(&page.no),
        yes: text(&page.yes),
        later: text(&page.later),
        sign: text(&page.sign),
        foot: text(&page.foot),
        languages: list(&page.languages, |(name, which)| chevet_ui::Language {
            name: text(name),
            number: number(*which),
        }),
    }
}

pub(super) fn why(page: &view::Why) -> chevet_ui::Why {
    chevet_ui::Why {
        bar: bar(&page.bar),
        title: text(&page.title),
        pill: pill(&page.pill),
        reasons: list(&page.reasons, |reason| chevet_ui::Reason {
            sentence: text(&reason.sentence),
            next: text(&reason.next),
            about: text(&reason.about),
            detail: text(&reason.detail),
        }),
    }
}

pub(super) fn documents(page: &view::Documents) -> chevet_ui::Documents {
    chevet_ui::Documents {
        bar: bar(&page.bar),
        filter: text(&page.filter),
        is_filtered: page.is_filtered,
        scope: text(&page.scope),
        denied: text(&page.denied),
        denied_rest: text(&page.denied_rest),
        empty: text(&page.empty),
    }
}

pub(super) fn chip(chip: &view::Chip) -> chevet_ui::Chip {
    chevet_ui::Chip { label: text(&chip.label), chosen: chip.chosen }
}

pub(super) fn document_row(row: &view::DocumentRow) -> chevet_ui::DocumentRow {
    chevet_ui::DocumentRow {
        tile: text(&row.tile),
        title: text(&row.title),
        details: text(&row.details),
        pill: pill(&row.pill),
        label: text(&row.label),
    }
}

pub(super) fn history(page: &view::History) -> chevet_ui::History {
    chevet_ui::History {
        bar: bar(&page.bar),
        waiting: page.waiting,
        notice: maybe_notice(&page.notice),
        empty: text(&page.empty),
        print: text(&page.print),
    }
}

pub(super) fn history_row(row: &view::HistoryRow) -> chevet_ui::HistoryRow {
    chevet_ui::HistoryRow {
        when: text(&row.when),
        author: text(&row.author),
        action: text(&row.action),
        context: text(&row.context),
        unsent: row.unsent,
        label: text(&row.label),
    }
}

pub(super) fn reader(page: &view::Reader) -> chevet_ui::Reader {
    chevet_ui::Reader {
        bar: bar(&page.bar),
        title: text(&page.title),
        details: text(&page.details),
        warnings: texts(&page.warnings),
        notices: texts(&page.notices),
        page_label: text(&page.page_label),
        has_next: page.has_next,
        has_previous: page.has_previous,
        text_percent: i32::from(page.text_percent),
        manage: text(&page.manage),
        print: text(&page.print),
        waiting: text(&page.waiting),
        notice: maybe_notice(&page.notice),
        has_picture: page.picture.is_some(),
    }
}

pub(super) fn section((title, row): &(String, usize)) -> chevet_ui::Section {
    chevet_ui::Section { title: text(title), row: number(*row) }
}

/// A page's pixels, or nothing where they do not fill their frame.
pub(super) fn picture(page: &view::Reader) -> Image {
    let drawn = page.reading.as_ref().and_then(|reading| page.picture.and_then(|place| reading.pages.get(place)));
    let Some(drawn) = drawn else { return Image::default() };
    let bytes = u64::from(drawn.width) * u64::from(drawn.height) * 4;
    if bytes == 0 || u64::try_from(drawn.pixels.len()) != Ok(bytes) {
        return Image::default();
    }
    let pixels = SharedPixelBuffer::<Rgba8Pixel>::clone_from_slice(&drawn.pixels, drawn.width, drawn.height);
    Image::from_rgba8(pixels)
}

pub(super) fn receipt(page: &Receipt) -> chevet_ui::Receipt {
    chevet_ui::Receipt {
        bar: bar(&page.bar),
        lines: texts(&page.lines),
        code_label: text(&page.code_label),
        hint: text(&page.hint),
        print: text(&page.print),
    }
}

pub(super) fn print(page: &Print) -> chevet_ui::Print {
    chevet_ui::Print {
        bar: bar(&page.bar),
        title: text(&page.title),
        sentence: text(&page.sentence),
        notice: maybe_notice(&page.notice),
        act_label: text(&page.act_label),
        is_over: page.is_over,
    }
}

/// One pixel a module, and the four light ones around that a reader needs (ISO/IEC 18004 §9.1).
pub(super) fn code(page: &Receipt) -> Image {
    let side = page.side + 2 * QUIET;
    if page.side == 0 || page.dark.len() != page.side * page.side {
        return Image::default();
    }
    let Ok(edge) = u32::try_from(side) else { return Image::default() };
    let mut pixels = SharedPixelBuffer::<Rgba8Pixel>::new(edge, edge);
    pixels.make_mut_slice().fill(Rgba8Pixel::new(255, 255, 255, 255));
    for (at, _) in page.dark.iter().enumerate().filter(|(_, dark)| **dark) {
        let (row, column) = (at / page.side + QUIET, at % page.side + QUIET);
        pixels.make_mut_slice()[row * side + column] = Rgba8Pixel::new(0, 0, 0, 255);
    }
    Image::from_rgba8(pixels)
}

const QUIET: usize = 4;

pub(super) fn about(page: &About) -> chevet_ui::About {
    chevet_ui::About { leaf: leaf(page.leaf), title: text(&page.title), back: text(&page.back), foot: text(&page.foot) }
}

fn leaf(leaf: Leaf) -> chevet_ui::Leaf {
    match leaf {
        Leaf::Help => chevet_ui::Leaf::Help,
        Leaf::Settings => chevet_ui::Leaf::Settings,
        Leaf::Device => chevet_ui::Leaf::Device,
    }
}

pub(super) fn told(row: &Told) -> chevet_ui::Told {
    let (change, act) = match &row.change {
        None => (chevet_ui::Change::None, ""),
        Some((Look::OtherLanguage, act)) => (chevet_ui::Change::Language, act.as_str()),
        Some((Look::NextTextSize, act)) => (chevet_ui::Change::Size, act.as_str()),
        Some((Look::OtherLight, act)) => (chevet_ui::Change::Light, act.as_str()),
    };
    chevet_ui::Told { what: text(&row.what), how: text(&row.how), change, act: act.into() }
}

pub(super) fn reception(page: &Reception) -> chevet_ui::Reception {
    chevet_ui::Reception {
        name: text(&page.name),
        role: text(&page.role),
        pills: list(&page.pills, pill),
        title: text(&page.title),
        lines: texts(&page.lines),
        notice: maybe_notice(&page.notice),
        type_label: text(&page.type_label),
        leaflet_label: text(&page.leaflet_label),
        protection: text(&page.protection),
        version: text(&page.version),
    }
}

pub(super) fn asks(asks: Option<&view::Asks>) -> chevet_ui::Asks {
    let words = |asks: &view::Asks| chevet_ui::Asks {
        title: text(&asks.title),
        sentence: text(&asks.sentence),
        act_label: text(&asks.act_label),
    };
    asks.map(words).unwrap_or_default()
}

pub(super) fn locked(page: &view::Locked) -> chevet_ui::Locked {
    chevet_ui::Locked {
        name: text(&page.name),
        role: text(&page.role),
        title: text(&page.title),
        sentence: text(&page.sentence),
        act_label: text(&page.act_label),
        foot: text(&page.foot),
    }
}

pub(super) fn trouble(page: &view::Trouble) -> chevet_ui::Trouble {
    chevet_ui::Trouble {
        pill: pill(&page.pill),
        happened: text(&page.happened),
        next: text(&page.next),
        code: text(&page.code),
        rest: text(&page.rest),
        act: text(&page.act),
    }
}
