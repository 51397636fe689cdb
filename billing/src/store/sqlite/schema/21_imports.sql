-- Files with replacements. Their rows are checked before any is run.
CREATE TABLE imports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    made_ms INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    state TEXT NOT NULL, -- checking, checked, running, finished
    separator TEXT NOT NULL,
    has_byte_order_mark INTEGER NOT NULL,
    columns TEXT NOT NULL, -- JSON: their names
    rows INTEGER NOT NULL,
    wrong INTEGER NOT NULL, -- rows that the check has found something wrong with
    done INTEGER NOT NULL DEFAULT 0, -- rows that were run
    failed INTEGER NOT NULL DEFAULT 0, -- those of them that were refused
    run_ms INTEGER,
    run_actor TEXT, -- who has begun the run: the three as in the audit log
    run_by TEXT,
    run_call TEXT,
    finished_ms INTEGER
);
CREATE INDEX imports_by_time ON imports (made_ms);
CREATE INDEX running_imports ON imports (id) WHERE state = 'running';
CREATE TABLE import_rows (
    import_id INTEGER NOT NULL REFERENCES imports (id),
    line INTEGER NOT NULL,
    cells TEXT NOT NULL, -- JSON: as they were given
    plan TEXT, -- JSON: what the row does
    errors TEXT, -- JSON: why it cannot; either of the two
    result TEXT, -- NULL: it was not run
    request_id TEXT,
    error TEXT,
    PRIMARY KEY (import_id, line)
) WITHOUT ROWID;
CREATE INDEX import_rows_by_result ON import_rows (import_id, result);
CREATE INDEX wrong_import_rows ON import_rows (import_id, line)
    WHERE errors IS NOT NULL OR error IS NOT NULL;
