//! A file that cannot be used is named, with what to do.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::Stdio;

use intercom_test_support::{Board, MODEL, NEW, OLD};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::json;

/// Another user, who may read the board; where the tests do not run as root, they are one.
const NOBODY: u32 = 65534;

#[test]
fn without_permission_every_command_names_the_file_and_what_to_do() {
    let board = Board::sandboxed("gate-1", OLD).with_mqtt("mqtt://127.0.0.1:9");
    let request = json!({"mac": OLD, "new_mac": NEW, "model": MODEL});
    board.write("request.json", request.to_string());
    let request = board.path("request.json").display().to_string();
    let state = board.path("state");
    let is_root = fs::metadata(&state).expect("there").uid() == 0;
    fs::set_permissions(&state, Permissions::from_mode(0o000)).expect("changed");
    for arguments in [
        &["identity"][..],
        &["status"],
        &["check", &request],
        &["apply", "--offline", &request],
        &["rollback"],
        &["restore"],
        &["run"],
    ] {
        let mut command = board.command(arguments);
        if is_root {
            command.uid(NOBODY);
        }
        let output = command.stdin(Stdio::null()).output().expect("the agent");
        let told = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {told}");
        assert!(told.contains(&state.display().to_string()), "{arguments:?}: {told}");
        assert!(told.contains("run the command as root"), "{arguments:?}: {told}");
    }
    fs::set_permissions(&state, Permissions::from_mode(0o700)).expect("changed");
}

#[test]
fn a_file_in_the_place_of_a_directory_is_told_by_its_key_and_is_not_to_be_removed() {
    let board = Board::sandboxed("gate-1", OLD).with_mqtt("mqtt://127.0.0.1:9");
    let config = board.read("etc/intercom-agent.toml");
    for (key, before) in [("runtime_dir", "/run"), ("hooks_dir", "/hooks"), ("state_dir", "/state")]
    {
        let line = format!("{key} = \"{before}\"");
        assert!(config.contains(&line), "{config}");
        let config = config.replace(&line, &format!("{key} = \"/etc/serial\""));
        board.write("etc/intercom-agent.toml", config);
        let told = board.run(&["config"]);
        assert_eq!(told.code, 2, "{told:?}");
        assert!(told.err.contains(&format!("`{key}`: /etc/serial ")), "{told:?}");
        assert!(told.err.contains("not a directory; set its key"), "{told:?}");
    }
    for command in [&["run"][..], &["status"], &["apply", "--offline", "--new-mac", NEW]] {
        let told = board.run(command);
        assert_eq!(told.code, 1, "{told:?}");
        assert!(told.err.contains("irectory") && told.err.contains("set its key"), "{told:?}");
        assert!(!told.err.contains("remove"), "{told:?}");
    }
}

#[test]
fn a_pipe_in_the_place_of_the_record_is_not_waited_for() {
    let board = Board::sandboxed("gate-1", OLD).with_mqtt("mqtt://127.0.0.1:9");
    mkfifo(&board.path("state/record.json"), Mode::S_IRWXU).expect("made");
    let status = board.run(&["status"]);
    assert_eq!(status.code, 1, "{status:?}");
    assert!(status.err.contains("record.json: it is not a regular file"), "{status:?}");
    assert_ne!(board.run(&["restore"]).code, 101);
}

#[test]
fn an_error_that_nobody_can_read_has_its_exit_code() {
    let board = Board::sandboxed("gate-1", OLD);
    let full = File::options().write(true).open("/dev/full").expect("there");
    let wrong = board.command(&["config"]).stderr(full).status().expect("the agent");
    assert_eq!(wrong.code(), Some(2));
}

#[test]
fn a_bug_report_has_everything_but_secrets_and_mac_addresses() {
    let board = Board::sandboxed("gate-1", OLD);
    board.configure(
        "[mqtt]\nurl = \"mqtt://127.0.0.1:9\"\nusername = \"u\"\npassword_file = \"/etc/password\"",
    );
    board.write("etc/password", "hunter2\n");
    let password = board.path("etc/password");
    fs::set_permissions(password, Permissions::from_mode(0o600)).expect("changed");
    let file = board.path("report.txt");
    let name = file.to_str().expect("text");
    let daemon = board.start();
    let answer = board.run(&["bugreport", name]);
    assert_eq!(answer.code, 0, "{answer:?}");
    let report = board.read("report.txt");
    let mode = fs::metadata(&file).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for text in [
        "intercom-agent 0.",
        "password_file = \"/etc/password\"",
        "upstream   not reached over MQTT",
        "== doctor",
        "== log",
        "<MAC 1>",
    ] {
        assert!(report.contains(text), "{text}: {report}");
    }
    for text in ["hunter2", OLD, &OLD.to_lowercase()] {
        assert!(!report.contains(text), "{text}: {report}");
    }
    let again = board.run(&["bugreport", name]);
    assert_eq!((again.code, board.read("report.txt")), (1, report), "{again:?}");
    drop(daemon);
    let asked = board.run(&["bugreport", "--mac-addresses"]);
    assert!(asked.out.contains(OLD) && asked.out.contains("== status"), "{asked:?}");
    board.write("commands.toml", "[serial_number]\nsources = [\"command:/bin/sn --key hunter2\"]");
    let commands = board.path("commands.toml");
    let told = board.run(&["bugreport", "--config", commands.to_str().expect("text")]);
    assert!(told.out.contains("\nsources = [\"command:/bin/sn ...\"]\n"), "{told:?}");
    assert!(!told.out.contains("hunter2"), "{told:?}");
    board.configure("[mqqt]");
    let broken = board.run(&["bugreport"]);
    assert!(broken.out.contains("did you mean `mqtt`?"), "{broken:?}");
    for part in ["status", "doctor"] {
        let told = format!("== {part}\nnot known: the configuration above is wrong");
        assert!(broken.out.contains(&told), "{broken:?}");
    }
}

#[test]
fn without_a_boot_id_restore_does_what_it_can_and_a_change_is_refused() {
    let board = Board::sandboxed("gate-1", OLD).with_mqtt("mqtt://127.0.0.1:9");
    assert_eq!(board.run(&["restore"]).code, 0);
    // As if /proc were not mounted: a sandbox without the file would take the kernel's.
    board.write("proc/sys/kernel/random/boot_id/not-a-file", "");
    board.write("sys/class/net/eth0/address", format!("{NEW}\n"));
    let restored = board.run(&["restore"]);
    assert_eq!((restored.code, board.mac()), (0, OLD.to_owned()), "{restored:?}");
    assert!(restored.err.contains("is /proc mounted?"), "{restored:?}");
    let refused = board.run(&["apply", "--offline", "--new-mac", NEW]);
    assert_eq!((refused.code, board.mac()), (1, OLD.to_owned()), "{refused:?}");
    assert!(refused.err.contains("/proc/sys/kernel/random/boot_id"), "{refused:?}");
}
