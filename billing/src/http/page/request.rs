//! A request as each page shows it.

use maud::{Markup, html};

use super::shown::{age, decision, identity, state, time};
use super::visitor::Visitor;
use crate::operations::{RequestShown, Wait};
use crate::store::history::Entry;

/// A list of requests, each with its door.
pub(super) fn list(visitor: &Visitor, requests: &[RequestShown]) -> serde_json::Result<Markup> {
    Ok(html! {
        ul.rows {
            @for RequestShown { entry, wait } in requests {
                li.card {
                    div.head { h3 { (door(entry)) } (how_far(entry)) }
                    (details(visitor, entry, wait.as_ref())?)
                }
            }
        }
    })
}

/// A list of requests on the page of their door.
pub(super) fn list_of_a_door<'a>(
    visitor: &Visitor,
    requests: impl Iterator<Item = &'a RequestShown>,
) -> serde_json::Result<Markup> {
    Ok(html! {
        ul.rows {
            @for RequestShown { entry, wait } in requests {
                li.card { p { (how_far(entry)) } (details(visitor, entry, wait.as_ref())?) }
            }
        }
    })
}

fn door(entry: &Entry) -> Markup {
    html! {
        a href={ "/door?id=" (entry.intercom_id) } {
            @match &entry.title {
                Some(title) => (title),
                None => { "Intercom " (entry.intercom_id) }
            }
        }
        @if entry.title.is_some() { " " small { (entry.intercom_id) } }
    }
}

fn how_far(entry: &Entry) -> Markup {
    html! { span { (state(&entry.state)) " " small { (age(entry)) } } }
}

fn details(visitor: &Visitor, entry: &Entry, wait: Option<&Wait>) -> serde_json::Result<Markup> {
    Ok(html! {
        div.change {
            div { small { "From" } br; (identity(&entry.from)) }
            div { small { "To" } br; (identity(&entry.to)) }
        }
        @if let Some(reason) = &entry.reason { p { (reason) } }
        @if let Some(wait) = wait { (waits(visitor, entry, wait)?) }
        p.quiet {
            "Asked " (time(&entry.asked_at))
            @if let Some(who) = &entry.asked_by { " by " (who) }
            @if let Some(board) = &entry.board { " · reported by " (board) }
            @for board in &entry.offered_to { " · offered to " (board) }
            " · " (entry.request_id)
        }
    })
}

fn waits(visitor: &Visitor, entry: &Entry, wait: &Wait) -> serde_json::Result<Markup> {
    Ok(html! {
        p {
            "Waits for " (wait.text)
            @if let Some(until) = &wait.until { ", until " (time(until)) }
            "."
        }
        p { strong { "What to do: " } (wait.advice) }
        @if visitor.is_operator() {
            div.actions {
                @for answer in &wait.decisions { (decision(answer)?) }
                form method="post" action="/requests/cancel" {
                    input type="hidden" name="request_id" value=(entry.request_id);
                    button.danger { "Cancel" }
                }
            }
        }
    })
}
