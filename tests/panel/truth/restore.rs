//! `restore` beside a running daemon has the daemon put the board right.

use intercom_test_support::{MODEL, NEW};
use serde_json::json;
use uboot_env::Format;

use super::uboot_board::{OWN, RANDOM, UBootBoard};

#[test]
fn the_daemon_puts_link_and_runtime_files_right_and_answers_in_the_same_shape() {
    let board = UBootBoard::new(Format::Redundant, "redundant-only");
    let alone = board.run(&["restore", "--json"]);
    assert_eq!((alone.code, board.board.mac()), (0, OWN.to_owned()), "{alone:?}");
    let mut daemon = board.start();
    let files = board.board.read("run/identity.env");

    board.write("sys/class/net/eth0/address", format!("{RANDOM}\n"));
    board.write("run/identity.env", "INTERCOM_MAC=\"\"\n");
    let beside = board.run(&["restore", "--json"]);
    assert_eq!(beside.code, 0, "{beside:?}");
    assert_eq!((board.board.mac(), board.board.read("run/identity.env")), (OWN.to_owned(), files));
    let keys = |answer: &serde_json::Value| {
        answer.as_object().expect("an object").keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(keys(&beside.json()), keys(&alone.json()));
    assert_eq!(beside.json()["remarks"], json!([format!("the link carries {OWN} again")]));
    assert_eq!(beside.json()["identity"], alone.json()["identity"]);
    assert!(daemon.is_running());
}

#[test]
fn the_daemon_takes_over_an_address_that_the_environment_has_got_since() {
    let board = UBootBoard::new(Format::Redundant, "redundant-only");
    board.save_environment(&[("bootcmd", "run boot")]);
    let _daemon = board.start();
    assert_eq!(board.run(&["restore", "--json"]).json()["identity"]["mac"], RANDOM);
    board.save_environment(&[("bootcmd", "run boot"), ("ethaddr", OWN)]);
    let beside = board.run(&["restore", "--json"]);
    assert_eq!((beside.code, &beside.json()["identity"]["mac"]), (0, &json!(OWN)), "{beside:?}");
    assert_eq!(board.board.mac(), RANDOM, "a live link keeps its address");
}

/// The record and the environment differ after a change; the lock is held when `restore` would write.
#[test]
fn a_locked_environment_has_an_exit_code_of_its_own() {
    let board = UBootBoard::new(Format::Redundant, "redundant-only");
    assert_eq!(board.run(&["restore"]).code, 0);
    let request = json!({"mac": OWN, "new_mac": NEW, "model": MODEL}).to_string();
    let changed = board.board.run_with(&["apply", "--offline", "-"], request.as_bytes());
    assert_eq!(changed.code, 0, "{changed:?}");
    board.save_environment(&[("ethaddr", OWN), ("bootcmd", "run boot")]);
    let holder = board.hold_lock();
    let alone = board.run(&["restore"]);
    assert_eq!((alone.code, board.board.mac()), (7, NEW.to_owned()), "{alone:?}");
    let _daemon = board.start();
    let beside = board.run(&["restore"]);
    assert_eq!(beside.code, 7, "{beside:?}");
    for answer in [alone, beside] {
        assert!(answer.out.contains("lock"), "{answer:?}");
    }
    drop(holder);
    assert_eq!(board.run(&["restore"]).code, 0);
}
