-- journal.db, step 6: the TPM's counter. Additive: the version before reads past it, and does not raise the counter.

-- NULL: it never had one; -1: one was about to be made; else what it is meant to be.
ALTER TABLE store ADD COLUMN counter INTEGER;
