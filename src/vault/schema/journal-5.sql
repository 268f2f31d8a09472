-- journal.db, step 5: an append writes its row and two indexes, and nothing else. What it completes in the tree and its line of
-- the outbox stand in the row, until they are settled: put where they were put at once before. Additive: the version before
-- opens with a row in `boot`, which settles all there is, and then reads, appends and delivers as it always did.

-- Hashes of the subtrees that this row completes, from level 1 up; NULL: none, or its writer put them into `node` itself.
ALTER TABLE trace ADD COLUMN nodes BLOB;
-- The sealed body of its line in the outbox; NULL: its writer put it there itself.
ALTER TABLE trace ADD COLUMN waits BLOB;
-- Rows below this one are settled.
ALTER TABLE store ADD COLUMN settled INTEGER NOT NULL DEFAULT 0;
UPDATE store SET settled = (SELECT coalesce(max(idx) + 1, 0) FROM trace);

-- A tree of 2^40 rows is larger than any disk of ours.
CREATE TRIGGER settle AFTER UPDATE OF settled ON store WHEN new.settled > old.settled BEGIN
    INSERT INTO node (level, position, hash)
        SELECT column1, ((idx + 1) >> column1) - 1, substr(nodes, 32 * column1 - 31, 32)
        FROM trace JOIN (VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15), (16), (17),
            (18), (19), (20), (21), (22), (23), (24), (25), (26), (27), (28), (29), (30), (31), (32), (33), (34), (35), (36),
            (37), (38), (39), (40)) ON length(nodes) >= 32 * column1
        WHERE idx >= old.settled AND idx < new.settled;
    INSERT INTO outbox (id, kind, patient, body, since)
        SELECT id, 'traces', patient, waits, local_time FROM trace
        WHERE idx >= old.settled AND idx < new.settled AND waits IS NOT NULL ORDER BY idx;
    UPDATE store SET newest = max(newest, (SELECT max(local_time) FROM trace
        WHERE idx >= old.settled AND idx < new.settled)) WHERE id = 1;
END;

-- Before, and not after: it is done for a boot that is known already too.
CREATE TRIGGER settle_at_start BEFORE INSERT ON boot BEGIN
    UPDATE store SET settled = (SELECT coalesce(max(idx) + 1, 0) FROM trace) WHERE id = 1;
END;
