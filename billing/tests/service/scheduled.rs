//! When a request may be offered: its own times, and the quiet hours of its group.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use ureq::http::Method;

use crate::common::board::Board;
use crate::common::{NEW, OLD, Running, report};

const QUIET_HOURS: &str = "/api/v1/quiet-hours";
const LATER: &str = "2100-01-01T00:00:00Z";

/// One door in group 6, whose panel is asked at once.
fn one_door() -> Running {
    let billing = Running::start_with(|settings| settings.grace = Duration::ZERO);
    billing.old_intercom();
    billing
}

fn ask(billing: &Running, besides: Value) -> Value {
    let mut body = json!({"id": 1, "group_id": 6, "new_mac": NEW, "model": "M"});
    let besides = besides.as_object().expect("an object").clone();
    body.as_object_mut().expect("an object").extend(besides);
    let answer = billing.patch(body);
    json!({"status": answer.status, "errors": answer.body["errors"]})
}

fn offered(billing: &Running) -> usize {
    let poll = billing.pending(&format!("mac={OLD}&board=die-1")).body;
    poll.as_array().expect("an array").len()
}

fn waits_for(billing: &Running) -> String {
    billing.requests()[0]["waits_for"].as_str().expect("a text").to_owned()
}

/// The hour of the day, so many hours from now in UTC.
fn hour(from_now: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs();
    format!("{:02}:00", (now / 3600 + from_now) % 24)
}

fn set_quiet_hours(billing: &Running, begins: &str, ends: &str) -> u16 {
    let body = json!({"group_id": 6, "time_zone": "Etc/UTC", "begins": begins, "ends": ends});
    billing.call(Method::POST, QUIET_HOURS, Some(body)).status
}

#[test]
fn nobody_is_offered_a_request_before_its_time() {
    let billing = one_door();
    assert_eq!(ask(&billing, json!({"not_before": LATER}))["status"], 200);
    assert_eq!(offered(&billing), 0);
    assert_eq!(waits_for(&billing), format!("its time, {LATER}"));
    // The same for now takes its place.
    assert_eq!(ask(&billing, json!({}))["status"], 200);
    assert_eq!(billing.requests().len(), 2);
    assert_eq!(offered(&billing), 1);
    assert_eq!(ask(&billing, json!({}))["status"], 200);
    assert_eq!(billing.requests().len(), 2, "it is the same request");
}

#[test]
fn a_request_that_nobody_ends_in_time_is_rejected() {
    let billing = one_door();
    let _door = Board::connect(&billing, "die-1", OLD);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_millis();
    let soon = now as i64 + 1_500;
    let soon = format!("{}", jiff::Timestamp::from_millisecond(soon).expect("a time"));
    assert_eq!(ask(&billing, json!({"expires": soon}))["status"], 200);
    billing.until("it has expired", |b| b.requests()[0]["state"] == "rejected");
    assert_eq!(billing.requests()[0]["reason"], "it has expired");
    let shown = billing.show("id=1").body;
    assert_eq!((&shown["mac"], &shown["status"]), (&json!(OLD), &json!("rejected")));
}

#[test]
fn a_time_that_is_none_is_refused() {
    let billing = one_door();
    for (besides, field) in [
        (json!({"not_before": "tomorrow"}), "not_before"),
        (json!({"not_before": 5}), "not_before"),
        (json!({"expires": "2020-01-01T00:00:00Z"}), "expires"),
        (json!({"not_before": LATER, "expires": "2099-01-01T00:00:00Z"}), "expires"),
    ] {
        let answer = ask(&billing, besides);
        let fields = answer["errors"].as_object().expect("errors");
        assert_eq!(fields.keys().map(String::as_str).collect::<Vec<_>>(), [field]);
    }
    assert_eq!(billing.requests(), Vec::<Value>::new());
}

#[test]
fn in_the_quiet_hours_of_its_group_a_doors_panel_is_offered_nothing() {
    let billing = one_door();
    let mut door = Board::connect(&billing, "die-1", OLD);
    assert_eq!(set_quiet_hours(&billing, &hour(23), &hour(2)), 204);
    assert_eq!(ask(&billing, json!({}))["status"], 200);
    assert!(waits_for(&billing).starts_with("the end of the quiet hours at "));
    assert_eq!(offered(&billing), 0);
    assert_eq!(set_quiet_hours(&billing, &hour(2), &hour(3)), 204, "they are later");
    door.request(&billing.newest_request_id());
}

#[test]
fn in_quiet_hours_a_replacement_on_the_wall_is_asked_all_the_same() {
    let billing = one_door();
    assert_eq!(set_quiet_hours(&billing, &hour(23), &hour(2)), 204);
    let mut spare = Board::connect(&billing, "die-new", NEW);
    assert_eq!(ask(&billing, json!({}))["status"], 200);
    spare.request(&billing.newest_request_id());
}

#[test]
fn quiet_hours_are_set_listed_and_removed() {
    let billing = one_door();
    let list = |b: &Running| b.call(Method::GET, QUIET_HOURS, None).body;
    let night = json!({
        "group_id": 6, "time_zone": "Europe/Berlin", "begins": "22:00", "ends": "07:00"
    });
    assert_eq!(billing.call(Method::POST, QUIET_HOURS, Some(night.clone())).status, 204);
    assert_eq!(list(&billing), json!([night]));
    for (field, value) in [
        ("group_id", json!(7)),
        ("time_zone", json!("Nowhere/Here")),
        ("begins", json!("25:00")),
        ("ends", json!("22:00")),
        ("ends", Value::Null),
    ] {
        let mut wrong = night.clone();
        wrong[field] = value;
        let answer = billing.call(Method::POST, QUIET_HOURS, Some(wrong));
        let errors = answer.body["errors"].as_object().expect("errors");
        assert_eq!((answer.status, errors.keys().next().map(String::as_str)), (422, Some(field)));
    }
    let remove = |b: &Running| b.call(Method::DELETE, &format!("{QUIET_HOURS}?id=6"), None).status;
    assert_eq!((remove(&billing), remove(&billing)), (204, 404));
    assert_eq!(list(&billing), json!([]));
}

#[test]
fn how_long_requests_are_kept_is_set_in_days() {
    const RETENTION: &str = "/api/v1/retention";
    let billing = Running::start();
    let days =
        |b: &Running| b.call(Method::GET, RETENTION, None).body["ended_requests_days"].clone();
    let set = |b: &Running, days: Value| {
        b.call(Method::POST, RETENTION, Some(json!({"ended_requests_days": days}))).status
    };
    assert_eq!(days(&billing), 90);
    assert_eq!(set(&billing, json!(30)), 204);
    for wrong in [json!(0), json!(36_501), json!("30 days"), Value::Null] {
        assert_eq!(set(&billing, wrong), 422);
    }
    assert_eq!(days(&billing), 30);
}

#[test]
fn why_a_panel_has_put_a_request_off_is_shown() {
    let billing = one_door();
    assert_eq!(offered(&billing), 0);
    ask(&billing, json!({}));
    assert_eq!(offered(&billing), 1);
    let mut deferred = report(&billing.newest_request_id(), "deferred", OLD, "S-OLD");
    deferred["deferred_seconds"] = json!(600);
    deferred["reason"] = json!("a call is going on");
    assert_eq!(billing.report(deferred).status, 204);
    let text = waits_for(&billing);
    assert!(text.starts_with("the answer of the door's board die-1, which has deferred it until "));
    assert!(text.ends_with(": a call is going on"), "{text}");
}
