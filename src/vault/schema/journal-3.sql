-- journal.db, step 3: who may use it. Additive: the version before reads past it.

-- Programs that know this version, or a later one, can read, append and deliver. A step that breaks this raises it.
ALTER TABLE store ADD COLUMN readable_since INTEGER NOT NULL DEFAULT 1;
