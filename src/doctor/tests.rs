//! Each check on a sandboxed board that is well, and on one that is not.

use std::os::unix::fs::symlink;

use uboot_env::{Format, Image};

use super::*;
use crate::agent::runtime_files;
use crate::clock::{Clock, RealClock};
use crate::config;
use crate::record::{MacOrigin, Record, SerialOrigin};
use crate::record_store::RecordStore;
use crate::testing::Sandbox;

const MAC: &str = "AA:BB:CC:DD:EE:FF";
const STATE_DIR: &str = "/var/lib/intercom-agent";
const HOOKS_DIR: &str = "/etc/intercom-agent/hooks.d";
const ENVIRONMENT_SIZE: usize = 0x1000;

/// A board on which nothing is wrong, but that no daemon runs.
struct Board {
    sandbox: Sandbox,
    configuration: String,
}

impl Board {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.write("/sys/class/net/eth0/address", MAC);
        sandbox.write("/sys/class/net/eth0/addr_assign_type", "3");
        sandbox.write("/sys/class/net/eth0/operstate", "up");
        sandbox.write("/etc/fw_env.config", "/env0 0 0x1000 0x1000\n/env1 0 0x1000 0x1000\n");
        sandbox.write("/env0", environment(&[("ethaddr", MAC), ("serialno", "SN-1")]));
        sandbox.write("/env1", environment(&[]));
        sandbox.write_mode("/etc/password", "hidden", 0o600);
        sandbox.script(&format!("{HOOKS_DIR}/50-lease"), "exit 0");
        sandbox.write("/proc/71/comm", "majestic\n");
        open_in(&sandbox, 71, "/dev/watchdog0");
        sandbox.write("/var/lock/fw_printenv.lock", "");
        sandbox.write(&format!("{STATE_DIR}/lock"), "");
        let configuration = "models = [\"3516EV200\"]\n[mqtt]\nurl = \"mqtt://127.0.0.1:9\"\n\
                             username = \"panel\"\npassword_file = \"/etc/password\"\n";
        let board = Board { sandbox, configuration: configuration.to_owned() };
        let panel = board.panel();
        let record = panel.record().expect("a record");
        board.record(&record);
        runtime_files(&panel.rules(), &record, &record.current)
            .write(&panel.runtime_dir())
            .expect("written");
        board
    }

    fn configured(mut self, top: &str) -> Self {
        self.configuration = format!("{top}\n{}", self.configuration);
        self
    }

    fn write(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.sandbox.write(path, text);
        self
    }

    fn without(self, path: &str) -> Self {
        std::fs::remove_file(self.sandbox.root().path(path)).expect("removed");
        self
    }

    /// Puts a record on the disk.
    fn record(&self, record: &Record) {
        RecordStore::new(self.panel().state()).save(record).expect("saved");
    }

    /// Changes the record on the disk.
    fn with_record(self, change: impl FnOnce(&mut Record)) -> Self {
        let mut record = RecordStore::new(self.panel().state()).peek().expect("readable");
        change(record.as_mut().expect("a record"));
        self.record(&record.expect("a record"));
        self
    }

    fn panel(&self) -> Panel {
        let settings = config::parse(&self.configuration, "a.toml".as_ref()).expect("valid");
        Panel::open(self.sandbox.root().clone(), settings)
    }

    fn checked(&self) -> Vec<Checked> {
        examine(&self.panel())
    }

    #[track_caller]
    fn advises(&self, id: &str, text: &str) {
        let checked = self.checked();
        let check = checked.iter().find(|check| check.id == id).expect("such a check");
        let advice = check.finding.advice.as_deref().unwrap_or_default();
        assert!(advice.contains(text), "{check:?}");
    }

    fn finds(&self, id: &str, state: State, text: &str) {
        let found = self.checked();
        let finding = &found.iter().find(|check| check.id == id).expect("such a check").finding;
        assert_eq!(finding.state, state, "{finding:?}");
        assert!(finding.found.contains(text), "{finding:?}");
        assert_eq!(finding.advice.is_some(), state != State::Ok, "{finding:?}");
    }
}

