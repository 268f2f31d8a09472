-- journal.db, step 7: cards that have logged in here. Additive: the version before reads past it.

-- What a card's files said, so that it need not say it again. Nothing depends on a row: without it the card is read.
CREATE TABLE card (
    serial       BLOB PRIMARY KEY,       -- HMAC pseudonym of the card's number
    known        BLOB NOT NULL,          -- sealed
    since        INTEGER NOT NULL        -- the day it was last here
) STRICT, WITHOUT ROWID;
CREATE INDEX card_since ON card (since);
