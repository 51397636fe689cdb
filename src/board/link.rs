//! The kernel's network link: its MAC address in sysfs, and setting it live.

use std::fs;
use std::io;

use intercom_wire::Mac;
use log::{info, warn};
use nix::errno::Errno;

use super::{Known, LinkError, routes, runtime_files};
use crate::root::Root;
use crate::sys::link::{Ipv4Route, KernelLink};

/// The calls on an interface that need the kernel: a seam, since a driver that answers `EBUSY` is
/// not at hand on every machine.
pub trait Interface {
    /// Sets the link address.
    ///
    /// # Errors
    /// `EBUSY` when the driver does not take one while the interface is up.
    fn set_address(&self, octets: [u8; 6]) -> io::Result<()>;

    /// Whether it is up.
    ///
    /// # Errors
    /// As netdevice(7).
    fn is_up(&self) -> io::Result<bool>;

    /// Takes it up or down.
    ///
    /// # Errors
    /// As netdevice(7).
    fn set_up(&self, up: bool) -> io::Result<()>;

    /// Adds a route through it.
    ///
    /// # Errors
    /// `EEXIST` when it is there.
    fn add_route(&self, route: &Ipv4Route) -> io::Result<()>;
}

impl Interface for KernelLink {
    fn set_address(&self, octets: [u8; 6]) -> io::Result<()> {
        self.set_address(octets)
    }

    fn is_up(&self) -> io::Result<bool> {
        self.is_up()
    }

    fn set_up(&self, up: bool) -> io::Result<()> {
        self.set_up(up)
    }

    fn add_route(&self, route: &Ipv4Route) -> io::Result<()> {
        self.add_route(route)
    }
}

/// One interface of one board.
#[derive(Debug, Clone)]
pub struct Link {
    root: Root,
    interface: String,
}

impl Link {
    /// The interface of that name; whether it is there shows at the first call.
    pub fn new(root: Root, interface: impl Into<String>) -> Self {
        Link { root, interface: interface.into() }
    }

    /// The interface's name.
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// The MAC address that it has now, and the file it was read from.
    ///
    /// # Errors
    /// When there is no such interface, or its address is none that a panel can be known by.
    pub fn mac(&self) -> Result<Known<Mac>, LinkError> {
        let source = self.attribute_path("address");
        let path = self.root.path(&source);
        let text = fs::read_to_string(&path).map_err(|why| match why.kind() {
            io::ErrorKind::NotFound => LinkError::NoInterface { interface: self.interface.clone() },
            _ => LinkError::Unreadable { path: path.clone(), why },
        })?;
        let text = text.trim_end();
        let mac =
            text.parse().map_err(|why| LinkError::Unusable { path, text: text.to_owned(), why })?;
        Ok(Known::new(mac, source))
    }

    /// One of its attributes in sysfs: `addr_assign_type`, `operstate`, `ifindex` …
    pub fn attribute(&self, name: &str) -> Option<String> {
        let text = fs::read_to_string(self.root.path(self.attribute_path(name))).ok()?;
        Some(text.trim_end().to_owned())
    }

    fn attribute_path(&self, name: &str) -> String {
        format!("/sys/class/net/{}/{name}", self.interface)
    }

    /// Whether it has a carrier and no IPv4 address. One that cannot be asked lacks nothing that anyone
    /// could give it.
    pub(super) fn lacks_address(&self) -> bool {
        if self.root.is_sandbox() || self.attribute("carrier").as_deref() != Some("1") {
            return false;
        }
        let has = KernelLink::open(&self.interface).and_then(|link| link.has_ipv4_address());
        has.is_ok_and(|has| !has)
    }

    /// Sets the MAC address and reads it back. Does nothing when the link has it already.
    ///
    /// # Errors
    /// When the driver refuses it, or says yes and does not do it.
    pub fn set_mac(&self, mac: Mac) -> Result<(), LinkError> {
        if self.root.is_sandbox() {
            return self.set(mac, |octets| self.write_address(octets));
        }
        let kernel = KernelLink::open(&self.interface).map_err(|why| self.refused(mac, why))?;
        self.set_mac_through(&kernel, mac)
    }

    /// The same, through given kernel calls.
    ///
    /// # Errors
    /// As [`Link::set_mac`].
    pub fn set_mac_through(&self, kernel: &impl Interface, mac: Mac) -> Result<(), LinkError> {
        self.set(mac, |octets| match kernel.set_address(octets) {
            Err(why) if is_busy(&why) => self.set_while_down(kernel, octets),
            done => done,
        })
    }

    fn set(&self, mac: Mac, set: impl FnOnce([u8; 6]) -> io::Result<()>) -> Result<(), LinkError> {
        // An address that no panel can be known by is one more reason to set another.
        match self.mac() {
            Ok(has) if has.value == mac => return Ok(()),
            Ok(_) | Err(LinkError::Unusable { .. }) => {}
            Err(why) => return Err(why),
        }
        set(mac.octets()).map_err(|why| self.refused(mac, why))?;
        let found = self.mac()?.value;
        if found == mac {
            Ok(())
        } else {
            Err(LinkError::Ignored { interface: self.interface.clone(), wanted: mac, found })
        }
    }

