-- Who is signed in on the page. The secret itself is in a cookie and nowhere else.
CREATE TABLE sessions (
    digest BLOB PRIMARY KEY, -- SHA-256
    token INTEGER NOT NULL REFERENCES tokens (number),
    ends_ms INTEGER NOT NULL
);
CREATE INDEX sessions_of_a_token ON sessions (token, ends_ms);
CREATE INDEX sessions_by_end ON sessions (ends_ms);
