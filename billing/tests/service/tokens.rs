//! Tokens: made, listed, revoked, and how callers send them.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use ureq::http::Method;

use crate::common::Running;

#[test]
fn a_script_may_send_the_token_as_a_password() {
    let billing = Running::start();
    let pair = format!("me:{}", billing.add_token(&["--role", "viewer"]));
    let basic = format!("Basic {}", BASE64_STANDARD.encode(pair));
    for (value, status) in
        [(&*basic, 200), ("Basic e", 401), ("Basic bWU6", 401), ("Digest x", 401), ("", 401)]
    {
        let answer = billing.send(Method::GET, "/", &[("Authorization", value)], None);
        assert_eq!(answer.status, status, "{value}");
        if status == 401 {
            assert_eq!(answer.body, json!({"message": "Unauthenticated."}));
        }
    }
}

#[test]
fn once_a_token_was_made_one_is_needed_even_if_all_are_revoked() {
    let mut billing = Running::start();
    assert_eq!(billing.show("id=1").status, 404, "anybody may ask");
    let operator = billing.add_token(&["--role", "operator"]);
    assert_eq!(billing.show("id=1").status, 401, "while the service runs");
    billing.bearer = Some(operator);
    assert_eq!(billing.show("id=1").status, 404);
    assert!(billing.token(&["revoke", "1"]).status.success());
    assert_eq!(billing.show("id=1").status, 401);
    billing.restart();
    billing.bearer = None;
    assert_eq!(billing.show("id=1").status, 401);
}

#[test]
fn tokens_are_listed_without_their_secrets_and_kept_nowhere() {
    let billing = Running::start();
    let secret = billing.add_token(&["--role", "panel", "--board", "die-1", "--name", "the gate"]);
    billing.add_token(&["--role", "viewer"]);
    assert!(billing.token(&["revoke", "2"]).status.success());
    assert!(!billing.token(&["revoke", "2"]).status.success(), "it was before");
    assert!(!billing.token(&["revoke", "7"]).status.success(), "there is none");
    let listed = String::from_utf8(billing.token(&["list"]).stdout).expect("text");
    let lines: Vec<Vec<&str>> = listed.lines().map(|line| line.split('\t').collect()).collect();
    let [panel, viewer] = &lines[..] else { panic!("{listed}") };
    assert_eq!((&panel[..3], &panel[4..]), (&["1", "panel", "die-1"][..], &["-", "the gate"][..]));
    assert_eq!((&viewer[..3], viewer[5]), (&["2", "viewer", "-"][..], "-"));
    assert!(viewer[4].starts_with("revoked 20"), "{listed}");
    assert!(!billing.database.has(secret.as_bytes()));
}

#[test]
fn a_token_is_for_a_board_exactly_if_it_is_of_a_panel() {
    let billing = Running::start();
    for wrong in [
        &["--role", "panel"][..],
        &["--role", "panel", "--board", "a/b"],
        &["--role", "operator", "--board", "die-1"],
        &["--role", "viewer", "--board", "die-1"],
        &["--role", "king"],
        &[],
    ] {
        let added = billing.token(&[&["add"], wrong].concat());
        assert!(!added.status.success() && added.stdout.is_empty(), "{wrong:?}");
    }
    assert_eq!(billing.show("id=1").status, 404, "no token was made");
}
