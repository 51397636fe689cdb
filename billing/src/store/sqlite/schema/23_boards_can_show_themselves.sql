-- Since when boards can show themselves: the grace times begin then, whichever process leads.
ALTER TABLE service ADD COLUMN since_ms INTEGER NOT NULL DEFAULT 0;
