//! The intercoms' `onvif_credentials`, encrypted. A trigger forgets them with the intercom.

use super::engine::params;
use super::statement::statements;
use super::{Result, Snapshot, Transaction};

statements! {
    KEEP = "
        INSERT INTO credentials (intercom_id, sealed) VALUES (?1, ?2)
        ON CONFLICT (intercom_id) DO UPDATE SET sealed = excluded.sealed";
    FORGET = "DELETE FROM credentials WHERE intercom_id = ?1";
    OF_AN_INTERCOM = "SELECT sealed FROM credentials WHERE intercom_id = ?1";
    ANY = "SELECT sealed FROM credentials ORDER BY intercom_id LIMIT 1";
    TAKE_OFF = "
        UPDATE credentials SET intercom_id = -intercom_id WHERE intercom_id IN (?1, ?2)";
    PUT_ON = "UPDATE credentials SET intercom_id = ?2 WHERE intercom_id = -CAST(?1 AS BIGINT)";
}

/// An intercom has these, in place of those before.
pub fn keep(transaction: &Transaction<'_>, intercom_id: i64, sealed: &[u8]) -> Result<()> {
    transaction.execute(KEEP, params![intercom_id, sealed])?;
    Ok(())
}

/// An intercom has none any more.
pub fn forget(transaction: &Transaction<'_>, intercom_id: i64) -> Result<()> {
    transaction.execute(FORGET, [intercom_id])?;
    Ok(())
}

/// Those of an intercom.
pub fn of(snapshot: &Snapshot<'_>, intercom_id: i64) -> Result<Option<Vec<u8>>> {
    snapshot.first(OF_AN_INTERCOM, [intercom_id], |row| row.get(0))
}

/// Those of any intercom, to see whether a key reads them.
pub fn any(snapshot: &Snapshot<'_>) -> Result<Option<Vec<u8>>> {
    snapshot.first(ANY, (), |row| row.get(0))
}

/// Two intercoms have exchanged their panels, and with them the credentials of those.
pub fn exchange(transaction: &Transaction<'_>, one: i64, other: i64) -> Result<()> {
    transaction.execute(TAKE_OFF, [one, other])?;
    transaction.execute(PUT_ON, [one, other])?;
    transaction.execute(PUT_ON, [other, one])?;
    Ok(())
}
