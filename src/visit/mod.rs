//! The heart: one pure state machine. `step(self, event, now) → (Visit, effects)`.
//!
//! ```text
//! Idle → ReadingCard → AskPin → CheckingPin → Opening → Home → Gate → Record → Document
//!          └ CPE: Desk                                 any wait that ends → TakeCard(trouble)
//!                         CardOut, from anywhere → Idle, in the same step
//! Home, Record … → Locked → AskPin … → the same page (the same card, which never left: `gentle`)
//! Idle ⇄ About · Home ⇄ Compose (who is in the round) · Home ⇄ Ahead (the round is prepared)
//! Idle → AskRpps → WaitingForPhone → ChoosingExercise → Opening …   (no card: `phone`)
//! ```
//!
//! - `page` where the visit is, and what each page holds
//! - `event` what may happen · `effect` what is asked of the world
//! - `step` the transitions: card, PIN, home · `identify` which patient · `reading` list, document, history · `search` words in a record
//! - `filtering` what the list shows · `summary` drawn from a few documents
//! - `compose` who is in the round · `ahead` the round, fetched before it is needed · `national` what offline reading owes
//! - `hand_over` from the old card to the new one
//! - `writing` a note, from the desk to the outbox · `managing` what its author does with it later · `tray` what was refused
//! - `gate` on what ground · `answer` the patient's page · `situations` what is not the ordinary way · `said` what was said before
//! - `gentle` dimmed, asked, locked, and back to the same place
//! - `phone` a visit without a card · `reception` the desk of a CPE
//! - `looks` language, size of text and light of the screen
//! - `facts` what `policy` is told
//!
//! It never does I/O, never reads a clock, never draws a number. Every wait holds its end; every question carries a
//! [`Ticket`](event::Ticket), and an answer with another one changes nothing. A page's content goes when its page goes,
//! because `self` is consumed.

mod ahead;
pub mod answer;
mod compose;
pub mod effect;
pub mod event;
mod facts;
mod filtering;
mod gate;
pub mod gentle;
mod hand_over;
mod identify;
mod looks;
pub mod managing;
pub mod national;
pub mod page;
mod phone;
mod print;
mod reading;
mod reception;
mod said;
mod search;
mod situations;
pub mod step;
mod summary;
mod tray;
mod writing;

pub use ahead::may_prepare;
pub use compose::may_compose;
pub use effect::Effect;
pub use event::Event;
pub use hand_over::offered as hand_over_offered;
pub use page::Page;
pub use page::Visit;
