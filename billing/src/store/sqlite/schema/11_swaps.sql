-- The two requests of a swap: with which intercom each one exchanges the panel, and which board has
-- said that it carries what is asked for. Both end together.
CREATE TABLE swaps (
    request_id TEXT PRIMARY KEY REFERENCES requests (request_id) ON DELETE CASCADE,
    with_intercom INTEGER NOT NULL,
    confirmed_by TEXT
) WITHOUT ROWID;
