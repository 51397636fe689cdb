//! One process leads, and another one when it does not any more.

use intercom_test_support::{Broker, Postgres};

use super::process::Billing;

struct Two {
    leader: Billing,
    follower: Billing,
    _broker: Broker,
    _server: Postgres,
}

fn two() -> Two {
    let (server, broker) = (Postgres::start(), Broker::start());
    let database = server.url("postgres");
    let mut leader = Billing::start(&database, &broker.url());
    leader.leads();
    let follower = Billing::start(&database, &broker.url());
    Two { leader, follower, _broker: broker, _server: server }
}

fn is_ready(billing: &Billing) -> (u16, String) {
    let (status, said) = billing.call("GET", "/readyz", "");
    (status, said["leader"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn when_the_leader_dies_another_process_leads() {
    let Two { leader, mut follower, _broker, _server } = two();
    leader.process.kill();
    follower.leads();
}

#[test]
fn a_leader_that_was_stopped_follows_when_it_goes_on() {
    let Two { mut leader, mut follower, _broker, _server } = two();
    leader.process.stop();
    follower.leads();
    leader.process.go_on();
    leader.process.wait_for("this process leads no more");
    follower.process.terminate();
    leader.leads();
}

#[test]
fn a_leader_that_is_asked_to_end_leaves_the_lead_to_another_process() {
    let Two { leader, mut follower, _broker, _server } = two();
    assert!(leader.process.terminate().success());
    follower.leads();
}

#[test]
fn each_process_serves_the_api_and_says_who_leads() {
    let Two { leader, follower, _broker, _server } = two();
    assert_eq!(is_ready(&follower), (200, "another process".to_owned()));
    assert_eq!(is_ready(&leader).1, "this process");
    let made = r#"{"mac": "AA:BB:CC:DD:EE:FF", "model": "3516EV200"}"#;
    let intercoms = "/api/v1/billing/intercoms";
    assert_eq!(follower.call("POST", intercoms, made).0, 201);
    let shown = leader.call("GET", &format!("{intercoms}/show?mac=AA:BB:CC:DD:EE:FF"), "");
    assert_eq!((shown.0, shown.1["model"].as_str()), (200, Some("3516EV200")));
}