fn open_in(sandbox: &Sandbox, pid: u32, device: &str) {
    let fd = sandbox.root().path(format!("/proc/{pid}/fd"));
    std::fs::create_dir_all(&fd).expect("a folder");
    symlink(device, fd.join("5")).expect("a link");
}

/// A copy of a redundant environment that counts.
fn environment(variables: &[(&str, &str)]) -> Vec<u8> {
    copy(Format::Redundant, variables).with_flag(1).bytes().to_vec()
}

fn copy(format: Format, variables: &[(&str, &str)]) -> Image {
    let changes: Vec<_> = variables.iter().map(|(name, value)| (*name, Some(*value))).collect();
    let empty = Image::empty(ENVIRONMENT_SIZE, format).expect("long enough");
    empty.changed(&changes).expect("fits")
}

#[test]
fn a_board_that_is_well_lacks_nothing_but_the_daemon() {
    let board = Board::new();
    for Checked { id, finding, .. } in board.checked() {
        let expected = match id {
            "daemon" | "uplink" => State::Failed,
            _ => State::Ok,
        };
        assert_eq!(finding.state, expected, "{id}: {finding:?}");
    }
    board.finds("daemon", State::Failed, "no daemon runs");
    board.finds("link", State::Ok, "eth0 is up");
    board.finds("mac", State::Ok, "AA:BB:CC:DD:EE:FF, the board's own");
    board.finds("serial-number", State::Ok, "SN-1 (env serialno)");
    board.finds("watchdog", State::Ok, "held by majestic (process 71)");
    board.finds("hooks", State::Ok, "50-lease");
    board.finds("files", State::Ok, "each is there");
    board.finds("crashes", State::Ok, "none");
    board.finds("billing", State::Ok, "not called");
    // Nothing listens there: that is told without a daemon too.
    board.finds("uplink", State::Failed, "at 127.0.0.1:9: nothing listens there");
}

#[test]
fn each_file_that_the_configuration_names_is_opened() {
    let mut board = Board::new();
    board.configuration = board
        .configuration
        .replace("mqtt://", "mqtts://")
        .replace("[mqtt]\n", "[mqtt]\nca_file = \"/etc/ca.pem\"\n");
    board.finds("files", State::Failed, "`mqtt.ca_file`: /etc/ca.pem cannot be read");
    board.write("/etc/ca.pem", "not PEM").finds("files", State::Failed, "no certificate");
}

#[test]
fn a_crash_since_boot_is_told() {
    let board = Board::new();
    let dir = board.panel().runtime_dir();
    for _ in 0..2 {
        drop(crate::crash::Run::begin(&dir).expect("begun"));
    }
    board.finds("crashes", State::Warning, "1 runs since boot did not end cleanly");
}

#[test]
fn a_service_that_refuses_every_patch_is_found_without_one() {
    let with_methods = |methods: &'static str| {
        let (url, seen) = api(methods);
        let mut board = Board::new();
        board.configuration.push_str(&format!("[billing]\nurl = \"{url}\"\n"));
        (board, seen)
    };
    let (board, seen) = with_methods("GET, POST");
    board.finds("billing", State::Failed, "405: it, or a proxy before it, refuses the method");
    assert!(seen.try_iter().all(|method| method == "GET" || method == "OPTIONS"));
    with_methods("GET,HEAD,PATCH").0.finds("billing", State::Ok, "PATCH is let through");
}

