//! The intercoms as an operator looks at them.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use ureq::http::Method;

use crate::common::board::Board;
use crate::common::{Answer, NEW, OLD, Running, documented_example, report};

fn search(billing: &Running, query: &str) -> Answer {
    billing.call(Method::GET, &format!("/api/v1/intercoms?{query}"), None)
}

/// The IDs of the intercoms on a page.
fn ids(page: &Answer) -> Vec<i64> {
    assert_eq!(page.status, 200, "{page:?}");
    let intercoms = page.body["intercoms"].as_array().expect("an array");
    intercoms.iter().map(|intercom| intercom["id"].as_i64().expect("an ID")).collect()
}

fn mac(last: u8) -> String {
    format!("02:00:00:00:00:{last:02X}")
}

/// Four intercoms; the first one is in its place, and was replaced once.
fn with_intercoms() -> Running {
    let billing = Running::start();
    billing.old_intercom();
    let request_id = billing.ask();
    billing.offered_to_the_replacement();
    billing.report(report(&request_id, "installed", NEW, "new_serial_number"));
    for (last, external_id, title) in
        [(2, "EXT_2", "North gate"), (3, "EXT_3", "Северные ворота 12"), (4, "OTHER", "\"North\"*")]
    {
        let serial_number = format!("S{last}");
        let new = json!({"mac": mac(last), "serial_number": serial_number,
            "external_id": external_id, "title": title});
        assert_eq!(billing.post(new).status, 201);
    }
    billing
}

#[test]
fn an_intercom_is_found_by_what_it_has_had_and_is_asked_to_take() {
    let billing = with_intercoms();
    let body = json!({"mac": mac(2), "new_mac": mac(7), "new_serial_number": "S7", "model": "M",
        "group_id": 1});
    assert_eq!(billing.patch(body).status, 200);
    let old = OLD.to_lowercase().replace(':', "-");
    for (query, expected) in [
        (format!("mac={NEW}"), vec![1]),
        (format!("mac={old}"), vec![1]),
        ("serial_number=S-OLD".to_owned(), vec![1]),
        ("serial_number=new_serial_number".to_owned(), vec![1]),
        (format!("mac={}", mac(2)), vec![2]),
        (format!("mac={}", mac(7)), vec![2]),
        ("serial_number=S7".to_owned(), vec![2]),
        (format!("mac={}", mac(9)), vec![]),
        ("title=no%00gate".to_owned(), vec![]),
        ("title=%00".to_owned(), vec![]),
        ("external_id=EXT_2".to_owned(), vec![2]),
        ("external_id=EXT_".to_owned(), vec![]),
        ("external_id_prefix=EXT_".to_owned(), vec![2, 3]),
        ("external_id_prefix=EXT_3".to_owned(), vec![3]),
        (String::new(), vec![1, 2, 3, 4]),
    ] {
        let page = search(&billing, &query);
        assert_eq!((ids(&page), &page.body["next"]), (expected, &Value::Null), "{query}");
    }
}

#[test]
fn a_title_is_found_by_the_beginnings_of_its_words_in_any_case() {
    let billing = with_intercoms();
    for (words, expected) in [
        ("gate", vec![2]),
        ("GA+nor", vec![2]),
        ("nor", vec![2, 4]),
        ("orth", vec![]),
        ("%D1%81%D0%B5%D0%B2+12", vec![3]),
        ("interc", vec![1]),
        ("north+OR+gate", vec![]),
        ("%22", vec![]),
        ("*", vec![]),
    ] {
        assert_eq!(ids(&search(&billing, &format!("title={words}"))), expected, "{words}");
    }
    billing.patch(json!({"id": 2, "group_id": 6, "title": "South door"}));
    billing.delete("id=4");
    assert_eq!(ids(&search(&billing, "title=nor")), [] as [i64; 0]);
    assert_eq!(ids(&search(&billing, "title=south")), [2]);
}

