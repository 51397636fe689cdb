//! A packet socket for ARP, packet(7).

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::libc;
use nix::net::if_::if_nametoindex;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, socket};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Sends and hears the ARP packets of one interface, without their Ethernet header.
#[derive(Debug)]
pub(crate) struct ArpSocket {
    socket: AsyncFd<OwnedFd>,
    interface: libc::c_int,
}

impl ArpSocket {
    /// # Errors
    /// `EPERM` without `CAP_NET_RAW`; `ENODEV` when there is no such interface.
    pub(crate) fn open(interface: &str) -> io::Result<Self> {
        let interface = if_nametoindex(interface)? as libc::c_int;
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        // Without a protocol it hears nothing until it is bound, so nothing of other interfaces.
        let socket = socket(AddressFamily::Packet, SockType::Datagram, flags, None)?;
        // SAFETY: the descriptor is open, and its owner keeps it so until it is dropped.
        let socket = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) }?;
        let socket = ArpSocket { socket, interface };
        let address = socket.address();
        // SAFETY: bind reads one sockaddr_ll, which lives until the call returns.
        let bound = unsafe {
            libc::bind(socket.socket.as_raw_fd(), (&raw const address).cast(), length_of(&address))
        };
        if bound == 0 { Ok(socket) } else { Err(io::Error::last_os_error()) }
    }

    /// Sends a packet to everybody on the link.
    ///
    /// # Errors
    /// As `sendto(2)`; `ENETDOWN` while the interface is down.
    pub(crate) fn broadcast(&self, packet: &[u8]) -> io::Result<()> {
        let address = self.address();
        // SAFETY: sendto reads the packet, as long as it is said to be, and one sockaddr_ll; both
        // live until the call returns.
        let sent = unsafe {
            libc::sendto(
                self.socket.as_raw_fd(),
                packet.as_ptr().cast(),
                packet.len(),
                0,
                (&raw const address).cast(),
                length_of(&address),
            )
        };
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Waits for a packet; how many bytes of it are in `buffer`.
    ///
    /// # Errors
    /// As `recv(2)`.
    pub(crate) async fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let receive = |socket: &OwnedFd| Ok(recv(socket.as_raw_fd(), buffer, MsgFlags::empty())?);
        self.socket.async_io(Interest::READABLE, receive).await
    }

    /// Everybody on the link.
    fn address(&self) -> libc::sockaddr_ll {
        libc::sockaddr_ll {
            sll_family: libc::AF_PACKET as u16,
            sll_protocol: (libc::ETH_P_ARP as u16).to_be(),
            sll_ifindex: self.interface,
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 6,
            sll_addr: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0],
        }
    }
}

fn length_of(address: &libc::sockaddr_ll) -> libc::socklen_t {
    mem::size_of_val(address) as libc::socklen_t
}
