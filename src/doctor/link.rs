//! The network link: there, with a carrier, and taking a MAC address.

use std::io;

use nix::errno::Errno;

use super::{Check, Finding, Look};
use crate::board::{KernelLink, Link};
use crate::panel::Panel;

pub(super) const UP: Check =
    Check { id: "link", description: "the network link is there and up", look: Look::Board(up) };

pub(super) const TAKES_MAC: Check = Check {
    id: "link-mac",
    description: "the link takes another MAC address",
    look: Look::Board(takes_mac),
};

fn up(panel: &Panel) -> Finding {
    let link = Link::new(panel.root.clone(), &panel.settings.interface);
    let mac = match link.mac() {
        Ok(mac) => mac.value,
        Err(why) => {
            return Finding::failed(
                why.to_string(),
                "without its link the panel can neither be reached nor changed",
            );
        }
    };
    let found = |state| format!("{} is {state}, MAC address {mac}", link.interface());
    match link.attribute("operstate").as_deref() {
        // Many drivers do not tell; a sandboxed link has nothing to tell.
        None | Some("up" | "unknown") => Finding::ok(found("up")),
        Some(state) => {
            Finding::failed(found(state), "plug the cable in, or bring the interface up")
        }
    }
}

fn takes_mac(panel: &Panel) -> Finding {
    if panel.root.is_sandbox() {
        return Finding::ok("a sandboxed link is a file");
    }
    judge(KernelLink::open(&panel.settings.interface).and_then(|link| link.takes_address()))
}

fn judge(asked: io::Result<()>) -> Finding {
    let Err(why) = asked else {
        return Finding::ok("its driver can set one; some take the link down for a moment");
    };
    match why.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EOPNOTSUPP) => Finding::failed(
            "its driver cannot set a MAC address; every change would fail",
            "set `interface` to the Ethernet interface that the panel is known by",
        ),
        Some(Errno::EPERM) => {
            Finding::warning("not known: only root may ask the driver", "run this as root")
        }
        _ => Finding::failed(why.to_string(), "set `interface` to one that `ip link` shows"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn only_a_driver_that_cannot_at_all_fails() {
        let state = |errno: Errno| judge(Err(errno.into())).state;
        assert_eq!(judge(Ok(())).state, State::Ok);
        assert_eq!(state(Errno::EOPNOTSUPP), State::Failed);
        assert_eq!(state(Errno::ENODEV), State::Failed);
        assert_eq!(state(Errno::EPERM), State::Warning);
    }
}
