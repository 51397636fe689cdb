//! Other software that sets the link's MAC address.

use super::daemon;
use super::{Check, Finding, Look};
use crate::panel::Panel;

pub(super) const LEAVES_LINK: Check = Check {
    id: "link-left-alone",
    description: "no other software sets the link's MAC address",
    look: Look::Daemon(look),
};

fn look(_: &Panel, asked: &daemon::Asked) -> Finding {
    match asked {
        Err(why) => Finding::ok(format!("not known: {why}")),
        Ok(daemon::State { link_contest: None, .. }) => {
            Finding::ok("none has since the daemon started")
        }
        Ok(daemon::State { link_contest: Some(contest), .. }) => Finding::warning(
            contest.clone(),
            "find what sets it (`hwaddress` in /etc/network/interfaces, `ip link` in a script, a network \
             manager; the check `firmware` names the lines that it finds) and let it ask the agent \
             first: `hwaddress ether $(intercom-mac $IFACE || ...)`, with what the line takes now in \
             place of the dots",
        ),
    }
}
