//! The tables and their indices, and how an older file gets them.

use std::time::Duration;

use rusqlite::Connection;

use super::OpenError;

/// More than there are, so that each is prepared once for each connection.
const CACHED_STATEMENTS: usize = 300;

/// Each brings a file from the version of its place in the list to the next one. Files of every
/// version exist, so what stands here never changes; a change is one more at the end.
const MIGRATIONS: [&str; 20] = [
    VERSION_1, VERSION_2, VERSION_3, VERSION_4, VERSION_5, VERSION_6, VERSION_7, VERSION_8,
    VERSION_9, VERSION_10, VERSION_11, VERSION_12, VERSION_13, VERSION_14, VERSION_15, VERSION_16,
    VERSION_17, VERSION_18, VERSION_19, VERSION_20,
];

/// Times are Unix times in milliseconds; MAC addresses are upper case with colons.
const VERSION_1: &str = "
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
";

const VERSION_2: &str = "
-- 1: no live intercom has or is promised the MAC address. How many of these there are is bounded.
ALTER TABLE boards ADD COLUMN stranger INTEGER NOT NULL DEFAULT 0;
CREATE INDEX boards_by_end_of_presence ON boards (present_until_ms);
CREATE INDEX strangers ON boards (stranger) WHERE stranger = 1;
CREATE INDEX pending_requests_of_an_intercom ON requests (intercom_id) WHERE state = 'pending';
CREATE INDEX offers_of_a_request ON offers (request_id);
";

const VERSION_3: &str = "
-- Who may call. The secret itself is nowhere, and a revoked token stays.
CREATE TABLE tokens (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE, -- SHA-256
    role TEXT NOT NULL,
    board TEXT, -- of a panel's token
    name TEXT,
    made_ms INTEGER NOT NULL,
    revoked_ms INTEGER
);
CREATE INDEX live_tokens_of_a_board ON tokens (board) WHERE revoked_ms IS NULL;
";

const VERSION_4: &str = "
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
";

const VERSION_5: &str = "
-- What a board that was offered a request carried before it was ever changed.
CREATE TABLE factories (
    board TEXT PRIMARY KEY,
    mac TEXT NOT NULL,
    serial_number TEXT
) WITHOUT ROWID;
-- What waits for an operator.
CREATE INDEX disputed_claims ON boards (board) WHERE conflict IS NOT NULL;
CREATE INDEX twins ON boards (twins_until_ms) WHERE twins_until_ms IS NOT NULL;
";

const VERSION_6: &str = "
-- Whether a report was read before.
CREATE INDEX reports_of_a_request ON reports (request_id);
";

const VERSION_7: &str = "
-- When it was last asked whether it is still there.
ALTER TABLE boards ADD COLUMN asked_ms INTEGER NOT NULL DEFAULT 0;
";

const VERSION_8: &str = "
-- Every request names the issuer, so it cannot be the client ID: whoever knows that can take the session
-- over on a broker that does not bind client IDs to users.
ALTER TABLE service RENAME COLUMN client_id TO issuer;
ALTER TABLE service ADD COLUMN client_id TEXT NOT NULL DEFAULT '';
UPDATE service SET client_id = 'intercom-billing-' || lower(hex(randomblob(16)));
";

const VERSION_9: &str = "
-- A connection to the built-in broker depends on its token, not on any one of its board.
DROP INDEX live_tokens_of_a_board;
";

const VERSION_10: &str = "
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
";

const VERSION_11: &str = "
-- The two requests of a swap: with which intercom each one exchanges the panel, and which board has
-- said that it carries what is asked for. Both end together.
CREATE TABLE swaps (
    request_id TEXT PRIMARY KEY REFERENCES requests (request_id) ON DELETE CASCADE,
    with_intercom INTEGER NOT NULL,
    confirmed_by TEXT
) WITHOUT ROWID;
";

const VERSION_12: &str = "
-- Who is signed in on the page. The secret itself is in a cookie and nowhere else.
CREATE TABLE sessions (
    digest BLOB PRIMARY KEY, -- SHA-256
    token INTEGER NOT NULL REFERENCES tokens (number),
    ends_ms INTEGER NOT NULL
);
CREATE INDEX sessions_of_a_token ON sessions (token, ends_ms);
CREATE INDEX sessions_by_end ON sessions (ends_ms);
";

