//! The requests as an operator looks at them.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::http::Method;

use crate::common::board::Board;
use crate::common::{Answer, NEW, OLD, Running, documented_example, report};
use crate::roles::contents;

fn list(billing: &Running, query: &str) -> Answer {
    billing.call(Method::GET, &format!("/api/v1/requests?{query}"), None)
}

pub(crate) fn cancel(billing: &Running, request_id: &str) -> Answer {
    billing.call(Method::POST, &format!("/api/v1/requests/{request_id}/cancel"), None)
}

fn make(billing: &Running, body: Value) -> Answer {
    billing.call(Method::POST, "/api/v1/requests", Some(body))
}

/// The documented body, to be tried.
fn dry_run() -> Value {
    let mut body = documented_example();
    body["dry_run"] = json!(true);
    body
}

/// One field of each request on a page.
fn listed(page: &Value, field: &str) -> Vec<Value> {
    let requests = page["requests"].as_array().expect("an array");
    requests.iter().map(|request| request[field].clone()).collect()
}

/// What the only pending request waits for.
fn wait(billing: &Running) -> Value {
    let page = list(billing, "state=pending").body;
    assert_eq!(listed(&page, "state"), ["pending"]);
    page["requests"][0]["wait"].clone()
}

fn mac(last: u8) -> String {
    format!("02:00:00:00:00:{last:02X}")
}

/// So many intercoms, each with a pending request.
fn with_requests(count: u8) -> Running {
    let billing = Running::start();
    for last in 1..=count {
        billing.post(json!({"mac": mac(last)}));
        let new_mac = mac(last + 0x40);
        let body = json!({"mac": mac(last), "new_mac": new_mac, "model": "M", "group_id": 1});
        assert_eq!(billing.patch(body).status, 200);
    }
    billing
}

#[test]
fn the_list_is_read_page_by_page_with_the_newest_first() {
    let billing = with_requests(5);
    let mut ids = Vec::new();
    let mut cursor = String::new();
    for length in [2, 2, 1] {
        let page = list(&billing, &format!("limit=2{cursor}")).body;
        assert_eq!(listed(&page, "intercom_id").len(), length);
        ids.extend(listed(&page, "intercom_id"));
        cursor = format!("&cursor={}", page["next"].as_str().unwrap_or("none"));
    }
    assert_eq!(
        (ids, cursor.as_str()),
        (vec![json!(5), json!(4), json!(3), json!(2), json!(1)], "&cursor=none")
    );
}

#[test]
fn a_filter_leaves_the_requests_that_fit_all_of_it() {
    let billing = with_requests(3);
    billing.pending(&format!("mac={}&board=die-1", mac(0x42)));
    let request_id = list(&billing, "intercom=2").body["requests"][0]["request_id"].clone();
    let request_id = request_id.as_str().expect("an ID");
    billing.report(report(request_id, "installed", &mac(0x42), "S"));
    for (query, expected) in [
        ("state=installed", vec![2]),
        ("state=pending", vec![3, 1]),
        ("state=rejected", vec![]),
        ("intercom=3", vec![3]),
        ("board=die-1", vec![2]),
        ("board=die-1&state=pending", vec![]),
        ("intercom=2&state=installed&board=die-1", vec![2]),
        ("since=2026-01-01", vec![3, 2, 1]),
        ("since=2026-01-01T00:00:00Z&state=pending", vec![3, 1]),
        ("since=9999-01-01", vec![]),
    ] {
        let page = list(&billing, query).body;
        assert_eq!(listed(&page, "intercom_id"), expected, "{query}");
        assert_eq!(page["next"], Value::Null, "{query}");
    }
}

#[test]
fn a_filter_that_is_wrong_is_answered_with_every_error() {
    let billing = Running::start();
    let answer = list(&billing, "state=lost&board=a.b&intercom=0&cursor=x&limit=201");
    assert_eq!(answer.status, 422);
    let fields = answer.body["errors"].as_object().expect("errors");
    let fields: Vec<_> = fields.keys().map(String::as_str).collect();
    assert_eq!(fields, ["board", "cursor", "intercom", "limit", "state"]);
    for since in ["now", "2460000", "2026-13-40", "2026-11-27T18:00:00"] {
        let answer = list(&billing, &format!("since={since}"));
        assert!(answer.body["errors"]["since"].is_array(), "{since}: {answer:?}");
    }
}

#[test]
fn a_cancel_that_would_give_two_intercoms_one_identity_is_refused() {
    let billing = with_requests(2);
    let promised = "UPDATE intercoms SET desired_mac = '02:00:00:00:00:01' WHERE id = 2";
    billing.database.execute(promised);
    let page = list(&billing, "intercom=1").body;
    let request_id = page["requests"][0]["request_id"].as_str().expect("an ID");
    let refused = cancel(&billing, request_id);
    let why = "Intercom 2 has MAC 02:00:00:00:00:01, no serial number, or a part of it.";
    assert_eq!((refused.status, &refused.body["message"]), (409, &json!(why)));
    assert_eq!(billing.show("id=1").body["status"], "pending");
}

