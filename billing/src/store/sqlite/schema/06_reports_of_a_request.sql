-- Whether a report was read before.
CREATE INDEX reports_of_a_request ON reports (request_id);
