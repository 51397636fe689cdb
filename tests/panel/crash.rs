//! A crash leaves its place in the log, in the runtime directory, in `status` and in the next report.

use intercom_test_support::{Board, Broker, NEW, OLD, Process, Watcher, request};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

fn status(board: &Board) -> Value {
    board.run(&["status", "--json"]).json()
}

fn crash(mut daemon: Process, signal: Signal) -> String {
    kill(Pid::from_raw(daemon.id().cast_signed()), signal).expect("it runs");
    daemon.wait_for("crashed by signal")
}

#[test]
fn a_crash_is_told_where_somebody_will_look() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());

    let line = crash(board.start(), Signal::SIGSEGV);
    assert!(line.starts_with("[ERROR] crashed by signal 11 at 0x"), "{line}");
    let build_id = line.rsplit(' ').next().expect("a word");
    assert!(build_id == "unknown" || build_id.len() == 40, "{line}");
    let kept = board.read("run/crash");
    assert_eq!(kept.trim_end(), line.trim_start_matches("[ERROR] "));

    let mut daemon = board.start_at_once();
    daemon.wait_for("1 runs since boot did not end cleanly; the last one: crashed by signal 11");
    daemon.wait_for("board ");
    board.wait_until_reached();
    let told = status(&board);
    assert_eq!(
        (&told["counters"]["unclean_ends"], &told["last_crash"]),
        (&json!(1), &json!(kept.trim_end()))
    );
    let words = board.run(&["status"]).out;
    assert!(words.contains("crashes    1 runs since boot did not end cleanly"), "{words}");

    watcher.publish(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
    assert_eq!(watcher.report(NEW)["unclean_ends"], 1);

    assert!(daemon.terminate().success());
    let daemon = board.start();
    board.wait_until_reached();
    assert_eq!(status(&board)["counters"]["unclean_ends"], 1, "a clean end does not count");
    daemon.kill();
    let _daemon = board.start();
    // Before it listens, what the last run knew is told.
    board.wait_until_reached();
    let told = status(&board);
    assert_eq!((&told["counters"]["unclean_ends"], &told["last_crash"]), (&json!(2), &Value::Null));
}

#[test]
fn a_daemon_that_never_crashed_says_nothing_of_it() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let _daemon = board.start();
    assert!(!board.run(&["status"]).out.contains("crashes"));
    // Before it has subscribed, the request would be lost: the broker does not retain it.
    watcher.online(OLD, "gate-1");
    watcher.publish(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
    assert_eq!(watcher.report(NEW).get("unclean_ends"), None);
}
