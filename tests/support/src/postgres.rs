//! A PostgreSQL server of the test's own.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::{Gid, Uid, User, chown};

use crate::certificates::{Authority, NOW};
use crate::{Directory, Process, free_port};

/// A server with nothing in it, gone with the value.
pub struct Postgres {
    port: u16,
    settings: Vec<String>,
    process: Option<Process>,
    dir: Directory,
}

impl Postgres {
    /// Makes a database directory, and starts a server on it. It does not run as root, so that it is
    /// Debian's user `postgres` who does where root runs the test.
    pub fn start() -> Self {
        let dir = Directory::new();
        if Uid::effective().is_root() {
            let (user, group) = user();
            chown(dir.path(), Some(user), Some(group)).expect("given to postgres");
        }
        let mut server = Postgres { port: free_port(), settings: Vec::new(), process: None, dir };
        let made = command("initdb")
            .args(["--no-sync", "--auth", "trust", "--username", "postgres", "--encoding", "UTF8"])
            .args(["--no-locale", "--pgdata"])
            .arg(server.data())
            .output()
            .expect("initdb; tests/run installs what is missing");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        server.start_again();
        server
    }

    /// From now on it takes nobody but over TLS and by a password, with a certificate of `authority` for
    /// `localhost`: [`Postgres::tls_url`].
    pub fn over_tls_alone(&mut self, authority: &Authority) {
        self.psql("postgres", "ALTER USER postgres PASSWORD 'over-tls'");
        self.quit();
        let certificate = self.data().join("server");
        authority.issue("localhost", NOW, &certificate);
        let file = |kind| certificate.with_extension(kind);
        if Uid::effective().is_root() {
            let (user, group) = user();
            for kind in ["key", "pem"] {
                chown(&file(kind), Some(user), Some(group)).expect("given to postgres");
            }
        }
        fs::write(self.data().join("pg_hba.conf"), "hostssl all all all scram-sha-256\n")
            .expect("rules");
        let [key, pem] = ["key", "pem"].map(|kind| file(kind).display().to_string());
        for setting in
            ["ssl=on".to_owned(), format!("ssl_key_file={key}"), format!("ssl_cert_file={pem}")]
        {
            self.settings.extend(["-c".to_owned(), setting]);
        }
        // Another program may have taken the one that it had.
        self.port = free_port();
        self.start_again();
    }

    /// After it was killed: at the same address, with what was committed.
    pub fn start_again(&mut self) {
        let mut process = Process::start(
            "postgres",
            command("postgres")
                .arg("-D")
                .arg(self.data())
                .args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c"])
                .arg(format!("unix_socket_directories={}", self.dir.path().display()))
                .args(["-c", "max_connections=200"])
                .args(&self.settings),
        );
        process.wait_for("database system is ready to accept connections");
        self.process = Some(process);
    }

    /// Ends it at once with all its connections: it tidies up when it starts again.
    pub fn quit(&mut self) {
        self.process.take().expect("it runs").quit();
    }

    /// Where its databases are: `postgres` is there already.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// The same over TLS, with the password.
    pub fn tls_url(&self, database: &str) -> String {
        format!("postgres://postgres:over-tls@localhost:{}/{database}", self.port)
    }

    /// What `psql` prints for these statements, a row a line.
    pub fn psql(&self, database: &str, statements: &str) -> String {
        psql(&self.url(database), statements)
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }
}

/// A program of PostgreSQL's, which Debian keeps in a folder of its version.
fn command(program: &str) -> Command {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|version| version.path()).max();
    let path = newest.unwrap_or_else(|| Path::new("/usr").to_owned()).join("bin").join(program);
    let mut command = Command::new(path);
    if Uid::effective().is_root() {
        let (user, group) = user();
        command.uid(user.as_raw()).gid(group.as_raw()).current_dir("/");
    }
    command
}

fn user() -> (Uid, Gid) {
    let user = User::from_name("postgres").expect("the users").expect("the user postgres");
    (user.uid, user.gid)
}

/// What `psql` prints for these statements, a row a line.
fn psql(url: &str, statements: &str) -> String {
    let ran = command("psql")
        .args(["--no-psqlrc", "--tuples-only", "--no-align", "--quiet", "-v", "ON_ERROR_STOP=1"])
        .args(["--command", statements, url])
        .output()
        .expect("psql; tests/run installs what is missing");
    assert!(ran.status.success(), "{statements}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8_lossy(&ran.stdout).trim().to_owned()
}

/// All that is in a database, as `pg_dump` prints it.
pub(crate) fn dump(url: &str) -> Vec<u8> {
    let ran = command("pg_dump").arg(url).output();
    let ran = ran.expect("pg_dump; tests/run installs what is missing");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    ran.stdout
}
