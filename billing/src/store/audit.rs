//! The audit log: who has changed what, written in the transaction of the change.

use serde::Serialize;

use super::engine::{ToSql, params};
use super::paging;
use super::statement::statements;
use super::{Result, Snapshot, Transaction};
use crate::audit::{Action, Actor, Subject};

/// How many entries one page is looked for in. A page whose filter leaves few of them may be short.
const LOOKED_THROUGH: i64 = 500;
/// How many old entries are deleted in one transaction: other writes wait for each.
const BATCH: usize = 500;

/// Which entries are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// About this intercom.
    pub intercom_id: Option<i64>,
    /// By the actor of this short name.
    pub actor: Option<String>,
    /// Of this action.
    pub action: Option<Action>,
    /// Written at that time or later, Unix time in milliseconds.
    pub since_ms: Option<i64>,
}

/// One change, as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// By whom, as `actor` searches for it.
    pub actor: String,
    /// By whom, with the role and the name of the token.
    pub who: String,
    /// The ID of the HTTP call.
    pub call: Option<String>,
    /// What was done.
    pub action: String,
    /// The intercom.
    pub intercom_id: Option<i64>,
    /// The request.
    pub request_id: Option<String>,
    /// The board.
    pub board: Option<String>,
    /// The number of the token that was made or revoked.
    pub token: Option<i64>,
    /// The rest, in words.
    pub detail: Option<String>,
}

/// One page.
#[derive(Debug, Clone, Serialize)]
pub struct Page {
    /// The entries, the newest first.
    pub entries: Vec<Entry>,
    /// The cursor of the next page; `None` if this is the last one.
    pub next: Option<String>,
}

struct Listed {
    number: i64,
    at_ms: i64,
    entry: Entry,
}

macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT number, at_ms, actor, who, call, action, intercom_id, request_id, board, token,
                detail, rfc_3339(at_ms) AS at
            FROM audit WHERE ",
            $which,
            " AND number < :before AND number >= :first ORDER BY number DESC LIMIT :limit"
        )
    };
}

statements! {
    ADD = "
        INSERT INTO audit (at_ms, actor, who, call, action, intercom_id, request_id, board, token,
            detail)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    ALL = select!("TRUE");
    OF_AN_INTERCOM = select!("intercom_id = :which");
    BY_AN_ACTOR = select!("actor = :which");
    OF_AN_ACTION = select!("action = :which");
    NEWEST_OF_AN_ACTION = "
        SELECT at_ms, detail FROM audit WHERE action = ?1 ORDER BY number DESC LIMIT ?2";
    FIRST_SINCE = "SELECT number FROM audit WHERE at_ms >= ?1 ORDER BY at_ms, number LIMIT 1";
    DELETE_OLD = "
        DELETE FROM audit WHERE number IN (SELECT number FROM audit
            WHERE at_ms < ?1 ORDER BY at_ms LIMIT ?2)";
}

/// Writes that it is done.
pub fn add(
    transaction: &Transaction<'_>,
    actor: &Actor,
    action: Action,
    subject: &Subject<'_>,
) -> Result<()> {
    let call = actor.call().map(|call| call.to_string());
    transaction.execute(
        ADD,
        params![
            transaction.now_ms(),
            actor.name(),
            actor.to_string(),
            call,
            action.word(),
            subject.intercom_id,
            subject.request_id.map(|id| id.as_str()),
            subject.board.map(|board| board.as_str()),
            subject.token,
            subject.detail,
        ],
    )?;
    Ok(())
}

/// When the newest entries of an action were written, Unix time in milliseconds, and their details.
pub fn newest_of(
    snapshot: &Snapshot<'_>,
    action: Action,
    limit: usize,
) -> Result<Vec<(i64, Option<String>)>> {
    let params = params![action.word(), limit as i64];
    snapshot.all(NEWEST_OF_AN_ACTION, params, |row| Ok((row.get("at_ms")?, row.get("detail")?)))
}

/// One page of what the filter leaves, from below `before` on; at most `limit` entries.
pub fn page(
    snapshot: &Snapshot<'_>,
    filter: &Filter,
    before: Option<i64>,
    limit: usize,
) -> Result<Page> {
    let first = match filter.since_ms {
        // The filter looks at each time too: where the clock was set back, a later entry may have
        // an earlier one.
        Some(since_ms) => snapshot.first(FIRST_SINCE, [since_ms], |row| row.get(0))?,
        None => Some(0),
    };
    // Nothing was done since.
    let Some(first) = first else { return Ok(Page { entries: Vec::new(), next: None }) };
    let listed = candidates(snapshot, filter, before.unwrap_or(i64::MAX), first)?;
    let may_be_more = listed.len() as i64 == LOOKED_THROUGH;
    let (page, next) = paging::cut(
        listed,
        |listed| listed.number,
        |listed| filter.leaves(listed),
        may_be_more,
        limit,
    );
    let entries = page.into_iter().map(|listed| listed.entry).collect();
    Ok(Page { entries, next: next.map(|number| number.to_string()) })
}

/// Deletes what was written before this time; a batch of it. Whether there may be more.
pub fn delete_old(transaction: &Transaction<'_>, before_ms: i64) -> Result<bool> {
    Ok(transaction.execute(DELETE_OLD, params![before_ms, BATCH as i64])? == BATCH)
}

/// The filter with the fewest entries chooses the index.
fn candidates(
    snapshot: &Snapshot<'_>,
    filter: &Filter,
    before: i64,
    first: i64,
) -> Result<Vec<Listed>> {
    let action = filter.action.map(Action::word);
    let (sql, which): (_, Option<&dyn ToSql>) = match (&filter.intercom_id, &filter.actor, &action)
    {
        (Some(id), _, _) => (OF_AN_INTERCOM, Some(id)),
        (None, Some(actor), _) => (BY_AN_ACTOR, Some(actor)),
        (None, None, Some(action)) => (OF_AN_ACTION, Some(action)),
        (None, None, None) => (ALL, None),
    };
    let mut bounds: Vec<(&str, &dyn ToSql)> =
        vec![(":before", &before), (":first", &first), (":limit", &LOOKED_THROUGH)];
    bounds.extend(which.map(|which| (":which", which)));
    snapshot.all(sql, &bounds[..], |row| {
        Ok(Listed {
            number: row.get("number")?,
            at_ms: row.get("at_ms")?,
            entry: Entry {
                at: row.get("at")?,
                actor: row.get("actor")?,
                who: row.get("who")?,
                call: row.get("call")?,
                action: row.get("action")?,
                intercom_id: row.get("intercom_id")?,
                request_id: row.get("request_id")?,
                board: row.get("board")?,
                token: row.get("token")?,
                detail: row.get("detail")?,
            },
        })
    })
}

impl Filter {
    fn leaves(&self, listed: &Listed) -> bool {
        let entry = &listed.entry;
        self.intercom_id.is_none_or(|id| entry.intercom_id == Some(id))
            && self.actor.as_ref().is_none_or(|actor| entry.actor == *actor)
            && self.action.is_none_or(|action| entry.action == action.word())
            && self.since_ms.is_none_or(|since_ms| since_ms <= listed.at_ms)
    }
}
