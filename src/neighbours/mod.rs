//! Neighbours on the LAN: whether another board answers to a MAC address now.
//!
//! The kernel's ARP table says where a neighbour was. Only a fresh answer proves that it is there. So
//! an entry is deleted and the kernel asks again: what is in the table then is fresh.

mod table;

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use intercom_wire::Mac;
use log::warn;
use table::Entry;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

use crate::board::{Link, gateways};
use crate::decide::MacOwner;
use crate::root::Root;
use crate::sys::arp::ArpTable;

const TABLE: &str = "/proc/net/arp";
/// How often each address is asked: a packet may get lost.
const ROUNDS: usize = 2;
/// How long one round waits for an answer.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long after the question the table is read first, since an answer mostly comes within
/// milliseconds. The time doubles with each read, up to the end of the round.
const FIRST_READ: Duration = Duration::from_millis(20);
/// How many addresses are asked at most; a router may answer for a whole network.
const MAX_ADDRESSES: usize = 16;
/// How many neighbours are remembered at most.
const MAX_REMEMBERED: usize = 32;
/// How many MAC addresses are looked up at once: each needs a socket, and reads the table often.
const AT_ONCE: usize = 4;

/// The LAN on one interface.
#[derive(Debug)]
pub struct Neighbours {
    interface: String,
    turns: Semaphore,
    warned: AtomicBool,
    /// The neighbours that the kernel had met, the newest first. It forgets them all when the link gets
    /// another MAC address.
    remembered: Mutex<Vec<Entry>>,
}

/// The IPv4 addresses at which the kernel has met a MAC address on an interface, perhaps long ago.
///
/// # Errors
/// When the table cannot be read.
pub fn met(root: &Root, interface: &str, mac: Mac) -> io::Result<Vec<Ipv4Addr>> {
    let there = entries(root, interface)?.into_iter().filter(|entry| entry.mac == mac);
    Ok(there.map(|entry| entry.address).collect())
}

fn entries(root: &Root, interface: &str) -> io::Result<Vec<Entry>> {
    Ok(table::entries_of(&fs::read_to_string(root.path(TABLE))?, interface))
}

/// What came of asking the neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// How many were asked.
    pub neighbours: usize,
    /// Whether one of them has answered.
    pub answered: bool,
}

impl Neighbours {
    /// The neighbours on an interface.
    pub fn new(interface: impl Into<String>) -> Self {
        Neighbours {
            interface: interface.into(),
            turns: Semaphore::new(AT_ONCE),
            warned: AtomicBool::new(false),
            remembered: Mutex::default(),
        }
    }

    /// Who else has a MAC address now, as far as the LAN can tell. Takes a second at most, and waits before
    /// that while many others are looked up.
    ///
    /// Where this agent may not ask at all, only the broker can tell of a conflict: the answer is
    /// `Nobody`, with a warning the first time. Any other failure passes, and leaves the owner unknown.
    pub async fn owner(&self, mac: Mac) -> MacOwner {
        // Never closed.
        let _turn = self.turns.acquire().await;
        let is_own =
            Link::new(Root::system(), &self.interface).mac().is_ok_and(|own| own.value == mac);
        let found = if is_own { self.has_double(mac).await } else { self.answers(mac).await };
        match found {
            Ok(true) => MacOwner::AnotherBoard(None),
            Ok(false) => MacOwner::Nobody,
            Err(why) if why.kind() == io::ErrorKind::PermissionDenied => {
                if !self.warned.swap(true, Ordering::Relaxed) {
                    warn!(
                        "the neighbours on {} cannot be asked who has {mac}: {why}; only the broker \
                         can tell of a conflict (asking needs CAP_NET_ADMIN, and a \
                         firewall that lets UDP out to port 9)",
                        self.interface
                    );
                }
                MacOwner::Nobody
            }
            Err(why) => {
                warn!(
                    "the neighbours on {} could not be asked who has {mac}: {why}",
                    self.interface
                );
                MacOwner::Unknown(None)
            }
        }
    }

    /// Whether this MAC address answers at one of the IPv4 addresses where the kernel has met it. An
    /// entry that an administrator has made proves nothing and is not touched. If two boards answer at
    /// one address, the kernel keeps the first answer.
    ///
    /// # Errors
    /// `PermissionDenied` without `CAP_NET_ADMIN`; otherwise an error of the table or the interface.
    pub async fn answers(&self, mac: Mac) -> io::Result<bool> {
        let mut met = self.met()?;
        self.remember(&met);
        met.retain(|entry| entry.mac == mac);
        for old in self.remembered().iter().filter(|old| old.mac == mac) {
            if !met.contains(old) {
                met.push(*old);
            }
        }
        met.truncate(MAX_ADDRESSES);
        if met.is_empty() {
            return Ok(false);
        }
        let kernel = ArpTable::open(&self.interface)?;
        let addresses: Vec<_> = met.iter().map(|entry| entry.address).collect();
        let answers = self.ask(&kernel, &addresses, |known| known == mac).await;
        self.put_back(&kernel, &met)?;
        answers
    }

