-- How much an end of a session has delivered: a ticket is no right to a disk.
ALTER TABLE ledger_ends ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
