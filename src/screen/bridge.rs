//! The one place that knows Slint: a [`View`] goes in, touches come out. It decides nothing and waits for nothing.
//!
//! - `fill` a view's parts as the markup's structs
//! - `narrative` a document's rows as styled text
//! - `hand` (feature `sandbox`) presses, reads and photographs the real window, for the demo

mod fill;
#[cfg(feature = "sandbox")]
pub mod hand;
mod narrative;

use crate::say::Lang;
use crate::screen::aids::Aids;
use crate::screen::aids::HardKey;
use crate::screen::form::Field;
use crate::screen::form::Form;
use crate::screen::pad::Pad;
use crate::screen::pad::Typed;
use crate::screen::sheet::Sheet;
use crate::screen::view::Body;
use crate::screen::view::Home;
use crate::screen::view::Looks;
use crate::screen::view::Notice;
use crate::screen::view::View;
use crate::visit::event::Language;
use crate::visit::event::Look;
use crate::visit::event::Touch;
use crate::visit::page::Leaf;
use chevet_ui::App;
use chevet_ui::Shown;
use slint::ComponentHandle;
use slint::LogicalSize;
use slint::ModelRc;
use slint::VecModel;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::watch;

/// How the window is made.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub width: u32,
    pub height: u32,
    pub fullscreen: bool,
    /// Called once, on the screen's thread, when the first page has been drawn.
    pub drawn: fn(),
}

/// The event loop draws before it looks at its timers again: a page asked for before it began is on the screen by then.
const FIRST_PAGE: Duration = Duration::from_millis(500);

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no window could be made")]
    Make { source: slint::PlatformError },
    #[error("the window's loop ended with an error")]
    Run { source: slint::PlatformError },
    #[error("the window's loop takes no task")]
    Spawn { source: slint::EventLoopError },
    #[error("the window cannot be photographed")]
    Snapshot { source: slint::PlatformError },
}

/// Pixels of a window: RGBA, 8 bits each, rows from the top.
#[derive(Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub width: u32,
    pub height: u32,
    pub rgba: Vec<u8>,
}

/// The window. It lives on the thread that made it.
pub struct Window {
    app: App,
    inner: Rc<RefCell<Inner>>,
}

/// What the callbacks need: what is shown, and what is being typed or drawn.
struct Inner {
    touches: mpsc::Sender<Box<Touch>>,
    /// The name of the control that the keys have come to.
    focused: Box<dyn Fn(&str)>,
    /// Somebody was told of a moment ago.
    is_stirred: bool,
    form: Form,
    /// What is typed and drawn at the gate.
    typed: Typed,
    /// The note that is being typed.
    sheet: Sheet,
    pad: Pad,
    shown: Option<View>,
}

impl Window {
    /// A window showing nothing; what is touched goes to `touches`.
    pub fn new(touches: mpsc::Sender<Box<Touch>>) -> Result<Window, Error> {
        let app = App::new().map_err(|source| Error::Make { source })?;
        let inner = Rc::new(RefCell::new(Inner {
            touches,
            focused: Box::new(|_| ()),
            is_stirred: false,
            form: Form::default(),
            typed: Typed::default(),
            sheet: Sheet::default(),
            pad: Pad::default(),
            shown: None,
        }));
        let window = Window { app, inner };
        window.listen();
        Ok(window)
    }

