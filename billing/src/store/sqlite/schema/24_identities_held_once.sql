-- Two live intercoms never have the same serial number, nor ask for the same identity; a desired one may be a spare's.
-- That one's desired identity is not another's confirmed one is beyond an index: the store asks before it writes.
--
-- 1: another intercom had its serial number or desired identity already when these indices were made. Nothing is taken
-- from a door for that: it stays outside of them.
ALTER TABLE intercoms ADD COLUMN shares_identity INTEGER NOT NULL DEFAULT 0;
UPDATE intercoms SET shares_identity = 1
WHERE deleted_ms IS NULL
  AND (EXISTS (SELECT 1 FROM intercoms other WHERE other.deleted_ms IS NULL AND other.id < intercoms.id
          AND other.confirmed_serial_number = intercoms.confirmed_serial_number)
      OR EXISTS (SELECT 1 FROM intercoms other WHERE other.deleted_ms IS NULL AND other.id < intercoms.id
          AND other.desired_mac = intercoms.desired_mac AND 'empty' NOT IN (other.status, intercoms.status))
      OR EXISTS (SELECT 1 FROM intercoms other WHERE other.deleted_ms IS NULL AND other.id < intercoms.id
          AND other.desired_serial_number = intercoms.desired_serial_number
          AND 'empty' NOT IN (other.status, intercoms.status)));
CREATE UNIQUE INDEX held_serial_number ON intercoms (confirmed_serial_number)
    WHERE deleted_ms IS NULL AND shares_identity = 0;
CREATE UNIQUE INDEX held_desired_mac ON intercoms (desired_mac)
    WHERE deleted_ms IS NULL AND shares_identity = 0 AND status <> 'empty';
CREATE UNIQUE INDEX held_desired_serial_number ON intercoms (desired_serial_number)
    WHERE deleted_ms IS NULL AND shares_identity = 0 AND status <> 'empty';
