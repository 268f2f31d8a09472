-- compartments/<name>.db, step 6: the names of sealed files, so that an opening need not look through all documents for them.
-- Additive: the version before does not know that it reads by it.

CREATE INDEX document_file ON document (file) WHERE file IS NOT NULL;
