-- Copies of the database that the server's own machine made, until the ledger has a record of them.
CREATE TABLE backups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    made_at INTEGER NOT NULL,
    by TEXT NOT NULL
) STRICT;
