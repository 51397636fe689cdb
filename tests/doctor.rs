//! `doctor` as an installer runs it: the program itself, with and without a daemon.
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use intercom_agent::board::KernelLink;
use intercom_test_support::{in_a_namespace, ip};
use nix::errno::Errno;
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(20);

/// A sandboxed board in a folder of its own, gone with the value.
struct Board(PathBuf);

impl Board {
    fn new(name: &str, configuration: &str) -> Self {
        let dir = format!("intercom-agent-doctor-{name}-{}", std::process::id());
        let board = Board(std::env::temp_dir().join(dir));
        board.write("sys/class/net/eth0/address", "aa:bb:cc:dd:ee:ff\n");
        board.write("proc/device-tree/serial-number", "SN-1\0");
        let common = "models = [\"3516EV200\"]\nenvironment = \"never\"\n";
        board.write("etc/intercom-agent.toml", &format!("{common}{configuration}"));
        board
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder made");
        fs::write(path, text).expect("written");
    }

    fn agent(&self, command: &str) -> Command {
        let mut agent = Command::new(env!("CARGO_BIN_EXE_intercom-agent"));
        agent.arg(command).arg("--root").arg(&self.0);
        agent
    }

    fn doctor(&self) -> Output {
        self.agent("doctor").output().expect("doctor runs")
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Ended with the value.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A service with no pending request.
fn service() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let read = stream.try_clone().expect("the same stream");
            let ended = |line: &std::io::Result<String>| line.as_ref().is_ok_and(String::is_empty);
            let _ = BufReader::new(read).lines().find(ended);
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]";
            let _ = (&stream).write_all(answer);
        }
    });
    format!("http://{address}")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Looks until the exit code is this one.
fn until(board: &Board, code: i32) -> String {
    let limit = Instant::now() + LIMIT;
    loop {
        let output = board.doctor();
        if output.status.code() == Some(code) {
            return text(&output);
        }
        assert!(Instant::now() < limit, "{}", text(&output));
    }
}

#[test]
fn the_exit_code_is_the_worst_of_the_checks() {
    let board = Board::new("exit", &format!("[http]\nurl = \"{}\"\npoll_every = 1\n", service()));
    let output = board.doctor();
    assert_eq!(output.status.code(), Some(5), "{}", text(&output));
    assert!(text(&output).contains("FAILED   daemon               no daemon runs\n"));
    let _daemon = Daemon(board.agent("run").spawn().expect("the daemon starts"));
    let shown = until(&board, 0);
    assert!(shown.contains("\nok       uplink               reached over HTTP at "), "{shown}");
    assert!(shown.contains("checks: 0 failed, 0 with a warning\n"), "{shown}");
    assert!(!shown.contains("->"), "advice where nothing is wrong: {shown}");
    board.write("var/lib/intercom-agent/record.json.damaged", "torn");
    let shown = until(&board, 4);
    assert!(shown.contains("\nWARNING  record "), "{shown}");
    assert_eq!(shown.matches("\n         -> ").count(), 1, "{shown}");
}

#[test]
fn an_unreached_service_is_told_with_its_address() {
    // Nobody listens on a port that was just given back.
    let free = TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr());
    let url = format!("http://{}", free.expect("a port"));
    let board = Board::new("unreached", &format!("[http]\nurl = \"{url}\"\n"));
    let _daemon = Daemon(board.agent("run").spawn().expect("the daemon starts"));
    let limit = Instant::now() + LIMIT;
    while !board.0.join("run/intercom-agent/control.sock").exists() {
        assert!(Instant::now() < limit, "the daemon does not start");
        std::thread::yield_now();
    }
    let shown = text(&board.doctor());
    assert!(shown.contains(&format!("not reached over HTTP at {url}")), "{shown}");
}

#[test]
fn a_line_of_the_firmware_that_puts_the_old_mac_back_is_named() {
    let line = "hwaddress ether $(fw_printenv -n ethaddr)";
    let board = Board::new("firmware", "");
    board.write("etc/network/interfaces.d/eth0", &format!("iface eth0 inet dhcp\n    {line}\n"));
    let shown = text(&board.doctor());
    let named =
        format!("FAILED   firmware             /etc/network/interfaces.d/eth0:2: {line}; at");
    assert!(shown.contains(&named), "{shown}");
}

