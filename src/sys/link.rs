//! The interface ioctls of netdevice(7) and the route ioctl of `net/ipv4/fib_frontend.c`.

use std::ffi::CString;
use std::io;
use std::mem;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

/// The raw calls; `nix` makes them public functions of their module.
mod raw {
    use nix::libc;

    nix::ioctl_read_bad!(
        /// `SIOCGIFFLAGS`.
        get_flags,
        libc::SIOCGIFFLAGS,
        libc::ifreq
    );
    nix::ioctl_read_bad!(
        /// `SIOCGIFADDR`.
        get_address,
        libc::SIOCGIFADDR,
        libc::ifreq
    );
    nix::ioctl_write_ptr_bad!(
        /// `SIOCSIFFLAGS`.
        set_flags,
        libc::SIOCSIFFLAGS,
        libc::ifreq
    );
    nix::ioctl_write_ptr_bad!(
        /// `SIOCSIFHWADDR`.
        set_hardware_address,
        libc::SIOCSIFHWADDR,
        libc::ifreq
    );
    nix::ioctl_write_ptr_bad!(
        /// `SIOCADDRT`.
        add_route,
        libc::SIOCADDRT,
        libc::rtentry
    );
}

/// One network interface of the kernel, by name.
#[derive(Debug)]
pub struct KernelLink {
    pub(super) socket: OwnedFd,
    name: CString,
}

/// An IPv4 route as `SIOCADDRT` takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ipv4Route {
    /// The network that it leads to.
    pub destination: Ipv4Addr,
    /// The network's mask.
    pub mask: Ipv4Addr,
    /// The next hop; `0.0.0.0` where the network is on the link itself.
    pub gateway: Ipv4Addr,
    /// `RTF_UP`, `RTF_GATEWAY`, `RTF_HOST` … of `linux/route.h`.
    pub flags: u16,
    /// Its priority; the lowest wins.
    pub metric: i16,
    /// The MTU along it, 0 for the link's.
    pub mtu: u32,
    /// The TCP window along it, 0 for none.
    pub window: u32,
    /// The initial round trip time, in milliseconds, 0 for none.
    pub rtt: u16,
}

