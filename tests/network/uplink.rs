//! The traffic leaves by the link that bears the identity, or the change is not confirmed.

use intercom_test_support::{
    Board, Broker, LAN, NEW, OLD, Watcher, in_a_namespace, ip, kernels_mac, lan, request,
};
use serde_json::Value;

/// The MAC address of whatever else carries the traffic.
const OTHER_LINK: &str = "02:FC:00:00:00:05";

/// How a change ends whose traffic leaves as it does now, and why.
fn outcome(board: &Board, broker: &Broker) -> (Value, String) {
    let watcher = Watcher::new(broker);
    let _daemon = board.start();
    board.wait_until_reached();
    watcher.publish(&format!("intercoms/{OLD}/patch/r-1"), request("r-1").to_string());
    let report = watcher.wait_for("report", |message| message.topic.ends_with("/status"));
    let report: Value = serde_json::from_slice(&report.payload).expect("JSON");
    (report["status"].clone(), report["reason"].as_str().unwrap_or_default().to_owned())
}

/// The state, what was found and what to do.
fn doctor_says(board: &Board) -> (String, String, String) {
    let checks = board.run(&["doctor", "--json"]).json();
    let checks = checks["checks"].as_array().expect("a list");
    let check = checks.iter().find(|check| check["id"] == "outgoing-link").expect("the check");
    let text = |field: &str| check[field].as_str().unwrap_or_default().to_owned();
    (text("state"), text("found"), text("advice"))
}

/// With these settings ahead of the others.
fn board(broker: &Broker, settings: &str) -> Board {
    let board = Board::on_the_kernels_link("gate-1").with_mqtt(&broker.url());
    let file = "etc/intercom-agent.toml";
    board.write(file, format!("{settings}\n{}", board.read(file)));
    board
}

/// `eth0` is a port of a bridge with an address of its own.
fn bridged() {
    ip(&format!("link add br0 address {OTHER_LINK} type bridge"));
    ip("addr flush dev eth0");
    ip("link set eth0 master br0");
    ip("link set br0 up");
    ip("addr add 192.0.2.10/24 dev br0");
}

/// A second link to the same network, over which the broker is reached.
fn on_the_air() {
    ip(&format!("link add wlan0 address {OTHER_LINK} type veth peer name air netns lan"));
    ip("link set wlan0 up");
    ip("-n lan addr flush dev wall");
    ip("-n lan addr add 198.51.100.1/24 dev wall");
    ip("-n lan link set air up");
    ip(&format!("-n lan addr add {LAN}/24 dev air"));
    ip("addr flush dev eth0");
    ip("addr add 198.51.100.10/24 dev eth0");
    ip("addr add 192.0.2.10/24 dev wlan0");
}

#[test]
fn a_bridge_with_an_address_of_its_own_does_not_count() {
    in_a_namespace("uplink::a_bridge_with_an_address_of_its_own_does_not_count", || {
        lan();
        bridged();
        let broker = Broker::start_in("lan", LAN);
        let board = board(&broker, "");
        let link = format!("leaves by br0 with the MAC address {OTHER_LINK}, not by eth0");
        let (state, found, advice) = doctor_says(&board);
        assert!(state == "failed" && found.contains(&link), "{state}: {found}");
        assert_eq!(advice, "eth0 is a port of br0: set `interface = \"br0\"`");
        let (outcome, reason) = outcome(&board, &broker);
        assert_eq!((outcome, kernels_mac()), ("rolled_back".into(), OLD.to_owned()));
        assert!(reason.contains(&link), "{reason}");
    });
}

#[test]
fn a_bridge_that_bears_the_identity_itself_counts() {
    in_a_namespace("uplink::a_bridge_that_bears_the_identity_itself_counts", || {
        lan();
        bridged();
        ip(&format!("link set br0 address {OLD}"));
        let broker = Broker::start_in("lan", LAN);
        let board = board(&broker, "interface = \"br0\"");
        assert_eq!(doctor_says(&board).0, "ok");
        assert_eq!(outcome(&board, &broker).0, "installed");
        assert!(ip("link show br0").contains(&NEW.to_lowercase()));
    });
}

