//! The outgoing link: the traffic leaves by the link that a change must be proven on.

use std::net::ToSocketAddrs;

use super::{Check, Finding};
use crate::board::{Ends, UplinkError};
use crate::panel::Panel;
use crate::record::Route;

pub(super) const BEARS_MAC: Check = Check {
    id: "outgoing-link",
    description: "the traffic leaves by the link that carries the panel's MAC address",
    look,
};

fn look(panel: &Panel) -> Finding {
    if panel.root.is_sandbox() {
        return Finding::ok("not looked at: a sandboxed board uses this machine's links");
    }
    let Some(link) = &panel.survey.link else {
        return Finding::warning("not known: the link cannot be read", "see link");
    };
    let (uplink, mac) = (panel.settings.uplink(), link.mac.value);
    for route in [Route::Mqtt, Route::Http] {
        let Some(host) = panel.settings.host(route) else { continue };
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
            return finding(route, &why);
        }
    }
    let carries = panel.settings.uplink.as_ref().unwrap_or(&link.interface);
    Finding::ok(format!("{carries}, as configured"))
}

fn finding(route: Route, why: &UplinkError) -> Finding {
    let found = format!("{}: {why}; every change would be rolled back", route.label());
    match why {
        UplinkError::OtherLink { carries, .. } => Finding::failed(
            found,
            format!(
                "if the panel is known by the MAC address of {carries}, set `interface = \
                 \"{carries}\"`; if its traffic leaves by {carries} on purpose, set `uplink = \
                 \"{carries}\"`"
            ),
        ),
        UplinkError::OtherMac(_)
        | UplinkError::NoRoute { .. }
        | UplinkError::NotFoundOut
        | UplinkError::NoAnswer { .. } => {
            Finding::warning(format!("not known: {}: {why}", route.label()), "see uplink")
        }
    }
}
