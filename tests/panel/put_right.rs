//! `restore` where the board is not put right: what refused is told, and nothing is claimed of the link.

use std::fs;

use intercom_test_support::{Board, NEW, OLD, Process};
use serde_json::{Value, json};

/// Alone and beside a daemon: nothing is claimed of the link that is not so.
#[test]
fn restore_says_what_the_board_does_not_carry() {
    let board = board();
    assert_eq!(board.run(&["restore"]).code, 0);
    let address = "sys/class/net/eth0/address";
    let refused = |board: &Board| {
        let words = board.run(&["restore"]);
        assert_eq!((words.code, board.mac()), (1, NEW.to_owned()), "{words:?}");
        let says = format!("the board does NOT carry MAC {OLD}");
        assert!(words.out.contains(&says), "{words:?}");
        assert!(
            words.out.contains(&format!("eth0 does not take the MAC address {OLD}")),
            "{words:?}"
        );
        let answer = board.run(&["restore", "--json"]);
        assert_eq!((answer.code, &answer.json()["carried"]), (1, &json!(false)), "{answer:?}");
    };
    let unreadable = |board: &Board| {
        board.write(address, "hello\n");
        let words = board.run(&["restore"]);
        assert_eq!(words.code, 6, "{words:?}");
        assert!(words.out.contains("it is not known whether the board carries"), "{words:?}");
        let answer = board.run(&["restore", "--json"]);
        assert_eq!((answer.code, &answer.json()["carried"]), (6, &Value::Null), "{answer:?}");
        let not_read = answer.json()["not_read"][0].to_string();
        assert!(not_read.contains("`hello`"), "{not_read}");
    };
    // In the way of the file that takes the link's place in a sandbox.
    let in_the_way = "sys/class/net/eth0/.address.new/file";
    let _daemon = {
        board.write(address, format!("{NEW}\n"));
        board.write(in_the_way, "");
        refused(&board);
        unreadable(&board);
        board.write(address, format!("{NEW}\n"));
        started(&board)
    };
    refused(&board);
    unreadable(&board);
    board.write(address, format!("{NEW}\n"));
    fs::remove_dir_all(board.path("sys/class/net/eth0/.address.new")).expect("removed");
    let right = board.run(&["restore", "--json"]);
    assert_eq!((right.code, board.mac()), (0, OLD.to_owned()), "{right:?}");
    assert_eq!(right.json()["carried"], json!(true));
}

#[test]
fn restore_could_not_do_it_all_where_the_record_cannot_be_written() {
    let board = board();
    board.write("state/record.json.new/file", "");
    let alone = board.run(&["restore"]);
    assert_eq!(alone.code, 1, "{alone:?}");
    let says = format!("the board carries MAC {OLD}");
    assert!(alone.out.contains(&says), "the link was not to be set: {alone:?}");
    assert!(alone.out.contains("the record cannot be written"), "{alone:?}");
    let _daemon = started(&board);
    let beside = board.run(&["restore"]);
    assert_eq!((beside.code, beside.out.contains(&says)), (1, true), "{beside:?}");
}

/// The daemon, once it can be asked.
fn started(board: &Board) -> Process {
    let mut daemon = board.start();
    daemon.wait_for("nothing listens there");
    daemon
}

fn board() -> Board {
    Board::sandboxed("gate-1", OLD).with_mqtt("mqtt://127.0.0.1:9")
}
