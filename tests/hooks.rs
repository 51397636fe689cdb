//! The hooks that come with the agent, with the real udhcpc and udhcpd of BusyBox.
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use intercom_agent::board::Link;
use intercom_agent::root::Root;
use intercom_test_support::{in_a_namespace, ip};

const OLD: &str = "AA:BB:CC:DD:EE:FE";
const NEW: &str = "22:0D:CE:38:E7:15";
/// What the server has reserved for the new MAC address.
const RESERVED: &str = "192.0.2.77";

/// A panel whose interface is `eth0`, and a DHCP server at the other end of its cable.
struct Lan {
    dir: PathBuf,
}

impl Lan {
    /// The namespace's own /mnt: nothing that is left there outlives the test.
    fn new() -> Self {
        let dir = PathBuf::from("/mnt");
        run(Command::new("mount").args(["-t", "tmpfs", "tmpfs", "/mnt"]));
        for (panel, wall, mac) in [("eth0", "wall", OLD), ("eth1", "wall1", "AA:BB:CC:DD:EE:FC")] {
            ip(&format!("link add {panel} address {mac} type veth peer name {wall}"));
            ip(&format!("link set {wall} up"));
            ip(&format!("link set {panel} up"));
        }
        ip("addr add 192.0.2.1/24 dev wall");
        let leases = dir.join("leases");
        fs::write(&leases, "").expect("written");
        let config = format!(
            "interface wall\nstart 192.0.2.100\nend 192.0.2.110\nlease_file {}\npidfile {}\n\
             option subnet 255.255.255.0\nstatic_lease {NEW} {RESERVED}\n",
            leases.display(),
            dir.join("udhcpd.pid").display(),
        );
        fs::write(dir.join("udhcpd.conf"), config).expect("written");
        let lan = Lan { dir };
        lan.start(&format!("busybox udhcpd -f {}", lan.dir.join("udhcpd.conf").display()));
        let script = lan.dir.join("bound");
        fs::write(
            &script,
            "#!/bin/sh\nip addr flush dev \"$interface\"\n\
             [ -z \"${ip-}\" ] || [ \"$1\" = deconfig ] || ip addr add \"$ip/24\" dev \"$interface\"\n",
        )
        .expect("written");
        run(Command::new("chmod").arg("755").arg(&script));
        lan
    }

    /// Starts a command that goes on in the background until the namespace ends.
    fn start(&self, command: &str) {
        let status = Command::new("sh")
            .args(["-c", &format!("{{ {command}; }} &")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(status.expect("a shell").success());
    }

    /// The command line of a client; `arguments` come first.
    fn client(&self, arguments: &str) -> String {
        format!("busybox udhcpc {arguments} -s {} -t 3 -T 1 -A 1", self.dir.join("bound").display())
    }

    fn has_address(&self, address: &str) -> bool {
        ip("-4 -o addr show dev eth0").contains(&format!("inet {address}"))
    }
}

fn run(command: &mut Command) {
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
}

fn wait_for(what: &str, done: impl Fn() -> bool) {
    let limit = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < limit, "no {what}");
        thread::yield_now();
    }
}

/// Runs one of the hooks after a change and waits for it; what it prints.
fn hook(name: &str) -> String {
    hook_in("apply", name)
}

fn hook_in(phase: &str, name: &str) -> String {
    let output = Command::new(shipped("hooks.d").join(name))
        .env("INTERCOM_INTERFACE", "eth0")
        .env("INTERCOM_PHASE", phase)
        .env("INTERCOM_OLD_MAC", OLD)
        .env("INTERCOM_NEW_MAC", NEW)
        .output()
        .expect("the hook runs");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && err.is_empty(), "{:?}: {err}", output.status);
    String::from_utf8(output.stdout).expect("text")
}

fn set_mac(text: &str) {
    let mac = text.parse().expect("a MAC");
    Link::new(Root::system(), "eth0").set_mac(mac).expect("set");
}

/// The processes whose command line has all of the words in a row.
fn processes(words: &str) -> Vec<String> {
    let words = format!("{}\0", words.replace(' ', "\0"));
    fs::read_dir("/proc")
        .expect("readable")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|pid| pid.bytes().all(|byte| byte.is_ascii_digit()))
        .filter(|pid| {
            fs::read_to_string(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|line| line.starts_with(&words))
        })
        .collect()
}

/// The udhcpc on `eth0` that have gone to the background, as one does with its lease.
fn daemons() -> Vec<String> {
    let mut pids = processes("busybox udhcpc -b -i eth0");
    pids.retain(|pid| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let has = |line: &str| status.lines().any(|other| other == line);
        // Nobody's child, and of a session of its own.
        has("PPid:\t1") && has(&format!("NSsid:\t{pid}"))
    });
    pids
}

/// The only one.
fn daemon() -> Option<String> {
    let [pid] = daemons().try_into().ok()?;
    Some(pid)
}