const VERSION_13: &str = "
-- Who is told what happens.
CREATE TABLE webhooks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    url TEXT NOT NULL,
    secret BLOB NOT NULL, -- what its deliveries are signed with
    offline_after_ms INTEGER NOT NULL, -- how long a door's panel is away before it is an event
    offline_told_ms INTEGER NOT NULL, -- the panels that went before this time were told
    made_ms INTEGER NOT NULL,
    waiting INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0,
    lost INTEGER NOT NULL DEFAULT 0, -- more waited than are kept
    failures INTEGER NOT NULL DEFAULT 0, -- since it was last reached
    rests_until_ms INTEGER NOT NULL DEFAULT 0,
    trouble TEXT -- why the last attempt failed
);
-- What is still to be delivered. Those of one door go in their order.
CREATE TABLE deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook INTEGER NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    door INTEGER NOT NULL, -- the intercom; 0: of none
    body TEXT NOT NULL,
    refusals INTEGER NOT NULL DEFAULT 0,
    due_ms INTEGER NOT NULL,
    is_first INTEGER NOT NULL -- 1: no earlier one of the same door waits
);
CREATE INDEX deliveries_of_a_door ON deliveries (webhook, door, number);
CREATE INDEX due_deliveries ON deliveries (webhook, due_ms, number) WHERE is_first = 1;
-- Whose panel was replaced.
CREATE INDEX replaced_macs ON requests (from_mac) WHERE state = 'installed';
";

const VERSION_14: &str = "
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
";

const VERSION_15: &str = "
-- What cameras' software logs in with, encrypted. Forgotten with the intercom.
CREATE TABLE credentials (intercom_id INTEGER PRIMARY KEY, sealed BLOB NOT NULL);
CREATE TRIGGER forget_credentials AFTER UPDATE OF deleted_ms ON intercoms
    WHEN NEW.deleted_ms IS NOT NULL
    BEGIN DELETE FROM credentials WHERE intercom_id = NEW.id; END;
";

const VERSION_16: &str = "
-- For how many days ended requests are kept.
ALTER TABLE service ADD COLUMN ended_requests_days INTEGER NOT NULL DEFAULT 90;
CREATE INDEX requests_by_end ON requests (ended_ms, number)
    WHERE state NOT IN ('pending', 'installed');
";

const VERSION_17: &str = "
-- A word that most titles have is found as fast as a rare one only by a beginning that is indexed.
DROP TABLE titles;
CREATE VIRTUAL TABLE titles USING fts5 (
    title, content = '', contentless_delete = 1,
    prefix = '1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16'
);
INSERT INTO titles (rowid, title)
    SELECT id, title FROM intercoms WHERE deleted_ms IS NULL AND title IS NOT NULL;
";

const VERSION_18: &str = "
-- Who has changed what. It has no secret.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL, -- its short name: token 3, anybody, command line, service
    who TEXT NOT NULL, -- with the role and the name of the token
    call TEXT, -- the ID of the HTTP call
    action TEXT NOT NULL,
    intercom_id INTEGER,
    request_id TEXT,
    board TEXT,
    token INTEGER, -- that was made or revoked
    detail TEXT
);
CREATE INDEX audit_by_time ON audit (at_ms);
CREATE INDEX audit_by_actor ON audit (actor);
CREATE INDEX audit_by_action ON audit (action);
CREATE INDEX audit_of_an_intercom ON audit (intercom_id) WHERE intercom_id IS NOT NULL;
";

const VERSION_19: &str = "
-- A door that had a thousand panels answers as fast as one that had none.
CREATE INDEX requests_of_an_intercom_for_a_mac ON requests (intercom_id, to_mac);
CREATE INDEX requests_of_an_intercom_by_time ON requests (intercom_id, asked_ms);
CREATE INDEX installed_of_an_intercom ON requests (intercom_id, seq) WHERE state = 'installed';
";

const VERSION_20: &str = "
-- What the webhooks were told or are to be told. An entry outlives its delivery and its webhook.
CREATE TABLE delivery_log (
    number INTEGER PRIMARY KEY, -- of the delivery
    webhook INTEGER NOT NULL,
    intercom_id INTEGER,
    event TEXT NOT NULL, -- its type
    at_ms INTEGER NOT NULL, -- when it happened
    attempts INTEGER NOT NULL DEFAULT 0,
    attempted_ms INTEGER, -- the last attempt, and what it has come to
    status INTEGER,
    trouble TEXT,
    delivered_ms INTEGER
);
CREATE INDEX delivery_log_of_a_webhook ON delivery_log (webhook, number);
CREATE INDEX delivery_log_by_time ON delivery_log (at_ms);
INSERT INTO delivery_log (number, webhook, intercom_id, event, at_ms, attempts)
    SELECT number, webhook, nullif(door, 0), body ->> '$.type',
        strftime('%s', body ->> '$.timestamp') * 1000, refusals
    FROM deliveries;