#[test]
fn an_uplink_beside_the_panels_own_link_does_not_count_by_itself() {
    in_a_namespace("uplink::an_uplink_beside_the_panels_own_link_does_not_count_by_itself", || {
        lan();
        on_the_air();
        let broker = Broker::start_in("lan", LAN);
        let board = board(&broker, "");
        let (outcome, reason) = outcome(&board, &broker);
        assert_eq!((outcome, kernels_mac()), ("rolled_back".into(), OLD.to_owned()));
        let link = format!("leaves by wlan0 with the MAC address {OTHER_LINK}, not by eth0");
        assert!(reason.contains(&link), "{reason}");
    });
}

#[test]
fn an_uplink_that_is_meant_counts_with_an_answer_on_the_panels_own_link() {
    let name = "uplink::an_uplink_that_is_meant_counts_with_an_answer_on_the_panels_own_link";
    in_a_namespace(name, || {
        lan();
        on_the_air();
        ip("route add 203.0.113.0/24 via 198.51.100.1 dev eth0");
        let broker = Broker::start_in("lan", LAN);
        let board = board(&broker, "uplink = \"wlan0\"");
        assert_eq!(doctor_says(&board).1, "wlan0, as configured");
        assert_eq!(outcome(&board, &broker).0, "installed");
        assert_eq!(kernels_mac(), NEW);
    });
}

#[test]
fn an_uplink_that_is_meant_does_not_count_while_the_panels_own_link_is_silent() {
    let name = "uplink::an_uplink_that_is_meant_does_not_count_while_the_panels_own_link_is_silent";
    in_a_namespace(name, || {
        lan();
        on_the_air();
        ip("route add 203.0.113.0/24 via 198.51.100.2 dev eth0");
        let broker = Broker::start_in("lan", LAN);
        let board = board(&broker, "uplink = \"wlan0\"");
        let settings = board.read("etc/intercom-agent.toml");
        let soon = settings.replace("confirm_within = 60", "confirm_within = 10");
        board.write("etc/intercom-agent.toml", soon);
        let (outcome, reason) = outcome(&board, &broker);
        assert_eq!((outcome, kernels_mac()), ("rolled_back".into(), OLD.to_owned()));
        let asked = "none of 1 neighbours on eth0 has answered under the new MAC address";
        assert!(reason.ends_with(asked), "{reason}");
    });
}

#[test]
fn an_uplink_beside_a_link_without_a_neighbour_is_told_before_a_change() {
    let name = "uplink::an_uplink_beside_a_link_without_a_neighbour_is_told_before_a_change";
    in_a_namespace(name, || {
        lan();
        on_the_air();
        ip("neigh flush dev eth0");
        let broker = Broker::start_in("lan", LAN);
        let board = board(&broker, "uplink = \"wlan0\"");
        let (state, found, _) = doctor_says(&board);
        let wanting = "no neighbour is known on eth0, so that no change could be confirmed";
        assert!(state == "warning" && found.ends_with(wanting), "{state}: {found}");
        // Whom the kernel has met before the change is asked after it.
        ip("neigh add 198.51.100.1 lladdr 02:FC:00:00:00:06 dev eth0 nud stale");
        assert_eq!(doctor_says(&board).1, "wlan0, as configured");
        assert_eq!(outcome(&board, &broker).0, "installed");
    });
}

#[test]
fn an_uplink_that_is_not_there_is_named() {
    in_a_namespace("uplink::an_uplink_that_is_not_there_is_named", || {
        lan();
        let broker = Broker::start_in("lan", LAN);
        let board = board(&broker, "uplink = \"wlna0\"");
        let named = "`uplink` names wlna0, and there is no such interface";
        let (state, found, _) = doctor_says(&board);
        assert!(state == "failed" && found.contains(named), "{state}: {found}");
        let (outcome, reason) = outcome(&board, &broker);
        assert_eq!((outcome, kernels_mac()), ("rolled_back".into(), OLD.to_owned()));
        assert!(reason.ends_with(named), "{reason}");
    });
}
