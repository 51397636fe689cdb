//! The service as the program that it is, with a token of an operator.

use std::path::{Path, PathBuf};
use std::process::Command;

use intercom_test_support::Process;
use serde_json::Value;
use tempfile::TempDir;
use ureq::http::{Method, Request, Response};

pub(crate) struct Program {
    pub(crate) dir: TempDir,
    pub(crate) process: Process,
    pub(crate) caller: Caller,
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

/// A new token on a database, which need not be there. An older version has taken any name.
pub(crate) fn token(database: &Path, name: &str) -> String {
    let added = command()
        .args(["token", "add", "--role", "operator", "--database"])
        .arg(database)
        .output()
        .expect("it runs");
    let connection = rusqlite::Connection::open(database).expect("the database");
    connection.execute("UPDATE tokens SET name = ?1", [name]).expect("named");
    String::from_utf8(added.stdout).expect("text").trim_end().to_owned()
}

impl Program {
    /// `intercom-billing serve` on free ports, with these arguments besides.
    pub(crate) fn start(token_name: &str, arguments: &[&str]) -> Self {
        let dir = TempDir::new().expect("a directory");
        let token = token(&dir.path().join("billing.sqlite"), token_name);
        Self::start_in(dir, token, arguments)
    }

    /// The same, on the database in `dir`.
    pub(crate) fn start_in(dir: TempDir, token: String, arguments: &[&str]) -> Self {
        let mut serve = command();
        serve
            .args(["serve", "--listen", "127.0.0.1:0", "--mqtt-listen", "127.0.0.1:0"])
            .arg("--database")
            .arg(dir.path().join("billing.sqlite"))
            .args(arguments);
        let mut process = Process::start("intercom-billing", &mut serve);
        let line = process.wait_for("serving on http");
        let at = line.find("http").expect("where");
        let url = line[at..].split(['"', ' ']).next().expect("a URL").to_owned();
        Program { dir, process, caller: Caller { url, token } }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.dir.path().join("billing.sqlite")
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
