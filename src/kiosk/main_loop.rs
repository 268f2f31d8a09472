//! One task owns the visit. One event, one step, one view; it sleeps until the visit's alarm, the clock's next minute or the
//! watchdog's next feed.

use crate::device::clock::Clock;
use crate::device::watchdog::Watchdog;
use crate::screen::view::DeviceFacts;
use crate::screen::view::View;
use crate::screen::view::view;
use crate::visit::Effect;
use crate::visit::Event;
use crate::visit::Visit;
use crate::visit::event::Touch;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::watch;

/// What the loop is joined to the world with.
pub struct Ends {
    pub events: mpsc::Receiver<Event>,
    /// From the window straight to here, each in a box: no channel keeps the digits of a PIN.
    pub touches: mpsc::Receiver<Box<Touch>>,
    pub effects: mpsc::UnboundedSender<Effect>,
    pub views: watch::Sender<View>,
}

/// Runs until every sender of events is gone.
///
/// Effects go out by an unbounded channel on purpose: the loop must never wait for the world, least of all on card-out.
/// Its length is bounded by the machine itself, which has one question open at a time.
pub async fn run(mut visit: Visit, mut ends: Ends, clock: Clock, facts: DeviceFacts, mut watchdog: Watchdog) {
    loop {
        let event = tokio::select! {
            event = ends.events.recv() => match event {
                Some(event) => event,
                None => return,
            },
            Some(touch) = ends.touches.recv() => Event::Touched(*touch),
            () = tokio::time::sleep(until_next(&visit, &clock, &watchdog)) => Event::Tick,
        };
        let was = visit.page.name();
        let name = event.name();
        let now = clock.now();
        watchdog.turned(now.since_boot);
        let (next, effects) = visit.step(event, now);
        visit = next;
        // The blank view of a card that is out goes first: it waits for no driver (P3).
        let seen = view(&visit, clock.now(), &facts);
        ends.views.send_if_modified(|shown| {
            let changed = *shown != seen;
            *shown = seen;
            changed
        });
        if name != "tick" {
            tracing::info!(event = name, from = was, to = visit.page.name(), "step");
        }
        for effect in effects {
            tracing::info!(effect = effect.name(), "asked");
            if ends.effects.send(effect).is_err() {
                tracing::error!("the task that performs effects is gone");
                return;
            }
        }
    }
}

/// The visit's own alarm, the watchdog's, or the next change of the displayed minute.
fn until_next(visit: &Visit, clock: &Clock, watchdog: &Watchdog) -> Duration {
    let due = [visit.alarm(), watchdog.due()].into_iter().flatten().min();
    let minute = clock.until_minute();
    due.map_or(minute, |due| due.saturating_sub(clock.now().since_boot).min(minute))
}
