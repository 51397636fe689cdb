//! What is to be told to the webhooks, in the order in which it happened at each door.

use intercom_wire::RequestId;

use super::column::{parsed, parsed_or_null};
use super::engine::params;
use super::statement::statements;
use super::{Result, Snapshot, Transaction, delivery_log};
use crate::event::{Event, RequestEvent, What};
use crate::schedule::rfc_3339;

/// Upper bound on what waits for one webhook. Whoever was away for longer has to read the lists; what
/// is lost is counted.
const MOST_WAITING: i64 = 100_000;

/// A delivery that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Its number, the same at each attempt.
    pub number: i64,
    /// What is sent.
    pub body: String,
    /// How often it was refused.
    pub refusals: u32,
    /// Since when it is due, Unix time in milliseconds.
    pub due_ms: i64,
}

statements! {
    EVERY_WEBHOOK = "SELECT id FROM webhooks";
    REQUEST = "
        SELECT intercom_id, state, reason, board, from_mac, to_mac, to_serial_number
        FROM requests WHERE request_id = ?1";
    WAITING = "SELECT waiting FROM webhooks WHERE id = ?1";
    COUNT_LOST = "UPDATE webhooks SET lost = lost + 1 WHERE id = ?1";
    COUNT_WAITING = "UPDATE webhooks SET waiting = waiting + 1 WHERE id = ?1";
    COUNT_DELIVERED = "
        UPDATE webhooks SET waiting = waiting - 1, delivered = delivered + 1 WHERE id = ?1";
    ADD = "
        INSERT INTO deliveries (webhook, door, body, due_ms, is_first)
        VALUES (?1, ?2, ?3, ?4, CASE WHEN EXISTS (
            SELECT 1 FROM deliveries WHERE webhook = ?1 AND door = ?2) THEN 0 ELSE 1 END)
        RETURNING number";
    DUE = "
        SELECT number, body, refusals, due_ms FROM deliveries
        WHERE webhook = ?1 AND is_first = 1 AND due_ms <= ?2 ORDER BY due_ms, number LIMIT 1";
    /// Whoever comes second finds another time there.
    TAKE = "UPDATE deliveries SET due_ms = ?3 WHERE number = ?1 AND due_ms = ?2";
    GIVE_BACK = "UPDATE deliveries SET due_ms = ?2 WHERE number = ?1 AND due_ms > ?2";
    NEXT_MS = "
        SELECT due_ms FROM deliveries WHERE webhook = ?1 AND is_first = 1
        ORDER BY due_ms, number LIMIT 1";
    REMOVE = "DELETE FROM deliveries WHERE number = ?1 RETURNING webhook, door";
    NEXT_IS_FIRST = "
        UPDATE deliveries SET is_first = 1 WHERE number =
            (SELECT number FROM deliveries WHERE webhook = ?1 AND door = ?2
             ORDER BY number LIMIT 1)";
    DUE_AGAIN = "
        UPDATE deliveries SET due_ms = ?2, refusals = refusals + 1 WHERE number = ?1";
}

/// Something has happened: every webhook is told.
pub fn add(transaction: &Transaction<'_>, event: &Event) -> Result<()> {
    for webhook in transaction.all(EVERY_WEBHOOK, (), |row| row.get(0))? {
        add_for(transaction, webhook, event)?;
    }
    Ok(())
}

/// The same for one webhook.
pub fn add_for(transaction: &Transaction<'_>, webhook: i64, event: &Event) -> Result<()> {
    let waiting: i64 = transaction.one(WAITING, [webhook], |row| row.get(0))?;
    if waiting >= MOST_WAITING {
        transaction.execute(COUNT_LOST, [webhook])?;
        return Ok(());
    }
    let now_ms = transaction.now_ms();
    let body = event.body(&rfc_3339(now_ms))?;
    let door = event.intercom_id.unwrap_or(0);
    let number = transaction.insert(ADD, params![webhook, door, body, now_ms])?;
    delivery_log::add(transaction, number, webhook, event.intercom_id, event.kind())?;
    transaction.execute(COUNT_WAITING, [webhook])?;
    Ok(())
}

/// A request was made, or has ended.
pub(super) fn add_request(transaction: &Transaction<'_>, request_id: &RequestId) -> Result<()> {
    if transaction.all(EVERY_WEBHOOK, (), |row| row.get::<_, i64>(0))?.is_empty() {
        return Ok(());
    }
    let (intercom_id, request) = transaction.one(REQUEST, [request_id.as_str()], |row| {
        let request = RequestEvent {
            request_id: request_id.clone(),
            state: row.get("state")?,
            reason: row.get("reason")?,
            board: parsed_or_null(row, "board")?,
            from_mac: parsed(row, "from_mac")?,
            to_mac: parsed(row, "to_mac")?,
            to_serial_number: row.get("to_serial_number")?,
        };
        Ok((row.get("intercom_id")?, request))
    })?;
    add(transaction, &Event { intercom_id: Some(intercom_id), what: What::Request(request) })
}

/// The delivery that a webhook is to get now: the one that has been due for longest.
pub fn due(snapshot: &Snapshot<'_>, webhook: i64) -> Result<Option<Due>> {
    snapshot.first(DUE, [webhook, snapshot.now_ms()], |row| {
        Ok(Due {
            number: row.get("number")?,
            body: row.get("body")?,
            refusals: row.get("refusals")?,
            due_ms: row.get("due_ms")?,
        })
    })
}

/// One of several processes takes a delivery: it is due again at that time, unless its attempt has come to
/// something before. False if another one has taken it.
pub fn take(transaction: &Transaction<'_>, due: &Due, again_ms: i64) -> Result<bool> {
    Ok(transaction.execute(TAKE, [due.number, due.due_ms, again_ms])? > 0)
}

/// The attempt of one that was taken was in vain: any process may take it.
pub fn give_back(transaction: &Transaction<'_>, number: i64, now_ms: i64) -> Result<()> {
    transaction.execute(GIVE_BACK, [number, now_ms])?;
    Ok(())
}

/// When the next delivery is due, Unix time in milliseconds.
pub fn next_ms(snapshot: &Snapshot<'_>, webhook: i64) -> Result<Option<i64>> {
    snapshot.first(NEXT_MS, [webhook], |row| row.get(0))
}

/// It has arrived: the next one of the same door is due.
pub fn delivered(transaction: &Transaction<'_>, number: i64) -> Result<()> {
    let removed = transaction.first(REMOVE, [number], |row| {
        Ok((row.get::<_, i64>("webhook")?, row.get::<_, i64>("door")?))
    })?;
    // The webhook may have been removed meanwhile.
    let Some((webhook, door)) = removed else { return Ok(()) };
    transaction.execute(NEXT_IS_FIRST, [webhook, door])?;
    transaction.execute(COUNT_DELIVERED, [webhook])?;
    Ok(())
}

/// It was refused: it is due again at that time, and what follows at its door waits.
pub fn due_again(transaction: &Transaction<'_>, number: i64, due_ms: i64) -> Result<()> {
    transaction.execute(DUE_AGAIN, [number, due_ms])?;
    Ok(())
}
