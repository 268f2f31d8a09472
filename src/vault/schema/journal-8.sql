-- journal.db, step 8: what waits for a holder stands together, and what waits for nobody, in the order in which it goes: a long row
-- of traces is neither looked through nor sorted. And settling looks at no level of the tree that a row does not complete. Additive:
-- the version before does not know that it reads by the one, and settles by the other.

CREATE INDEX outbox_needs ON outbox (needs, seq) WHERE state <> 'acknowledged';

-- The levels of the tree. A tree of 2^40 rows is larger than any disk of ours.
CREATE TABLE level (
    level        INTEGER PRIMARY KEY
) STRICT;
INSERT INTO level WITH RECURSIVE below (level) AS (SELECT 1 UNION ALL SELECT level + 1 FROM below WHERE level < 40)
    SELECT level FROM below;

DROP TRIGGER settle;
CREATE TRIGGER settle AFTER UPDATE OF settled ON store WHEN new.settled > old.settled BEGIN
    INSERT INTO node (level, position, hash)
        SELECT level, ((idx + 1) >> level) - 1, substr(nodes, 32 * level - 31, 32)
        FROM trace JOIN level ON level <= length(nodes) / 32
        WHERE idx >= old.settled AND idx < new.settled;
    INSERT INTO outbox (id, kind, patient, body, since)
        SELECT id, 'traces', patient, waits, local_time FROM trace
        WHERE idx >= old.settled AND idx < new.settled AND waits IS NOT NULL ORDER BY idx;
    UPDATE store SET newest = max(newest, (SELECT max(local_time) FROM trace
        WHERE idx >= old.settled AND idx < new.settled)) WHERE id = 1;
END;
