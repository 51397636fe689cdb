//! Query strings, read by the same rules as bodies.

use axum::extract::RawQuery;
use intercom_wire::{Errors, Fields};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

/// How many items a page has, where its reader does not say.
pub(super) const PAGE: usize = 50;
/// The most that may be asked for.
const MAX_PAGE: usize = 200;

/// The parameters as a JSON object: `id` as an integer, the others as texts. The last one counts if
/// there are several with one name; an empty one counts as absent.
pub(super) fn object(RawQuery(query): RawQuery) -> Map<String, Value> {
    let query = query.unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes())
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| {
            let integer = value.parse::<i64>().ok().filter(|_| name == "id");
            let value = integer.map_or_else(|| Value::from(value.into_owned()), Value::from);
            (name.into_owned(), value)
        })
        .collect()
}

/// A parameter that has a type of its own; a text that is none of its values is an error.
pub(super) fn word<T>(
    fields: &mut Fields<'_>,
    field: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    let text = fields.string(field)?;
    let value = read(text);
    if value.is_none() {
        fields.error(field, format!("The selected {field} is invalid."));
    }
    value
}

/// A date, or a time as RFC 3339, as Unix time in milliseconds. A time without a zone is neither.
pub(super) fn time(text: &str) -> Option<i64> {
    let time = text.parse::<Timestamp>().ok().or_else(|| {
        let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text)?;
        Some(date.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp())
    });
    Some(time?.as_millisecond())
}

/// How many items a page may have.
pub(super) fn limit(fields: &mut Fields<'_>) -> usize {
    let Some(limit) = fields.id("limit") else { return PAGE };
    match usize::try_from(limit) {
        Ok(limit) if limit <= MAX_PAGE => limit,
        _ => {
            fields.error("limit", format!("The limit field must not be greater than {MAX_PAGE}."));
            PAGE
        }
    }
}

/// Where an earlier page has ended, and how many items this one may have.
pub(super) fn page(query: RawQuery) -> Result<(Option<i64>, usize), Errors> {
    let named = object(query);
    let mut fields = Fields::new(&named);
    let page = (fields.id("cursor"), limit(&mut fields));
    fields.finish(Some(page))
}

/// The row that is named by its `id`, which must be there.
pub(super) fn id(query: RawQuery) -> Result<i64, Errors> {
    let named = object(query);
    let mut fields = Fields::new(&named);
    let id = fields.id("id");
    fields.require("id");
    fields.finish(id)
}
