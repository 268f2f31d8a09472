-- journal.db, step 2: what the upstream has taken, and how far bodies were pruned. Additive: the version before reads past it.

-- When the upstream last took something of ours.
ALTER TABLE store ADD COLUMN last_success INTEGER;
-- Rows below this one have been looked at by retention: nothing of them is left to prune.
ALTER TABLE store ADD COLUMN pruned_below INTEGER NOT NULL DEFAULT 0;
