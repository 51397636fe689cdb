//! The uplink: the link by which the panel's traffic leaves, and whether that proves its identity.

use std::fmt;
use std::fs;
use std::net::IpAddr;

use intercom_wire::Mac;
use nix::errno::Errno;
use nix::net::if_::if_nametoindex;

use super::Link;
use crate::root::Root;
use crate::sys::route::outgoing_interface;

/// The sessions of PPP over Ethernet, with the link that carries each.
const PPPOE: &str = "/proc/net/pppoe";
/// `ARPHRD_PPP` of `linux/if_arp.h`.
const PPP: &str = "512";

/// The link that must carry the traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uplink {
    /// The interface that carries the panel's MAC address.
    pub interface: String,
    /// The interface that the traffic leaves by on purpose, if that is another one.
    pub other: Option<String>,
}

/// The ends of a connection, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ends {
    /// The panel's address in it.
    pub local: Option<IpAddr>,
    /// The server's address; the addresses that it may be, in the order in which they are tried.
    pub peers: Vec<IpAddr>,
}

/// Why the traffic does not prove an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UplinkError {
    /// The link that should bear the identity has this MAC address: something else has set it.
    OtherMac(Mac),
    /// It leaves by a link that does not bear the identity.
    OtherLink {
        /// The link by which it leaves.
        carries: String,
        /// The MAC address of that link, if it has one.
        mac: Option<Mac>,
        /// The link by which it should leave.
        expected: String,
    },
    /// There is no such interface as the one that the traffic is to leave by.
    NoUplink {
        /// Its name.
        named: String,
    },
    /// The kernel has no route to it.
    NoRoute {
        /// The address of the server.
        peer: IpAddr,
        /// Why.
        why: Errno,
    },
    /// It was not found out in time.
    NotFoundOut,
    /// The traffic leaves by another link on purpose, and nobody has answered on the panel's own.
    NoAnswer {
        /// The panel's own link.
        interface: String,
        /// How many neighbours were asked.
        asked: usize,
    },
}

impl UplinkError {
    /// Whether time alone does not mend it.
    pub fn is_lasting(&self) -> bool {
        matches!(
            self,
            UplinkError::OtherMac(_) | UplinkError::OtherLink { .. } | UplinkError::NoUplink { .. }
        )
    }
}

impl Uplink {
    /// Whether packets of a connection leave by the link that bears `mac`, or by the other one where that
    /// is meant.
    ///
    /// # Errors
    /// Why that is not proven.
    pub fn carries(&self, ends: &Ends, mac: Mac) -> Result<(), UplinkError> {
        if let Some(other) = mac_of(&self.interface).filter(|has| *has != mac) {
            return Err(UplinkError::OtherMac(other));
        }
        let mut judged = Err(UplinkError::NotFoundOut);
        for peer in &ends.peers {
            judged = match outgoing_interface(*peer, ends.local) {
                Ok(carries) => return self.counts(carries, mac),
                Err(why) => Err(UplinkError::NoRoute { peer: *peer, why }),
            };
        }
        judged
    }

    fn counts(&self, carries: String, mac: Mac) -> Result<(), UplinkError> {
        match &self.other {
            Some(other) if *other == carries => Ok(()),
            Some(other) if if_nametoindex(other.as_str()).is_err() => {
                Err(UplinkError::NoUplink { named: other.clone() })
            }
            None if bears(&carries, mac) => Ok(()),
            other => Err(UplinkError::OtherLink {
                mac: mac_of(&carries),
                carries,
                expected: other.as_ref().unwrap_or(&self.interface).clone(),
            }),
        }
    }
}

/// Whether frames with this source address leave by an interface: by itself, or by the link that
/// carries its PPP.
fn bears(interface: &str, mac: Mac) -> bool {
    let link = Link::new(Root::system(), interface);
    if link.attribute("type").as_deref() != Some(PPP) {
        return mac_of(interface) == Some(mac);
    }
    let sessions = fs::read_to_string(PPPOE).unwrap_or_default();
    links_of(&sessions).any(|link| mac_of(link) == Some(mac))
}

fn mac_of(interface: &str) -> Option<Mac> {
    Some(Link::new(Root::system(), interface).mac().ok()?.value)
}

/// `Id       Address              Device`, below a line with these words.
fn links_of(sessions: &str) -> impl Iterator<Item = &str> {
    sessions.lines().skip(1).filter_map(|line| line.split_ascii_whitespace().nth(2))
}

impl fmt::Display for UplinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UplinkError::OtherMac(mac) => write!(f, "something else set the link's MAC to {mac}"),
            UplinkError::OtherLink { carries, mac, expected } => {
                write!(f, "the traffic leaves by {carries}")?;
                match mac {
                    Some(mac) => write!(f, " with the MAC address {mac}, not by {expected}"),
                    None => write!(f, ", which has no MAC address, not by {expected}"),
                }
            }
            UplinkError::NoUplink { named } => {
                write!(f, "`uplink` names {named}, and there is no such interface")
            }
            UplinkError::NoRoute { peer, why } => write!(f, "no route leads to {peer}: {why}"),
            UplinkError::NotFoundOut => {
                f.write_str("it was not found out in time by which link the traffic leaves")
            }
            UplinkError::NoAnswer { interface, asked: 0 } => write!(
                f,
                "no neighbour is known on {interface} that could answer under the new MAC address"
            ),
            UplinkError::NoAnswer { interface, asked } => write!(
                f,
                "none of {asked} neighbours on {interface} has answered under the new MAC address"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_of_a_ppp_session_is_read() {
        let sessions = "Id       Address              Device\n\
                        01000000 02:FC:00:00:00:05     eth0\n";
        assert_eq!(links_of(sessions).collect::<Vec<_>>(), ["eth0"]);
        assert_eq!(links_of("").count(), 0);
    }

    #[test]
    fn the_link_that_carries_the_traffic_is_named_with_its_address() {
        let other = |mac| UplinkError::OtherLink {
            carries: "br0".to_owned(),
            mac,
            expected: "eth0".to_owned(),
        };
        let mac = "02:FC:00:00:00:05".parse().ok();
        assert_eq!(
            other(mac).to_string(),
            "the traffic leaves by br0 with the MAC address 02:FC:00:00:00:05, not by eth0"
        );
        assert_eq!(
            other(None).to_string(),
            "the traffic leaves by br0, which has no MAC address, not by eth0"
        );
    }
}
