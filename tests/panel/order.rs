//! Requests are decided in the order in which they came.

use intercom_test_support::{Board, Broker, NEW, OLD, OTHER, Watcher};
use serde_json::{Value, json};

fn board(broker: &Broker, settle: u32) -> Board {
    let board = Board::sandboxed("gate-1", OLD);
    let config = board.read("etc/intercom-agent.toml");
    let config = config.replace("settle = 1", &format!("settle = {settle}"));
    board.write("etc/intercom-agent.toml", format!("changes_per_hour = 100\n{config}"));
    board.with_mqtt(&broker.url())
}

/// Named by the board, so that it fits whatever the address is by then.
fn to(id: &str, mac: &str, serial_number: &str) -> (String, String) {
    let body = json!({
        "request_id": id, "mac": OLD, "target": {"board": "gate-1"}, "new_mac": mac,
        "new_serial_number": serial_number, "model": "3516EV200",
    });
    (format!("intercoms/by-board/gate-1/patch/{id}"), body.to_string())
}

fn next_report(watcher: &Watcher) -> Value {
    let is_report = |topic: &str| topic == "intercoms/by-board/gate-1/status";
    let message = watcher.wait_for("a report", |message| is_report(&message.topic));
    serde_json::from_slice(&message.payload).expect("JSON")
}

#[test]
fn one_that_would_be_done_already_does_not_overtake_one_that_waits() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = board(&broker, 2);
    let mut daemon = board.start();
    watcher.online(OLD, "gate-1");
    let ask = |id, mac, serial_number| {
        let (topic, body) = to(id, mac, serial_number);
        watcher.publish(&topic, body);
    };
    ask("r-1", NEW, "NEW-1");
    daemon.wait_for("watching it");
    ask("r-2", OLD, "OLD-1");
    ask("r-3", OTHER, "OTHER-1");
    ask("r-4", OLD, "OLD-1");
    let mut ended: Vec<String> = Vec::new();
    while ended.len() < 4 {
        let report = next_report(&watcher);
        assert_eq!(report["status"], "installed", "{report}");
        let id = report["request_id"].as_str().expect("an ID").to_owned();
        if !ended.contains(&id) {
            ended.push(id);
        }
    }
    assert_eq!(ended, ["r-1", "r-2", "r-3", "r-4"]);
    assert_eq!(board.mac(), OLD);
}

#[test]
fn more_than_fit_are_done_without_more_connections_than_changes() {
    const REQUESTS: usize = 20;
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = board(&broker, 1);
    let _daemon = board.start();
    watcher.online(OLD, "gate-1");
    for number in 0..REQUESTS {
        // Only the first ones are held up by looking up who has their new MAC address.
        let mac = format!("22:0D:CE:38:E7:{:02}", number.min(2));
        let (topic, body) = to(&format!("r-{number:02}"), &mac, &format!("S-{number:02}"));
        watcher.retain(&topic, body);
    }
    let mut ended: Vec<String> = Vec::new();
    while ended.len() < REQUESTS {
        let report = next_report(&watcher);
        assert_eq!(report["status"], "installed", "{report}");
        let id = report["request_id"].as_str().expect("an ID").to_owned();
        if !ended.contains(&id) {
            watcher.retain(&format!("intercoms/by-board/gate-1/patch/{id}"), "");
            ended.push(id);
        }
    }
    assert!(ended.is_sorted(), "{ended:?}");
    let status = board.run(&["status", "--json"]).json();
    let reconnects = status["routes"][0]["reconnects"].as_u64().expect("a number");
    assert!(reconnects <= REQUESTS as u64 + 2, "{reconnects} reconnects: {status}");
}
