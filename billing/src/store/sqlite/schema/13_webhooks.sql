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
