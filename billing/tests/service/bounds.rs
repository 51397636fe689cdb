//! Bounds on what is stored: the database stays small whatever strangers send.

use intercom_wire::Mac;
use serde_json::{Value, json};

use crate::common::{NEW, OLD, Running, report};

/// In a text of the longest characters, more bytes than any body may have in one field.
const LONG_CHARS: usize = 55_000;
/// What a hundred reports add to the database at most.
const HUNDRED_REPORTS_BYTES: u64 = 1024 * 1024;

fn count(billing: &Running, table: &str) -> i64 {
    billing.database.number(&format!("SELECT count(*) FROM {table}"))
}

#[test]
fn of_a_report_without_an_outcome_little_is_kept() {
    let billing = Running::start();
    let long = "x".repeat(200_000);
    assert_eq!(billing.report(report("r-1", &long, NEW, "S")).status, 204);
    assert_eq!(billing.database.number("SELECT length(status) FROM reports"), 40);
}

/// A report in which one field is as long as a body may be, and the others as they may be beside it.
fn largest(request_id: &str, number: usize) -> Value {
    let long = "\u{1F514}".repeat(LONG_CHARS);
    let long_name = "n".repeat(64);
    let status = ["installed", "rejected", "rolled_back", "failed"][number % 4];
    let mut report = report(request_id, status, NEW, &"S".repeat(64));
    report["board"] = json!(long_name);
    match number % 5 {
        0 => report["status"] = json!(long),
        1 => report["reason"] = json!(long),
        2 => report["message"] = json!(long),
        3 => report["log_extra"] = json!(long),
        _ => report["errors"] = json!({long: ["x"]}),
    }
    if number % 10 > 4 {
        report["request_id"] = json!(long_name);
    }
    report
}

#[test]
fn a_hundred_reports_of_the_largest_size_stay_within_a_megabyte() {
    let mut billing = Running::start();
    billing.old_intercom();
    let request_id = billing.ask();
    let size = |billing: &mut Running| {
        // What is left in the log of writes goes into the file.
        billing.stop();
        let size = billing.database.size();
        billing.restart();
        size
    };
    let before = size(&mut billing);
    for number in 0..100 {
        let answer = billing.report(largest(&request_id, number));
        assert_eq!(answer.status, 204, "{number}: {}", answer.text);
    }
    assert_eq!(count(&billing, "reports"), 100);
    let grown = size(&mut billing) - before;
    assert!(grown < HUNDRED_REPORTS_BYTES, "{grown} bytes");
}

#[test]
fn a_poll_with_yet_another_mac_is_answered_and_leaves_no_trace_once_there_are_many() {
    let billing = Running::start();
    billing.old_intercom();
    billing.database.execute(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10000)
         INSERT INTO boards (board, present_since_ms, present_until_ms, stranger, changing)
         SELECT 'stranger-' || n, 0, 9223372036854775807, 1, 0 FROM n",
    );
    for last in 0..20 {
        let mac = Mac::try_from([0x06, 0, 0, 0, 0, last]).expect("a MAC");
        let answer = billing.pending(&format!("mac={mac}&board=made-up-{last}"));
        assert_eq!((answer.status, answer.body), (200, json!([])));
    }
    assert_eq!(count(&billing, "boards"), 10_000);
    billing.pending(&format!("mac={OLD}&board=die-1"));
    assert_eq!(count(&billing, "boards"), 10_001, "an intercom's board");
}
