//! One process leads, and another one when it does not any more.

use std::path::Path;
use std::process::Command;

use intercom_test_support::{Broker, Directory, Postgres};

use super::process::{Billing, billing, said};

struct Two {
    leader: Billing,
    follower: Billing,
    _broker: Broker,
    server: Postgres,
}

fn two() -> Two {
    let (server, broker) = (Postgres::start(), Broker::start());
    let database = server.url("postgres");
    let mut leader = Billing::start(&database, &broker.url());
    leader.leads();
    let follower = Billing::start(&database, &broker.url());
    Two { leader, follower, _broker: broker, server }
}

fn is_ready(billing: &Billing) -> (u16, String) {
    let (status, said) = billing.call("GET", "/readyz", "");
    (status, said["leader"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn when_the_leader_dies_another_process_leads() {
    let Two { leader, mut follower, _broker, server: _server } = two();
    leader.process.kill();
    follower.leads();
}

#[test]
fn a_leader_that_was_stopped_follows_when_it_goes_on() {
    let Two { mut leader, mut follower, _broker, server: _server } = two();
    leader.process.stop();
    follower.leads();
    leader.process.go_on();
    leader.process.wait_for("this process leads no more");
    follower.process.terminate();
    leader.leads();
}

#[test]
fn a_leader_that_is_asked_to_end_leaves_the_lead_to_another_process() {
    let Two { leader, mut follower, _broker, server: _server } = two();
    assert!(leader.process.terminate().success());
    follower.leads();
}

#[test]
fn each_process_serves_the_api_and_says_who_leads() {
    let Two { leader, follower, _broker, server: _server } = two();
    assert_eq!(is_ready(&follower), (200, "another process".to_owned()));
    assert_eq!(is_ready(&leader).1, "this process");
    let made = r#"{"mac": "AA:BB:CC:DD:EE:FF", "model": "3516EV200"}"#;
    let intercoms = "/api/v1/billing/intercoms";
    assert_eq!(follower.call("POST", intercoms, made).0, 201);
    let shown = leader.call("GET", &format!("{intercoms}/show?mac=AA:BB:CC:DD:EE:FF"), "");
    assert_eq!((shown.0, shown.1["model"].as_str()), (200, Some("3516EV200")));
}

/// A browser with this jar of cookies sends a form, or shows a page: the status.
fn browser(jar: &Path, billing: &Billing, path: &str, form: Option<&str>) -> String {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--output", "/dev/null", "--write-out", "%{http_code}"]);
    curl.arg("--cookie").arg(jar).arg("--cookie-jar").arg(jar);
    if let Some(form) = form {
        curl.args(["--header", &format!("Origin: {}", billing.url), "--data", form]);
    }
    let shown = curl.arg(format!("{}{path}", billing.url)).output();
    said(&shown.expect("curl; tests/run installs what is missing"))
}

#[test]
fn who_signs_in_at_one_process_is_signed_in_at_each() {
    let Two { leader, follower, _broker, server } = two();
    let database = server.url("postgres");
    let made = billing(&["token", "add", "--role", "operator", "--database", &database]).output();
    let token = String::from_utf8(made.expect("it runs").stdout).expect("text");
    let dir = Directory::new();
    let jar = dir.path().join("cookies");
    let form = format!("token={}", token.trim());
    assert_eq!(browser(&jar, &follower, "/", None), "401");
    assert_eq!(browser(&jar, &leader, "/sign-in", Some(&form)), "303");
    assert_eq!(browser(&jar, &follower, "/", None), "200");
    assert_eq!(browser(&jar, &follower, "/sign-out", Some("")), "303");
    assert_eq!(browser(&jar, &leader, "/", None), "401");
}
