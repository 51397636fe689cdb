//! A request over MQTT: the change, its report, presence, and what a repeat does.

use std::process::Command;

use intercom_test_support::{
    Board, Broker, FACTORY_SERIAL, LAN, MODEL, NEW, OLD, Process, Watcher, in_a_namespace, ip,
    kernels_mac, lan, request,
};
use serde_json::{Value, json};

const NULL: Value = Value::Null;

fn identity(report: &Value) -> Value {
    json!([report["status"], report["source"], report["mac"], report["serial_number"]])
}

#[test]
fn a_published_request_changes_the_kernels_mac_once_and_for_good() {
    in_a_namespace("mqtt::a_published_request_changes_the_kernels_mac_once_and_for_good", || {
        lan();
        let broker = Broker::start_in("lan", LAN);
        let watcher = Watcher::new(&broker);
        let board = Board::on_the_kernels_link("gate-1").with_mqtt(&broker.url());
        let daemon = board.start();
        watcher.online(OLD, "gate-1");

        watcher.retain(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
        let first = watcher.report(NEW);
        assert_eq!(identity(&first), json!(["installed", "auto-replace", NEW, "NEW-1"]));
        assert_eq!(first["request_id"], "r-1");
        assert_eq!(first["board"], "gate-1");
        assert_eq!(first["previous"], json!({"mac": OLD, "serial_number": FACTORY_SERIAL}));
        assert_eq!(first["factory"], first["previous"]);
        assert_eq!(first["log_extra"], json!({"some": "information"}));
        assert_eq!(kernels_mac(), NEW);
        assert_eq!(board.runtime_identity()["mac"], NEW);

        let again = || {
            watcher.publish(&format!("intercoms/{NEW}/patch/r-1"), request("r-1").to_string());
            assert_eq!(watcher.report(NEW), first, "reported again");
        };
        let mut monitor = Command::new("ip");
        let mut kernel = Process::start("ip monitor", monitor.args(["monitor", "link"]));
        // By then the record has been told that the first report has arrived.
        again();
        let record = board.read("state/record.json");
        again();
        assert_eq!(board.read("state/record.json"), record, "and nothing written for it");
        assert_eq!(kernel.said(), [""; 0], "nor was the link touched");
        assert_eq!(kernels_mac(), NEW);

        assert!(daemon.terminate().success());
        // What a boot leaves: the link as it was made.
        ip(&format!("link set eth0 address {OLD}"));
        let daemon = board.start();
        watcher.online(NEW, "gate-1");
        assert_eq!(kernels_mac(), NEW);
        again();
        drop(daemon);
    });
}

#[test]
fn a_request_that_was_published_before_the_panel_came_is_heard() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    watcher.retain(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let _daemon = board.start();
    let report = watcher.report(NEW);
    assert_eq!(identity(&report), json!(["installed", "auto-replace", NEW, "NEW-1"]));
    assert_eq!(board.mac(), NEW);
}

#[test]
fn there_and_back_without_a_seq_ends_where_the_second_request_says() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let _daemon = board.start();
    watcher.online(OLD, "gate-1");
    // The first one waits for its look-up when the second comes.
    let asked = |id, mac, new_mac| json!({"request_id": id, "mac": mac, "new_mac": new_mac});
    for (id, mac, new_mac) in [("there", OLD, NEW), ("back", NEW, OLD)] {
        let mut asked = asked(id, mac, new_mac);
        asked["model"] = json!(MODEL);
        watcher.publish(&format!("intercoms/{OLD}/patch/{id}"), asked.to_string());
    }
    // The first report may only leave under the second identity.
    for (id, mac) in [("there", NEW), ("back", OLD)] {
        let report = watcher.wait_for(id, |message| {
            message.topic.ends_with("/status")
                && serde_json::from_slice::<Value>(&message.payload)
                    .is_ok_and(|report| report["request_id"] == id)
        });
        let report: Value = serde_json::from_slice(&report.payload).expect("JSON");
        assert_eq!((&report["status"], &report["mac"]), (&json!("installed"), &json!(mac)));
    }
    assert_eq!(board.mac(), OLD);
}

