//! The MAC address in the U-Boot environment and the one in the record.

use intercom_wire::Mac;

use super::super::{Check, Finding, Look};
use super::{not_compared, with_record};
use crate::clock::{Clock, RealClock};
use crate::environment::{LookedAt, Policy, Refusal, may_write};
use crate::panel::Panel;
use crate::record::{Current, MacOrigin, Reading, Record};

pub(in super::super) const AGREES: Check = Check {
    id: "environment-mac",
    description: "the U-Boot environment has the MAC address of the record",
    look: Look::Board(|panel| with_record(panel, |record| judge(panel, record))),
};

fn judge(panel: &Panel, record: &Record) -> Finding {
    let current = &record.current;
    if let LookedAt::Absent = *panel.environment {
        return Finding::ok("there is no U-Boot environment: the MAC address is set at each boot");
    }
    let Some(variable) = &panel.settings.mac_variable else {
        return Finding::ok(format!(
            "no variable belongs to {}; `mac_variable` can name one",
            panel.settings.interface
        ));
    };
    match &panel.survey.environment_mac {
        Reading::Unreadable if panel.settings.environment == Policy::Never => {
            Finding::ok("not compared: the environment cannot be read, and is never written")
        }
        Reading::Unreadable => not_compared("the U-Boot environment cannot be read", "environment"),
        Reading::Absent => absent(panel, variable, record),
        Reading::Found(found)
            if found.value == current.identity.mac && current.mac_origin != MacOrigin::Unread =>
        {
            Finding::ok(format!("{variable}={}, as in the record", found.value))
        }
        Reading::Found(found) => differs(panel, variable, found.value, current),
    }
}

fn absent(panel: &Panel, variable: &str, record: &Record) -> Finding {
    let current = &record.current;
    let is_kept_in_this_boot = || {
        let this_boot = RealClock::start(&panel.root).map(|clock| clock.boot_id()).ok();
        this_boot.is_some() && record.link_kept_in == this_boot
    };
    match current.mac_origin {
        MacOrigin::Request => {
            not_copied(panel, format!("it has no {variable}"), current.identity.mac)
        }
        MacOrigin::Unread if is_kept_in_this_boot() => Finding::warning(
            format!(
                "it has no {variable}, and a change has set the link's MAC address in this boot"
            ),
            "restart the panel when that suits: only the next boot tells the link's own address",
        ),
        MacOrigin::Unread => Finding::warning(
            format!("it can be read and has no {variable}; the record does not know that yet"),
            "run `intercom-agent restore`: it takes over what can be read now",
        ),
        MacOrigin::Board | MacOrigin::Placeholder | MacOrigin::Random => {
            Finding::ok(format!("it has no {variable}, and needs none"))
        }
    }
}

fn differs(panel: &Panel, variable: &str, found: Mac, current: &Current) -> Finding {
    let mac = current.identity.mac;
    match current.mac_origin {
        MacOrigin::Request => not_copied(panel, format!("{variable}={found}"), mac),
        MacOrigin::Board => Finding::warning(
            format!(
                "{variable}={found}, and the record says {mac}, which the board said earlier; \
                 where the agent may write the environment it writes {mac} there"
            ),
            format!(
                "compare both with the label: if {mac} is right, run `intercom-agent restore`; if \
                 {found} is, make it the panel's with `intercom-agent apply`"
            ),
        ),
        MacOrigin::Unread | MacOrigin::Placeholder | MacOrigin::Random => Finding::warning(
            format!("{variable}={found}, and the record does not know that yet"),
            "run `intercom-agent restore`: it takes over what can be read now; a link that is in \
             use gets it at the next boot",
        ),
    }
}

/// A request gave the board its MAC address, and the environment still says what was before.
fn not_copied(panel: &Panel, environment_says: String, mac: Mac) -> Finding {
    let text = format!("{environment_says}, and the record says {mac}, given by a request");
    let refused = panel
        .environment
        .health()
        .and_then(|health| may_write(panel.settings.environment, health).err());
    match refused {
        Some(why @ (Refusal::Never | Refusal::SingleCopy)) => Finding::ok(format!(
            "{text}; not written: {why}. The MAC address is set at each boot instead"
        )),
        Some(why @ Refusal::Unsafe(_)) => {
            Finding::warning(format!("{text}; not written: {why}"), "see environment-writing")
        }
        None => Finding::warning(
            text,
            "run `intercom-agent restore`: it copies the record into the environment; if it does \
             not, its message says why",
        ),
    }
}