    /// Makes the window show `view`. Parts that did not change stay as they are, so that a list keeps its place.
    pub fn show(&self, view: &View) {
        let before = self.inner.borrow_mut().shown.replace(view.clone());
        if before.as_ref().map(|view| view.looks) != Some(view.looks) {
            self.set_looks(view.looks);
        }
        let screen = self.app.global::<chevet_ui::Screen<'_>>();
        screen.set_dim(view.is_dim);
        screen.set_asks(fill::asks(view.asks.as_ref()));
        screen.set_asking(view.asks.is_some());
        let lang = view.looks.lang;
        let before = before.as_ref().map(|view| &view.body);
        if before == Some(&view.body) {
            return;
        }
        if !matches!(view.body, Body::Typing(_)) {
            self.inner.borrow_mut().form = Form::default();
        }
        if before.as_ref().is_none_or(|before| !same_words(before, &view.body)) {
            self.inner.borrow_mut().typed = Typed::default();
        }
        match &view.body {
            // What is typed comes back in no view: the page keeps the text that it began with.
            Body::Note(_) if matches!(before, Some(Body::Note(_))) => {}
            Body::Note(page) => self.inner.borrow_mut().sheet = Sheet::new(&page.begun),
            _ => self.inner.borrow_mut().sheet = Sheet::default(),
        }
        if !matches!(view.body, Body::Sign(_)) {
            self.inner.borrow_mut().pad.clear();
        }
        let leaves = before.is_none_or(|before| std::mem::discriminant(before) != std::mem::discriminant(&view.body));
        if leaves {
            // What the last page said is gone before the next one speaks (P3).
            fill::wipe(&screen);
        }
        let before = if leaves { None } else { before };
        match &view.body {
            Body::Idle(page) => screen.set_idle(fill::idle(page)),
            Body::Wait(page) => screen.set_wait(fill::wait(page)),
            Body::Pin(page) => screen.set_pin(fill::pin(page)),
            Body::Rpps(page) => screen.set_rpps(fill::rpps(page)),
            Body::Phone(page) => screen.set_phone(fill::phone(page)),
            Body::Home(page) => {
                screen.set_home(fill::home(page));
                let same = |old: &Home| old.rows == page.rows && old.recent == page.recent;
                if !matches!(before, Some(Body::Home(old)) if same(old)) {
                    screen.set_round(fill::patients(lang, page));
                }
            }
            Body::Compose(page) => {
                screen.set_compose(fill::compose(page));
                if !matches!(before, Some(Body::Compose(old)) if old.rows == page.rows) {
                    screen.set_candidates(fill::list(&page.rows, fill::candidate));
                }
            }
            Body::Ahead(page) => {
                screen.set_ahead(fill::ahead(page));
                if !matches!(before, Some(Body::Ahead(old)) if old.rows == page.rows) {
                    screen.set_round(fill::list(&page.rows, fill::round_row));
                }
            }
            Body::Typing(page) => {
                let nothing = Notice::default();
                screen.set_form_notice(fill::notice(page.notice.as_ref().unwrap_or(&nothing)));
                screen.set_form(fill::form(lang, &self.inner.borrow().form));
            }
            Body::Gate(page) => screen.set_gate(fill::gate(page)),
            Body::Duty(page) => screen.set_duty(fill::duty(page)),
            Body::Choice(page) => {
                screen.set_choice(fill::choice(page));
                screen.set_choice_lines(fill::list(&page.lines, fill::choice_line));
            }
            Body::Text(page) => {
                screen.set_words(fill::words(page));
                screen.set_typed(self.inner.borrow().typed.text().into());
            }
            Body::Note(page) => {
                screen.set_note(fill::note(page));
                screen.set_typed(self.inner.borrow().sheet.text().into());
            }
            Body::Check(page) => screen.set_check(fill::check(page)),
            Body::Tray(page) => {
                screen.set_tray(fill::tray(page));
                screen.set_tray_rows(fill::list(&page.rows, fill::tray_row));
            }
            Body::Consent(page) => screen.set_consent(fill::consent(page)),
            Body::Sign(page) => {
                screen.set_sign(fill::sign(page));
                screen.set_drawn(self.inner.borrow().pad.path().into());
            }
            Body::Agreements(page) => {
                screen.set_agreements(fill::agreements(page));
                screen.set_agreement_rows(fill::list(&page.rows, fill::agreement_row));
            }
            Body::Why(page) => screen.set_why(fill::why(page)),
            Body::Facts(page) => screen.set_facts(fill::facts(page)),
            Body::Summary(page) => {
                screen.set_summary(fill::summary(page));
                if !matches!(before, Some(Body::Summary(old)) if old.rows == page.rows) {
                    screen.set_summary_rows(fill::list(&page.rows, fill::summary_row));
                }
            }
            Body::Documents(page) => {
                let old = if let Some(Body::Documents(old)) = before { Some(old) } else { None };
                screen.set_documents(fill::documents(page));
                if old.is_none_or(|old| old.chips != page.chips) {
                    screen.set_chips(fill::list(&page.chips, fill::chip));
                }
                if old.is_none_or(|old| old.rows != page.rows) {
                    screen.set_document_rows(fill::list(&page.rows, fill::document_row));
                }
            }
            Body::History(page) => {
                screen.set_history(fill::history(page));
                if !matches!(before, Some(Body::History(old)) if old.rows == page.rows) {
                    screen.set_history_rows(fill::list(&page.rows, fill::history_row));
                }
            }
            Body::Receipt(page) => {
                screen.set_receipt(fill::receipt(page));
                if !matches!(before, Some(Body::Receipt(old)) if old.dark == page.dark) {
                    screen.set_code(fill::code(page));
                }
            }
            Body::Reader(page) => {
                let old = if let Some(Body::Reader(old)) = before { Some(old) } else { None };
                screen.set_reader(fill::reader(page));
                if old.is_none_or(|old| old.reading != page.reading) {
                    let reading = page.reading.as_deref();
                    let rows = reading.map(narrative::rows).unwrap_or_default();
                    let header = reading.map(|reading| narrative::header(lang, reading)).unwrap_or_default();
                    screen.set_reader_rows(ModelRc::new(VecModel::from(rows)));
                    screen.set_reader_header(ModelRc::new(VecModel::from(header)));
                    screen.set_sections(fill::list(&page.sections, fill::section));
                }
                if old.is_none_or(|old| old.reading != page.reading || old.picture != page.picture) {
                    screen.set_picture(fill::picture(page));
                }
            }
            Body::Print(page) => screen.set_print(fill::print(page)),
            Body::About(page) => {
                screen.set_about(fill::about(page));
                screen.set_about_rows(fill::list(&page.rows, fill::told));
            }
            Body::Reception(page) => screen.set_reception(fill::reception(page)),
            Body::Locked(page) => screen.set_locked(fill::locked(page)),
            Body::Trouble(page) => screen.set_trouble(fill::trouble(page)),
        }
        screen.set_shown(shown(&view.body));
    }

