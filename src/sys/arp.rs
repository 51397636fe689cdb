//! The kernel's ARP table, and how to make the kernel ask; arp(7) and ip(7).

use std::io;
use std::mem;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::libc;
use nix::net::if_::if_nametoindex;
use nix::sys::socket::{
    ControlMessage, MsgFlags, SockaddrIn, sendmsg, setsockopt, sockopt::DontRoute,
};

use super::link::{KernelLink, inet};

/// The discard port, RFC 863.
const DISCARD: u16 = 9;

/// The raw calls; `nix` makes them public functions of their module.
mod raw {
    use nix::libc;

    nix::ioctl_write_ptr_bad!(
        /// `SIOCDARP`.
        delete,
        libc::SIOCDARP,
        libc::arpreq
    );
    nix::ioctl_write_ptr_bad!(
        /// `SIOCSARP`.
        set,
        libc::SIOCSARP,
        libc::arpreq
    );
}

/// The part of the table for one interface.
#[derive(Debug)]
pub(crate) struct ArpTable {
    link: KernelLink,
    index: libc::c_int,
}

impl ArpTable {
    /// # Errors
    /// `ENODEV` when there is no such interface.
    pub(crate) fn open(interface: &str) -> io::Result<Self> {
        let link = KernelLink::open(interface)?;
        // Only hosts on the link are neighbours: nothing must go to a gateway.
        setsockopt(&link.socket, DontRoute, &true)?;
        let index = if_nametoindex(interface)? as libc::c_int;
        Ok(ArpTable { link, index })
    }

    /// Deletes what the kernel has learnt about an address. It need not have an entry.
    ///
    /// # Errors
    /// `EPERM` without `CAP_NET_ADMIN`.
    pub(crate) fn forget(&self, address: Ipv4Addr) -> io::Result<()> {
        let request = self.request(address);
        // SAFETY: SIOCDARP reads one arpreq, which lives until the call returns.
        match unsafe { raw::delete(self.link.socket.as_raw_fd(), &request) } {
            // There is no entry.
            Ok(_) | Err(Errno::ENXIO) => Ok(()),
            Err(why) => Err(why.into()),
        }
    }

    /// Puts an entry into the table, as stale: the kernel verifies it when it uses it.
    ///
    /// # Errors
    /// `EPERM` without `CAP_NET_ADMIN`.
    pub(crate) fn put(&self, address: Ipv4Addr, octets: [u8; 6]) -> io::Result<()> {
        let mut request = self.request(address);
        request.arp_flags = libc::ATF_COM;
        request.arp_ha.sa_family = libc::ARPHRD_ETHER;
        for (to, from) in request.arp_ha.sa_data.iter_mut().zip(octets) {
            *to = from as libc::c_char;
        }
        // SAFETY: SIOCSARP reads one arpreq, which lives until the call returns.
        unsafe { raw::set(self.link.socket.as_raw_fd(), &request) }?;
        Ok(())
    }

    /// Makes the kernel ask on the link who has an address that is not in its table: it gets an empty
    /// datagram to send there, and must know the MAC address first.
    ///
    /// # Errors
    /// As `sendmsg(2)`; `EPERM` if a firewall blocks it.
    pub(crate) fn ask(&self, address: Ipv4Addr) -> io::Result<()> {
        // Through this interface, whatever the routes say. SO_BINDTODEVICE does the same, but needs
        // CAP_NET_RAW before Linux 5.7.
        let any = libc::in_addr { s_addr: libc::INADDR_ANY };
        let out = libc::in_pktinfo { ipi_ifindex: self.index, ipi_spec_dst: any, ipi_addr: any };
        sendmsg(
            self.link.socket.as_raw_fd(),
            &[],
            &[ControlMessage::Ipv4PacketInfo(&out)],
            MsgFlags::MSG_DONTWAIT,
            Some(&SockaddrIn::from(SocketAddrV4::new(address, DISCARD))),
        )?;
        Ok(())
    }

    fn request(&self, address: Ipv4Addr) -> libc::arpreq {
        // SAFETY: an arpreq is integers and arrays of them, for all of which zero is a value.
        let mut request: libc::arpreq = unsafe { mem::zeroed() };
        request.arp_pa = inet(address);
        request.arp_dev = self.link.name_field();
        request
    }
}
