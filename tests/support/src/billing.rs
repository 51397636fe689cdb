//! The real billing service.

use std::net::Ipv4Addr;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{Broker, Directory, FACTORY_SERIAL, MODEL, NEW, OLD, Process, built, curl_with};

const DATABASE: &str = "billing.sqlite";

/// How soon it is asked again where it has logged nothing: it logs before it commits.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// A billing service on a database of its own, gone with the value.
pub struct Billing {
    /// Where it serves HTTP.
    pub url: String,
    /// The header that calls are made with, where it asks for a token.
    authorization: Option<String>,
    command: Command,
    process: Option<Process>,
    dir: Directory,
}

impl Billing {
    /// With a broker of its own.
    pub fn start() -> Self {
        Self::start_with(
            Command::new(built::billing()),
            &["--listen", "127.0.0.1:0", "--mqtt-listen", "127.0.0.1:0"],
        )
    }

    /// With a broker of its own at this port.
    pub fn start_with_panels_at(port: u16) -> Self {
        let panels = format!("127.0.0.1:{port}");
        Self::start_with(
            Command::new(built::billing()),
            &["--listen", "127.0.0.1:0", "--mqtt-listen", &panels],
        )
    }

    /// With panels on this broker.
    pub fn start_on(broker: &Broker) -> Self {
        Self::start_at(&broker.url())
    }

    /// With panels on the broker at this URL.
    pub fn start_at(broker: &str) -> Self {
        Self::start_at_with(broker, &[])
    }

    /// The same with more options.
    pub fn start_at_with(broker: &str, options: &[&str]) -> Self {
        let arguments = [&["--listen", "127.0.0.1:0", "--broker", broker], options].concat();
        Self::start_with(Command::new(built::billing()), &arguments)
    }

    /// At `address` in another network namespace.
    pub fn start_in(namespace: &str, address: Ipv4Addr) -> Self {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace]).arg(built::billing());
        Self::start_with(
            command,
            &["--open", "--listen", &format!("{address}:8080"), "--mqtt-listen", "127.0.0.1:0"],
        )
    }

    fn start_with(mut command: Command, arguments: &[&str]) -> Self {
        let dir = Directory::new();
        command.args(["serve", "--grace-ms", "1000", "--database"]);
        command.arg(dir.path().join(DATABASE)).args(arguments);
        let mut billing =
            Billing { url: String::new(), authorization: None, command, process: None, dir };
        billing.start_again();
        billing
    }

    /// After it was killed: with the database that it left, and perhaps at another URL.
    pub fn start_again(&mut self) {
        let mut process = Process::start("intercom-billing", &mut self.command);
        let line = process.wait_for("http://");
        let at = line.find("http://").expect("the address");
        self.url = line[at..].split_whitespace().next().expect("the address").to_owned();
        self.process = Some(process);
    }

    /// Pulls its plug.
    pub fn kill(&mut self) {
        self.process.take().expect("it runs").kill();
    }

    /// Waits until `fits` holds, at most for `limit`; whether it came to hold. It is asked again
    /// whenever the service logs something.
    pub fn comes_to(&mut self, limit: Duration, mut fits: impl FnMut(&Self) -> bool) -> bool {
        let end = Instant::now() + limit;
        while !fits(self) {
            if Instant::now() > end {
                return false;
            }
            self.process.as_mut().expect("it runs").says_something(ASK_AGAIN);
        }
        true
    }

    /// Waits until it has its broker: a panel that comes later is heard at once, and one that was there
    /// before within a minute.
    pub fn connected(mut self) -> Self {
        self.process.as_mut().expect("it runs").wait_for("connected to the broker");
        self
    }

    /// From now on everybody needs a token; the calls below have an operator's. The built-in broker has
    /// begun anew when this returns: a request of before would wait for two minutes.
    pub fn with_tokens(mut self) -> Self {
        let token = self.add_token(&["--role", "operator"]);
        let process = self.process.as_mut().expect("it runs");
        process.wait_for("the first token was made");
        process.wait_for("connected to the built-in broker");
        self.authorization = Some(format!("Authorization: Bearer {token}"));
        self
    }

    /// A new token, by `token add` with these arguments.
    pub fn add_token(&self, arguments: &[&str]) -> String {
        let added = Command::new(built::billing())
            .args(["token", "add", "--database"])
            .arg(self.dir.path().join(DATABASE))
            .args(arguments)
            .output()
            .expect("it runs");
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        String::from_utf8(added.stdout).expect("text").trim_end().to_owned()
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
        self.send(method, path, body.to_string().as_bytes())
    }

    /// The documented call.
    pub fn patch(&self, body: Value) -> (u16, Value) {
        self.call("PATCH", "/api/v1/billing/intercoms", body)
    }

    /// The record that has this MAC.
    pub fn show(&self, mac: &str) -> (u16, Value) {
        let path = format!("/api/v1/billing/intercoms/show?mac={mac}");
        self.send("GET", &path, b"")
    }

    fn send(&self, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
        let token = self.authorization.iter().flat_map(|token| ["--header", token]);
        let token: Vec<_> = token.collect();
        curl_with(&token, method, &format!("{}{path}", self.url), body)
    }
}
