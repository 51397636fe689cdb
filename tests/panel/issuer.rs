//! What a billing database asks: it counts as the answer to the panel's presence, and its report stays
//! until it was read.

use intercom_test_support::{Board, Broker, NEW, OLD, OTHER, Watcher, request};
use serde_json::{Value, json};

/// A request for a board that names an issuer and this nonce.
fn offer(id: &str, nonce: &Value, new_mac: &str) -> Value {
    let mut offer = request(id);
    offer["new_mac"] = json!(new_mac);
    offer["issuer"] = json!("billing-1");
    offer["nonce"] = nonce.clone();
    offer["target"] = json!({"id": 5, "mac": OLD, "board": "gate-1"});
    offer
}

fn topic(id: &str) -> String {
    format!("intercoms/by-board/gate-1/patch/{id}")
}

#[test]
fn an_old_offer_only_makes_the_panel_say_that_it_is_there() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let daemon = board.start();
    let earlier = watcher.online(OLD, "gate-1")["nonce"].clone();
    board.wait_until_reached();
    daemon.kill();
    watcher.offline("gate-1");
    let _daemon = board.start();
    board.wait_until_reached();
    watcher.online(OLD, "gate-1");

    watcher.publish(&topic("r-1"), offer("r-1", &earlier, NEW).to_string());
    let nonce = watcher.online(OLD, "gate-1")["nonce"].clone();
    assert_ne!(nonce, earlier);
    let status = board.run(&["status", "--json"]).json();
    assert_eq!((&status["counters"]["begun"], &status["waiting"]), (&json!(0), &json!(0)));
    watcher.publish(&topic("r-1"), offer("r-1", &nonce, NEW).to_string());
    let report = watcher.report(NEW);
    assert_eq!((&report["status"], &report["issuer"]), (&json!("installed"), &json!("billing-1")));
    assert_eq!(report["outcome_identity"]["mac"], NEW);
}

#[test]
fn an_old_presence_of_its_own_makes_the_panel_say_what_it_is() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let _daemon = board.start();
    let nonce = watcher.online(OLD, "gate-1")["nonce"].clone();
    board.wait_until_reached();
    let topic = "intercoms/by-board/gate-1/presence";
    let old = json!({"state": "online", "board": "gate-1", "nonce": nonce, "changing": true});
    watcher.publish(topic, old.to_string());
    watcher.wait_for("the old one", |message| {
        let said: Option<Value> = serde_json::from_slice(&message.payload).ok();
        message.topic == topic && said.is_some_and(|said| said == old)
    });
    assert_eq!(watcher.online(OLD, "gate-1")["nonce"], nonce);
}

#[test]
fn a_report_is_sent_again_until_its_issuer_has_read_it() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let mut daemon = board.start();
    let nonce = watcher.online(OLD, "gate-1")["nonce"].clone();
    board.wait_until_reached();
    let wrong = |id: &str| {
        let mut wrong = offer(id, &nonce, NEW);
        wrong["model"] = json!("another");
        wrong.to_string()
    };
    watcher.publish(&topic("r-1"), wrong("r-1"));
    let report = watcher.report(OLD);
    assert_eq!(report["status"], "rejected");
    assert_eq!(watcher.report(OLD), report, "the broker had it, and nobody else");
    let unread = || board.run(&["status", "--json"]).json()["unread"].clone();
    assert_eq!(unread(), 1);
    watcher.publish(&topic("another"), "");
    watcher.publish(&topic("r-1"), "");
    // In this order: what comes after it is decided after it.
    watcher.publish(&topic("r-2"), wrong("r-2"));
    while watcher.report(OLD)["request_id"] != "r-2" {}
    watcher.publish(&topic("r-2"), "");
    watcher.publish(&format!("intercoms/{OLD}/patch/r-3"), {
        let mut by_hand = request("r-3");
        by_hand["model"] = json!("another");
        by_hand.to_string()
    });
    while watcher.report(OLD)["request_id"] != "r-3" {}
    assert_eq!(unread(), 0);
    assert!(daemon.is_running());
}

#[test]
fn the_report_of_a_change_is_sent_again_until_its_issuer_has_read_it() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let mut daemon = board.start();
    let nonce = watcher.online(OLD, "gate-1")["nonce"].clone();
    board.wait_until_reached();
    watcher.publish(&topic("r-1"), offer("r-1", &nonce, NEW).to_string());
    let report = watcher.report(NEW);
    assert_eq!(report["status"], "installed");
    assert_eq!(watcher.report(NEW), report, "the broker had it, and nobody else");
    let unreported = || board.run(&["status", "--json"]).json()["unreported"].clone();
    assert_eq!(unreported(), 1);
    watcher.publish(&topic("r-1"), "");
    daemon.wait_for("the report has arrived");
    assert_eq!(unreported(), 0);
}

