//! The real billing service, and curl to speak to it.

use std::io::Write;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{Broker, Directory, FACTORY_SERIAL, MODEL, NEW, OLD, Process};

pub struct Billing {
    pub url: String,
    _process: Process,
    _dir: Directory,
}

impl Billing {
    /// With a broker of its own.
    pub fn start() -> Self {
        Self::start_with(
            Command::new(binary()),
            &["--listen", "127.0.0.1:0", "--mqtt-listen", "127.0.0.1:0"],
        )
    }

    /// With panels on this broker.
    pub fn start_on(broker: &Broker) -> Self {
        Self::start_at(&broker.url())
    }

    /// With panels on the broker at this URL.
    pub fn start_at(broker: &str) -> Self {
        Self::start_with(Command::new(binary()), &["--listen", "127.0.0.1:0", "--broker", broker])
    }

    /// At `address` in another network namespace.
    pub fn start_in(namespace: &str, address: Ipv4Addr) -> Self {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace]).arg(binary());
        Self::start_with(
            command,
            &["--listen", &format!("{address}:8080"), "--mqtt-listen", "127.0.0.1:0"],
        )
    }

    fn start_with(mut command: Command, arguments: &[&str]) -> Self {
        let dir = Directory::new();
        command.args(["serve", "--grace-ms", "1000", "--database"]);
        command.arg(dir.path().join("billing.sqlite")).args(arguments);
        let mut process = Process::start("intercom-billing", &mut command);
        let line = process.wait_for("http://");
        let at = line.find("http://").expect("the address");
        let url = line[at..].split_whitespace().next().expect("the address").to_owned();
        Billing { url, _process: process, _dir: dir }
    }

    /// Makes the record of the panel `OLD`; its ID.
    pub fn create_old(&self) -> i64 {
        let body = json!({
            "mac": OLD, "serial_number": FACTORY_SERIAL, "model": MODEL, "vendor": "vendor",
            "name": "Gate", "department": 1, "group_external_id": "house-1",
        });
        let (status, shown) = self.call("POST", "/api/v1/billing/intercoms", body);
        assert_eq!((status, &shown["status"]), (201, &json!("empty")), "{shown}");
        shown["id"].as_i64().expect("an ID")
    }

    /// The PATCH that makes `OLD` `NEW`.
    pub fn replace_old(&self) -> Value {
        let body = json!({
            "mac": OLD, "new_mac": NEW, "new_serial_number": "NEW-1", "model": MODEL,
            "group_external_id": "house-1", "log_extra": {"some": "information"},
        });
        let (status, shown) = self.patch(body);
        assert_eq!(status, 200, "{shown}");
        assert_eq!(
            (&shown["mac"], &shown["source"]),
            (&json!(NEW), &json!("auto-replace")),
            "{shown}"
        );
        shown
    }

    /// One call of the API.
    pub fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        curl(method, &format!("{}{path}", self.url), body.to_string().as_bytes())
    }

    /// The documented call.
    pub fn patch(&self, body: Value) -> (u16, Value) {
        self.call("PATCH", "/api/v1/billing/intercoms", body)
    }

    /// The record that has this MAC.
    pub fn show(&self, mac: &str) -> (u16, Value) {
        let path = format!("/api/v1/billing/intercoms/show?mac={mac}");
        curl("GET", &format!("{}{path}", self.url), b"")
    }
}

/// Beside the agent's own binary. Cargo builds it with the workspace's tests; with those of the
/// agent alone it need not be there yet.
fn binary() -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_intercom-agent")).with_file_name("intercom-billing");
    if !binary.exists() {
        let target = binary.parent().and_then(Path::parent).expect("a target directory");
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "intercom-billing", "--target-dir"])
            .arg(target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(status.expect("cargo runs").success(), "intercom-billing cannot be built");
    }
    binary
}

/// The status and the JSON that is answered; `null` for an empty answer.
pub fn curl(method: &str, url: &str, body: &[u8]) -> (u16, Value) {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "60", "--noproxy", "*"])
        .args(["--request", method, "--url", url, "--write-out", "\n%{http_code}"])
        .args([
            "--header",
            "Content-Type: application/json",
            "--header",
            "Accept: application/json",
        ]);
    if !body.is_empty() {
        curl.args(["--data-binary", "@-"]);
    }
    let mut child = curl
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("curl; tests/run installs it");
    // The service may answer without having read it all.
    let _ = child.stdin.take().expect("piped").write_all(body);
    let output = child.wait_with_output().expect("curl ends");
    let text = String::from_utf8(output.stdout).expect("text");
    let (answer, status) = text.rsplit_once('\n').expect("the status");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_ne!(status, "000", "no answer from {url}: {said}");
    let answer = match answer {
        "" => Value::Null,
        json => serde_json::from_str(json).unwrap_or_else(|why| panic!("{why}: {json}")),
    };
    (status.parse().expect("a status"), answer)
}