#[test]
fn billing_where_nothing_is_there_may_be_a_wrong_url() {
    let mut board = Board::new();
    let (url, _seen) = answering(|_| "404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned());
    board.configuration.push_str(&format!("[billing]\nurl = \"{url}/wrong\"\n"));
    board.finds("billing", State::Warning, "it answers, and does not know this panel");
}

/// A service with these methods, and the method of each request that it was asked.
fn api(methods: &'static str) -> (String, std::sync::mpsc::Receiver<String>) {
    answering(move |method| {
        let status = if method == "GET" { "200 OK" } else { "405 Method Not Allowed" };
        format!("{status}\r\nAllow: {methods}\r\nContent-Length: 8\r\n\r\n{{\"id\":1}}")
    })
}

/// A service that answers each method so, and the method of each request that it was asked.
fn answering(
    answer: impl Fn(&str) -> String + Send + 'static,
) -> (String, std::sync::mpsc::Receiver<String>) {
    use std::io::{BufRead, BufReader, Write};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (asked, seen) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let first = lines.next().unwrap_or_default();
            let _ = lines.find(String::is_empty);
            let method = first.split(' ').next().unwrap_or_default().to_owned();
            let answer = format!(
                "HTTP/1.1 {}",
                answer(&method).replacen("\r\n", "\r\nConnection: close\r\n", 1)
            );
            let _ = (&stream).write_all(answer.as_bytes());
            let _ = asked.send(method);
        }
    });
    (url, seen)
}

#[test]
fn looking_changes_nothing() {
    let board = Board::new().write(&format!("{STATE_DIR}/record.json"), "torn");
    let all = || {
        let listed = std::process::Command::new("find")
            .arg(board.sandbox.root().path("/"))
            .args(["-printf", "%p %i %T@ %s\n"])
            .output();
        String::from_utf8(listed.expect("find runs").stdout).expect("text")
    };
    let before = all();
    board.checked();
    assert_eq!(all(), before);
}

#[test]
fn names_are_unique_and_fit_their_column() {
    let ids: std::collections::BTreeSet<_> = CHECKS.iter().map(|check| check.id).collect();
    assert_eq!(ids.len(), CHECKS.len());
    assert!(ids.iter().all(|id| id.len() <= 20));
}

#[test]
fn a_volatile_state_directory_fails() {
    let mounts = "1 0 0:1 / / rw - tmpfs tmpfs rw\n";
    let board = Board::new().write("/proc/self/mountinfo", mounts);
    board.finds("state-durable", State::Failed, "tmpfs");
}

#[test]
fn a_damaged_record_is_told_with_what_is_left() {
    let record = format!("{STATE_DIR}/record.json");
    Board::new().finds("record", State::Ok, MAC);
    Board::new().without(&record).finds("record", State::Ok, "none yet");
    Board::new().write(&record, "torn").finds("record", State::Failed, "no good copy");
    let board = Board::new();
    let good = std::fs::read(board.sandbox.root().path(&record)).expect("a record");
    let board = board.write(&record, "torn").write(&format!("{record}.previous"), good);
    board.finds("record", State::Warning, "its last good copy says");
    let board = Board::new().write(&format!("{record}.damaged"), "torn");
    board.finds("record", State::Warning, "set aside as record.json.damaged");
    board.without(&record).finds("record", State::Failed, "set aside");
}

#[test]
fn an_environment_is_whole_or_half_or_damaged_or_not_there() {
    Board::new().write("/env1", [0; ENVIRONMENT_SIZE]).finds(
        "environment",
        State::Warning,
        "1 of 2 copies",
    );
    let damaged =
        Board::new().write("/env0", [0; ENVIRONMENT_SIZE]).write("/env1", [0; ENVIRONMENT_SIZE]);
    damaged.finds("environment", State::Failed, "no copy in /env0");
    damaged.finds("environment-writing", State::Failed, "no backup");
    let none = Board::new().without("/etc/fw_env.config");
    none.finds("environment", State::Warning, "none");
    none.configured("environment = \"never\"").finds("environment", State::Ok, "none");
    Board::new().write("/etc/fw_env.config", "?").finds("environment", State::Failed, "line 1");
}

#[test]
fn a_configuration_that_only_other_tools_read_is_left_to_them() {
    for (config, name) in [("uboot:\n  size : 0x1000\n", "YAML"), ("/dev/ubi0:env 0 1000", "UBI")] {
        let board = Board::new().write("/etc/fw_env.config", config);
        board.finds("environment", State::Failed, name);
        let checked = board.checked();
        let found = checked.iter().find(|check| check.id == "environment").expect("such a check");
        let advice = found.finding.advice.as_ref().expect("what to do");
        assert!(advice.contains("never") && !advice.contains("remove"), "{advice}");
    }
}

