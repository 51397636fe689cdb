-- When it was last asked whether it is still there.
ALTER TABLE boards ADD COLUMN asked_ms INTEGER NOT NULL DEFAULT 0;
