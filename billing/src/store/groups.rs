//! Groups (addresses) and departments.
//!
//! No documented call makes them, so a group that a PATCH names is made on the spot, under its ID
//! as its name; a department without a name is shown as its number.

use rusqlite::{Connection, OptionalExtension, Result, params};

/// IDs that this service gives stay below it, whatever IDs callers name.
const LARGEST_OF_OURS: i64 = 1 << 31;

/// The group's ID, made if it is not known yet; the ID counts if both are given.
pub fn find_or_make(
    connection: &Connection,
    id: Option<i64>,
    external_id: Option<&str>,
) -> Result<Option<i64>> {
    if let Some(id) = id {
        connection.execute(
            "INSERT INTO groups (id, name, external_id)
             SELECT ?1, ?1, CASE WHEN EXISTS (SELECT 1 FROM groups WHERE external_id = ?2)
                            THEN NULL ELSE ?2 END
             WHERE NOT EXISTS (SELECT 1 FROM groups WHERE id = ?1)",
            params![id, external_id],
        )?;
        return Ok(Some(id));
    }
    let Some(external_id) = external_id else {
        return Ok(None);
    };
    let known = connection
        .query_row("SELECT id FROM groups WHERE external_id = ?1", [external_id], |row| row.get(0))
        .optional()?;
    if known.is_some() {
        return Ok(known);
    }
    // Not SQLite's own choice, which is a random number of 19 digits once somebody has named the
    // largest one.
    let id: i64 = connection.query_row(
        "SELECT coalesce(max(id), 0) + 1 FROM groups WHERE id < ?1",
        [LARGEST_OF_OURS],
        |row| row.get(0),
    )?;
    connection.execute(
        "INSERT INTO groups (id, name, external_id) VALUES (?1, ?1, ?2)",
        params![id, external_id],
    )?;
    Ok(Some(id))
}
