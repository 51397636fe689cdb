//! A schema in words: its type, its bounds and its properties.

use maud::{Markup, html};
use serde_json::Value;

use super::document::Schema;

/// One of the components.
pub(super) fn section(name: &str, schema: &Schema) -> Markup {
    html! {
        section.card id={ "schema-" (name) } {
            div.head { h3 { (name) } span.quiet { (kind(schema)) } }
            @if let Some(description) = &schema.description { p { (words(description)) } }
            (bounds(schema))
            (properties(schema))
        }
    }
}

/// Its type. A component is a link.
pub(super) fn kind(schema: &Schema) -> Markup {
    if let Some(reference) = &schema.reference {
        let name = component(reference);
        return html! { a href={ "#schema-" (name) } { (name) } };
    }
    if !schema.one_of.is_empty() {
        return html! {
            @for (index, one) in schema.one_of.iter().enumerate() {
                @if index > 0 { " or " }
                (kind(one))
            }
        };
    }
    if let Some(value) = &schema.value {
        return html! { code { (plain(value)) } };
    }
    if !schema.values.is_empty() {
        return html! {
            @for (index, value) in schema.values.iter().enumerate() {
                @if index > 0 { ", " }
                code { (plain(value)) }
            }
        };
    }
    html! {
        @if schema.kinds.all().is_empty() { "anything" }
        @for (index, one) in schema.kinds.all().iter().enumerate() {
            @if index > 0 { " or " }
            (one)
            @if let ("array", Some(items)) = (one.as_str(), &schema.items) { " of " (kind(items)) }
        }
    }
}

/// What its type does not say.
pub(super) fn bounds(schema: &Schema) -> Markup {
    let named = |name: &str, value: Option<String>| value.map(|value| format!("{name} {value}"));
    let bounds = [
        schema.format.clone(),
        named("minimum", schema.minimum.map(|bound| bound.to_string())),
        named("maximum", schema.maximum.map(|bound| bound.to_string())),
        named("minimum length", schema.min_length.map(|bound| bound.to_string())),
        named("maximum length", schema.max_length.map(|bound| bound.to_string())),
        named("pattern", schema.pattern.clone()),
        named("default", schema.default.as_ref().map(plain)),
    ];
    html! { @for bound in bounds.iter().flatten() { p.quiet { (bound) } } }
}

/// Its properties, and those of what it is composed of.
fn properties(schema: &Schema) -> Markup {
    html! {
        @for part in &schema.all_of {
            @if part.reference.is_some() { p { "All that " (kind(part)) " has, and:" } }
            (properties(part))
        }
        @if !schema.properties.is_empty() {
            dl.facts {
                @for (name, property) in &schema.properties {
                    dt { code { (name) } @if schema.required.contains(name) { " required" } }
                    dd { (value(property)) }
                }
            }
        }
    }
}

/// What a property or a parameter is.
pub(super) fn value(schema: &Schema) -> Markup {
    html! {
        p { (kind(schema)) }
        (bounds(schema))
        @if let Some(description) = &schema.description { p { (words(description)) } }
        (properties(schema))
    }
}

/// The name at the end of a reference.
pub(super) fn component(reference: &str) -> &str {
    reference.rsplit_once('/').map_or(reference, |(_, name)| name)
}

/// A JSON value as it is written in a query.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A text of the file, in which code stands between backticks.
pub(super) fn words(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