#[test]
fn writing_the_environment_must_not_be_able_to_lose_it() {
    let single = || {
        let copy = copy(Format::Single, &[("ethaddr", MAC)]);
        let board = Board::new().write("/etc/fw_env.config", "/env0 0 0x1000 0x1000\n");
        board.write("/env0", copy.bytes())
    };
    Board::new().finds("environment-writing", State::Ok, "stays whole");
    single().finds("environment-writing", State::Ok, "not written");
    single().finds("environment-backup", State::Ok, "none is needed");
    let always = single().configured("environment = \"always\"");
    always.finds("environment-writing", State::Warning, "one copy");
    always.finds("environment-backup", State::Ok, "possible");
    let left_over = always.write(&format!("{STATE_DIR}/environment.backup"), "{}");
    left_over.finds("environment-backup", State::Warning, "environment.backup is there");
    let shared = "/env0 0 0x800 0x1000\n/env0 0x400 0x800 0x1000\n";
    let shared = Board::new().write("/etc/fw_env.config", shared);
    shared.finds("environment-writing", State::Failed, "one erase block");
}

#[test]
fn a_link_without_a_carrier_or_an_address_fails() {
    let down = Board::new().write("/sys/class/net/eth0/operstate", "down\n");
    down.finds("link", State::Failed, "eth0 is down");
    let absent = Board::new().without("/sys/class/net/eth0/address");
    absent.finds("link", State::Failed, "there is no network interface eth0");
}

#[test]
fn a_mac_that_others_have_too_is_a_warning() {
    let record = format!("{STATE_DIR}/record.json");
    let placeholder = format!("placeholder_macs = [\"{MAC}\"]");
    let board = Board::new().without(&record).configured(&placeholder);
    board.finds("mac", State::Warning, "a placeholder");
    let board = Board::new().without(&record).without("/etc/fw_env.config");
    board.write("/sys/class/net/eth0/addr_assign_type", "1").finds(
        "mac",
        State::Warning,
        "invented",
    );
}

#[test]
fn a_board_should_know_its_model_and_its_serial_number() {
    let mut board = Board::new();
    board.configuration = board.configuration.replace("models", "#");
    board.finds("model", State::Failed, "not known");
    let board = board.without("/etc/fw_env.config");
    board.finds("serial-number", State::Warning, "SN-1 is in the record, and no source");
    let board = board.without(&format!("{STATE_DIR}/record.json"));
    board.finds("serial-number", State::Warning, "no source has one");
    let other = Board::new().with_record(|record| {
        record.current.identity.serial_number = "SN-2".parse().ok();
    });
    other.finds("serial-number", State::Warning, "SN-2 is in the record and counts; a source");
    let given = other.with_record(|record| {
        record.current.serial_origin = Some(SerialOrigin::Request);
    });
    given.finds("serial-number", State::Ok, "SN-2, given by a request");
}

const OTHER: &str = "22:0D:CE:38:E7:15";

fn given_by_a_request(record: &mut Record) {
    record.current.identity.mac = OTHER.parse().expect("a MAC");
    record.current.mac_origin = MacOrigin::Request;
}

/// A board with nothing but the link's random address in its record, since its environment has one
/// line too few.
fn unread() -> Board {
    let board = Board::new()
        .without(&format!("{STATE_DIR}/record.json"))
        .write("/etc/fw_env.config", "?")
        .write("/sys/class/net/eth0/addr_assign_type", "1");
    let record = board.panel().record().expect("a record");
    board.record(&record);
    board
}

#[test]
fn what_cannot_be_read_is_told_with_its_reason_and_is_never_well() {
    let board = unread();
    for id in ["mac", "serial-number"] {
        board.finds(id, State::Warning, "not known yet: ");
        board.finds(id, State::Warning, "line 1");
    }
    board.finds("environment-mac", State::Warning, "not compared");
    board.finds("factory", State::Warning, "not compared");
    board.finds("link-record", State::Ok, "left alone");
    let told = serde_json::to_string(&board.checked()).expect("JSON");
    assert!(!told.contains("set `id`"), "{told}");
}

