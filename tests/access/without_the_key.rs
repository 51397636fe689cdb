//! What somebody can do who may publish requests (the password of billing on the broker) and has
//! not the key that billing signs with.

use intercom_test_support::{NEW, OLD, request};
use serde_json::json;

use crate::fleet::{Fleet, Rules};
use crate::signer::{Signer, numbered};

#[test]
fn where_no_signature_is_required_whoever_may_publish_a_request_changes_the_panel() {
    let fleet = Fleet::start(Rules::PerMac);
    let board = fleet.panel("gate-1", OLD);
    let mut daemon = board.start();
    board.wait_until_reached();
    let thief = fleet.holder_of("billing");
    thief.publish(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
    daemon.wait_for("confirmed and durable");
    assert_eq!(board.mac(), NEW);
}

#[test]
fn where_one_is_required_nothing_happens_without_billings_key() {
    let fleet = Fleet::start(Rules::PerMac);
    let (ours, theirs) = (Signer::new(1), Signer::new(2));
    let board = fleet.panel("gate-1", OLD);
    ours.required_by(&board);
    let mut daemon = board.start();
    board.wait_until_reached();
    let thief = fleet.holder_of("billing");
    let topic = format!("intercoms/{OLD}/patch/r-1");
    thief.publish(&topic, numbered(1, OLD, NEW).to_string());
    thief.publish(&topic, theirs.sign(&numbered(1, OLD, NEW)));
    // Signed, and without the number that tells an old one.
    thief.publish(&topic, ours.sign(&request("r-1")));
    // What comes after them is heard, so they were heard too.
    thief.publish(&topic, ours.sign(&numbered(2, OLD, NEW)));
    daemon.wait_for("a request was ignored: it must be signed");
    daemon.wait_for("a request was ignored: it is signed badly: its signature does not fit");
    daemon.wait_for("confirmed and durable");
    assert_eq!(board.mac(), NEW);
    let status = board.run(&["status", "--json"]).json();
    let counters = &status["counters"];
    assert_eq!(json!([counters["ignored"], counters["begun"]]), json!([3, 1]), "{counters}");
    let ignored = status["ignored"].as_array().expect("a list");
    let counts: Vec<_> = ignored.iter().map(|one| one["count"].clone()).collect();
    assert_eq!(counts, [2, 1], "not signed, or without a `seq`; signed by another key");
    let words = board.run(&["status"]).out;
    assert!(words.contains("ignored    1 requests, the last one"), "{words}");
}

#[test]
fn a_signed_request_that_was_overheard_changes_nothing_when_it_is_sent_again() {
    let fleet = Fleet::start(Rules::PerMac);
    let key = Signer::new(1);
    let board = fleet.panel("gate-1", OLD);
    key.required_by(&board);
    let mut daemon = board.start();
    board.wait_until_reached();
    let (thief, watcher) = (fleet.holder_of("billing"), fleet.watcher());
    let overheard = key.sign(&numbered(1, OLD, NEW));
    thief.publish(&format!("intercoms/{OLD}/patch/r-1"), overheard.clone());
    daemon.wait_for("confirmed and durable");
    thief.publish(&format!("intercoms/{NEW}/patch/r-2"), key.sign(&numbered(2, NEW, OLD)));
    daemon.wait_for("confirmed and durable");
    board.wait_until_reached();
    thief.publish("intercoms/by-board/gate-1/patch/again", overheard);
    daemon.wait_for("request r-1 was decided before");
    while watcher.report(OLD)["request_id"] != "r-1" {}
    assert_eq!(board.mac(), OLD);
    assert_eq!(board.run(&["status", "--json"]).json()["counters"]["begun"], 2);
}

#[test]
fn whoever_may_publish_can_take_a_request_away_and_billing_still_waits_for_its_report() {
    let fleet = Fleet::start(Rules::PerMac);
    let (billing, watcher) = (fleet.billing(), fleet.watcher());
    billing.create_old();
    billing.replace_old();
    let start = format!("intercoms/{NEW}/patch/");
    let topic = watcher.wait_for("the request", |message| message.topic.starts_with(&start)).topic;
    fleet.holder_of("billing").retain(&topic, "");
    watcher.wait_for("its end", |message| message.topic == topic && message.payload.is_empty());
    assert_eq!(billing.show(NEW).1["status"], "pending");
}
