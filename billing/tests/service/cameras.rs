//! `onvif_credentials`: kept encrypted, for the software of the cameras alone.

use intercom_billing::credentials::CredentialKey;
use intercom_billing::operations::Billing;
use intercom_billing::store::Store;
use intercom_billing::store::macs::Believed;
use serde_json::{Value, json};
use ureq::http::Method;

use crate::common::{Answer, NEW, OLD, Running, documented_example, location, report};
use crate::strangers::by;

const PASSWORD: &str = "hunter2-hunter2";

fn key(byte: u8) -> CredentialKey {
    CredentialKey::new(&[byte; 32]).expect("a key")
}

fn credentials(password: &str) -> Value {
    json!([{"login": "root", "password": password}])
}

/// A service with a key and tokens, and the tokens of an operator and of the cameras' software.
fn with_key() -> (Running, [Option<String>; 2]) {
    let mut billing = Running::start_with(|settings| {
        settings.credential_key = Some(key(1));
        settings.grace = std::time::Duration::ZERO;
    });
    let operator = billing.add_token(&["--role", "operator"]);
    let camera = billing.add_token(&["--role", "camera", "--name", "the recorder"]);
    billing.bearer = Some(operator.clone());
    billing.old_intercom();
    (billing, [Some(operator), Some(camera)])
}

fn give(billing: &Running, id: i64, list: Value) {
    let answer = billing.patch(json!({"id": id, "group_id": 6, "onvif_credentials": list}));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!answer.text.contains(PASSWORD) && !answer.text.contains("onvif"), "{answer:?}");
}

/// What the holder of a token is given.
fn read(billing: &mut Running, token: &Option<String>, query: &str) -> Answer {
    let before = std::mem::replace(&mut billing.bearer, token.clone());
    let path = format!("/api/v1/camera/credentials?{query}");
    let answer = billing.call(Method::GET, &path, None);
    billing.bearer = before;
    answer
}

#[test]
fn only_the_software_of_the_cameras_is_given_them() {
    let (mut billing, [operator, camera]) = with_key();
    give(&billing, 1, credentials(PASSWORD));
    let kept = read(&mut billing, &camera, "id=1");
    assert_eq!((kept.status, &kept.body["onvif_credentials"]), (200, &credentials(PASSWORD)));
    assert_eq!(read(&mut billing, &camera, &format!("mac={OLD}")).body, kept.body);
    assert_eq!(read(&mut billing, &operator, "id=1").status, 403);
    assert_eq!(read(&mut billing, &camera, "id=2").status, 404);
    assert_eq!(read(&mut billing, &camera, "").status, 422);
    billing.bearer = camera;
    assert_eq!(billing.show("id=1").status, 403, "and nothing else");
}

#[test]
fn nobody_is_given_them_where_there_are_no_tokens() {
    let mut billing = Running::start_with(|settings| settings.credential_key = Some(key(1)));
    billing.old_intercom();
    give(&billing, 1, credentials(PASSWORD));
    assert_eq!(read(&mut billing, &None, "id=1").status, 403);
}

#[test]
fn they_are_in_no_answer_and_in_no_file_in_the_clear() {
    let (mut billing, [_, camera]) = with_key();
    let mut body = documented_example();
    body["onvif_credentials"] = credentials(PASSWORD);
    let asked = billing.patch(body);
    let panel = billing.add_token(&["--role", "panel", "--board", "die-1"]);
    let listed = billing.requests();
    let page = billing.call(Method::GET, "/", None).text;
    let operator = billing.bearer.replace(panel);
    let polled = billing.pending(&format!("mac={OLD}"));
    billing.bearer = operator;
    let shown =
        format!("{}{listed:?}{page}{}{}", asked.text, polled.text, billing.show("id=1").text);
    assert!(polled.text.contains(NEW) && !shown.contains("hunter2"), "{shown}");
    assert_eq!(read(&mut billing, &camera, "id=1").status, 200);
    assert!(!billing.database.has(b"hunter2"));
}