#[test]
fn what_can_be_read_again_is_taken_over_and_until_then_told() {
    let lines = "/env0 0 0x1000 0x1000\n/env1 0 0x1000 0x1000\n";
    let board = unread().write("/etc/fw_env.config", lines);
    board.finds("environment-mac", State::Warning, "the record does not know that yet");
    board.finds("factory", State::Warning, "not known yet");
}

#[test]
fn where_only_the_next_boot_tells_the_mac_no_restore_is_advised() {
    let lines = "/env0 0 0x1000 0x1000\n/env1 0 0x1000 0x1000\n";
    let board = unread().write("/etc/fw_env.config", lines);
    let board = board.write("/env0", environment(&[("bootcmd", "run x")]));
    board.advises("environment-mac", "run `intercom-agent restore`");
    let boot_id = RealClock::start(board.sandbox.root()).expect("a clock").boot_id();
    let board = board.with_record(|record| record.link_kept_in = Some(boot_id));
    board.advises("environment-mac", "only the next boot");
}

#[test]
fn an_environment_that_disagrees_with_the_record_is_told() {
    Board::new().finds("environment-mac", State::Ok, "ethaddr=AA:BB:CC:DD:EE:FF");
    let other = |variables| Board::new().write("/env0", environment(variables));
    let changed = other(&[("ethaddr", OTHER)]);
    changed.finds("environment-mac", State::Warning, "it writes AA:BB:CC:DD:EE:FF there");
    let copy_missing = Board::new().with_record(given_by_a_request);
    copy_missing.finds("environment-mac", State::Warning, "22:0D:CE:38:E7:15, given by a request");
    let never = copy_missing.configured("environment = \"never\"");
    never.finds("environment-mac", State::Ok, "set at each boot instead");
    let none = other(&[("bootcmd", "run x")]);
    none.finds("environment-mac", State::Ok, "it has no ethaddr, and needs none");
    none.with_record(given_by_a_request).finds("environment-mac", State::Warning, "no ethaddr");
    let no_environment = Board::new().without("/etc/fw_env.config").with_record(given_by_a_request);
    no_environment.finds("environment-mac", State::Ok, "there is no U-Boot environment");
    let unreadable = Board::new().write("/etc/fw_env.config", "?").with_record(given_by_a_request);
    let unreadable = unreadable.configured("environment = \"never\"");
    unreadable.finds("environment-mac", State::Ok, "is never written");
    let wireless = Board::new().configured("interface = \"wlan0\"");
    wireless.finds("environment-mac", State::Ok, "no variable belongs to wlan0");
}

#[test]
fn a_link_that_disagrees_with_the_record_is_told() {
    Board::new().finds("link-record", State::Ok, MAC);
    let other = || Board::new().write("/sys/class/net/eth0/address", OTHER);
    other().finds("link-record", State::Warning, "the link carries 22:0D:CE:38:E7:15");
    let board = other();
    let boot_id = RealClock::start(board.sandbox.root()).expect("a clock").boot_id();
    let late = board.with_record(|record| record.link_kept_in = Some(boot_id));
    late.finds("link-record", State::Warning, "it is set at the next boot");
    let absent = Board::new().without("/sys/class/net/eth0/address");
    absent.finds("link-record", State::Warning, "not compared");
}

#[test]
fn runtime_files_that_are_missing_or_older_than_the_record_are_told() {
    Board::new().finds("runtime-files", State::Ok, "/run/intercom-agent");
    let missing = Board::new().without("/run/intercom-agent/identity.env");
    missing.finds("runtime-files", State::Warning, "identity.env is not there");
    let older = Board::new().with_record(given_by_a_request);
    older.finds("runtime-files", State::Warning, "identity.json does not say what the record says");
}

