//! Groups (addresses).
//!
//! No documented call creates a group or a department. A group that a PATCH names for the first
//! time is created with its ID as its name; a department without a name is shown as its number.

use rusqlite::{Result, params};

use super::Transaction;
use super::statement::statements;

/// Upper bound on the IDs that this service gives. Callers may name larger ones; SQLite's own
/// choice would then follow the largest, or be a random number of 19 digits.
const MAX_OWN_ID: i64 = 1 << 31;

statements! {
    EXISTS = "SELECT EXISTS (SELECT 1 FROM groups WHERE id = ?1)";
    BY_EXTERNAL_ID = "SELECT id FROM groups WHERE external_id = ?1";
    NEXT_ID = "SELECT coalesce(max(id), 0) + 1 FROM groups WHERE id < ?1";
    INSERT = "INSERT INTO groups (id, name, external_id) VALUES (?1, ?1, ?2)";
}

/// The group's ID, made if it is not known yet; the ID counts if both are given.
pub fn find_or_make(
    transaction: &Transaction<'_>,
    id: Option<i64>,
    external_id: Option<&str>,
) -> Result<Option<i64>> {
    let by_external_id = match external_id {
        Some(external_id) => transaction.first(BY_EXTERNAL_ID, [external_id], |row| row.get(0))?,
        None => None,
    };
    let id = match (id, external_id) {
        (Some(id), _) if transaction.one(EXISTS, [id], |row| row.get(0))? => return Ok(Some(id)),
        (Some(id), _) => id,
        (None, None) => return Ok(None),
        (None, Some(_)) if by_external_id.is_some() => return Ok(by_external_id),
        (None, Some(_)) => transaction.one(NEXT_ID, [MAX_OWN_ID], |row| row.get(0))?,
    };
    // An external ID stays with the group that has it.
    let external_id = external_id.filter(|_| by_external_id.is_none());
    transaction.execute(INSERT, params![id, external_id])?;
    Ok(Some(id))
}
