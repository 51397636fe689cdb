//! One door: what is in its place, how to replace it, and what has been asked of it.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use intercom_wire::Errors;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::form::{Field, Kind, Typed};
use super::layout::{self, Tab};
use super::visitor::{Operator, Visitor};
use super::{request, shown};
use crate::http::body::Form;
use crate::http::query;
use crate::offer::UNTIL_FURTHER_NOTICE;
use crate::operations::{Billing, Door, Refusal};
use crate::store::hardware::Hardware;

/// GET /door?id=….
pub(super) async fn show(
    visitor: Visitor,
    State(billing): State<Billing>,
    query: RawQuery,
) -> Result<Response, Refusal> {
    match billing.door(id(query)).await {
        Ok(door) => Ok(document(&visitor, &door, &Typed::nothing())?),
        Err(Refusal::NotFound) => Ok(none(&visitor)),
        Err(refusal) => Err(refusal),
    }
}

/// POST /door?id=…: the documented PATCH, as a form.
pub(super) async fn replace(
    Operator(visitor): Operator,
    State(billing): State<Billing>,
    query: RawQuery,
    Form(fields): Form,
) -> Result<Response, Refusal> {
    let id = id(query);
    let asked = match patch(id, &fields) {
        Some(patch) => billing.patch(patch, visitor.actor()).await,
        None => Err(Refusal::Invalid(Errors::on(
            "new_mac",
            "Give the MAC address of the spare, or its serial number.",
        ))),
    };
    match asked {
        Ok(_) => Ok(Redirect::to(&format!("/door?id={id}")).into_response()),
        Err(Refusal::NotFound) => Ok(none(&visitor)),
        Err(Refusal::Invalid(errors)) => {
            let door = billing.door(id).await?;
            let typed = Typed::wrong(fields, errors);
            let document = document(&visitor, &door, &typed)?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, document).into_response())
        }
        Err(refusal) => Err(refusal),
    }
}

/// POST /door/undo?id=…: the hardware that was there before is asked for.
pub(super) async fn undo(
    Operator(visitor): Operator,
    State(billing): State<Billing>,
    query: RawQuery,
    _: Form,
) -> Result<Response, Refusal> {
    let id = id(query);
    match billing.undo(id, visitor.actor()).await {
        Ok(_) => Ok(Redirect::to(&format!("/door?id={id}")).into_response()),
        Err(Refusal::NotFound) => Ok(none(&visitor)),
        Err(Refusal::Conflict(conflict)) => Ok(layout::conflict(&visitor, &conflict)),
        Err(refusal) => Err(refusal),
    }
}

/// No intercom has the number 0.
fn id(query: RawQuery) -> i64 {
    query::object(query).get("id").and_then(Value::as_i64).unwrap_or_default()
}

/// The body of the PATCH: what was left empty is not asked for. `None` if that leaves no new identity, which
/// the API would take for a change of the record.
fn patch(id: i64, fields: &Map<String, Value>) -> Option<Map<String, Value>> {
    let typed = |name: &str| {
        let text = fields.get(name)?.as_str()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let mut body = Map::from_iter([("id".to_owned(), json!(id))]);
    for name in ["new_mac", "new_serial_number", "model"] {
        body.extend(typed(name).map(|text| (name.to_owned(), json!(text))));
    }
    let group =
        typed("group_id").map(|text| text.parse::<i64>().map_or(json!(text), |id| json!(id)));
    body.extend(group.map(|group| ("group_id".to_owned(), group)));
    ["new_mac", "new_serial_number"].iter().any(|name| body.contains_key(*name)).then_some(body)
}

fn none(visitor: &Visitor) -> Response {
    let content = html! {
        h1 { "No such door" }
        p { "It was deleted, or there never was one with this number." }
        p { a.button href="/" { "All doors" } }
    };
    let document = layout::document("No such door", Tab::None, Some(visitor), &content);
    (StatusCode::NOT_FOUND, document).into_response()
}

fn document(visitor: &Visitor, door: &Door, typed: &Typed) -> serde_json::Result<Response> {
    let record = &door.record;
    let pending = || door.requests.iter().filter(|request| request.wait.is_some());
    let ended = || door.requests.iter().filter(|request| request.wait.is_none());
    let title = record.shown.title.clone().unwrap_or_else(|| format!("Intercom {}", record.id));
    let content = html! {
        p { a href="/" { "Doors" } }
        section #door data-live {
            div.head {
                h1 { (title) }
                (shown::state(record.shown.status.as_deref().unwrap_or_default()))
            }
            @for both in &door.beside { p.error role="alert" { (both) } }
            @if pending().next().is_some() { (request::list_of_a_door(visitor, pending())?) }
            div.card { (facts(door)) }
        }
        @if visitor.is_operator() {
            section { h2 { "Replace the panel" } (replacement(door, typed)) }
        }
        p { a href={ "/audit?intercom=" (record.id) } { "Who has changed what here" } }
        section #requests data-live {
            h2 { "What was asked of it" }
            @if ended().next().is_none() { p.card { "Nothing that has ended." } }
            (request::list_of_a_door(visitor, ended())?)
        }
        section #hardware data-live {
            h2 { "Which hardware was there" }
            ul.rows { @for hardware in &door.hardware { li.card { (was_there(hardware)) } } }
            @if visitor.is_operator() && door.hardware.len() > 1 && pending().next().is_none() {
                form method="post" action={ "/door/undo?id=" (record.id) } {
                    button { "Go back to what was there before" }
                }
            }
        }
    };
    Ok(layout::document(&title, Tab::None, Some(visitor), &content))
}

