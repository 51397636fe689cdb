//! The list of requests, each with what it waits for.

use intercom_wire::RequestId;
use serde::Serialize;

use super::wait::{self, Wait};
use super::{Billing, Refusal};
use crate::offer::Rule;
use crate::store::history::{self, Entry};
use crate::store::request_list::{self, Filter};
use crate::store::{Snapshot, pending};

/// Which requests are wanted.
#[derive(Debug, Clone, Default)]
pub struct RequestQuery {
    /// What they have in common.
    pub filter: Filter,
    /// Where an earlier page has ended.
    pub cursor: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

/// One page of the list; the newest first.
#[derive(Debug, Clone, Serialize)]
pub struct RequestPage {
    /// The requests.
    pub requests: Vec<RequestShown>,
    /// The cursor of the next page; `None` if this is the last one.
    pub next: Option<String>,
}

/// A request, and what it waits for.
#[derive(Debug, Clone, Serialize)]
pub struct RequestShown {
    /// The request.
    #[serde(flatten)]
    pub entry: Entry,
    /// What it waits for, while it is pending.
    pub wait: Option<Wait>,
}

impl Billing {
    /// The requests that are wanted.
    ///
    /// # Errors
    /// The database fails.
    pub async fn requests(&self, query: RequestQuery) -> Result<RequestPage, Refusal> {
        let rule = self.rule();
        self.store
            .read(move |snapshot| {
                let RequestQuery { filter, cursor, limit } = query;
                let page = request_list::page(snapshot, &filter, cursor, limit)?;
                let shown = page.request_ids.iter().map(|id| shown(snapshot, rule, id));
                Ok(RequestPage {
                    requests: shown.collect::<Result<_, Refusal>>()?,
                    next: page.next.map(|number| number.to_string()),
                })
            })
            .await
    }
}

/// A request as it is shown now.
pub(super) fn shown(
    snapshot: &Snapshot<'_>,
    rule: Rule,
    request_id: &RequestId,
) -> Result<RequestShown, Refusal> {
    let now_ms = snapshot.now_ms();
    let entry = history::by_id(snapshot, request_id, now_ms)?;
    let mut entry = entry.ok_or(Refusal::NotFound)?;
    let wait = match pending::by_id(snapshot, request_id)? {
        Some(pending) => Some(wait::of(snapshot, rule, &pending)?),
        None => None,
    };
    entry.waits_for = wait.as_ref().map(|wait| wait.text.clone());
    Ok(RequestShown { entry, wait })
}
