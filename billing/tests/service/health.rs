//! Whether the service lives and can do its work.

use std::process::{Command, Output};

use intercom_billing::mqtt::link::Choice;
use intercom_test_support::Broker;
use rusqlite::Connection;
use serde_json::json;
use ureq::http::Method;

use crate::bounds::database;
use crate::common::Running;

fn ask(url: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_intercom-billing"))
        .args(["health", "--url", url])
        .args(arguments)
        .output()
        .expect("it runs")
}

fn ready(billing: &Running) -> (u16, serde_json::Value) {
    let answer = billing.call(Method::GET, "/readyz", None);
    (answer.status, answer.body)
}

#[test]
fn it_lives_and_is_ready_and_the_command_says_so() {
    let billing = Running::start();
    assert_eq!(billing.call(Method::GET, "/healthz", None).body, json!({"status": "ok"}));
    assert_eq!(ready(&billing), (200, json!({"database": "ok", "broker": "ok"})));
    let url = format!("http://{}", billing.http());
    for (arguments, expected) in
        [(&[][..], r#"{"status":"ok"}"#), (&["--ready"], r#"{"database":"ok","broker":"ok"}"#)]
    {
        let Output { status, stdout, stderr } = ask(&url, arguments);
        assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
        assert_eq!(String::from_utf8(stdout).expect("text").trim_end(), expected);
    }
}

#[test]
fn without_its_broker_it_lives_and_is_not_ready() {
    let mut broker = Broker::start();
    let url = broker.url();
    let billing = Running::start_with(|settings| {
        settings.broker = Choice::External(url.parse().expect("a broker's URL"));
    });
    assert_eq!(ready(&billing).0, 200);
    broker.kill();
    billing.until("not connected", |b| ready(b).0 == 503);
    assert_eq!(ready(&billing).1, json!({"database": "ok", "broker": "not connected"}));
    assert_eq!(billing.call(Method::GET, "/healthz", None).status, 200);
    let url = format!("http://{}", billing.http());
    assert!(ask(&url, &[]).status.success());
    let Output { status, stderr, .. } = ask(&url, &["--ready"]);
    let said = String::from_utf8(stderr).expect("text");
    assert_eq!(status.code(), Some(1));
    assert!(said.contains("503") && said.contains(r#""broker":"not connected""#), "{said}");
}

#[test]
fn without_its_database_it_is_not_ready() {
    let billing = Running::start();
    let other: Connection = database(&billing);
    other.execute_batch("BEGIN EXCLUSIVE").expect("the lock");
    assert_eq!(ready(&billing), (503, json!({"database": "no answer", "broker": "ok"})));
    other.execute_batch("ROLLBACK").expect("the lock is given back");
    billing.until("ready again", |b| ready(b).0 == 200);
}

#[test]
fn where_nothing_answers_the_command_says_so() {
    let Output { status, stderr, .. } = ask("http://127.0.0.1:1", &[]);
    let said = String::from_utf8(stderr).expect("text");
    assert_eq!(status.code(), Some(1));
    assert!(said.contains("no answer from http://127.0.0.1:1/healthz"), "{said}");
}
