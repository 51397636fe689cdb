//! A signed request that was rejected, sent again when the daemon has started anew and the reason is gone.

use intercom_test_support::{Board, Listener, MODEL, NEW, OLD, Process};
use serde_json::{Value, json};

use crate::fleet::{Fleet, request_topic};
use crate::signer::{Signer, numbered};

const ANOTHER: &str = "ANOTHER-1";

/// The request for a model that the board is not yet.
fn signed() -> (Signer, String) {
    let key = Signer::new(1);
    let mut request = numbered(1, OLD, NEW);
    request["model"] = json!(ANOTHER);
    let signed = key.sign(&request);
    (key, signed)
}

/// The daemon of a board that is of that model from now on.
fn started_as_that_model(board: &Board, daemon: Process) -> Process {
    assert!(daemon.terminate().success());
    let file = "etc/intercom-agent.toml";
    board.write(file, board.read(file).replace(MODEL, ANOTHER));
    let daemon = board.start();
    board.wait_until_reached();
    daemon
}

fn is_overtaken(board: &Board, report: &Value) {
    assert_eq!((&report["status"], &report["seq_mark"]), (&json!("rejected"), &json!(1)));
    assert_eq!(board.mac(), OLD);
    assert_eq!(board.run(&["status", "--json"]).json()["counters"]["begun"], 0);
}

#[test]
fn over_mqtt_a_signed_request_that_was_rejected_is_worth_nothing_after_a_restart() {
    let fleet = Fleet::start();
    let (key, signed) = signed();
    let board = fleet.panel("gate-1", OLD);
    key.required_by(&board);
    let watcher = fleet.watcher();
    let daemon = board.start();
    board.wait_until_reached();
    let thief = fleet.holder_of("billing");
    thief.publish(&request_topic("r-1"), signed.clone());
    let report = watcher.report(OLD);
    assert_eq!((&report["status"], &report["seq_mark"]), (&json!("rejected"), &json!(null)));

    let _daemon = started_as_that_model(&board, daemon);
    thief.publish(&request_topic("r-1"), signed);
    is_overtaken(&board, &watcher.report(OLD));
}

#[test]
fn over_http_a_signed_request_that_was_rejected_is_worth_nothing_after_a_restart() {
    let service = Listener::start();
    let (key, signed) = signed();
    let board = Board::sandboxed("gate-1", OLD).with_polling(&service.url);
    key.required_by(&board);
    let daemon = board.start();
    service.offer(format!("[{signed}]"));
    let report = service.report(|report| report["request_id"] == "r-1");
    assert_eq!((&report["status"], &report["seq_mark"]), (&json!("rejected"), &json!(null)));

    let _daemon = started_as_that_model(&board, daemon);
    let overtaken = service.report(|report| !report["seq_mark"].is_null());
    is_overtaken(&board, &overtaken);
}
