//! What the smart-card service says, asked once and from outside a visit: its readers, and what lies in each. No card is
//! connected and no command is sent.

use crate::card::Error;
use crate::card::work::meaning;

/// One reader, or one slot of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The PC/SC reader's name.
    pub name: String,
    pub holds: Holds,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holds {
    Nothing,
    /// It does not answer to a reset: upside down, dirty, or not a chip card.
    MuteCard,
    Card {
        atr: Vec<u8>,
        /// A program holds it for itself: the kiosk does, as long as a card is in.
        is_held: bool,
    },
}

/// Every reader that the service has; an empty list when it answers and has none.
pub fn slots() -> Result<Vec<Slot>, Error> {
    let context = pcsc::Context::establish(pcsc::Scope::User).map_err(meaning)?;
    let names = context.list_readers_owned().map_err(meaning)?;
    let mut states: Vec<pcsc::ReaderState> =
        names.into_iter().map(|name| pcsc::ReaderState::new(name, pcsc::State::UNAWARE)).collect();
    if states.is_empty() {
        return Ok(Vec::new());
    }
    context.get_status_change(Some(std::time::Duration::ZERO), &mut states).map_err(meaning)?;
    Ok(states.iter().map(slot).collect())
}

fn slot(state: &pcsc::ReaderState) -> Slot {
    let is = |flag| state.event_state().contains(flag);
    let holds = if is(pcsc::State::MUTE) {
        Holds::MuteCard
    } else if is(pcsc::State::PRESENT) {
        Holds::Card { atr: state.atr().to_vec(), is_held: is(pcsc::State::EXCLUSIVE) }
    } else {
        Holds::Nothing
    };
    Slot { name: state.name().to_string_lossy().into_owned(), holds }
}
