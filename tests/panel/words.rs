//! What people read: help with an example and the exit codes, and lines that fit the terminal.

use std::process::Command;

use intercom_test_support::{Board, MODEL, NEW, OLD};
use serde_json::json;

const COMMANDS: [&str; 13] = [
    "run",
    "restore",
    "identity",
    "check",
    "apply",
    "rollback",
    "status",
    "doctor",
    "netcheck",
    "config",
    "log",
    "forget-sequence",
    "bugreport",
];

/// Standard output and error of a command on a terminal of this width.
fn shown(board: &Board, columns: usize, arguments: &[&str]) -> String {
    let mut command = board.command(arguments);
    let output = command.env("COLUMNS", columns.to_string()).output().expect("the agent");
    [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("text")).concat()
}

/// What the agent prints without a board.
fn alone(arguments: &[&str]) -> String {
    let agent = Command::new(env!("CARGO_BIN_EXE_intercom-agent")).args(arguments).output();
    let output = agent.expect("the agent");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn every_command_has_help_with_an_example_and_its_exit_codes() {
    for command in COMMANDS {
        for flag in ["-h", "--help"] {
            let help = alone(&[command, flag]);
            for text in ["Usage: ", "Examples:\n  intercom-agent ", "Error codes:\n  0 "] {
                assert!(help.contains(text), "{command} {flag}: {help}");
            }
        }
    }
    let help = alone(&["-h"]);
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "{command}: {help}");
    }
}

#[test]
fn the_version_is_on_one_line() {
    let version = alone(&["--version"]);
    assert!(version.starts_with(&format!("intercom-agent {}", env!("CARGO_PKG_VERSION"))));
    assert_eq!(version.lines().count(), 1, "{version}");
}

#[test]
fn every_output_fits_the_terminal() {
    for columns in [80, 40] {
        let board = Board::sandboxed("gate-1", OLD).with_mqtt("mqtt://127.0.0.1:9");
        let request = json!({"mac": OLD, "new_mac": NEW, "model": MODEL, "colour": "blue"});
        board.write("request.json", request.to_string());
        board.write("other.json", json!({"mac": NEW, "new_mac": OLD}).to_string());
        let path = |name: &str| board.path(name).display().to_string();
        let (request, other) = (path("request.json"), path("other.json"));
        let report = path("report");
        for arguments in [
            vec!["status", "--nothing"],
            vec!["identity"],
            vec!["restore"],
            vec!["status"],
            vec!["doctor"],
            vec!["netcheck"],
            vec!["config"],
            vec!["log", "debug"],
            vec!["config", &request],
            vec!["forget-sequence"],
            vec!["check", &request],
            vec!["check", &other],
            vec!["check", "/nowhere"],
            vec!["apply", "--offline", &request],
            vec!["rollback", "--offline"],
            vec!["rollback", "--offline", "--factory"],
            vec!["apply", "--offline", &other],
            vec!["status"],
            vec!["bugreport", &report],
            vec!["run", "--config", "/nowhere"],
        ] {
            fits(&shown(&board, columns, &arguments), columns, &arguments);
        }
        let mut daemon = board.start();
        daemon.wait_for("nothing listens there");
        for arguments in
            [vec!["status"], vec!["doctor"], vec!["restore"], vec!["log", "info"], vec!["run"]]
        {
            fits(&shown(&board, columns, &arguments), columns, &arguments);
        }
    }
}

#[test]
fn all_help_fits_the_terminal() {
    let board = Board::sandboxed("gate-1", OLD);
    for columns in [80, 40] {
        for flag in ["-h", "--help"] {
            fits(&shown(&board, columns, &[flag]), columns, &[flag]);
            for command in COMMANDS {
                fits(&shown(&board, columns, &[command, flag]), columns, &[command, flag]);
            }
        }
    }
}

/// No line is longer, but where a path or an address stays whole.
fn fits(text: &str, columns: usize, arguments: &[&str]) {
    assert!(!text.is_empty(), "{arguments:?}");
    for line in text.lines() {
        let is_one_word = !line.trim().contains(' ');
        let fits = line.chars().count() <= columns;
        assert!(fits || is_one_word || is_log(line), "{columns}: {arguments:?}: {line}");
    }
}

/// The log is for journald and syslog: one line each.
fn is_log(line: &str) -> bool {
    ["[INFO]", "[WARN]", "[ERROR]"].iter().any(|level| line.contains(level))
}
