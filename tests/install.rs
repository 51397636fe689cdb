//! `systemd/install` in the root directory of a firmware that sets the MAC itself.
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use intercom_test_support::{Directory, in_a_namespace};

const INTERFACES: &str = "etc/network/interfaces";
const ETH0: &str = "etc/network/interfaces.d/eth0";
const NETWORK: &str = "etc/init.d/S40network";
const INITTAB: &str = "etc/inittab";

/// The files of a firmware.
struct Firmware {
    root: Directory,
    /// A panel has no commands but BusyBox's.
    commands: Directory,
}

impl Firmware {
    /// Without any that the agent's installation has to look at.
    fn new() -> Self {
        let firmware = Firmware { root: Directory::new(), commands: Directory::new() };
        let links = ["--install", "-s"];
        let mut busybox = Command::new("busybox");
        let linked = busybox.args(links).arg(firmware.commands.path()).status();
        assert!(linked.expect("it runs").success());
        firmware.write(INITTAB, "::sysinit:/etc/init.d/rcS\n");
        firmware
    }

    fn path(&self, file: &str) -> PathBuf {
        self.root.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).expect("readable")
    }

    /// Runs `systemd/install` by BusyBox's shell, as a panel does; what it prints.
    fn install(&self, option: &str) -> String {
        let output = self.try_install(option);
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    fn try_install(&self, option: &str) -> Output {
        Command::new(self.commands.path().join("sh"))
            .env("PATH", self.commands.path())
            .arg(shipped("install"))
            .arg("--root")
            .arg(self.root.path())
            // Any file will do.
            .arg("--binary")
            .arg(shipped("install"))
            .args(option.split(' '))
            .output()
            .expect("it runs")
    }

    /// Every directory, and every file with what is in it.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut directories = vec![self.root.path().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).expect("readable") {
                let entry = entry.expect("an entry");
                if entry.file_type().expect("a type").is_dir() {
                    directories.push(entry.path());
                    files.insert(entry.path(), Vec::new());
                    continue;
                }
                // A link into the root directory leads nowhere here.
                let content = fs::read(entry.path()).unwrap_or_default();
                files.insert(entry.path(), content);
            }
        }
        files
    }
}

fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd").join(path)
}

/// One line of a firmware's file, and what it becomes.
const ASKS: [(&str, &str, &str); 7] = [
    (
        ETH0,
        "    hwaddress ether $(fw_printenv -n ethaddr || echo 00:00:23:34:45:66)",
        "    hwaddress ether $(intercom-mac $IFACE || fw_printenv -n ethaddr || echo 00:00:23:34:45:66)",
    ),
    (
        INTERFACES,
        "hwaddress ether $(fw_printenv -n ethaddr)",
        "hwaddress ether $(intercom-mac $IFACE || fw_printenv -n ethaddr)",
    ),
    (
        NETWORK,
        "ip link set eth0 address \"$(fw_printenv -n ethaddr 2>/dev/null || echo 00:00:23:34:45:66)\"",
        "ip link set eth0 address \"$(intercom-mac eth0 || fw_printenv -n ethaddr 2>/dev/null || echo 00:00:23:34:45:66)\"",
    ),
    (
        NETWORK,
        "ip link set dev eth0 addr $(fw_printenv -n ethaddr)",
        "ip link set dev eth0 addr $(intercom-mac eth0 || fw_printenv -n ethaddr)",
    ),
    (
        NETWORK,
        "ifconfig eth0 hw ether $(fw_printenv -n ethaddr)",
        "ifconfig eth0 hw ether $(intercom-mac eth0 || fw_printenv -n ethaddr)",
    ),
    (
        NETWORK,
        "ip link set eth0 address ${mac:-$(fw_printenv -n ethaddr)} && true",
        "ip link set eth0 address ${mac:-$(intercom-mac eth0 || fw_printenv -n ethaddr)} && true",
    ),
    (
        NETWORK,
        "ip link set eth0 addr $(fw_printenv -n ethaddr); ip link set wlan0 addr $(fw_printenv -n ethaddr)",
        "ip link set eth0 addr $(intercom-mac eth0 || fw_printenv -n ethaddr); ip link set wlan0 addr $(intercom-mac wlan0 || fw_printenv -n ethaddr)",
    ),
];

