//! Webhooks: who is told what happens, by the API and by the command.

use std::process::{Command, Output};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use ureq::http::Method;

use crate::common::board::Board;
use crate::common::browser::Browser;
use crate::common::{LIMIT, NEW, OLD, Running, report};
use crate::strangers::{by, installed_on_the_door};

pub(crate) const WEBHOOKS: &str = "/api/v1/webhooks";
const SECRET_BYTES: &[u8] = b"0123456789abcdefghijklmn";

fn secret() -> String {
    format!("whsec_{}", BASE64_STANDARD.encode(SECRET_BYTES))
}

/// What a receiver was sent.
pub(crate) struct Got {
    pub(crate) headers: HeaderMap,
    text: String,
    body: Value,
}

/// A receiver that takes everything, and its URL.
pub(crate) fn receiver(billing: &Running) -> (String, Receiver<Got>) {
    receiver_that_answers(billing, StatusCode::NO_CONTENT)
}

pub(crate) fn receiver_that_answers(
    billing: &Running,
    status: StatusCode,
) -> (String, Receiver<Got>) {
    let (tell, told) = channel();
    let take = move |headers: HeaderMap, text: String| async move {
        let body = serde_json::from_str(&text).expect("JSON");
        // A test that has ended hears no more.
        let _ = tell.send(Got { headers, text, body });
        status
    };
    let router = Router::new().route("/events", post(take));
    let listening = billing.runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let url = format!("http://{}/events?key=of-the-receiver", listening.local_addr().expect("one"));
    billing.runtime.spawn(async { axum::serve(listening, router).await });
    (url, told)
}

pub(crate) fn add(billing: &Running, url: &str) -> Value {
    let body = json!({"url": url, "secret": secret()});
    let added = billing.call(Method::POST, WEBHOOKS, Some(body));
    assert_eq!(added.status, 201, "{added:?}");
    added.body
}

pub(crate) fn next(told: &Receiver<Got>) -> Got {
    told.recv_timeout(LIMIT).expect("an event")
}

/// Whether the receiver that has this secret finds it signed.
pub(crate) fn is_signed_with(got: &Got, secret: &str) -> bool {
    let header = |name: &str| got.headers[name].to_str().expect("text");
    let signed = format!("{}.{}.{}", header("webhook-id"), header("webhook-timestamp"), got.text);
    let signature = header("webhook-signature").strip_prefix("v1,").expect("version 1");
    let signature = BASE64_STANDARD.decode(signature).expect("base64");
    let secret = secret.strip_prefix("whsec_").expect("a secret");
    let secret = BASE64_STANDARD.decode(secret).expect("base64");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    hmac::verify(&key, signed.as_bytes(), &signature).is_ok()
}

/// The next event of this type; others are passed over.
fn next_of(told: &Receiver<Got>, kind: &str) -> Value {
    loop {
        let got = next(told);
        if got.body["type"] == kind {
            return got.body["data"].clone();
        }
    }
}

/// `intercom-billing webhooks …` on the database of the running service.
fn command(billing: &Running, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_intercom-billing"))
        .arg("webhooks")
        .args(arguments)
        .arg("--database")
        .arg(billing.database.location())
        .output()
        .expect("it runs")
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("text")
}

#[test]
fn a_request_and_its_end_are_told_signed_and_in_order() {
    let billing = Running::start_with(|settings| settings.grace = Duration::ZERO);
    let (url, told) = receiver(&billing);
    billing.old_intercom();
    add(&billing, &url);
    let request_id = billing.ask();
    billing.pending(&format!("mac={OLD}&board=die-1"));
    billing.report(report(&request_id, "installed", NEW, "new_serial_number"));
    let (requested, installed) = (next(&told), next(&told));
    assert_eq!(
        (&requested.body["type"], &installed.body["type"]),
        (&json!("requested"), &json!("installed"))
    );
    let data = json!({
        "intercom_id": 1, "request_id": request_id, "state": "installed", "reason": null,
        "board": "die-1", "from_mac": OLD, "to_mac": NEW, "to_serial_number": "new_serial_number"
    });
    assert_eq!(installed.body["data"], data);
    assert!([requested, installed].iter().all(|got| is_signed_with(got, &secret())));
    let listed = |b: &Running| b.call(Method::GET, WEBHOOKS, None).body[0].clone();
    billing.until("both are counted", |b| listed(b)["delivered"] == 2);
    assert_eq!(listed(&billing)["waiting"], 0);
}

#[test]
fn no_answer_shows_a_secret() {
    let billing = Running::start();
    let (url, _told) = receiver(&billing);
    let added = add(&billing, &url);
    assert_eq!(added["url"], url.split('?').next().expect("a URL"), "without its query");
    let listed = billing.call(Method::GET, WEBHOOKS, None);
    let shown = format!("{added}{}{}", listed.text, text(&command(&billing, &["list"])));
    let secret = secret();
    for part in [&secret, secret.trim_start_matches("whsec_"), "of-the-receiver"] {
        assert!(!shown.contains(part), "{shown}");
    }
}

