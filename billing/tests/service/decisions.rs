//! What waits for an operator, and what is decided.

use std::time::Duration;

use intercom_billing::store::macs::Believed;
use serde_json::{Value, json};
use ureq::http::Method;

use crate::common::board::Board;
use crate::common::{Answer, NEW, OLD, Running, report};
use crate::strangers::{THIRD, board_of_door, by, installed_on_the_door, is_known, reports};

const DECISIONS: &str = "/api/v1/agent/decisions";

fn questions(billing: &Running) -> Value {
    billing.call(Method::GET, DECISIONS, None).body
}

fn decide(billing: &Running, decision: &Value) -> u16 {
    billing.call(Method::POST, DECISIONS, Some(decision.clone())).status
}

/// Waits for the only question.
fn question(billing: &Running, part: &str) -> Value {
    billing
        .until(part, |b| questions(b)[0]["text"].as_str().is_some_and(|text| text.contains(part)));
    let all = questions(billing);
    assert_eq!(all.as_array().map(Vec::len), Some(1), "{all:#}");
    all[0].clone()
}

/// Presses a button of a page of this origin.
fn press(billing: &Running, origin: Option<&str>, fields: &str) -> Answer {
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Origin", origin.unwrap_or_default()),
    ];
    let headers = if origin.is_some() { &headers[..] } else { &headers[..1] };
    billing.send(Method::POST, "/", headers, Some(fields.into()))
}

#[test]
fn a_change_by_hand_on_any_other_board_waits_for_an_operator() {
    let billing = Running::start();
    billing.old_intercom();
    let mut other = Board::connect(&billing, "die-9", THIRD);
    let before = billing.show("id=1").body;
    other.reports(&by("die-9", report("by-hand", "installed", OLD, "S-OLD")));
    other.is_over("by-hand");
    assert_eq!(billing.show("id=1").body, before);
    let (_, effect) = &reports(&billing)[0];
    assert_eq!(effect, "a change by hand: it waits for an operator");
    let answers = question(&billing, "Board die-9 was changed by hand")["answers"].clone();
    let accept = json!({"decision": "accept_by_hand", "board": "die-9", "id": 1});
    let dismiss = json!({"decision": "dismiss_by_hand", "board": "die-9"});
    assert_eq!(answers, json!([accept, dismiss]));
    let unknown = json!({"decision": "accept_by_hand", "board": "die-8", "id": 1});
    assert_eq!((decide(&billing, &unknown), decide(&billing, &accept)), (404, 204));
    assert_eq!(board_of_door(&billing).as_deref(), Some("die-9"));
    assert_eq!(questions(&billing), json!([]));
}

#[test]
fn a_change_by_hand_that_does_not_count_is_dismissed() {
    let billing = Running::start();
    billing.old_intercom();
    billing.report(by("die-9", report("by-hand", "installed", OLD, "S-OLD")));
    let dismiss = question(&billing, "by hand")["answers"][1].clone();
    assert_eq!(decide(&billing, &dismiss), 204);
    assert_eq!((questions(&billing), board_of_door(&billing)), (json!([]), None));
}

#[test]
fn an_operator_says_whose_a_mac_address_is() {
    let billing = Running::start_with(|settings| settings.boards = Believed::Known);
    billing.old_intercom();
    let request_id = billing.ask();
    let mut spare = Board::connect(&billing, "die-1", NEW);
    let answers = question(&billing, "not enrolled")["answers"].clone();
    assert_eq!(billing.requests()[0]["offered_to"], json!([]), "nobody knows it");
    assert_eq!(answers, json!([{"decision": "enrol", "board": "die-1", "mac": NEW}]));
    assert_eq!(decide(&billing, &answers[0]), 204);
    spare.request(&request_id);
    assert_eq!(questions(&billing), json!([]));
}

#[test]
fn where_only_known_boards_count_a_poll_by_id_is_a_doors_if_its_board_is_enrolled() {
    let billing = Running::start_with(|settings| {
        settings.boards = Believed::Known;
        settings.grace = Duration::ZERO;
    });
    billing.old_intercom();
    let request_id = billing.ask();
    let poll = || billing.pending(&format!("mac={THIRD}&board=die-old&id=1")).body;
    assert_eq!(poll(), json!([]), "nobody knows it");
    let enrol = json!({"decision": "enrol", "board": "die-old", "mac": THIRD});
    assert_eq!(decide(&billing, &enrol), 204);
    assert_eq!(poll()[0]["request_id"], json!(request_id));
}

#[test]
fn where_only_known_boards_count_who_was_first_before_that_is_no_doors_board() {
    let mut billing = Running::start();
    billing.pending(&format!("mac={OLD}&board=thief"));
    billing.restart_with(|settings| {
        settings.boards = Believed::Known;
        settings.grace = Duration::ZERO;
    });
    billing.old_intercom();
    billing.ask();
    assert_eq!(billing.pending(&format!("mac={OLD}&board=thief")).body, json!([]));
    assert_eq!(board_of_door(&billing), None);
}

#[test]
fn who_claims_the_new_mac_and_is_not_believed_is_not_the_board_of_a_door_without_one() {
    let billing = Running::start_with(|settings| {
        settings.boards = Believed::Known;
        settings.grace = Duration::ZERO;
    });
    let enrol = json!({"decision": "enrol", "board": "die-1", "mac": NEW});
    assert_eq!(decide(&billing, &enrol), 204);
    billing.old_intercom();
    let request_id = billing.ask();
    let door = json!({"decision": "offer_to_the_door", "request_id": request_id});
    assert_eq!(decide(&billing, &door), 204);
    for by_id in ["", "&id=1"] {
        let query = format!("mac={NEW}&board=thief{by_id}");
        assert_eq!(billing.pending(&query).body, json!([]));
    }
}

