-- One row a sign-in, found by what only who signed in has. Those of before were an account's; they are over.
DROP TABLE admin_sessions;
CREATE TABLE admin_sessions (
    hash BLOB PRIMARY KEY,
    admin INTEGER NOT NULL,
    began INTEGER NOT NULL,
    used INTEGER NOT NULL,
    confirmed INTEGER NOT NULL
) STRICT;
