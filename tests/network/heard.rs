//! What keeps a panel from being heard or from hearing, at a real broker: the right cause is named, and
//! the panel comes back by itself.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use intercom_test_support::{Board, Broker, LIMIT, NEW, OLD, Watcher, request};
use serde_json::{Value, json};

/// Larger than a panel reads.
const TOO_LARGE: usize = 1 << 20;
const FAR_TOO_LARGE: usize = 20 << 20;
const BOARD_TOPIC: &str = "intercoms/by-board/gate-1/patch";

fn mac_topic(id: &str) -> String {
    format!("intercoms/{OLD}/patch/{id}")
}

/// Nothing comes of it but a report.
fn for_another_model(id: &str) -> String {
    json!({"request_id": id, "mac": OLD, "new_mac": NEW, "model": "other"}).to_string()
}

fn last_error(board: &Board) -> String {
    board.run(&["status", "--json"]).json()["routes"][0]["last_error"]["text"].to_string()
}

#[test]
fn messages_that_are_too_large_are_rejected_once_each_and_hold_up_nothing() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let mut daemon = board.start();
    board.wait_until_reached();
    let since = Instant::now();
    for (number, size) in [(1, TOO_LARGE), (2, FAR_TOO_LARGE)] {
        watcher.publish(&mac_topic(&format!("large-{number}")), vec![b'x'; size]);
        watcher.publish(
            &mac_topic(&format!("good-{number}")),
            for_another_model(&format!("good-{number}")),
        );
    }
    for id in ["large-1", "good-1", "large-2", "good-2"] {
        let report = watcher.report(OLD);
        assert_eq!((&report["request_id"], &report["status"]), (&json!(id), &json!("rejected")));
        let names_topic = report["errors"]["body"].to_string().contains(&mac_topic(id));
        assert_eq!(names_topic, id.starts_with("large"), "{report}");
    }
    assert!(since.elapsed() < Duration::from_secs(20), "{:?}", since.elapsed());
    let said = daemon.said().join("\n");
    assert!(!said.contains("connecting again"), "{said}");
    assert!(last_error(&board).contains(&mac_topic("large-2")), "{}", last_error(&board));
}

#[test]
fn retained_messages_that_are_too_large_on_both_topics_keep_the_panel_from_nothing() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    watcher.retain(&mac_topic("large-1"), vec![b'x'; TOO_LARGE]);
    watcher.retain(&format!("{BOARD_TOPIC}/large-2"), vec![b'x'; TOO_LARGE]);
    watcher.so_far();
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let mut daemon = board.start();
    board.wait_until_reached();
    for topic in [mac_topic("large-1"), format!("{BOARD_TOPIC}/large-2")] {
        daemon.wait_for(&format!("the message on {topic} is too large"));
    }
    assert!(last_error(&board).contains("clear it"), "{}", last_error(&board));
    watcher.publish(&mac_topic("r-1"), request("r-1").to_string());
    while watcher.report(NEW)["request_id"] != "r-1" {}
    assert_eq!(board.mac(), NEW);
}

#[test]
fn thirty_messages_that_are_too_large_are_rejected_and_the_request_behind_them_is_handled() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let mut daemon = board.start();
    board.wait_until_reached();
    let ids: Vec<String> = (1..=30).map(|number| format!("large-{number}")).collect();
    for id in &ids {
        watcher.publish(&mac_topic(id), vec![b'x'; TOO_LARGE]);
    }
    watcher.publish(&mac_topic("good"), for_another_model("good"));
    for id in ids.iter().map(String::as_str).chain(["good"]) {
        let report = watcher.report(OLD);
        assert_eq!((&report["request_id"], &report["status"]), (&json!(id), &json!("rejected")));
    }
    let said = daemon.said().join("\n");
    assert!(!said.contains("connecting again"), "{said}");
}

#[test]
fn a_report_that_is_too_large_for_the_broker_goes_in_a_smaller_form() {
    let broker = Broker::start_with("allow_anonymous true\nmax_packet_size 1000\n");
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let mut daemon = board.start();
    board.wait_until_reached();
    // The request itself has to pass.
    let mut request = request("r-1");
    request["log_extra"] = json!("x".repeat(700));
    watcher.publish(&mac_topic("r-1"), request.to_string());
    let line = daemon.wait_for("max_packet_size");
    assert!(line.contains("closes the connection over a report of"), "{line}");
    let report = watcher.report(NEW);
    assert_eq!((&report["status"], &report["log_extra"]), (&json!("installed"), &Value::Null));
    board.wait_until_reached();
    let said = daemon.said().join("\n");
    assert!(!said.contains("another panel"), "{said}");
    let end = Instant::now() + LIMIT;
    while board.run(&["status", "--json"]).json()["unreported"] != 0 {
        assert!(Instant::now() < end, "the report is never done with");
    }
}

/// Between the panel and the broker: ends each connection on which nothing passes for this long.
fn idle_limit(broker: &Broker, limit: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("mqtt://{}", listener.local_addr().expect("an address"));
    let address = broker.address();
    thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let far = TcpStream::connect(&address).expect("a broker");
            near.set_read_timeout(Some(limit)).expect("a limit");
            let back = (far.try_clone().expect("a copy"), near.try_clone().expect("a copy"));
            // The panel hears nothing from the broker while it says nothing.
            pass(near, far);
            pass(back.0, back.1);
        }
    });
    url
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    });
}

#[test]
fn an_idle_limit_that_no_keep_alive_stays_below_is_told_beside_the_identity_conflict() {
    let broker = Broker::start();
    let board =
        Board::sandboxed("gate-1", OLD).with_mqtt(&idle_limit(&broker, Duration::from_secs(1)));
    let line = board.start().wait_for("it closes each connection soon after it was made");
    assert!(line.contains("`board_name`") && line.contains("idle for less than 5 s"), "{line}");
}

#[test]
fn an_idle_limit_below_the_keep_alive_is_no_identity_conflict() {
    let broker = Broker::start();
    let board =
        Board::sandboxed("gate-1", OLD).with_mqtt(&idle_limit(&broker, Duration::from_secs(5)));
    let mut daemon = board.start();
    for _ in 0..4 {
        let line = daemon.wait_for("set `keep_alive` below the idle limit");
        assert!(line.contains("silent for"), "{line}");
    }
    let said = daemon.said().join("\n");
    assert!(!said.contains("identity conflict"), "{said}");
}
