//! The first start while the environment cannot be read: nothing made up is kept, set or written, and
//! once it can be read it counts.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use serde_json::{Value, json};
use uboot_env::Format;

use super::uboot_board::{OWN, RANDOM, SERIAL, UBootBoard};

fn own() -> Value {
    json!({"mac": OWN, "serial_number": SERIAL})
}

/// The whole way, from a first start during which the environment cannot be read, `why`, until the boot
/// after `mend` has made it readable.
fn first_start(board: &UBootBoard, why: &str, mend: impl FnOnce()) {
    let unread = board.environment();
    let restored = board.run(&["restore"]);
    assert_eq!(restored.code, 6, "{restored:?}");
    let told = "not known yet: the U-Boot environment cannot be read: ";
    assert!(restored.out.contains(told) && restored.out.contains(why), "{restored:?}");

    let daemon = board.start();
    let status = board.run(&["status"]).out;
    assert!(status.contains("not read   the U-Boot environment cannot be read: "), "{status}");
    assert!(status.contains(why), "{status}");
    let doctor = board.run(&["doctor"]).out;
    let row = |id: &str| doctor.lines().find(|line| line.contains(&format!(" {id} ")));
    for id in ["mac", "serial-number"] {
        let row = row(id).expect("a row");
        assert!(row.starts_with("WARNING") && row.contains(why), "{doctor}");
    }
    assert!(!doctor.contains("set `id`"), "{doctor}");
    let beside = board.run(&["restore", "--json"]);
    assert_eq!((beside.code, beside.json()["not_read"] != json!([])), (6, true), "{beside:?}");
    assert_eq!(board.board.mac(), RANDOM, "the link is left alone");
    assert_eq!(
        board.board.runtime_identity()["mac"],
        Value::Null,
        "and nobody is told its address"
    );
    assert_eq!(board.environment(), unread, "and nothing is written");

    mend();
    let good = board.environment();
    let beside = board.run(&["restore", "--json"]);
    assert_eq!((beside.code, &beside.json()["identity"]), (0, &own()), "{beside:?}");
    assert_known_and_written_nowhere(board, &good);
    assert!(daemon.terminate().success());
    assert_set_at_the_next_boot(board, &good);
}

fn assert_known_and_written_nowhere(board: &UBootBoard, good: &[Vec<u8>]) {
    let status = board.status_until(|status| status["current"] == own());
    assert_eq!((&status["factory"], &status["not_read"]), (&own(), &json!([])));
    assert_eq!(board.board.mac(), RANDOM, "a live link keeps its address");
    assert_eq!(board.environment(), good, "nothing is written");
    let doctor = board.run(&["doctor"]).out;
    assert!(doctor.contains("the board's own, AA:BB:CC:DD:EE:99, was read late"), "{doctor}");
}

fn assert_set_at_the_next_boot(board: &UBootBoard, good: &[Vec<u8>]) {
    board.boot("boot-2");
    let restored = board.run(&["restore"]);
    assert_eq!((restored.code, board.board.mac()), (0, OWN.to_owned()), "{restored:?}");
    assert_eq!(board.environment(), good, "nothing is written");
    assert_eq!(board.board.runtime_identity()["mac"], OWN);
}

#[test]
fn a_tool_holds_the_lock() {
    let board = UBootBoard::new(Format::Redundant, "redundant-only");
    let holder = board.hold_lock();
    first_start(&board, "lock", || drop(holder));
}

#[test]
fn a_tool_holds_the_lock_and_a_single_copy_may_be_written() {
    let board = UBootBoard::new(Format::Single, "always");
    let holder = board.hold_lock();
    first_start(&board, "lock", || drop(holder));
}

#[test]
fn a_typing_error_in_fw_env_config() {
    let board = UBootBoard::new(Format::Redundant, "redundant-only");
    board.write("etc/fw_env.config", board.lines().replace("0x1000", "Ox1000"));
    first_start(&board, "line 1", || board.write("etc/fw_env.config", board.lines()));
}

