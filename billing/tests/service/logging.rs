//! The log of the running program.

use std::process::Command;

use intercom_test_support::Process;
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::http::{Method, Request};

use crate::common::{INTERCOMS, OLD};

/// `intercom-billing serve` with a token, and its log.
struct Logging {
    dir: TempDir,
    process: Process,
    url: String,
    token: String,
}

impl Logging {
    fn start(arguments: &[&str]) -> Self {
        let dir = TempDir::new().expect("a directory");
        let database = dir.path().join("billing.sqlite");
        let program = || Command::new(env!("CARGO_BIN_EXE_intercom-billing"));
        let added = program()
            .args([
                "token",
                "add",
                "--role",
                "operator",
                "--name",
                "the \"office\"\nof A",
                "--database",
            ])
            .arg(&database)
            .output()
            .expect("it runs");
        let token = String::from_utf8(added.stdout).expect("text").trim_end().to_owned();
        let mut command = program();
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--mqtt-listen", "127.0.0.1:0"])
            .arg("--database")
            .arg(&database)
            .args(arguments);
        let mut process = Process::start("intercom-billing", &mut command);
        let line = process.wait_for("serving on http://");
        let at = line.find("http://").expect("where");
        let url = line[at..].split(['"', ' ']).next().expect("a URL").to_owned();
        Logging { dir, process, url, token }
    }

    /// A call with the token; its ID, as the answer says it.
    fn call(&self, method: Method, path: &str, body: &Value) -> String {
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("Content-Type", "application/json")
            .header("Authorization", format!("Bearer {}", self.token));
        let agent = ureq::Agent::from(config);
        let answer = match body {
            Value::Null => agent.run(request.body(()).expect("a request")),
            body => agent.run(request.body(body.to_string()).expect("a request")),
        };
        let answer = answer.expect("an answer");
        answer.headers()["x-request-id"].to_str().expect("text").to_owned()
    }

    /// The line that the call is answered with.
    fn line_of(&mut self, id: &str) -> String {
        loop {
            let line = self.process.wait_for(id);
            if line.contains("answered") {
                return line;
            }
        }
    }
}

#[test]
fn a_call_is_one_line_of_json_with_its_id_who_called_the_route_and_the_status() {
    let mut service = Logging::start(&["--log", "json"]);
    let id = service.call(Method::POST, INTERCOMS, &json!({"mac": OLD}));
    let line: Value = serde_json::from_str(&service.line_of(&id)).expect("JSON");
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
    let mut service = Logging::start(&[]);
    let id = service.call(Method::POST, INTERCOMS, &json!({"mac": OLD}));
    let line = service.line_of(&id);
    for part in [" INFO ", "answered status=201 ms=", "method=\"POST\"", "token 1 (operator"] {
        assert!(line.contains(part), "{part} in {line}");
    }
}

#[test]
fn what_the_database_is_asked_for_is_logged_with_the_call() {
    let mut service = Logging::start(&["--log", "json"]);
    let database = service.dir.path().join("billing.sqlite");
    let database = rusqlite::Connection::open(database).expect("the database");
    database.execute_batch("DROP TABLE departments; DROP TABLE boards").expect("it is damaged");
    let id = service.call(Method::GET, "/api/v1/agent/decisions", &Value::Null);
    let line: Value =
        serde_json::from_str(&service.process.wait_for("no such table")).expect("JSON");
    assert_eq!(line["level"], "ERROR", "{line}");
    assert_eq!(line["span"]["id"], id.as_str(), "{line}");
}

#[test]
fn a_call_that_only_reads_is_logged_at_debug_and_one_that_fails_at_info() {
    for (level, is_there) in [("info", false), ("debug", true)] {
        let mut service = Logging::start(&["--log-level", level]);
        let reads = service.call(Method::GET, "/api/v1/agent/requests", &Value::Null);
        let fails = service.call(Method::GET, "/nothing/secret?token=secret", &Value::Null);
        let line = service.line_of(&fails);
        assert!(line.contains("status=404") && line.contains("route=\"none\""), "{line}");
        let said = service.process.said().join("\n");
        assert_eq!(said.contains(&reads), is_there, "{level}: {said}");
    }
}

#[test]
fn neither_tokens_nor_queries_nor_bodies_are_logged() {
    let mut service = Logging::start(&["--log", "json", "--log-level", "debug"]);
    let body = json!({"mac": OLD, "onvif_credentials": [{"user": "u", "password": "a-password"}]});
    service.call(Method::PATCH, INTERCOMS, &body);
    let last = service.call(Method::GET, "/x/a-path?token=a-query", &Value::Null);
    service.line_of(&last);
    let token = service.token.clone();
    let said = service.process.said().join("\n");
    for secret in [token.as_str(), "a-password", "a-query", "a-path"] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
}
