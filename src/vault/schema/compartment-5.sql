-- compartments/<name>.db, step 5: a list whole, under one seal: to show it one value is opened, and not one a document. And an
-- index by which the words of a patient's documents are read in the order of their rows.
-- Made from `document.metadata` and never without it. What changes there, whoever changes it, takes it away, and so does what is
-- deleted: it never says more than the documents do. Additive: the version before reads past it.

CREATE TABLE list (
    patient      BLOB PRIMARY KEY,       -- HMAC pseudonym
    body         BLOB NOT NULL           -- sealed
) STRICT;

CREATE TRIGGER list_grows AFTER INSERT ON document WHEN NEW.metadata IS NOT NULL
BEGIN DELETE FROM list WHERE patient = NEW.patient; END;

CREATE TRIGGER list_changes AFTER UPDATE OF patient, unique_id, position, metadata ON document
BEGIN DELETE FROM list WHERE patient IN (OLD.patient, NEW.patient); END;

CREATE TRIGGER list_shrinks AFTER DELETE ON document
BEGIN DELETE FROM list WHERE patient = OLD.patient; END;

CREATE TRIGGER list_goes AFTER DELETE ON record
BEGIN DELETE FROM list WHERE patient = OLD.patient; END;

CREATE INDEX document_read ON document (patient) WHERE text IS NOT NULL AND metadata IS NOT NULL;
