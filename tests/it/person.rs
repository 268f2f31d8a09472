//! Somebody at the screen of a whole kiosk, but for its window: what they would see is read from the views, what they would press
//! is sent as touches.

use crate::desk::pki;
use chevet::config::Config;
use chevet::identity::holder::HolderId;
use chevet::kiosk::start::Kiosk;
use chevet::kiosk::start::Start;
use chevet::kiosk::start::StartError;
use chevet::kiosk::start::start;
use chevet::patient::ins::Patient;
use chevet::sandbox::drawer::Drawer;
use chevet::sandbox::people::round_for;
use chevet::sandbox::stage::Stage;
use chevet::screen::view::Body;
use chevet::screen::view::GateAct;
use chevet::screen::view::View;
use chevet::time::UnixSeconds;
use chevet::visit::event::Touch;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::SystemTime;

pub struct Person {
    pub kiosk: Kiosk,
}

impl Person {
    pub async fn before(stage: &Stage, settings: &Path) -> Person {
        let nurse = Drawer::profile("nurse").expect("the nurse");
        let round = round_for(&HolderId(nurse.holder_id.to_owned()));
        Person::with_round(stage, settings, round).await.expect("a kiosk")
    }

    pub async fn with_round(stage: &Stage, settings: &Path, starter_round: Vec<Patient>) -> Result<Person, StartError> {
        let begin = Start {
            config: Config::read(settings).expect("settings"),
            state: stage.state.clone(),
            credentials: None,
            program: PathBuf::from(env!("CARGO_BIN_EXE_chevet")),
            starter_round,
        };
        let _ =
            tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_env_filter("chevet=trace").try_init();
        Ok(Person { kiosk: start(begin).await? })
    }

    pub async fn log_in(&mut self) {
        self.type_pin().await;
        self.touch(Touch::Confirm).await;
        let inside =
            |body: &Body| matches!(body, Body::Duty(_)) || matches!(body, Body::Home(home) if !home.rows.is_empty());
        // Told at the first login on a device, and not again the same day.
        if matches!(self.until("home, or what a consultation entails", inside).await, Body::Duty(_)) {
            self.touch(Touch::Understood).await;
        }
        self.until("home", |body| matches!(body, Body::Home(home) if !home.rows.is_empty())).await;
    }

    /// A page that says why not is no wait for the PIN page.
    pub async fn type_pin(&mut self) {
        let seen = |body: &Body| matches!(body, Body::Pin(_) | Body::Trouble(_));
        let body = self.until("PIN page, or why not", seen).await;
        assert!(matches!(body, Body::Pin(_)), "no PIN page: {}", text_of(&body));
        for digit in [1, 2, 3, 4] {
            self.touch(Touch::Digit(digit)).await;
        }
    }

    pub async fn open_record_of(&mut self, place: usize) {
        self.touch(Touch::OpenPatient(place)).await;
        let may = |body: &Body| matches!(body, Body::Gate(gate) if gate.act == GateAct::OpenRecord);
        self.until("a ground that stands", may).await;
        self.touch(Touch::OpenRecord).await;
        self.until("the list", |body| matches!(body, Body::Documents(page) if page.rows.len() > 1)).await;
    }

    pub async fn touch(&self, touch: Touch) {
        self.kiosk.touches.send(Box::new(touch)).await.expect("the loop listens");
    }

    /// The page as it is now.
    pub fn shown(&self) -> Body {
        self.kiosk.views.borrow().body.clone()
    }

    pub async fn until(&mut self, what: &str, there: impl Fn(&Body) -> bool) -> Body {
        self.until_within(Duration::from_secs(30), what, there).await
    }

    pub async fn until_within(&mut self, most: Duration, what: &str, there: impl Fn(&Body) -> bool) -> Body {
        let waited = tokio::time::timeout(most, self.kiosk.views.wait_for(|view: &View| there(&view.body)));
        let body = waited.await.ok().and_then(Result::ok).map(|view| view.body.clone());
        body.unwrap_or_else(|| {
            let view = self.kiosk.views.borrow();
            panic!("no {what} in {} s; the page is {}: {}", most.as_secs(), view.page, text_of(&view.body))
        })
    }
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

pub fn stage(folder: &Path) -> Stage {
    // Keys cost seconds to draw: the tests' own are used again.
    pki().copy_to(&folder.join("pki")).expect("copied");
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs();
    Stage::set(folder, UnixSeconds(i64::try_from(seconds).expect("small"))).expect("a stage")
}

/// Every pill and notice of the pages that these tests read.
pub fn text_of(body: &Body) -> String {
    match body {
        Body::Idle(page) => page.pills.iter().map(|pill| pill.text.clone() + "\n").collect(),
        Body::Gate(page) => format!("{}\n{}\n{}\n{}", page.pill.text, page.headline, page.sentence, page.law),
        Body::Trouble(page) => format!("{}\n{}", page.pill.text, page.happened),
        _ => String::new(),
    }
}
