-- From where and when an administrator may sign in; sealed, as an operator's.
ALTER TABLE admins ADD COLUMN limits BLOB;
