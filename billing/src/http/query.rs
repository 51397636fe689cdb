//! Query strings, read by the same rules as bodies.

use axum::extract::RawQuery;
use serde_json::{Map, Value};

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
