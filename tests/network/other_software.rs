//! Other software sets the link's MAC address while the daemon runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use intercom_test_support::{
    Board, Broker, LAN, OLD, Watcher, in_a_namespace, ip, kernels_mac, lan, request,
};
use serde_json::Value;

const OTHER: &str = "02:FC:00:00:00:05";

/// A board on the kernel's link whose hook notes what it was run for.
fn board(broker: &Broker) -> Board {
    let board = Board::on_the_kernels_link("gate-1").with_mqtt(&broker.url());
    let note = "#!/bin/sh\n\
                echo \"$INTERCOM_PHASE from $INTERCOM_OLD_MAC to $INTERCOM_NEW_MAC\"\n";
    board.write("hooks/50-note", note);
    let runnable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(board.path("hooks/50-note"), runnable).expect("executable");
    board
}

#[test]
fn it_is_put_right_at_once_with_the_hooks_and_the_fourth_time_without() {
    let name = "other_software::it_is_put_right_at_once_with_the_hooks_and_the_fourth_time_without";
    in_a_namespace(name, || {
        lan();
        let broker = Broker::start_in("lan", LAN);
        let board = board(&broker);
        let mut daemon = board.start();
        board.wait_until_reached();
        assert!(board.run(&["status", "--json"]).json()["link_contest"].is_null());
        let ran = format!("apply from {OTHER} to {OLD}");
        for _ in 0..3 {
            ip(&format!("link set eth0 address {OTHER}"));
            daemon.wait_for(&ran);
            assert_eq!(kernels_mac(), OLD);
        }
        ip(&format!("link set eth0 address {OTHER}"));
        daemon.wait_for(&format!("the link carries {OLD} again"));
        assert_eq!(kernels_mac(), OLD);
        let contest = board.run(&["status", "--json"]).json()["link_contest"].clone();
        assert_eq!((&contest["mac"], &contest["times"]), (&OTHER.into(), &4.into()));
        assert_eq!(contest["without_hooks"], true);
        assert_eq!(daemon.said().iter().filter(|line| line.contains(&ran)).count(), 3);
        let checks = board.run(&["doctor"]).out;
        let said = format!("other software has set its MAC address 4 times, last to {OTHER}");
        assert!(checks.contains(&said), "{checks}");
        assert!(checks.contains("`hwaddress ether $(intercom-mac $IFACE || ...)`"), "{checks}");
        let status = board.run(&["status"]).out;
        assert!(status.contains("what sets it has to ask `intercom-mac` first"), "{status}");
    });
}

#[test]
fn a_change_in_which_it_happens_is_taken_back_for_that_reason() {
    let name = "other_software::a_change_in_which_it_happens_is_taken_back_for_that_reason";
    in_a_namespace(name, || {
        lan();
        let broker = Broker::start_in("lan", LAN);
        let board = board(&broker);
        let watcher = Watcher::new(&broker);
        let mut daemon = board.start();
        board.wait_until_reached();
        watcher.publish(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
        daemon.wait_for("watching it for 1 s");
        ip(&format!("link set eth0 address {OTHER}"));
        let report = watcher.wait_for("report", |message| message.topic.ends_with("/status"));
        let report: Value = serde_json::from_slice(&report.payload).expect("JSON");
        let reason = format!("something else set the link's MAC to {OTHER}");
        assert_eq!((&report["status"], &report["reason"]), (&"rolled_back".into(), &reason.into()));
        assert_eq!(kernels_mac(), OLD);
    });
}
