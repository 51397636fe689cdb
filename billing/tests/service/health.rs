//! Whether the service lives and can do its work.

use std::process::{Command, Output};

use intercom_billing::mqtt::link::Choice;
use intercom_test_support::{Broker, is_on_postgres};
use serde_json::{Value, json};
use ureq::http::Method;

use crate::common::Running;

fn ask(url: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_intercom-billing"))
        .args(["health", "--url", url])
        .args(arguments)
        .output()
        .expect("it runs")
}

/// The parts that it is ready with. Where several processes share a database, each says who leads.
fn parts(database: &str, broker: &str) -> Value {
    match is_on_postgres() {
        true => json!({"database": database, "broker": broker, "leader": "this process"}),
        false => json!({"database": database, "broker": broker}),
    }
}

fn ready(billing: &Running) -> (u16, Value) {
    let answer = billing.call(Method::GET, "/readyz", None);
    (answer.status, answer.body)
}

#[test]
fn it_lives_and_is_ready_and_the_command_says_so() {
    let billing = Running::start();
    assert_eq!(billing.call(Method::GET, "/healthz", None).body, json!({"status": "ok"}));
    assert_eq!(ready(&billing), (200, parts("ok", "ok")));
    let url = format!("http://{}", billing.http());
    for (arguments, expected) in
        [(&[][..], json!({"status": "ok"})), (&["--ready"], parts("ok", "ok"))]
    {
        let Output { status, stdout, stderr } = ask(&url, arguments);
        assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
        let said: Value = serde_json::from_slice(&stdout).expect("JSON");
        assert_eq!(said, expected);
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
    assert_eq!(ready(&billing).1, parts("ok", "not connected"));
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
    let held = billing.database.held();
    assert_eq!(ready(&billing), (503, parts("no answer", "ok")));
    drop(held);
    billing.until("ready again", |b| ready(b).0 == 200);
}

#[test]
fn where_nothing_answers_the_command_says_so() {
    let Output { status, stderr, .. } = ask("http://127.0.0.1:1", &[]);
    let said = String::from_utf8(stderr).expect("text");
    assert_eq!(status.code(), Some(1));
    assert!(said.contains("no answer from http://127.0.0.1:1/healthz"), "{said}");
}
