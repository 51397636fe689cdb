CREATE TABLE groups (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    external_id TEXT UNIQUE
);
CREATE TABLE departments (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL
);
INSERT INTO departments VALUES (1, 'main');
CREATE TABLE intercoms (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    external_id TEXT,
    vendor TEXT,
    department INTEGER,
    title TEXT,
    confirmed_mac TEXT NOT NULL,
    confirmed_serial_number TEXT,
    confirmed_model TEXT,
    desired_mac TEXT NOT NULL,
    desired_serial_number TEXT,
    desired_model TEXT,
    status TEXT NOT NULL,
    source TEXT NOT NULL,
    flat_from INTEGER,
    flat_to INTEGER,
    group_id INTEGER REFERENCES groups (id),
    board TEXT, -- the last one that was seen with the confirmed MAC address
    seq INTEGER NOT NULL,
    deleted_ms INTEGER
);
-- Two live intercoms never share a MAC address, except that a desired one may be a spare's own.
CREATE UNIQUE INDEX live_confirmed_mac ON intercoms (confirmed_mac) WHERE deleted_ms IS NULL;
CREATE UNIQUE INDEX live_external_id ON intercoms (external_id) WHERE deleted_ms IS NULL;
CREATE INDEX live_desired_mac ON intercoms (desired_mac) WHERE deleted_ms IS NULL;
CREATE INDEX live_confirmed_serial_number ON intercoms (confirmed_serial_number)
    WHERE deleted_ms IS NULL;
CREATE INDEX live_desired_serial_number ON intercoms (desired_serial_number)
    WHERE deleted_ms IS NULL;
CREATE INDEX live_board ON intercoms (board) WHERE deleted_ms IS NULL;
CREATE TABLE requests (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL UNIQUE,
    intercom_id INTEGER NOT NULL REFERENCES intercoms (id),
    seq INTEGER NOT NULL,
    named_id INTEGER,
    named_mac TEXT,
    new_mac TEXT,
    new_serial_number TEXT,
    log_extra TEXT,
    from_mac TEXT NOT NULL,
    from_serial_number TEXT,
    from_model TEXT,
    to_mac TEXT NOT NULL,
    to_serial_number TEXT,
    to_model TEXT,
    state TEXT NOT NULL,
    reason TEXT,
    board TEXT,
    asked_ms INTEGER NOT NULL,
    ended_ms INTEGER
);
CREATE INDEX requests_of_an_intercom ON requests (intercom_id);
CREATE INDEX pending_requests ON requests (new_mac) WHERE state = 'pending';
-- What is known of the boards that spoke, over any route. A board has one MAC address at a time.
CREATE TABLE boards (
    mac TEXT PRIMARY KEY,
    board TEXT,
    present_until_ms INTEGER NOT NULL
);
CREATE INDEX boards_by_name ON boards (board);
-- Every report that arrived, and what came of it.
CREATE TABLE reports (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT,
    board TEXT,
    mac TEXT,
    status TEXT NOT NULL,
    reason TEXT,
    effect TEXT NOT NULL,
    arrived_ms INTEGER NOT NULL
);
-- The retained messages on the broker that are ours: what must be cleared one day.
CREATE TABLE offers (
    topic TEXT PRIMARY KEY,
    request_id TEXT NOT NULL
);
-- One row: what this database is called towards a broker.
CREATE TABLE service (client_id TEXT NOT NULL);
INSERT INTO service VALUES ('intercom-billing-' || lower(hex(randomblob(6))));