fn facts(door: &Door) -> Markup {
    let shown = &door.record.shown;
    let desired = &door.record.desired;
    html! {
        dl.facts {
            dt { "Panel" } dd { (presence(door)) }
            dt { "MAC address" } dd.mac { (desired.identity.mac) }
            @if let Some(serial_number) = &desired.identity.serial_number {
                dt { "Serial number" } dd { (serial_number) }
            }
            @if door.record.confirmed != *desired {
                dt { "Until that is installed" }
                dd {
                    span.mac { (door.record.confirmed.identity.mac) }
                    @if let Some(serial_number) = &door.record.confirmed.identity.serial_number {
                        ", " (serial_number)
                    }
                }
            }
            @if let Some(model) = &desired.model { dt { "Model" } dd { (model) } }
            @if let Some(group) = &shown.group { dt { "Group" } dd { (group.name) } }
            @if let (Some(from), Some(to)) = (shown.flat_from, shown.flat_to) {
                dt { "Flats" } dd { (from) " to " (to) }
            }
            dt { "Number" } dd { (door.record.id) }
            @if let Some(external_id) = &shown.external_id {
                dt { "External ID" } dd { (external_id) }
            }
        }
    }
}

fn was_there(hardware: &Hardware) -> Markup {
    html! {
        div.head {
            span { (shown::identity(&hardware.carried)) }
            @if hardware.to.is_none() { span.state.good { "in place" } }
        }
        p.quiet {
            @match &hardware.from {
                Some(from) => { "From " (shown::time(from)) }
                None => "From the beginning",
            }
            @if let Some(to) = &hardware.to { " to " (shown::time(to)) }
            @if let Some(board) = &hardware.board { " · board " (board) }
            @if let Some(who) = &hardware.asked_by { " · asked by " (who) }
            @if let Some(ended) = &hardware.ended { " · " (ended) }
        }
    }
}

fn presence(door: &Door) -> Markup {
    let now = door.now_ms;
    html! {
        @match (&door.board, door.presence) {
            (None, _) => "No panel has shown itself yet.",
            (Some(board), Some(there)) if there.until_ms > now => {
                span.state.good { "on line" } " board " (board) ", for " (shown::duration((now - there.since_ms) / 1000))
                @if there.until_ms != UNTIL_FURTHER_NOTICE { ", by polling" }
            }
            (Some(board), Some(there)) => {
                span.state.bad { "off line" } " board " (board) ", last seen "
                (shown::duration((now - there.until_ms) / 1000)) " ago"
            }
            (Some(board), None) => { span.state.bad { "off line" } " board " (board) ", not seen for long" }
        }
    }
}

/// The fields of the form; what is wrong with any other stands above it.
const FIELDS: [&str; 4] = ["new_mac", "new_serial_number", "model", "group_id"];

fn replacement(door: &Door, typed: &Typed) -> Markup {
    let shown = &door.record.shown;
    let group = shown.group.as_ref().map(|group| group.id.to_string());
    html! {
        form.card method="post" action={ "/door?id=" (door.record.id) } {
            (typed.others(&FIELDS))
            (scanner())
            (typed.field(&Field {
                name: "new_mac", label: "MAC address of the spare",
                hint: Some("On its label, with or without colons."), kind: Kind::Capitals,
                ..Field::default()
            }))
            (typed.field(&Field {
                name: "new_serial_number", label: "Serial number of the spare",
                hint: Some("If it has one."), kind: Kind::Capitals, ..Field::default()
            }))
            (typed.field(&Field {
                name: "model", label: "Model", usual: shown.model.as_deref(),
                kind: Kind::Capitals, ..Field::default()
            }))
            @match &group {
                Some(group) => input type="hidden" name="group_id" value=(group);,
                None => (typed.field(&Field {
                    name: "group_id", label: "Group", hint: Some("The number of the group, a house or a site."),
                    kind: Kind::Digits, ..Field::default()
                })),
            }
            div #supersedes data-live {
                @if door.record.desired != door.record.confirmed {
                    p.quiet { "This takes the place of what is pending." }
                }
            }
            button.primary { "Replace" }
        }
    }
}

/// Reads the spare's label with the camera. The script shows the button where the browser can do that.
fn scanner() -> Markup {
    html! {
        button.scan type="button" data-scan hidden { "Scan the label" }
        p.error #camera-failed role="alert" hidden {
            "The camera cannot be used. Type what is on the label."
        }
        dialog #camera aria-label="The camera" {
            video playsinline muted {}
            button type="button" { "Cancel" }
        }
        script src="/scan.js" defer {}
    }
}
