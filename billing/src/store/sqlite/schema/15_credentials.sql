-- What cameras' software logs in with, encrypted. Forgotten with the intercom.
CREATE TABLE credentials (intercom_id INTEGER PRIMARY KEY, sealed BLOB NOT NULL);
CREATE TRIGGER forget_credentials AFTER UPDATE OF deleted_ms ON intercoms
    WHEN NEW.deleted_ms IS NOT NULL
    BEGIN DELETE FROM credentials WHERE intercom_id = NEW.id; END;
