//! The control socket and the output, where descriptors are few and readers go away.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use intercom_test_support::{Board, LIMIT, OLD, Process};

fn without_uplink() -> Board {
    Board::sandboxed("gate-1", OLD).with_mqtt("mqtt://127.0.0.1:9")
}

/// The daemon logs its name shortly before.
fn wait_until_it_listens(board: &Board) {
    let end = Instant::now() + LIMIT;
    while board.run(&["status"]).code != 0 {
        assert!(Instant::now() < end, "the daemon does not listen");
    }
}

/// The same command under a shell that first does `before`.
fn shell(script: &str, command: &Command) -> Command {
    let mut shell = Command::new("bash");
    shell.args(["-c", script, "bash"]).arg(command.get_program()).args(command.get_args());
    shell
}

#[test]
fn the_socket_survives_a_shortage_of_descriptors() {
    let board = without_uplink();
    let mut few = shell("ulimit -n 32; exec \"$@\"", &board.command(&["run"]));
    let mut daemon = Process::start("intercom-agent", &mut few);
    daemon.wait_for("board ");
    wait_until_it_listens(&board);
    let socket = board.path("run/control.sock");
    let silent: Vec<_> =
        (0..60).map(|_| UnixStream::connect(&socket).expect("the kernel takes it")).collect();
    daemon.wait_for("the control socket cannot take a command");
    drop(silent);
    let status = board.run(&["status"]);
    assert_eq!(status.code, 0, "{}", status.err);
}

#[test]
fn following_ends_when_nobody_reads_any_more() {
    let board = without_uplink();
    let _daemon = board.start();
    wait_until_it_listens(&board);
    let follow = board.command(&["status", "--follow"]);
    // The pipeline ends when both of its programs have, and fails if one of them does.
    let mut pipeline = shell("set -o pipefail; timeout 30 \"$@\" | head -n 1", &follow);
    let output = pipeline.output().expect("a shell");
    assert!(output.status.success());
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.starts_with("board"), "{said}");
}

#[test]
fn a_follower_is_told_that_the_daemon_ended() {
    let ends: [fn(Process); 2] = [Process::kill, |daemon| assert!(daemon.terminate().success())];
    for (end, options) in ends.into_iter().zip([&["--follow"][..], &["--follow", "--json"]]) {
        let board = without_uplink();
        let daemon = board.start();
        wait_until_it_listens(&board);
        let mut follow = board.command(&[&["status"], options].concat());
        let follow = follow.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut follows = follow.spawn().expect("started");
        let mut out = BufReader::new(follows.stdout.take().expect("piped"));
        out.read_line(&mut String::new()).expect("the state");
        end(daemon);
        let ended = follows.wait_with_output().expect("ended");
        let told = String::from_utf8(ended.stderr).expect("text");
        assert_eq!(ended.status.code(), Some(3), "{told}");
        assert!(told.contains("the daemon ended"), "{told}");
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_a_failure() {
    let board = without_uplink();
    for arguments in [&["config"][..], &["netcheck"], &["netcheck", "--json"]] {
        let output =
            shell("\"$@\" >/dev/full", &board.command(arguments)).output().expect("a shell");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {told}");
        assert!(told.contains("No space left"), "{arguments:?}: {told}");
    }
}

#[test]
fn nobody_reads_the_answer_and_the_exit_code_is_the_same() {
    let board = without_uplink();
    for arguments in [
        &["status"][..],
        &["status", "--json"],
        &["identity"],
        &["doctor"],
        &["config"],
        &["bugreport"],
        &["restore"],
        &["check", "-h"],
        &["--version"],
        &["rollback", "--factory", "--offline"],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = board.command(arguments).stdout(writer).output().expect("the agent");
        let read = board.run(arguments);
        assert_eq!(output.status.code(), Some(read.code), "{arguments:?}: {output:?}");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(!complaint.contains("pipe") && !complaint.contains("panick"), "{complaint}");
    }
}

#[test]
fn a_daemon_that_hangs_is_told_soon_and_asked_once_by_doctor() {
    let board = without_uplink();
    let daemon = board.start();
    wait_until_it_listens(&board);
    daemon.stop();
    for arguments in [
        &["status"][..],
        &["status", "--follow"],
        &["log", "debug"],
        &["forget-sequence"],
        &["rollback"],
    ] {
        let since = Instant::now();
        let answer = board.run(arguments);
        let took = since.elapsed();
        assert_eq!(answer.code, 1, "{arguments:?}: {answer:?}");
        assert!(answer.err.contains("it does not answer (for 5 s): restart it"), "{answer:?}");
        for silent in [2, 4] {
            let line = format!("the daemon has not answered for {silent} s");
            assert!(answer.err.contains(&line), "{arguments:?}: {answer:?}");
        }
        assert!(took < Duration::from_secs(9), "{arguments:?}: {took:?}");
    }
    let since = Instant::now();
    let words = board.run(&["doctor"]).out;
    assert!(since.elapsed() < Duration::from_secs(15), "{:?}", since.elapsed());
    assert!(words.contains("it does not answer (for 5 s): restart it"), "{words}");
    assert!(!words.contains("start it as this system starts its services"), "{words}");
    daemon.go_on();
}
