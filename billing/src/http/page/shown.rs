//! What stands on several pages: times, states, identities.

use maud::{Markup, html};

use crate::operations::Decision;
use crate::store::history::{Entry, Shown};

/// A state in words and colour.
pub(super) fn state(state: &str) -> Markup {
    let kind = match state {
        "installed" => "good",
        "pending" => "wait",
        "rejected" | "rolled_back" | "failed" => "bad",
        _ => "plain",
    };
    html! { span class={ "state " (kind) } { (state.replace('_', " ")) } }
}

/// An identity in two lines.
pub(super) fn identity(shown: &Shown) -> Markup {
    html! {
        span.mac { (shown.mac) }
        @if let Some(serial_number) = &shown.serial_number { br; small { (serial_number) } }
    }
}

/// A button, in a form with the decision as it is sent to the API, too.
pub(super) fn decision(decision: &Decision) -> serde_json::Result<Markup> {
    let fields = serde_json::to_value(decision)?;
    Ok(html! {
        form method="post" action="/" {
            @for (name, value) in fields.as_object().into_iter().flatten() {
                input type="hidden" name=(name) value=(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            }
            button { (decision) }
        }
    })
}

/// An RFC 3339 time in UTC as people read it.
pub(super) fn time(at: &str) -> Markup {
    let minutes = at.get(..16).unwrap_or(at).replace('T', " ");
    html! { time datetime=(at) { (minutes) " UTC" } }
}

/// How long a request has been pending, or how long it took.
pub(super) fn age(entry: &Entry) -> String {
    let word = if entry.ended_at.is_some() { "after" } else { "for" };
    format!("{word} {}", duration(entry.age_seconds))
}

/// A time span as one number.
pub(super) fn duration(seconds: i64) -> String {
    match seconds {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}
