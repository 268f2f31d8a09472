-- compartments/<name>.db, step 2: who may use it. Additive: the version before reads past it.

-- Programs that know this version, or a later one, can read and write it. A step that breaks this raises it.
ALTER TABLE store ADD COLUMN readable_since INTEGER NOT NULL DEFAULT 1;
