//! Leases, and what the journal remembers of time: nothing is read past its end, whoever's card is in or none.
//!
//! The vault reads no clock: it is told the time, at its start, before every question and now and then while nobody is
//! there. What is over is shredded then and stays so, for the tombstone takes no lease. Where the budget for not knowing
//! the time is spent, nothing is destroyed and nothing is read: a network may find the time again.

use crate::record::state::Authorization;
use crate::record::state::RecordState;
use crate::time::Now;
use crate::time::UnixSeconds;
use crate::time::Wall;
use crate::time::belief::Witnessed;
use crate::time::lease;
use crate::vault::Error;
use crate::vault::Vault;
use crate::vault::journal::Journal;
use crate::vault::journal::begin;
use crate::vault::journal::settle;
use rusqlite::params;
use std::time::Duration;
use uuid::Uuid;

/// What this journal was told of the time.
pub(super) struct Told {
    pub boot: Uuid,
    pub wall: Wall,
    /// The last that was written down, and when that was.
    written: Option<Now>,
}

/// The lease that begins with what the server says of a record: no authorization, and no agreement about a team, is outlived by
/// what was read under it.
pub(super) fn end_by(state: &RecordState, at: UnixSeconds) -> UnixSeconds {
    let own = lease::default_end(at);
    match state.authorization {
        Authorization::Valid { until } => until.map_or(own, |until| own.min(until)),
        _ => {
            let agreed = state.team_words.iter().filter(|word| word.agreed).filter_map(|word| word.until);
            // One that is over already is not what is read under now.
            agreed.filter(|until| *until > at).fold(own, UnixSeconds::min)
        }
    }
}

/// Powered-on time is written down this often: a start loses no more than that of it.
const WRITE_EVERY: Duration = Duration::from_secs(300);

impl Told {
    pub fn nothing(boot: Uuid) -> Told {
        Told { boot, wall: Wall::AtLeast(UnixSeconds(0)), written: None }
    }
}

impl Vault {
    /// What is remembered of time: what the clock goes on from.
    pub async fn witnessed(&self) -> Result<Witnessed, Error> {
        self.inner.journal.ask(|journal| journal.witnessed()).await
    }

    /// Tells the vault the time: at the start, before what is asked, and now and then. What is past its lease is gone when
    /// this returns, whoever's card is in or none; [`Error::TimeLost`] answers what cannot be judged any more.
    pub async fn time_is(&self, now: Now) -> Result<(), Error> {
        self.inner.journal.ask(move |journal| journal.time_is(now)).await
    }
}

impl Journal {
    /// The newest time ever believed, and how many starts nobody has vouched for.
    pub fn witnessed(&self) -> Result<Witnessed, Error> {
        settle(&self.database)?;
        let sql = "SELECT newest, (SELECT count(*) FROM boot WHERE trusted IS NULL) FROM store WHERE id = 1";
        let read = self.database.query_row(sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?)));
        let (newest, starts) = read.map_err(Error::reading("the newest time"))?;
        Ok(Witnessed { newest: UnixSeconds(newest), starts })
    }

    /// Ends what is over by then. From here on reading is judged by this time.
    pub fn time_is(&mut self, now: Now) -> Result<(), Error> {
        self.told.wall = now.wall;
        self.end_leases(now.wall.value())?;
        self.forget_at_last()?;
        let news = match self.told.written {
            None => true,
            Some(last) => {
                last.wall.is_trusted() != now.wall.is_trusted()
                    || now.since_boot.saturating_sub(last.since_boot) >= WRITE_EVERY
            }
        };
        if news { self.write_time(now) } else { Ok(()) }
    }

    /// The floor for the next start. A trusted time forgets the starts before it.
    fn write_time(&mut self, now: Now) -> Result<(), Error> {
        let writing = || Error::writing("the time");
        let (boot, at) = (self.told.boot, now.wall.value());
        let trusted = now.wall.is_trusted().then_some(at.0);
        let on_s = i64::try_from(now.since_boot.as_secs()).unwrap_or(i64::MAX);
        let change = begin(&mut self.database)?;
        let sql = "UPDATE boot SET powered_s = ?2, trusted = coalesce(?3, trusted) WHERE id = ?1";
        change.execute(sql, params![boot.as_bytes(), on_s, trusted]).map_err(writing())?;
        if trusted.is_some() {
            change.execute("DELETE FROM boot WHERE id <> ?1", [boot.as_bytes()]).map_err(writing())?;
        }
        let sql = "UPDATE store SET newest = ?1 WHERE id = 1 AND newest < ?1";
        change.execute(sql, [at.0]).map_err(writing())?;
        change.commit().map_err(writing())?;
        self.told.written = Some(now);
        Ok(())
    }

    /// A document past its lease is gone before anything is drawn. A floor shreds nothing too early.
    pub(super) fn end_leases(&mut self, at: UnixSeconds) -> Result<(), Error> {
        let over = "SELECT EXISTS (SELECT 1 FROM shred WHERE secret IS NOT NULL AND lease_end <= ?1)";
        let mut asked = self.database.prepare_cached(over).map_err(Error::reading("leases"))?;
        let any: bool = asked.query_row([at.0], |row| row.get(0)).map_err(Error::reading("leases"))?;
        drop(asked);
        if !any {
            return Ok(());
        }
        let sql = "UPDATE shred SET secret = NULL WHERE secret IS NOT NULL AND lease_end <= ?1";
        self.database.execute(sql, [at.0]).map_err(Error::writing("leases"))?;
        self.forget()
    }

    /// Whether it may be asked for anything that has a lease.
    pub(super) fn check_time(&self) -> Result<(), Error> {
        if self.told.wall.is_lost() { Err(Error::TimeLost) } else { Ok(()) }
    }
}