    /// Tells the name of each control that the keys come to.
    pub fn on_focused(&self, focused: impl Fn(&str) + 'static) {
        self.inner.borrow_mut().focused = Box::new(focused);
    }

    /// One of the four keys was pressed. Before a page that asks whether somebody is there, any of them says yes, and no more.
    pub fn key(&self, key: HardKey) {
        let asks = self.inner.borrow().shown.as_ref().is_some_and(|view| view.asks.is_some());
        self.inner.borrow().send(Touch::Stirred);
        let strike = match key {
            _ if asks => return,
            HardKey::Next => slint::platform::Key::Tab,
            HardKey::Previous => slint::platform::Key::Backtab,
            HardKey::Do => slint::platform::Key::Return,
            HardKey::Back => return self.inner.borrow().send(Touch::Back),
        };
        let text = slint::SharedString::from(char::from(strike));
        let window = self.app.window();
        window.dispatch_event(slint::platform::WindowEvent::KeyPressed { text: text.clone() });
        window.dispatch_event(slint::platform::WindowEvent::KeyReleased { text });
    }

    fn set_looks(&self, looks: Looks) {
        let screen = self.app.global::<chevet_ui::Screen<'_>>();
        screen.set_english(looks.lang == Lang::English);
        screen.set_text_scale(f32::from(looks.text_percent) / 100.0);
        screen.set_night(looks.night);
    }

    pub fn set_size(&self, width: u32, height: u32) {
        self.app.window().set_size(LogicalSize::new(width as f32, height as f32));
    }

    /// For tests, which look controls up by their accessible label.
    pub fn app(&self) -> &App {
        &self.app
    }

