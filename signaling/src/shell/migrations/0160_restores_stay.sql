-- When, in unix seconds, and that the ledger knows of it: an end of a session from before goes on where it was.
ALTER TABLE restores ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE restores ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
