//! The IPv4 routes of one interface, as `/proc/net/route` lists them.

use std::fs;
use std::io;
use std::net::Ipv4Addr;

use crate::root::Root;
use crate::sys::link::Ipv4Route;

pub(super) const TABLE: &str = "/proc/net/route";

/// `RTF_GATEWAY` of `linux/route.h`.
const GATEWAY: u16 = 0x0002;

/// The gateways of the routes through an interface.
///
/// # Errors
/// When the table cannot be read.
pub fn gateways(root: &Root, interface: &str) -> io::Result<Vec<Ipv4Addr>> {
    let routes = read(&fs::read_to_string(root.path(TABLE))?, interface);
    let gateways = routes.into_iter().filter(|route| route.flags & GATEWAY != 0);
    Ok(gateways.map(|route| route.gateway).collect())
}

/// Reads the routes through `interface`: those on the link first, then those by way of a gateway,
/// which the kernel only takes once it can be reached. A line that cannot be read is passed over.
pub(super) fn read(table: &str, interface: &str) -> Vec<Ipv4Route> {
    let mut routes: Vec<_> =
        table.lines().skip(1).filter_map(|line| route(line, interface)).collect();
    routes.sort_by_key(|route| route.flags & GATEWAY);
    routes
}

/// `Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT`
fn route(line: &str, interface: &str) -> Option<Ipv4Route> {
    let mut fields = line.split_ascii_whitespace();
    if fields.next()? != interface {
        return None;
    }
    let destination = address(fields.next()?)?;
    let gateway = address(fields.next()?)?;
    let flags = u16::from_str_radix(fields.next()?, 16).ok()?;
    let metric = fields.nth(2)?.parse().ok()?;
    let mask = address(fields.next()?)?;
    Some(Ipv4Route {
        destination,
        mask,
        gateway,
        flags,
        metric,
        mtu: fields.next()?.parse().ok()?,
        window: fields.next()?.parse().ok()?,
        rtt: fields.next()?.parse().ok()?,
    })
}

/// An address in network order, printed as the integer that this machine sees in it.
fn address(hex: &str) -> Option<Ipv4Addr> {
    let word = u32::from_str_radix(hex, 16).ok()?;
    Some(Ipv4Addr::from(word.to_ne_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TABLE: &str = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t1400\t0\t0
eth1\t0003A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth0\tnonsense
";

    #[test]
    #[cfg(target_endian = "little")]
    fn routes_of_one_interface_with_the_gateways_last() {
        let routes = read(TABLE, "eth0");
        assert_eq!(routes.len(), 2);
        assert_eq!(routes[0].destination, Ipv4Addr::new(192, 168, 2, 0));
        assert_eq!(routes[0].mask, Ipv4Addr::new(255, 255, 255, 0));
        assert_eq!(routes[0].mtu, 1400);
        assert_eq!(routes[1].gateway, Ipv4Addr::new(192, 168, 2, 1));
        assert_eq!(routes[1].metric, 100);
    }

    proptest! {
        #[test]
        fn no_table_makes_the_reader_panic(table in "\\PC{0,80}(\n(eth0\t)?[0-9A-F\t]{0,90}){0,4}") {
            let _ = read(&table, "eth0");
        }
    }
}