    /// Whether another board has the MAC address that this board's link was given a while ago. All that
    /// the kernel has met before is asked. A switch does not carry the answer, from this address to
    /// this address, but the question: a board that is asked so meets its double.
    async fn has_double(&self, mac: Mac) -> io::Result<bool> {
        if self.has_met_double(mac)? {
            return Ok(true);
        }
        let addresses: Vec<_> = self.remembered().iter().map(|entry| entry.address).collect();
        if addresses.is_empty() {
            return Ok(false);
        }
        let kernel = ArpTable::open(&self.interface)?;
        self.ask(&kernel, &addresses, |known| known == mac).await?;
        self.has_met_double(mac)
    }

    /// Whether the kernel has met the link's own MAC address. It forgot all neighbours when the link got
    /// it. Where they were is remembered, to ask there once the link has another one again.
    fn has_met_double(&self, mac: Mac) -> io::Result<bool> {
        let mut met = self.met()?;
        met.retain(|entry| entry.mac == mac && entry.is_complete());
        self.remember(&met);
        Ok(!met.is_empty())
    }

    /// The gateways on the link, and whom the kernel has met there.
    ///
    /// # Errors
    /// When a table cannot be read.
    pub fn known(&self) -> io::Result<Vec<Ipv4Addr>> {
        let mut addresses = gateways(&Root::system(), &self.interface)?;
        for entry in self.met()?.iter().chain(self.remembered().iter()) {
            if !addresses.contains(&entry.address) {
                addresses.push(entry.address);
            }
        }
        Ok(addresses)
    }

    /// Whether one of the [known](Neighbours::known) neighbours answers now.
    ///
    /// # Errors
    /// As [`Neighbours::answers`].
    pub async fn anybody_answers(&self) -> io::Result<Asked> {
        let met = self.met()?;
        let mut addresses = self.known()?;
        addresses.truncate(MAX_ADDRESSES);
        if addresses.is_empty() {
            return Ok(Asked { neighbours: 0, answered: false });
        }
        let kernel = ArpTable::open(&self.interface)?;
        let answered = self.ask(&kernel, &addresses, |_| true).await;
        self.put_back(&kernel, &met)?;
        Ok(Asked { neighbours: addresses.len(), answered: answered? })
    }

    async fn ask(
        &self,
        kernel: &ArpTable,
        addresses: &[Ipv4Addr],
        is_wanted: impl Fn(Mac) -> bool,
    ) -> io::Result<bool> {
        for _ in 0..ROUNDS {
            for address in addresses {
                // In the second round too: the kernel only asks at once if it knows nothing.
                kernel.forget(*address)?;
                match kernel.ask(*address) {
                    // There is no route to this address, so nobody is at it.
                    Err(why) if why.kind() == io::ErrorKind::NetworkUnreachable => {}
                    asked => asked?,
                }
            }
            let start = Instant::now();
            let mut read_after = FIRST_READ;
            while start.elapsed() < PATIENCE {
                sleep_until(start + read_after.min(PATIENCE)).await;
                read_after *= 2;
                let now = self.entries()?;
                // Only at these addresses: an entry for another one may be old.
                if addresses.iter().any(|at| known_at(&now, *at).is_some_and(&is_wanted)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Puts back the entries that nobody has answered for, so that they can be asked for again, by the
    /// next look-up or by `doctor`. They cannot be mistaken for an answer meanwhile: `doctor` asks for
    /// the board's own MAC address, a look-up for another.
    fn put_back(&self, kernel: &ArpTable, met: &[Entry]) -> io::Result<()> {
        let now = self.entries()?;
        for entry in met.iter().filter(|entry| entry.is_complete()) {
            if known_at(&now, entry.address).is_none() {
                // Otherwise the datagram that still waits for an answer would be sent there.
                kernel.forget(entry.address)?;
                kernel.put(entry.address, entry.mac.octets())?;
            }
        }
        Ok(())
    }

    /// Whom the kernel has met by itself.
    fn met(&self) -> io::Result<Vec<Entry>> {
        let mut met = self.entries()?;
        met.retain(|entry| !entry.is_permanent());
        Ok(met)
    }

    fn remember(&self, met: &[Entry]) {
        let mut remembered = self.remembered();
        remembered.retain(|old| met.iter().all(|new| new.address != old.address));
        remembered.splice(..0, met.iter().copied());
        remembered.truncate(MAX_REMEMBERED);
    }

    fn remembered(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entries(&self) -> io::Result<Vec<Entry>> {
        entries(&Root::system(), &self.interface)
    }
}

/// The MAC address that the kernel knows for an IPv4 address.
fn known_at(entries: &[Entry], address: Ipv4Addr) -> Option<Mac> {
    let known = entries.iter().find(|entry| entry.address == address && entry.is_complete())?;
    Some(known.mac)
}
