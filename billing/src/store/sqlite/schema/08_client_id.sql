-- Every request names the issuer, so it cannot be the client ID: whoever knows that can take the session
-- over on a broker that does not bind client IDs to users.
ALTER TABLE service RENAME COLUMN client_id TO issuer;
ALTER TABLE service ADD COLUMN client_id TEXT NOT NULL DEFAULT '';
UPDATE service SET client_id = 'intercom-billing-' || lower(hex(randomblob(16)));