#[test]
fn udhcpc_gets_the_lease_of_the_new_mac() {
    in_a_namespace("udhcpc_gets_the_lease_of_the_new_mac", || {
        let lan = Lan::new();
        lan.start(&lan.client("-b -i eth0 -p /mnt/udhcpc.pid"));
        lan.start(&lan.client("-f -i eth1"));
        wait_for("daemon with a lease", || lan.has_address("192.0.2.1") && daemon().is_some());
        wait_for("second client", || processes("busybox udhcpc -f -i eth1").len() == 1);
        let (before, other) = (daemon(), processes("busybox udhcpc -f -i eth1"));

        set_mac(NEW);
        assert!(hook("50-udhcpc").starts_with("starting again: busybox udhcpc -b -i eth0 -p "));
        wait_for("reserved lease", || lan.has_address(RESERVED) && daemon().is_some());
        assert_ne!(daemon(), before);
        assert_eq!(processes("busybox udhcpc -f -i eth1"), other, "none of our business");

        set_mac(OLD);
        hook("50-udhcpc");
        wait_for("the old lease", || lan.has_address("192.0.2.10"));
    });
}

/// The client's script, as one that does more after it has set the address: it waits until the test lets it go on.
fn slow_script() -> PathBuf {
    let script = PathBuf::from("/mnt/slow");
    fs::write(
        &script,
        "#!/bin/sh\n/mnt/bound \"$@\"\n[ \"$1\" = bound ] || exit 0\n\
         : >/mnt/script-runs\nwhile [ ! -e /mnt/go-on ]; do sleep 0.1; done\n: >/mnt/script-ended\n",
    )
    .expect("written");
    run(Command::new("chmod").arg("755").arg(&script));
    script
}

#[test]
fn of_two_clients_one_is_left() {
    in_a_namespace("of_two_clients_one_is_left", || {
        let lan = Lan::new();
        for _ in ["one", "the other"] {
            lan.start(&lan.client("-b -i eth0"));
        }
        wait_for("two daemons", || daemons().len() == 2 && lan.has_address("192.0.2.1"));
        set_mac(NEW);
        hook("50-udhcpc");
        wait_for("reserved lease", || lan.has_address(RESERVED) && daemon().is_some());
        assert_eq!(processes("busybox udhcpc").len(), 1);
    });
}

#[test]
fn the_hook_waits_for_the_script_in_progress() {
    in_a_namespace("the_hook_waits_for_the_script_in_progress", || {
        let lan = Lan::new();
        let script = slow_script();
        lan.start(&format!("busybox udhcpc -b -i eth0 -s {} -t 3 -T 1 -A 1", script.display()));
        wait_for("script in progress", || Path::new("/mnt/script-runs").exists());
        let before = processes("busybox udhcpc");
        set_mac(NEW);
        lan.start("sleep 7; : >/mnt/go-on");
        hook("50-udhcpc");
        assert!(
            Path::new("/mnt/script-ended").exists(),
            "it was cut off, or goes on behind the next client"
        );
        wait_for("reserved lease", || lan.has_address(RESERVED));
        let after = processes("busybox udhcpc");
        assert!(after.len() == 1 && after != before, "{before:?}, then {after:?}");
    });
}

#[test]
fn the_new_client_never_gives_up_and_takes_no_address_away() {
    in_a_namespace("the_new_client_never_gives_up_and_takes_no_address_away", || {
        let lan = Lan::new();
        lan.start(&lan.client("-R -n -i eth0"));
        wait_for("lease", || lan.has_address("192.0.2.1"));
        set_mac(NEW);
        assert!(hook("50-udhcpc").starts_with("starting again: busybox udhcpc -i eth0 -s "));
        wait_for("reserved lease", || lan.has_address(RESERVED));
    });
}

/// A program that somebody wants root to run, under the name by which the hook knows its client.
fn trap() -> &'static str {
    fs::write("/mnt/udhcpc", "#!/bin/sh\n[ \"$(id -u)\" != 0 ] || : >/mnt/trapped\n")
        .expect("written");
    run(Command::new("chmod").args(["755", "/mnt/udhcpc"]));
    "/mnt/udhcpc"
}

/// The hook runs, and this process of somebody's goes on; nothing of it has been run.
fn is_left_alone(mut process: Child, words: &str) {
    wait_for("process", || processes(words).len() == 1);
    assert_eq!(hook("50-udhcpc"), "");
    assert!(process.try_wait().expect("a child").is_none(), "the hook has ended it");
    assert!(!Path::new("/mnt/trapped").exists(), "the hook has run what it names");
    process.kill().expect("killed");
    process.wait().expect("ended");
}

#[test]
fn a_program_that_calls_itself_udhcpc_is_left_alone() {
    in_a_namespace("a_program_that_calls_itself_udhcpc_is_left_alone", || {
        let _lan = Lan::new();
        let forged = Command::new("bash")
            .args(["-c", &format!("exec -a {} tail -f -- /dev/null -i eth0", trap())])
            .stderr(Stdio::null())
            .spawn();
        is_left_alone(forged.expect("it starts"), "/mnt/udhcpc -f -- /dev/null -i eth0");
    });
}

