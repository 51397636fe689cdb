//! The hooks that come with the agent, with the real udhcpc and udhcpd of BusyBox.
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
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

/// Runs one of the hooks and waits for it; what it prints.
fn hook(name: &str) -> String {
    let output = Command::new(shipped("hooks.d").join(name))
        .env("INTERCOM_INTERFACE", "eth0")
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

/// The one udhcpc on `eth0`, once it has gone to the background, as it does with its lease.
fn daemon() -> Option<String> {
    let [pid] = processes("busybox udhcpc -b -i eth0").try_into().ok()?;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.contains("PPid:\t1\n").then_some(pid)
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
