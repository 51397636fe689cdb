//! `S95intercom-agent`, which starts the daemon where init does not, with the real daemon under BusyBox's shell;
//! and `S35intercom-restore` before it.
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use intercom_test_support::{Board, Directory, LIMIT, OLD, in_a_namespace};

/// A sandboxed board with the script, and its own paths in it.
struct Installed(Board);

impl Installed {
    fn new() -> Self {
        let board = Board::sandboxed("gate-1", OLD).with_mqtt("mqtt://127.0.0.1:9");
        let agent = board.command(&[]);
        let (program, options) = (agent.get_program(), agent.get_args());
        let options: Vec<_> = options.map(|option| option.to_str().expect("text")).collect();
        let start = format!(
            "#!/bin/sh\necho $$ >'{}'\nexec '{}' \"$@\" {}\n",
            board.path("daemon").display(),
            Path::new(program).display(),
            options.join(" ")
        );
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/S95intercom-agent");
        let mut script = fs::read_to_string(script).expect("readable");
        for (of_a_panel, here) in [
            ("/usr/sbin/intercom-agent", "start"),
            ("/run/intercom-agent.pid", "pid"),
            ("/etc/intercom-agent.toml", "etc/intercom-agent.toml"),
            ("/dev/kmsg", "log"),
        ] {
            assert!(script.contains(of_a_panel), "{of_a_panel}");
            script = script.replace(of_a_panel, board.path(here).to_str().expect("text"));
        }
        // The next start must not take what the last one has said away.
        board.write("S95intercom-agent", script.replace(">/", ">>/"));
        board.write("start", start);
        for file in ["S95intercom-agent", "start"] {
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(board.path(file), mode).expect("set");
        }
        Installed(board)
    }

    fn script(&self, word: &str) -> bool {
        let script = self.0.path("S95intercom-agent");
        let mut command = Command::new("busybox");
        command.arg("sh").arg(script).arg(word).status().expect("it runs").success()
    }

    fn daemon(&self) -> String {
        self.0.read("daemon")
    }

    fn wait_until(&self, what: &str, is_so: impl Fn(&Board) -> bool) {
        let end = Instant::now() + LIMIT;
        while !is_so(&self.0) {
            assert!(Instant::now() < end, "{what}: {}", self.0.read("log"));
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn wait_until_it_answers(&self) {
        self.wait_until("it does not answer", |board| board.run(&["status"]).code == 0);
    }
}

#[test]
fn the_daemon_is_started_once_and_again_when_it_has_ended() {
    in_a_namespace("the_daemon_is_started_once_and_again_when_it_has_ended", || {
        let installed = Installed::new();
        assert!(!installed.script("status"));
        assert!(installed.script("start"));
        installed.wait_until_it_answers();
        let first = installed.daemon();
        assert!(installed.script("start") && installed.script("status"));
        assert_eq!(installed.daemon(), first, "once");

        let killed = Command::new("kill").args(["-9", first.trim()]).status();
        assert!(killed.expect("it runs").success());
        installed.wait_until("it does not come again", |board| board.read("daemon") != first);
        installed.wait_until_it_answers();

        let again = installed.daemon();
        assert!(installed.script("reload"));
        installed.wait_until("it is not told", |board| {
            board.read("log").contains("the configuration has been read again")
        });
        assert_eq!(installed.daemon(), again, "the same one");

        assert!(installed.script("stop"));
        assert!(!installed.script("status"));
        assert_eq!(installed.0.run(&["status"]).code, 3, "no daemon runs");
        assert!(installed.0.read("log").contains("stopping"), "it ended cleanly");
    });
}

#[test]
fn a_lease_is_renewed_also_where_restore_could_not_do_everything() {
    let dir = Directory::new();
    let link = dir.path().join("net/eth0");
    fs::create_dir_all(&link).expect("made");
    let write = |name: &str, text: &str| {
        let file = dir.path().join(name);
        fs::write(&file, text).expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("set");
        file.to_str().expect("text").to_owned()
    };
    write("net/eth0/address", "08:00:00:00:00:01\n");
    write("net/eth0/flags", "0x1003\n");
    let address = link.join("address").display().to_string();
    let renewed = dir.path().join("renewed");
    let agent = format!(
        "#!/bin/sh\necho 22:0D:CE:38:E7:15 >'{address}'\necho 'the record refuses' >&2\nexit 1\n"
    );
    let hook =
        format!("#!/bin/sh\necho $INTERCOM_OLD_MAC $INTERCOM_NEW_MAC >'{}'\n", renewed.display());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/S35intercom-restore");
    let mut script = fs::read_to_string(script).expect("readable");
    for (of_a_panel, here) in [
        ("/usr/sbin/intercom-agent", write("agent", &agent)),
        (
            "/run/intercom-agent/identity.env",
            write("identity.env", "INTERCOM_INTERFACE=\"eth0\"\n"),
        ),
        ("/etc/intercom-agent/hooks.d/50-udhcpc", write("hook", &hook)),
        ("/etc/intercom-agent.toml", write("toml", "")),
        ("/dev/log", dir.path().join("no-syslog").display().to_string()),
        ("/dev/kmsg", write("log", "")),
        ("/sys/class/net", dir.path().join("net").display().to_string()),
    ] {
        assert!(script.contains(of_a_panel), "{of_a_panel}");
        script = script.replace(of_a_panel, &here);
    }
    let script = write("S35", &script);
    let output = Command::new("busybox").args(["sh", &script, "start"]).output().expect("it runs");
    let said = String::from_utf8(output.stdout).expect("text");
    assert!(said.contains("restore failed; logread or dmesg says why"), "{said}");
    let log = fs::read_to_string(dir.path().join("log")).expect("readable");
    assert_eq!(log, "intercom-agent: the record refuses\n");
    let renewed = fs::read_to_string(renewed).expect("the hook has run");
    assert_eq!(renewed, "08:00:00:00:00:01 22:0D:CE:38:E7:15\n");
}
