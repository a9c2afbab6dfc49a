-- Certificates name people, so they lie sealed from here on. Those that lay open go, and their
-- devices wait for an administrator's approval again, without a new code.
UPDATE devices SET certificate = NULL, not_after = NULL, state = 'pending' WHERE state = 'approved';
-- Backups that came back, until the ledger has a record of it.
CREATE TABLE restores (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    backup_at INTEGER NOT NULL
) STRICT;
