//! Panels on the built-in broker.

use std::time::Duration;

use crate::common::panel::Panel;
use crate::common::{NEW, OLD, Running, report};
use serde_json::{Value, json};

const THIRD: &str = "02:00:00:00:00:03";

fn panel(billing: &Running, client_id: &str) -> Panel {
    Panel::connect(billing.runtime.handle(), billing.mqtt_port(), client_id)
}

fn no_grace() -> Running {
    Running::start_with(|settings| settings.grace = Duration::ZERO)
}

fn topic(mac: &str, request_id: &str) -> String {
    format!("intercoms/{mac}/patch/{request_id}")
}

#[test]
fn a_request_is_retained_for_the_replacement_and_cleared_when_its_report_has_arrived() {
    let billing = Running::start();
    billing.old_intercom();
    let request_id = billing.ask();
    let topic = topic(NEW, &request_id);
    billing.until("published", |b| b.requests()[0]["offered_on"] == json!([topic]));
    let mut spare = panel(&billing, "spare");
    spare.subscribe(&format!("intercoms/{NEW}/patch/#"));
    let request = spare.receive(&topic);
    assert!(request.retain, "published before it connected");
    let request: Value = serde_json::from_slice(&request.payload).expect("JSON");
    assert_eq!(json!([request]), billing.pending(&format!("mac={NEW}")).body, "as on HTTP");
    let report = report(&request_id, "installed", NEW, "new_serial_number");
    spare.publish(&format!("intercoms/{NEW}/status"), false, report.to_string());
    assert!(spare.receive(&topic).payload.is_empty());
    assert_eq!(billing.show("id=1").body["status"], "installed");
    billing.until("struck out", |b| written_down(b) == 0);
}

/// How many topics the database holds to be on the broker.
fn written_down(billing: &Running) -> i64 {
    let database = billing.dir.path().join("billing.sqlite");
    let database = rusqlite::Connection::open(database).expect("the database");
    database.query_row("SELECT count(*) FROM offers", [], |row| row.get(0)).expect("a count")
}

#[test]
fn a_replacement_that_was_there_has_time_to_come_back_after_a_restart() {
    let mut billing = no_grace();
    billing.old_intercom();
    let request_id = billing.ask();
    let by_board = format!("intercoms/by-board/die-2/patch/{request_id}");
    let online = json!({"state": "online", "board": "die-2"}).to_string();
    panel(&billing, "spare").publish(&format!("intercoms/{NEW}/presence"), true, online);
    billing.until("alone with it", |b| {
        b.requests()[0]["offered_on"] == json!([topic(NEW, &request_id), by_board])
    });
    billing.restart();
    assert_eq!(billing.pending(&format!("mac={OLD}")).body, json!([]));
}

#[test]
fn without_a_replacement_the_old_panel_is_asked_when_the_grace_time_is_over() {
    let billing = Running::start_with(|settings| settings.grace = Duration::from_millis(300));
    billing.old_intercom();
    let mut panels = panel(&billing, "both");
    panels.subscribe(&format!("intercoms/{OLD}/patch/#"));
    panels.subscribe(&format!("intercoms/{NEW}/patch/#"));
    let request_id = billing.ask();
    panels.receive(&topic(NEW, &request_id));
    panels.receive(&topic(OLD, &request_id));
}

#[test]
fn the_old_panel_is_not_asked_until_the_replacement_goes_away() {
    let billing = no_grace();
    billing.old_intercom();
    // Another intercom with a request: its panel's presence, published after the replacement's,
    // shows when both have been handled.
    billing.post(json!({"mac": THIRD}));
    billing.patch(json!({"id": 2, "group_id": 1, "new_serial_number": "S3", "model": "M"}));
    let other = billing.newest_request_id();
    let mut panels = panel(&billing, "all");
    panels.subscribe("intercoms/by-board/+/patch/#");
    panels.subscribe(&format!("intercoms/{OLD}/patch/#"));
    let presence = |mac: &str| format!("intercoms/{mac}/presence");
    let online = |board: &str| json!({"state": "online", "board": board}).to_string();
    panels.publish(&presence(NEW), true, online("die-2"));
    panels.publish(&presence(THIRD), true, online("die-3"));
    panels.receive(&format!("intercoms/by-board/die-3/patch/{other}"));

    let request_id = billing.ask();
    let by_board = format!("intercoms/by-board/die-2/patch/{request_id}");
    panels.receive(&by_board);
    assert_eq!(
        billing.requests()[0]["offered_on"],
        json!([topic(NEW, &request_id), by_board]),
        "and on no topic of the old panel's"
    );
    let offline = json!({"state": "offline", "board": "die-2"});
    panels.publish(&presence(NEW), true, offline.to_string());
    panels.receive(&topic(OLD, &request_id));
}

#[test]
fn a_superseded_request_is_cleared() {
    let billing = Running::start();
    billing.old_intercom();
    let mut spare = panel(&billing, "spare");
    spare.subscribe(&format!("intercoms/{NEW}/patch/#"));
    let topic = topic(NEW, &billing.ask());
    assert!(!spare.receive(&topic).payload.is_empty());
    billing.patch(json!({"id": 1, "group_id": 6, "new_mac": THIRD, "model": "M"}));
    assert!(spare.receive(&topic).payload.is_empty());
}

#[test]
fn a_restart_publishes_what_is_pending_again() {
    let mut billing = Running::start();
    billing.old_intercom();
    let request_id = billing.ask();
    billing.restart();
    let mut spare = panel(&billing, "spare");
    spare.subscribe(&format!("intercoms/{NEW}/patch/#"));
    spare.receive(&topic(NEW, &request_id));
}

#[test]
fn a_restart_publishes_more_requests_than_are_planned_at_once() {
    const MANY: usize = 120;
    let mut billing = Running::start();
    for number in 0..MANY {
        billing.post(json!({"mac": format!("02:00:00:00:00:{number:02X}")}));
        let new_mac = format!("06:00:00:00:00:{number:02X}");
        let patch = json!({"id": number + 1, "group_id": 1, "new_mac": new_mac, "model": "M"});
        assert_eq!(billing.patch(patch).status, 200);
    }
    let requests = billing.requests();
    billing.restart();
    let mut spares = panel(&billing, "spares");
    spares.subscribe("intercoms/+/patch/#");
    assert_eq!(requests.len(), MANY);
    for request in requests {
        let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
        spares.receive(&topic(&text(&request["to"]["mac"]), &text(&request["request_id"])));
    }
}

#[test]
fn garbage_on_the_topics_changes_nothing() {
    let billing = Running::start();
    billing.old_intercom();
    let request_id = billing.ask();
    let mut spare = panel(&billing, "spare");
    spare.subscribe(&format!("intercoms/{NEW}/patch/#"));
    let status = format!("intercoms/{NEW}/status");
    for garbage in [b"".to_vec(), b"\xff".to_vec(), b"{}".to_vec(), vec![b'['; 60_000]] {
        spare.publish(&status, false, garbage.clone());
        spare.publish(&format!("intercoms/{NEW}/presence"), false, garbage.clone());
        spare.publish("intercoms/no-mac/presence", false, garbage);
    }
    assert_eq!(billing.show("id=1").body["status"], "pending");
    let report = report(&request_id, "installed", NEW, "new_serial_number");
    spare.publish(&status, false, report.to_string());
    billing.until("installed", |b| b.show("id=1").body["status"] == "installed");
}
