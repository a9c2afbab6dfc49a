CREATE TABLE ledger_keys (
    digest BLOB PRIMARY KEY,
    envelope BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE ledger (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    class INTEGER NOT NULL,
    key BLOB,
    sealed BLOB,
    leaf BLOB NOT NULL
) STRICT;
CREATE TABLE ledger_nodes (
    level INTEGER NOT NULL,
    place INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (level, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE ledger_checkpoints (
    size INTEGER PRIMARY KEY,
    note TEXT NOT NULL
) STRICT;
CREATE TABLE ledger_decrees (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    document BLOB NOT NULL
) STRICT;
CREATE TABLE ledger_ends (
    session BLOB NOT NULL,
    role INTEGER NOT NULL,
    next INTEGER NOT NULL,
    PRIMARY KEY (session, role)
) STRICT, WITHOUT ROWID;
DROP TABLE events;
