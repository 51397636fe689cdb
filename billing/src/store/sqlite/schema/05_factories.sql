-- What a board that was offered a request carried before it was ever changed.
CREATE TABLE factories (
    board TEXT PRIMARY KEY,
    mac TEXT NOT NULL,
    serial_number TEXT
) WITHOUT ROWID;
-- What waits for an operator.
CREATE INDEX disputed_claims ON boards (board) WHERE conflict IS NOT NULL;
CREATE INDEX twins ON boards (twins_until_ms) WHERE twins_until_ms IS NOT NULL;