";

/// Brings the tables to this version and sets the connection up: a commit that returned survives a
/// power cut.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), OpenError> {
    set_up(connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    migrate(connection, &MIGRATIONS)
}

/// Whether a database has this service's tables, of this version or an older one.
pub(super) fn is_ours(connection: &Connection) -> rusqlite::Result<bool> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let is_known = usize::try_from(version).is_ok_and(|version| version <= MIGRATIONS.len());
    Ok(version > 0 && is_known && connection.table_exists(None, "service")?)
}

/// What every connection needs.
pub(super) fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    connection.busy_timeout(Duration::from_secs(5))
}

fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<(), OpenError> {
    let transaction = connection.transaction()?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let missing = usize::try_from(version).ok().and_then(|done| migrations.get(done..));
    for (next, migration) in (version + 1..).zip(missing.ok_or(OpenError::Newer(version))?) {
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", next)?;
    }
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(connection: &Connection) -> Vec<(String, Option<String>)> {
        connection
            .prepare("SELECT name, sql FROM sqlite_schema ORDER BY name")
            .and_then(|mut all| all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .expect("the schema")
    }

    #[test]
    fn a_file_of_any_older_version_gets_the_tables_of_a_new_one() {
        let mut new = Connection::open_in_memory().expect("a database");
        prepare(&mut new).expect("the tables");
        for version in 1..MIGRATIONS.len() {
            let mut old = Connection::open_in_memory().expect("a database");
            migrate(&mut old, &MIGRATIONS[..version]).expect("the tables of that time");
            prepare(&mut old).expect("the tables of today");
            assert_eq!(objects(&old), objects(&new), "from version {version}");
        }
    }

    #[test]
    fn what_an_older_file_tells_of_the_hardware_of_a_door_is_taken_over() {
        let mut file = Connection::open_in_memory().expect("a database");
        migrate(&mut file, &MIGRATIONS[..9]).expect("the tables of that time");
        file.execute_batch(
            "INSERT INTO intercoms (id, title, confirmed_mac, desired_mac, status, source, seq)
                 VALUES (1, 'North gate', 'C', 'C', 'installed', 'auto', 1);
             INSERT INTO requests (request_id, intercom_id, seq, from_mac, to_mac, state, asked_ms,
                 ended_ms)
                 VALUES ('b', 1, 1, 'A', 'B', 'installed', 1, 2),
                     ('x', 1, 2, 'B', 'X', 'failed', 3, 4),
                     ('c', 1, 3, 'B', 'C', 'installed', 5, 6);",
        )
        .expect("rows");
        prepare(&mut file).expect("the tables of today");
        let read = |sql| file.query_row(sql, [], |row| row.get::<_, String>(0)).expect("a row");
        let hardware = "SELECT json_group_array(json_array(mac, since_ms, until_ms, request_id))
             FROM (SELECT * FROM hardware ORDER BY number)";
        let expected = r#"[["A",null,2,null],["B",2,6,"b"],["C",6,null,"c"]]"#;
        assert_eq!(read(hardware), expected);
        assert_eq!(read("SELECT group_concat(rowid) FROM titles WHERE titles MATCH 'nor*'"), "1");
    }

    #[test]
    fn what_waits_in_an_older_file_is_in_the_log_of_deliveries() {
        let mut file = Connection::open_in_memory().expect("a database");
        migrate(&mut file, &MIGRATIONS[..18]).expect("the tables of that time");
        file.execute_batch(
            r#"INSERT INTO webhooks (id, url, secret, offline_after_ms, offline_told_ms, made_ms)
                 VALUES (1, 'http://crm.example/', x'', 0, 0, 0);
             INSERT INTO deliveries (number, webhook, door, body, refusals, due_ms, is_first)
                 VALUES (7, 1, 0, '{"type":"conflict","timestamp":"2027-01-15T08:00:00Z"}', 2, 9, 1)"#,
        )
        .expect("rows");
        prepare(&mut file).expect("the tables of today");
        let row = "SELECT json_array(number, webhook, intercom_id, event, at_ms, attempts)
             FROM delivery_log";
        let row = file.query_row(row, [], |row| row.get::<_, String>(0)).expect("a row");
        assert_eq!(row, r#"[7,1,null,"conflict",1800000000000,2]"#);
    }
}