#[test]
fn a_title_is_found_without_its_marks_and_in_parts_of_a_word() {
    let billing = Running::start();
    let titles = ["São-Paulo/étage 3.5", "ПОДЪЕЗД №2, й", "Łódź e\u{301}te www.gate.example"];
    for (title, last) in titles.into_iter().zip(1..) {
        assert_eq!(billing.post(json!({"mac": mac(last), "title": title})).status, 201);
    }
    for (words, expected) in [
        ("sao", vec![1]),
        ("SÃO", vec![1]),
        ("paulo", vec![1]),
        ("são-pau", vec![1]),
        ("sa-paulo", vec![]),
        ("paulo-são", vec![]),
        ("etage 5", vec![1]),
        ("3.5", vec![1]),
        ("étag -", vec![1]),
        ("подъе 2", vec![2]),
        ("№", vec![]),
        ("й", vec![2]),
        ("и", vec![]),
        ("łod", vec![3]),
        ("lodz", vec![]),
        ("ete", vec![3]),
        ("éte", vec![3]),
        ("gate", vec![3]),
        ("'gate' & ! | (:*\\", vec![3]),
    ] {
        let query = utf8_percent_encode(words, NON_ALPHANUMERIC);
        assert_eq!(ids(&search(&billing, &format!("title={query}"))), expected, "{words}");
    }
}

#[test]
fn a_search_is_narrowed_by_state_and_by_who_is_on_line() {
    let billing = with_intercoms();
    for (query, expected) in [
        ("state=empty", vec![2, 3, 4]),
        ("state=installed", vec![1]),
        ("state=installed&online=true", vec![1]),
        ("online=false", vec![2, 3, 4]),
        ("title=nor&state=installed", vec![]),
        ("external_id_prefix=EXT&online=false", vec![2, 3]),
    ] {
        assert_eq!(ids(&search(&billing, query)), expected, "{query}");
    }
    let unknown = search(&billing, "state=unknown");
    let errors = json!({"state": ["The selected state is invalid."]});
    assert_eq!((unknown.status, &unknown.body["errors"]), (422, &errors));
}

#[test]
fn the_list_is_read_page_by_page() {
    let billing = with_intercoms();
    for (query, expected) in [
        ("", [vec![1, 2], vec![3, 4]]),
        ("state=empty&", [vec![2, 3], vec![4]]),
        ("external_id_prefix=E&limit=1&", [vec![2], vec![3]]),
    ] {
        let first = search(&billing, &format!("limit=2&{query}"));
        let next = first.body["next"].as_str().expect("a next page");
        let second = search(&billing, &format!("limit=2&{query}cursor={next}"));
        assert_eq!([ids(&first), ids(&second)], expected, "{query}");
        assert_eq!(second.body["next"], Value::Null, "{query}");
    }
}

#[test]
fn each_intercom_says_when_its_panel_was_seen_and_what_it_waits_for() {
    let billing = Running::start();
    billing.old_intercom();
    let never = &search(&billing, "").body["intercoms"][0];
    assert_eq!((&never["online"], &never["last_seen_at"]), (&json!(false), &Value::Null));
    let mut panel = Board::connect(&billing, "die-old", OLD);
    billing.until("it is on line", |b| ids(&search(b, "online=true")) == [1]);
    let request_id = billing.ask();
    panel.goes();
    billing.until("it is gone", |b| ids(&search(b, "online=false")) == [1]);
    let gone = &search(&billing, &format!("mac={OLD}")).body["intercoms"][0];
    assert_eq!((&gone["mac"], &gone["confirmed"]["mac"]), (&json!(NEW), &json!(OLD)));
    assert_eq!(gone["board"], json!("die-old"));
    assert!(gone["last_seen_at"].is_string(), "{gone:#}");
    assert_eq!(gone["pending"]["request_id"], json!(request_id));
    let text = gone["pending"]["wait"]["text"].as_str().expect("words");
    assert_eq!(text, "a replacement that already has the new MAC address");
}

