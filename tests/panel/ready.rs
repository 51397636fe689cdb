//! Hooks that are asked first, and say "not now".

use std::fs;
use std::os::unix::fs::PermissionsExt;

use intercom_test_support::{Board, Broker, NEW, OLD, Watcher, request};
use serde_json::json;

/// While its file is there, a call is going on.
fn with_a_hook_that_knows_of_calls(board: &Board) {
    let hook = "hooks/20-sip";
    let call = board.path("call");
    board.write("call", "");
    let asks =
        format!("if [ -e '{}' ]; then echo 'a call is going on'; exit 75; fi", call.display());
    let text = format!("#!/bin/sh\n[ \"$INTERCOM_PHASE\" = ready ] || exit 0\n{asks}\n");
    board.write(hook, text);
    fs::set_permissions(board.path(hook), fs::Permissions::from_mode(0o755)).expect("a mode");
}

#[test]
fn a_request_waits_while_a_hook_says_not_now_and_billing_is_told() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    with_a_hook_that_knows_of_calls(&board);
    let mut daemon = board.start();
    watcher.online(OLD, "gate-1");
    watcher.publish(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
    let report = watcher.report(OLD);
    let why = "the hook 20-sip says \"not now\": a call is going on";
    assert_eq!((&report["status"], &report["reason"]), (&json!("deferred"), &json!(why)));
    assert_eq!((&report["request_id"], &report["deferred_seconds"]), (&json!("r-1"), &json!(30)));
    assert!(daemon.wait_for("is deferred").contains(why));
    let status = board.run(&["status", "--json"]).json();
    assert_eq!((&status["waiting"], &status["counters"]["begun"]), (&json!(1), &json!(0)));
    let waits = &status["waiting_requests"][0];
    assert_eq!((&waits["request"], &waits["reason"]), (&json!("r-1"), &json!(why)));
    let seconds = |name: &str| waits[name].as_u64().expect("a number");
    assert!(seconds("for_seconds") < 60 && seconds("next_attempt_in") <= 30, "{waits}");
    assert!((86_300..=86_400).contains(&seconds("seconds_left")), "{waits}");
    let words = board.run(&["status"]).out;
    assert!(words.contains("r-1 waits for ") && words.contains(why), "{words}");
    board.write("r-1.json", request("r-1").to_string());
    let path = board.path("r-1.json").display().to_string();
    let checked = board.run(&["check", &path]);
    assert!(checked.out.contains("in the daemon r-1 waits for "), "{}", checked.out);
    let checked = board.run(&["check", "--json", &path]).json();
    assert_eq!(
        (&checked["decision"], &checked["hooks_are_asked"]),
        (&json!("apply"), &json!(true))
    );
    assert_eq!(checked["waiting"]["reason"], json!(why));
    assert_eq!((board.mac().as_str(), &status["outcomes"]), (OLD, &json!([])));

    fs::remove_file(board.path("call")).expect("the call has ended");
    let report = watcher.report(NEW);
    assert_eq!((&report["status"], &report["request_id"]), (&json!("installed"), &json!("r-1")));
    assert_eq!(board.mac(), NEW);
}

#[test]
fn an_installer_is_refused_where_no_more_requests_can_wait() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    with_a_hook_that_knows_of_calls(&board);
    let mut daemon = board.start();
    watcher.online(OLD, "gate-1");
    for number in 1..=16 {
        let id = format!("r-{number}");
        watcher.publish(&format!("intercoms/{OLD}/patch/{id}"), request(&id).to_string());
        daemon.wait_for(&format!("request {id} "));
    }
    let applied = board.run(&["apply", "--new-mac", NEW]);
    assert_eq!((applied.code, board.mac().as_str()), (1, OLD), "{applied:?}");
    assert!(applied.err.contains("16 requests wait already, and no more are taken"), "{applied:?}");
}

#[test]
fn check_says_that_a_hook_may_defer_a_request_and_asks_none() {
    let board = Board::sandboxed("gate-1", OLD);
    board.write("r-1.json", request("r-1").to_string());
    let path = board.path("r-1.json").display().to_string();
    let says = "the hooks are asked first: one that says \"not now\" defers it";
    assert!(!board.run(&["check", &path]).out.contains(says));
    with_a_hook_that_knows_of_calls(&board);
    let checked = board.run(&["check", &path]);
    assert!(checked.out.starts_with("apply: ") && checked.out.contains(says), "{}", checked.out);
    assert_eq!(board.run(&["check", "--json", &path]).json()["waiting"], json!(null));
}
