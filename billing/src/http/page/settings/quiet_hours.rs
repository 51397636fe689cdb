//! The hours in which no panel of a group changes.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use crate::http::body::Form;
use crate::http::page::form::{Field, Kind, Typed};
use crate::http::page::visitor::{Operator, Visitor};
use crate::http::quiet_hours;
use crate::operations::{Billing, Refusal};
use crate::store::quiet_hours::OfAGroup;

/// POST /settings/quiet-hours.
pub(in crate::http::page) async fn set(
    Operator(visitor): Operator,
    State(billing): State<Billing>,
    Form(fields): Form,
) -> Result<Response, Refusal> {
    let set = match quiet_hours::read(&fields) {
        Ok(of_a_group) => billing.set_quiet_hours(of_a_group, visitor.actor()).await,
        Err(errors) => Err(errors.into()),
    };
    super::answer(&visitor, &billing, fields, set).await
}

/// POST /settings/quiet-hours/remove.
pub(in crate::http::page) async fn remove(
    Operator(visitor): Operator,
    State(billing): State<Billing>,
    Form(fields): Form,
) -> Result<Response, Refusal> {
    let group = super::number(&fields, "group");
    super::removed(billing.remove_quiet_hours(group, visitor.actor()).await)
}

pub(super) fn section(visitor: &Visitor, all: &[OfAGroup], typed: &Typed) -> Markup {
    html! {
        section #quiet-hours data-live {
            h2 { "Quiet hours" }
            p { "No panel of a group is asked to change in these hours of each day." }
            @if all.is_empty() { p.card { "No group has quiet hours." } }
            ul.rows { @for of_a_group in all { li.card { (one(visitor, of_a_group)) } } }
        }
        @if visitor.is_operator() {
            form.card method="post" action="/settings/quiet-hours" {
                h3 { "Set those of a group" }
                (typed.field(&Field {
                    name: "group_id", label: "Group", hint: Some("The number of the group, a house or a site."),
                    kind: Kind::Digits, ..Field::default()
                }))
                (typed.field(&Field {
                    name: "begins", label: "They begin at", kind: Kind::Time, ..Field::default()
                }))
                (typed.field(&Field {
                    name: "ends", label: "They end at",
                    hint: Some("On the next day, where that is earlier."), kind: Kind::Time,
                    ..Field::default()
                }))
                (typed.field(&Field {
                    name: "time_zone", label: "Time zone", hint: Some("Such as Europe/Berlin."),
                    ..Field::default()
                }))
                button.primary { "Set" }
            }
        }
    }
}

fn one(visitor: &Visitor, of_a_group: &OfAGroup) -> Markup {
    let OfAGroup { group_id, hours } = of_a_group;
    html! {
        h3 { "Group " (group_id) }
        p { (hours) }
        @if visitor.is_operator() {
            form method="post" action="/settings/quiet-hours/remove" {
                input type="hidden" name="group" value=(group_id);
                button.danger { "Remove" }
            }
        }
    }
}
