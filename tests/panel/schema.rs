//! The answers with `--json` are as their schemas in `docs/schema` say, with and without a daemon.

use std::path::Path;
use std::time::Instant;

use intercom_test_support::{
    Board, Broker, FACTORY_SERIAL, LIMIT, MODEL, NEW, OLD, OTHER, Watcher, request,
};
use jsonschema::Validator;
use serde_json::{Value, json};

fn schema_of(command: &str) -> Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/schema/{command}.json"));
    let text = std::fs::read_to_string(path).expect("a schema");
    let schema = serde_json::from_str(&text).expect("JSON");
    jsonschema::draft202012::new(&schema).expect("a schema")
}

fn is_described(command: &str, answer: &Value) {
    let schema = schema_of(command);
    let wrong: Vec<_> = schema
        .iter_errors(answer)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{command}: {wrong:?}: {answer:#}");
}

/// Runs a command whose answer must be as described; the answer.
fn answer(board: &Board, arguments: &[&str], input: &Value) -> Value {
    let arguments = [arguments, &["--json"]].concat();
    let answer = board.run_with(&arguments, input.to_string().as_bytes());
    assert!(!answer.out.is_empty(), "{arguments:?}: {answer:?}");
    is_described(arguments[0], &answer.json());
    answer.json()
}

fn every_answer(board: &Board) {
    for arguments in [
        &["status"][..],
        &["identity"],
        &["doctor"],
        &["netcheck"],
        &["config"],
        &["restore"],
        &["bugreport"],
        &["forget-sequence"],
    ] {
        answer(board, arguments, &Value::Null);
    }
}

#[test]
fn without_a_daemon_each_answer_is_as_described() {
    let board = Board::sandboxed("gate-1", OLD).with_mqtt("mqtt://127.0.0.1:9");
    every_answer(&board);
    let body = json!({"mac": OLD, "new_mac": NEW, "new_serial_number": "A-1", "model": MODEL, "log_extra": ["x"]});
    let applied = answer(&board, &["apply", "-", "--offline"], &body);
    assert_eq!(applied["status"], "installed");
    let rejected = answer(&board, &["apply", "-", "--offline"], &json!({"mac": OLD, "new_mac": 7}));
    assert_eq!(rejected["status"], "rejected");
    every_answer(&board);
    answer(&board, &["rollback", "--offline"], &Value::Null);
    answer(&board, &["rollback", "--factory", "--offline"], &Value::Null);
    every_answer(&board);
}

#[test]
fn each_decision_of_a_check_is_as_described() {
    let board = Board::sandboxed("gate-1", OLD).with_mqtt("mqtt://127.0.0.1:9");
    let body = |mac: &str, new_mac: &str, serial_number: Value| json!({"mac": mac, "new_mac": new_mac, "new_serial_number": serial_number, "model": MODEL});
    for (options, request, decision) in [
        (&[][..], body(OLD, NEW, json!("A-1")), "apply"),
        (&[], body(OLD, OLD, json!(FACTORY_SERIAL)), "already installed"),
        (&[], body(OTHER, NEW, Value::Null), "reject"),
        (&["--via", "board-topic"], body(OTHER, NEW, Value::Null), "ignore"),
        (&["--held-by", "gate-2"], body(OLD, NEW, Value::Null), "deferred"),
    ] {
        let checked = answer(&board, &[&["check", "-"], options].concat(), &request);
        assert_eq!(checked["decision"], decision, "{checked}");
    }
}

#[test]
fn with_a_daemon_each_answer_is_as_described() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board =
        Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url()).with_polling("http://127.0.0.1:9");
    let mut daemon = board.start();
    board.wait_until_reached();
    let end = Instant::now() + LIMIT;
    while answer(&board, &["status"], &Value::Null)["routes"][1]["last_error"].is_null() {
        assert!(Instant::now() < end, "the second route does not fail");
    }
    every_answer(&board);
    answer(&board, &["log", "debug", "--for", "1s"], &Value::Null);

    let mut follows = board.command(&["status", "--follow", "--json"]);
    follows.stdout(std::process::Stdio::piped());
    let mut follows = follows.spawn().expect("the agent");
    watcher.publish(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
    daemon.wait_for("changing from");
    let during = answer(&board, &["status"], &Value::Null);
    assert_eq!(during["change"]["to"]["mac"], NEW, "{during}");
    let kept =
        answer(&board, &["check", "-"], &json!({"mac": OLD, "new_mac": OTHER, "model": MODEL}));
    assert_eq!(kept["decision"], "keep");
    watcher.report(NEW);
    let repeated = answer(&board, &["check", "-"], &request("r-1"));
    assert_eq!(repeated["decision"], "already done");
    every_answer(&board);
    assert!(daemon.terminate().success());
    let followed = follows.stdout.take().expect("its output");
    let followed: Vec<Value> = serde_json::Deserializer::from_reader(followed)
        .into_iter()
        .map(|line| line.expect("JSON"))
        .collect();
    assert!(followed.len() > 3, "{followed:?}");
    followed.iter().for_each(|line| is_described("status", line));
    let ended = follows.wait().expect("it ended");
    assert_eq!(ended.code(), Some(3), "the daemon ended");
}