#[test]
fn a_request_for_a_spare_says_when_the_spare_was_seen_and_what_can_be_decided() {
    let billing = Running::start();
    billing.old_intercom();
    billing.post(json!({"mac": NEW}));
    let request_id = billing.ask();
    let never = wait(&billing);
    assert_eq!(never["text"], json!(format!("the spare {NEW}, which was never seen")));
    let advice = "Power the spare, or let the old panel take the address now.";
    assert_eq!((&never["advice"], &never["until"]), (&json!(advice), &Value::Null));
    let decision = json!({"decision": "offer_to_the_door", "request_id": request_id});
    assert_eq!(never["decisions"], json!([decision]));
    let mut spare = Board::connect(&billing, "die-1", NEW);
    spare.request(&request_id);
    let there = wait(&billing);
    let text = "the answer of the replacement, board die-1, which is on line";
    assert_eq!((&there["text"], &there["board"]), (&json!(text), &json!("die-1")));
    assert!(there["until"].as_str() > there["since"].as_str(), "{there:#}");
    spare.goes();
    let part = "which was last seen";
    billing.until(part, |b| wait(b)["text"].as_str().is_some_and(|text| text.contains(part)));
}

#[test]
fn a_request_for_a_panel_that_is_off_says_so_and_not_that_it_is_slow() {
    let billing = Running::start_with(|settings| settings.grace = Duration::ZERO);
    billing.old_intercom();
    let mut door = Board::connect(&billing, "die-old", OLD);
    let request_id = billing.ask();
    door.request(&request_id);
    let there = wait(&billing);
    assert_eq!(there["text"], json!("the answer of the door's board die-old, which is on line"));
    door.goes();
    let part = "the door's board die-old, which was last seen";
    billing.until(part, |b| wait(b)["text"].as_str().is_some_and(|text| text.contains(part)));
    let advice =
        format!("Power the panel and connect it, or connect a replacement that carries {NEW}.");
    assert_eq!(wait(&billing)["advice"], json!(advice));
}

#[test]
fn within_the_grace_time_a_request_says_until_when() {
    let billing = Running::start_with(|settings| settings.grace = Duration::from_secs(3600));
    billing.old_intercom();
    billing.ask();
    let waits = wait(&billing);
    assert_eq!(waits["text"], json!("a replacement that already has the new MAC address"));
    assert!(waits["until"].as_str() > waits["since"].as_str(), "{waits:#}");
}

#[test]
fn a_cancelled_request_is_offered_no_more_and_its_identity_is_free() {
    let billing = Running::start_with(|settings| settings.grace = Duration::ZERO);
    billing.old_intercom();
    let mut door = Board::connect(&billing, "die-old", OLD);
    let request_id = billing.ask();
    door.request(&request_id);
    let cancelled = cancel(&billing, &request_id);
    assert_eq!((cancelled.status, &cancelled.body["state"]), (200, &json!("cancelled")));
    assert_eq!(cancelled.body["reason"], json!("by anybody"));
    door.is_over(&request_id);
    let shown = billing.show("id=1").body;
    assert_eq!((&shown["mac"], &shown["status"]), (&json!(OLD), &json!("cancelled")));
    assert_eq!(billing.pending(&format!("mac={OLD}&board=die-old")).body, json!([]));
    assert_eq!(billing.post(json!({"mac": NEW})).status, 201, "it is nobody's");
    assert_eq!(listed(&list(&billing, "state=cancelled").body, "request_id"), [request_id]);
}

#[test]
fn a_cancelled_request_that_is_installed_after_all_counts() {
    let billing = Running::start();
    billing.old_intercom();
    let request_id = billing.ask();
    billing.offered_to_the_replacement();
    cancel(&billing, &request_id);
    billing.report(report(&request_id, "rejected", OLD, "S-OLD"));
    assert_eq!(billing.show("id=1").body["status"], json!("cancelled"));
    billing.report(report(&request_id, "installed", NEW, "new_serial_number"));
    let shown = billing.show("id=1").body;
    assert_eq!((&shown["mac"], &shown["status"]), (&json!(NEW), &json!("installed")));
}

#[test]
fn only_a_pending_request_is_cancelled_and_once_more_changes_nothing() {
    let billing = Running::start();
    billing.old_intercom();
    let superseded = billing.ask();
    let mut other = documented_example();
    other["new_mac"] = json!(mac(9));
    billing.patch(other);
    let request_id = billing.newest_request_id();
    let ended = cancel(&billing, &superseded);
    let message = format!("Request {superseded} has ended.");
    assert_eq!((ended.status, &ended.body), (409, &json!({"message": message})));
    assert_eq!(cancel(&billing, "unknown").status, 404);
    assert_eq!(cancel(&billing, "no%20id").status, 404);
    let first = cancel(&billing, &request_id).body;
    assert_eq!(cancel(&billing, &request_id).body, first);
}