impl KernelLink {
    /// The interface called `name`; whether it is there shows at the first call.
    ///
    /// # Errors
    /// `InvalidInput` when the name is empty or longer than 15 bytes; as `socket(2)` otherwise.
    pub fn open(name: &str) -> io::Result<Self> {
        if name.is_empty() || name.len() >= libc::IFNAMSIZ {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let name = CString::new(name)?;
        let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
        Ok(KernelLink { socket, name })
    }

    /// Whether the interface is up (`IFF_UP`), with or without a carrier.
    ///
    /// # Errors
    /// As netdevice(7); `ENODEV` when there is no such interface.
    pub fn is_up(&self) -> io::Result<bool> {
        Ok(self.flags()? & libc::IFF_UP as libc::c_short != 0)
    }

    /// Whether the interface has an IPv4 address.
    ///
    /// # Errors
    /// As netdevice(7); `ENODEV` when there is no such interface.
    pub fn has_ipv4_address(&self) -> io::Result<bool> {
        let address = inet(Ipv4Addr::UNSPECIFIED);
        let mut request = self.request(libc::__c_anonymous_ifr_ifru { ifru_addr: address });
        // SAFETY: SIOCGIFADDR fills in one ifreq, which lives until the call returns.
        match unsafe { raw::get_address(self.socket.as_raw_fd(), &mut request) } {
            Ok(_) => Ok(true),
            Err(Errno::EADDRNOTAVAIL) => Ok(false),
            Err(why) => Err(why.into()),
        }
    }

    /// Takes the interface up or down. Taken down, it loses its routes and its IPv6 addresses.
    ///
    /// # Errors
    /// As netdevice(7); `EPERM` without `CAP_NET_ADMIN`.
    pub fn set_up(&self, up: bool) -> io::Result<()> {
        let flag = libc::IFF_UP as libc::c_short;
        let flags = self.flags()?;
        let request = self.request(libc::__c_anonymous_ifr_ifru {
            ifru_flags: if up { flags | flag } else { flags & !flag },
        });
        // SAFETY: SIOCSIFFLAGS reads one ifreq, which lives until the call returns.
        unsafe { raw::set_flags(self.socket.as_raw_fd(), &request) }?;
        Ok(())
    }

    /// Sets the link address of an Ethernet interface.
    ///
    /// # Errors
    /// As netdevice(7); `EBUSY` when the driver does not take one while the interface is up.
    pub fn set_address(&self, octets: [u8; 6]) -> io::Result<()> {
        let mut address = inet(Ipv4Addr::UNSPECIFIED);
        address.sa_family = libc::ARPHRD_ETHER;
        for (to, from) in address.sa_data.iter_mut().zip(octets) {
            *to = from as libc::c_char;
        }
        let request = self.request(libc::__c_anonymous_ifr_ifru { ifru_hwaddr: address });
        // SAFETY: SIOCSIFHWADDR reads one ifreq, which lives until the call returns.
        unsafe { raw::set_hardware_address(self.socket.as_raw_fd(), &request) }?;
        Ok(())
    }

    /// Asks whether the interface's driver can set its address at all, and changes nothing: an
    /// address of no known kind is refused (`EINVAL`) right after that question (`net/core/dev.c`).
    /// Setting the address that it has would make a random one look like one that somebody gave.
    ///
    /// # Errors
    /// As netdevice(7); `EOPNOTSUPP` when it cannot, `EPERM` without `CAP_NET_ADMIN`.
    pub fn takes_address(&self) -> io::Result<()> {
        let mut address = inet(Ipv4Addr::UNSPECIFIED);
        address.sa_family = libc::ARPHRD_VOID;
        let request = self.request(libc::__c_anonymous_ifr_ifru { ifru_hwaddr: address });
        // SAFETY: SIOCSIFHWADDR reads one ifreq, which lives until the call returns.
        match unsafe { raw::set_hardware_address(self.socket.as_raw_fd(), &request) } {
            Ok(_) | Err(Errno::EINVAL) => Ok(()),
            Err(why) => Err(why.into()),
        }
    }

    /// Adds a route through this interface to the main table.
    ///
    /// # Errors
    /// As the kernel's `ip_rt_ioctl`; `EEXIST` when it is there already.
    pub fn add_route(&self, route: &Ipv4Route) -> io::Result<()> {
        // SAFETY: an rtentry is integers, addresses and pointers, for all of which zero is a value.
        let mut entry: libc::rtentry = unsafe { mem::zeroed() };
        entry.rt_dst = inet(route.destination);
        entry.rt_genmask = inet(route.mask);
        entry.rt_gateway = inet(route.gateway);
        entry.rt_flags = route.flags;
        // The kernel takes one off, so that zero can stand for "not given".
        entry.rt_metric = route.metric.saturating_add(1);
        entry.rt_mtu = route.mtu.into();
        entry.rt_window = route.window.into();
        entry.rt_irtt = route.rtt;
        entry.rt_dev = self.name.as_ptr().cast_mut();
        // SAFETY: SIOCADDRT reads one rtentry and the name that it points to, never writes to the
        // name, and both live until the call returns.
        unsafe { raw::add_route(self.socket.as_raw_fd(), &entry) }?;
        Ok(())
    }

    fn flags(&self) -> io::Result<libc::c_short> {
        let mut request = self.request(libc::__c_anonymous_ifr_ifru { ifru_flags: 0 });
        // SAFETY: SIOCGIFFLAGS fills in one ifreq, which lives until the call returns; after it
        // succeeded the union holds the flags.
        unsafe {
            raw::get_flags(self.socket.as_raw_fd(), &mut request)?;
            Ok(request.ifr_ifru.ifru_flags)
        }
    }

    fn request(&self, value: libc::__c_anonymous_ifr_ifru) -> libc::ifreq {
        libc::ifreq { ifr_name: self.name_field(), ifr_ifru: value }
    }

    /// The name as the kernel's requests hold it.
    pub(super) fn name_field(&self) -> [libc::c_char; libc::IFNAMSIZ] {
        // The name is shorter than the field, so that a NUL ends it.
        let mut field = [0; libc::IFNAMSIZ];
        for (to, from) in field.iter_mut().zip(self.name.as_bytes()) {
            *to = *from as libc::c_char;
        }
        field
    }
}

/// A `sockaddr` that is a `sockaddr_in` without a port.
pub(super) fn inet(address: Ipv4Addr) -> libc::sockaddr {
    let mut data = [0; 14];
    for (to, from) in data[2..].iter_mut().zip(address.octets()) {
        *to = from as libc::c_char;
    }
    libc::sockaddr { sa_family: libc::AF_INET as libc::sa_family_t, sa_data: data }
}
