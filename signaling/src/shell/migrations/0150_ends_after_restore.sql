-- That an end may be further than its row says: a backup was restored, and what came since is lost.
ALTER TABLE ledger_ends ADD COLUMN restored INTEGER NOT NULL DEFAULT 0;
