//! A running service on free ports, whose every answer is checked against its own description.

pub(crate) mod board;
pub(crate) mod browser;
pub(crate) mod described;
pub(crate) mod panel;
pub(crate) mod program;

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use intercom_billing::mqtt::link::Choice;
use intercom_billing::service::{Service, Settings};
use intercom_billing::store::Location;
use intercom_billing::store::macs::Believed;
use intercom_test_support::Database;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use ureq::http::{Method, Request};

use described::Described;

/// The longest that anything here may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);
pub(crate) const OLD: &str = "AA:BB:CC:DD:EE:FF";
pub(crate) const NEW: &str = "22:0D:CE:38:E7:15";
/// What an agent says that it is.
pub(crate) const AGENT: (&str, &str) = ("User-Agent", "intercom-agent/1.0");
pub(crate) const INTERCOMS: &str = "/api/v1/billing/intercoms";

pub(crate) struct Running {
    pub(crate) runtime: Runtime,
    pub(crate) dir: TempDir,
    /// Dropped after the service has ended.
    pub(crate) database: Database,
    settings: Settings,
    service: Option<Service>,
    /// The token that calls are made with.
    pub(crate) bearer: Option<String>,
    pub(crate) agent: ureq::Agent,
    described: Described,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) etag: Option<String>,
    /// The ID of the call.
    pub(crate) call: Option<String>,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Running {
    /// The board at `new_mac` has an hour to show up, unless a test says otherwise.
    pub(crate) fn start() -> Self {
        Self::start_with(|_| ())
    }

    pub(crate) fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        let dir = TempDir::new().expect("a directory");
        let database = Database::new();
        let mut settings = Settings {
            listen: ([127, 0, 0, 1], 0).into(),
            tls: None,
            database: location(&database),
            broker: Choice::BuiltIn(([127, 0, 0, 1], 0).into()),
            hosts: Vec::new(),
            open: false,
            grace: Duration::from_secs(3600),
            boards: Believed::FirstSight,
            signing_key: None,
            credential_key: None,
        };
        change(&mut settings);
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(LIMIT))
            .allow_non_standard_methods(true)
            // What is refused is answered before its body is read, and the connection then closed: a call
            // that took it over in that moment would be lost.
            .max_idle_connections(0)
            .build();
        let mut running = Running {
            runtime: Runtime::new().expect("threads"),
            dir,
            database,
            settings,
            service: None,
            bearer: None,
            agent: config.into(),
            described: Described::new(),
        };
        running.go();
        running
    }

    fn go(&mut self) {
        let mut service =
            self.runtime.block_on(Service::start(self.settings.clone())).expect("it starts");
        let up = async { tokio::time::timeout(LIMIT, service.broker_is_up()).await };
        self.runtime.block_on(up).expect("in time").expect("the broker is up");
        self.service = Some(service);
    }

    pub(crate) fn stop(&mut self) {
        if let Some(service) = self.service.take() {
            self.runtime.block_on(service.stop());
        }
    }

    /// The same database, with other settings.
    pub(crate) fn restart_with(&mut self, change: impl FnOnce(&mut Settings)) {
        self.stop();
        change(&mut self.settings);
        self.go();
    }

    /// The same database, other ports.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.go();
    }

    fn service(&self) -> &Service {
        self.service.as_ref().expect("it runs")
    }

    pub(crate) fn http(&self) -> std::net::SocketAddr {
        self.service().http
    }

    pub(crate) fn mqtt_port(&self) -> u16 {
        self.service().mqtt.expect("the built-in broker").port()
    }

    /// Runs `intercom-billing token …` on the database of the running service.
    pub(crate) fn token(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_intercom-billing"))
            .arg("token")
            .args(arguments)
            .args(["--database", &self.database.location()])
            .output()
            .expect("it runs")
    }

    /// A new token, by `token add` with these arguments. The built-in broker has begun anew when this
    /// returns, if it is the first.
    pub(crate) fn add_token(&self, arguments: &[&str]) -> String {
        let is_first = self.token(&["list"]).stdout.is_empty();
        match is_first && self.service().mqtt.is_some() {
            true => self.add_first_token(arguments, || ()),
            false => self.make_token(arguments),
        }
    }

    /// The same for the first one, and what is done in the moment between.
    pub(crate) fn add_first_token(&self, arguments: &[&str], at_once: impl FnOnce()) -> String {
        let mut up = self.service().up.clone();
        up.mark_unchanged();
        let token = self.make_token(arguments);
        at_once();
        let begins_anew = async {
            up.changed().await.expect("a service");
            up.wait_for(|up| *up).await.expect("a service");
        };
        let in_time = async { tokio::time::timeout(LIMIT, begins_anew).await };
        self.runtime.block_on(in_time).expect("in time");
        token
    }

    fn make_token(&self, arguments: &[&str]) -> String {
        let added = self.token(&[&["add"], arguments].concat());
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        String::from_utf8(added.stdout).expect("text").trim_end().to_owned()
    }

    pub(crate) fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let body = body.map(|body| serde_json::to_vec(&body).expect("JSON"));
        self.send(method, path, &[], body)
    }

    pub(crate) fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Answer {
        let url = format!("http://{}{path}", self.http());
        let mut request = Request::builder().method(method.clone()).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.bearer {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let has = |wanted: &str| headers.iter().any(|(name, _)| *name == wanted);
        let answer = match body {
            Some(body) => {
                let request = match has("Content-Type") {
                    true => request,
                    false => request.header("Content-Type", "application/json"),
                };
                self.agent.run(request.body(body).expect("a request"))
            }
            None => self.agent.run(request.body(()).expect("a request")),
        };
        let mut answer = answer.expect("an answer");
        let header = |name: &str| {
            let value = answer.headers().get(name)?;
            Some(value.to_str().expect("text").to_owned())
        };
        let (etag, kind) = (header("etag"), header("content-type"));
        let call = header("x-request-id");
        let status = answer.status().as_u16();
        let text = answer.body_mut().read_to_string().expect("text");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        self.described.check(&method, path, status, kind.as_deref(), &body);
        Answer { status, etag, call, text, body }
    }

    pub(crate) fn patch(&self, body: Value) -> Answer {
        self.call(Method::PATCH, INTERCOMS, Some(body))
    }

    pub(crate) fn post(&self, body: Value) -> Answer {
        self.call(Method::POST, INTERCOMS, Some(body))
    }

    pub(crate) fn show(&self, query: &str) -> Answer {
        self.call(Method::GET, &format!("{INTERCOMS}/show?{query}"), None)
    }

    pub(crate) fn delete(&self, query: &str) -> Answer {
        self.call(Method::DELETE, &format!("{INTERCOMS}?{query}"), None)
    }

    pub(crate) fn pending(&self, query: &str) -> Answer {
        self.send(Method::GET, &format!("/api/v1/agent/pending?{query}"), &[AGENT], None)
    }

    pub(crate) fn report(&self, report: Value) -> Answer {
        self.call(Method::POST, "/api/v1/agent/status", Some(report))
    }

    /// What became of the requests, the newest first.
    pub(crate) fn requests(&self) -> Vec<Value> {
        let answer = self.call(Method::GET, "/api/v1/agent/requests", None);
        answer.body.as_array().expect("an array").clone()
    }

    /// Creates the intercom whose panel is to be replaced, and gives it a place.
    pub(crate) fn old_intercom(&self) -> i64 {
        let made = self.post(json!({"mac": OLD, "serial_number": "S-OLD", "model": "3516EV200"}));
        assert_eq!(made.status, 201, "{made:?}");
        let id = made.body["id"].as_i64().expect("an ID");
        assert_eq!(self.patch(json!({"id": id, "group_id": 6})).status, 200);
        id
    }

    /// Asks for the documented replacement; the request's ID.
    pub(crate) fn ask(&self) -> String {
        let answer = self.patch(documented_example());
        assert_eq!(answer.status, 200, "{answer:?}");
        self.newest_request_id()
    }

    /// A board `die-1` that carries the new MAC address polls, and is offered what is asked for.
    pub(crate) fn offered_to_the_replacement(&self) {
        let offered = self.pending(&format!("mac={NEW}&board=die-1"));
        assert_eq!(offered.body.as_array().map(Vec::len), Some(1), "{offered:?}");
    }

    pub(crate) fn newest_request_id(&self) -> String {
        self.requests()[0]["request_id"].as_str().expect("an ID").to_owned()
    }

    /// Waits until the service says so.
    pub(crate) fn until(&self, what: &str, mut is: impl FnMut(&Self) -> bool) {
        let begun = Instant::now();
        while !is(self) {
            assert!(begun.elapsed() < LIMIT, "still not: {what}");
            std::thread::yield_now();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where the store finds it.
pub(crate) fn location(database: &Database) -> Location {
    Location::new(&database.location(), None).expect("a database")
}

/// The API page's own example body.
pub(crate) fn documented_example() -> Value {
    json!({
        "group_external_id": "00000000-0000-0000-0000-000000000001",
        "flat_from": 1,
        "flat_to": 15,
        "new_serial_number": "new_serial_number",
        "mac": OLD,
        "new_mac": NEW,
        "model": "3516EV200",
        "name": "intercom name",
        "department": 1,
        "log_extra": {"some": "information"}
    })
}

/// A report of board `die-1` on a request.
pub(crate) fn report(request_id: &str, status: &str, mac: &str, serial_number: &str) -> Value {
    json!({
        "id": null, "external_id": null, "department": null, "title": null, "mac": mac,
        "model": "3516EV200", "serial_number": serial_number, "status": status,
        "flat_from": null, "flat_to": null, "source": "auto-replace", "group": null,
        "request_id": request_id, "board": "die-1",
        "previous": {"mac": OLD, "serial_number": "S-OLD"}, "factory": "unknown"
    })
}
