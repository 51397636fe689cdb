//! A connection to PostgreSQL over a network is by TLS, and the server's certificate is checked.

use std::path::Path;
use std::process::Output;

use intercom_test_support::Postgres;
use intercom_test_support::certificates::Authority;
use tempfile::TempDir;

use crate::common::program::command;

/// A command that opens the database: whether it works, and what it says.
fn opens(url: &str, ca: Option<&Path>) -> (bool, String) {
    let ca = ca.into_iter().flat_map(|file| ["--database-ca".as_ref(), file.as_os_str()]);
    let mut command = command();
    command.args(["token", "list", "--database", url]).args(ca);
    let Output { status, stderr, .. } = command.output().expect("it runs");
    (status.success(), String::from_utf8_lossy(&stderr).into_owned())
}

#[test]
fn a_server_with_a_certificate_of_the_named_authority_is_used_and_no_other_is() {
    let (ours, dir) = (Authority::new("ours"), TempDir::new().expect("a directory"));
    let [ca, another] = ["ca.pem", "another.pem"].map(|name| dir.path().join(name));
    ours.save(&ca);
    Authority::new("another").save(&another);
    let mut server = Postgres::start();
    server.over_tls_alone(&ours);
    let plain = server.url("postgres");
    let url = server.tls_url("postgres");
    let (worked, said) = opens(&url, Some(&ca));
    assert!(worked, "{said}");
    for (url, ca, why) in [
        (url.as_str(), Some(another.as_path()), "UnknownIssuer"),
        (&url, None, "UnknownIssuer"),
        (&url.replace("localhost", "127.0.0.1"), Some(&ca), "not valid for name"),
        (&url.replace(":over-tls", ":wrong"), Some(&ca), "password authentication failed"),
        (&plain, None, "no encryption"),
    ] {
        let (worked, said) = opens(url, ca);
        assert!(!worked && said.contains(why), "{url}: {said}");
        assert!(!said.contains("over-tls"), "the password is told: {said}");
    }
}

#[test]
fn a_server_that_knows_no_tls_is_refused_unless_the_url_says_so() {
    let server = Postgres::start();
    let plain = server.url("postgres");
    assert_eq!(opens(&plain, None), (true, String::new()));
    let (worked, said) = opens(&plain.replace("?sslmode=disable", "?sslmode=prefer"), None);
    assert!(!worked && said.contains("does not support TLS"), "{said}");
}
