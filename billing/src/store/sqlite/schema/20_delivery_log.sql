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
