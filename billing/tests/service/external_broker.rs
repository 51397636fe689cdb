//! Another broker in place of the built-in one: a real mosquitto (Debian's package of that name).

use intercom_billing::mqtt::link::Choice;
use intercom_test_support::Broker;
use serde_json::json;

use crate::common::panel::Panel;
use crate::common::{NEW, Running, report};

/// Hands out whatever it has at once.
const UNBOUNDED: &str = "allow_anonymous true\npersistence false\n\
                         max_inflight_messages 0\nmax_queued_messages 0\n";

/// A service with its panels on this broker.
fn billing_on(broker: &Broker) -> Running {
    let url = broker.url();
    Running::start_with(|settings| {
        settings.broker = Choice::External(url.parse().expect("a broker's URL"));
    })
}

/// A panel on this broker.
fn spare_on(broker: &Broker, billing: &Running) -> Panel {
    let (_, port) = broker.address();
    Panel::connect(billing.runtime.handle(), port, "spare")
}

#[test]
fn a_report_that_arrives_while_the_service_is_down_is_applied_and_the_request_cleared() {
    let broker = Broker::start();
    let mut billing = billing_on(&broker);
    billing.old_intercom();
    let request_id = billing.ask();
    let topic = format!("intercoms/{NEW}/patch/{request_id}");
    let mut spare = spare_on(&broker, &billing);
    spare.subscribe(&format!("intercoms/{NEW}/patch/#"));
    assert!(!spare.receive(&topic).payload.is_empty());
    billing.stop();
    let report = report(&request_id, "installed", NEW, "new_serial_number");
    spare.publish(&format!("intercoms/{NEW}/status"), false, report.to_string());
    billing.restart();
    billing.until("installed", |b| b.show("id=1").body["status"] == "installed");
    // The restart may publish it once more before it is cleared.
    while !spare.receive(&topic).payload.is_empty() {}
}

/// More of them at once than the client has room for acknowledgements: a session that ended for it
/// would meet the same burst again.
#[test]
fn every_report_of_a_burst_is_applied() {
    let broker = Broker::start_with(UNBOUNDED);
    let mut billing = billing_on(&broker);
    billing.old_intercom();
    let request_id = billing.ask();
    let mut spare = spare_on(&broker, &billing);
    billing.stop();
    let status = format!("intercoms/{NEW}/status");
    for n in 0..1_000 {
        let of_another = report(&format!("unknown-{n}"), "installed", NEW, "new_serial_number");
        spare.publish(&status, false, of_another.to_string());
    }
    let report = report(&request_id, "installed", NEW, "new_serial_number");
    spare.publish(&status, false, report.to_string());
    billing.restart();
    billing.until("installed", |b| b.show("id=1").body["status"] == "installed");
}

#[test]
fn a_message_that_is_far_too_large_does_not_block_the_reports_behind_it() {
    let broker = Broker::start();
    let billing = billing_on(&broker);
    billing.old_intercom();
    let request_id = billing.ask();
    let mut spare = spare_on(&broker, &billing);
    let status = format!("intercoms/{NEW}/status");
    spare.publish(&status, false, vec![b' '; 2 * 1024 * 1024]);
    let report = report(&request_id, "installed", NEW, "new_serial_number");
    // The panel receives its request again when the service comes back, and reports again.
    spare.subscribe(&format!("intercoms/{NEW}/patch/#"));
    let topic = format!("intercoms/{NEW}/patch/{request_id}");
    loop {
        if spare.receive(&topic).payload.is_empty() {
            break;
        }
        spare.publish(&status, false, report.to_string());
    }
    assert_eq!(billing.show("id=1").body["status"], json!("installed"));
}
