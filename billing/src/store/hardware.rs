//! Which hardware an intercom has and had: one row for each identity on one board, from when to when.

use intercom_wire::RequestId;
use rusqlite::{Result, params};

use super::Transaction;
use super::statement::statements;

statements! {
    /// Another board with the same identity counts too. Its name follows in the transaction that has
    /// set the identity, and is then no other hardware.
    LEAVES = "
        UPDATE hardware SET until_ms = ?2
        WHERE intercom_id = ?1 AND until_ms IS NULL AND EXISTS (
            SELECT 1 FROM intercoms i WHERE i.id = ?1
                AND (i.confirmed_mac <> hardware.mac
                    OR i.confirmed_serial_number IS NOT hardware.serial_number
                    OR (i.board <> hardware.board AND hardware.since_ms IS NOT ?2)))";
    COMES = "
        INSERT INTO hardware (intercom_id, mac, serial_number, model, board, since_ms)
        SELECT id, confirmed_mac, confirmed_serial_number, confirmed_model, board, ?2
        FROM intercoms WHERE id = ?1 AND NOT EXISTS (
            SELECT 1 FROM hardware WHERE intercom_id = ?1 AND until_ms IS NULL)";
    IS_KNOWN_AS = "
        UPDATE hardware SET model = i.confirmed_model, board = coalesce(i.board, hardware.board)
        FROM intercoms i
        WHERE hardware.intercom_id = ?1 AND hardware.until_ms IS NULL AND i.id = ?1
            AND (i.confirmed_model IS NOT hardware.model OR i.board <> hardware.board
                OR (i.board IS NOT NULL AND hardware.board IS NULL))";
    PUT_IN_PLACE = "
        UPDATE hardware SET request_id = ?2
        WHERE intercom_id = ?1 AND until_ms IS NULL AND since_ms = ?3";
    IS_GONE = "UPDATE hardware SET until_ms = ?2 WHERE intercom_id = ?1 AND until_ms IS NULL";
}

/// Follows what an intercom's record confirms now.
pub(super) fn follow(transaction: &Transaction<'_>, intercom_id: i64) -> Result<()> {
    let now_ms = transaction.now_ms();
    transaction.execute(LEAVES, [intercom_id, now_ms])?;
    if transaction.execute(COMES, [intercom_id, now_ms])? == 0 {
        transaction.execute(IS_KNOWN_AS, [intercom_id])?;
    }
    Ok(())
}

/// This request has put in place what the record confirms since now.
pub fn put_in_place(
    transaction: &Transaction<'_>,
    intercom_id: i64,
    request_id: &RequestId,
) -> Result<()> {
    let now_ms = transaction.now_ms();
    transaction.execute(PUT_IN_PLACE, params![intercom_id, request_id.as_str(), now_ms])?;
    Ok(())
}

/// The intercom was deleted, and its hardware has no place any more.
pub(super) fn is_gone(transaction: &Transaction<'_>, intercom_id: i64, now_ms: i64) -> Result<()> {
    transaction.execute(IS_GONE, [intercom_id, now_ms])?;
    Ok(())
}
