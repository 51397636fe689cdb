//! Who is told what happens, and how it stands with each.

use intercom_wire::BoardName;
use serde::Serialize;

use super::column::parsed;
use super::engine::params;
use super::statement::statements;
use super::{Result, Snapshot, Transaction, deliveries, doors};
use crate::event::{Event, What};
use crate::offer::UNTIL_FURTHER_NOTICE;
use crate::webhooks::secret::Secret;

/// A webhook that is to be added.
pub struct New {
    /// Where events are posted.
    pub url: String,
    /// What they are signed with.
    pub secret: Secret,
    /// How long a door's panel is away before it is an event, in milliseconds.
    pub offline_after_ms: i64,
}

/// Where and with what key a delivery is sent.
pub struct Receiver {
    /// The webhook.
    pub id: i64,
    /// Where events are posted.
    pub url: String,
    /// What they are signed with.
    pub secret: Secret,
    /// How often it was not reached since it last was.
    pub failures: u32,
    /// Nothing is sent before that time, Unix time in milliseconds.
    pub rests_until_ms: i64,
}

/// A webhook as people see it: without its secret, and without the query of its URL, which may have
/// one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// The webhook.
    pub id: i64,
    /// Where events are posted.
    pub url: String,
    /// How long a door's panel is away before it is an event, in seconds.
    pub offline_after_seconds: i64,
    /// When it was made, RFC 3339 in UTC.
    pub made_at: String,
    /// How many events wait to be delivered.
    pub waiting: i64,
    /// How many were delivered.
    pub delivered: i64,
    /// How many were lost because too many waited.
    pub lost: i64,
    /// How many attempts have failed since the receiver was last reached.
    pub failures: i64,
    /// When the next attempt is made, while something waits.
    pub next_attempt_at: Option<String>,
    /// Why the last attempt failed.
    pub trouble: Option<String>,
}

statements! {
    ADD = "
        INSERT INTO webhooks (url, secret, offline_after_ms, offline_told_ms, made_ms)
        VALUES (?1, ?2, ?3, CAST(?4 AS BIGINT) - ?3, ?4) RETURNING id";
    COUNT = "SELECT count(*) FROM webhooks";
    EXISTS = "SELECT EXISTS (SELECT 1 FROM webhooks WHERE id = ?1)";
    REMOVE = "DELETE FROM webhooks WHERE id = ?1";
    RECEIVERS = "SELECT id, url, secret, failures, rests_until_ms FROM webhooks ORDER BY id";
    LIST = "
        SELECT id, url, offline_after_ms / 1000 AS offline_after_seconds, waiting, delivered, lost,
            failures, trouble,
            rfc_3339(made_ms) AS made_at,
            (SELECT rfc_3339(CASE WHEN due_ms > rests_until_ms
                    THEN due_ms ELSE rests_until_ms END)
                FROM deliveries WHERE webhook = id AND is_first = 1
                ORDER BY due_ms, number LIMIT 1) AS next_attempt_at
        FROM webhooks ORDER BY id";
    REACHED = "
        UPDATE webhooks SET failures = 0, rests_until_ms = 0, trouble = ?2
        WHERE id = ?1 AND (failures <> 0 OR trouble IS DISTINCT FROM ?2)";
    NOT_REACHED = "
        UPDATE webhooks SET failures = failures + 1, rests_until_ms = ?2, trouble = ?3
        WHERE id = ?1";
    OFFLINE_SINCE = "
        SELECT id, offline_told_ms, ?1 - offline_after_ms AS until_ms FROM webhooks
        WHERE offline_told_ms < ?1 - offline_after_ms";
    GONE = "
        SELECT board FROM boards
        WHERE present_until_ms > ?1 AND present_until_ms <= ?2 ORDER BY present_until_ms";
    NEXT_OFFLINE = "
        SELECT min((SELECT min(present_until_ms) FROM boards
            WHERE present_until_ms > offline_told_ms AND present_until_ms < ?1) + offline_after_ms)
        FROM webhooks";
    TOLD = "UPDATE webhooks SET offline_told_ms = ?2 WHERE id = ?1";
}

