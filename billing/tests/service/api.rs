//! The documented API, on the running service.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::common::{INTERCOMS, NEW, OLD, Running, documented_example, report};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use ureq::http::Method;

fn wrong_fields(answer: &crate::common::Answer) -> Vec<&str> {
    assert_eq!(answer.status, 422, "{answer:?}");
    answer.body["errors"].as_object().expect("errors").keys().map(String::as_str).collect()
}

#[test]
fn the_documented_patch_is_answered_at_once_with_exactly_the_documented_keys() {
    let billing = Running::start();
    let id = billing.old_intercom();
    let answer = billing.patch(documented_example());
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        json!({
            "id": id,
            "external_id": null,
            "department": "main",
            "title": "intercom name",
            "mac": NEW,
            "model": "3516EV200",
            "serial_number": "new_serial_number",
            "status": "pending",
            "flat_from": 1,
            "flat_to": 15,
            "source": "auto-replace",
            "group": {
                "id": 7,
                "name": "7",
                "external_id": "00000000-0000-0000-0000-000000000001",
                "has_items": false
            }
        })
    );
    assert_eq!(billing.show(&format!("id={id}")).body, answer.body);
}

#[test]
fn the_documented_curl_body_is_answered_with_every_error_at_once() {
    let billing = Running::start();
    let answer = billing.patch(json!({
        "id": 0, "mac": "string", "title": "string", "flat_from": "integer", "flat_to": "integer",
        "group_id": "integer", "group_external_id": "string", "new_mac": "string",
        "new_serial_number": "string", "model": "string", "log_extra": "string|array",
        "onvif_credentials": []
    }));
    assert_eq!(wrong_fields(&answer), ["flat_from", "flat_to", "group_id", "id", "mac", "new_mac"]);
    assert!(answer.text.starts_with(r#"{"message":"#), "{}", answer.text);
}

/// What `file_get_contents` with the page's stream context sends.
#[test]
fn a_call_from_the_documented_php_snippet_is_served() {
    let billing = Running::start();
    let id = billing.old_intercom();
    let body = format!(
        r#"{{"id":{id},"title":"\u0414\u043e\u043c 1\/2","flat_from":1,"flat_to":2,"group_id":6,"onvif_credentials":[]}}"#
    );
    let mut stream = TcpStream::connect(billing.http()).expect("a connection");
    write!(
        stream,
        "PATCH {INTERCOMS} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Length: {}\r\nContent-Type: application/json\r\nAccept: application/json\r\n\r\n{body}",
        body.len()
    )
    .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert_eq!(billing.show(&format!("id={id}")).body["title"], "Дом 1/2");
}

#[test]
fn other_billing_data_changes_at_once_and_asks_no_panel() {
    let billing = Running::start();
    let id = billing.old_intercom();
    let body = json!({"id": id, "group_id": 9, "title": "T", "flat_to": 8, "department": 44});
    let shown = billing.patch(body).body;
    assert_eq!((&shown["source"], &shown["status"]), (&json!("auto"), &json!("installed")));
    assert_eq!((&shown["title"], &shown["flat_to"]), (&json!("T"), &json!(8)));
    assert_eq!((&shown["department"], &shown["group"]["id"]), (&json!("44"), &json!(9)));
    assert_eq!(billing.requests(), [] as [Value; 0]);
    let crossed = billing.patch(json!({"id": id, "group_id": 9, "flat_from": 9}));
    assert_eq!(wrong_fields(&crossed), ["flat_from"], "against the flat_to of before");
}

#[test]
fn an_unknown_intercom_is_not_found() {
    let billing = Running::start();
    for answer in [
        billing.patch(documented_example()),
        billing.patch(json!({"id": 99, "group_id": 1})),
        billing.show("id=99"),
        billing.show("external_id=x"),
        billing.delete("mac=AA-BB-CC-DD-EE-FF"),
        billing.call(Method::GET, "/nowhere", None),
    ] {
        assert_eq!((answer.status, &answer.body), (404, &json!({"message": "Not found"})));
    }
    assert_eq!(billing.call(Method::PUT, INTERCOMS, None).status, 405);
}

#[test]
fn an_intercom_is_created_shown_and_deleted() {
    let billing = Running::start();
    let made = billing.post(json!({
        "serial_number": "S1", "mac": "aabb.ccdd.eeff", "vendor": "V", "model": "M", "name": "N",
        "department": 1, "group_external_id": "g", "external_id": "EXT_1"
    }));
    assert_eq!(made.status, 201);
    assert_eq!((&made.body["status"], &made.body["source"]), (&json!("empty"), &json!("auto")));
    for query in ["id=1", "mac=aabbccddeeff", "external_id=EXT_1"] {
        assert_eq!(billing.show(query).body, made.body, "{query}");
    }
    assert_eq!(wrong_fields(&billing.show("id=1&mac=aabbccddeeff")), ["id"]);
    assert_eq!(wrong_fields(&billing.show("id=one")), ["id"]);
    assert_eq!(wrong_fields(&billing.post(json!({"serial_number": 7}))), ["mac", "serial_number"]);
    let again = json!({"serial_number": "S1", "mac": OLD, "external_id": "EXT_1"});
    let taken = billing.post(again.clone());
    assert_eq!(wrong_fields(&taken), ["external_id", "mac", "serial_number"]);
    assert_eq!(taken.body["errors"]["mac"], json!(["The mac has already been taken."]));
    assert_eq!(billing.delete("id=1").status, 204);
    assert_eq!(billing.delete("id=1").status, 404, "it is gone");
    assert_eq!(billing.post(again).status, 201, "and its identity is free");
    let by_body = billing.call(Method::DELETE, INTERCOMS, Some(json!({"mac": OLD})));
    assert_eq!(by_body.status, 204);
    assert_eq!(wrong_fields(&billing.call(Method::DELETE, INTERCOMS, None)), ["id"]);
}

#[test]
fn an_identity_that_another_intercom_has_or_is_promised_is_taken() {
    let billing = Running::start();
    billing.old_intercom();
    let other = billing.post(json!({"mac": "02:00:00:00:00:02", "serial_number": "S2"}));
    let other = other.body["id"].clone();
    billing.patch(json!({"id": other, "group_id": 1}));
    billing.ask();
    for (mac, serial_number) in [(OLD, "S-OLD"), (NEW, "new_serial_number")] {
        let answer = billing.patch(json!({
            "id": other, "group_id": 1, "model": "M",
            "new_mac": mac, "new_serial_number": serial_number
        }));
        assert_eq!(wrong_fields(&answer), ["new_mac", "new_serial_number"]);
        assert_eq!(
            answer.body["errors"]["new_mac"],
            json!(["The new mac has already been taken."])
        );
        assert_eq!(billing.post(json!({"mac": mac, "serial_number": "S3"})).status, 422);
    }
    assert_eq!(billing.requests().len(), 1);
}

#[test]
fn a_refused_patch_leaves_nothing_behind() {
    let billing = Running::start();
    billing.old_intercom();
    let before = billing.show("id=1").body;
    let mut body = documented_example();
    body["log_extra"] = json!("x".repeat(65_000));
    let answer = billing.patch(body);
    assert_eq!(wrong_fields(&answer), ["log_extra"], "no panel could read that");
    assert_eq!(billing.show("id=1").body, before);
    assert_eq!(billing.requests(), [] as [Value; 0]);
}

#[test]
fn bad_bodies_are_refused_with_their_errors_and_the_service_goes_on() {
    let billing = Running::start();
    let deep = [b"{\"log_extra\":".to_vec(), vec![b'['; 100_000]].concat();
    let mut huge = documented_example();
    huge["title"] = json!("x".repeat(10_000_000));
    let huge = serde_json::to_vec(&huge).expect("JSON");
    for (path, method) in [
        (INTERCOMS, Method::PATCH),
        (INTERCOMS, Method::POST),
        ("/api/v1/agent/status", Method::POST),
    ] {
        for body in [&b"not JSON"[..], b"", b"[]", b"7", b"{\"mac\":", b"\xff\xfe", &deep] {
            let answer = billing.send(method.clone(), path, &[], Some(body.to_vec()));
            assert_eq!(wrong_fields(&answer), ["body"]);
        }
        let answer = billing.send(method, path, &[], Some(huge.clone()));
        assert_eq!((answer.status, answer.body["errors"]["body"].is_array()), (413, true));
    }
    let mut typed = documented_example();
    for (field, value) in [
        ("mac", json!("FF:FF:FF:FF:FF:FF")),
        ("new_mac", json!(["22:0D:CE:38:E7:15"])),
        ("flat_from", json!(1.5)),
        ("log_extra", json!(true)),
        ("onvif_credentials", json!("root:secret")),
    ] {
        typed[field] = value;
    }
    assert_eq!(
        wrong_fields(&billing.patch(typed)),
        ["flat_from", "log_extra", "mac", "new_mac", "onvif_credentials"]
    );
    billing.old_intercom();
}

#[test]
fn camera_credentials_are_kept_nowhere() {
    let billing = Running::start();
    billing.old_intercom();
    let mut body = documented_example();
    body["onvif_credentials"] = json!([{"login": "root", "password": "hunter2-hunter2"}]);
    let answer = billing.patch(body);
    assert_eq!(answer.status, 200);
    assert!(!answer.text.contains("hunter2"));
    assert!(!billing.pending(&format!("mac={NEW}")).text.contains("hunter2"));
    assert!(!billing.database.has(b"hunter2"));
}

#[test]
fn the_page_shows_replacements_and_trusts_no_text() {
    let billing = Running::start();
    billing.old_intercom();
    let mut body = documented_example();
    body["name"] = json!("<script>alert('x')</script>");
    billing.patch(body);
    let page = billing.call(Method::GET, "/", None).text;
    for shown in [OLD, NEW, "new_serial_number", "pending", "&lt;script&gt;"] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    assert!(!page.contains("<script>"), "{page}");
}

#[test]
fn the_description_is_served_and_tells_a_right_body_from_a_wrong_one() {
    let billing = Running::start();
    let served = billing.call(Method::GET, "/openapi.json", None).body;
    assert_eq!(served["openapi"], "3.1.0");
    let patch = crate::common::described::Described::new().schema("/components/schemas/Patch");
    assert!(patch.is_valid(&documented_example()));
    for wrong in [
        json!({"id": 1, "mac": OLD, "group_id": 1}),
        json!({"id": 1}),
        json!({"id": 1, "group_id": 1, "new_mac": NEW}),
    ] {
        assert!(!patch.is_valid(&wrong), "{wrong}");
        assert_eq!(billing.patch(wrong).status, 422);
    }
}

#[test]
fn a_nul_in_a_text_is_kept_as_the_replacement_character() {
    let billing = Running::start();
    let made = billing.post(json!({
        "mac": OLD, "serial_number": "S-OLD", "model": "M\0", "title": "North\0gate", "vendor": "V\0",
        "external_id": "E\0", "department": 1, "group_external_id": "G\0"
    }));
    assert_eq!(made.status, 201, "{made:?}");
    let shown = billing.show("external_id=E%00").body;
    let kept = ["model", "title", "external_id"].map(|field| &shown[field]);
    assert_eq!(kept, [&json!("M\u{FFFD}"), &json!("North\u{FFFD}gate"), &json!("E\u{FFFD}")]);
    assert_eq!(billing.show("external_id=E%EF%BF%BD").body, shown);
    let found = billing.call(Method::GET, "/api/v1/intercoms?title=north%00", None);
    assert_eq!(found.body["intercoms"][0]["id"], 1, "{found:?}");
    let asked = billing.patch(json!({
        "id": 1, "group_external_id": "G\0", "new_mac": NEW, "model": "M", "name": "\0",
        "log_extra": {"some\0": "\0"}
    }));
    assert_eq!((asked.status, &asked.body["title"]), (200, &json!("\u{FFFD}")), "{asked:?}");
    assert_eq!(asked.body["group"]["external_id"], "G\u{FFFD}");
    let request = &billing.pending(&format!("mac={NEW}&board=die-1")).body[0];
    assert_eq!(request["log_extra"], json!({"some\0": "\0"}), "as it was given");
    let request_id = billing.newest_request_id();
    let mut failed = report(&request_id, "failed", NEW, "S");
    failed["reason"] = json!("no\0reason");
    assert_eq!(billing.report(failed).status, 204);
    let ended = &billing.requests()[0];
    assert_eq!((&ended["state"], &ended["reason"]), (&json!("failed"), &json!("no\u{FFFD}reason")));
    for query in ["id=%00", "mac=%00", "external_id=%00"] {
        assert!([404, 422].contains(&billing.show(query).status), "{query}");
    }
}

#[test]
fn the_longest_texts_and_the_largest_numbers_are_kept() {
    let billing = Running::start();
    let (long, most) = ("\u{1F514}".repeat(255), i64::MAX);
    let made = billing.post(json!({
        "mac": OLD, "serial_number": "S".repeat(64), "model": long, "title": long, "vendor": long,
        "external_id": long, "department": most, "group_external_id": long
    }));
    assert_eq!(made.status, 201, "{made:?}");
    let path = utf8_percent_encode(&long, NON_ALPHANUMERIC);
    assert_eq!(billing.show(&format!("external_id={path}")).body["id"], 1);
    let asked = billing.patch(json!({
        "mac": OLD, "group_id": most, "flat_from": -most, "flat_to": most, "new_mac": NEW,
        "new_serial_number": "N".repeat(64), "model": long, "name": "w".repeat(255),
        "log_extra": {"long": "x".repeat(10_000)}
    }));
    assert_eq!((asked.status, &asked.body["flat_to"]), (200, &json!(most)), "{asked:?}");
    assert_eq!(asked.body["group"]["id"], most);
    for path in ["title=www", "limit=1&cursor=9223372036854775807", "title=%F0%9F%94%94"] {
        let found = billing.call(Method::GET, &format!("/api/v1/intercoms?{path}"), None);
        assert_eq!(found.status, 200, "{path}: {found:?}");
    }
    for query in ["id=9223372036854775807", "id=-9223372036854775808"] {
        assert!([404, 422].contains(&billing.show(query).status), "{query}");
    }
    let (board, reason) = ("n".repeat(64), "\u{1F514}".repeat(5_000));
    billing.pending(&format!("mac={NEW}&board={board}"));
    let mut failed = report(&billing.newest_request_id(), "failed", NEW, "S");
    (failed["board"], failed["reason"]) = (json!(board), json!(reason));
    assert_eq!(billing.report(failed).status, 204);
    assert_eq!(billing.requests()[0]["state"], "failed");
}
