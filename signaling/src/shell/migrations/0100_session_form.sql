-- 1: as it was when rows had no number.
ALTER TABLE sessions ADD COLUMN form INTEGER NOT NULL DEFAULT 1;
