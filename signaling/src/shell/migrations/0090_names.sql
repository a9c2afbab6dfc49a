-- The look of a name that end users see, as that of an account: no two that a person takes for one another (T8).
ALTER TABLE operators ADD COLUMN shown_look BLOB;
CREATE UNIQUE INDEX operators_by_shown_look ON operators (shown_look);
-- For whom an invitation was made; those of before, and tokens of the server's own machine, are for whoever has them.
ALTER TABLE admin_tokens ADD COLUMN name_index BLOB;
