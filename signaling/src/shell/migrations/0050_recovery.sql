-- Tokens that the server's own machine made, until the ledger has a record of them.
CREATE TABLE recoveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    made_at INTEGER NOT NULL,
    by TEXT NOT NULL
) STRICT;
-- The look of a name, under the key of the names: no two that a person takes for one another.
-- Those that are there are filled in by the next start.
ALTER TABLE operators ADD COLUMN look BLOB;
ALTER TABLE admins ADD COLUMN look BLOB;
ALTER TABLE groups ADD COLUMN look BLOB;
CREATE UNIQUE INDEX operators_by_look ON operators (look);
CREATE UNIQUE INDEX admins_by_look ON admins (look);
CREATE UNIQUE INDEX groups_by_look ON groups (look);
