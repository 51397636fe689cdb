-- A door that had a thousand panels answers as fast as one that had none.
CREATE INDEX requests_of_an_intercom_for_a_mac ON requests (intercom_id, to_mac);
CREATE INDEX requests_of_an_intercom_by_time ON requests (intercom_id, asked_ms);
CREATE INDEX installed_of_an_intercom ON requests (intercom_id, seq) WHERE state = 'installed';