#[test]
fn a_webhook_that_is_none_is_refused() {
    let billing = Running::start();
    let url = "https://crm.example/events";
    for (body, field) in [
        (json!({"secret": secret()}), "url"),
        (json!({"url": url}), "secret"),
        (json!({"url": "crm.example", "secret": secret()}), "url"),
        (json!({"url": "https://user:word@crm.example/", "secret": secret()}), "url"),
        (json!({"url": url, "secret": "whsec_c2hvcnQ="}), "secret"),
        (
            json!({"url": url, "secret": secret(), "offline_after_seconds": 5}),
            "offline_after_seconds",
        ),
    ] {
        let answer = billing.call(Method::POST, WEBHOOKS, Some(body));
        let errors = answer.body["errors"].as_object().expect("errors");
        assert_eq!((answer.status, errors.keys().next().map(String::as_str)), (422, Some(field)));
    }
    let long = format!("https://crm.example/?{}", "a".repeat(1000));
    add(&billing, &long);
    for _ in 1..20 {
        add(&billing, url);
    }
    let body = json!({"url": url, "secret": secret()});
    assert_eq!(billing.call(Method::POST, WEBHOOKS, Some(body)).status, 422, "at most 20");
    assert_eq!(billing.call(Method::DELETE, &format!("{WEBHOOKS}?id=20"), None).status, 204);
    assert_eq!(billing.call(Method::DELETE, &format!("{WEBHOOKS}?id=20"), None).status, 404);
    assert_eq!(billing.call(Method::DELETE, WEBHOOKS, None).status, 422);
}

#[test]
fn the_command_adds_lists_and_removes_and_prints_a_new_secret_once() {
    let billing = Running::start();
    let (url, told) = receiver(&billing);
    let printed = text(&command(&billing, &["add", "--url", &url]));
    assert!(printed.starts_with("whsec_"), "{printed}");
    billing.old_intercom();
    billing.ask();
    assert_eq!(next(&told).body["type"], "requested");
    let file = billing.dir.path().join("secret");
    std::fs::write(&file, secret()).expect("a file");
    let file = file.to_str().expect("a path");
    assert_eq!(text(&command(&billing, &["add", "--url", &url, "--secret-file", file])), "2\n");
    assert_eq!(text(&command(&billing, &["list"])).lines().count(), 2);
    text(&command(&billing, &["remove", "1"]));
    assert!(!command(&billing, &["remove", "1"]).status.success());
    assert_eq!(text(&command(&billing, &["list"])).lines().count(), 1);
}

#[test]
fn a_replaced_panel_that_comes_back_is_told_with_the_cable_to_pull() {
    let billing = Running::start_with(|settings| settings.grace = Duration::ZERO);
    let (url, told) = receiver(&billing);
    billing.old_intercom();
    let mut old = Board::connect(&billing, "die-old", OLD);
    billing.until("it is the door's", |b| crate::strangers::board_of_door(b).is_some());
    old.goes();
    let mut spare =
        Board::connect(&billing, "die-new", NEW).with_serial_number("new_serial_number");
    add(&billing, &url);
    let request_id = billing.ask();
    spare.request(&request_id);
    spare.reports(&by("die-new", report(&request_id, "installed", NEW, "new_serial_number")));
    spare.is_over(&request_id);
    old.is_there();
    let conflict = next_of(&told, "conflict");
    assert_eq!((&conflict["intercom_id"], &conflict["board"]), (&json!(1), &json!("die-old")));
    let said = conflict["text"].as_str().expect("a text");
    assert!(said.contains("whose panel is board die-new"), "{said}");
    assert!(said.ends_with("Pull the cable of board die-old."), "{said}");
    let page = billing.call(Method::GET, "/", None).text;
    assert!(page.contains("Pull the cable of board die-old."), "{page}");
    old.goes();
    let questions = |b: &Running| b.call(Method::GET, "/api/v1/agent/decisions", None).body;
    billing.until("it is pulled", |b| questions(b) == json!([]));
}

#[test]
fn a_replaced_panel_that_never_left_is_told_with_the_cable_to_pull() {
    let billing = Running::start_with(|settings| settings.grace = Duration::ZERO);
    let (url, told) = receiver(&billing);
    billing.old_intercom();
    let mut old = Board::connect(&billing, "die-old", OLD);
    billing.until("it is the door's", |b| crate::strangers::board_of_door(b).is_some());
    let mut spare =
        Board::connect(&billing, "die-new", NEW).with_serial_number("new_serial_number");
    add(&billing, &url);
    let request_id = billing.ask();
    spare.request(&request_id);
    spare.reports(&by("die-new", report(&request_id, "installed", NEW, "new_serial_number")));
    spare.is_over(&request_id);
    let conflict = next_of(&told, "conflict");
    assert_eq!((&conflict["intercom_id"], &conflict["board"]), (&json!(1), &json!("die-old")));
    let page = |b: &Running| Browser::of(b).get("/door?id=1").text;
    assert!(page(&billing).contains("Pull the cable of board die-old."), "{}", page(&billing));
    old.goes();
    billing.until("it is pulled", |b| !page(b).contains("Pull the cable"));
}

#[test]
fn two_panels_with_one_mac_address_are_told_with_the_cable_to_pull() {
    let billing = installed_on_the_door();
    let (url, told) = receiver(&billing);
    add(&billing, &url);
    billing.pending(&format!("mac={NEW}&board=die-other"));
    let said = next_of(&told, "conflict")["text"].as_str().expect("a text").to_owned();
    assert!(said.contains("Two panels with one MAC address"), "{said}");
    assert!(said.ends_with("Pull the cable of board die-other."), "{said}");
}

#[test]
fn a_change_by_hand_that_waits_for_an_operator_is_told() {
    let billing = Running::start();
    let (url, told) = receiver(&billing);
    billing.old_intercom();
    add(&billing, &url);
    billing.report(by("die-9", report("by-hand", "installed", OLD, "S-OLD")));
    assert_eq!(next_of(&told, "question")["board"], "die-9");
}
