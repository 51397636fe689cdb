//! What the holder of a neighbouring panel's password can do under the shipped rules. `gate-2` is the
//! neighbour.

use std::time::Instant;

use intercom_test_support::{Billing, LIMIT, MODEL, NEW, OLD, OTHER, Watcher, request};
use serde_json::{Value, json};

use crate::fleet::{Fleet, password, request_topic};
use crate::held_up::held_up;

/// What the broker has let through of what the neighbour published up to now.
fn let_through(neighbour: &Watcher, watcher: &Watcher) -> Vec<String> {
    neighbour.publish("intercoms/by-board/gate-2/presence", "the last one");
    let mut seen = Vec::new();
    loop {
        let message = watcher.wait_for("the last one", |_| true);
        if message.payload == "the last one" {
            return seen;
        }
        seen.push(message.topic);
    }
}

pub fn until_installed(billing: &Billing) {
    let end = Instant::now() + LIMIT;
    while billing.show(NEW).1["status"] != "installed" {
        assert!(Instant::now() < end, "billing does not hear of it");
    }
}

/// The neighbour says that it is there and has this MAC address.
fn claims(neighbour: &Watcher, mac: &str) {
    let said = json!({"state": "online", "board": "gate-2", "mac": mac, "nonce": "n-1"});
    neighbour.retain("intercoms/by-board/gate-2/presence", said.to_string());
    neighbour.online(mac, "gate-2");
}

/// The report that would end this request, from `gate-2` as the board with `NEW`.
pub fn installed(request_id: &Value) -> String {
    let has = json!({"mac": NEW, "serial_number": "NEW-1"});
    json!({
        "request_id": request_id, "status": "installed", "source": "auto-replace",
        "board": "gate-2", "mac": NEW, "serial_number": "NEW-1", "model": MODEL,
        "previous": has, "factory": has,
    })
    .to_string()
}

#[test]
fn a_panel_does_its_work_with_no_more_rights_than_these() {
    let fleet = Fleet::start();
    let billing = fleet.billing();
    billing.create_old();
    let board = fleet.panel("gate-1", OLD);
    let mut daemon = board.start();
    board.wait_until_reached();
    billing.replace_old();
    daemon.wait_for("the report has arrived");
    assert_eq!(board.mac(), NEW);
    until_installed(&billing);
}

/// Its board's name is not its user's.
#[test]
fn a_panel_with_the_password_of_another_is_not_reached() {
    let mut fleet = Fleet::start();
    let board = fleet.panel("gate-1", OLD);
    let text = board.read("etc/intercom-agent.toml");
    let (own, others) = ("username = \"gate-1\"", "username = \"gate-2\"");
    board.write("etc/intercom-agent.toml", text.replace(own, others));
    board.write("etc/password", password("gate-2"));
    let _daemon = board.start();
    fleet.broker.process().wait_for("Denied PUBLISH from gate-2");
    assert_eq!(board.run(&["status", "--json"]).json()["reached"], json!([]));
}

