//! Groups (addresses).
//!
//! No documented call creates a group or a department. A group that a PATCH names for the first
//! time is created with its ID as its name; a department without a name is shown as its number.

use super::engine::params;
use super::statement::statements;
use super::{Result, Snapshot, Transaction};

/// Upper bound on the IDs that this service gives. Callers may name larger ones; SQLite's own
/// choice would then follow the largest, or be a random number of 19 digits.
const MAX_OWN_ID: i64 = 1 << 31;

statements! {
    EXISTS = "SELECT EXISTS (SELECT 1 FROM groups WHERE id = ?1)";
    BY_EXTERNAL_ID = "SELECT id FROM groups WHERE external_id = ?1";
    NEXT_ID = "SELECT coalesce(max(id), 0) + 1 FROM groups WHERE id < ?1";
    INSERT = "INSERT INTO groups (id, name, external_id) VALUES (?1, ?2, ?3)";
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
    let id = match id {
        Some(id) if exists(transaction, id)? => return Ok(Some(id)),
        Some(id) => id,
        None if external_id.is_none() || by_external_id.is_some() => return Ok(by_external_id),
        None => free_id(transaction)?,
    };
    // An external ID stays with the group that has it.
    let external_id = external_id.filter(|_| by_external_id.is_none());
    transaction.execute(INSERT, params![id, id.to_string(), external_id])?;
    Ok(Some(id))
}

/// The ID after the largest, or the nearest free one below the bound where a caller has named that.
fn free_id(snapshot: &Snapshot<'_>) -> Result<i64> {
    let mut id = snapshot.one(NEXT_ID, [MAX_OWN_ID], |row| row.get(0))?;
    while id >= MAX_OWN_ID || exists(snapshot, id)? {
        id -= 1;
    }
    Ok(id)
}

fn exists(snapshot: &Snapshot<'_>, id: i64) -> Result<bool> {
    snapshot.one(EXISTS, [id], |row| row.get(0))
}
