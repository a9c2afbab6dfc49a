-- Until when any certificate of a device counts with agents, the newest or one before it that was made for longer.
ALTER TABLE devices ADD COLUMN certified_until INTEGER NOT NULL DEFAULT 0;
UPDATE devices SET certified_until = COALESCE(not_after, 0);
