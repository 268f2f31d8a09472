//! Opening a holder's compartment, or making it. Where it cannot be opened, another takes its place (`another`).

use crate::secret::SecretKey;
use crate::time::UnixSeconds;
use crate::vault::Error;
use crate::vault::compartment::Compartment;
use crate::vault::compartment::Compartments;
use crate::vault::compartment::FOLDER;
use crate::vault::compartment::mark;
use crate::vault::compartment::mark::OpenMark;
use crate::vault::folder;
use crate::vault::index::Indexes;
use crate::vault::keys::Lookup;
use crate::vault::keys::derive;
use crate::vault::keys::fill_random;
use crate::vault::keys::make_folder;
use crate::vault::keys::sync_folder;
use crate::vault::reseal::Touched;
use crate::vault::schema;
use crate::vault::seal::Place;
use crate::vault::seal::Sealer;
use crate::vault::slots::Opening;
use crate::vault::write_ahead::Log;
use rusqlite::Connection;
use rusqlite::params;

/// How it was found.
#[derive(Default)]
pub(in crate::vault) struct Unlocked {
    /// It stands aside; what could still be read of its desk is in the one that is open now.
    pub is_set_aside: bool,
    /// Its write-ahead log was removed or damaged after a process that did not close it: the newest of it is gone.
    pub newest_is_lost: bool,
}

/// A database that is ours, and what is known of it.
pub(super) struct Found {
    database: Connection,
    store: Vec<u8>,
    touched: Touched,
}

impl Compartments {
    /// Opens or makes it. One that cannot be opened with its own key, or brought to this version, is sealed aside, and a new
    /// one begun.
    pub fn unlock(&mut self, opening: Opening, at: UnixSeconds) -> Result<Unlocked, Error> {
        self.open = None;
        let name = hex::encode(opening.open.compartment);
        let log_is_lost = mark::log_is_lost(&self.state_folder.join(FOLDER), &name)?;
        let [file, log_name] = ["db", "db-wal"].map(|end| format!("{FOLDER}/{name}.{end}"));
        let log = folder::look_at_log(&self.state_folder, &log_name, &file)?;
        folder::put_log_aside(&self.state_folder, &log_name, log, at)?;
        let opened = self.open_database(&name, &opening.key);
        let is_set_aside = opened.as_ref().is_err_and(|error| {
            matches!(error, Error::Damaged { .. } | Error::OtherDevice) || error.cannot_be_migrated()
        });
        let found = match opened {
            Err(error) if is_set_aside => {
                tracing::error!(store = "compartment", %error, "cannot be opened, or not be brought to this version");
                self.make_another(&name, &opening.key, self.desk_as_it_stands(&name, &opening.key))?;
                self.put_another(&name, &opening.key, at)?
            }
            found => found?,
        };
        if log == Log::Damaged {
            // What SQLite does not see there would be found again.
            schema::empty_log(&found.database)?;
        }
        self.open_with(opening, name, found)?;
        Ok(Unlocked { newest_is_lost: (log_is_lost || log == Log::Damaged) && !is_set_aside, is_set_aside })
    }

    pub(super) fn open_with(&mut self, opening: Opening, name: String, found: Found) -> Result<(), Error> {
        let Found { database, store, touched } = found;
        let own = |purpose: &[u8]| derive(&store, &[opening.key.show_to_cipher()], &[purpose]);
        let folder = self.state_folder.join(FOLDER);
        let mut compartment = Compartment {
            mark: OpenMark::put(&folder, &name),
            visit: opening.open.visit,
            holder: opening.open.holder,
            database,
            folder: folder.join(&name),
            desk: self.desk_sealer(&store, &opening.key).noting(touched.clone()),
            lookup: Lookup::new(&own(b"chevet/desk/lookup/v1")),
            store,
            name,
            device: self.device.clone(),
            algorithm: self.algorithm,
            key: opening.key,
            indexes: Indexes::default(),
            being_read: None,
            is_checked: false,
            touched,
            is_to_forget: false,
        };
        compartment.purge(&opening.tombstones)?;
        match compartment.purge_but(&opening.living) {
            // The check in a quiet moment says so, and puts it right.
            Err(Error::Damaged { .. }) => {}
            purged => purged?,
        }
        compartment.sweep()?;
        self.open = Some(compartment);
        Ok(())
    }

    pub(super) fn desk_sealer(&self, store: &[u8], key: &SecretKey) -> Sealer {
        let key = derive(store, &[key.show_to_cipher()], &[b"chevet/desk/seal/v1"]);
        Sealer::new(&key, store, &self.device, self.algorithm)
    }

    pub(super) fn open_database(&self, name: &str, key: &SecretKey) -> Result<Found, Error> {
        let folder = self.state_folder.join(FOLDER);
        make_folder(&folder.join(name))?;
        sync_folder(&folder).map_err(Error::folder("syncing it"))?;
        let database = schema::open(&folder.join(format!("{name}.db")), schema::COMPARTMENT, |change| {
            self.write_store(change, &new_store(), key)
        })?;
        // Its log's name is on the disk before a mark says that there is one.
        sync_folder(&folder).map_err(Error::folder("syncing it"))?;
        let (store, check) = store_row(&database)?;
        let touched = Touched::of_a_store();
        match self.desk_sealer(&store, key).noting(touched.clone()).open(CHECK_PLACE, &check) {
            Ok(_) => Ok(Found { database, store, touched }),
            Err(Error::FromTheFuture { found, known }) => Err(Error::FromTheFuture { found, known }),
            // The key came out of its slot whole, so it is this file that is not ours any more.
            Err(_) => Err(Error::OtherDevice),
        }
    }

    /// The row that tells whose it is.
    pub(super) fn write_store(&self, change: &Connection, store: &[u8], key: &SecretKey) -> rusqlite::Result<()> {
        let check = self.desk_sealer(store, key).seal(CHECK_PLACE, CHECK);
        let sql = "INSERT INTO store (id, store_id, key_check) VALUES (1, ?1, ?2)";
        change.execute(sql, params![store, check]).map(drop)
    }

    /// The name of a store of which nothing is known but its key; `None`: it is not ours, or it cannot be read.
    pub(super) fn store_of(&self, database: &Connection, key: &SecretKey) -> Option<Vec<u8>> {
        let (store, check) = store_row(database).ok()?;
        self.desk_sealer(&store, key).open(CHECK_PLACE, &check).ok().map(|_| store)
    }
}

pub(super) fn new_store() -> Vec<u8> {
    let mut store = vec![0; 16];
    fill_random(&mut store);
    store
}

/// Its name and what tells its key.
fn store_row(database: &Connection) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let sql = "SELECT store_id, key_check FROM store WHERE id = 1";
    let row = database.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
    row.map_err(|source| match Error::reading("the store's row")(source) {
        Error::Read { source, .. } if source == rusqlite::Error::QueryReturnedNoRows => Error::Damaged { source },
        other => other,
    })
}

const CHECK: &[u8] = b"chevet compartment";
const CHECK_PLACE: Place<'_> = Place { table: "store", column: "key_check", row: &[1] };
