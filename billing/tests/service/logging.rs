//! The log of the running program.

use intercom_test_support::is_on_postgres;
use serde_json::{Value, json};
use ureq::http::Method;

use crate::common::program::Program;
use crate::common::{INTERCOMS, OLD};

const NAME: &str = "the \"office\"\nof A";

/// A call with the token; its ID, as the answer says it.
fn call(service: &Program, method: Method, path: &str, body: &Value) -> String {
    let answer = service.caller.call(method, path, body);
    answer.headers()["x-request-id"].to_str().expect("text").to_owned()
}

/// The line that the call is answered with.
fn line_of(service: &mut Program, id: &str) -> String {
    loop {
        let line = service.process.wait_for(id);
        if line.contains("answered") {
            return line;
        }
    }
}

#[test]
fn a_call_is_one_line_of_json_with_its_id_who_called_the_route_and_the_status() {
    let mut service = Program::start(NAME, &["--log", "json"]);
    let id = call(&service, Method::POST, INTERCOMS, &json!({"mac": OLD}));
    let line: Value = serde_json::from_str(&line_of(&mut service, &id)).expect("JSON");
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["status"], 201);
    assert!(line["ms"].is_u64(), "{line}");
    let time = line["timestamp"].as_str().expect("a time");
    assert!(time.len() == "2026-01-31T12:00:00.000000Z".len() && time.ends_with('Z'), "{time}");
    assert_eq!(
        line["span"],
        json!({
            "name": "call", "id": id, "method": "POST", "route": INTERCOMS,
            "who": "token 1 (operator, \"the \\\"office\\\"\\nof A\")"
        })
    );
}

#[test]
fn a_line_of_text_stays_one_line_whatever_a_token_is_called() {
    let mut service = Program::start(NAME, &[]);
    let id = call(&service, Method::POST, INTERCOMS, &json!({"mac": OLD}));
    let line = line_of(&mut service, &id);
    for part in [" INFO ", "answered status=201 ms=", "method=\"POST\"", "token 1 (operator"] {
        assert!(line.contains(part), "{part} in {line}");
    }
}

#[test]
fn what_the_database_is_asked_for_is_logged_with_the_call() {
    let mut service = Program::start(NAME, &["--log", "json"]);
    service.database.execute("DROP TABLE departments; DROP TABLE boards");
    let id = call(&service, Method::GET, "/api/v1/agent/decisions", &Value::Null);
    let line: Value = serde_json::from_str(&service.process.wait_for(&id)).expect("JSON");
    assert_eq!(line["level"], "ERROR", "{line}");
    let why = if is_on_postgres() { "does not exist" } else { "no such table" };
    assert!(line["message"].as_str().is_some_and(|text| text.contains(why)), "{line}");
    let mut keys: Vec<&String> = line.as_object().expect("an object").keys().collect();
    keys.sort();
    assert_eq!(keys, ["level", "message", "span", "timestamp"]);
}

#[test]
fn a_call_that_only_reads_is_logged_at_debug_and_one_that_fails_at_info() {
    for (level, is_there) in [("info", false), ("debug", true)] {
        let mut service = Program::start(NAME, &["--log-level", level]);
        let reads = call(&service, Method::GET, "/api/v1/agent/requests", &Value::Null);
        let fails = call(&service, Method::GET, "/nothing/secret?token=secret", &Value::Null);
        let line = line_of(&mut service, &fails);
        assert!(line.contains("status=404") && line.contains("route=\"none\""), "{line}");
        let said = service.process.said().join("\n");
        assert_eq!(said.contains(&reads), is_there, "{level}: {said}");
    }
}

#[test]
fn neither_tokens_nor_queries_nor_bodies_are_logged() {
    let mut service = Program::start(NAME, &["--log", "json", "--log-level", "debug"]);
    let body = json!({"mac": OLD, "onvif_credentials": [{"user": "u", "password": "a-password"}]});
    call(&service, Method::PATCH, INTERCOMS, &body);
    let last = call(&service, Method::GET, "/x/a-path?token=a-query", &Value::Null);
    line_of(&mut service, &last);
    let token = service.caller.token.clone();
    let said = service.process.said().join("\n");
    for secret in [token.as_str(), "a-password", "a-query", "a-path"] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
}
