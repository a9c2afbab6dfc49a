-- Tries while an account was suspended. It is there to be written: a try that changes nothing is answered sooner.
ALTER TABLE failures ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;
