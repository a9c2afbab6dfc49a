-- Times are seconds since 1970. What is secret stands here as a hash only.
CREATE TABLE operators (
    name          TEXT PRIMARY KEY NOT NULL,
    display_name  TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    modes         TEXT NOT NULL,
    enabled       INTEGER NOT NULL,
    created       INTEGER NOT NULL
) STRICT;

CREATE TABLE devices (
    operator TEXT NOT NULL REFERENCES operators (name) ON DELETE CASCADE,
    key      BLOB NOT NULL,
    added    INTEGER NOT NULL,
    PRIMARY KEY (operator, key)
) STRICT;

CREATE TABLE enrolments (
    code_hash BLOB PRIMARY KEY NOT NULL,
    operator  TEXT NOT NULL REFERENCES operators (name) ON DELETE CASCADE,
    expires   INTEGER NOT NULL
) STRICT;

CREATE TABLE tokens (
    hash      BLOB PRIMARY KEY NOT NULL,
    operator  TEXT NOT NULL REFERENCES operators (name) ON DELETE CASCADE,
    device    BLOB NOT NULL,
    last_used INTEGER NOT NULL,
    ends      INTEGER NOT NULL
) STRICT;

-- One counter for each enrolled device of a name, one for all the others: who
-- has no device key cannot lock out who has one (T53).
CREATE TABLE failures (
    name         TEXT NOT NULL,
    class        BLOB NOT NULL,
    count        INTEGER NOT NULL,
    locked_until INTEGER NOT NULL,
    PRIMARY KEY (name, class)
) STRICT;

CREATE TABLE admins (
    key  BLOB PRIMARY KEY NOT NULL,
    name TEXT NOT NULL
) STRICT;

-- Holds one row until the first administrator has enrolled, and none afterwards (T57).
CREATE TABLE setup (
    token_hash BLOB PRIMARY KEY NOT NULL
) STRICT;

CREATE TABLE admin_nonces (
    nonce BLOB PRIMARY KEY NOT NULL,
    at    INTEGER NOT NULL
) STRICT;

-- A locator is written before it is given out, and each attempt at it before it
-- is answered: what was burnt stays burnt after a crash (T4, T5).
CREATE TABLE numbers (
    locator  INTEGER PRIMARY KEY NOT NULL,
    session  BLOB NOT NULL,
    attempts INTEGER NOT NULL,
    dead     INTEGER NOT NULL,
    unusable_until INTEGER NOT NULL
) STRICT;