#[test]
fn a_search_that_is_wrong_is_answered_with_every_error() {
    let billing = Running::start();
    for (query, expected) in [
        ("mac=x&online=maybe&limit=0&cursor=x", vec!["cursor", "limit", "mac", "online"]),
        ("title=a&external_id=b", vec!["external_id", "title"]),
    ] {
        let answer = search(&billing, query);
        assert_eq!(answer.status, 422, "{query}");
        let fields = answer.body["errors"].as_object().expect("errors");
        assert_eq!(fields.keys().map(String::as_str).collect::<Vec<_>>(), expected, "{query}");
    }
}

fn history(billing: &Running, id: i64) -> Answer {
    billing.call(Method::GET, &format!("/api/v1/intercoms/{id}/history"), None)
}

/// MAC address, who asked, why, and how it ended, of each hardware.
fn told(timeline: &Value) -> Vec<[Value; 4]> {
    let hardware = timeline["hardware"].as_array().expect("an array");
    let part = |one: &Value| ["mac", "asked_by", "cause", "ended"].map(|field| one[field].clone());
    hardware.iter().map(part).collect()
}

#[test]
fn the_history_of_a_door_tells_its_hardware_who_asked_for_it_and_how_it_ended() {
    let billing = Running::start();
    billing.old_intercom();
    let first = history(&billing, 1);
    assert_eq!(told(&first.body), [[json!(OLD), Value::Null, Value::Null, Value::Null]]);
    let rejected = billing.ask();
    billing.offered_to_the_replacement();
    billing.report(report(&rejected, "rejected", OLD, "S-OLD"));
    let request_id = billing.ask();
    billing.offered_to_the_replacement();
    billing.report(report(&request_id, "installed", NEW, "new_serial_number"));
    let timeline = history(&billing, 1).body;
    let replaced = format!("replaced by request {request_id}");
    assert_eq!(
        told(&timeline),
        [
            [json!(NEW), json!("anybody"), json!("asked"), Value::Null],
            [json!(OLD), Value::Null, Value::Null, json!(replaced)],
        ]
    );
    let [now, before] = [&timeline["hardware"][0], &timeline["hardware"][1]];
    assert_eq!((&now["request_id"], &now["board"]), (&json!(request_id), &json!("die-1")));
    assert_eq!(now["log_extra"], documented_example()["log_extra"]);
    assert_eq!((&now["from"], &now["to"]), (&before["to"], &Value::Null));
    let asked = timeline["requests"].as_array().expect("an array").iter();
    let asked: Vec<_> = asked.map(|request| (&request["request_id"], &request["state"])).collect();
    let [installed, rejected] = [json!(request_id), json!(rejected)];
    let expected = [(&installed, &json!("installed")), (&rejected, &json!("rejected"))];
    assert_eq!(asked, expected);
}

#[test]
fn a_change_by_hand_is_in_the_history() {
    let billing = Running::start();
    billing.old_intercom();
    billing.pending(&format!("mac={OLD}&board=die-1"));
    billing.report(report("by-hand", "installed", "02:00:00:00:00:07", "S7"));
    let timeline = history(&billing, 1).body;
    let by_hand = [json!("02:00:00:00:00:07"), Value::Null, Value::Null, Value::Null];
    let before = [json!(OLD), Value::Null, Value::Null, json!("changed by hand")];
    assert_eq!(told(&timeline), [by_hand, before]);
}

#[test]
fn a_deleted_intercom_has_a_history_and_one_that_never_was_has_none() {
    let billing = Running::start();
    billing.old_intercom();
    assert_eq!(billing.delete("id=1").status, 204);
    let timeline = history(&billing, 1).body;
    assert!(timeline["deleted_at"].is_string(), "{timeline:#}");
    assert_eq!(timeline["hardware"][0]["ended"], json!("the intercom was deleted"));
    assert_eq!(history(&billing, 2).status, 404);
    assert_eq!(billing.call(Method::GET, "/api/v1/intercoms/one/history", None).status, 404);
}

