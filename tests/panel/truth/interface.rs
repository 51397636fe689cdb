//! The environment's MAC variable belongs to its interface.

use std::fs;

use uboot_env::Format;

use super::uboot_board::UBootBoard;

const ETHADDR: &str = "AA:BB:CC:00:00:00";
const ETH1ADDR: &str = "AA:BB:CC:00:00:01";
const WIFIADDR: &str = "AA:BB:CC:00:00:0A";
/// What the link has of its own, burnt in.
const BURNT_IN: &str = "AA:BB:CC:00:00:77";

/// The MAC address of the link after the agent has come to a board whose interface this is.
fn installed_on(interface: &str, configuration: &str) -> String {
    let board = UBootBoard::new(Format::Redundant, "redundant-only");
    let variables = [("ethaddr", ETHADDR), ("eth1addr", ETH1ADDR), ("wifiaddr", WIFIADDR)];
    board.save_environment(&variables);
    let link = format!("sys/class/net/{interface}");
    board.write(&format!("{link}/address"), format!("{}\n", BURNT_IN.to_lowercase()));
    board.write(&format!("{link}/addr_assign_type"), "0\n");
    board.configure(&format!("interface = \"{interface}\"\n{configuration}"));
    let environment = board.environment();
    let restored = board.run(&["restore"]);
    assert_eq!(restored.code, 0, "{restored:?}");
    assert_eq!(board.environment(), environment, "nothing is written");
    let mac = fs::read_to_string(board.board.path(&format!("{link}/address"))).expect("a link");
    let mac = mac.trim().to_uppercase();
    assert_eq!(board.board.runtime_identity()["mac"], mac.as_str());
    mac
}

#[test]
fn the_first_two_wired_ones_have_their_own() {
    assert_eq!(installed_on("eth0", ""), ETHADDR);
    assert_eq!(installed_on("eth1", ""), ETH1ADDR);
}

#[test]
fn any_other_interface_keeps_the_address_that_it_has() {
    assert_eq!(installed_on("wlan0", ""), BURNT_IN);
}

#[test]
fn the_configuration_can_name_another_one() {
    assert_eq!(installed_on("wlan0", "mac_variable = \"wifiaddr\""), WIFIADDR);
    assert_eq!(installed_on("eth0", "mac_variable = \"eth1addr\""), ETH1ADDR);
}

/// The configuration is corrected after a first start: eth0's address stays eth0's.
#[test]
fn the_address_of_one_interface_is_not_taken_along_to_another() {
    let board = UBootBoard::new(Format::Redundant, "redundant-only");
    board.save_environment(&[("ethaddr", ETHADDR)]);
    board.configure("interface = \"eth0\"\n");
    assert_eq!(board.run(&["restore"]).code, 0);
    assert_eq!(board.board.runtime_identity()["mac"], ETHADDR);
    board.write("sys/class/net/wlan0/address", format!("{}\n", BURNT_IN.to_lowercase()));
    board.write("sys/class/net/wlan0/addr_assign_type", "0\n");
    board.configure("interface = \"wlan0\"\n");
    assert_eq!(board.run(&["restore"]).code, 0);
    let link = board.board.path("sys/class/net/wlan0/address");
    assert_eq!(fs::read_to_string(link).expect("a link").trim(), BURNT_IN.to_lowercase());
    assert_eq!(board.board.runtime_identity()["mac"], BURNT_IN);
}