#[test]
fn another_factory_identity_in_the_environment_is_told() {
    Board::new().finds("factory", State::Ok, MAC);
    let variables = [("ethaddr", MAC), ("intercom_factory_mac", OTHER)];
    let copied = Board::new().write("/env0", environment(&variables));
    copied.finds("factory", State::Warning, "and the environment MAC 22:0D:CE:38:E7:15");
    let lost = copied.with_record(|record| {
        record.factory = Some(intercom_wire::FactoryIdentity::Unknown);
    });
    lost.finds("factory", State::Warning, "does not know it, and the environment says MAC 22:0D");
}

#[test]
fn a_secret_that_others_can_read_fails_and_is_not_shown() {
    let board = Board::new();
    board.sandbox.write_mode("/etc/password", "hidden", 0o644);
    board.finds("secrets", State::Failed, "/etc/password has mode 0644");
    assert!(!serde_json::to_string(&board.checked()).expect("JSON").contains("hidden"));
}

#[test]
fn a_hook_that_cannot_run_fails_before_a_change_does() {
    let hook = format!("{HOOKS_DIR}/60-notify");
    let board = Board::new();
    board.sandbox.write_mode(&hook, "#!/bin/sh\r\nexit 0\r\n", 0o755);
    board.finds("hooks", State::Failed, "its interpreter `/bin/sh\\r` is not there");
    for (text, why) in [
        ("#!/bin/sh -e\r\nexit 0\r\n", "60-notify: its lines end with CR LF"),
        ("\u{feff}#!/bin/sh\n", "60-notify: a byte order mark stands before its `#!`"),
        ("exit 0\n", "60-notify: its first line names no interpreter"),
        ("", "60-notify: its first line names no interpreter"),
    ] {
        board.sandbox.write_mode(&hook, text, 0o755);
        board.finds("hooks", State::Failed, why);
    }
    board.sandbox.write_mode(&hook, "\x7fELF", 0o755);
    board.finds("hooks", State::Ok, "60-notify");
    board.sandbox.write_mode(&hook, "#!/bin/sh\n", 0o644);
    board.finds("hooks", State::Warning, "60-notify is not run: it is not executable: chmod +x");
    board.sandbox.write_mode(&hook, "#!/bin/sh\n", 0o777);
    board.finds("hooks", State::Warning, "is not run");
    board.sandbox.write_mode(&hook, "a text\n", 0o644);
    board.sandbox.write_mode(&format!("{hook}.new"), "#!/bin/sh\n", 0o644);
    board.finds("hooks", State::Ok, "50-lease");
}

#[test]
fn an_agent_that_holds_the_watchdog_fails() {
    let board = Board::new().write("/proc/72/comm", "intercom-agent\n");
    open_in(&board.sandbox, 72, "/dev/watchdog");
    board.finds("watchdog", State::Failed, "intercom-agent (process 72)");
    let nobody = Board::new();
    std::fs::remove_dir_all(nobody.sandbox.root().path("/proc")).expect("removed");
    nobody.finds("watchdog", State::Ok, "nobody");
}

#[test]
fn a_neighbour_with_the_same_mac_is_told() {
    let table = "IP address HW type Flags HW address Mask Device\n\
                 192.0.2.7 0x1 0x2 aa:bb:cc:dd:ee:ff * eth0\n";
    let board = Board::new().write("/proc/net/arp", table);
    board.finds("duplicates", State::Warning, "at 192.0.2.7");
    let other = table.replace("ee:ff", "ee:fe");
    Board::new().write("/proc/net/arp", other).finds("duplicates", State::Ok, "no neighbour");
}

#[test]
fn a_panel_without_a_route_is_told() {
    let mut board = Board::new();
    board.configuration = String::new();
    board.finds("uplink", State::Failed, "none is configured");
}

#[test]
fn a_server_that_nobody_checks_is_a_warning() {
    Board::new().finds("server", State::Ok, "no certificate check is switched off");
    let mut board = Board::new();
    board.configuration = "[http]\nurl = \"https://billing.test\"\ninsecure = true\n".to_owned();
    board.finds("server", State::Warning, "[http] checks no certificate");
}
