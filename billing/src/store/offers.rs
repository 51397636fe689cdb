//! The retained messages on the broker that are ours.
//!
//! A topic is written down before it is published and struck out after its clearing was
//! acknowledged, so that whatever was cut off in between, nothing stays on a broker for ever.

use std::collections::BTreeMap;

use intercom_wire::RequestId;
use rusqlite::{Connection, Result};

/// All of them, each with its request.
pub fn all(connection: &Connection) -> Result<BTreeMap<String, String>> {
    connection
        .prepare_cached("SELECT topic, request_id FROM offers")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// A topic is about to be published.
pub fn add(connection: &Connection, topic: &str, request_id: &RequestId) -> Result<()> {
    connection.execute(
        "INSERT OR IGNORE INTO offers (topic, request_id) VALUES (?1, ?2)",
        [topic, request_id.as_str()],
    )?;
    Ok(())
}

/// A topic has been cleared.
pub fn remove(connection: &Connection, topic: &str) -> Result<()> {
    connection.execute("DELETE FROM offers WHERE topic = ?1", [topic])?;
    Ok(())
}

/// What this database is called towards a broker: stable, and unlike any other's.
pub fn client_id(connection: &Connection) -> Result<String> {
    connection.query_row("SELECT client_id FROM service", [], |row| row.get(0))
}
