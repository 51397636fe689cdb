//! Tells an open page that something has changed, as server-sent events. What has changed, the page
//! asks for.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::Stream;
use futures_util::stream;

use super::visitor::Visitor;
use crate::operations::Billing;

/// The shortest time between two events: a page is asked for again after each.
const PAUSE: Duration = Duration::from_secs(1);

/// GET /events. They end with the session or the token.
pub(super) async fn events(
    _: Visitor,
    State(billing): State<Billing>,
    parts: Parts,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let commits = billing.store.changes().commits();
    let events =
        stream::unfold((commits, parts, billing), async |(mut commits, mut parts, billing)| {
            commits.changed().await.ok()?;
            tokio::time::sleep(PAUSE).await;
            commits.mark_unchanged();
            Visitor::from_request_parts(&mut parts, &billing).await.ok()?;
            Some((Ok(Event::default().data("changed")), (commits, parts, billing)))
        });
    Sse::new(events).keep_alive(KeepAlive::default())
}
