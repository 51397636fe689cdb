-- For how many days ended requests are kept.
ALTER TABLE service ADD COLUMN ended_requests_days INTEGER NOT NULL DEFAULT 90;
CREATE INDEX requests_by_end ON requests (ended_ms, number)
    WHERE state NOT IN ('pending', 'installed');
