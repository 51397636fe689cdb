//! A database moves from a file into PostgreSQL.

use std::path::Path;
use std::process::Stdio;

use intercom_test_support::{Broker, Directory, Postgres};

use super::process::{Billing, billing, said};

const INTERCOMS: &str = "/api/v1/billing/intercoms";

/// A file with three intercoms, one of which waits for a replacement.
fn file(dir: &Directory, broker: &Broker) -> String {
    let file = dir.path().join("billing.sqlite").display().to_string();
    let service = Billing::start(&file, &broker.url());
    for last in 1..=3 {
        let made =
            format!(r#"{{"mac": "AA:00:00:00:00:0{last}", "model": "m", "title": "Gate {last}"}}"#);
        assert_eq!(service.call("POST", INTERCOMS, &made).0, 201);
    }
    let patch = r#"{"mac": "AA:00:00:00:00:02", "new_mac": "AA:00:00:00:00:12", "model": "m", "group_id": 7}"#;
    assert_eq!(service.call("PATCH", INTERCOMS, patch).0, 200);
    assert!(service.process.terminate().success());
    file
}

fn copy(file: &str, to: &str) -> (bool, String) {
    let copied = billing(&["copy", "--from", file, "--to", to]).output().expect("it runs");
    (copied.status.success(), said(&copied))
}

/// A copy that ends at its first line, which nobody reads.
fn cut_off(file: &str, to: &str) {
    let mut cut = billing(&["copy", "--from", file, "--to", to]);
    let mut cut = cut.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
    drop(cut.stdout.take());
    assert!(!cut.wait().expect("it ends").success());
}

#[test]
fn everything_is_copied_and_what_is_new_has_numbers_of_its_own() {
    let (dir, broker, server) = (Directory::new(), Broker::start(), Postgres::start());
    let (file, to) = (file(&dir, &broker), server.url("postgres"));
    let (is_good, text) = copy(&file, &to);
    assert!(is_good, "{text}");
    let line =
        text.lines().find(|line| line.starts_with("intercoms ")).expect("a line for each table");
    assert!(line.contains(" 3 rows  sha256 "), "{line}");

    let service = Billing::start(&to, &broker.url());
    let (_, found) = service.call("GET", "/api/v1/intercoms?title=gate", "");
    assert_eq!(found["intercoms"].as_array().map(Vec::len), Some(3), "{found}");
    let (_, shown) = service.call("GET", &format!("{INTERCOMS}/show?mac=AA:00:00:00:00:12"), "");
    assert_eq!((shown["id"].as_i64(), shown["status"].as_str()), (Some(2), Some("pending")));
    let made = r#"{"mac": "AA:00:00:00:00:04", "model": "m"}"#;
    let (_, new) = service.call("POST", INTERCOMS, made);
    assert_eq!(new["id"], 4);
    let (is_good, text) = copy(&file, &to);
    assert!(!is_good && text.contains("a service uses the PostgreSQL database"), "{text}");
    assert!(service.process.terminate().success());
    // Something else is in it now.
    let (is_good, text) = copy(&file, &to);
    assert!(
        !is_good && text.contains("there is something in the PostgreSQL database already"),
        "{text}"
    );
}

#[test]
fn a_copy_that_was_cut_off_is_gone_on_with_and_nothing_is_served_before() {
    let (dir, broker, server) = (Directory::new(), Broker::start(), Postgres::start());
    let (file, to) = (file(&dir, &broker), server.url("postgres"));
    cut_off(&file, &to);
    let refused = billing(&["token", "list", "--database", &to]).output().expect("it runs");
    assert!(said(&refused).contains("a copy into it was cut off"), "{}", said(&refused));
    let (is_good, text) = copy(&file, &to);
    assert!(is_good, "{text}");
    drop(Billing::start(&to, &broker.url()));
}

#[test]
fn what_was_changed_on_the_way_is_seen() {
    let (dir, broker, server) = (Directory::new(), Broker::start(), Postgres::start());
    let (file, to) = (file(&dir, &broker), server.url("postgres"));
    cut_off(&file, &to);
    server.psql("postgres", "UPDATE groups SET name = 'another'");
    let (is_good, text) = copy(&file, &to);
    assert!(!is_good && text.contains("the table groups is not the same"), "{text}");
}

#[test]
fn a_file_that_a_service_uses_is_not_copied() {
    let (dir, broker, server) = (Directory::new(), Broker::start(), Postgres::start());
    let file = file(&dir, &broker);
    let _running = Billing::start(&file, &broker.url());
    let (is_good, text) = copy(&file, &server.url("postgres"));
    assert!(!is_good && text.contains("another intercom-billing serves it"), "{text}");
    assert!(Path::new(&file).exists());
}
