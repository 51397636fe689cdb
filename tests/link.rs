//! The board's link against the kernel: each test in a network namespace of its own.
#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::cell::Cell;
use std::io;

use intercom_agent::board::{Interface, Ipv4Route, KernelLink, Link, LinkError, survey};
use intercom_agent::config;
use intercom_agent::record::Reading;
use intercom_agent::root::Root;
use intercom_test_support::{in_a_namespace, ip};
use intercom_wire::Mac;
use nix::errno::Errno;

const OLD: &str = "AA:BB:CC:DD:EE:FE";
const NEW: &str = "22:0D:CE:38:E7:15";

fn mac(text: &str) -> Mac {
    text.parse().expect("a MAC")
}

/// A veth pair as the panel's link: up, with an address and routes of every kind.
fn panel() -> Link {
    ip(&format!("link add eth0 address {OLD} type veth peer name wall"));
    ip("link set wall up");
    ip("link set eth0 up");
    ip("addr add 192.0.2.10/24 dev eth0");
    ip("route add default via 192.0.2.1 dev eth0 metric 100");
    ip("route add 198.51.100.0/24 via 192.0.2.2 dev eth0");
    ip("route add 203.0.113.7/32 dev eth0 metric 7");
    // Another interface's routes are none of our business.
    ip("link add eth1 type veth peer name wall1");
    ip("link set eth1 up");
    ip("addr add 10.9.0.1/24 dev eth1");
    Link::new(Root::system(), "eth0")
}

/// A driver that does something else than the one at hand.
struct Driver {
    kernel: KernelLink,
    busy: fn(up: bool) -> bool,
    lies: bool,
    calls: Cell<u32>,
}

impl Driver {
    fn new(busy: fn(bool) -> bool, lies: bool) -> Self {
        let kernel = KernelLink::open("eth0").expect("a socket");
        Driver { kernel, busy, lies, calls: Cell::new(0) }
    }
}

impl Interface for Driver {
    fn set_address(&self, octets: [u8; 6]) -> io::Result<()> {
        self.calls.set(self.calls.get() + 1);
        match (self.busy)(self.kernel.is_up()?) {
            true => Err(Errno::EBUSY.into()),
            false if self.lies => Ok(()),
            false => self.kernel.set_address(octets),
        }
    }

    fn is_up(&self) -> io::Result<bool> {
        self.kernel.is_up()
    }

    fn set_up(&self, up: bool) -> io::Result<()> {
        self.kernel.set_up(up)
    }

    fn add_route(&self, route: &Ipv4Route) -> io::Result<()> {
        self.kernel.add_route(route)
    }
}

#[test]
fn a_mac_is_set_while_the_link_is_up() {
    in_a_namespace("a_mac_is_set_while_the_link_is_up", || {
        let link = panel();
        let routes = ip("-4 route show");
        assert_eq!(link.mac().expect("readable").value, mac(OLD));
        link.set_mac(mac(NEW)).expect("set");
        assert!(ip("link show eth0").contains(&format!("link/ether {}", NEW.to_lowercase())));
        assert_eq!(link.mac().expect("readable").value, mac(NEW));
        assert_eq!(ip("-4 route show"), routes);
        link.set_mac(mac(OLD)).expect("and back");
        assert_eq!(link.mac().expect("readable").value, mac(OLD));
    });
}

#[test]
fn a_driver_that_wants_the_link_down_gets_it_and_the_routes_are_put_back() {
    in_a_namespace("a_driver_that_wants_the_link_down_gets_it_and_the_routes_are_put_back", || {
        let link = panel();
        let (routes, addresses) = (ip("-4 route show"), ip("-4 addr show eth0"));
        assert_eq!(routes.matches("dev eth0").count(), 4, "{routes}");
        let driver = Driver::new(|up| up, false);
        link.set_mac_through(&driver, mac(NEW)).expect("set");
        assert_eq!(driver.calls.get(), 2);
        assert_eq!(link.mac().expect("readable").value, mac(NEW));
        assert!(driver.is_up().expect("readable"));
        assert_eq!(ip("-4 route show"), routes);
        assert_eq!(ip("-4 addr show eth0"), addresses);
    });
}

#[test]
fn a_driver_that_always_refuses_leaves_the_link_as_it_was() {
    in_a_namespace("a_driver_that_always_refuses_leaves_the_link_as_it_was", || {
        let link = panel();
        let routes = ip("-4 route show");
        let driver = Driver::new(|_| true, false);
        let why = link.set_mac_through(&driver, mac(NEW)).expect_err("refused");
        assert!(matches!(why, LinkError::Refused { .. }), "{why}");
        assert!(
            why.to_string().starts_with(&format!("eth0 does not take the MAC address {NEW}: "))
        );
        assert!(driver.is_up().expect("readable"));
        assert_eq!(link.mac().expect("readable").value, mac(OLD));
        assert_eq!(ip("-4 route show"), routes);
    });
}

#[test]
fn a_link_that_was_down_stays_down() {
    in_a_namespace("a_link_that_was_down_stays_down", || {
        let link = panel();
        ip("link set eth0 down");
        let refusing = Driver::new(|_| true, false);
        link.set_mac_through(&refusing, mac(NEW)).expect_err("refused");
        assert_eq!(refusing.calls.get(), 1);
        link.set_mac(mac(NEW)).expect("set");
        assert_eq!(link.mac().expect("readable").value, mac(NEW));
        assert!(!refusing.is_up().expect("readable"));
    });
}

#[test]
fn a_driver_that_lies_is_found_out() {
    in_a_namespace("a_driver_that_lies_is_found_out", || {
        let link = panel();
        let why = link.set_mac_through(&Driver::new(|_| false, true), mac(NEW)).expect_err("a lie");
        let LinkError::Ignored { wanted, found, .. } = why else { panic!("{why}") };
        assert_eq!((wanted, found), (mac(NEW), mac(OLD)));
    });
}

#[test]
fn the_mac_that_the_link_has_is_not_set_again() {
    in_a_namespace("the_mac_that_the_link_has_is_not_set_again", || {
        let link = panel();
        let driver = Driver::new(|up| up, false);
        link.set_mac_through(&driver, mac(OLD)).expect("nothing to do");
        assert_eq!(driver.calls.get(), 0);
    });
}

#[test]
fn the_kernel_tells_a_random_address_from_one_that_was_set() {
    in_a_namespace("the_kernel_tells_a_random_address_from_one_that_was_set", || {
        ip("link add eth0 type veth peer name wall");
        let settings = config::parse("", "a.toml".as_ref()).expect("the defaults");
        let kind = || {
            let found = survey(&Root::system(), &settings, &|_| Reading::Absent);
            serde_json::to_value(found).expect("JSON")["mac"]["kind"].clone()
        };
        assert_eq!(kind(), "random");
        Link::new(Root::system(), "eth0").set_mac(mac(NEW)).expect("set");
        assert_eq!(kind(), "real");
    });
}
