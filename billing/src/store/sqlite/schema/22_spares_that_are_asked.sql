-- 1: the intercom was a spare's record before its pending request, and is one again if that request is taken
-- back or expires.
ALTER TABLE intercoms ADD COLUMN was_spare INTEGER NOT NULL DEFAULT 0;
