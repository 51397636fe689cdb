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
