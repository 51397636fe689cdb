//! The audit log: who has changed what.

use std::process::Command;

use serde_json::{Value, json};
use ureq::http::{Method, Request};

use crate::common::browser::Browser;
use crate::common::{INTERCOMS, NEW, OLD, Running, documented_example};
use crate::strangers::installed_on_the_door;

const WEBHOOK_SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u";
const PASSWORD: &str = "hunter2-hunter2";

/// The entries that a filter leaves, the newest first.
pub(crate) fn entries(billing: &Running, query: &str) -> Vec<Value> {
    let page = billing.call(Method::GET, &format!("/api/v1/audit?{query}"), None);
    assert_eq!(page.status, 200, "{page:?}");
    page.body["entries"].as_array().expect("an array").clone()
}

fn newest(billing: &Running) -> Value {
    entries(billing, "limit=1")[0].clone()
}

/// These fields of an entry.
fn part(entry: &Value, fields: &[&str]) -> Value {
    fields.iter().map(|field| entry[field].clone()).collect()
}

fn actions(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["action"].as_str().expect("a word")).collect()
}

/// Runs a command on the database of the running service.
fn run(billing: &Running, command: &[&str]) {
    let done = Command::new(env!("CARGO_BIN_EXE_intercom-billing"))
        .args(command)
        .arg("--database")
        .arg(billing.database.location())
        .output()
        .expect("it runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// A service with an operator's token, token 1, and an intercom.
fn with_operator() -> Running {
    let mut billing = Running::start();
    billing.bearer = Some(billing.add_token(&["--role", "operator", "--name", "the office"]));
    billing.old_intercom();
    billing
}

#[test]
fn each_change_by_the_api_is_told_with_who_what_and_by_which_call() {
    let billing = with_operator();
    let (post, delete) = (Method::POST, Method::DELETE);
    let url = "http://127.0.0.1:9/events?key=of-the-receiver";
    let hours = json!({"group_id": 6, "time_zone": "Etc/UTC", "begins": "22:00", "ends": "07:00"});
    let asked = json!({"id": 1, "group_id": 6, "new_mac": NEW, "model": "M"});
    let enrol = json!({"decision": "enrol", "board": "die-9", "mac": NEW});
    let dismiss = json!({"decision": "dismiss_by_hand", "board": "die-9"});
    let twins = json!({"decision": "no_twins", "board": "die-9"});
    let decisions = "/api/v1/agent/decisions";
    let table = [
        (
            post.clone(),
            "/api/v1/billing/intercoms",
            json!({"mac": "02:00:00:00:00:02"}),
            json!(["create", 2, null, "MAC 02:00:00:00:00:02, no serial number"]),
        ),
        (
            Method::PATCH,
            "/api/v1/billing/intercoms",
            json!({"id": 1, "group_id": 6, "title": "N"}),
            json!(["change", 1, null, "title, group_id"]),
        ),
        (
            Method::PATCH,
            "/api/v1/billing/intercoms",
            asked.clone(),
            json!([
                "replace",
                1,
                null,
                format!("to MAC {NEW}, serial number S-OLD: group_id, model, new_mac")
            ]),
        ),
        (post.clone(), decisions, enrol, json!(["enrol", null, "die-9", NEW])),
        (post.clone(), decisions, dismiss, json!(["dismiss_by_hand", null, "die-9", null])),
        (post.clone(), decisions, twins, json!(["no_twins", null, "die-9", null])),
        (
            post.clone(),
            "/api/v1/webhooks",
            json!({"url": url, "secret": WEBHOOK_SECRET}),
            json!(["add_webhook", null, null, "webhook 1 to http://127.0.0.1:9/events"]),
        ),
        (
            delete.clone(),
            "/api/v1/webhooks?id=1",
            Value::Null,
            json!(["remove_webhook", null, null, "webhook 1"]),
        ),
        (
            post.clone(),
            "/api/v1/quiet-hours",
            hours,
            json!(["set_quiet_hours", null, null, "group 6: 22:00 to 07:00, Etc/UTC"]),
        ),
        (
            delete.clone(),
            "/api/v1/quiet-hours?id=6",
            Value::Null,
            json!(["remove_quiet_hours", null, null, "group 6"]),
        ),
        (
            post,
            "/api/v1/retention",
            json!({"ended_requests_days": 30}),
            json!(["set_retention", null, null, "30 days"]),
        ),
        (delete, "/api/v1/billing/intercoms?id=2", Value::Null, json!(["delete", 2, null, null])),
    ];
    for (method, path, body, expected) in table {
        let answer = billing.call(method, path, Some(body).filter(|body| !body.is_null()));
        assert!(answer.status < 300, "{path}: {answer:?}");
        let entry = newest(&billing);
        assert_eq!(part(&entry, &["action", "intercom_id", "board", "detail"]), expected);
        let who = ["token 1", "token 1 (operator, \"the office\")"];
        assert_eq!(part(&entry, &["actor", "who"]), json!(who));
        assert_eq!(entry["call"].as_str(), answer.call.as_deref());
    }
}

#[test]
fn what_becomes_of_a_request_is_told_with_its_id() {
    let billing = with_operator();
    let ask = json!({"id": 1, "group_id": 6, "new_mac": NEW, "model": "M"});
    let made = billing.call(Method::POST, "/api/v1/requests", Some(ask)).body;
    let request_id = made["request_id"].as_str().expect("an ID");
    let told = |action: &str| json!([action, 1, request_id]);
    let fields = ["action", "intercom_id", "request_id"];
    assert_eq!(part(&newest(&billing), &fields), told("replace"));
    let door = json!({"decision": "offer_to_the_door", "request_id": request_id});
    billing.call(Method::POST, "/api/v1/agent/decisions", Some(door));
    assert_eq!(part(&newest(&billing), &fields), told("offer_to_the_door"));
    let cancel = format!("/api/v1/requests/{request_id}/cancel");
    for _ in 0..2 {
        assert_eq!(billing.call(Method::POST, &cancel, None).status, 200);
    }
    assert_eq!(part(&newest(&billing), &fields), told("cancel"));
    assert_eq!(entries(&billing, "action=cancel").len(), 1, "the second one changes nothing");
}

#[test]
fn what_is_only_tried_or_refused_is_not_told() {
    let billing = with_operator();
    let before = entries(&billing, "");
    let mut tried = documented_example();
    tried["dry_run"] = json!(true);
    assert_eq!(billing.call(Method::POST, "/api/v1/requests", Some(tried)).status, 200);
    assert_eq!(billing.patch(json!({"id": 1, "group_id": 6, "flat_from": "x"})).status, 422);
    assert_eq!(billing.call(Method::POST, "/api/v1/intercoms/1/undo", None).status, 409);
    assert_eq!(billing.delete("id=9").status, 404);
    assert_eq!(entries(&billing, ""), before);
}

#[test]
fn who_has_a_board_asked_again_or_followed_or_goes_back_is_told() {
    for action in ["ask_again", "follow"] {
        let billing = installed_on_the_door();
        billing.pending(&format!("mac={OLD}&board=die-old"));
        let decision = json!({"decision": action, "board": "die-old"});
        let decided = billing.call(Method::POST, "/api/v1/agent/decisions", Some(decision));
        assert_eq!(decided.status, 204, "{decided:?}");
        let entry = newest(&billing);
        let fields = ["actor", "action", "intercom_id", "board"];
        assert_eq!(part(&entry, &fields), json!(["anybody", action, 1, "die-old"]));
        if action == "ask_again" {
            let asked = &billing.requests()[0];
            assert_eq!(
                part(asked, &["request_id", "asked_by"]),
                part(&entry, &["request_id", "who"])
            );
        }
    }
    let billing = installed_on_the_door();
    let undone = billing.call(Method::POST, "/api/v1/intercoms/1/undo", None);
    assert_eq!(undone.status, 201, "{undone:?}");
    let fields = ["action", "intercom_id", "request_id", "detail"];
    let expected =
        json!(["undo", 1, undone.body["request_id"], format!("to MAC {OLD}, serial number S-OLD")]);
    assert_eq!(part(&newest(&billing), &fields), expected);
}

#[test]
fn a_panels_patch_is_told_once_as_its_report() {
    let mut billing = Running::start_with(|settings| settings.grace = std::time::Duration::ZERO);
    let operator = billing.add_token(&["--role", "operator"]);
    let panel = billing.add_token(&["--role", "panel", "--board", "die-1"]);
    billing.bearer = Some(operator.clone());
    billing.old_intercom();
    let request_id = billing.ask();
    billing.bearer = Some(panel);
    billing.pending(&format!("mac={OLD}"));
    let report = json!({
        "mac": OLD, "new_mac": NEW, "new_serial_number": "new_serial_number", "model": "3516EV200",
        "log_extra": {"request_id": request_id}
    });
    for _ in 0..2 {
        assert_eq!(billing.patch(report.clone()).status, 200);
    }
    billing.bearer = Some(operator);
    let told = entries(&billing, "actor=token%202");
    let fields = ["who", "action", "intercom_id", "request_id", "board"];
    let expected = json!(["token 2 (panel die-1)", "report", 1, request_id, "die-1"]);
    let told: Vec<Value> = told.iter().map(|entry| part(entry, &fields)).collect();
    assert_eq!(told, [expected], "a repeated report changes nothing");
}

#[test]
fn what_commands_and_the_page_change_is_told() {
    let billing = with_operator();
    billing.token(&["revoke", "9"]);
    billing.add_token(&["--role", "viewer"]);
    assert!(billing.token(&["revoke", "2"]).status.success());
    run(&billing, &["webhooks", "add", "--url", "http://127.0.0.1:9/events?key=of-the-receiver"]);
    run(&billing, &["webhooks", "remove", "1"]);
    let hours = ["--time-zone", "Etc/UTC", "--begins", "22:00", "--ends", "07:00"];
    run(&billing, &[&["quiet-hours", "set", "6"][..], &hours].concat());
    run(&billing, &["quiet-hours", "remove", "6"]);
    run(&billing, &["retention", "set", "30"]);
    let output = billing.dir.path().join("gate-1").display().to_string();
    let http = "http://127.0.0.1:8080/";
    let enrol = ["enrol", "gate-1", "--output", &output, "--http-url", http, "--mac", NEW];
    run(&billing, &enrol);
    let fields = ["action", "token", "board", "call", "detail"];
    let told = entries(&billing, "actor=command%20line");
    let told: Vec<Value> = told.iter().rev().map(|entry| part(entry, &fields)).collect();
    let expected = json!([
        ["add_token", 1, null, null, "operator, \"the office\""],
        ["add_token", 2, null, null, "viewer"],
        ["revoke_token", 2, null, null, null],
        ["add_webhook", null, null, null, "webhook 1 to http://127.0.0.1:9/events"],
        ["remove_webhook", null, null, null, "webhook 1"],
        ["set_quiet_hours", null, null, null, "group 6: 22:00 to 07:00, Etc/UTC"],
        ["remove_quiet_hours", null, null, null, "group 6"],
        ["set_retention", null, null, null, "30 days"],
        ["enrol", null, "gate-1", null, NEW],
        ["add_token", 3, "gate-1", null, "panel"],
    ]);
    assert_eq!(json!(told), expected);

    let token = billing.bearer.clone().expect("a token");
    let mut browser = Browser::signed_in(&billing, &token);
    browser.press("/tokens", &[("role", "viewer"), ("name", "the lobby")]);
    browser.press("/tokens/revoke", &[("number", "4")]);
    browser.press("/door?id=1", &[("new_mac", NEW), ("model", "M"), ("group_id", "6")]);
    let told = entries(&billing, "actor=token%201&limit=3");
    assert_eq!(actions(&told), ["replace", "revoke_token", "add_token"]);
    assert!(told.iter().all(|entry| entry["call"].is_string()), "{told:?}");
}

#[test]
fn who_signs_in_and_out_is_told_and_a_failed_attempt_once() {
    let billing = with_operator();
    let token = billing.bearer.clone().expect("a token");
    let panel = billing.add_token(&["--role", "panel", "--board", "die-1"]);
    let mut browser = Browser::signed_in(&billing, &token);
    for _ in 0..2 {
        browser.press("/sign-out", &[]);
    }
    for wrong in ["wrong", &panel, ""] {
        assert_eq!(browser.press("/sign-in", &[("token", wrong)]).status, 401);
    }
    let fields = ["actor", "action", "token", "detail"];
    let told = entries(&billing, "limit=3");
    assert!(told.iter().all(|entry| entry["call"].is_string()), "{told:?}");
    let told: Vec<Value> = told.iter().map(|entry| part(entry, &fields)).collect();
    let expected = json!([
        ["unknown", "sign_in_failed", null, "from 127.0.0.1"],
        ["token 1", "sign_out", null, null],
        ["token 1", "sign_in", null, "from 127.0.0.1"],
    ]);
    assert_eq!(json!(told), expected);
    assert_eq!(entries(&billing, "actor=unknown&action=sign_in_failed").len(), 1);
}

#[test]
fn no_entry_has_a_secret_and_it_is_told_what_was_not_kept() {
    let billing = with_operator();
    let list = json!([{"login": "root", "password": PASSWORD}]);
    let body = json!({"id": 1, "group_id": 6, "log_extra": PASSWORD, "onvif_credentials": list});
    assert_eq!(billing.patch(body).status, 200);
    let detail = "group_id, log_extra, onvif_credentials (not kept)";
    assert_eq!(newest(&billing)["detail"], detail);
    let url = "http://127.0.0.1:9/events?key=of-the-receiver";
    let webhook = json!({"url": url, "secret": WEBHOOK_SECRET});
    assert_eq!(billing.call(Method::POST, "/api/v1/webhooks", Some(webhook)).status, 201);
    let viewer = billing.add_token(&["--role", "viewer"]);
    let told = json!(entries(&billing, "")).to_string();
    let operator = billing.bearer.clone().expect("a token");
    for secret in [PASSWORD, "of-the-receiver", WEBHOOK_SECRET, &viewer, &operator] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
}

#[test]
fn the_filters_and_the_pages_leave_what_is_asked_for() {
    let billing = with_operator();
    billing.post(json!({"mac": "02:00:00:00:00:02"}));
    for title in ["A", "B", "C"] {
        billing.patch(json!({"id": 2, "group_id": 6, "title": title}));
    }
    let of = |query: &str| entries(&billing, query);
    assert_eq!(actions(&of("intercom=2")), ["change", "change", "change", "create"]);
    assert_eq!(actions(&of("intercom=2&action=create")), ["create"]);
    assert_eq!(actions(&of("actor=command%20line")), ["add_token"]);
    assert_eq!(actions(&of("actor=command%20line&action=create")), [""; 0]);
    assert_eq!(actions(&of("action=create")), ["create", "create"]);
    assert_eq!(actions(&of("actor=token%209")), [""; 0]);
    assert_eq!(of("since=2020-01-01"), of(""));
    assert_eq!(of("since=2999-01-01"), [json!(null); 0]);
    let mut seen = Vec::new();
    let mut query = "limit=2".to_owned();
    loop {
        let page = billing.call(Method::GET, &format!("/api/v1/audit?{query}"), None).body;
        seen.extend(page["entries"].as_array().expect("an array").clone());
        match page["next"].as_str() {
            Some(next) => query = format!("limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, of(""));
    for wrong in ["action=none", "intercom=x", "since=x", "limit=201", "cursor=x"] {
        let answer = billing.call(Method::GET, &format!("/api/v1/audit?{wrong}"), None);
        assert_eq!(answer.status, 422, "{wrong}");
    }
}

#[test]
fn a_change_that_cannot_be_told_is_not_made() {
    let billing = with_operator();
    billing.database.execute("ALTER TABLE audit RENAME COLUMN action TO away");
    let before = billing.show("id=1").body;
    // Not by `patch`: no call is described as one that fails so.
    let url = format!("http://{}{INTERCOMS}", billing.http());
    let token = billing.bearer.as_ref().expect("a token");
    let request = Request::patch(url)
        .header("Authorization", format!("Bearer {token}"))
        .header("Content-Type", "application/json");
    let request = request.body(r#"{"id": 1, "group_id": 7}"#).expect("a request");
    assert_eq!(billing.agent.run(request).expect("an answer").status(), 500);
    assert_eq!(billing.show("id=1").body, before);
}
