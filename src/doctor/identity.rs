//! Who the board is: by its own MAC address, serial number and model.

use super::{Check, Finding, Look};
use crate::panel::Panel;
use crate::record::{MacOrigin, Reading, SerialOrigin};

pub(super) const MAC: Check = Check {
    id: "mac",
    description: "the MAC address is this board's alone",
    look: Look::Board(mac),
};

pub(super) const SERIAL_NUMBER: Check = Check {
    id: "serial-number",
    description: "the serial number is known",
    look: Look::Board(serial_number),
};

pub(super) const MODEL: Check =
    Check { id: "model", description: "the model is known", look: Look::Board(model) };

fn mac(panel: &Panel) -> Finding {
    let record = match panel.record() {
        Ok(record) => record,
        Err(why) => return Finding::failed(why.to_string(), "see record, link and environment"),
    };
    let current = &record.current;
    let mac = current.identity.mac;
    let shared = match current.mac_origin {
        MacOrigin::Board => return Finding::ok(format!("{mac}, the board's own")),
        MacOrigin::Request => return Finding::ok(format!("{mac}, given by a request")),
        MacOrigin::Unread => {
            return Finding::warning(
                format!(
                    "not known yet: {}; until then nothing is set and nothing is written",
                    reasons(panel)
                ),
                "see environment and link; it is read again by itself, and at once by \
                 `intercom-agent restore`",
            );
        }
        MacOrigin::Placeholder => "a placeholder that many boards share",
        MacOrigin::Random => "invented by the driver at this boot",
    };
    Finding::warning(
        format!("{mac} is {shared}: requests that name this panel by `mac` are rejected"),
        "set `id` in the configuration and name the panel by `id` in the request",
    )
}

fn serial_number(panel: &Panel) -> Finding {
    let current = panel.record().ok().map(|record| record.current);
    let origin = current.as_ref().and_then(|current| current.serial_origin);
    let recorded = current.and_then(|current| current.identity.serial_number);
    match (recorded, origin, &panel.survey.serial_number) {
        (Some(given), Some(SerialOrigin::Request), _) => {
            Finding::ok(format!("{given}, given by a request"))
        }
        (Some(recorded), _, Reading::Found(known)) if known.value != recorded => Finding::warning(
            format!("{recorded} is in the record and counts; a source now says {known}"),
            format!(
                "compare both with the label: if {recorded} is right, correct \
                 `serial_number.sources`; if the other is, make it the panel's with \
                 `intercom-agent apply`"
            ),
        ),
        (_, _, Reading::Found(known)) => Finding::ok(known.to_string()),
        (recorded, _, Reading::Unreadable) => Finding::warning(
            match recorded {
                Some(recorded) => format!("{recorded} is in the record; now {}", reasons(panel)),
                None => format!("not known yet: {}", reasons(panel)),
            },
            "it is read again by itself; if this board has no such source, take it out of \
             `serial_number.sources`",
        ),
        (Some(recorded), _, Reading::Absent) => Finding::warning(
            format!("{recorded} is in the record, and no source has it now"),
            "see what became of it: `serial_number.sources` are the places that are looked into",
        ),
        (None, _, Reading::Absent) => Finding::warning(
            "no source has one; a request may give any",
            "add the place where this board keeps it to `serial_number.sources`",
        ),
    }
}

/// Why something of the board is not known.
fn reasons(panel: &Panel) -> String {
    panel.survey.warnings.join("; ")
}

fn model(panel: &Panel) -> Finding {
    let models: Vec<_> = panel.survey.models.iter().map(|known| known.value.as_str()).collect();
    match models.as_slice() {
        [] => Finding::failed(
            "not known; every request for another MAC address or serial number is rejected",
            "set `models` in the configuration to what the requests call this panel",
        ),
        models => Finding::ok(models.join(", ")),
    }
}
