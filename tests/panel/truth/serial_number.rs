//! A serial number that becomes known late is the board's own, and what a command says in several
//! lines is none.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use intercom_test_support::{Board, MODEL, OLD, OTHER};
use serde_json::{Value, json};

const CONFIGURATION: &str = "etc/intercom-agent.toml";

/// A board whose serial number's sources are these.
fn board(sources: &str) -> Board {
    let board = Board::sandboxed("gate-1", OLD).with_mqtt("mqtt://127.0.0.1:9");
    set_sources(&board, sources);
    board
}

fn set_sources(board: &Board, sources: &str) {
    let text = board.read(CONFIGURATION);
    let lines: String = text
        .lines()
        .map(|line| match line.starts_with("sources") {
            true => format!("sources = [{sources}]\n"),
            false => format!("{line}\n"),
        })
        .collect();
    board.write(CONFIGURATION, lines);
}

/// This board is the replacement: the request names another one, and asks for this one's MAC.
fn replacement(serial_number: &str) -> Value {
    json!({"mac": OTHER, "new_mac": OLD, "new_serial_number": serial_number, "model": MODEL})
}

#[test]
fn a_source_that_is_configured_later_counts_for_the_wrong_board_on_the_wall() {
    let board = board("");
    assert_eq!(board.run(&["restore"]).code, 0);
    assert_eq!(board.runtime_identity()["serial_number"], Value::Null);
    board.write("etc/serial", "SN77\n");
    set_sources(&board, "\"file:/etc/serial\"");

    assert_eq!(board.run(&["restore"]).code, 0);
    assert_eq!(board.runtime_identity()["serial_number"], "SN77");
    let wrong =
        board.run_with(&["apply", "-", "--json"], replacement("SN99").to_string().as_bytes());
    assert_eq!(wrong.code, 11, "{wrong:?}");
    let errors = wrong.json()["errors"]["new_serial_number"].to_string();
    assert!(errors.contains("SN77"), "{errors}");
    assert_eq!(board.runtime_identity()["serial_number"], "SN77", "nothing was changed");
    let right = board.run_with(&["check", "-"], replacement("SN77").to_string().as_bytes());
    assert_eq!(right.code, 10, "{right:?}");
}

#[test]
fn a_command_that_prints_two_lines_or_fails_has_no_serial_number_and_is_a_finding() {
    for (script, why) in [
        ("echo 'warning: bus is slow'; echo SN-1", "more than one line"),
        ("echo SN-1; exit 3", "exit"),
    ] {
        let board = board("\"command:/bin/serial\"");
        board.write("bin/serial", format!("#!/bin/sh\n{script}\n"));
        let program = board.path("bin/serial");
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).expect("set");
        let restored = board.run(&["restore"]);
        assert_eq!(restored.code, 6, "{restored:?}");
        assert_eq!(board.runtime_identity()["serial_number"], Value::Null);
        let doctor = board.run(&["doctor"]).out;
        let row = doctor.lines().find(|line| line.contains(" serial-number ")).expect("a row");
        assert!(row.starts_with("WARNING") && row.contains(why), "{row}");
    }
}