    fn listen(&self) {
        let touch = self.app.global::<chevet_ui::Touch<'_>>();
        let plain = |what: Touch| {
            let inner = self.inner.clone();
            move || inner.borrow().send(what.clone())
        };
        let inner = self.inner.clone();
        touch.on_stirred(move || stirred(&inner));
        let inner = self.inner.clone();
        touch.on_focused(move |label| (inner.borrow().focused)(&label));
        touch.on_erase(plain(Touch::Erase));
        touch.on_confirm(plain(Touch::Confirm));
        touch.on_last_try(plain(Touch::LastTry));
        touch.on_by_phone(plain(Touch::ByPhone));
        let inner = self.inner.clone();
        touch.on_look_up(move |leaf| {
            let leaf = match leaf {
                chevet_ui::Leaf::Help => Leaf::Help,
                chevet_ui::Leaf::Settings => Leaf::Settings,
                chevet_ui::Leaf::Device => Leaf::Device,
            };
            inner.borrow().send(Touch::LookUp(leaf));
        });
        touch.on_back(plain(Touch::Back));
        touch.on_quit(plain(Touch::Quit));
        touch.on_understood(plain(Touch::Understood));
        touch.on_type_ins(plain(Touch::TypeIns));
        touch.on_compose_round(plain(Touch::ComposeRound));
        touch.on_prepare_round(plain(Touch::PrepareRound));
        touch.on_start(plain(Touch::Start));
        touch.on_stop(plain(Touch::Stop));
        touch.on_hand_over(plain(Touch::HandOver));
        touch.on_open_record(plain(Touch::OpenRecord));
        touch.on_ask_consent(plain(Touch::AskConsent));
        touch.on_same_event(plain(Touch::SameEvent));
        touch.on_other_situation(plain(Touch::OtherSituation));
        touch.on_sign(plain(Touch::Sign));
        touch.on_show_agreements(plain(Touch::ShowAgreements));
        touch.on_withdraw(plain(Touch::Withdraw));
        touch.on_yes(plain(Touch::Yes));
        touch.on_no(plain(Touch::No));
        touch.on_later(plain(Touch::Later));
        touch.on_show_summary(plain(Touch::ShowSummary));
        touch.on_show_patient(plain(Touch::ShowPatient));
        touch.on_show_documents(plain(Touch::ShowDocuments));
        touch.on_narrow(plain(Touch::Filter));
        touch.on_show_history(plain(Touch::ShowHistory));
        touch.on_show_receipt(plain(Touch::ShowReceipt));
        touch.on_print(plain(Touch::Print));
        touch.on_stop_print(plain(Touch::Stop));
        touch.on_search(plain(Touch::Search));
        touch.on_write_note(plain(Touch::WriteNote));
        touch.on_manage(plain(Touch::Manage));
        touch.on_show_leaflet(plain(Touch::ShowLeaflet));
        touch.on_show_tray(plain(Touch::ShowTray));
        touch.on_why(plain(Touch::Why));
        touch.on_next_page(plain(Touch::NextPage));
        touch.on_previous_page(plain(Touch::PreviousPage));
        touch.on_larger_text(plain(Touch::LargerText));
        touch.on_smaller_text(plain(Touch::SmallerText));
        touch.on_other_language(plain(Touch::Look(Look::OtherLanguage)));
        touch.on_next_text_size(plain(Touch::Look(Look::NextTextSize)));
        touch.on_other_light(plain(Touch::Look(Look::OtherLight)));

        let numbered = |what: fn(&Inner, usize) -> Option<Touch>| {
            let inner = self.inner.clone();
            move |number: i32| {
                let inner = inner.borrow();
                if let Some(touch) = usize::try_from(number).ok().and_then(|number| what(&inner, number)) {
                    inner.send(touch);
                }
            }
        };
        touch.on_digit(numbered(|_, digit| u8::try_from(digit).ok().map(Touch::Digit)));
        touch.on_open_recent(numbered(|_, place| Some(Touch::OpenRecent(place))));
        touch.on_open_patient(numbered(|_, place| Some(Touch::OpenPatient(place))));
        touch.on_choose(numbered(|_, place| Some(Touch::Choose(place))));
        touch.on_send_again(numbered(|_, place| Some(Touch::SendAgain(place))));
        touch.on_correct(numbered(|_, place| Some(Touch::Correct(place))));
        touch.on_open_document(numbered(|_, place| Some(Touch::OpenDocument(place))));
        touch.on_language(numbered(|_, number| language(number).map(Touch::Language)));
        touch.on_filter(numbered(Inner::filter));
        self.listen_to_form();
        self.listen_to_pad();
    }

