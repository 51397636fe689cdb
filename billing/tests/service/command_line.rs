//! The program as it is started by hand.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use intercom_test_support::{Database, Process, free_port, is_on_postgres, skipped_on_postgres};
use tempfile::TempDir;

use crate::common::program::broker;

const PROGRAM: &str = env!("CARGO_BIN_EXE_intercom-billing");

/// `intercom-billing serve` on free ports of loopback.
fn serve(database: &Database) -> Command {
    serve_on(database, "127.0.0.1:0", "127.0.0.1:0")
}

/// What it says as it ends, which it must do with an error.
fn fails(command: &mut Command) -> String {
    let Output { status, stderr, .. } = command.output().expect("it runs");
    let said = String::from_utf8(stderr).expect("text");
    assert_eq!(status.code(), Some(1), "{said}");
    said
}

#[test]
fn a_second_service_on_one_database_says_who_has_it_and_ends() {
    if skipped_on_postgres("one service at a time") {
        return;
    }
    let database = Database::new();
    let mut first = Process::start("intercom-billing", &mut serve(&database));
    first.wait_for("serving on http://");
    let holder = fs::read_to_string(format!("{}.lock", database.location())).expect("the lock");
    let said = fails(&mut serve(&database));
    assert!(said.contains(holder.trim()) && said.contains("another intercom-billing"), "{said}");
    drop(first);
    let mut next = Process::start("intercom-billing", &mut serve(&database));
    next.wait_for("serving on http://");
}

/// What `token list` prints.
fn tokens(database: &Database) -> String {
    let listed = Command::new(PROGRAM)
        .args(["token", "list", "--database"])
        .arg(database.location())
        .output();
    String::from_utf8(listed.expect("it runs").stdout).expect("text")
}

/// `intercom-billing serve` on these addresses.
fn serve_on(database: &Database, http: &str, mqtt: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--listen", http]).args(broker(mqtt));
    command.arg("--database").arg(database.location());
    command
}

#[test]
fn where_others_reach_it_the_first_start_makes_one_token_and_shows_it_once() {
    let (own, all) = ("127.0.0.1:0", "0.0.0.0:0");
    let port = free_port();
    for (http, mqtt) in [(&*format!("0.0.0.0:{port}"), own), (own, all), ("[::]:0", own)] {
        if is_on_postgres() && http == own {
            // There is no built-in broker that others could reach.
            continue;
        }
        let database = Database::new();
        let mut first = Process::start("intercom-billing", &mut serve_on(&database, http, mqtt));
        let line = first.wait_for("shown this once: ");
        let token = line.rsplit_once(' ').expect("a token").1;
        if http.contains(&port.to_string()) {
            let requests = || {
                let requests = format!("http://127.0.0.1:{port}/api/v1/agent/requests");
                ureq::get(requests).config().http_status_as_error(false).build()
            };
            assert_eq!(requests().call().expect("an answer").status(), 401);
            let with_token = requests().header("Authorization", format!("Bearer {token}"));
            assert_eq!(with_token.call().expect("an answer").status(), 200);
        }
        drop(first);
        let once = tokens(&database);
        assert!(once.starts_with("1\toperator\t") && once.ends_with("the first start\n"), "{once}");
        assert!(!once.contains(token), "{once}");
        Process::start("intercom-billing", &mut serve_on(&database, http, mqtt))
            .wait_for("serving on http://");
        assert_eq!(tokens(&database), once, "the next start makes none");
    }
}

#[test]
fn no_token_is_made_where_only_this_machine_reaches_it_or_anybody_may() {
    for (address, more) in [("127.0.0.1:0", &[][..]), ("0.0.0.0:0", &["--open"])] {
        let database = Database::new();
        let mut command = serve_on(&database, address, address);
        Process::start("intercom-billing", command.args(more)).wait_for("serving on http://");
        assert_eq!(tokens(&database), "", "{address}");
    }
}

#[test]
fn a_start_that_fails_makes_no_token() {
    let database = Database::new();
    let taken = TcpListener::bind("0.0.0.0:0").expect("a port");
    let taken = taken.local_addr().expect("its address").to_string();
    for (http, mqtt) in [(&*taken, "127.0.0.1:0"), ("0.0.0.0:0", &taken)] {
        if is_on_postgres() && mqtt == taken {
            // There is no built-in broker that could not start.
            continue;
        }
        fails(&mut serve_on(&database, http, mqtt));
        assert_eq!(tokens(&database), "", "{http} {mqtt}");
    }
}

