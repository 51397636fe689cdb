//! The MAC address that the link carries and the one in the record.

use super::super::{Check, Finding, Look};
use super::{not_compared, with_record};
use crate::clock::{Clock, RealClock};
use crate::panel::Panel;
use crate::record::Record;

pub(in super::super) const AGREES: Check = Check {
    id: "link-record",
    description: "the link carries the MAC address of the record",
    look: Look::Board(|panel| with_record(panel, |record| judge(panel, record))),
};

fn judge(panel: &Panel, record: &Record) -> Finding {
    let Some(link) = panel.survey.link.as_ref().map(|link| link.mac.value) else {
        return not_compared("the link cannot be read", "link");
    };
    let wanted = record.carried();
    let mac = wanted.identity.mac;
    if !wanted.has_mac() {
        return Finding::ok(format!("{link}, left alone: the record has no address to set"));
    }
    if link == mac {
        return Finding::ok(format!("{link}, as in the record"));
    }
    let this_boot = RealClock::start(&panel.root).map(|clock| clock.boot_id()).ok();
    match this_boot {
        Some(boot_id) if !record.sets_link(&boot_id) => Finding::warning(
            format!(
                "the link carries {link}; the board's own, {mac}, was read late: it is set at the \
                 next boot"
            ),
            "nothing is lost; restart the panel when nobody needs it",
        ),
        _ => Finding::warning(
            format!("the link carries {link}, and the record says {mac}"),
            "start the daemon or run `intercom-agent restore`; if it comes back at each boot, run \
             `restore` after the network script too",
        ),
    }
}
