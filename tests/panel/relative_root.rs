//! `--root` as somebody types it who stands beside the board's directory.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use intercom_test_support::{Board, MODEL, NEW, OLD, Process};
use serde_json::json;

#[test]
fn the_hooks_under_a_relative_root_are_run() {
    let board = Board::sandboxed("gate-1", OLD).with_mqtt("mqtt://127.0.0.1:9");
    board.write("hooks/50-note", "#!/bin/sh\necho \"$INTERCOM_PHASE\" >> \"${0%/*}/../noted\"\n");
    let runnable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(board.path("hooks/50-note"), runnable).expect("executable");
    let request = json!({"mac": OLD, "new_mac": NEW, "model": MODEL});
    board.write("request.json", request.to_string());
    let dir = board.path("");
    let beside = |arguments: &[&str]| {
        let mut agent = Command::new(board.command(&[]).get_program());
        agent.args(arguments).arg("--root").arg(dir.file_name().expect("a name"));
        agent.current_dir(dir.parent().expect("a parent"));
        agent
    };
    let mut daemon = Process::start("intercom-agent", &mut beside(&["run"]));
    daemon.wait_for("board ");
    let file = board.path("request.json");
    let apply = ["apply", file.to_str().expect("text"), "--offline"];
    let applied = beside(&apply).output().expect("the agent");
    assert!(applied.status.success(), "{applied:?}");
    assert_eq!((board.mac(), board.read("noted")), (NEW.to_owned(), "ready\napply\n".to_owned()));
}