/// `intercom-billing` with these arguments, on this database.
fn on(database: &Database, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).arg("--database").arg(database.location());
    command
}

#[test]
fn only_the_owner_of_the_database_can_read_it_and_what_is_beside_it() {
    if skipped_on_postgres("who reads it") {
        return;
    }
    let database = Database::new();
    let mut service = Process::start("intercom-billing", &mut serve(&database));
    service.wait_for("serving on http://");
    let location = PathBuf::from(database.location());
    let mut files = Vec::new();
    for file in fs::read_dir(location.parent().expect("a directory")).expect("the directory") {
        let file = file.expect("a file");
        let mode = file.metadata().expect("its mode").mode() & 0o777;
        files.push((file.file_name().into_string().expect("text"), mode));
    }
    files.sort();
    let names = ["", "-shm", "-wal", ".lock"].map(|end| (format!("billing.sqlite{end}"), 0o600));
    assert_eq!(files, names);
}

#[test]
fn what_cannot_be_printed_is_an_error_and_what_was_to_be_told_once_is_not_kept() {
    let (dir, database) = (TempDir::new().expect("a directory"), Database::new());
    assert!(on(&database, &["token", "add", "--role", "viewer"]).status().expect("runs").success());
    let output = dir.path().join("gate-1").into_os_string().into_string().expect("text");
    let before = tokens(&database);
    for arguments in [
        &["token", "list"][..],
        &["token", "add", "--role", "operator"],
        &["webhooks", "add", "--url", "http://127.0.0.1:9/"],
        &["retention", "show"],
        &["enrol", "gate-1", "--mqtt-url", "mqtt://b", "--broker", "nats", "--output", &output],
    ] {
        let full = File::create("/dev/full").expect("the device");
        let said = fails(on(&database, arguments).stdout(full));
        assert!(said.contains("cannot write to standard output"), "{arguments:?}: {said}");
    }
    assert_eq!(tokens(&database), before);
    let listed = on(&database, &["webhooks", "list"]).output().expect("it runs").stdout;
    assert_eq!(listed, b"");
}

#[test]
fn a_database_of_another_program_is_left_as_it_is() {
    let tables = match is_on_postgres() {
        true => "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
        false => "SELECT name FROM sqlite_schema",
    };
    for version in [0, 3, 21] {
        let database = Database::new();
        database.execute("CREATE TABLE customers (name TEXT)");
        if !is_on_postgres() {
            database.execute(&format!("PRAGMA user_version = {version}"));
        }
        let file = || fs::read(database.location()).ok();
        let before = file();
        for command in
            [&mut on(&database, &["token", "add", "--role", "viewer"]), &mut serve(&database)]
        {
            let said = fails(command);
            assert!(said.contains("no database of intercom-billing"), "{version}: {said}");
        }
        assert_eq!(database.rows(tables), [[Some("customers".to_owned())]]);
        assert!(file() == before, "{version}");
    }
}

#[test]
fn a_database_that_is_not_there_is_made_for_a_first_token_and_by_no_other_command() {
    if skipped_on_postgres("which command makes it") {
        return;
    }
    let database = Database::new();
    let file = PathBuf::from(database.location());
    for arguments in [
        &["token", "list"][..],
        &["token", "revoke", "1"],
        &["webhooks", "list"],
        &["webhooks", "add", "--url", "http://127.0.0.1:9/"],
        &["webhooks", "remove", "1"],
        &["quiet-hours", "list"],
        &["quiet-hours", "remove", "6"],
        &["retention", "show"],
        &["retention", "set", "30"],
    ] {
        let said = fails(&mut on(&database, arguments));
        assert!(said.contains("billing.sqlite: there is no such file"), "{arguments:?}: {said}");
        assert!(!file.exists(), "{arguments:?}");
    }
    assert!(on(&database, &["token", "add", "--role", "viewer"]).status().expect("runs").success());
    assert_eq!(fs::metadata(&file).expect("the file").mode() & 0o777, 0o600);
}

#[test]
fn the_name_of_a_tokens_holder_is_one_line_of_text() {
    let database = Database::new();
    for name in ["a\tb", "a\nb", "\u{1b}[31m"] {
        let add = ["token", "add", "--role", "viewer", "--name", name];
        let Output { status, stderr, .. } = on(&database, &add).output().expect("it runs");
        let said = String::from_utf8(stderr).expect("text");
        assert_eq!(status.code(), Some(2), "{said}");
        assert!(said.contains("control characters"), "{said}");
    }
    assert!(is_on_postgres() || !Path::new(&database.location()).exists());
}