#[test]
fn a_neighbour_reads_no_request_of_another_panel() {
    let fleet = Fleet::start();
    let (neighbour, watcher) = (fleet.holder_of("gate-2"), fleet.watcher());
    watcher.publish(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
    watcher.publish(&request_topic("r-1"), request("r-1").to_string());
    watcher.publish("intercoms/by-board/gate-2/patch/r-2", "its own");
    let first = neighbour.wait_for("its own request", |_| true);
    assert_eq!(first.topic, "intercoms/by-board/gate-2/patch/r-2");
}

#[test]
fn a_neighbour_cannot_publish_a_request() {
    let fleet = Fleet::start();
    let (neighbour, watcher) = (fleet.holder_of("gate-2"), fleet.watcher());
    for topic in [
        format!("intercoms/{OLD}/patch/r-1"),
        request_topic("r-1"),
        "intercoms/by-board/gate-2/patch/r-1".to_owned(),
    ] {
        neighbour.publish(&topic, request("r-1").to_string());
    }
    assert_eq!(let_through(&neighbour, &watcher), [""; 0]);
}

#[test]
fn a_neighbour_can_neither_report_nor_be_present_nor_answer_as_another_panel() {
    let fleet = Fleet::start();
    let (neighbour, watcher) = (fleet.holder_of("gate-2"), fleet.watcher());
    neighbour.publish("intercoms/by-board/gate-1/status", "{}");
    neighbour.retain("intercoms/by-board/gate-1/presence", "{}");
    neighbour.publish(&format!("intercoms/{NEW}/here/gate-1"), "");
    assert_eq!(let_through(&neighbour, &watcher), [""; 0]);
}

#[test]
fn a_neighbour_cannot_take_over_the_session_of_a_panel_by_its_client_id() {
    let mut fleet = Fleet::start();
    let board = fleet.panel("gate-1", OLD);
    let mut daemon = board.start();
    board.wait_until_reached();
    let _neighbour =
        Watcher::with_credentials(&fleet.broker, "gate-1", "gate-2", &password("gate-2"));
    fleet.broker.process().wait_for("as gate-2");
    let watcher = fleet.watcher();
    watcher.publish(&request_topic("r-1"), request("r-1").to_string());
    daemon.wait_for("the report has arrived");
    assert!(daemon.said().iter().all(|line| !line.contains("connecting again")));
}

#[test]
fn a_neighbour_finds_out_which_panel_has_a_mac_address_and_hears_no_presence() {
    let fleet = Fleet::start();
    let neighbour = fleet.holder_of("gate-2");
    let board = fleet.panel("gate-1", OLD);
    let _daemon = board.start();
    board.wait_until_reached();
    neighbour.publish(&format!("intercoms/{OLD}/who"), "");
    let here = format!("intercoms/{OLD}/here/gate-1");
    loop {
        let message = neighbour.wait_for("the answer", |_| true);
        assert!(!message.topic.starts_with("intercoms/by-board/gate-1/"), "{message:?}");
        if message.topic == here {
            break;
        }
    }
}

/// A limit: whoever answers a look-up has the address, as far as a panel can tell.
#[test]
fn a_neighbour_can_hold_a_change_up_by_saying_that_it_has_the_new_mac_address() {
    let fleet = Fleet::start();
    let billing = fleet.billing();
    billing.create_old();
    let (neighbour, watcher) = (fleet.holder_of("gate-2"), fleet.watcher());
    let board = fleet.panel("gate-1", OLD);
    let mut daemon = board.start();
    board.wait_until_reached();
    held_up(&billing, &neighbour, &watcher, &mut daemon);
    let report = watcher.report(OLD);
    assert_eq!(report["status"], "deferred");
    let reason = report["reason"].as_str().expect("a reason");
    assert!(reason.contains("gate-2"), "it says who: {reason}");
    assert_eq!(billing.show(NEW).1["status"], "pending");
    assert_eq!(board.mac(), OLD);
}

#[test]
fn a_neighbour_cannot_take_a_request_away() {
    let fleet = Fleet::start();
    let billing = fleet.billing();
    billing.create_old();
    let (neighbour, watcher) = (fleet.holder_of("gate-2"), fleet.watcher());
    let board = fleet.panel("gate-1", OLD);
    let mut daemon = board.start();
    board.wait_until_reached();
    let topic = held_up(&billing, &neighbour, &watcher, &mut daemon);
    neighbour.publish(&topic, "");
    assert!(!let_through(&neighbour, &watcher).contains(&topic));
    assert_eq!(board.run(&["status", "--json"]).json()["waiting"], 1);
}

#[test]
fn a_neighbour_can_neither_pose_as_the_replacement_nor_report_in_its_place() {
    let fleet = Fleet::start();
    let billing = fleet.billing();
    billing.create_old();
    let neighbours = json!({"mac": OTHER, "serial_number": "OTHER-1", "model": MODEL});
    let (made, shown) = billing.call("POST", "/api/v1/billing/intercoms", neighbours);
    let in_place = json!({"id": shown["id"], "group_external_id": "house-2"});
    assert_eq!((made, billing.patch(in_place).0), (201, 200));
    let neighbour = fleet.holder_of("gate-2");
    claims(&neighbour, OTHER);
    claims(&neighbour, NEW);
    billing.replace_old();

    let requests = || billing.call("GET", "/api/v1/agent/requests", json!(null)).1;
    neighbour.publish("intercoms/by-board/gate-2/status", installed(&requests()[0]["request_id"]));
    let own = "intercoms/by-board/gate-2/";
    let message = neighbour
        .wait_for("an answer", |message| message.topic.starts_with(&format!("{own}patch/")));
    assert!(message.payload.is_empty(), "its report was read, and it is offered nothing");
    assert_eq!(billing.show(NEW).1["status"], "pending");
    assert_eq!(requests()[0]["offered_to"], json!([]));

    let board = fleet.panel("gate-1", OLD);
    let mut daemon = board.start();
    daemon.wait_for("the report has arrived");
    until_installed(&billing);
    assert_eq!(board.mac(), NEW);
}

/// A limit: a MAC address that was never seen belongs to the first board at no door that claims it.
#[test]
fn a_board_at_no_door_can_pose_as_a_replacement_that_was_never_seen() {
    let fleet = Fleet::start();
    let billing = fleet.billing();
    billing.create_old();
    let neighbour = fleet.holder_of("gate-2");
    claims(&neighbour, NEW);
    billing.replace_old();
    let own = "intercoms/by-board/gate-2/patch/";
    let message = neighbour.wait_for("the request", |message| message.topic.starts_with(own));
    let request: Value = serde_json::from_slice(&message.payload).expect("JSON");
    neighbour.publish("intercoms/by-board/gate-2/status", installed(&request["request_id"]));
    neighbour.wait_for("the request's end", |message| {
        message.topic.starts_with(own) && message.payload.is_empty()
    });
    assert_eq!(billing.show(NEW).1["status"], "installed", "though no panel has changed");
}
