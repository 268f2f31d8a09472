-- journal.db, step 1. Frozen once released: a change is a new step. Additive only, so that the version before can
-- still read, append and deliver.
--
-- Sealed columns hold: algorithm id (1 byte) ‖ form (1 byte) ‖ nonce (12) ‖ ciphertext and tag.
-- AAD = store id ‖ device id ‖ table ‖ column ‖ row id ‖ form byte, each behind its length.

CREATE TABLE store (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    store_id     BLOB NOT NULL,          -- 16 random bytes
    made_at      INTEGER NOT NULL,       -- unix seconds, as the clock said
    key_check    BLOB NOT NULL,          -- a known value, sealed: tells a wrong device key from a damaged file
    newest       INTEGER NOT NULL        -- the latest time ever written here: the clock's floor
) STRICT;

-- One row per trace. Bodies may be pruned after acknowledgement; leaves never.
CREATE TABLE trace (
    idx          INTEGER PRIMARY KEY,    -- dense from 0
    id           BLOB NOT NULL UNIQUE,   -- UUIDv7
    body         BLOB,                   -- canonical bytes, sealed
    leaf         BLOB NOT NULL,          -- SHA-256(0x00 ‖ canonical bytes)
    patient      BLOB,                   -- HMAC pseudonym, for retention and our unsent rows in a history
    local_time   INTEGER NOT NULL
) STRICT;
CREATE INDEX trace_patient ON trace (patient) WHERE patient IS NOT NULL;

-- Perfect subtrees of the RFC 6962 tree above its leaves, which stand in trace.leaf: (level ≥ 1, position) → hash.
CREATE TABLE node (
    level        INTEGER NOT NULL,
    position     INTEGER NOT NULL,
    hash         BLOB NOT NULL,
    PRIMARY KEY (level, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint (
    size         INTEGER PRIMARY KEY,
    note         BLOB NOT NULL,          -- C2SP signed note
    countersign  BLOB,                   -- the holder's card over it, with its login row
    anchored_at  INTEGER
) STRICT;

-- What waits to be delivered.
CREATE TABLE outbox (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           BLOB NOT NULL UNIQUE,   -- UUIDv7
    kind         TEXT NOT NULL,          -- traces | consents | contributions
    needs        BLOB,                   -- HMAC pseudonym of the holder; NULL: the device
    patient      BLOB,                   -- HMAC pseudonym: order is kept per patient
    body         BLOB NOT NULL,          -- sealed; for a trace, its index; emptied once acknowledged
    state        TEXT NOT NULL DEFAULT 'waiting',   -- waiting | sent | acknowledged | set_aside
    code         TEXT,
    reason       BLOB,                   -- sealed: a server's words may name people
    since        INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_open ON outbox (state, seq) WHERE state <> 'acknowledged';
CREATE INDEX outbox_patient ON outbox (patient) WHERE state <> 'acknowledged';

-- What patients said, under the device key: another holder must see a refusal.
CREATE TABLE consent (
    id           BLOB PRIMARY KEY,       -- UUIDv7: in the order of their times
    patient      BLOB NOT NULL,
    body         BLOB NOT NULL,
    since        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX consent_patient ON consent (patient);

-- The wrapped key of each compartment: one per holder and card key, so that a renewed card has its own.
CREATE TABLE slot (
    holder       BLOB NOT NULL,          -- HMAC pseudonym
    card         BLOB NOT NULL,          -- HMAC pseudonym of the certificate key that the slot was made with
    compartment  BLOB NOT NULL UNIQUE,   -- 16 random bytes; in hex the file's name
    algorithm    TEXT NOT NULL,          -- how S is made: rsa-pkcs1v15-sha256
    salt         BLOB NOT NULL,          -- 32 bytes, sealed; never leaves
    wrapped      BLOB,                   -- compartment key, sealed under the KEK; NULL: not opened yet
    PRIMARY KEY (holder, card)
) STRICT, WITHOUT ROWID;

-- Per (compartment, patient): deleting the secret shreds what the compartment holds, without the card.
CREATE TABLE shred (
    compartment  BLOB NOT NULL,
    patient      BLOB NOT NULL,          -- HMAC pseudonym
    secret       BLOB,                   -- sealed; NULL: a tombstone
    lease_end    INTEGER NOT NULL,
    PRIMARY KEY (compartment, patient)
) STRICT, WITHOUT ROWID;
CREATE INDEX shred_patient ON shred (patient);
CREATE INDEX shred_lease ON shred (lease_end) WHERE secret IS NOT NULL;

-- Powered-on time since the last trusted time, one row a boot.
CREATE TABLE boot (
    id           BLOB PRIMARY KEY,
    started      INTEGER NOT NULL,
    trusted      INTEGER,
    powered_s    INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
