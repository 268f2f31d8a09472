//! What a page says of itself when it comes, for the headset: its own words, in the order in which they stand on it. Pure.
//!
//! What can be done on it is said as the keys come to it, by its accessible label. A page that did not change says nothing anew, and
//! the idle page is silent: whoever took their card out is heard of no more.

use crate::record::reading::Reading;
use crate::say::Lang;
use crate::screen::view::Body;
use crate::screen::view::Notice;
use crate::screen::view::SummaryLook;
use crate::screen::view::View;

/// In which language, and what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spoken {
    pub lang: Lang,
    /// Each as it stands on the page.
    pub lines: Vec<String>,
}

impl Spoken {
    /// One text, a pause after each line.
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }
}

/// What this view says when it comes.
pub fn of(view: &View) -> Spoken {
    let lang = match &view.body {
        // The patient may have chosen another language than the screen's: the one that is not offered any more.
        Body::Consent(page) if !page.languages.is_empty() => {
            if page.languages.iter().any(|(_, number)| *number == ENGLISH) { Lang::French } else { Lang::English }
        }
        _ => view.looks.lang,
    };
    let lines = match &view.asks {
        Some(asks) => vec![asks.title.clone(), asks.sentence.clone()],
        None => lines(&view.body),
    };
    Spoken { lang, lines: lines.into_iter().filter(|line| !line.trim().is_empty()).collect() }
}

/// What was said last, so that nothing is said twice: that somebody is there is an answer, and no new page.
#[derive(Debug, Default)]
pub struct Teller {
    last: Spoken,
    /// What the page under a question says.
    page: Spoken,
}

impl Teller {
    /// What is to be said now that this is shown; without lines, silence; `None`: nothing new.
    pub fn shown(&mut self, view: &View) -> Option<Spoken> {
        let now = of(view);
        if now == self.last {
            return None;
        }
        self.last = now.clone();
        if view.asks.is_some() {
            return Some(now);
        }
        if std::mem::replace(&mut self.page, now.clone()) == now {
            return Some(Spoken { lang: now.lang, lines: vec![] });
        }
        Some(now)
    }

    /// The language that the page is in.
    pub fn lang(&self) -> Lang {
        self.last.lang
    }
}

/// Its place among the languages of the patient's page.
const ENGLISH: usize = 2;

fn lines(body: &Body) -> Vec<String> {
    let all = |lines: &[&String]| lines.iter().map(|line| (*line).clone()).collect::<Vec<String>>();
    match body {
        Body::Idle(_) => vec![],
        Body::Wait(page) => all(&[&page.title, &page.hint]),
        Body::Pin(page) => {
            let mut said = all(&[&page.card, &page.name, &page.alert, &page.tries, &page.notice]);
            if page.asks_last_try {
                said.extend(all(&[&page.last_try_title, &page.last_try]));
            }
            said
        }
        Body::Rpps(page) => with_notice(all(&[&page.title, &page.sentence]), page.notice.as_ref()),
        Body::Phone(page) => all(&[&page.title, &page.label, &page.sentence, &page.warning]),
        Body::Home(page) => {
            with_notice(all(&[&page.name, &page.summary, &page.national, &page.empty]), page.notice.as_ref())
        }
        Body::Compose(page) => with_notice(all(&[&page.title]), page.notice.as_ref()),
        Body::Ahead(page) => with_notice(all(&[&page.title, &page.summary, &page.hint]), page.notice.as_ref()),
        Body::Typing(page) => with_notice(vec![], page.notice.as_ref()),
        Body::Gate(page) => all(&[&page.bar.name, &page.headline, &page.sentence, &page.done]),
        Body::Choice(page) => all(&[&page.title, &page.sentence]),
        Body::Text(page) => with_notice(all(&[&page.title, &page.sentence]), page.notice.as_ref()),
        Body::Note(page) => all(&[&page.title, &page.sentence]),
        Body::Check(page) => all(&[&page.title, &page.lead, &page.text, &page.warning]),
        Body::Tray(page) => all(&[&page.title, if page.empty.is_empty() { &page.sentence } else { &page.empty }]),
        Body::Consent(page) => all(&[&page.title, &page.body]),
        Body::Sign(page) => all(&[&page.title]),
        Body::Duty(page) => all(&[&page.title, &page.body]),
        Body::Agreements(page) => with_facts(all(&[&page.bar.name, &page.empty]), &page.facts),
        Body::Facts(page) => with_facts(all(&[&page.bar.name, &page.title]), &page.rows),
        Body::Summary(page) => {
            let mut said = all(&[&page.bar.name]);
            // Its lines are said as the keys come to them; what is wrong with all of them, at once.
            let care = page.rows.iter().filter(|row| row.look == SummaryLook::Care);
            care.for_each(|row| said.extend(all(&[&row.text, &row.details])));
            said.extend(all(&[&page.denied, &page.denied_rest]));
            said
        }
        Body::Why(page) => {
            let mut said = all(&[&page.title]);
            page.reasons.iter().for_each(|reason| said.extend(all(&[&reason.sentence, &reason.next])));
            said
        }
        Body::Documents(page) => all(&[&page.bar.name, &page.empty, &page.scope, &page.denied, &page.denied_rest]),
        Body::History(page) => with_notice(all(&[&page.bar.name, &page.empty]), page.notice.as_ref()),
        Body::Receipt(page) => page.lines.clone(),
        Body::Reader(page) => {
            let mut said = all(&[&page.title, &page.details]);
            said.extend(page.warnings.iter().chain(&page.notices).cloned());
            said.push(page.waiting.clone());
            said.extend(page.reading.iter().flat_map(|reading| narrative(reading)));
            with_notice(said, page.notice.as_ref())
        }
        Body::Print(page) => with_notice(all(&[&page.title, &page.sentence]), page.notice.as_ref()),
        Body::Reception(page) => {
            let mut said = all(&[&page.title]);
            said.extend(page.lines.iter().cloned());
            with_notice(said, page.notice.as_ref())
        }
        Body::About(page) => {
            let mut said = all(&[&page.title]);
            page.rows.iter().for_each(|row| said.extend(all(&[&row.what, &row.how])));
            said.push(page.foot.clone());
            said
        }
        Body::Locked(page) => all(&[&page.title, &page.sentence]),
        Body::Trouble(page) => all(&[&page.happened, &page.next, &page.rest]),
    }
}

/// What the document says, row by row; where there are only pictures, nothing.
fn narrative(reading: &Reading) -> Vec<String> {
    reading.words().lines().map(str::to_owned).collect()
}

fn with_facts(mut lines: Vec<String>, facts: &[(String, String)]) -> Vec<String> {
    facts.iter().for_each(|(what, how)| lines.extend([what.clone(), how.clone()]));
    lines
}

fn with_notice(mut lines: Vec<String>, notice: Option<&Notice>) -> Vec<String> {
    if let Some(notice) = notice {
        lines.extend([notice.happened.clone(), notice.next.clone()]);
    }
    lines
}