#[test]
fn a_line_that_sets_the_mac_from_the_environment_asks_the_agent_first() {
    for (file, line, asks) in ASKS {
        let firmware = Firmware::new();
        firmware.write(file, &format!("first\n{line}\nlast"));
        let names_nothing = |said: &str| !said.contains("these lines set a MAC address");
        assert!(names_nothing(&firmware.install("--busybox")));
        assert_eq!(firmware.read(file), format!("first\n{asks}\nlast"));
        // Again, as an upgrade does.
        assert!(names_nothing(&firmware.install("--busybox")));
        assert_eq!(firmware.read(file), format!("first\n{asks}\nlast"));
    }
}

#[test]
fn a_line_that_somebody_else_has_made_ask_the_agent_is_kept_and_named() {
    let theirs = [
        "ip link set dev wlan0 address \"$(intercom-mac wlan0 || echo \"$mac\")\"",
        "ifconfig eth0 $ip hw ether \"$(intercom-mac eth0 || echo \"${eth:-00:00:23:34:45:66}\")\" up",
        "mac=$(intercom-mac eth0 || fw_printenv -n ethaddr)",
    ];
    let before = format!("{}\n{}\n# intercom-mac eth0 || x", theirs.join("\n"), ASKS[2].1);
    let firmware = Firmware::new();
    firmware.write(NETWORK, &before);
    firmware.install("--busybox");
    assert_ne!(firmware.read(NETWORK), before);
    let said = firmware.install("--remove");
    assert_eq!(firmware.read(NETWORK), before);
    let named: Vec<&str> = said.lines().filter(|line| line.contains("S40network")).collect();
    assert_eq!(named, theirs.map(|line| format!("kept /{NETWORK}: {line}")));
}

#[test]
fn a_line_that_it_cannot_change_is_named() {
    let firmware = Firmware::new();
    firmware
        .write(NETWORK, "mac=$(fw_printenv -n ethaddr)\nip link set dev wlan0 address \"$mac\"\n");
    firmware.write(
        ETH0,
        "iface eth0 inet static\n  hwaddress ether 02:00:5E:00:53:01\n  # hwaddress ether x\n",
    );
    let before = [firmware.read(NETWORK), firmware.read(ETH0)];
    let said = firmware.install("--busybox");
    let named: Vec<&str> = said.lines().filter(|line| line.starts_with('/')).collect();
    assert_eq!(
        named,
        [
            "/etc/network/interfaces.d/eth0:2:  hwaddress ether 02:00:5E:00:53:01",
            "/etc/init.d/S40network:2:ip link set dev wlan0 address \"$mac\"",
        ]
    );
    assert!(said.contains("`$(intercom-mac INTERFACE || ...)`"), "{said}");
    assert_eq!([firmware.read(NETWORK), firmware.read(ETH0)], before);
}

#[test]
fn removed_nothing_is_left_but_the_configuration() {
    for options in ["--busybox", "--busybox --respawn", "--systemd"] {
        let firmware = Firmware::new();
        for (file, ..) in ASKS {
            let lines =
                ASKS.iter().filter(|(of, ..)| *of == file).map(|(_, line, _)| format!("{line}\n"));
            firmware.write(file, &lines.collect::<String>());
        }
        let before = firmware.files();
        firmware.install(options);
        assert!(firmware.files().len() > before.len());
        firmware.install("--remove");
        let mut after = firmware.files();
        assert!(after.remove(&firmware.path("etc/intercom-agent.toml")).is_some());
        assert_eq!(after, before, "{options}");
    }
}

const MARKER: &str = "# intercom-agent\n";
const RESPAWN: &str = "::respawn:/usr/sbin/intercom-agent run >/dev/kmsg 2>&1\n";