#[test]
fn a_report_that_leaves_after_a_later_change_tells_both_identities() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let _daemon = board.start();
    let nonce = watcher.online(OLD, "gate-1")["nonce"].clone();
    board.wait_until_reached();
    watcher.publish(&topic("r-1"), offer("r-1", &nonce, NEW).to_string());
    assert_eq!(watcher.report(NEW)["outcome_identity"]["mac"], NEW);
    let nonce = watcher.online(NEW, "gate-1")["nonce"].clone();
    watcher.publish(&topic("r-2"), offer("r-2", &nonce, OTHER).to_string());
    let mut reports = std::iter::repeat_with(|| watcher.report(OTHER));
    let first = reports.find(|report| report["request_id"] == "r-1").expect("sent again");
    assert_eq!((&first["status"], &first["mac"]), (&json!("installed"), &json!(OTHER)));
    assert_eq!(first["outcome_identity"]["mac"], NEW);
}

#[test]
fn a_request_that_its_issuer_withdraws_while_it_is_deferred_is_forgotten() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let other = Board::sandboxed("gate-2", OTHER).with_mqtt(&broker.url());
    let _other_daemon = other.start();
    other.wait_until_reached();
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let _daemon = board.start();
    let nonce = watcher.online(OLD, "gate-1")["nonce"].clone();
    board.wait_until_reached();
    watcher.publish(&topic("r-1"), offer("r-1", &nonce, OTHER).to_string());
    let report = watcher.report(OLD);
    assert_eq!((&report["status"], &report["deferred_seconds"]), (&json!("deferred"), &json!(60)));
    let waiting = || board.run(&["status", "--json"]).json()["waiting"].clone();
    assert_eq!(waiting(), 1);
    watcher.publish(&topic("r-1"), "");
    watcher.publish(&format!("intercoms/{OLD}/who"), "");
    let here = format!("intercoms/{OLD}/here/gate-1");
    watcher.wait_for("the answer", |message| message.topic == here);
    assert_eq!(waiting(), 0);
}

#[test]
fn a_withdrawn_request_counts_again_only_in_answer_to_a_later_presence() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let other = Board::sandboxed("gate-2", OTHER).with_mqtt(&broker.url());
    let other_daemon = other.start();
    other.wait_until_reached();
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let _daemon = board.start();
    let nonce = watcher.online(OLD, "gate-1")["nonce"].clone();
    board.wait_until_reached();
    let overheard = offer("r-1", &nonce, OTHER).to_string();
    watcher.publish(&topic("r-1"), overheard.clone());
    assert_eq!(watcher.report(OLD)["status"], "deferred");
    watcher.publish(&topic("r-1"), "");
    assert!(other_daemon.terminate().success());

    watcher.publish(&topic("r-1"), overheard.clone());
    let later = watcher.online(OLD, "gate-1")["nonce"].clone();
    assert_ne!(later, nonce, "so that its issuer can offer it again");
    watcher.publish(&topic("r-1"), overheard);
    watcher.publish(&format!("intercoms/{OLD}/who"), "");
    watcher.wait_for("the answer", |message| message.topic.ends_with("/here/gate-1"));
    let status = board.run(&["status", "--json"]).json();
    assert_eq!((&status["counters"]["begun"], &status["waiting"]), (&json!(0), &json!(0)));

    watcher.publish(&topic("r-1"), offer("r-1", &later, OTHER).to_string());
    assert_eq!(watcher.report(OTHER)["status"], "installed");
}

#[test]
fn marks_of_seq_are_forgotten_with_a_daemon_and_without_one() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let daemon = board.start();
    let nonce = watcher.online(OLD, "gate-1")["nonce"].clone();
    board.wait_until_reached();
    let mut asked = offer("r-1", &nonce, NEW);
    asked["seq"] = json!(7);
    watcher.publish(&topic("r-1"), asked.to_string());
    assert_eq!(watcher.report(NEW)["status"], "installed");
    let nonce = watcher.online(NEW, "gate-1")["nonce"].clone();
    let mut earlier = offer("r-0", &nonce, OTHER);
    earlier["seq"] = json!(6);
    watcher.publish(&topic("r-0"), earlier.to_string());
    let mut reports = std::iter::repeat_with(|| watcher.report(NEW));
    let overtaken = reports.find(|report| report["request_id"] == "r-0").expect("one");
    assert_eq!((&overtaken["status"], &overtaken["seq_mark"]), (&json!("rejected"), &json!(7)));

    let forget = || board.run(&["forget-sequence", "--json"]).json();
    let mark = json!({"issuer": "billing-1", "intercom": {"id": 5}, "seq": 7});
    assert_eq!(forget(), json!({"forgotten": [mark]}));
    assert_eq!(forget(), json!({"forgotten": []}));
    assert!(daemon.terminate().success());
    assert_eq!(forget(), json!({"forgotten": []}));
}
