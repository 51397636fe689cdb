//! What happens to links and their IPv4 addresses, as the kernel tells it: the groups of rtnetlink(7).

use std::io;
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::SockFlag;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::netlink;

/// Where the index of the interface is in an `ifinfomsg` and in an `ifaddrmsg`.
const INDEX: usize = 4;

/// The kernel's messages, from now on.
#[derive(Debug)]
pub struct LinkEvents(AsyncFd<OwnedFd>);

impl LinkEvents {
    /// Must be called on the runtime.
    ///
    /// # Errors
    /// As `socket(2)`, `bind(2)` and `epoll_ctl(2)`.
    pub fn open() -> io::Result<Self> {
        let groups = libc::RTMGRP_LINK | libc::RTMGRP_IPV4_IFADDR;
        let socket = netlink::open(groups, SockFlag::SOCK_NONBLOCK)?;
        // SAFETY: an OwnedFd always gives the same open descriptor, until it is dropped with the AsyncFd.
        let socket = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) }?;
        Ok(LinkEvents(socket))
    }

    /// Waits for messages, reads all that have come, and tells whether any of them is about the
    /// interface of this index when they are read. It may be if messages were lost. If it is dropped
    /// before, nothing is lost.
    ///
    /// # Errors
    /// As `recv(2)`.
    pub async fn next_is_about(&self, index: impl FnOnce() -> u32) -> io::Result<bool> {
        let mut ready = self.0.readable().await?;
        ready.clear_ready();
        let index = index().to_ne_bytes();
        let mut buffer = [0; netlink::BUFFER];
        let mut any = false;
        loop {
            match netlink::receive(self.0.get_ref(), &mut buffer) {
                Ok(received) => {
                    any |= netlink::messages(received)
                        .any(|message| message.body.get(INDEX..INDEX + 4) == Some(&index));
                }
                Err(Errno::EAGAIN) => return Ok(any),
                Err(Errno::ENOBUFS) => any = true,
                Err(Errno::EINTR) => {}
                Err(why) => return Err(why.into()),
            }
        }
    }
}