/// Adds a webhook; its ID. What has happened before it is not told.
pub fn add(transaction: &Transaction<'_>, new: &New) -> Result<i64> {
    let secret = new.secret.bytes();
    transaction.insert(ADD, params![new.url, secret, new.offline_after_ms, transaction.now_ms()])
}

/// How many there are.
pub fn count(snapshot: &Snapshot<'_>) -> Result<i64> {
    snapshot.one(COUNT, (), |row| row.get(0))
}

/// Whether there is one of that ID.
pub fn exists(snapshot: &Snapshot<'_>, id: i64) -> Result<bool> {
    snapshot.one(EXISTS, [id], |row| row.get(0))
}

/// Removes a webhook, and what waits for it. False if there is none of that ID.
pub fn remove(transaction: &Transaction<'_>, id: i64) -> Result<bool> {
    Ok(transaction.execute(REMOVE, [id])? > 0)
}

/// Every webhook, to send to.
pub fn receivers(snapshot: &Snapshot<'_>) -> Result<Vec<Receiver>> {
    snapshot.all(RECEIVERS, (), |row| {
        let secret: Vec<u8> = row.get("secret")?;
        Ok(Receiver {
            id: row.get("id")?,
            url: row.get("url")?,
            secret: Secret::from_bytes(secret),
            failures: row.get("failures")?,
            rests_until_ms: row.get("rests_until_ms")?,
        })
    })
}

/// Every webhook, for people.
pub fn list(snapshot: &Snapshot<'_>) -> Result<Vec<Listed>> {
    snapshot.all(LIST, (), |row| {
        let url: String = row.get("url")?;
        Ok(Listed {
            id: row.get("id")?,
            url: url.split('?').next().unwrap_or_default().to_owned(),
            offline_after_seconds: row.get("offline_after_seconds")?,
            made_at: row.get("made_at")?,
            waiting: row.get("waiting")?,
            delivered: row.get("delivered")?,
            lost: row.get("lost")?,
            failures: row.get("failures")?,
            next_attempt_at: row.get("next_attempt_at")?,
            trouble: row.get("trouble")?,
        })
    })
}

/// The receiver has answered; `trouble` is why it has refused something.
pub fn reached(transaction: &Transaction<'_>, id: i64, trouble: Option<&str>) -> Result<()> {
    transaction.execute(REACHED, params![id, trouble])?;
    Ok(())
}

/// The receiver was not reached: nothing is sent to it before that time.
pub fn not_reached(
    transaction: &Transaction<'_>,
    id: i64,
    until_ms: i64,
    trouble: Option<&str>,
) -> Result<()> {
    transaction.execute(NOT_REACHED, params![id, until_ms, trouble])?;
    Ok(())
}

/// When the next panel that has gone is told of, Unix time in milliseconds.
pub fn next_offline_ms(snapshot: &Snapshot<'_>) -> Result<Option<i64>> {
    Ok(snapshot.first(NEXT_OFFLINE, [UNTIL_FURTHER_NOTICE], |row| row.get(0))?.flatten())
}

/// Tells each webhook which doors' panels have been away for as long as it waits: once each time that
/// a panel goes.
pub fn tell_offline(transaction: &Transaction<'_>) -> Result<()> {
    let now_ms = transaction.now_ms();
    let since: Vec<(i64, i64, i64)> = transaction.all(OFFLINE_SINCE, [now_ms], |row| {
        Ok((row.get("id")?, row.get("offline_told_ms")?, row.get("until_ms")?))
    })?;
    for (webhook, from_ms, until_ms) in since {
        let gone: Vec<BoardName> =
            transaction.all(GONE, [from_ms, until_ms], |row| parsed(row, "board"))?;
        for board in gone {
            if let Some(door) = doors::of_board(transaction, &board)? {
                let what = What::Offline { board };
                let event = Event { intercom_id: Some(door.intercom_id), what };
                deliveries::add_for(transaction, webhook, &event)?;
            }
        }
        transaction.execute(TOLD, [webhook, until_ms])?;
    }
    Ok(())
}