/// Nobody has to ask for it.
#[test]
fn a_typing_error_is_corrected_and_the_daemon_finds_out_by_itself() {
    let board = UBootBoard::new(Format::Single, "always");
    board.write("etc/fw_env.config", board.lines().replace("0x1000", "Ox1000"));
    let daemon = board.start();
    board.status_until(|status| status["not_read"] != json!([]));
    let good = board.environment();
    board.write("etc/fw_env.config", board.lines());
    assert_known_and_written_nowhere(&board, &good);
    assert!(daemon.terminate().success());
    assert_set_at_the_next_boot(&board, &good);
}

/// As another user, since root may read everything.
#[test]
fn nobody_gave_the_permission_to_read_it() {
    const NOBODY: u32 = 65534;
    let board = UBootBoard::new(Format::Single, "always");
    let node = board.board.path("env0");
    let root = node.parent().expect("the board");
    let is_root = nix::unistd::geteuid().is_root();
    if is_root {
        let given = Command::new("chown").args(["-R", "65534"]).arg(root).status();
        assert!(given.expect("chown").success());
    }
    let set_mode = |mode| {
        fs::set_permissions(&node, fs::Permissions::from_mode(mode)).expect("the mode set");
    };
    set_mode(0o000);
    let good = board.environment();
    let restore = || {
        let mut command = board.board.command(&["restore", "--json"]);
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.output()
    };
    let answer = match restore() {
        Err(why) if why.kind() == ErrorKind::PermissionDenied => {
            eprintln!("skipped: the agent that was built is where another user cannot run it");
            return;
        }
        answer => answer.expect("the agent"),
    };
    assert_eq!(answer.status.code(), Some(6), "{answer:?}");
    assert!(String::from_utf8_lossy(&answer.stdout).contains("Permission denied"), "{answer:?}");
    assert_eq!((board.board.mac(), board.environment()), (RANDOM.to_owned(), good));

    set_mode(0o600);
    let answer = restore().expect("the agent");
    assert_eq!(answer.status.code(), Some(0), "{answer:?}");
    assert_eq!(board.board.runtime_identity()["mac"], OWN);
    assert_eq!(board.board.runtime_identity()["serial_number"], SERIAL);
    assert_eq!(board.board.mac(), OWN, "before the network comes up, the link gets it at once");
}

#[test]
fn the_device_node_comes_late() {
    for (format, policy) in [(Format::Redundant, "redundant-only"), (Format::Single, "always")] {
        let board = UBootBoard::new(format, policy);
        let (node, aside) = (board.board.path("env0"), board.board.path("elsewhere"));
        fs::rename(&node, &aside).expect("moved");
        first_start(&board, "/env0", || fs::rename(&aside, &node).expect("moved back"));
    }
}

#[test]
fn a_redundant_environment_has_one_line_in_fw_env_config() {
    for policy in ["redundant-only", "always"] {
        let board = UBootBoard::new(Format::Redundant, policy);
        board.write("etc/fw_env.config", "/env0 0x0 0x1000 0x1000\n");
        let mend = || board.write("etc/fw_env.config", board.lines());
        first_start(&board, "no copy of it has a checksum that fits", mend);
    }
}

#[test]
fn no_copy_has_a_good_checksum() {
    for (format, policy) in [(Format::Redundant, "redundant-only"), (Format::Single, "always")] {
        let board = UBootBoard::new(format, policy);
        let copies = ["env0", "env1"];
        let good = board.environment();
        for (name, bytes) in copies.iter().zip(&good) {
            let mut damaged = bytes.clone();
            damaged[0] ^= 1;
            board.write(name, damaged);
        }
        let mend = || {
            for (name, bytes) in copies.iter().zip(&good) {
                board.write(name, bytes);
            }
        };
        first_start(&board, "no copy of it has a checksum that fits", mend);
    }
}