#[test]
fn the_newest_list_counts_and_an_empty_one_or_the_end_of_the_intercom_forgets_them() {
    let (mut billing, [_, camera]) = with_key();
    for password in ["first", "second"] {
        give(&billing, 1, credentials(password));
    }
    billing.patch(json!({"id": 1, "group_id": 6, "flat_from": 2}));
    let kept = read(&mut billing, &camera, "id=1").body["onvif_credentials"].clone();
    assert_eq!(kept, credentials("second"), "a PATCH without them changes nothing");
    give(&billing, 1, json!([]));
    assert_eq!(read(&mut billing, &camera, "id=1").status, 404);
    give(&billing, 1, credentials("third"));
    billing.delete("id=1");
    assert_eq!(read(&mut billing, &camera, "id=1").status, 404);
    assert_eq!(billing.database.number("SELECT count(*) FROM credentials"), 0);
}

#[test]
fn a_list_that_is_too_long_is_refused_where_it_would_be_kept() {
    let (billing, _) = with_key();
    let long = credentials(&"x".repeat(64 * 1024));
    let answer = billing.patch(json!({"id": 1, "group_id": 6, "onvif_credentials": long}));
    assert_eq!(answer.status, 422, "{answer:?}");
    assert!(answer.body["errors"]["onvif_credentials"].is_array());
}

#[test]
fn they_go_with_the_panels_of_a_swap() {
    let (mut billing, [operator, camera]) = with_key();
    let [one, other] = ["die-1", "die-2"]
        .map(|board| Some(billing.add_token(&["--role", "panel", "--board", board])));
    billing.post(json!({"mac": NEW, "serial_number": "S-2", "model": "2"}));
    give(&billing, 1, credentials("of-1"));
    give(&billing, 2, credentials("of-2"));
    let poll = |billing: &mut Running, token: &Option<String>, mac: &str, serial: &str| {
        billing.bearer.clone_from(token);
        billing.pending(&format!("mac={mac}&serial_number={serial}"));
    };
    let panels = [(&one, OLD, "S-OLD"), (&other, NEW, "S-2")];
    for (token, mac, serial) in panels {
        poll(&mut billing, token, mac, serial);
    }
    billing.bearer = operator;
    let swap = json!({"id": 1, "with_id": 2});
    let asked = billing.call(Method::POST, "/api/v1/swaps", Some(swap)).body;
    let [first, second] =
        [0, 1].map(|at| asked["requests"][at]["request_id"].as_str().expect("an ID").to_owned());
    for (token, mac, serial) in panels {
        poll(&mut billing, token, mac, serial);
    }
    billing.bearer = one;
    billing.report(report(&second, "installed", OLD, "S-OLD"));
    billing.bearer = other;
    billing.report(by("die-2", report(&first, "installed", NEW, "S-2")));
    for (id, password) in [(1, "of-2"), (2, "of-1")] {
        let kept = read(&mut billing, &camera, &format!("id={id}")).body;
        assert_eq!(kept["onvif_credentials"], credentials(password));
    }
}

#[test]
fn without_a_key_they_are_not_kept_and_with_another_key_the_service_does_not_start() {
    let (mut billing, [_, camera]) = with_key();
    give(&billing, 1, credentials(PASSWORD));
    billing.restart_with(|settings| settings.credential_key = None);
    assert_eq!(read(&mut billing, &camera, "id=1").status, 404);
    give(&billing, 1, credentials("not kept"));
    billing.restart_with(|settings| settings.credential_key = Some(key(1)));
    let kept = read(&mut billing, &camera, "id=1").body["onvif_credentials"].clone();
    assert_eq!(kept, credentials(PASSWORD));
    billing.stop();
    let store = Store::open(location(&billing.database)).expect("a store");
    let started = async {
        let billing = Billing::start(store, 0, Believed::FirstSight, None).await?;
        billing.with_credential_key(key(2)).await
    };
    let why = billing.runtime.block_on(started).err().expect("another key").to_string();
    assert!(why.contains("were encrypted with another key"), "{why}");
}