    /// Keys of the INS page change the form here, and only the finished form goes out.
    fn listen_to_form(&self) {
        let touch = self.app.global::<chevet_ui::Touch<'_>>();
        let changes = || {
            let (inner, app) = (self.inner.clone(), self.app.as_weak());
            move |change: &dyn Fn(&mut Inner)| {
                change(&mut inner.borrow_mut());
                if let Some(app) = app.upgrade() {
                    let (screen, inner) = (app.global::<chevet_ui::Screen<'_>>(), inner.borrow());
                    screen.set_form(fill::form(inner.lang(), &inner.form));
                    match &inner.shown {
                        Some(View { body: Body::Note(_), .. }) => {
                            screen.set_typed(inner.sheet.text().into());
                            inner.send(Touch::NoteTyped(inner.sheet.text().to_owned()));
                        }
                        _ => screen.set_typed(inner.typed.text().into()),
                    }
                }
            }
        };
        let change = changes();
        touch.on_key(move |key| change(&|inner| key.chars().for_each(|letter| inner.press(letter))));
        let change = changes();
        touch.on_erase_key(move || change(&Inner::erase));
        let change = changes();
        touch.on_field(move |field| {
            let active = match field {
                chevet_ui::Field::Matricule => Field::Matricule,
                chevet_ui::Field::BirthName => Field::BirthName,
                chevet_ui::Field::BirthDate => Field::BirthDate,
            };
            change(&|inner| inner.form.active = active);
        });
        let inner = self.inner.clone();
        touch.on_send_form(move || {
            let inner = inner.borrow();
            if inner.form.is_complete() {
                let (matricule, birth_name, birth_date) = inner.form.typed();
                inner.send(Touch::InsTyped { matricule, birth_name, birth_date });
            }
        });
        let inner = self.inner.clone();
        touch.on_send_text(move || {
            let inner = inner.borrow();
            inner.send(Touch::TextTyped(inner.typed.text().to_owned()));
        });
    }

    /// Strokes gather here, and only the finished signature goes out.
    fn listen_to_pad(&self) {
        let touch = self.app.global::<chevet_ui::Touch<'_>>();
        let changes = || {
            let (inner, app) = (self.inner.clone(), self.app.as_weak());
            move |change: &dyn Fn(&mut Pad)| {
                change(&mut inner.borrow_mut().pad);
                if let Some(app) = app.upgrade() {
                    app.global::<chevet_ui::Screen<'_>>().set_drawn(inner.borrow().pad.path().into());
                }
            }
        };
        let change = changes();
        touch.on_draw(move |x, y, begins| change(&|pad| pad.draw(x, y, begins)));
        let change = changes();
        touch.on_clear_drawing(move || change(&Pad::clear));
        let inner = self.inner.clone();
        touch.on_send_drawing(move || {
            let inner = inner.borrow();
            if let Some(signature) = inner.pad.signature() {
                inner.send(Touch::Signed(signature));
            }
        });
    }
}

impl Inner {
    /// A full channel means that the loop is behind: the touch is lost, and the window stays alive. In a box, because a channel
    /// keeps what passed through it until the place is used again: so it keeps an address, and not the digits of a PIN in a row.
    fn send(&self, touch: Touch) {
        let _lost = self.touches.try_send(Box::new(touch));
    }

    /// A key goes to the page that is shown.
    fn press(&mut self, key: char) {
        match &self.shown {
            Some(View { body: Body::Text(page), .. }) => self.typed.press(key, page.digits),
            Some(View { body: Body::Note(_), .. }) => self.sheet.press(key),
            _ => self.form.press(key),
        }
    }

    fn erase(&mut self) {
        match &self.shown {
            Some(View { body: Body::Text(_), .. }) => self.typed.erase(),
            Some(View { body: Body::Note(_), .. }) => self.sheet.erase(),
            _ => self.form.erase(),
        }
    }

    fn lang(&self) -> Lang {
        self.shown.as_ref().map_or(Lang::French, |view| view.looks.lang)
    }

