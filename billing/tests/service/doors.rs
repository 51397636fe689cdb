//! The intercoms as an operator looks at them.

use serde_json::{Value, json};
use ureq::http::Method;

use crate::common::{Answer, NEW, OLD, Running, documented_example, report};

fn history(billing: &Running, id: i64) -> Answer {
    billing.call(Method::GET, &format!("/api/v1/intercoms/{id}/history"), None)
}

/// MAC address, who asked, why, and how it ended, of each hardware.
fn told(timeline: &Value) -> Vec<[Value; 4]> {
    let hardware = timeline["hardware"].as_array().expect("an array");
    let part = |one: &Value| ["mac", "asked_by", "cause", "ended"].map(|field| one[field].clone());
    hardware.iter().map(part).collect()
}

#[test]
fn the_history_of_a_door_tells_its_hardware_who_asked_for_it_and_how_it_ended() {
    let billing = Running::start();
    billing.old_intercom();
    let first = history(&billing, 1);
    assert_eq!(told(&first.body), [[json!(OLD), Value::Null, Value::Null, Value::Null]]);
    let rejected = billing.ask();
    billing.offered_to_the_replacement();
    billing.report(report(&rejected, "rejected", OLD, "S-OLD"));
    let request_id = billing.ask();
    billing.offered_to_the_replacement();
    billing.report(report(&request_id, "installed", NEW, "new_serial_number"));
    let timeline = history(&billing, 1).body;
    let replaced = format!("replaced by request {request_id}");
    assert_eq!(
        told(&timeline),
        [
            [json!(NEW), json!("anybody"), json!("asked"), Value::Null],
            [json!(OLD), Value::Null, Value::Null, json!(replaced)],
        ]
    );
    let [now, before] = [&timeline["hardware"][0], &timeline["hardware"][1]];
    assert_eq!((&now["request_id"], &now["board"]), (&json!(request_id), &json!("die-1")));
    assert_eq!(now["log_extra"], documented_example()["log_extra"]);
    assert_eq!((&now["from"], &now["to"]), (&before["to"], &Value::Null));
    let asked = timeline["requests"].as_array().expect("an array").iter();
    let asked: Vec<_> = asked.map(|request| (&request["request_id"], &request["state"])).collect();
    let [installed, rejected] = [json!(request_id), json!(rejected)];
    let expected = [(&installed, &json!("installed")), (&rejected, &json!("rejected"))];
    assert_eq!(asked, expected);
}

#[test]
fn a_change_by_hand_is_in_the_history() {
    let billing = Running::start();
    billing.old_intercom();
    billing.pending(&format!("mac={OLD}&board=die-1"));
    billing.report(report("by-hand", "installed", "02:00:00:00:00:07", "S7"));
    let timeline = history(&billing, 1).body;
    let by_hand = [json!("02:00:00:00:00:07"), Value::Null, Value::Null, Value::Null];
    let before = [json!(OLD), Value::Null, Value::Null, json!("changed by hand")];
    assert_eq!(told(&timeline), [by_hand, before]);
}

#[test]
fn a_deleted_intercom_has_a_history_and_one_that_never_was_has_none() {
    let billing = Running::start();
    billing.old_intercom();
    assert_eq!(billing.delete("id=1").status, 204);
    let timeline = history(&billing, 1).body;
    assert!(timeline["deleted_at"].is_string(), "{timeline:#}");
    assert_eq!(timeline["hardware"][0]["ended"], json!("the intercom was deleted"));
    assert_eq!(history(&billing, 2).status, 404);
    assert_eq!(billing.call(Method::GET, "/api/v1/intercoms/one/history", None).status, 404);
}
