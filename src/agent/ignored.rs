//! Why requests were ignored: told in the log now and then, and shown in `status`.

use std::mem::discriminant;
use std::time::Duration;

use serde::Serialize;

use crate::clock::Moment;
use crate::decide::Ignored;

/// A reason is told in the log at most once in this time: neighbours on the same topic may be many.
const QUIET: Duration = Duration::from_secs(60);

/// The requests that were ignored since the daemon started, by the kind of their reason.
#[derive(Debug, Default)]
pub(super) struct IgnoredRequests(Vec<Reason>);

#[derive(Debug)]
struct Reason {
    last: Ignored,
    at: Moment,
    count: u64,
    told_at: Moment,
    /// How many came since then.
    untold: u64,
}

/// Requests that were ignored for one reason, as `status` shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IgnoredFor {
    /// The last one's reason, in words.
    pub reason: String,
    /// How many since the daemon started.
    pub count: u64,
    /// When the last one came.
    pub seconds_ago: u64,
}

impl IgnoredRequests {
    /// Takes note of one; the line for the log, if it is time for one.
    pub(super) fn note(&mut self, why: Ignored, now: Moment) -> Option<String> {
        let Some(reason) = self.0.iter_mut().find(|reason| same_kind(&reason.last, &why)) else {
            let line = format!("a request was ignored: {why}");
            self.0.push(Reason { last: why, at: now, count: 1, told_at: now, untold: 0 });
            return Some(line);
        };
        reason.count += 1;
        reason.last = why;
        reason.at = now;
        if now.since(reason.told_at) < QUIET {
            reason.untold += 1;
            return None;
        }
        let why = &reason.last;
        let line = match reason.untold {
            0 => format!("a request was ignored: {why}"),
            untold => {
                format!("a request was ignored: {why} ({untold} more since the last such line)")
            }
        };
        reason.told_at = now;
        reason.untold = 0;
        Some(line)
    }

    pub(super) fn shown(&self, now: Moment) -> Vec<IgnoredFor> {
        self.0
            .iter()
            .map(|reason| IgnoredFor {
                reason: reason.last.to_string(),
                count: reason.count,
                seconds_ago: now.since(reason.at).as_secs(),
            })
            .collect()
    }
}

/// Whether two reasons differ at most in what was in the request, of which there is no end.
fn same_kind(one: &Ignored, other: &Ignored) -> bool {
    match (one, other) {
        (Ignored::BadlySigned(one), Ignored::BadlySigned(other)) => {
            discriminant(one) == discriminant(other)
        }
        _ => discriminant(one) == discriminant(other),
    }
}

#[cfg(test)]
mod tests {
    use intercom_wire::signature::{Flaw, Keys, Signature};

    use super::*;

    const START: Moment = Moment::from_millis(5000);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn each_reason_is_told_once_a_minute_with_a_count() {
        let mut ignored = IgnoredRequests::default();
        let first = ignored.note(Ignored::NotOurs, START).expect("a line");
        assert_eq!(first, "a request was ignored: it is for another board");
        for second in 0..59 {
            assert_eq!(ignored.note(Ignored::NotOurs, START + SECOND * second), None);
        }
        let other = ignored.note(Ignored::BadlySigned(Flaw::Mismatch), START + SECOND);
        assert!(other.expect("a line").contains("its signature does not fit"));
        let later = ignored.note(Ignored::NotOurs, START + SECOND * 61).expect("a line");
        assert!(later.ends_with("another board (59 more since the last such line)"), "{later}");

        let shown = ignored.shown(START + SECOND * 71);
        let counts: Vec<_> = shown.iter().map(|one| (one.count, one.seconds_ago)).collect();
        assert_eq!(counts, [(61, 10), (1, 70)]);
    }

    #[test]
    fn reasons_that_differ_in_foreign_text_are_one_reason() {
        let key = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".parse().expect("a key");
        let keys: Keys = [("ours".to_owned(), key)].into_iter().collect();
        let mut ignored = IgnoredRequests::default();
        // Headers with the `kid` "a" and "b".
        for header in ["eyJhbGciOiJFZERTQSIsImtpZCI6ImEifQ", "eyJhbGciOiJFZERTQSIsImtpZCI6ImIifQ"] {
            let (_, signature) = keys.open(format!("{header}.e30.AA").as_bytes());
            let Signature::Bad(flaw) = signature else { panic!("{signature:?}") };
            ignored.note(Ignored::BadlySigned(flaw), START);
        }
        let shown = ignored.shown(START);
        assert_eq!((shown.len(), shown[0].count), (1, 2));
        assert!(shown[0].reason.contains("its `kid` \"b\" is not in"), "{}", shown[0].reason);
    }
}
