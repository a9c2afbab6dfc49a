-- An open invitation says for whom it is and who made it. Those of before cannot, and are open for a day at most:
-- whoever holds one asks for another.
ALTER TABLE admin_tokens ADD COLUMN name BLOB;
ALTER TABLE admin_tokens ADD COLUMN by_admin INTEGER;
DELETE FROM admin_tokens WHERE kind = 'invited';
