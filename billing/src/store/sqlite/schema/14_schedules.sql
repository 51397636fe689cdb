-- When a request may be offered.
ALTER TABLE requests ADD COLUMN not_before_ms INTEGER;
ALTER TABLE requests ADD COLUMN expires_ms INTEGER;
CREATE TABLE quiet_hours (
    group_id INTEGER PRIMARY KEY REFERENCES groups (id),
    time_zone TEXT NOT NULL,
    begins TEXT NOT NULL, -- HH:MM
    ends TEXT NOT NULL
);
CREATE INDEX pending_intercoms_of_a_group ON intercoms (group_id)
    WHERE deleted_ms IS NULL AND status = 'pending';
-- Why a board has put its decision off.
ALTER TABLE offers ADD COLUMN deferred_reason TEXT;
