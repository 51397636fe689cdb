//! Another broker in place of the built-in one: a real mosquitto (Debian's package of that name).

use std::time::Duration;

use intercom_billing::mqtt::link::Choice;
use intercom_test_support::{Broker, free_port};
use serde_json::json;

use crate::common::board::Board;
use crate::common::panel::Panel;
use crate::common::{NEW, OLD, Running, report};

/// Hands out whatever it has at once.
const UNBOUNDED: &str = "allow_anonymous true\npersistence false\n\
                         max_inflight_messages 0\nmax_queued_messages 0\n";

/// A service with its panels on this broker.
fn billing_on(broker: &Broker) -> Running {
    billing_at(&[broker.url()])
}

/// A service with its panels on a broker with these nodes.
fn billing_at(urls: &[String]) -> Running {
    Running::start_with(|settings| {
        settings.broker = Choice::External(urls.join(",").parse().expect("a broker's URLs"));
    })
}

/// A board on this broker.
fn board_on(broker: &Broker, billing: &Running, name: &str, mac: &str) -> Board {
    let (_, port) = broker.address();
    Board::connect_to(billing, port, name, mac)
}

fn anybody_on(broker: &Broker, billing: &Running) -> Panel {
    let (_, port) = broker.address();
    Panel::connect(billing.runtime.handle(), port, "anybody")
}

#[test]
fn a_report_that_arrives_while_the_service_is_down_is_applied_and_the_request_is_over() {
    let broker = Broker::start();
    let mut billing = billing_on(&broker);
    billing.old_intercom();
    let request_id = billing.ask();
    let mut spare = board_on(&broker, &billing, "die-1", NEW);
    spare.request(&request_id);
    billing.stop();
    spare.reports(&report(&request_id, "installed", NEW, "new_serial_number"));
    billing.restart();
    billing.until("installed", |b| b.show("id=1").body["status"] == "installed");
    spare.is_over(&request_id);
}

/// Every panel is told the issuer. On a broker that binds no client ID to a user, whoever connects with
/// billing's own would end its connection and could drop its session, with the reports in it.
#[test]
fn whoever_connects_with_the_issuer_as_its_client_id_takes_nothing_from_billing() {
    let mut broker = Broker::start();
    let mut billing = billing_on(&broker);
    billing.old_intercom();
    let request_id = billing.ask();
    let mut spare = board_on(&broker, &billing, "die-1", NEW);
    let issuer = spare.request(&request_id)["issuer"].as_str().expect("an issuer").to_owned();
    billing.stop();
    let (_, port) = broker.address();
    let _thief = Panel::connect(billing.runtime.handle(), port, &issuer);
    spare.reports(&report(&request_id, "installed", NEW, "new_serial_number"));
    billing.restart();
    billing.until("installed", |b| b.show("id=1").body["status"] == "installed");
    assert!(broker.process().said().iter().all(|line| !line.contains("closing old connection")));
}

/// More of them at once than the client has room for acknowledgements: a session that ended for it
/// would meet the same burst again.
#[test]
fn every_report_of_a_burst_is_applied() {
    let broker = Broker::start_with(UNBOUNDED);
    let mut billing = billing_on(&broker);
    billing.old_intercom();
    let request_id = billing.ask();
    let mut spare = board_on(&broker, &billing, "die-1", NEW);
    spare.request(&request_id);
    billing.stop();
    for n in 0..1_000 {
        let of_another = report(&format!("unknown-{n}"), "installed", NEW, "new_serial_number");
        spare.reports(&of_another);
    }
    spare.reports(&report(&request_id, "installed", NEW, "new_serial_number"));
    billing.restart();
    billing.until("installed", |b| b.show("id=1").body["status"] == "installed");
}

