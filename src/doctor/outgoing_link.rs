//! The outgoing link: the traffic leaves by the link that a change must be proven on.

use std::fs;
use std::net::ToSocketAddrs;

use super::{Check, Finding, Look};
use crate::board::{Ends, UplinkError};
use crate::neighbours::Neighbours;
use crate::panel::Panel;
use crate::record::Route;

pub(super) const BEARS_MAC: Check = Check {
    id: "outgoing-link",
    description: "the traffic leaves by the link that carries the panel's MAC address",
    look: Look::Board(look),
};

fn look(panel: &Panel) -> Finding {
    if panel.root.is_sandbox() {
        return Finding::ok("not looked at: a sandboxed board uses this machine's links");
    }
    let Some(link) = &panel.survey.link else {
        return Finding::warning("not known: the link cannot be read", "see link");
    };
    let (uplink, mac) = (panel.settings.uplink(), link.mac.value);
    let hosts = |route| panel.settings.hosts(route).into_iter().map(move |host| (route, host));
    for (route, host) in [Route::Mqtt, Route::Http].into_iter().flat_map(hosts) {
        let found = match (host, 0).to_socket_addrs() {
            Ok(found) => found,
            Err(why) => {
                return Finding::warning(
                    format!("not known: {host} is not found: {why}"),
                    "see uplink",
                );
            }
        };
        let ends = Ends { local: None, peers: found.map(|address| address.ip()).collect() };
        if let Err(why) = uplink.carries(&ends, mac) {
            return finding(route, &why, &link.interface);
        }
    }
    match panel.settings.uplink.as_ref() {
        Some(carries) => neighbours(carries, &link.interface),
        None => Finding::ok(format!("{}, as configured", link.interface)),
    }
}

/// Somebody on the panel's own link must answer as well where the traffic leaves by another one.
fn neighbours(carries: &str, interface: &str) -> Finding {
    match Neighbours::new(interface).known() {
        Ok(known) if known.is_empty() => Finding::warning(
            format!(
                "{carries}, as configured; no neighbour is known on {interface}, so that no change \
                 could be confirmed"
            ),
            format!("let a route with a gateway lead through {interface}, and see link"),
        ),
        Ok(_) => Finding::ok(format!("{carries}, as configured")),
        Err(why) => Finding::warning(format!("not known: {why}"), "see link"),
    }
}

fn finding(route: Route, why: &UplinkError, interface: &str) -> Finding {
    let found = format!("{}: {why}; every change would be rolled back", route.label());
    match why {
        // A port of a bridge hears no ARP answer of its own, so `uplink` could not be proven.
        UplinkError::OtherLink { carries, .. } if is_port_of(interface, carries) => {
            Finding::failed(
                found,
                format!("{interface} is a port of {carries}: set `interface = \"{carries}\"`"),
            )
        }
        UplinkError::OtherLink { carries, .. } => Finding::failed(
            found,
            format!(
                "if the panel is known by the MAC address of {carries}, set `interface = \
                 \"{carries}\"`; if its traffic leaves by {carries} on purpose, set `uplink = \
                 \"{carries}\"`"
            ),
        ),
        UplinkError::NoUplink { .. } => Finding::failed(
            found,
            "set `uplink` to an interface that `ip link` shows, or take it away",
        ),
        UplinkError::OtherMac(_)
        | UplinkError::NoRoute { .. }
        | UplinkError::NotFoundOut
        | UplinkError::NoAnswer { .. } => {
            Finding::warning(format!("not known: {}: {why}", route.label()), "see uplink")
        }
    }
}

/// Whether an interface is a port of a bridge or a bond: `master` in sysfs leads to it.
fn is_port_of(interface: &str, bridge: &str) -> bool {
    let master = fs::read_link(format!("/sys/class/net/{interface}/master"));
    master.is_ok_and(|master| master.file_name().is_some_and(|name| name == bridge))
}
