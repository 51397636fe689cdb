//! The daemon as its init system knows it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use intercom_test_support::{Board, Broker, MODEL, NEW, OLD, Watcher, request};
use serde_json::json;

const CONFIGURATION: &str = "etc/intercom-agent.toml";

#[test]
fn a_hang_up_has_the_configuration_read_again() {
    let (first, second) = (Broker::start(), Broker::start());
    let watcher = Watcher::new(&second);
    let board = Board::sandboxed("gate-1", OLD);
    let before = board.read(CONFIGURATION);
    let board = board.with_mqtt(&first.url());
    let mut daemon = board.start();
    board.wait_until_reached();

    board.configure("[mqqt]");
    daemon.hang_up();
    daemon.wait_for("the configuration stays as it was: ");
    assert!(daemon.is_running());

    let moved = before.replace("state_dir = \"/state\"", "state_dir = \"/elsewhere\"");
    assert_ne!(moved, before);
    board.write(
        CONFIGURATION,
        format!("interface = \"eth1\"\n{moved}[mqtt]\nurl = \"{}\"\n", second.url()),
    );
    daemon.hang_up();
    daemon.wait_for("restart needed: `interface` is still eth0");
    daemon.wait_for("restart needed: `state_dir` is still /state");
    daemon.wait_for("the configuration has been read again");
    watcher.online(OLD, "gate-1");
    watcher.retain("intercoms/by-board/gate-1/patch/r-1", request("r-1").to_string());
    assert_eq!(watcher.report(NEW)["status"], "installed", "it takes requests there");
    assert!(!board.path("elsewhere").exists());
    assert!(daemon.terminate().success());
}

#[test]
fn what_is_read_again_is_in_force_at_once() {
    let board = Board::sandboxed("gate-1", OLD).with_mqtt("mqtt://127.0.0.1:9");
    let mut daemon = board.start();
    daemon.wait_for("nothing listens there");
    let before = board.read(CONFIGURATION);
    let mut after = before.clone();
    for (from, to) in [
        ("board_name = \"gate-1\"", "board_name = \"gate-1\"\nid = 7\nlog_level = \"debug\""),
        (MODEL, "OTHER"),
        ("runtime_dir = \"/run\"", "runtime_dir = \"/run-2\""),
        ("hooks_dir = \"/hooks\"", "hooks_dir = \"/hooks-2\""),
        ("confirm_within = 60", "confirm_within = 45"),
        ("file:/etc/serial", "file:/etc/serial-2"),
    ] {
        assert!(after.contains(from), "{from}");
        after = after.replace(from, to);
    }
    board.write(
        CONFIGURATION,
        format!("{after}[http]\nurl = \"http://127.0.0.1:9\"\npoll_every = 1\n"),
    );
    board.write("etc/serial-2", "SN-2\n");
    board.write(
        "hooks-2/10-told",
        format!("#!/bin/sh\necho told >{}\n", board.path("told").display()),
    );
    fs::set_permissions(board.path("hooks-2/10-told"), fs::Permissions::from_mode(0o755))
        .expect("set");
    daemon.hang_up();
    daemon.wait_for("the configuration has been read again");
    daemon.wait_for("[DEBUG]");

    // Asked where the socket is now.
    let status = board.run(&["status", "--json"]).json();
    assert_eq!(json!([status["id"], status["board"]]), json!([7, "gate-1"]), "{status}");
    let routes: Vec<_> = status["routes"].as_array().expect("routes").iter().collect();
    assert_eq!(routes.iter().map(|route| &route["route"]).collect::<Vec<_>>(), ["mqtt", "http"]);
    assert!(board.path("run-2/identity.json").exists());

    let apply = ["apply", "--offline", "--new-mac", NEW, "--model", MODEL];
    let other_model = board.run(&apply);
    assert_eq!(other_model.code, 11, "{other_model:?}");
    let apply = ["apply", "--offline", "--new-mac", NEW, "--model", "OTHER"];
    let applied = board.run(&apply);
    assert_eq!(applied.code, 0, "{applied:?}");
    let left = applied.out.split_once(" s left to confirm it)").expect("the time left").0;
    let left: u8 = left.rsplit('(').next().and_then(|left| left.parse().ok()).expect("seconds");
    assert!(left <= 45, "{applied:?}");
    assert!(board.path("told").exists(), "the hooks are the new ones");
    assert!(daemon.terminate().success());
}

#[test]
fn the_signals_that_mean_nothing_to_it_do_nothing_and_it_ends_cleanly() {
    let board = Board::sandboxed("gate-1", OLD).with_mqtt("mqtt://127.0.0.1:9");
    let mut daemon = board.start();
    daemon.user_defined_signals();
    // Taken in this order, so that the others have been by now.
    daemon.hang_up();
    daemon.wait_for("the configuration has been read again");
    daemon.wait_for("board gate-1");
    assert!(daemon.terminate().success());
    let mut next = board.start();
    assert!(!next.said().iter().any(|line| line.contains("crash")), "{:?}", next.said());
}

#[test]
fn more_is_logged_for_a_while() {
    let board = Board::sandboxed("gate-1", OLD).with_mqtt("mqtt://127.0.0.1:9");
    let none = board.run(&["log", "debug"]);
    assert_eq!(none.code, 3, "{none:?}");
    let mut daemon = board.start();
    // It logs its name shortly before it listens.
    daemon.wait_for("nothing listens there");
    for (words, told) in [(["loud", "--for", "1s"], "loud"), (["debug", "--for", "soon"], "10m")] {
        let wrong = board.run(&[&["log"][..], &words].concat());
        assert_eq!(wrong.code, 2, "{wrong:?}");
        assert!(wrong.err.contains(told), "{wrong:?}");
    }
    let more = board.run(&["log", "debug", "--for", "1s"]);
    assert_eq!(more.out, "the daemon's log is at debug for 1 s\n", "{more:?}");
    daemon.wait_for("the log is at DEBUG for 1 s");
    daemon.wait_for("the log is at INFO again");
    let less = board.run(&["log", "off", "--for", "1h", "--json"]).json();
    assert_eq!((&less["level"], &less["seconds"]), (&"off".into(), &3600.into()));
}
