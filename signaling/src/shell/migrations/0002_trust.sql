CREATE TABLE documents (
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (kind, version)
) STRICT;
CREATE TABLE anchor (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    boot TEXT NOT NULL,
    up INTEGER NOT NULL,
    steady INTEGER NOT NULL
) STRICT;
DROP TABLE devices;
CREATE TABLE devices (
    operator INTEGER NOT NULL,
    key BLOB NOT NULL UNIQUE,
    state TEXT NOT NULL,
    added INTEGER NOT NULL,
    certificate BLOB,
    not_after INTEGER,
    PRIMARY KEY (operator, key)
) STRICT;
DROP TABLE admins;
CREATE TABLE admins (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name_index BLOB NOT NULL UNIQUE,
    key BLOB NOT NULL UNIQUE,
    person BLOB NOT NULL,
    password TEXT NOT NULL,
    state TEXT NOT NULL,
    added INTEGER NOT NULL,
    totp BLOB,
    totp_pending BLOB,
    totp_step INTEGER NOT NULL DEFAULT 0
) STRICT;
DROP TABLE admin_tokens;
CREATE TABLE admin_tokens (
    hash BLOB PRIMARY KEY,
    kind TEXT NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE TABLE admin_sessions (
    admin INTEGER PRIMARY KEY,
    began INTEGER NOT NULL,
    used INTEGER NOT NULL,
    confirmed INTEGER NOT NULL
) STRICT;
