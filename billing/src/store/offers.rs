//! The retained messages on the broker that are ours.
//!
//! A topic is recorded before it is published, and removed after its clearing was acknowledged. So
//! no message stays on a broker for ever, wherever the service was interrupted.

use std::collections::BTreeSet;

use intercom_wire::RequestId;
use rusqlite::Result;

use super::column::parsed;
use super::statement::statements;
use super::{Snapshot, Transaction};

statements! {
    /// What a new connection to the broker begins with. UNION ALL, since to leave doubles out
    /// SQLite reads every request in the order of the IDs.
    EVERY_OPEN_REQUEST = "
        SELECT request_id FROM requests WHERE state = 'pending'
        UNION ALL SELECT request_id FROM offers";
    OF_A_REQUEST = "SELECT topic FROM offers WHERE request_id = ?1";
    INSERT = "INSERT OR IGNORE INTO offers (topic, request_id) VALUES (?1, ?2)";
    DELETE = "DELETE FROM offers WHERE topic = ?1";
    CLIENT_ID = "SELECT client_id FROM service";
}

/// Every request that is pending, or has a message on the broker.
pub fn every_open_request(snapshot: &Snapshot<'_>) -> Result<BTreeSet<RequestId>> {
    let all = snapshot.all(EVERY_OPEN_REQUEST, [], |row| parsed(row, "request_id"))?;
    Ok(all.into_iter().collect())
}

/// The topics that offer a request.
pub fn of_request(snapshot: &Snapshot<'_>, request_id: &RequestId) -> Result<BTreeSet<String>> {
    let topics = snapshot.all(OF_A_REQUEST, [request_id.as_str()], |row| row.get(0))?;
    Ok(topics.into_iter().collect())
}

/// Records a topic that is about to be published.
pub fn add(transaction: &Transaction<'_>, topic: &str, request_id: &RequestId) -> Result<()> {
    transaction.execute(INSERT, [topic, request_id.as_str()])?;
    Ok(())
}

/// Removes a topic that has been cleared.
pub fn remove(transaction: &Transaction<'_>, topic: &str) -> Result<()> {
    transaction.execute(DELETE, [topic])?;
    Ok(())
}

/// The client ID of this database at a broker: stable, and different from any other's.
pub fn client_id(snapshot: &Snapshot<'_>) -> Result<String> {
    snapshot.one(CLIENT_ID, [], |row| row.get(0))
}
