//! A request as each page shows it.

use maud::{Markup, html};

use super::shown::{age, identity, state, time};
use crate::store::history::Entry;

/// A list of requests, each with its door.
pub(super) fn list(entries: &[Entry]) -> Markup {
    html! {
        ul.rows {
            @for entry in entries {
                li.card {
                    div.head { h3 { (door(entry)) } (how_far(entry)) }
                    (details(entry))
                }
            }
        }
    }
}

/// A list of requests on the page of their door.
pub(super) fn list_of_a_door<'a>(entries: impl Iterator<Item = &'a Entry>) -> Markup {
    html! {
        ul.rows { @for entry in entries { li.card { p { (how_far(entry)) } (details(entry)) } } }
    }
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

fn details(entry: &Entry) -> Markup {
    html! {
        div.change {
            div { small { "From" } br; (identity(&entry.from)) }
            div { small { "To" } br; (identity(&entry.to)) }
        }
        @if let Some(reason) = &entry.reason { p { (reason) } }
        @if let Some(whom) = &entry.waits_for { p { "Waits for " (whom) "." } }
        p.quiet {
            "Asked " (time(&entry.asked_at))
            @if let Some(board) = &entry.board { " · reported by " (board) }
            @for board in &entry.offered_to { " · offered to " (board) }
            " · " (entry.request_id)
        }
    }
}
