-- Who asked for it, and why it was made.
ALTER TABLE requests ADD COLUMN asked_by TEXT;
ALTER TABLE requests ADD COLUMN cause TEXT NOT NULL DEFAULT 'asked';
CREATE INDEX pending_requests_in_order ON requests (number) WHERE state = 'pending';
-- Without the pending ones, which have better indices.
CREATE INDEX ended_requests ON requests (state) WHERE state <> 'pending';
CREATE INDEX requests_by_time ON requests (asked_ms);
CREATE INDEX offers_to_a_board ON offers (board);
-- Which hardware an intercom has and had.
CREATE TABLE hardware (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    intercom_id INTEGER NOT NULL REFERENCES intercoms (id),
    mac TEXT NOT NULL,
    serial_number TEXT,
    model TEXT,
    board TEXT,
    since_ms INTEGER, -- NULL: not known
    until_ms INTEGER, -- NULL: it is in place
    request_id TEXT -- the request that put it in place, if one did
);
INSERT INTO hardware
    (intercom_id, mac, serial_number, model, since_ms, until_ms, request_id)
    SELECT intercom_id, from_mac, from_serial_number, from_model, lag(ended_ms) OVER earlier,
        ended_ms, CASE WHEN lag(to_mac) OVER earlier = from_mac
            THEN lag(request_id) OVER earlier END
    FROM requests
    WHERE state = 'installed'
        AND (from_mac <> to_mac OR from_serial_number IS NOT to_serial_number)
    WINDOW earlier AS (PARTITION BY intercom_id ORDER BY ended_ms, number);
INSERT INTO hardware
    (intercom_id, mac, serial_number, model, board, since_ms, until_ms, request_id)
    SELECT id, confirmed_mac, confirmed_serial_number, confirmed_model, board,
        (SELECT max(ended_ms) FROM requests WHERE intercom_id = i.id AND state = 'installed'),
        deleted_ms,
        (SELECT request_id FROM requests WHERE intercom_id = i.id AND state = 'installed'
            AND to_mac = confirmed_mac ORDER BY ended_ms DESC LIMIT 1)
    FROM intercoms i;
CREATE UNIQUE INDEX hardware_in_place ON hardware (intercom_id) WHERE until_ms IS NULL;
CREATE INDEX hardware_of_an_intercom ON hardware (intercom_id);
CREATE INDEX hardware_by_mac ON hardware (mac, intercom_id);
CREATE INDEX hardware_by_serial_number ON hardware (serial_number, intercom_id)
    WHERE serial_number IS NOT NULL;
CREATE INDEX live_intercoms ON intercoms (id) WHERE deleted_ms IS NULL;
CREATE INDEX live_status ON intercoms (status) WHERE deleted_ms IS NULL;
-- The words in the titles of the live intercoms. Only SQLite itself writes it.
CREATE VIRTUAL TABLE titles USING fts5 (
    title, content = '', contentless_delete = 1, prefix = '1 2 3 4 5 6'
);
CREATE TRIGGER titles_of_new_intercoms AFTER INSERT ON intercoms
WHEN new.title IS NOT NULL
BEGIN
    INSERT INTO titles (rowid, title) VALUES (new.id, new.title);
END;
CREATE TRIGGER titles_of_intercoms AFTER UPDATE OF title, deleted_ms ON intercoms
WHEN old.title IS NOT new.title OR old.deleted_ms IS NOT new.deleted_ms
BEGIN
    DELETE FROM titles WHERE rowid = old.id;
    INSERT INTO titles (rowid, title)
        SELECT new.id, new.title WHERE new.title IS NOT NULL AND new.deleted_ms IS NULL;
END;
INSERT INTO titles (rowid, title)
    SELECT id, title FROM intercoms WHERE deleted_ms IS NULL AND title IS NOT NULL;
