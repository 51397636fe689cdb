-- A board is known by its name; its MAC address is a claim. In a file of an older version the boards
-- show themselves again, and the retained messages are worth nothing.
DROP TABLE boards;
CREATE TABLE boards (
    board TEXT PRIMARY KEY,
    mac TEXT,
    serial_number TEXT,
    nonce TEXT, -- of its presence on the broker
    conflict TEXT, -- why its claim is not believed
    changing INTEGER NOT NULL, -- 1: it is in the middle of a change
    twins_until_ms INTEGER, -- until then two boards count as having this name
    present_since_ms INTEGER NOT NULL,
    present_until_ms INTEGER NOT NULL,
    stranger INTEGER NOT NULL -- 1: it is no door's. How many of these there are is bounded.
);
CREATE INDEX boards_by_claim ON boards (mac);
CREATE INDEX boards_by_end_of_presence ON boards (present_until_ms);
CREATE INDEX strangers ON boards (stranger) WHERE stranger = 1;
-- Whose a MAC address is.
CREATE TABLE macs (
    mac TEXT PRIMARY KEY,
    board TEXT NOT NULL,
    of_a_door INTEGER NOT NULL, -- 1: the board is or was a door's
    poll_ms INTEGER, -- how often it has said that it polls
    seen_ms INTEGER NOT NULL,
    enrolled INTEGER NOT NULL DEFAULT 0 -- 1: an operator says so
);
CREATE INDEX macs_of_a_board ON macs (board);
CREATE INDEX macs_of_spares ON macs (of_a_door, seen_ms);
INSERT INTO macs (mac, board, of_a_door, seen_ms)
    SELECT confirmed_mac, board, 1, 0 FROM intercoms
    WHERE deleted_ms IS NULL AND board IS NOT NULL AND status <> 'empty';
DROP TABLE offers;
CREATE TABLE offers (
    request_id TEXT NOT NULL,
    board TEXT NOT NULL,
    offered_ms INTEGER NOT NULL,
    deferred_until_ms INTEGER NOT NULL,
    is_open INTEGER NOT NULL, -- 0: struck out, or the request has ended
    PRIMARY KEY (request_id, board)
) WITHOUT ROWID;
CREATE INDEX open_offers ON offers (request_id) WHERE is_open = 1;
-- An operator has said that the door's board gets it although a known spare has the MAC address.
ALTER TABLE requests ADD COLUMN for_the_door INTEGER NOT NULL DEFAULT 0;
-- Changes by hand that wait for an operator's yes.
CREATE TABLE by_hand (
    board TEXT PRIMARY KEY,
    mac TEXT NOT NULL,
    serial_number TEXT,
    model TEXT,
    previous_mac TEXT NOT NULL,
    arrived_ms INTEGER NOT NULL
);
CREATE INDEX by_hand_by_arrival ON by_hand (arrived_ms);
