//! The third route of reports: the panel itself sends the documented PATCH.

use std::time::Instant;

use intercom_test_support::{
    Billing, Board, Broker, LIMIT, MODEL, NEW, OLD, Watcher, curl_with, request,
};
use serde_json::{Value, json};

#[test]
fn billing_takes_the_panels_own_patch_as_the_report_of_its_request() {
    let billing = Billing::start();
    let id = billing.create_old();
    // Requests come over a broker that billing does not know, as from another platform.
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    board.configure(&format!("[billing]\nurl = \"{}\"", billing.url));
    let mut daemon = board.start();
    board.wait_until_reached();
    let pending = billing.replace_old();
    assert_ne!(pending["status"], "installed");
    let mut asked = pending_request(&billing);
    // With an issuer it would only count on the connection whose nonce it names.
    asked.as_object_mut().expect("a request").remove("issuer");

    watcher.publish(&format!("intercoms/{OLD}/patch/1"), asked.to_string());
    daemon.wait_for("the report has arrived over billing");
    let (status, shown) = billing.show(NEW);
    assert_eq!(status, 200);
    assert_eq!(
        json!([shown["id"], shown["mac"], shown["serial_number"], shown["status"]]),
        json!([id, NEW, "NEW-1", "installed"])
    );
    // Each route has been acknowledged on its own, and nothing is left to send.
    assert_eq!(watcher.report(NEW)["status"], "installed");
    let status = board.run(&["status", "--json"]).json();
    assert_eq!(status["routes"][1]["route"], "billing");
    assert_eq!(pending_requests(&billing, NEW), json!([]), "it is no request of its own");
}

#[test]
fn only_what_is_installed_is_told_to_billing() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    // Nothing listens there: what is to be told stays in the outbox.
    board.configure("[billing]\nurl = \"http://127.0.0.1:9\"");
    let _daemon = board.start();
    board.wait_until_reached();
    let mut wrong = request("r-1");
    wrong["model"] = json!(format!("not-{MODEL}"));
    watcher.publish(&format!("intercoms/{OLD}/patch/r-1"), wrong.to_string());
    assert_eq!(watcher.report(OLD)["status"], "rejected");
    let end = Instant::now() + LIMIT;
    while board.run(&["status", "--json"]).json()["unreported"] != 0 {
        assert!(Instant::now() < end, "a rejection waits for billing");
    }

    watcher.publish(&format!("intercoms/{OLD}/patch/r-2"), request("r-2").to_string());
    assert_eq!(watcher.report(NEW)["status"], "installed");
    assert_eq!(
        board.run(&["status", "--json"]).json()["unreported"],
        1,
        "billing is still to be told"
    );
}

fn pending_requests(billing: &Billing, mac: &str) -> Value {
    let path = format!("/api/v1/agent/pending?mac={mac}&board=gate-1");
    let url = format!("{}{path}", billing.url);
    curl_with(&["--user-agent", "intercom-agent/1.0"], "GET", &url, b"").1
}

fn pending_request(billing: &Billing) -> Value {
    let end = Instant::now() + LIMIT;
    // It is offered to the old panel once nobody has answered under the new MAC.
    loop {
        if let Some(asked) = pending_requests(billing, OLD).get(0) {
            return asked.clone();
        }
        assert!(Instant::now() < end, "billing offers nothing");
    }
}
