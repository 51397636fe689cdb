//! The requests that a filter leaves, the newest first: one page at a time, each by an index.

use intercom_wire::{BoardName, Outcome, RequestId};

use super::column::parsed;
use super::engine::ToSql;
use super::paging;
use super::statement::statements;
use super::{Result, Snapshot};

/// How many requests one page is looked for in. A page whose filter leaves few of them may be short.
const LOOKED_THROUGH: i64 = 500;

/// Which requests are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In this state.
    pub state: Option<RequestState>,
    /// Of this intercom.
    pub intercom_id: Option<i64>,
    /// That this board is or was offered.
    pub board: Option<BoardName>,
    /// Asked for at that time or later, Unix time in milliseconds.
    pub since_ms: Option<i64>,
}

/// The state of a request, as it stands in the database and in answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestState {
    /// No outcome has been reported yet.
    Pending,
    /// A later one has taken its place.
    Superseded,
    /// The intercom was deleted.
    Withdrawn,
    /// An operator has taken it back.
    Cancelled,
    /// It was carried out.
    Installed,
    /// The panel has refused it.
    Rejected,
    /// The panel has gone back.
    RolledBack,
    /// The panel could not do it.
    Failed,
}

/// One request of the list.
struct Listed {
    number: i64,
    state: String,
    intercom_id: i64,
    asked_ms: i64,
    request_id: RequestId,
}

/// One page.
#[derive(Debug, Clone)]
pub struct Page {
    /// The requests.
    pub request_ids: Vec<RequestId>,
    /// Where the next page begins; `None` if this is the last one.
    pub next: Option<i64>,
}

macro_rules! select {
    ($from:literal, $which:literal) => {
        concat!(
            "SELECT r.number, r.request_id, r.intercom_id, r.state, r.asked_ms FROM ",
            $from,
            " WHERE ",
            $which,
            " AND r.number < :before AND r.number >= :first ORDER BY r.number DESC LIMIT :limit"
        )
    };
}

statements! {
    ALL = select!("requests r", "TRUE");
    /// Its state is not compared with a parameter, so that the index of the pending ones fits.
    PENDING = select!("requests r", "r.state = 'pending'");
    ENDED = select!("requests r", "r.state = :which AND r.state <> 'pending'");
    OF_AN_INTERCOM = select!("requests r", "r.intercom_id = :which");
    /// CROSS JOIN keeps its order: a board has few offers.
    TO_A_BOARD = select!(
        "offers o CROSS JOIN requests r",
        "r.request_id = o.request_id AND o.board = :which"
    );
    /// Only the oldest ones are looked at, by their index.
    OLDEST_PENDING = "
        SELECT request_id FROM requests
        WHERE asked_ms < ?1 AND number IN (SELECT number FROM requests
            WHERE state = 'pending' ORDER BY number LIMIT ?2)
        ORDER BY number";
    FIRST_SINCE = "
        SELECT number FROM requests WHERE asked_ms >= ?1 ORDER BY asked_ms, number LIMIT 1";
}

/// One page of what the filter leaves, from below `before` on; at most `limit` requests.
pub fn page(
    snapshot: &Snapshot<'_>,
    filter: &Filter,
    before: Option<i64>,
    limit: usize,
) -> Result<Page> {
    let first = match filter.since_ms {
        // The filter looks at each time too: where the clock was set back, a later request may have
        // an earlier one.
        Some(since_ms) => snapshot.first(FIRST_SINCE, [since_ms], |row| row.get(0))?,
        None => Some(0),
    };
    // Nothing was asked for since.
    let Some(first) = first else { return Ok(Page { request_ids: Vec::new(), next: None }) };
    let listed = candidates(snapshot, filter, before.unwrap_or(i64::MAX), first)?;
    let may_be_more = listed.len() as i64 == LOOKED_THROUGH;
    let (page, next) = paging::cut(
        listed,
        |listed| listed.number,
        |listed| filter.leaves(listed),
        may_be_more,
        limit,
    );
    Ok(Page { request_ids: page.into_iter().map(|listed| listed.request_id).collect(), next })
}

/// The requests that have been pending since before that time, the oldest first; at most `limit`.
pub fn oldest_pending(
    snapshot: &Snapshot<'_>,
    before_ms: i64,
    limit: i64,
) -> Result<Vec<RequestId>> {
    snapshot.all(OLDEST_PENDING, [before_ms, limit], |row| parsed(row, "request_id"))
}

/// The filter with the fewest requests chooses the index.
fn candidates(
    snapshot: &Snapshot<'_>,
    filter: &Filter,
    before: i64,
    first: i64,
) -> Result<Vec<Listed>> {
    let (sql, which): (_, Option<Box<dyn ToSql>>) = match filter {
        Filter { board: Some(board), .. } => (TO_A_BOARD, Some(Box::new(board.to_string()))),
        Filter { intercom_id: Some(id), .. } => (OF_AN_INTERCOM, Some(Box::new(*id))),
        Filter { state: Some(RequestState::Pending), .. } => (PENDING, None),
        Filter { state: Some(state), .. } => (ENDED, Some(Box::new(state.word()))),
        Filter { state: None, .. } => (ALL, None),
    };
    let mut bounds: Vec<(&str, &dyn ToSql)> =
        vec![(":before", &before), (":first", &first), (":limit", &LOOKED_THROUGH)];
    bounds.extend(which.as_deref().map(|which| (":which", which)));
    snapshot.all(sql, &bounds[..], |row| {
        Ok(Listed {
            number: row.get("number")?,
            state: row.get("state")?,
            intercom_id: row.get("intercom_id")?,
            asked_ms: row.get("asked_ms")?,
            request_id: parsed(row, "request_id")?,
        })
    })
}

impl Filter {
    fn leaves(&self, listed: &Listed) -> bool {
        self.state.is_none_or(|state| state.word() == listed.state)
            && self.intercom_id.is_none_or(|id| id == listed.intercom_id)
            && self.since_ms.is_none_or(|since_ms| since_ms <= listed.asked_ms)
    }
}

impl RequestState {
    const EVERY: [RequestState; 8] = [
        RequestState::Pending,
        RequestState::Superseded,
        RequestState::Withdrawn,
        RequestState::Cancelled,
        RequestState::Installed,
        RequestState::Rejected,
        RequestState::RolledBack,
        RequestState::Failed,
    ];

    /// The state of that word.
    pub fn of(word: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|state| state.word() == word)
    }

    fn word(self) -> &'static str {
        match self {
            RequestState::Pending => "pending",
            RequestState::Superseded => "superseded",
            RequestState::Withdrawn => "withdrawn",
            RequestState::Cancelled => "cancelled",
            RequestState::Installed => Outcome::Installed.as_str(),
            RequestState::Rejected => Outcome::Rejected.as_str(),
            RequestState::RolledBack => Outcome::RolledBack.as_str(),
            RequestState::Failed => Outcome::Failed.as_str(),
        }
    }
}