#[test]
fn a_panel_is_present_under_its_boards_name_and_claims_what_it_carries_for_good() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let daemon = board.start();
    let retained = || {
        let mut retained = Watcher::retained(&broker);
        let payload = retained.remove("intercoms/by-board/gate-1/presence").expect("a presence");
        assert_eq!(retained.len(), 0, "nothing else: {:?}", retained.keys());
        serde_json::from_slice::<Value>(&payload).expect("JSON")
    };
    let said = watcher.online(OLD, "gate-1");
    assert_eq!(retained(), said);
    let claim = json!([said["serial_number"], said["model"], said["agent"], said["new_record"]]);
    assert_eq!(claim, json!([FACTORY_SERIAL, MODEL, env!("CARGO_PKG_VERSION"), true]));
    assert!(said["nonce"].is_string());

    watcher.publish(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
    let in_mid_change = watcher.presence("gate-1", |said| said["changing"] == true);
    assert_eq!((&in_mid_change["mac"], &in_mid_change["serial_number"]), (&NULL, &NULL));
    let said = watcher.online(NEW, "gate-1");
    assert_eq!((&said["changing"], &said["new_record"]), (&NULL, &NULL));
    assert_eq!(retained(), said);

    daemon.kill();
    watcher.offline("gate-1");
    assert_eq!(retained(), json!({"state": "offline", "board": "gate-1"}));
}

#[test]
fn a_panel_that_is_asked_says_that_it_is_there_and_who_has_its_mac() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let _daemon = board.start();
    board.wait_until_reached();
    let before = watcher.online(OLD, "gate-1");
    watcher.publish("intercoms/by-board/gate-1/who", "");
    assert_eq!(watcher.online(OLD, "gate-1"), before, "on the same connection");
    let here = format!("intercoms/{OLD}/here/gate-1");
    watcher.publish(&format!("intercoms/{NEW}/who"), "");
    watcher.publish(&format!("intercoms/{OLD}/who"), "");
    watcher.wait_for("the answer", |message| message.topic == here);
    let others = watcher.so_far();
    assert!(!others.iter().any(|message| message.topic.contains("/here/")), "{others:?}");
}

#[test]
fn a_panel_lets_go_of_the_mac_that_it_gave_up() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let mut daemon = board.start();
    watcher.online(OLD, "gate-1");
    watcher.publish(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
    watcher.online(NEW, "gate-1");
    let before = board.run(&["status", "--json"]).json()["counters"]["delivered"].clone();
    // The old MAC belongs to the next panel now.
    watcher.publish(&format!("intercoms/{OLD}/patch/r-2"), request("r-2").to_string());
    let wrong = json!({"request_id": "r-3", "mac": NEW, "new_mac": OLD, "model": "other"});
    watcher.publish(&format!("intercoms/{NEW}/patch/r-3"), wrong.to_string());
    while watcher.report(NEW)["request_id"] != "r-3" {}
    let after = board.run(&["status", "--json"]).json()["counters"]["delivered"].clone();
    assert_eq!(after.as_u64(), before.as_u64().map(|before| before + 1));
    assert!(daemon.is_running());
}

#[test]
fn a_mac_that_another_panel_has_is_not_taken() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let other = Board::sandboxed("gate-2", NEW).with_mqtt(&broker.url());
    let _other_daemon = other.start();
    other.wait_until_reached();
    let board = Board::sandboxed("gate-1", OLD).with_mqtt(&broker.url());
    let mut daemon = board.start();
    watcher.online(OLD, "gate-1");
    watcher.publish(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
    daemon.wait_for("deferred");
    assert_eq!(board.mac(), OLD);
    let status = board.run(&["status", "--json"]).json();
    assert_eq!((&status["waiting"], &status["change"]), (&json!(1), &Value::Null));
}

#[test]
fn a_panel_that_cannot_connect_under_the_new_identity_goes_back() {
    let broker = Broker::start();
    let watcher = Watcher::new(&broker);
    let board = Board::sandboxed("gate-1", OLD);
    board.write(
        "etc/intercom-agent.toml",
        board.read("etc/intercom-agent.toml").replace("confirm_within = 60", "confirm_within = 10"),
    );
    let board = board.with_mqtt(&broker.url());
    let mut daemon = board.start();
    watcher.online(OLD, "gate-1");
    watcher.publish(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
    daemon.wait_for("changing from");
    drop((watcher, broker));
    daemon.wait_for("rolling back");
    let rolled_back = board.run(&["status", "--json"]).json();
    assert_eq!(board.mac(), OLD);
    assert_eq!(rolled_back["current"]["mac"], OLD);
    assert_eq!(rolled_back["outcomes"][0]["report"]["status"], "rolled_back");
}

#[test]
fn two_panels_with_one_board_name_notice_it_and_back_off() {
    let broker = Broker::start();
    let boards = [OLD, NEW].map(|mac| Board::sandboxed("gate-1", mac).with_mqtt(&broker.url()));
    let mut daemons = boards.each_ref().map(Board::start);
    for daemon in &mut daemons {
        daemon.wait_for("it closes each connection soon after it was made");
    }
    let pause = |line: String| -> f32 {
        let seconds =
            line.split("connecting again in ").nth(1).and_then(|rest| rest.split(' ').next());
        seconds.expect("a pause").parse().expect("seconds")
    };
    // Only a pause of more than the first ones can be so long.
    while pause(daemons[0].wait_for("it closes each connection")) < 2.0 {}
}