#[test]
fn a_request_is_made_with_the_documented_body_and_says_who_is_asked_first() {
    let billing = Running::start();
    billing.old_intercom();
    let made = make(&billing, documented_example());
    assert_eq!((made.status, &made.body["supersedes"]), (201, &Value::Null));
    assert_eq!((&made.body["from"]["mac"], &made.body["to"]["mac"]), (&json!(OLD), &json!(NEW)));
    let text = "a replacement that already has the new MAC address";
    assert_eq!(made.body["wait"]["text"], json!(text));
    assert_eq!(made.body["panel"], json!({"board": null, "online": false, "last_seen_at": null}));
    let request_id = billing.newest_request_id();
    assert_eq!(made.body["request_id"], json!(request_id));
    assert_eq!(billing.show("id=1").body["title"], documented_example()["name"]);
    let again = make(&billing, documented_example());
    assert_eq!((again.status, &again.body["request_id"]), (200, &json!(request_id)));
    let mut other = documented_example();
    other["new_mac"] = json!(mac(9));
    assert_eq!(make(&billing, other).body["supersedes"], json!(request_id));
}

#[test]
fn a_dry_run_tells_what_a_request_would_do_and_changes_nothing() {
    let billing = Running::start_with(|settings| settings.grace = Duration::ZERO);
    billing.old_intercom();
    let _spare = Board::connect(&billing, "die-1", NEW);
    billing.until("the spare is there", |b| {
        make(b, dry_run()).body["wait"]["board"] == json!("die-1")
    });
    let before = contents(&billing);
    let planned = make(&billing, dry_run());
    assert_eq!((planned.status, &planned.body["request_id"]), (200, &Value::Null));
    assert_eq!((&planned.body["dry_run"], &planned.body["conflicts"]), (&json!(true), &json!([])));
    let text = "the answer of the replacement, board die-1, which is on line";
    assert_eq!(planned.body["wait"]["text"], json!(text));
    assert_eq!(planned.body["to"]["mac"], json!(NEW));
    assert_eq!(contents(&billing), before);
    let pending = billing.ask();
    assert_eq!(make(&billing, dry_run()).body["request_id"], json!(pending), "it is this one");
}

#[test]
fn a_dry_run_of_what_would_be_refused_says_who_has_it() {
    let billing = Running::start();
    billing.old_intercom();
    let other = json!({"mac": NEW, "serial_number": "new_serial_number"});
    assert_eq!(billing.post(other).status, 201);
    assert_eq!(make(&billing, dry_run()).body["conflicts"], json!([]), "a spare is no conflict");
    billing.patch(json!({"id": 2, "group_id": 6}));
    let refused = make(&billing, dry_run());
    let taken = |field: &str, name: &str| {
        let text = format!("The {name} has already been taken.");
        json!({"field": field, "text": text, "intercom_id": 2})
    };
    let expected = [taken("new_mac", "new mac"), taken("new_serial_number", "new serial number")];
    assert_eq!((refused.status, &refused.body["conflicts"]), (200, &json!(expected)));
    assert_eq!((&refused.body["to"], &refused.body["wait"]), (&Value::Null, &Value::Null));
    assert_eq!(make(&billing, documented_example()).status, 422);
}

#[test]
fn a_request_names_an_identity_and_says_plainly_whether_it_is_a_dry_run() {
    let billing = Running::start();
    billing.old_intercom();
    for (body, field) in [
        (json!({"id": 1, "group_id": 6}), "new_mac"),
        (json!({"id": 1, "new_mac": NEW, "model": "M", "dry_run": true}), "group_id"),
        (
            json!({"id": 1, "group_id": 6, "new_mac": NEW, "model": "M", "dry_run": "yes"}),
            "dry_run",
        ),
    ] {
        let answer = make(&billing, body);
        assert!(answer.body["errors"][field].is_array(), "{field}: {answer:?}");
    }
    let mut unknown = dry_run();
    unknown["mac"] = json!(mac(9));
    assert_eq!(make(&billing, unknown).status, 404);
    assert_eq!(billing.requests(), [] as [Value; 0]);
}

#[test]
fn a_spare_whose_own_request_is_cancelled_is_a_spare_again() {
    let billing = Running::start();
    billing.old_intercom();
    assert_eq!(billing.post(json!({"mac": NEW, "serial_number": "S", "model": "M"})).status, 201);
    let other = |id: i64, mac: &str| {
        let body = json!({"id": id, "group_id": 6, "new_mac": mac, "model": "M"});
        assert_eq!(billing.patch(body).status, 200);
        billing.newest_request_id()
    };
    let superseded = other(2, &mac(7));
    let request_id = other(2, &mac(8));
    assert_ne!(request_id, superseded);
    assert_eq!(cancel(&billing, &request_id).status, 200);
    assert_eq!(billing.show("id=2").body["status"], json!("empty"));
    other(1, NEW);
    // With a place of its own it is no spare any more.
    assert_eq!(
        billing.post(json!({"mac": mac(6), "serial_number": "T", "model": "M"})).status,
        201
    );
    let request_id = other(3, &mac(9));
    assert_eq!(billing.patch(json!({"id": 3, "group_id": 6, "title": "A door"})).status, 200);
    assert_eq!(cancel(&billing, &request_id).status, 200);
    assert_eq!(billing.show("id=3").body["status"], json!("cancelled"));
}
