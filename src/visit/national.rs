//! Reading offline leaves no trace in the national record: nobody there saw it. At the holder's next stay online the
//! search is made for real, in their name, so that the patient's own history has it; and home says so (DESIGN §3).

use crate::identity::holder::Means;
use crate::journal::Draft;
use crate::journal::words::Class;
use crate::patient::ins::Ins;
use crate::time::Now;
use crate::visit::effect::Effect;
use crate::visit::event::Event;
use crate::visit::event::LinkState;
use crate::visit::page::Here;
use crate::visit::page::Home;
use crate::visit::page::National;
use crate::visit::page::Page;
use crate::visit::page::Visit;

/// What the row that settles it says.
pub const MADE: &str = "national trace";
pub const REFUSED: &str = "national trace refused";

impl Visit {
    /// What is asked whenever somebody comes home, until nothing is owed; whatever they ask for goes before it.
    pub(super) fn make_national(&self, here: &Here) -> Option<Effect> {
        let may = here.holder.means == Means::Card && self.standing.link != LinkState::Offline;
        (may && !here.national_settled).then_some(Effect::MakeNational { insertion: here.insertion })
    }

    /// Rows settle it: what is not on the disk is made again the next time, which harms nobody.
    pub(super) fn national_made(mut self, mut home: Home, event: Event, now: Now) -> (Visit, Vec<Effect>) {
        let Event::NationalMade { insertion, made, refused, settled } = event else {
            return self.turn(Page::Home(Box::new(home)), vec![]);
        };
        // The card before this one owed it: its rows would bear the wrong name.
        if insertion != home.here.insertion {
            return self.turn(Page::Home(Box::new(home)), vec![]);
        }
        home.here.national_settled = settled;
        if made.is_empty() && refused.is_empty() {
            return self.turn(Page::Home(Box::new(home)), vec![]);
        }
        let row = |patient: &Ins, reason: &str| Draft {
            patient: Some(patient.clone()),
            login: Some(home.here.login),
            reason: Some(reason.to_owned()),
            ..self.own_row(Class::Maintenance, &home.here.holder, now)
        };
        let rows = made.iter().map(|ins| row(ins, MADE)).chain(refused.iter().map(|ins| row(ins, REFUSED))).collect();
        let count = |list: &[Ins]| u32::try_from(list.len()).unwrap_or(u32::MAX);
        home.national = Some(National { made: count(&made), refused: count(&refused) });
        let record = Effect::Record { ticket: self.ticket(), rows, said: vec![] };
        self.turn(Page::Home(Box::new(home)), vec![record])
    }
}
