-- compartments/<name>.db, step 3: what the sealed worker read in a document, for the search. Additive: the version before
-- reads past it.

-- Sealed under the patient's key; NULL: never read, or nothing but pictures.
ALTER TABLE document ADD COLUMN text BLOB;
