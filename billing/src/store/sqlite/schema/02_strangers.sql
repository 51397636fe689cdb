-- 1: no live intercom has or is promised the MAC address. How many of these there are is bounded.
ALTER TABLE boards ADD COLUMN stranger INTEGER NOT NULL DEFAULT 0;
CREATE INDEX boards_by_end_of_presence ON boards (present_until_ms);
CREATE INDEX strangers ON boards (stranger) WHERE stranger = 1;
CREATE INDEX pending_requests_of_an_intercom ON requests (intercom_id) WHERE state = 'pending';
CREATE INDEX offers_of_a_request ON offers (request_id);
