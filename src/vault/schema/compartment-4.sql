-- compartments/<name>.db, step 4: which documents nobody has read for the search yet. Additive: the version before reads past
-- it.

CREATE INDEX document_unread ON document (patient) WHERE text IS NULL AND size IS NOT NULL AND metadata IS NOT NULL;
