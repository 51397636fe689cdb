//! The log of a webhook's deliveries.

use axum::http::StatusCode;
use serde_json::{Value, json};
use ureq::http::Method;

use crate::common::Running;
use crate::requests::cancel;
use crate::webhooks::{WEBHOOKS, add, next, receiver, receiver_that_answers};

#[test]
fn what_a_webhook_was_told_is_a_list_with_pages() {
    let billing = Running::start();
    let (url, told) = receiver(&billing);
    billing.old_intercom();
    add(&billing, &url);
    let request_id = billing.ask();
    assert_eq!(cancel(&billing, &request_id).status, 200);
    let ids = [next(&told), next(&told)];
    let ids = ids.map(|got| got.headers["webhook-id"].to_str().expect("text").to_owned());
    let log = |query: &str| {
        let page = billing.call(Method::GET, &format!("{WEBHOOKS}/1/deliveries{query}"), None);
        assert_eq!(page.status, 200, "{page:?}");
        page.body
    };
    billing.until("both are kept", |_| log("")["deliveries"][0]["delivered_at"].is_string());
    let first = log("?limit=1");
    let last = log(&format!("?limit=1&cursor={}", first["next"].as_str().expect("a cursor")));
    assert_eq!(last["next"], Value::Null);
    for (page, id, event) in [(first, &ids[1], "cancelled"), (last, &ids[0], "requested")] {
        let [delivery] = &page["deliveries"].as_array().expect("an array")[..] else {
            panic!("{page}")
        };
        let part = ["id", "event", "intercom_id", "attempts", "status", "trouble"]
            .map(|field| delivery[field].clone());
        assert_eq!(json!(part), json!([id, event, 1, 1, 204, null]));
        assert_eq!(delivery["next_attempt_at"], Value::Null);
    }
    for path in ["/2/deliveries", "/x/deliveries"] {
        assert_eq!(billing.call(Method::GET, &format!("{WEBHOOKS}{path}"), None).status, 404);
    }
    let wrong = format!("{WEBHOOKS}/1/deliveries?limit=201");
    assert_eq!(billing.call(Method::GET, &wrong, None).status, 422);
    assert_eq!(billing.call(Method::DELETE, &format!("{WEBHOOKS}?id=1"), None).status, 204);
    let removed = billing.call(Method::GET, &format!("{WEBHOOKS}/1/deliveries"), None);
    assert_eq!(removed.status, 404);
}

#[test]
fn a_delivery_that_was_refused_is_listed_with_the_status_and_the_next_attempt() {
    let billing = Running::start();
    let (url, told) = receiver_that_answers(&billing, StatusCode::GONE);
    billing.old_intercom();
    add(&billing, &url);
    let request_id = billing.ask();
    assert_eq!(cancel(&billing, &request_id).status, 200);
    next(&told);
    let log = |b: &Running| b.call(Method::GET, &format!("{WEBHOOKS}/1/deliveries"), None).body;
    billing.until("it is kept", |b| log(b)["deliveries"][1]["attempts"] == 1);
    let log = log(&billing);
    let refused = &log["deliveries"][1];
    assert_eq!((&refused["event"], &refused["status"]), (&json!("requested"), &json!(410)));
    assert_eq!(refused["trouble"], "the receiver answers 410 Gone");
    assert_eq!(refused["delivered_at"], Value::Null);
    assert!(refused["next_attempt_at"].is_string(), "{refused}");
    let behind = &log["deliveries"][0];
    assert_eq!((&behind["attempts"], &behind["next_attempt_at"]), (&json!(0), &Value::Null));
}