#[test]
fn a_message_that_is_far_too_large_does_not_block_the_reports_behind_it() {
    let broker = Broker::start();
    let billing = billing_on(&broker);
    billing.old_intercom();
    let request_id = billing.ask();
    let mut spare = board_on(&broker, &billing, "die-1", NEW);
    spare.request(&request_id);
    let mut anybody = anybody_on(&broker, &billing);
    anybody.publish("intercoms/by-board/die-1/status", false, vec![b' '; 2 * 1024 * 1024]);
    // The service has lost its session over it: it asks who is there when it comes back.
    spare.is_asked();
    spare.is_there();
    spare.reports(&report(&request_id, "installed", NEW, "new_serial_number"));
    billing.until("installed", |b| b.show("id=1").body["status"] == "installed");
}

#[test]
fn everybody_is_asked_at_each_connect_and_a_board_with_an_open_request_by_name() {
    let broker = Broker::start();
    let mut billing = billing_on(&broker);
    billing.old_intercom();
    let mut spare = board_on(&broker, &billing, "die-1", NEW);
    spare.request(&billing.ask());
    let mut anybody = anybody_on(&broker, &billing);
    anybody.subscribe("intercoms/#");
    billing.restart();
    for topic in ["intercoms/who", "intercoms/by-board/die-1/who"] {
        assert!(!anybody.receive(topic).retain);
    }
}

/// A broker that comes back with older data looks so: a presence that was retained when its board
/// was still there.
#[test]
fn a_retained_presence_proves_nothing() {
    let broker = Broker::start();
    let mut billing = billing_on(&broker);
    billing.old_intercom();
    billing.stop();
    let mut door = board_on(&broker, &billing, "die-old", OLD);
    let dead = json!({"state": "online", "board": "die-dead", "mac": NEW, "nonce": "n-1"});
    let topic = "intercoms/by-board/die-dead/presence";
    anybody_on(&broker, &billing).publish(topic, true, dead.to_string());
    billing.restart_with(|settings| settings.grace = Duration::ZERO);
    door.is_there();
    let request_id = billing.ask();
    door.request(&request_id);
    assert_eq!(billing.requests()[0]["offered_to"], json!(["die-old"]));
}

/// A request that was queued or retained somewhere is worth nothing: it has the nonce of a presence
/// that is gone.
#[test]
fn a_request_of_an_earlier_presence_is_told_apart_by_its_nonce() {
    let broker = Broker::start();
    let billing = billing_on(&broker);
    billing.old_intercom();
    let request_id = billing.ask();
    let mut spare = board_on(&broker, &billing, "die-1", NEW);
    let before = spare.request(&request_id);
    spare.is_there();
    let after = spare.request(&request_id);
    assert_ne!(before["nonce"], after["nonce"]);
    assert_eq!(before["request_id"], after["request_id"]);
}

#[test]
fn a_node_where_nobody_listens_is_passed_over() {
    let nobody = || format!("mqtt://127.0.0.1:{}", free_port());
    let broker = Broker::start();
    let billing = billing_at(&[nobody(), nobody(), broker.url()]);
    billing.old_intercom();
    let request_id = billing.ask();
    let mut spare = board_on(&broker, &billing, "die-1", NEW);
    spare.request(&request_id);
    spare.reports(&report(&request_id, "installed", NEW, "new_serial_number"));
    billing.until("installed", |b| b.show("id=1").body["status"] == "installed");
}

/// These two have no memory in common, as the nodes of a cluster have: the board is at both.
#[test]
fn a_request_goes_on_at_the_next_node_when_one_dies_in_mid_session() {
    let (mut first, mut second) = (Broker::start(), Broker::start());
    let billing = billing_at(&[first.url(), second.url()]);
    billing.old_intercom();
    let request_id = billing.ask();
    let mut there = board_on(&second, &billing, "die-1", NEW);
    let mut here = board_on(&first, &billing, "die-1", NEW);
    here.request(&request_id);
    first.kill();
    drop(here);
    there.is_asked();
    there.is_there();
    there.request(&request_id);
    there.reports(&report(&request_id, "installed", NEW, "new_serial_number"));
    billing.until("installed", |b| b.show("id=1").body["status"] == "installed");
    there.is_over(&request_id);
    // Behind the last comes the first again.
    first.start_again();
    let mut here = board_on(&first, &billing, "die-1", NEW);
    second.kill();
    here.is_asked();
}
