//! How large the parts of the record get, so that the whole is at most 64 KiB on a flash of 8 MB, whatever
//! is sent.

use intercom_wire::Report;

/// How long the reason of an outcome gets, in characters. It may quote foreign text.
const MAX_REASON_CHARS: usize = 300;

/// A reason, cut to its bound.
pub(super) fn reason(text: String) -> String {
    if text.chars().count() <= MAX_REASON_CHARS {
        return text;
    }
    text.chars().take(MAX_REASON_CHARS - 1).chain(['…']).collect()
}

/// How many of the last reports fit into `most` reports and `most_bytes` of JSON. The last one always
/// does.
pub(super) fn last_that_fit<'a>(
    reports: impl DoubleEndedIterator<Item = &'a Report>,
    most: usize,
    most_bytes: usize,
) -> usize {
    let mut bytes = 0;
    let fits = |report: &&Report| {
        bytes += serde_json::to_vec(report).map_or(most_bytes, |json| json.len());
        bytes <= most_bytes
    };
    reports.rev().take(most).take_while(fits).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_cut_between_characters() {
        let short = "ä".repeat(MAX_REASON_CHARS);
        assert_eq!(reason(short.clone()), short);
        let cut = reason(format!("{short}."));
        assert_eq!(cut.chars().count(), MAX_REASON_CHARS);
        assert!(cut.ends_with("ä…"));
    }
}
