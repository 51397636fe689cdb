//! Two panels get the same new MAC address at the same moment.

use std::thread;

use intercom_test_support::{Board, Broker, MODEL, NEW, OLD, Process, Watcher};
use serde_json::{Value, json};

const OTHER: &str = "22:0D:CE:38:E7:16";

/// What became of one of them: the outcomes that it was told of, and the address that it has.
fn ended(board: &Board, daemon: &mut Process) -> (String, Value) {
    let said = daemon.wait_for("rolling back");
    assert!(said.contains("identity conflict: board gate-"), "{said}");
    daemon.wait_for("is tried again in");
    daemon.says_any(&["confirmed and durable", "is rejected"]);
    let status = board.run(&["status", "--json"]).json();
    let outcomes = status["outcomes"].as_array().expect("outcomes");
    (board.mac(), outcomes.last().map_or(Value::Null, |outcome| outcome["report"].clone()))
}

#[test]
fn two_panels_that_take_one_mac_at_once_go_back_and_one_of_them_has_it_in_the_end() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let boards = [("gate-1", OLD), ("gate-2", OTHER)].map(|(name, mac)| {
        let board = Board::sandboxed(name, mac).with_mqtt(&broker.url());
        let config = board.read("etc/intercom-agent.toml").replace("settle = 1", "settle = 4");
        board.write("etc/intercom-agent.toml", config);
        board
    });
    let mut daemons = boards.each_ref().map(Board::start);
    for (name, mac) in [("gate-1", OLD), ("gate-2", OTHER)] {
        watcher.online(mac, name);
    }
    for mac in [OLD, OTHER] {
        let asked = json!({"request_id": "r", "mac": mac, "new_mac": NEW, "model": MODEL});
        watcher.publish(&format!("intercoms/{mac}/patch/r"), asked.to_string());
    }
    let mut ends = thread::scope(|scope| {
        let both = boards.iter().zip(&mut daemons);
        let both: Vec<_> =
            both.map(|(board, daemon)| scope.spawn(|| ended(board, daemon))).collect();
        both.into_iter().map(|one| one.join().expect("an end")).collect::<Vec<_>>()
    });
    ends.sort_by_key(|(mac, _)| mac != NEW);
    let status = |at: usize| ends[at].1["status"].as_str().expect("a status");
    assert_eq!((ends[0].0.as_str(), status(0)), (NEW, "installed"));
    assert_eq!(status(1), "rejected", "{ends:?}");
    assert_ne!(ends[1].0, NEW);
    let reason = ends[1].1["reason"].as_str().expect("a reason");
    assert!(reason.contains("identity conflict"), "{reason}");
}