#[test]
fn the_lines_of_inittab_come_back_to_the_byte() {
    for table in ["::sysinit:/etc/init.d/rcS\n", "::sysinit:/etc/init.d/rcS", "\n\n"] {
        let firmware = Firmware::new();
        firmware.write(INITTAB, table);
        fs::set_permissions(firmware.path(INITTAB), Permissions::from_mode(0o600)).expect("set");
        for _ in 0..2 {
            firmware.install("--busybox --respawn");
            assert_eq!(firmware.read(INITTAB), format!("{MARKER}{RESPAWN}{table}"));
        }
        firmware.install("--remove");
        assert_eq!(firmware.read(INITTAB), table);
        let mode = fs::metadata(firmware.path(INITTAB)).expect("there").mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn what_follows_the_marker_in_inittab_is_kept_unless_it_starts_the_agent() {
    const REST: &str = "::askfirst:/sbin/getty\n::shutdown:/bin/umount -a\n";
    // The line was deleted, or is another one; and as an older version has left it.
    for (left, kept) in [
        (MARKER.to_owned(), ""),
        (format!("{MARKER}::once:/sbin/own\n"), "::once:/sbin/own\n"),
        (format!("{MARKER}{MARKER}{RESPAWN}"), ""),
        (format!("::sysinit:/etc/init.d/rcS\n{MARKER}{RESPAWN}"), "::sysinit:/etc/init.d/rcS\n"),
    ] {
        let firmware = Firmware::new();
        firmware.write(INITTAB, &format!("{left}{REST}"));
        firmware.install("--busybox --respawn");
        assert_eq!(firmware.read(INITTAB), format!("{MARKER}{RESPAWN}{kept}{REST}"));
        firmware.install("--remove");
        assert_eq!(firmware.read(INITTAB), format!("{kept}{REST}"));
    }
}

#[test]
fn respawn_without_an_inittab_is_refused() {
    let firmware = Firmware::new();
    fs::remove_file(firmware.path(INITTAB)).expect("removed");
    let before = firmware.files();
    let output = firmware.try_install("--busybox --respawn");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(said.contains("/etc/inittab is not there; leave --respawn out"), "{said}");
    assert_eq!(firmware.files(), before);
}

#[test]
fn one_thing_starts_the_daemon_whichever_did_before() {
    const SCRIPT: &str = "etc/init.d/S95intercom-agent";
    let firmware = Firmware::new();
    let table = firmware.read(INITTAB);
    for _ in 0..2 {
        firmware.install("--busybox");
        assert_eq!(firmware.read(INITTAB), table);
        assert!(firmware.path(SCRIPT).exists());
        let said = firmware.install("--busybox --respawn");
        assert!(said.contains(&format!("removed /{SCRIPT}\n")), "{said}");
        assert_eq!(firmware.read(INITTAB), format!("{MARKER}{RESPAWN}{table}"));
        assert!(!firmware.path(SCRIPT).exists());
        assert!(!firmware.read("usr/lib/intercom-agent/installed").contains(SCRIPT));
    }
}

#[test]
fn respawn_beside_an_edited_script_is_refused() {
    const SCRIPT: &str = "etc/init.d/S95intercom-agent";
    let firmware = Firmware::new();
    firmware.install("--busybox");
    firmware.write(SCRIPT, "mine\n");
    let before = firmware.files();
    let output = firmware.try_install("--busybox --respawn");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(said.contains("was edited, and starts the daemon too"), "{said}");
    assert_eq!(firmware.files(), before);
}

#[test]
fn it_tells_what_it_did_and_what_to_do_next() {
    for (options, start) in [
        ("--busybox", "/etc/init.d/S95intercom-agent restart"),
        ("--busybox --respawn", "kill -HUP 1"),
        ("--systemd", "reboot"),
    ] {
        let firmware = Firmware::new();
        let said = firmware.install(options);
        for text in [
            "installed /usr/sbin/intercom-agent\n",
            "installed /etc/intercom-agent.toml\n",
            "next:\n",
            "intercom-agent config\n",
            "intercom-agent doctor\n",
            start,
        ] {
            assert!(said.contains(text), "{options}: {text}: {said}");
        }
        let link = said.contains("installed /etc/init.d/S45intercom-restore\n");
        assert_eq!(link, options != "--systemd", "{options}: {said}");
        let again = firmware.install(options);
        assert!(!again.contains("installed ") && again.contains("next:\n"), "{again}");
        let removed = firmware.install("--remove");
        assert!(removed.contains("removed /usr/sbin/intercom-agent\n"), "{removed}");
        assert!(removed.contains("the configuration, the record and your own hooks"), "{removed}");
    }
}

#[test]
fn an_edited_file_is_kept() {
    const HOOK: &str = "etc/intercom-agent/hooks.d/50-udhcpc";
    let firmware = Firmware::new();
    firmware.install("--busybox");
    let new = firmware.read(HOOK);
    let mine = format!("{new}# mine\n");
    fs::write(firmware.path(HOOK), &mine).expect("written");
    let said = firmware.install("--busybox");
    assert!(said.contains(&format!("kept /{HOOK}, which was edited")), "{said}");
    assert_eq!([firmware.read(HOOK), firmware.read(&format!("{HOOK}.new"))], [mine.clone(), new]);
    let executable = fs::metadata(firmware.path(&format!("{HOOK}.new"))).expect("there").mode();
    assert_eq!(executable & 0o111, 0, "it is no hook");
    let said = firmware.install("--remove");
    assert!(said.contains(&format!("kept /{HOOK}, which was edited")), "{said}");
    assert_eq!(firmware.read(HOOK), mine);
    assert!(!firmware.path(&format!("{HOOK}.new")).exists());
}

#[test]
fn the_new_one_beside_an_edited_script_is_there() {
    for script in ["S35intercom-restore", "S95intercom-agent"] {
        let script = format!("etc/init.d/{script}");
        let firmware = Firmware::new();
        firmware.install("--busybox");
        let new = firmware.read(&script);
        firmware.write(&script, &format!("{new}# mine\n"));
        for _ in 0..2 {
            let said = firmware.install("--busybox");
            assert!(said.contains(&format!("the new one is /{script}.new")), "{said}");
            assert_eq!(firmware.read(&format!("{script}.new")), new);
        }
    }
}

#[test]
fn a_copy_beside_a_file_of_the_firmware_is_kept() {
    let firmware = Firmware::new();
    for (file, line, _) in ASKS {
        firmware.write(file, line);
    }
    for file in [INTERFACES, ETH0, NETWORK, INITTAB] {
        for suffix in ["new", "copy"] {
            firmware.write(&format!("{file}.{suffix}"), "mine\n");
        }
    }
    let before = firmware.files();
    firmware.install("--busybox --respawn");
    firmware.install("--remove");
    let mut after = firmware.files();
    assert!(after.remove(&firmware.path("etc/intercom-agent.toml")).is_some());
    assert_eq!(after, before);
}

#[test]
fn an_installation_that_broke_off_can_be_removed() {
    let firmware = Firmware::new();
    firmware.write("etc/init.d", "a file in the way\n");
    let before = firmware.files();
    assert_eq!(firmware.try_install("--busybox").status.code(), Some(1));
    assert!(firmware.path("etc/intercom-agent/hooks.d/50-udhcpc").exists());
    firmware.install("--remove");
    let mut after = firmware.files();
    assert!(after.remove(&firmware.path("etc/intercom-agent.toml")).is_some());
    assert_eq!(after, before);
}

#[test]
fn half_a_file_is_not_left_on_a_full_flash() {
    // The binary, or a script of the firmware, is larger than what may be written.
    for (binary, lines) in [("install", 0), ("intercom-mac", 1000)] {
        let firmware = Firmware::new();
        firmware.write(NETWORK, &format!("{}{}\n", "# a comment\n".repeat(lines), ASKS[2].1));
        let before = firmware.files();
        let status = Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$@\"", "sh", "busybox", "sh"])
            .arg(shipped("install"))
            .args(["--busybox", "--root"])
            .arg(firmware.root.path())
            .arg("--binary")
            .arg(shipped(binary))
            .status();
        assert_eq!(status.expect("it runs").code(), Some(1));
        firmware.install("--remove");
        let mut after = firmware.files();
        after.remove(&firmware.path("etc/intercom-agent.toml"));
        assert_eq!(after, before, "{binary}");
    }
}

