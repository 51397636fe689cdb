//! What somebody can do who may publish requests (the password of billing on the broker) and has
//! not the key that billing signs with.

use intercom_test_support::{NEW, OLD, OTHER, request};
use serde_json::json;

use crate::fleet::{Fleet, request_topic};
use crate::held_up::{claims_new, held_up};
use crate::signer::{Signer, numbered, offered};

#[test]
fn where_no_signature_is_required_whoever_may_publish_a_request_changes_the_panel() {
    let fleet = Fleet::start();
    let board = fleet.panel("gate-1", OLD);
    let mut daemon = board.start();
    board.wait_until_reached();
    let thief = fleet.holder_of("billing");
    thief.publish(&request_topic("r-1"), request("r-1").to_string());
    daemon.wait_for("confirmed and durable");
    assert_eq!(board.mac(), NEW);
}

#[test]
fn where_one_is_required_nothing_happens_without_billings_key() {
    let fleet = Fleet::start();
    let (ours, theirs) = (Signer::new(1), Signer::new(2));
    let board = fleet.panel("gate-1", OLD);
    ours.required_by(&board);
    let mut daemon = board.start();
    board.wait_until_reached();
    let thief = fleet.holder_of("billing");
    let topic = request_topic("r-1");
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
    let fleet = Fleet::start();
    let key = Signer::new(1);
    let board = fleet.panel("gate-1", OLD);
    key.required_by(&board);
    let mut daemon = board.start();
    board.wait_until_reached();
    let thief = fleet.holder_of("billing");
    let overheard = key.sign(&numbered(1, OLD, NEW));
    thief.publish(&request_topic("r-1"), overheard.clone());
    daemon.wait_for("confirmed and durable");
    thief.publish(&request_topic("r-2"), key.sign(&numbered(2, NEW, OLD)));
    daemon.wait_for("confirmed and durable");
    board.wait_until_reached();
    thief.publish(&request_topic("again"), overheard);
    daemon.wait_for("request r-1 was decided before");
    assert_eq!(board.mac(), OLD);
    assert_eq!(board.run(&["status", "--json"]).json()["counters"]["begun"], 2);
}

/// An offer of billing's is the answer to one presence. Seen and kept from the panel, it is worth
/// nothing on the panel's next connection, though its `seq` is new.
#[test]
fn a_signed_offer_that_was_overheard_changes_nothing_on_another_connection() {
    let fleet = Fleet::start();
    let key = Signer::new(1);
    let board = fleet.panel("gate-1", OLD);
    key.required_by(&board);
    let watcher = fleet.watcher();
    let _daemon = board.start();
    let nonce = watcher.online(OLD, "gate-1")["nonce"].clone();
    board.wait_until_reached();
    let used = key.sign(&offered(1, &nonce, OLD, NEW));
    let kept = key.sign(&offered(9, &nonce, NEW, OTHER));
    watcher.publish(&request_topic("r-1"), used.clone());
    watcher.report(NEW);
    let nonce = watcher.online(NEW, "gate-1")["nonce"].clone();
    board.wait_until_reached();

    let thief = fleet.holder_of("billing");
    thief.publish(&request_topic("r-1"), used);
    thief.publish(&request_topic("r-9"), kept);
    assert_eq!(watcher.online(NEW, "gate-1")["nonce"], nonce, "all that comes of it");
    // What comes after them is decided after them. With a `seq` it would overtake them.
    let mut last = offered(10, &nonce, NEW, NEW);
    last.as_object_mut().expect("an object").remove("seq");
    thief.publish(&request_topic("r-10"), key.sign(&last));
    while watcher.report(NEW)["request_id"] != "r-10" {}
    assert_eq!(board.mac(), NEW);
    assert_eq!(board.run(&["status", "--json"]).json()["counters"]["begun"], 1);
}

#[test]
fn whoever_may_publish_can_take_a_request_away_and_billing_still_waits_for_its_report() {
    let fleet = Fleet::start_without_rules();
    let billing = fleet.billing();
    billing.create_old();
    let board = fleet.panel("gate-1", OLD);
    let mut daemon = board.start();
    board.wait_until_reached();
    let thief = fleet.holder_of("gate-2");
    let topic = held_up(&billing, &thief, &fleet.watcher(), &mut daemon);
    let waiting = || board.run(&["status", "--json"]).json()["waiting"].clone();
    assert_eq!(waiting(), 1);
    thief.publish(&topic, "");
    // It is answered after what was said before.
    thief.publish(&format!("intercoms/{OLD}/who"), "");
    let here = format!("intercoms/{OLD}/here/gate-1");
    thief.wait_for("the answer", |message| message.topic == here);
    assert_eq!(waiting(), 0);
    assert_eq!(billing.show(NEW).1["status"], "pending");
    thief.publish("intercoms/by-board/gate-1/who", "");
    claims_new(&thief);
    daemon.wait_for("deferred");
    assert_eq!(waiting(), 1, "billing has offered it again");
}