#[test]
fn who_is_second_with_a_mac_address_is_shown_and_gets_it_by_an_operators_word() {
    let billing = Running::start();
    let mut first = Board::connect(&billing, "die-1", NEW);
    billing.until("the first is known", |b| is_known(b, "die-1"));
    first.goes();
    let mut second = Board::connect(&billing, "die-2", NEW);
    let question = question(&billing, "first seen on board die-1");
    let enrol = json!({"decision": "enrol", "board": "die-2", "mac": NEW});
    assert_eq!(question["answers"], json!([enrol]));
    assert_eq!(decide(&billing, &enrol), 204);
    assert_eq!(questions(&billing), json!([]));
    billing.old_intercom();
    second.request(&billing.ask());
}

#[test]
fn a_doors_board_that_carries_something_else_is_asked_again_or_followed() {
    for (answer, mac) in [("ask_again", NEW), ("follow", OLD)] {
        let billing = installed_on_the_door();
        billing.pending(&format!("mac={OLD}&board=die-old"));
        let answers = question(&billing, "nobody asked it to")["answers"].clone();
        let asked = json!({"decision": "ask_again", "board": "die-old"});
        assert_eq!(answers, json!([asked, {"decision": "follow", "board": "die-old"}]));
        assert_eq!(decide(&billing, &json!({"decision": answer, "board": "die-old"})), 204);
        let poll = billing.pending(&format!("mac={OLD}&board=die-old")).body;
        assert_eq!(poll.as_array().map(Vec::len), Some(usize::from(answer == "ask_again")));
        assert_eq!(billing.show("id=1").body["mac"], mac);
        let left = questions(&billing);
        assert!(!left.to_string().contains("ask_again"), "it was asked: {left}");
    }
}

#[test]
fn two_boards_with_one_name_are_shown_until_an_operator_says_that_one_is_left() {
    let billing = Running::start_with(|settings| settings.grace = Duration::ZERO);
    billing.old_intercom();
    let mut door = Board::connect(&billing, "die-old", OLD);
    for mac in [THIRD, OLD] {
        door.carries(mac);
    }
    let answers = question(&billing, "Two boards have the name die-old")["answers"].clone();
    let request_id = billing.ask();
    assert_eq!(billing.requests()[0]["offered_to"], json!([]));
    assert_eq!(decide(&billing, &answers[0]), 204);
    door.request(&request_id);
}

#[test]
fn an_operator_gives_the_doors_board_what_waits_for_a_spare() {
    let billing = Running::start_with(|settings| settings.grace = Duration::ZERO);
    billing.old_intercom();
    billing.post(json!({"mac": NEW}));
    let mut door = Board::connect(&billing, "die-old", OLD);
    let request_id = billing.ask();
    let answers = question(&billing, "waits for the spare")["answers"].clone();
    assert_eq!(answers, json!([{"decision": "offer_to_the_door", "request_id": request_id}]));
    let unknown = json!({"decision": "offer_to_the_door", "request_id": "unknown"});
    assert_eq!((decide(&billing, &unknown), decide(&billing, &answers[0])), (404, 204));
    door.request(&request_id);
    assert_eq!(questions(&billing), json!([]));
}

#[test]
fn a_decision_that_is_none_is_refused() {
    let billing = Running::start();
    for (body, field) in [
        (json!({}), "decision"),
        (json!({"decision": "guess", "board": "die-1"}), "decision"),
        (json!({"decision": "enrol", "board": "a.b", "mac": NEW}), "board"),
        (json!({"decision": "enrol", "board": "die-1"}), "mac"),
        (json!({"decision": "accept_by_hand", "board": "die-1"}), "id"),
        (json!({"decision": "offer_to_the_door"}), "request_id"),
    ] {
        let answer = billing.call(Method::POST, DECISIONS, Some(body));
        let errors = answer.body["errors"].as_object().expect("errors");
        let fields: Vec<_> = errors.keys().map(String::as_str).collect();
        assert_eq!((answer.status, fields), (422, vec![field]));
    }
}

#[test]
fn the_page_shows_what_waits_and_only_its_own_buttons_decide() {
    let mut billing = Running::start();
    billing.old_intercom();
    billing.report(by("die-9", report("by-hand", "installed", OLD, "S-OLD")));
    let page = billing.call(Method::GET, "/", None).text;
    assert!(page.contains("Board die-9 was changed by hand"), "{page}");
    assert!(page.contains("It is the panel of intercom 1 now"), "{page}");
    assert!(!page.contains("http-equiv=\"refresh\""), "who types a number must not lose it");
    let fields = "decision=accept_by_hand&board=die-9&id=1";
    assert_eq!(press(&billing, None, fields).status, 403);
    assert_eq!(press(&billing, Some("http://evil.example"), fields).status, 403);
    assert_eq!(board_of_door(&billing), None);

    let viewer = billing.add_token(&["--role", "viewer"]);
    let operator = billing.add_token(&["--role", "operator"]);
    let own = format!("http://{}", billing.http());
    billing.bearer = Some(viewer);
    let page = billing.call(Method::GET, "/", None).text;
    assert!(page.contains("Board die-9 was changed by hand"), "{page}");
    assert!(!page.contains("method=\"post\""), "{page}");
    assert_eq!(press(&billing, Some(&own), fields).status, 403);
    billing.bearer = Some(operator);
    let pressed = press(&billing, Some(&own), fields);
    assert_eq!(pressed.status, 303, "it leads back to the page: {}", pressed.text);
    assert_eq!(board_of_door(&billing).as_deref(), Some("die-9"));
    assert_eq!(press(&billing, Some(&own), fields).status, 404, "it does not wait any more");
}
