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