/// Ends whoever calls it as the signal says, before the command is done for the Nth time.
const BREAKS_OFF: &str = "#!/bin/sh
echo >>\"$COUNT\"
[ $(wc -l <\"$COUNT\") != \"$BREAK_AT\" ] || kill -$SIGNAL $PPID
exec busybox ${0##*/} \"$@\"
";

#[test]
fn a_session_that_breaks_off_anywhere_leaves_nothing_that_is_started_and_can_be_removed() {
    let breaking = Directory::new();
    for command in ["cp", "chmod", "mv", "rm", "sed"] {
        let file = breaking.path().join(command);
        fs::write(&file, BREAKS_OFF).expect("written");
        fs::set_permissions(file, Permissions::from_mode(0o755)).expect("set");
    }
    let path = format!("{}:{}", breaking.path().display(), env!("PATH"));
    for signal in ["HUP", "KILL"] {
        for at in 1.. {
            let firmware = Firmware::new();
            firmware.write(NETWORK, ASKS[2].1);
            let before = firmware.files();
            let count = breaking.path().join("count");
            fs::write(&count, "").expect("written");
            let mut install = Command::new("sh");
            install.env("PATH", &path).env("COUNT", &count).env("SIGNAL", signal);
            install.env("BREAK_AT", at.to_string()).arg(shipped("install"));
            install.arg("--root").arg(firmware.root.path()).arg("--binary").arg(shipped("install"));
            let output = install.args(["--busybox", "--respawn"]).output().expect("it runs");
            for started in ["etc/init.d", "etc/intercom-agent/hooks.d"] {
                for entry in fs::read_dir(firmware.path(started)).into_iter().flatten() {
                    let name = entry.expect("an entry").file_name();
                    let name = name.to_str().expect("text");
                    assert!(name.starts_with('.') || !name.contains('.'), "{signal} {at}: {name}");
                }
            }
            firmware.install("--remove");
            let mut after = firmware.files();
            after.remove(&firmware.path("etc/intercom-agent.toml"));
            let left: Vec<_> = after.keys().filter(|file| !before.contains_key(*file)).collect();
            // A directory that no list names yet.
            let made = ["etc/intercom-agent", "usr"].map(|made| firmware.path(made));
            let mut files = left.iter().filter(|file| !file.is_dir());
            assert_eq!(files.next(), None, "{signal} {at}");
            assert!(
                left.iter().all(|file| made.iter().any(|made| file.starts_with(made))),
                "{left:?}"
            );
            for (file, text) in &before {
                assert_eq!(after.get(file), Some(text), "{signal} {at}: {}", file.display());
            }
            if output.status.success() && fs::read(&count).expect("readable").len() < at {
                break;
            }
        }
    }
}

/// Runs it where not one byte more can be written.
fn remove_on_a_full_flash(firmware: &Firmware) -> Output {
    Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh", "busybox", "sh"])
        .arg(shipped("install"))
        .args(["--remove", "--root"])
        .arg(firmware.root.path())
        .output()
        .expect("it runs")
}

#[test]
fn on_a_full_flash_it_is_removed_with_all_that_needs_no_room() {
    let firmware = Firmware::new();
    let before = firmware.files();
    firmware.install("--busybox");
    let output = remove_on_a_full_flash(&firmware);
    assert!(output.status.success(), "{output:?}");
    let mut after = firmware.files();
    after.remove(&firmware.path("etc/intercom-agent.toml"));
    assert_eq!(after, before);

    firmware.install("--busybox --respawn");
    let output = remove_on_a_full_flash(&firmware);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(said.contains("etc/inittab cannot be written, and is what it was"), "{said}");
    assert!(!firmware.path("usr/sbin/intercom-agent").exists());
    firmware.install("--remove");
    let mut after = firmware.files();
    after.remove(&firmware.path("etc/intercom-agent.toml"));
    assert_eq!(after, before);
}

#[test]
fn what_belongs_to_a_debian_package_is_left_to_apt() {
    const LIST: &str = "var/lib/dpkg/info/intercom-agent.list";
    let firmware = Firmware::new();
    firmware.write(LIST, "/.\n/usr/sbin\n/usr/sbin/intercom-agent\n");
    firmware.write("usr/sbin/intercom-agent", "the package's\n");
    let before = firmware.files();
    for option in ["--systemd", "--busybox", "--remove"] {
        let output = firmware.try_install(option);
        assert_eq!(output.status.code(), Some(1), "{option}");
        let said = String::from_utf8(output.stderr).expect("text");
        assert!(said.contains("leave it to apt"), "{said}");
        assert_eq!(firmware.files(), before, "{option}");
    }
    // The package is removed, and its configuration is not.
    firmware.write(LIST, "/etc/intercom-agent.toml\n");
    firmware.install("--busybox");
}

#[test]
fn remove_takes_nothing_that_install_has_not_put_there() {
    const HOOK: &str = "etc/intercom-agent/hooks.d/50-udhcpc";
    let kept = format!("kept /{HOOK}, which is not on the list of what was installed\n");
    let firmware = Firmware::new();
    firmware.write(HOOK, "mine\n");
    firmware.write(&format!("{HOOK}.new"), "mine too\n");
    firmware.write("etc/init.d/S45intercom-restore", "mine\n");
    let before = firmware.files();
    assert!(firmware.install("--remove").contains(&kept));
    assert_eq!(firmware.files(), before, "nothing was installed");

    fs::remove_file(firmware.path("etc/init.d/S45intercom-restore")).expect("removed");
    let said = firmware.install("--busybox");
    assert!(said.contains(&format!("kept /{HOOK}")), "{said}");
    assert!(firmware.install("--remove").contains(&kept));
    assert_eq!(firmware.read(HOOK), "mine\n");
    assert!(!firmware.path(&format!("{HOOK}.new")).exists());
}

#[test]
fn a_link_in_the_place_of_a_hook_is_kept() {
    const HOOK: &str = "etc/intercom-agent/hooks.d/50-udhcpc";
    let firmware = Firmware::new();
    firmware.write("usr/own-hook", "mine\n");
    fs::create_dir_all(firmware.path(HOOK).parent().expect("a directory")).expect("made");
    symlink("../../../usr/own-hook", firmware.path(HOOK)).expect("linked");
    firmware.install("--busybox");
    firmware.install("--remove");
    assert_eq!(firmware.read(HOOK), "mine\n");
}

#[test]
fn what_remove_has_kept_is_kept_by_the_next_one() {
    const HOOK: &str = "etc/intercom-agent/hooks.d/50-udhcpc";
    let firmware = Firmware::new();
    firmware.install("--busybox");
    firmware.write(HOOK, "mine\n");
    for _ in 0..2 {
        let said = firmware.install("--remove");
        assert!(said.contains(&format!("kept /{HOOK}, which ")), "{said}");
        assert_eq!(firmware.read(HOOK), "mine\n");
    }
}

#[test]
fn a_file_of_an_older_version_is_replaced() {
    const HOOK: &str = "etc/intercom-agent/hooks.d/50-udhcpc";
    let firmware = Firmware::new();
    firmware.install("--busybox");
    let new = firmware.read(HOOK);
    // As if the last version had put another file there.
    fs::write(firmware.path(HOOK), "old\n").expect("written");
    let list = "usr/lib/intercom-agent/installed";
    let sum = Command::new("md5sum").arg(firmware.path(HOOK)).output().expect("it runs").stdout;
    let sum = String::from_utf8(sum).expect("text");
    let (sum, _) = sum.split_once(' ').expect("a sum");
    let entries = firmware.read(list);
    let entries = entries.lines().map(|line| match line.ends_with(HOOK) {
        true => format!("{sum} /{HOOK}\n"),
        false => format!("{line}\n"),
    });
    fs::write(firmware.path(list), entries.collect::<String>()).expect("written");
    let said = firmware.install("--busybox");
    assert!(said.contains(&format!("installed /{HOOK}\n")), "{said}");
    assert_eq!(firmware.read(HOOK), new);
}

#[test]
fn options_that_exclude_each_other_are_refused() {
    let firmware = Firmware::new();
    let before = firmware.files();
    for options in ["--respawn", "--busybox --systemd", "--busybox --remove", "--systemd --respawn"]
    {
        let output = firmware.try_install(options);
        assert_eq!(output.status.code(), Some(2), "{options}");
        let usage = String::from_utf8(output.stderr).expect("text");
        assert!(usage.contains("--busybox [--respawn]"), "{options}: {usage}");
        assert_eq!(firmware.files(), before, "{options}");
    }
}

#[test]
fn help_says_what_each_option_does() {
    let firmware = Firmware::new();
    let before = firmware.files();
    let help = firmware.install("--help");
    for option in ["--busybox", "--respawn", "--systemd", "--remove", "--root", "--binary"] {
        assert!(help.contains(option), "{option}: {help}");
    }
    assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
    assert_eq!(firmware.files(), before);
}

/// What intercom-mac answers for an interface, and whether it says that there is something.
fn asked(interface: &str) -> (String, bool) {
    let output =
        Command::new("busybox").arg("sh").arg(shipped("intercom-mac")).arg(interface).output();
    let output = output.expect("it runs");
    assert!(output.stderr.is_empty(), "{output:?}");
    (String::from_utf8(output.stdout).expect("text"), output.status.success())
}

#[test]
fn the_mac_is_the_identitys_on_its_interface_alone() {
    in_a_namespace("the_mac_is_the_identitys_on_its_interface_alone", || {
        assert_eq!(
            asked("eth0"),
            (String::new(), false),
            "nothing is known before the first start"
        );
        fs::create_dir("/run/intercom-agent").expect("made");
        let write = |mac: &str| {
            let text = format!("INTERCOM_MAC=\"{mac}\"\nINTERCOM_INTERFACE=\"eth0\"\n");
            fs::write("/run/intercom-agent/identity.env", text).expect("written");
        };
        write("22:0D:CE:38:E7:15");
        assert_eq!(asked("eth0"), ("22:0D:CE:38:E7:15\n".to_owned(), true));
        assert_eq!(asked("wlan0"), (String::new(), false));
        write("");
        assert_eq!(asked("eth0"), (String::new(), false), "what is not known is empty");
    });
}

/// Runs the command that udev runs to match a device of this name.
fn is_given_away(fw_env_config: &str, device: &str) -> bool {
    let config = Directory::new();
    let file = config.path().join("fw_env.config");
    fs::write(&file, fw_env_config).expect("written");
    let rules = fs::read_to_string(shipped("intercom-agent.rules")).expect("readable");
    let command = rules.split("PROGRAM==\"").nth(1).expect("a command");
    let command = command.split('"').next().expect("a command").replace("%k", device);
    let command = command.replace("/etc/fw_env.config", &file.display().to_string());
    Command::new("sh").args(["-c", &command]).status().expect("it runs").success()
}

#[test]
fn the_daemons_user_is_given_the_partitions_of_the_environment_and_no_others() {
    let two = "# device offset size\n/dev/mtd1 0x0 0x10000 0x10000\n  /dev/mtd12\t0x0 0x10000\n#/dev/mtd4 0x0 0x10000\n";
    let given = ["mtd0", "mtd1", "mtd1ro", "mtd2", "mtd3", "mtd4", "mtd11", "mtd12", "mtd121"]
        .into_iter()
        .filter(|device| is_given_away(two, device));
    assert_eq!(given.collect::<Vec<_>>(), ["mtd1", "mtd12"]);
    assert!(!is_given_away("", "mtd0"));
}
