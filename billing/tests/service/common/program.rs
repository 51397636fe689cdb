//! The service as the program that it is, with a token of an operator.

use std::process::Command;

use intercom_test_support::{Database, Process, is_on_postgres};
use serde_json::Value;
use ureq::http::{Method, Request, Response};

pub(crate) struct Program {
    pub(crate) process: Process,
    pub(crate) caller: Caller,
    /// Dropped after the service has ended.
    pub(crate) database: Database,
}

/// Calls it, from any thread.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) url: String,
    pub(crate) token: String,
}

pub(crate) fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_intercom-billing"))
}

/// The options for the panels' broker: the built-in one at this address, and where it cannot be one, because
/// several processes may share the database, one that is not there.
pub(crate) fn broker(mqtt: &str) -> [&str; 2] {
    match is_on_postgres() {
        true => ["--broker", "mqtt://127.0.0.1:9"],
        false => ["--mqtt-listen", mqtt],
    }
}

/// A new token on a database, which need not be there. An older version has taken any name.
pub(crate) fn token(database: &Database, name: &str) -> String {
    let added = command()
        .args(["token", "add", "--role", "operator", "--database"])
        .arg(database.location())
        .output()
        .expect("it runs");
    database.execute(&format!("UPDATE tokens SET name = '{name}'"));
    String::from_utf8(added.stdout).expect("text").trim_end().to_owned()
}

impl Program {
    /// `intercom-billing serve` on free ports, with these arguments besides.
    pub(crate) fn start(token_name: &str, arguments: &[&str]) -> Self {
        let database = Database::new();
        let token = token(&database, token_name);
        Self::start_on(database, token, arguments)
    }

    /// The same, on this database.
    pub(crate) fn start_on(database: Database, token: String, arguments: &[&str]) -> Self {
        let mut serve = command();
        serve
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(broker("127.0.0.1:0"))
            .arg("--database")
            .arg(database.location())
            .args(arguments);
        let mut process = Process::start("intercom-billing", &mut serve);
        let line = process.wait_for("serving on http");
        let at = line.find("http").expect("where");
        let url = line[at..].split(['"', ' ']).next().expect("a URL").to_owned();
        Program { process, caller: Caller { url, token }, database }
    }
}

impl Caller {
    /// The same caller of another URL.
    pub(crate) fn at(&self, url: &str) -> Self {
        Caller { url: url.to_owned(), token: self.token.clone() }
    }

    /// `None` where the service does not answer.
    pub(crate) fn try_call(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Option<Response<ureq::Body>> {
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("Content-Type", "application/json")
            .header("Authorization", format!("Bearer {}", self.token));
        let agent = ureq::Agent::from(config);
        let answer = match body {
            Value::Null => agent.run(request.body(()).expect("a request")),
            body => agent.run(request.body(body.to_string()).expect("a request")),
        };
        answer.ok()
    }

    pub(crate) fn call(&self, method: Method, path: &str, body: &Value) -> Response<ureq::Body> {
        self.try_call(method, path, body).expect("an answer")
    }
}
