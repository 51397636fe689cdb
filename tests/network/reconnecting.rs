//! When a panel comes back, seen from the broker: never later than the pauses allow.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use intercom_test_support::{Board, Broker, NEW, OLD, Watcher};
use serde_json::json;

/// What a machine with many tests on it may be late by.
const SLACK: Duration = Duration::from_millis(800);

#[test]
fn the_pauses_double_at_most_and_are_the_ones_that_the_log_announces() {
    let mut broker = Broker::start_with("allow_anonymous false\n");
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let mut daemon = board.start();
    broker.process().wait_for("New connection from");
    for failure in 0..4 {
        let since = Instant::now();
        let line = daemon.wait_for("connecting again in");
        assert!(line.contains("this panel may not connect"), "{line}");
        let announced = line.rsplit(" in ").next().and_then(|rest| rest.strip_suffix(" s"));
        let announced: f32 = announced.and_then(|s| s.parse().ok()).expect("a number of seconds");
        let announced = Duration::from_secs_f32(announced);
        broker.process().wait_for("New connection from");
        let took = since.elapsed();
        let ceiling = Duration::from_secs(1 << failure);
        assert!(announced <= ceiling, "after failure {failure}: {line}");
        // The log rounds to a tenth.
        assert!(took + Duration::from_millis(60) >= announced, "{line}: it took {took:?}");
        assert!(took <= announced + SLACK, "{line}: it took {took:?}");
    }
}

#[test]
fn once_it_was_connected_the_pauses_are_short_again() {
    let mut broker = Broker::start();
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let _daemon = board.start();
    board.wait_until_reached();
    for _ in 0..3 {
        broker.kill();
        broker.start_again();
        let since = Instant::now();
        broker.process().wait_for("as gate-1");
        let took = since.elapsed();
        assert!(took <= Duration::from_secs(1) + SLACK, "{took:?}");
        board.wait_until_reached();
    }
}

#[test]
fn more_requests_than_the_broker_sends_at_once_do_not_keep_the_panel_from_answering() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let mut unanswered = BTreeSet::new();
    for number in 0..40 {
        let id = format!("r-{number}");
        let wrong = json!({"request_id": id, "mac": OLD, "new_mac": NEW, "model": "other"});
        watcher.retain(&format!("intercoms/{OLD}/patch/{id}"), wrong.to_string());
        unanswered.insert(id);
    }
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let _daemon = board.start();
    while !unanswered.is_empty() {
        let report = watcher.report(OLD);
        assert_eq!(report["status"], "rejected");
        unanswered.remove(report["request_id"].as_str().expect("an ID"));
    }
}