#[test]
fn another_users_udhcpc_is_left_alone() {
    in_a_namespace("another_users_udhcpc_is_left_alone", || {
        let nobody = ["--reuid", "65534", "--inh-caps", "+net_raw", "--ambient-caps", "+net_raw"];
        let may = Command::new("setpriv").args(nobody).arg("true").stderr(Stdio::null()).status();
        if !may.expect("setpriv runs").success() {
            // A namespace that only maps root has no other users.
            return;
        }
        let _lan = Lan::new();
        let theirs = Command::new("setpriv")
            .args(nobody)
            .args(["busybox", "udhcpc", "-f", "-i", "eth0", "-s", trap()])
            .stderr(Stdio::null())
            .spawn();
        is_left_alone(theirs.expect("it starts"), "busybox udhcpc -f -i eth0");
    });
}

#[test]
fn another_dhcp_client_is_named() {
    in_a_namespace("another_dhcp_client_is_named", || {
        let lan = Lan::new();
        run(Command::new("cp").args(["/bin/sleep", "/mnt/dhcpcd"]));
        lan.start("/mnt/dhcpcd 60");
        wait_for("client", || processes("/mnt/dhcpcd 60").len() == 1);
        assert_eq!(
            hook("50-udhcpc"),
            "dhcpcd runs here, and this hook can only restart BusyBox udhcpc: the lease on eth0 stays as it is\n"
        );
    });
}

#[test]
fn a_udhcpc_that_something_respawns_is_not_started_twice() {
    in_a_namespace("a_udhcpc_that_something_respawns_is_not_started_twice", || {
        let lan = Lan::new();
        lan.start(&format!("while :; do {}; done", lan.client("-f -ieth0")));
        wait_for("lease", || lan.has_address("192.0.2.1"));
        set_mac(NEW);
        assert_eq!(hook("50-udhcpc"), "");
        wait_for("reserved lease", || lan.has_address(RESERVED));
        assert_eq!(processes("busybox udhcpc").len(), 1);
    });
}

#[test]
fn without_a_dhcp_client_the_hooks_have_nothing_to_do() {
    in_a_namespace("without_a_dhcp_client_the_hooks_have_nothing_to_do", || {
        let _lan = Lan::new();
        ip("addr add 192.0.2.10/24 dev eth0");
        for name in ["50-udhcpc", "60-gratuitous-arp"] {
            assert_eq!(hook(name), "", "{name}");
        }
    });
}

#[test]
fn before_a_change_the_client_is_left_alone() {
    in_a_namespace("before_a_change_the_client_is_left_alone", || {
        let lan = Lan::new();
        lan.start(&lan.client("-b -i eth0 -p /mnt/udhcpc.pid"));
        wait_for("daemon with a lease", || lan.has_address("192.0.2.1") && daemon().is_some());
        let before = daemon();
        for name in ["50-udhcpc", "60-gratuitous-arp"] {
            assert_eq!(hook_in("ready", name), "", "{name}");
        }
        assert_eq!(daemon(), before);
        assert!(lan.has_address("192.0.2.1"));
    });
}

/// The panel at 192.0.2.10, and a neighbour that knows it by its old MAC address.
fn neighbour() {
    // In a network of its own, or the kernel would answer for both.
    ip("netns add next-door");
    ip("link set wall netns next-door");
    ip("-n next-door addr add 192.0.2.1/24 dev wall");
    ip("-n next-door link set wall up");
    ip("addr add 192.0.2.10/24 dev eth0");
    ip(&format!("-n next-door neigh replace 192.0.2.10 lladdr {OLD} dev wall nud stale"));
}

/// What the neighbour knows of the panel.
fn known() -> String {
    ip("-n next-door neigh show 192.0.2.10")
}

fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd").join(path)
}

#[test]
fn neighbours_hear_of_the_new_mac() {
    in_a_namespace("neighbours_hear_of_the_new_mac", || {
        let _lan = Lan::new();
        neighbour();
        set_mac(NEW);
        // BusyBox's arping, where no other is installed.
        fs::create_dir("/mnt/bin").expect("a directory");
        std::os::unix::fs::symlink("/bin/busybox", "/mnt/bin/arping").expect("a link");
        let path = format!("/mnt/bin:{}", std::env::var("PATH").expect("a path"));
        let status = Command::new(shipped("hooks.d/60-gratuitous-arp"))
            .env("INTERCOM_INTERFACE", "eth0")
            .env("PATH", path)
            .status();
        assert!(status.expect("the hook runs").success());
        assert!(known().contains(&NEW.to_lowercase()), "{}", known());
    });
}

#[test]
fn with_systemds_setting_the_kernel_tells_them() {
    in_a_namespace("with_systemds_setting_the_kernel_tells_them", || {
        let _lan = Lan::new();
        neighbour();
        run(Command::new("busybox").args(["sysctl", "-p"]).arg(shipped("intercom-agent.sysctl")));
        set_mac(NEW);
        wait_for("word of the new MAC address", || known().contains(&NEW.to_lowercase()));
    });
}
