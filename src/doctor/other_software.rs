//! Other software that sets the link's MAC address.

use super::daemon;
use super::{Check, Finding};
use crate::panel::Panel;

pub(super) const LEAVES_LINK: Check = Check {
    id: "link-left-alone",
    description: "no other software sets the link's MAC address",
    look,
};

fn look(panel: &Panel) -> Finding {
    match daemon::state(panel) {
        Err(why) => Finding::ok(format!("not known: {why}")),
        Ok(daemon::State { link_contest: None, .. }) => {
            Finding::ok("none has since the daemon started")
        }
        Ok(daemon::State { link_contest: Some(contest), .. }) => Finding::warning(
            contest,
            "find what sets it (`hwaddress` in /etc/network/interfaces, `ip link` in a script, a network \
             manager; the check `firmware` names the lines that it finds) and let it ask the agent \
             first: `hwaddress ether $(intercom-mac $IFACE || ...)`, with what the line takes now in \
             place of the dots",
        ),
    }
}
