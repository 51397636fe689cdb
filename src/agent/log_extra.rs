//! What a request wants passed through to billing, as much of it as a panel keeps.

use serde_json::Value;

/// The largest `log_extra`, in bytes of JSON, that is kept and passed through.
const MAX_BYTES: usize = 2048;
/// How many lists and objects may stand in one another in it: a request may have 127, and in the
/// record a few more are around it, of which nothing more than 127 is read again.
const MAX_LEVELS: usize = 32;

/// All of it, or in words why it is left out.
pub(super) fn cut(log_extra: Value) -> Value {
    let size = log_extra.to_string().len();
    if size > MAX_BYTES {
        format!("left out: {size} bytes, and a panel keeps at most {MAX_BYTES}").into()
    } else if has_more_levels_than(MAX_LEVELS, &log_extra) {
        format!("left out: more than {MAX_LEVELS} levels, which a panel does not keep").into()
    } else {
        log_extra
    }
}

fn has_more_levels_than(most: usize, value: &Value) -> bool {
    let more = |inner| has_more_levels_than(most - 1, inner);
    match value {
        Value::Array(list) => most == 0 || list.iter().any(more),
        Value::Object(fields) => most == 0 || fields.values().any(more),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_extra_is_kept_up_to_so_many_levels() {
        let nested = |levels: usize| -> Value {
            let text = format!("{}1{}", "[{\"a\":".repeat(levels / 2), "}]".repeat(levels / 2));
            serde_json::from_str(&text).expect("JSON")
        };
        assert_eq!(cut(nested(MAX_LEVELS)), nested(MAX_LEVELS));
        let left_out = cut(nested(MAX_LEVELS + 2));
        assert!(left_out.as_str().is_some_and(|text| text.contains("32 levels")), "{left_out}");
    }
}