#[test]
fn json_has_every_check_with_its_state() {
    let board = Board::new("json", "");
    let output = board.agent("doctor").arg("--json").output().expect("doctor runs");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answer["worst"], "failed");
    let checks = answer["checks"].as_array().expect("an array");
    assert_eq!(checks.len(), intercom_agent::doctor::CHECKS.len());
    for check in checks {
        let is_text = |key: &str| check[key].as_str().is_some_and(|text| !text.is_empty());
        assert!(["id", "description", "state", "found"].iter().all(|key| is_text(key)), "{check}");
        assert_eq!(is_text("advice"), check["state"] != "ok", "{check}");
    }
}

#[test]
fn a_wrong_configuration_is_told_before_any_check() {
    let board = Board::new("wrong", "nonsense = 1\n");
    let output = board.doctor();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nonsense"));
}

/// What the kernel's own board says, without a sandbox.
fn on_this_machine(interface: &str) -> Vec<Value> {
    let file = Path::new("/run/doctor.toml");
    let configuration = format!("interface = \"{interface}\"\nenvironment = \"never\"\n");
    fs::write(file, configuration).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_intercom-agent"))
        .args(["doctor", "--json", "--config"])
        .arg(file)
        .output()
        .expect("doctor runs");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    answer["checks"].as_array().expect("an array").clone()
}

fn state(checks: &[Value], id: &str) -> String {
    let check = checks.iter().find(|check| check["id"] == id).expect("such a check");
    check["state"].as_str().expect("a state").to_owned()
}

#[test]
fn a_link_is_asked_whether_it_takes_a_mac_and_keeps_all_it_has() {
    in_a_namespace("a_link_is_asked_whether_it_takes_a_mac_and_keeps_all_it_has", || {
        ip("link add eth0 type veth peer name wall");
        ip("link set eth0 up");
        ip("link set wall up");
        ip("addr add 192.0.2.10/24 dev eth0");
        ip("neigh add 192.0.2.20 lladdr 22:0d:ce:38:e7:15 dev eth0 nud stale");
        let kept = || {
            let random = fs::read_to_string("/sys/class/net/eth0/addr_assign_type");
            (random.expect("readable"), ip("link show eth0"), ip("neigh show"))
        };
        let before = kept();
        assert_eq!(before.0, "1\n");
        let checks = on_this_machine("eth0");
        assert_eq!(state(&checks, "link"), "ok");
        assert_eq!(state(&checks, "link-mac"), "ok");
        assert_eq!(state(&checks, "mac"), "warning");
        assert_eq!(state(&checks, "duplicates"), "ok");
        assert_eq!(kept(), before);
        ip("tuntap add tun0 mode tun");
        let why = KernelLink::open("tun0").and_then(|link| link.takes_address());
        let why = why.expect_err("a tunnel has no MAC address");
        assert_eq!(why.raw_os_error(), Some(Errno::EOPNOTSUPP as i32));
    });
}

#[test]
fn a_double_on_the_lan_is_told_from_one_that_was_there_once() {
    in_a_namespace("a_double_on_the_lan_is_told_from_one_that_was_there_once", || {
        const OWN: &str = "22:0d:ce:38:e7:15";
        ip("netns add next-door");
        ip(&format!("link add eth0 address {OWN} type veth peer name wall netns next-door"));
        ip(&format!("-n next-door link set wall address {OWN} up"));
        ip("link set eth0 up");
        ip("addr add 192.0.2.10/24 dev eth0");
        ip(&format!("neigh add 192.0.2.20 lladdr {OWN} dev eth0 nud stale"));
        assert_eq!(state(&on_this_machine("eth0"), "duplicates"), "warning");
        ip("-n next-door addr add 192.0.2.20/24 dev wall");
        assert_eq!(state(&on_this_machine("eth0"), "duplicates"), "failed");
    });
}
