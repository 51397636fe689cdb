//! A panel's link and what it leads to, in a test's own namespace.

use std::net::Ipv4Addr;

use crate::{OLD, ip};

/// Whoever the panel talks to.
pub const LAN: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// The panel's link is one end of a cable; the broker is in a network of its own at the other end.
pub fn lan() {
    ip("link set lo up");
    ip("netns add lan");
    ip(&format!("link add eth0 address {OLD} type veth peer name wall netns lan"));
    ip("-n lan link set lo up");
    ip("-n lan link set wall up");
    ip(&format!("-n lan addr add {LAN}/24 dev wall"));
    ip("link set eth0 up");
    ip("addr add 192.0.2.10/24 dev eth0");
    // Neighbours hear of a new MAC at once, as they do through the hook for it.
    std::fs::write("/proc/sys/net/ipv4/conf/eth0/arp_notify", "1").expect("written");
}

/// What the kernel says that the link's MAC is.
pub fn kernels_mac() -> String {
    let shown = ip("-o link show eth0");
    let mac = shown.split("link/ether ").nth(1).and_then(|rest| rest.split(' ').next());
    mac.expect("a MAC").to_uppercase()
}
