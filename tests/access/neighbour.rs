//! What the holder of a neighbouring panel's password can do. `gate-2` is the neighbour.

use std::thread;

use intercom_test_support::{LIMIT, NEW, OLD, OTHER, Watcher, request};
use serde_json::{Value, json};

use crate::fleet::{Fleet, Rules, password};

fn under_both(run: impl Fn(Rules) + Sync) {
    thread::scope(|scope| {
        scope.spawn(|| run(Rules::PerMac));
        scope.spawn(|| run(Rules::PerBoard));
    });
}

/// What the broker has let through of what the neighbour published up to now.
fn let_through(neighbour: &Watcher, watcher: &Watcher) -> Vec<String> {
    let own = format!("intercoms/{OTHER}/presence");
    neighbour.publish(&own, "the last one");
    let mut seen = Vec::new();
    loop {
        let message = watcher.wait_for("the last one", |_| true);
        if message.payload == "the last one" {
            return seen;
        }
        seen.push(message.topic);
    }
}

#[test]
fn a_panel_does_its_work_with_no_more_rights_than_these() {
    under_both(|rules| {
        let fleet = Fleet::start(rules);
        let billing = fleet.billing();
        billing.create_old();
        let board = fleet.panel("gate-1", OLD);
        let mut daemon = board.start();
        board.wait_until_reached();
        billing.replace_old();
        daemon.wait_for("the report has arrived");
        assert_eq!(board.mac(), NEW);
        let end = std::time::Instant::now() + LIMIT;
        while billing.show(NEW).1["status"] != "installed" {
            assert!(std::time::Instant::now() < end, "billing does not hear of it");
        }
    });
}

/// mosquitto grants the subscriptions all the same, and takes what it is sent.
#[test]
fn a_panel_whose_rules_lack_the_new_mac_goes_back_and_says_so() {
    let fleet = Fleet::start_without(NEW);
    let board = fleet.panel("gate-1", OLD);
    let text = board.read("etc/intercom-agent.toml");
    board.write(
        "etc/intercom-agent.toml",
        text.replace("confirm_within = 60", "confirm_within = 10"),
    );
    let mut daemon = board.start();
    board.wait_until_reached();
    let watcher = fleet.watcher();
    watcher.publish(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
    assert_eq!(watcher.report(OLD)["status"], "rolled_back");
    daemon.wait_for("the report has arrived");
    assert_eq!(board.mac(), OLD);
}

#[test]
fn a_neighbour_reads_no_request_of_another_panel() {
    under_both(|rules| {
        let fleet = Fleet::start(rules);
        let (neighbour, watcher) = (fleet.holder_of("gate-2"), fleet.watcher());
        watcher.publish(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
        watcher.publish("intercoms/by-board/gate-1/patch/r-1", request("r-1").to_string());
        watcher.publish("intercoms/by-board/gate-2/patch/r-2", "its own");
        let first = neighbour.wait_for("its own request", |_| true);
        assert_eq!(first.topic, "intercoms/by-board/gate-2/patch/r-2");
    });
}

#[test]
fn a_neighbour_cannot_publish_a_request() {
    under_both(|rules| {
        let fleet = Fleet::start(rules);
        let (neighbour, watcher) = (fleet.holder_of("gate-2"), fleet.watcher());
        for topic in [
            format!("intercoms/{OLD}/patch/r-1"),
            "intercoms/by-board/gate-1/patch/r-1".to_owned(),
            "intercoms/by-board/gate-2/patch/r-1".to_owned(),
        ] {
            neighbour.publish(&topic, request("r-1").to_string());
        }
        assert_eq!(let_through(&neighbour, &watcher), [""; 0]);
    });
}

#[test]
fn a_neighbour_cannot_throw_a_panel_off_by_its_client_id() {
    let mut fleet = Fleet::start(Rules::PerMac);
    let board = fleet.panel("gate-1", OLD);
    let mut daemon = board.start();
    board.wait_until_reached();
    let _neighbour =
        Watcher::with_credentials(&fleet.broker, "gate-1", "gate-2", &password("gate-2"));
    fleet.broker.process().wait_for("as gate-2");
    let watcher = fleet.watcher();
    watcher.publish(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
    daemon.wait_for("the report has arrived");
    assert!(daemon.said().iter().all(|line| !line.contains("connecting again")));
}

#[test]
fn under_rules_per_mac_a_neighbour_can_neither_report_nor_be_present_as_another_panel() {
    let fleet = Fleet::start(Rules::PerMac);
    let (neighbour, watcher) = (fleet.holder_of("gate-2"), fleet.watcher());
    for mac in [OLD, NEW] {
        neighbour.publish(&format!("intercoms/{mac}/status"), "{}");
        neighbour.retain(&format!("intercoms/{mac}/presence"), "{}");
    }
    assert_eq!(let_through(&neighbour, &watcher), [""; 0]);
}

#[test]
fn a_neighbour_sees_which_panels_are_on_line() {
    under_both(|rules| {
        let fleet = Fleet::start(rules);
        let neighbour = fleet.holder_of("gate-2");
        let board = fleet.panel("gate-1", OLD);
        let _daemon = board.start();
        neighbour.online(OLD, "gate-1");
    });
}

#[test]
fn under_rules_per_board_a_neighbour_can_hold_a_change_up_by_a_false_presence() {
    let fleet = Fleet::start(Rules::PerBoard);
    let neighbour = fleet.holder_of("gate-2");
    neighbour.retain(
        &format!("intercoms/{NEW}/presence"),
        json!({"state": "online", "board": "gate-2"}).to_string(),
    );
    neighbour.online(NEW, "gate-2");
    let board = fleet.panel("gate-1", OLD);
    let mut daemon = board.start();
    board.wait_until_reached();
    let watcher = fleet.watcher();
    watcher.publish("intercoms/by-board/gate-1/patch/r-1", request("r-1").to_string());
    daemon.wait_for("deferred");
    assert_eq!(board.mac(), OLD);
}

#[test]
fn under_rules_per_board_a_neighbour_can_pose_as_the_replacement_and_report_in_its_place() {
    let fleet = Fleet::start(Rules::PerBoard);
    let billing = fleet.billing();
    billing.create_old();
    let neighbour = fleet.holder_of("gate-2");
    neighbour.retain(
        &format!("intercoms/{NEW}/presence"),
        json!({"state": "online", "board": "gate-2"}).to_string(),
    );
    neighbour.online(NEW, "gate-2");
    billing.replace_old();
    let own = "intercoms/by-board/gate-2/patch/";
    let message = neighbour.wait_for("the request", |message| message.topic.starts_with(own));
    let request: Value = serde_json::from_slice(&message.payload).expect("JSON");
    let report = json!({
        "request_id": request["request_id"], "status": "installed", "source": "auto-replace",
        "board": "gate-2", "mac": NEW, "serial_number": "NEW-1", "model": "3516EV200",
        "previous": {"mac": NEW, "serial_number": "NEW-1"}, "factory": {"mac": NEW, "serial_number": "NEW-1"},
    });
    neighbour.publish(&format!("intercoms/{NEW}/status"), report.to_string());
    neighbour.wait_for("the request's end", |message| {
        message.topic.starts_with(own) && message.payload.is_empty()
    });
    assert_eq!(billing.show(NEW).1["status"], "installed", "though no panel has changed");
}
