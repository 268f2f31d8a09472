-- journal.db, step 4: where it was put back. Additive: the version before reads past it.

-- Heads that are lost here: the disk was put back to an earlier state, and the journal went on beside them.
CREATE TABLE branch (
    idx          INTEGER PRIMARY KEY,    -- of the row that names it
    size         INTEGER NOT NULL,       -- of the lost head
    root         BLOB NOT NULL,
    since        INTEGER NOT NULL
) STRICT;