fn undo(billing: &Running) -> Answer {
    billing.call(Method::POST, "/api/v1/intercoms/1/undo", None)
}

/// Why it is not done.
fn refused(answer: &Answer) -> &str {
    assert_eq!(answer.status, 409, "{answer:?}");
    answer.body["message"].as_str().expect("a message")
}

/// The door's panel was replaced by `die-1`.
fn replaced() -> Running {
    let billing = Running::start_with(|settings| settings.grace = Duration::ZERO);
    billing.old_intercom();
    let request_id = billing.ask();
    billing.offered_to_the_replacement();
    billing.report(report(&request_id, "installed", NEW, "new_serial_number"));
    billing
}

#[test]
fn an_undo_asks_for_the_hardware_before_and_the_earlier_panel_gets_it() {
    let billing = replaced();
    let asked = undo(&billing);
    assert_eq!((asked.status, &asked.body["cause"]), (201, &json!("undo")));
    let before = json!({"mac": OLD, "serial_number": "S-OLD", "model": "3516EV200"});
    assert_eq!(asked.body["to"], before);
    let poll = billing.pending(&format!("mac={OLD}&board=die-old")).body;
    assert_eq!(
        (&poll[0]["new_mac"], &poll[0]["new_serial_number"]),
        (&json!(OLD), &json!("S-OLD"))
    );
    let request_id = asked.body["request_id"].as_str().expect("an ID");
    let mut back = report(request_id, "installed", OLD, "S-OLD");
    back["board"] = json!("die-old");
    billing.report(back);
    let timeline = history(&billing, 1).body;
    let now = &timeline["hardware"][0];
    let expected = (&json!(OLD), &json!("die-old"), &json!("undo"));
    assert_eq!((&now["mac"], &now["board"], &now["cause"]), expected);
    let again = undo(&billing);
    assert_eq!(again.body["to"]["mac"], json!(NEW), "and back again");
}

#[test]
fn an_undo_where_the_earlier_panel_is_gone_is_for_the_panel_that_is_there() {
    let billing = replaced();
    let request_id = undo(&billing).body["request_id"].clone();
    let poll = billing.pending(&format!("mac={NEW}&board=die-1")).body;
    assert_eq!(poll[0]["request_id"], request_id);
}

#[test]
fn an_undo_for_the_board_that_had_it_before_waits_for_no_polls_of_its_own() {
    let billing = Running::start_with(|settings| settings.grace = Duration::ZERO);
    billing.old_intercom();
    billing.pending(&format!("mac={OLD}&board=die-1"));
    let request_id = billing.ask();
    billing.pending(&format!("mac={OLD}&board=die-1"));
    billing.report(report(&request_id, "installed", NEW, "new_serial_number"));
    let request_id = undo(&billing).body["request_id"].clone();
    let poll = billing.pending(&format!("mac={NEW}&board=die-1")).body;
    assert_eq!(poll[0]["request_id"], request_id);
}

#[test]
fn an_undo_is_refused_while_something_is_pending_and_where_there_is_nothing_to_go_back_to() {
    let billing = Running::start();
    assert_eq!(undo(&billing).status, 404);
    billing.old_intercom();
    assert_eq!(refused(&undo(&billing)), "The intercom had no other hardware before.");
    let request_id = billing.ask();
    let expected = format!("Request {request_id} is pending: cancel it first.");
    assert_eq!(refused(&undo(&billing)), expected);
}

#[test]
fn an_undo_is_refused_while_another_door_has_the_identity() {
    let billing = replaced();
    assert_eq!(billing.post(json!({"mac": OLD, "serial_number": "S-OLD"})).status, 201);
    billing.patch(json!({"id": 2, "group_id": 6}));
    let expected = format!("Intercom 2 has MAC {OLD}, serial number S-OLD, or a part of it.");
    assert_eq!(refused(&undo(&billing)), expected);
    billing.delete("id=2");
    assert_eq!(undo(&billing).status, 201, "it is free again");
}
