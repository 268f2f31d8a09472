-- compartments/<name>.db, step 1. What can be fetched again, and the desk. Sealed under patient keys:
-- HKDF(compartment key ‖ shred secret). Pseudonyms are made with the compartment key: without the card, two
-- compartments do not even tell whether they hold the same patient.

CREATE TABLE store (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    store_id     BLOB NOT NULL,
    key_check    BLOB NOT NULL
) STRICT;

-- What the upstream said of a record, and when.
CREATE TABLE record (
    patient      BLOB PRIMARY KEY,       -- HMAC pseudonym
    state        BLOB,                   -- sealed
    state_as_of  INTEGER,
    list_as_of   INTEGER                 -- NULL: its list was never asked for
) STRICT, WITHOUT ROWID;

-- Metadata of documents; content beside it, in chunked files above 256 KB.
CREATE TABLE document (
    id           INTEGER PRIMARY KEY,
    patient      BLOB NOT NULL,
    unique_id    BLOB NOT NULL,          -- HMAC pseudonym
    position     INTEGER,                -- in the upstream's list; NULL: in no list
    metadata     BLOB,                   -- sealed; NULL: in no list
    content      BLOB,                   -- sealed; NULL: not fetched, or in a file
    file         TEXT,                   -- name in the compartment's folder
    size         INTEGER,                -- of the content in clear
    as_of        INTEGER NOT NULL,
    UNIQUE (patient, unique_id)
) STRICT;

-- What cannot be fetched again: the round, identities, drafts. Under the compartment key itself.
CREATE TABLE desk (
    id           INTEGER PRIMARY KEY,
    kind         TEXT NOT NULL,          -- round | draft | told
    patient      BLOB NOT NULL,
    body         BLOB NOT NULL,          -- sealed
    since        INTEGER NOT NULL,
    UNIQUE (kind, patient)
) STRICT;
