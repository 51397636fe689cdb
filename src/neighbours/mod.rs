//! Neighbours on the LAN: whether another board answers to a MAC address now.
//!
//! The kernel's table says where a neighbour was; only a fresh answer says that it is there.

mod arp;
mod table;

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use log::warn;
use tokio::time::timeout;

use crate::board::{Link, Root};
use crate::contract::Mac;
use crate::decide::Holder;
use crate::sys::packet::ArpSocket;

const TABLE: &str = "/proc/net/arp";
/// How often each address is asked: a packet may be lost.
const ROUNDS: usize = 2;
/// How long an answer to one round is waited for.
const PATIENCE: Duration = Duration::from_millis(500);
/// How many addresses are asked at most; a router may answer for a whole network.
const MAX_ADDRESSES: usize = 16;

/// The LAN behind one interface of this machine.
#[derive(Debug)]
pub struct Neighbours {
    interface: String,
    warned: AtomicBool,
}

/// The IPv4 addresses at which the kernel has met a MAC address on an interface, perhaps long ago.
///
/// # Errors
/// When the table cannot be read.
pub fn met(root: &Root, interface: &str, mac: Mac) -> io::Result<Vec<Ipv4Addr>> {
    let table = fs::read_to_string(root.path(TABLE))?;
    Ok(table::addresses_of(&table, interface, mac))
}

impl Neighbours {
    /// The neighbours behind an interface.
    pub fn new(interface: impl Into<String>) -> Self {
        Neighbours { interface: interface.into(), warned: AtomicBool::new(false) }
    }

    /// Whether another board has a MAC address now; takes a second at most. Where nobody can be asked,
    /// nobody has it, with a warning the first time.
    pub async fn holder(&self, mac: Mac) -> Holder {
        match self.answers(mac).await {
            Ok(true) => Holder::AnotherBoard(None),
            Ok(false) => Holder::Nobody,
            Err(why) => {
                if !self.warned.swap(true, Ordering::Relaxed) {
                    warn!(
                        "the neighbours on {} cannot be asked who has {mac}: {why}; only the broker \
                         can tell of a conflict (asking needs CAP_NET_RAW)",
                        self.interface
                    );
                }
                Holder::Nobody
            }
        }
    }

    /// Whether a fresh probe of the addresses where the kernel has met it is answered by this MAC.
    ///
    /// # Errors
    /// `PermissionDenied` without `CAP_NET_RAW`; as the interface's otherwise.
    pub async fn answers(&self, mac: Mac) -> io::Result<bool> {
        let root = Root::system();
        let mut addresses = met(&root, &self.interface, mac)?;
        addresses.truncate(MAX_ADDRESSES);
        if addresses.is_empty() {
            return Ok(false);
        }
        let own = Link::new(root, &self.interface).mac().map_err(io::Error::other)?.value;
        let socket = ArpSocket::open(&self.interface)?;
        for _ in 0..ROUNDS {
            for address in &addresses {
                socket.broadcast(&arp::probe(own, *address))?;
            }
            if let Ok(heard) = timeout(PATIENCE, hear(&socket, mac)).await {
                return heard.map(|()| true);
            }
        }
        Ok(false)
    }
}

/// Ready once a packet from this MAC has come.
async fn hear(socket: &ArpSocket, mac: Mac) -> io::Result<()> {
    let mut packet = [0; arp::LENGTH];
    loop {
        let length = socket.receive(&mut packet).await?;
        if arp::sender(&packet[..length]) == Some(mac) {
            return Ok(());
        }
    }
}
