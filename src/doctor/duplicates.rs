//! Duplicates: no neighbour carries this board's MAC address.

use std::io;
use std::net::Ipv4Addr;

use intercom_wire::Mac;

use super::{Check, Finding, Look};
use crate::neighbours::{Neighbours, met};
use crate::panel::Panel;

pub(super) const NONE: Check = Check {
    id: "duplicates",
    description: "no neighbour has this board's MAC address",
    look: Look::Board(look),
};

fn look(panel: &Panel) -> Finding {
    let Some(link) = &panel.survey.link else {
        return Finding::ok("there is no link, and so no neighbour");
    };
    let mac = link.mac.value;
    let addresses = match met(&panel.root, &link.interface, mac) {
        Ok(addresses) => addresses,
        Err(_) if panel.root.is_sandbox() => return Finding::ok("a sandboxed board has none"),
        Err(why) => {
            return Finding::warning(
                format!("the kernel's table of neighbours cannot be read: {why}"),
                "look for the same MAC address in the switch or the router instead",
            );
        }
    };
    let at = addresses.iter().map(Ipv4Addr::to_string).collect::<Vec<_>>().join(", ");
    if addresses.is_empty() {
        Finding::ok(format!("the kernel has met no neighbour with {mac}"))
    } else if !panel.root.is_sandbox() && ask(&link.interface, mac).unwrap_or(false) {
        Finding::failed(
            format!("another board answers to {mac} now, at {at}"),
            "switch that board off, or give it its own identity back (`intercom-agent rollback \
             --factory` there)",
        )
    } else {
        Finding::warning(
            format!("another board had {mac} a while ago, at {at}, and does not answer now"),
            "if this panel is reached only now and then, look for the other board",
        )
    }
}

fn ask(interface: &str, mac: Mac) -> io::Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(Neighbours::new(interface).answers(mac))
}