    /// For a driver that wants the interface down first. Its IPv4 addresses stay; its routes go,
    /// and are put back. IPv6 addresses and routes go too: those from router advertisements come
    /// back by themselves, static ones are for a hook to set again.
    fn set_while_down(&self, kernel: &impl Interface, octets: [u8; 6]) -> io::Result<()> {
        if !kernel.is_up()? {
            return Err(Errno::EBUSY.into());
        }
        info!(
            "{} takes a MAC address only while it is down: taking it down and up again",
            self.interface
        );
        let before = self.routes();
        kernel.set_up(false)?;
        let set = kernel.set_address(octets);
        // Whatever came of it, the panel must not stay off the network.
        kernel.set_up(true)?;
        // The kernel has put back the networks of the addresses by itself.
        let after = self.routes();
        for route in before.into_iter().filter(|route| !after.contains(route)) {
            match kernel.add_route(&route) {
                Err(why) if why.raw_os_error() != Some(Errno::EEXIST as i32) => warn!(
                    "the route to {} through {} could not be put back: {why}",
                    route.destination, self.interface
                ),
                _ => {}
            }
        }
        set
    }

    fn routes(&self) -> Vec<Ipv4Route> {
        match fs::read_to_string(self.root.path(routes::TABLE)) {
            Ok(table) => routes::read(&table, &self.interface),
            Err(why) => {
                warn!("{} cannot be read, so that no route can be put back: {why}", routes::TABLE);
                Vec::new()
            }
        }
    }

    /// A sandboxed link is a plain file.
    fn write_address(&self, octets: [u8; 6]) -> io::Result<()> {
        let text = octets.map(|octet| format!("{octet:02x}")).join(":");
        let dir = self.root.path(format!("/sys/class/net/{}", self.interface));
        runtime_files::write_if_changed(&dir, "address", format!("{text}\n").as_bytes())
    }

    fn refused(&self, mac: Mac, why: io::Error) -> LinkError {
        LinkError::Refused { interface: self.interface.clone(), mac, why }
    }
}

fn is_busy(why: &io::Error) -> bool {
    why.raw_os_error() == Some(Errno::EBUSY as i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Sandbox;
    use std::os::unix::fs::MetadataExt;

    const ADDRESS: &str = "/sys/class/net/eth0/address";

    fn link(sandbox: &Sandbox) -> Link {
        Link::new(sandbox.root().clone(), "eth0")
    }

    fn mac(text: &str) -> Mac {
        text.parse().expect("a MAC")
    }

    #[test]
    fn a_sandboxed_link_is_a_file() {
        let sandbox = Sandbox::new();
        let file = sandbox.write(ADDRESS, "aa:bb:cc:dd:ee:ff\n");
        let link = link(&sandbox);
        assert_eq!(link.mac().expect("readable"), Known::new(mac("AA:BB:CC:DD:EE:FF"), ADDRESS));
        link.set_mac(mac("22:0D:CE:38:E7:15")).expect("set");
        assert_eq!(fs::read_to_string(file).expect("readable"), "22:0d:ce:38:e7:15\n");
        assert_eq!(link.attribute("operstate"), None);
    }

    #[test]
    fn setting_the_address_that_it_has_touches_nothing() {
        let sandbox = Sandbox::new();
        // Not how the agent itself would write it.
        let file = sandbox.write(ADDRESS, "AA-BB-CC-DD-EE-FF");
        let before = fs::metadata(&file).expect("there").ino();
        link(&sandbox).set_mac(mac("AA:BB:CC:DD:EE:FF")).expect("nothing to do");
        assert_eq!(fs::metadata(&file).expect("there").ino(), before);
    }

    #[test]
    fn an_address_that_no_panel_can_have_is_told_and_can_be_replaced() {
        let sandbox = Sandbox::new();
        sandbox.write(ADDRESS, "00:00:00:00:00:00\n");
        let why = link(&sandbox).mac().expect_err("all zeros").to_string();
        assert!(why.contains("`00:00:00:00:00:00`") && why.contains("all zeros"), "{why}");
        link(&sandbox).set_mac(mac("22:0D:CE:38:E7:15")).expect("set");
    }

    #[test]
    fn an_absent_interface_is_named() {
        let link = Link::new(Root::system(), "none0");
        let why = link.mac().expect_err("no interface").to_string();
        assert!(why.starts_with("there is no network interface none0: set `interface`"), "{why}");
        let why = link.set_mac(mac("22:0D:CE:38:E7:15")).expect_err("no interface");
        assert!(matches!(why, LinkError::NoInterface { .. }), "{why}");
    }
}
