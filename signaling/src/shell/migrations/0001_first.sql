CREATE TABLE operators (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name_index BLOB NOT NULL UNIQUE,
    person BLOB NOT NULL,
    password TEXT NOT NULL,
    modes TEXT NOT NULL,
    state TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE TABLE devices (
    operator INTEGER NOT NULL,
    key BLOB NOT NULL,
    added INTEGER NOT NULL,
    PRIMARY KEY (operator, key)
) STRICT;
CREATE TABLE codes (
    code BLOB PRIMARY KEY,
    operator INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE TABLE failures (
    operator INTEGER NOT NULL,
    device BLOB NOT NULL,
    failures INTEGER NOT NULL,
    locked_until INTEGER NOT NULL,
    PRIMARY KEY (operator, device)
) STRICT;
CREATE TABLE tokens (
    hash BLOB PRIMARY KEY,
    operator INTEGER NOT NULL,
    device BLOB NOT NULL,
    created INTEGER NOT NULL,
    used INTEGER NOT NULL
) STRICT;
CREATE TABLE admins (
    key BLOB PRIMARY KEY,
    person BLOB NOT NULL,
    added INTEGER NOT NULL
) STRICT;
CREATE TABLE admin_tokens (
    hash BLOB PRIMARY KEY
) STRICT;
CREATE TABLE admin_nonces (
    nonce TEXT PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE rooms (
    session BLOB PRIMARY KEY,
    locator INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT;
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session BLOB NOT NULL,
    locator INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    session BLOB,
    operator INTEGER,
    detail TEXT NOT NULL
) STRICT;
