//! The list of intercoms, each with whether its panel is there and what it waits for.

use intercom_wire::{BoardName, IntercomBody, RequestId};
use serde::Serialize;

use super::wait::{self, Wait};
use super::{Billing, Refusal};
use crate::offer::Rule;
use crate::schedule::rfc_3339;
use crate::store::history::Shown;
use crate::store::intercom_list::{self, Filter, Found, Search};
use crate::store::sightings::Sighting;
use crate::store::{Snapshot, pending};

/// Which intercoms are wanted.
#[derive(Debug, Clone)]
pub struct IntercomQuery {
    /// What is searched for.
    pub search: Search,
    /// What is left of it.
    pub filter: Filter,
    /// Where an earlier page has ended.
    pub cursor: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// One page of the list.
#[derive(Debug, Clone, Serialize)]
pub struct IntercomPage {
    /// The intercoms.
    pub intercoms: Vec<IntercomShown>,
    /// The cursor of the next page; `None` if this is the last one.
    pub next: Option<String>,
}

/// An intercom as the API shows it, and what is known of its panel.
#[derive(Debug, Clone, Serialize)]
pub struct IntercomShown {
    /// As the API shows it, with the identity that is asked for.
    #[serde(flatten)]
    pub shown: IntercomBody,
    /// What its panel is known to carry.
    pub confirmed: Shown,
    /// The board that is its panel, where it is known.
    pub board: Option<BoardName>,
    /// Its panel is there now.
    pub online: bool,
    /// When its panel was there last, RFC 3339 in UTC; `None` if it never was.
    pub last_seen_at: Option<String>,
    /// Its pending request.
    pub pending: Option<Pending>,
}

/// A pending request of the list.
#[derive(Debug, Clone, Serialize)]
pub struct Pending {
    /// The request.
    pub request_id: RequestId,
    /// What it waits for.
    pub wait: Wait,
}

impl Billing {
    /// The intercoms that are wanted.
    ///
    /// # Errors
    /// The database fails.
    pub async fn intercoms(&self, query: IntercomQuery) -> Result<IntercomPage, Refusal> {
        let rule = self.rule();
        self.store
            .read(move |snapshot| {
                let IntercomQuery { search, filter, cursor, limit } = query;
                let page =
                    intercom_list::page(snapshot, &search, &filter, cursor.as_deref(), limit)?;
                let shown = page.found.into_iter().map(|found| shown(snapshot, rule, found));
                Ok(IntercomPage {
                    intercoms: shown.collect::<Result<_, Refusal>>()?,
                    next: page.next,
                })
            })
            .await
    }
}

/// An intercom as it is shown now.
pub(super) fn shown(
    snapshot: &Snapshot<'_>,
    rule: Rule,
    found: Found,
) -> Result<IntercomShown, Refusal> {
    let last_ms = found.sighting.at_ms(snapshot.now_ms());
    let pending = match &found.pending {
        Some(request_id) => pending::by_id(snapshot, request_id)?,
        None => None,
    };
    let pending = pending.map(|pending| {
        let wait = wait::of(snapshot, rule, &pending)?;
        Ok::<_, Refusal>(Pending { request_id: pending.body.request_id, wait })
    });
    Ok(IntercomShown {
        confirmed: Shown::from(&found.record.confirmed),
        shown: found.record.shown,
        board: found.board,
        online: found.sighting == Sighting::Online,
        last_seen_at: last_ms.map(rfc_3339),
        pending: pending.transpose()?,
    })
}
