//! How the screen speaks and looks: as the settings say, until whoever is here chooses otherwise. It is theirs for their visit; the
//! next person finds what the settings say.

use crate::say::Lang;
use crate::say::Light;
use crate::time::Now;
use crate::visit::event::Look;
use crate::visit::page::Page;
use crate::visit::page::Visit;

impl Visit {
    pub fn lang(&self) -> Lang {
        self.standing.looks.lang
    }

    /// Whether the screen is dark now. By a clock that is only a floor it never is.
    pub fn is_night(&self, now: Now) -> bool {
        let hour = || now.wall.value().hour_in(&self.rules.time_zone);
        match self.standing.looks.light {
            Light::Day => false,
            Light::Night => true,
            Light::ByClock => now.wall.is_trusted() && !(DAWN..DUSK).contains(&hour()),
        }
    }

    pub(super) fn look(&mut self, change: Look, now: Now) {
        let night = self.is_night(now);
        let looks = &mut self.standing.looks;
        match change {
            Look::OtherLanguage => looks.lang = looks.lang.other(),
            Look::NextTextSize => looks.text_percent = looks.next_size(),
            Look::OtherLight => looks.light = if night { Light::Day } else { Light::Night },
        }
    }

    /// Nobody stands before an idle device, nor before the page that tells what it is worth.
    pub(super) fn is_of_nobody(&self) -> bool {
        matches!(self.page, Page::Idle | Page::About { .. })
    }

    /// Whoever comes next finds the screen as the settings say.
    pub(super) fn forget_looks(&mut self) {
        self.standing.looks = self.rules.looks;
    }
}

const DAWN: u8 = 7;
const DUSK: u8 = 20;
