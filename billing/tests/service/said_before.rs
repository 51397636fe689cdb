//! What a board says again, or of what it has no part in any more: it undoes nothing that came since.

use serde_json::{Value, json};
use std::time::Duration;
use ureq::http::Method;

use crate::common::board::Board;
use crate::common::{NEW, OLD, Running, report};
use crate::strangers::{THIRD, board_of_door, by, reports};

const FOURTH: &str = "02:00:00:00:00:04";

/// Board `die-1` has installed a request and is the panel of intercom 1; the request's ID.
fn installed(billing: &Running) -> String {
    billing.old_intercom();
    let request_id = billing.ask();
    billing.pending(&format!("mac={NEW}&board=die-1"));
    assert_eq!(billing.report(installed_report(&request_id)).status, 204);
    assert_eq!(board_of_door(billing).as_deref(), Some("die-1"));
    request_id
}

fn installed_report(request_id: &str) -> Value {
    report(request_id, "installed", NEW, "new_serial_number")
}

/// An operator says that another board, changed by hand, is the panel of intercom 1 now.
fn replaced_by_hand(billing: &Running) {
    let mut by_hand = by("die-9", report("", "installed", THIRD, "S-9"));
    by_hand["request_id"] = Value::Null;
    assert_eq!(billing.report(by_hand).status, 204);
    let accepted = json!({"decision": "accept_by_hand", "board": "die-9", "id": 1});
    assert_eq!(billing.call(Method::POST, "/api/v1/agent/decisions", Some(accepted)).status, 204);
    assert_eq!(billing.show("id=1").body["mac"], THIRD);
}

#[test]
fn a_board_that_is_the_doors_no_more_cannot_roll_its_request_back() {
    let billing = Running::start();
    let request_id = installed(&billing);
    replaced_by_hand(&billing);
    let before = (billing.show("id=1").body, billing.requests());
    for mac in [FOURTH, NEW, THIRD] {
        billing.report(report(&request_id, "rolled_back", mac, "S-4"));
        assert_eq!(reports(&billing)[0].1, "a change by hand: it waits for an operator", "{mac}");
        assert_eq!((billing.show("id=1").body, billing.requests()), before, "{mac}");
    }
}

#[test]
fn what_was_reported_before_takes_nothing_back_that_came_after_it() {
    let billing = Running::start();
    let request_id = installed(&billing);
    let rolled_back = report(&request_id, "rolled_back", OLD, "S-OLD");
    billing.report(rolled_back.clone());
    assert_eq!(billing.show("id=1").body["mac"], OLD);
    billing.report(installed_report(&request_id));
    assert_eq!(billing.show("id=1").body["mac"], OLD, "the board has gone back since");

    let mut by_hand = report("by-hand", "installed", FOURTH, "S-4");
    by_hand["issuer"] = Value::Null;
    billing.report(by_hand);
    assert_eq!(billing.show("id=1").body["mac"], FOURTH);
    billing.report(rolled_back);
    assert_eq!(billing.show("id=1").body["mac"], FOURTH, "it was changed by hand since");
    assert_eq!(reports(&billing)[0].1, "the same was reported before");
}

#[test]
fn a_board_that_forgets_again_and_again_is_asked_a_few_times_in_an_hour() {
    let billing = Running::start_with(|settings| settings.grace = Duration::ZERO);
    billing.old_intercom();
    let mut door = Board::connect(&billing, "die-old", OLD);
    billing.until("it is known", |b| board_of_door(b).is_some());
    let mut request_id = billing.ask();
    for number in 0..20 {
        door.carries(OLD);
        door.request(&request_id);
        door.reports(&by("die-old", installed_report(&request_id)));
        door.is_over(&request_id);
        let forgotten = json!({
            "state": "online", "board": "die-old", "mac": OLD, "nonce": format!("f-{number}"),
            "new_record": true,
        });
        door.says("presence", true, &forgotten);
        // What comes after it is read after it.
        let mark = format!("mark-{number}");
        door.reports(&by("die-old", report(&mark, "failed", OLD, "S-OLD")));
        door.is_over(&mark);
        if billing.newest_request_id() == request_id {
            assert!((3..10).contains(&number), "{number}");
            return;
        }
        request_id = billing.newest_request_id();
    }
    panic!("without end");
}
