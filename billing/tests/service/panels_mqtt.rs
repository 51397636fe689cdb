//! Panels on the built-in broker.

use std::time::Duration;

use crate::common::board::Board;
use crate::common::panel::Panel;
use crate::common::{NEW, OLD, Running, report};
use serde_json::json;

const THIRD: &str = "02:00:00:00:00:03";

fn no_grace() -> Running {
    Running::start_with(|settings| settings.grace = Duration::ZERO)
}

/// Whom the newest request waits for.
fn waits_for(billing: &Running) -> String {
    billing.requests()[0]["waits_for"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_presence_is_answered_with_the_open_requests_and_its_nonce_and_a_report_with_an_empty_payload()
{
    let billing = Running::start();
    billing.old_intercom();
    let request_id = billing.ask();
    let mut spare = Board::connect(&billing, "die-1", NEW);
    let request = spare.request(&request_id);
    assert_eq!((&request["mac"], &request["new_mac"]), (&json!(OLD), &json!(NEW)));
    assert_eq!(billing.requests()[0]["offered_to"], json!(["die-1"]));
    spare.is_there();
    assert_eq!(spare.request(&request_id)["request_id"], request_id, "each presence is answered");
    let mut installed = report(&request_id, "installed", NEW, "new_serial_number");
    installed["issuer"] = request["issuer"].clone();
    spare.reports(&installed);
    spare.is_over(&request_id);
    assert_eq!(billing.show("id=1").body["status"], "installed");
}

#[test]
fn nothing_is_retained_for_a_board() {
    let billing = Running::start();
    billing.old_intercom();
    let request_id = billing.ask();
    Board::connect(&billing, "die-1", NEW).request(&request_id);
    let mut late = Panel::connect(billing.runtime.handle(), billing.mqtt_port(), "late");
    late.subscribe("intercoms/by-board/+/patch/#");
    late.publish("intercoms/by-board/late/patch/mark", false, "mark");
    assert_eq!(late.next().topic, "intercoms/by-board/late/patch/mark", "and nothing before it");
}

#[test]
fn a_replacement_that_was_there_has_time_to_come_back_after_a_restart() {
    let mut billing = no_grace();
    billing.old_intercom();
    let request_id = billing.ask();
    Board::connect(&billing, "die-2", NEW).request(&request_id);
    billing.restart();
    let poll = format!("mac={OLD}&board=die-old");
    assert_eq!(billing.pending(&poll).body, json!([]));
    assert!(waits_for(&billing).contains("replacement"), "{}", waits_for(&billing));
}

#[test]
fn without_a_replacement_the_old_panel_is_asked_when_the_grace_time_is_over() {
    let billing = Running::start_with(|settings| settings.grace = Duration::from_millis(300));
    billing.old_intercom();
    let mut door = Board::connect(&billing, "die-old", OLD);
    let request_id = billing.ask();
    assert_eq!(door.request(&request_id)["target"]["board"], "die-old");
}

#[test]
fn the_old_panel_is_asked_only_while_the_replacement_is_away() {
    let billing = no_grace();
    billing.old_intercom();
    let mut door = Board::connect(&billing, "die-old", OLD);
    let request_id = billing.ask();
    door.request(&request_id);
    let mut spare = Board::connect(&billing, "die-2", NEW);
    spare.request(&request_id);
    door.is_over(&request_id);
    assert_eq!(billing.requests()[0]["offered_to"], json!(["die-2"]), "the old one is struck out");
}

#[test]
fn a_known_spare_in_the_installers_bag_is_waited_for() {
    let billing = no_grace();
    billing.old_intercom();
    let mut door = Board::connect(&billing, "die-old", OLD);
    let mut spare = Board::connect(&billing, "die-2", NEW);
    billing.until("the spare is known", |b| knows(b, NEW));
    spare.goes();
    let request_id = billing.ask();
    billing.until("it waits", |b| waits_for(b).contains("spare"));
    door.is_there();
    assert_eq!(billing.pending(&format!("mac={OLD}&board=die-old")).body, json!([]));
    assert_eq!(billing.requests()[0]["offered_to"], json!([]));
    spare.is_there();
    spare.request(&request_id);
}

/// Whether a board was seen with that MAC address.
fn knows(billing: &Running, mac: &str) -> bool {
    billing.database.number(&format!("SELECT count(*) FROM macs WHERE mac = '{mac}'")) == 1
}

#[test]
fn a_superseded_request_is_over() {
    let billing = Running::start();
    billing.old_intercom();
    let mut spare = Board::connect(&billing, "die-1", NEW);
    let request_id = billing.ask();
    spare.request(&request_id);
    billing.patch(json!({"id": 1, "group_id": 6, "new_mac": THIRD, "model": "M"}));
    spare.is_over(&request_id);
}

#[test]
fn a_board_that_comes_back_after_a_restart_is_offered_what_is_pending() {
    let mut billing = Running::start();
    billing.old_intercom();
    let request_id = billing.ask();
    billing.restart();
    Board::connect(&billing, "die-1", NEW).request(&request_id);
}

#[test]
fn more_requests_than_are_planned_at_once_are_offered() {
    const MANY: usize = 120;
    let mut billing = no_grace();
    for number in 0..MANY {
        let mac = format!("02:00:00:00:00:{number:02X}");
        billing.post(json!({"mac": mac}));
        let patch = json!({"id": number + 1, "group_id": 1, "new_serial_number": number.to_string(), "model": "M"});
        assert_eq!(billing.patch(patch).status, 200);
        let query = format!("mac={mac}&board=die-{number}");
        assert_eq!(billing.pending(&query).body.as_array().map(Vec::len), Some(1));
    }
    billing.restart();
    let mut everybody = Panel::connect(billing.runtime.handle(), billing.mqtt_port(), "all");
    everybody.subscribe("intercoms/by-board/+/patch/#");
    for number in 0..MANY {
        let online = json!({"state": "online", "board": format!("die-{number}"), "nonce": "n"});
        let topic = format!("intercoms/by-board/die-{number}/presence");
        everybody.publish(&topic, false, online.to_string());
    }
    for request in billing.requests() {
        let board = format!("die-{}", request["intercom_id"].as_i64().expect("an ID") - 1);
        let request_id = request["request_id"].as_str().expect("an ID");
        everybody.receive(&format!("intercoms/by-board/{board}/patch/{request_id}"));
    }
}

#[test]
fn garbage_on_the_topics_changes_nothing() {
    let billing = Running::start();
    billing.old_intercom();
    let request_id = billing.ask();
    let mut spare = Board::connect(&billing, "die-1", NEW);
    spare.request(&request_id);
    let mut anybody = Panel::connect(billing.runtime.handle(), billing.mqtt_port(), "anybody");
    for garbage in [b"".to_vec(), b"\xff".to_vec(), b"{}".to_vec(), vec![b'['; 60_000]] {
        for topic in ["die-1/status", "die-1/presence", "a.b/presence", "who/status"] {
            anybody.publish(&format!("intercoms/by-board/{topic}"), false, garbage.clone());
        }
    }
    assert_eq!(billing.show("id=1").body["status"], "pending");
    spare.reports(&report(&request_id, "installed", NEW, "new_serial_number"));
    billing.until("installed", |b| b.show("id=1").body["status"] == "installed");
}