    fn filter(&self, place: usize) -> Option<Touch> {
        let Some(View { body: Body::Documents(page), .. }) = &self.shown else { return None };
        page.chips.get(place).map(|chip| Touch::FilterClass(chip.class.clone()))
    }
}

/// A finger that moves stirs with every pixel: one word a second is enough.
fn stirred(inner: &Rc<RefCell<Inner>>) {
    if std::mem::replace(&mut inner.borrow_mut().is_stirred, true) {
        return;
    }
    inner.borrow().send(Touch::Stirred);
    let inner = inner.clone();
    slint::Timer::single_shot(STIR_EVERY, move || inner.borrow_mut().is_stirred = false);
}

const STIR_EVERY: Duration = Duration::from_secs(1);

/// What was typed stays while its page only says that it was not understood.
fn same_words(before: &Body, now: &Body) -> bool {
    matches!((before, now), (Body::Text(before), Body::Text(now)) if before.title == now.title)
}

fn language(number: usize) -> Option<Language> {
    [Language::French, Language::EasyFrench, Language::English].get(number).copied()
}

fn shown(body: &Body) -> Shown {
    match body {
        Body::Idle(_) => Shown::Idle,
        Body::Wait(_) => Shown::Wait,
        Body::Pin(_) => Shown::Pin,
        Body::Rpps(_) => Shown::Rpps,
        Body::Phone(_) => Shown::Phone,
        Body::Duty(_) => Shown::Duty,
        Body::Home(_) => Shown::Home,
        Body::Compose(_) => Shown::Compose,
        Body::Ahead(_) => Shown::Ahead,
        Body::Typing(_) => Shown::Typing,
        Body::Gate(_) => Shown::Gate,
        Body::Choice(_) => Shown::Choice,
        Body::Text(_) => Shown::Words,
        Body::Note(_) => Shown::Note,
        Body::Check(_) => Shown::Check,
        Body::Tray(_) => Shown::Tray,
        Body::Consent(_) => Shown::Consent,
        Body::Sign(_) => Shown::Sign,
        Body::Agreements(_) => Shown::Agreements,
        Body::Why(_) => Shown::Why,
        Body::Facts(_) => Shown::Facts,
        Body::Summary(_) => Shown::Summary,
        Body::Documents(_) => Shown::Documents,
        Body::History(_) => Shown::History,
        Body::Receipt(_) => Shown::Receipt,
        Body::Reader(_) => Shown::Reader,
        Body::Print(_) => Shown::Print,
        Body::About(_) => Shown::About,
        Body::Reception(_) => Shown::Reception,
        Body::Locked(_) => Shown::Locked,
        Body::Trouble(_) => Shown::Trouble,
    }
}

/// What the window looks like now.
pub fn snapshot(window: &Window) -> Result<Snapshot, Error> {
    let pixels = window.app.window().take_snapshot().map_err(|source| Error::Snapshot { source })?;
    Ok(Snapshot { width: pixels.width(), height: pixels.height(), rgba: pixels.as_bytes().to_vec() })
}

/// Shows views until the window is closed, or until nobody sends them any more. Call it on the main thread.
pub fn run(
    views: watch::Receiver<View>,
    touches: mpsc::Sender<Box<Touch>>,
    options: Options,
    aids: Option<Aids>,
) -> Result<(), Error> {
    let window = open(&views, touches, options)?;
    follow(&window, views)?;
    if let Some(aids) = aids {
        help(&window, aids)?;
    }
    window.app.run().map_err(|source| Error::Run { source })
}

fn open(
    views: &watch::Receiver<View>,
    touches: mpsc::Sender<Box<Touch>>,
    options: Options,
) -> Result<Rc<Window>, Error> {
    let window = Rc::new(Window::new(touches)?);
    window.set_size(options.width, options.height);
    window.app.window().set_fullscreen(options.fullscreen);
    window.show(&views.borrow());
    slint::Timer::single_shot(FIRST_PAGE, options.drawn);
    Ok(window)
}

/// Keys come in, and what they come to goes out. A name that nobody takes is lost, and the window stays alive.
fn help(window: &Rc<Window>, aids: Aids) -> Result<(), Error> {
    let Aids { mut keys, focused } = aids;
    window.on_focused(move |label| drop(focused.try_send(label.to_owned())));
    let window = window.clone();
    let task = async move {
        while let Some(key) = keys.recv().await {
            window.key(key);
        }
    };
    slint::spawn_local(task).map_err(|source| Error::Spawn { source })?;
    Ok(())
}

/// The loop's views arrive from tokio; only this task, on the screen's thread, touches the window.
fn follow(window: &Rc<Window>, mut views: watch::Receiver<View>) -> Result<(), Error> {
    let window = window.clone();
    let task = async move {
        while views.changed().await.is_ok() {
            let view = views.borrow_and_update().clone();
            window.show(&view);
        }
        // Nobody decides any more: a page that could be touched in vain would lie.
        let _already_ended = slint::quit_event_loop();
    };
    slint::spawn_local(task).map_err(|source| Error::Spawn { source })?;
    Ok(())
}
