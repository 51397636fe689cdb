//! A database that moves from a file into PostgreSQL.

use intercom_test_support::Postgres;
use tempfile::TempDir;

use crate::common::program::command;

/// `intercom-billing` with these arguments does its work.
fn succeeds(arguments: &[&str]) {
    let ran = command().args(arguments).output().expect("it runs");
    assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn a_nul_that_an_older_version_has_kept_is_copied_as_the_replacement_character() {
    let (dir, server) = (TempDir::new().expect("a directory"), Postgres::start());
    let file = dir.path().join("billing.sqlite");
    let from = file.to_str().expect("text");
    succeeds(&["token", "add", "--role", "viewer", "--database", from]);
    let connection = rusqlite::Connection::open(&file).expect("the file");
    let report = "INSERT INTO reports (status, reason, effect, arrived_ms) VALUES ('x', ?1, '', 1)";
    connection.execute(report, ["no\0reason"]).expect("a row");
    drop(connection);
    succeeds(&["copy", "--from", from, "--to", &server.url("postgres")]);
    assert_eq!(server.psql("postgres", "SELECT reason FROM reports"), "no\u{FFFD}reason");
}
