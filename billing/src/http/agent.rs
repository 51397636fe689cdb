//! The routes for panels, and the list of requests with their outcomes.

use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use intercom_wire::json::FromJson;
use intercom_wire::{Errors, Fields, Report};
use ring::digest::{Context, SHA256};
use serde_json::{Map, Value};
use std::convert::Infallible;
use std::fmt::Display;
use std::str::FromStr;

use super::answer::{JSON, json_answer};
use super::auth::{Panel, Reader};
use super::body::Json;
use super::query;
use crate::offer::POLL_MS;
use crate::operations::{Billing, Failure, Poll, Refusal};
use crate::store::pending::Caller;

/// The longest announced time between two polls that counts, in seconds.
const MAX_POLL_S: i64 = 86_400;
/// How many requests are listed.
const LISTED: i64 = 200;

/// GET …/pending: the requests that are offered to the caller, as a streamed array.
pub(super) async fn pending(
    panel: Panel,
    State(billing): State<Billing>,
    query: RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let requests = billing.pending_for(poll(&panel, &query::object(query))?).await?;
    let mut chunks = Vec::with_capacity(requests.len() + 2);
    for request in &requests {
        let mut chunk = billing.payload(request)?;
        chunk.insert(0, if chunks.is_empty() { b'[' } else { b',' });
        chunks.push(Bytes::from(chunk));
    }
    chunks.push(Bytes::from_static(if chunks.is_empty() { b"[]" } else { b"]" }));
    let tag = strong_tag(&chunks);
    let tag_header =
        HeaderValue::from_str(&tag).map_err(|why| Refusal::Failed(Failure::Header(why)))?;
    let tag_header = [(header::ETAG, tag_header)];
    if is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, tag_header).into_response());
    }
    let body = Body::from_stream(stream::iter(chunks.into_iter().map(Ok::<_, Infallible>)));
    Ok((tag_header, [JSON], body).into_response())
}

/// A panel's token tells the board, where there is one.
fn poll(panel: &Panel, named: &Map<String, Value>) -> Result<Poll, Refusal> {
    let mut fields = Fields::new(named);
    let mac = fields.mac("mac");
    let board = panel.speaks_as(word(&mut fields, "board"))?;
    fields.require("mac");
    if board.is_none() {
        fields.require("board");
    }
    let serial_number = fields.serial_number("serial_number");
    let changing = fields.string("changing") == Some("true");
    let nonce = word(&mut fields, "nonce");
    let every_s = fields.id("poll_every");
    let id = fields.id("id");
    Ok(fields.finish(mac.zip(board).map(|(mac, board)| Poll {
        caller: Caller { board, mac, id },
        serial_number,
        changing,
        nonce,
        every_ms: every_s.map_or(POLL_MS, |seconds| seconds.min(MAX_POLL_S) * 1000),
    }))?)
}

fn word<T: FromStr<Err: Display>>(fields: &mut Fields<'_>, field: &str) -> Option<T> {
    match fields.string(field)?.parse() {
        Ok(word) => Some(word),
        Err(why) => {
            fields.error(field, format!("The {field} field {why}."));
            None
        }
    }
}

/// A strong entity tag: a digest of the bytes of the list.
fn strong_tag(chunks: &[Bytes]) -> String {
    let mut context = Context::new(&SHA256);
    for chunk in chunks {
        context.update(chunk);
    }
    let hex = context
        .finish()
        .as_ref()
        .iter()
        .take(16)
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    format!("\"{hex}\"")
}

fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// POST …/status: a report.
pub(super) async fn status(
    panel: Panel,
    State(billing): State<Billing>,
    Json(body): Json,
) -> Result<StatusCode, Refusal> {
    let report = Report::from_json(&body)
        .map_err(|why| Errors::on("body", format!("The body must be a report: {why}.")))?;
    panel.speaks_as(Some(report.board.clone()))?;
    billing.report(report).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// GET …/requests: the newest requests with their outcomes, of one intercom (`id`) or of all.
pub(super) async fn requests(
    _: Reader,
    State(billing): State<Billing>,
    query: RawQuery,
) -> Result<Response, Refusal> {
    let named = query::object(query);
    let mut fields = Fields::new(&named);
    let id = fields.id("id");
    let id = fields.finish(Some(id))?;
    Ok(json_answer(StatusCode::OK, &billing.history(id, LISTED).await?))
}
