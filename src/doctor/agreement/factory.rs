//! The factory identity in the U-Boot environment and the one in the record.

use intercom_wire::{FactoryIdentity, Identity};

use super::super::{Check, Finding, Look};
use super::{not_compared, with_record};
use crate::panel::Panel;
use crate::record::{Reading, Record};

pub(in super::super) const AGREES: Check = Check {
    id: "factory",
    description: "record and U-Boot environment tell one factory identity",
    look: Look::Board(|panel| with_record(panel, |record| judge(panel, record))),
};

fn judge(panel: &Panel, record: &Record) -> Finding {
    let earlier = match panel.board_reading().earlier {
        Reading::Unreadable => {
            return not_compared("the U-Boot environment cannot be read", "environment");
        }
        Reading::Found(earlier) => earlier.factory,
        Reading::Absent => None,
    };
    match (&record.factory, earlier) {
        (Some(FactoryIdentity::Known(known)), Some(written)) if !is_same(known, &written) => {
            Finding::warning(
                format!("the record says {known}, and the environment {written}"),
                format!(
                    "compare both with the label: `rollback --factory` goes back to {known}. The \
                     environment may have been copied from another board"
                ),
            )
        }
        (Some(FactoryIdentity::Known(known)), _) => Finding::ok(known.to_string()),
        (Some(FactoryIdentity::Unknown), Some(written)) => Finding::warning(
            format!("the record does not know it, and the environment says {written}"),
            "compare it with the label; `rollback --factory` is refused, and `intercom-agent \
             apply` can set it",
        ),
        (Some(FactoryIdentity::Unknown), None) => {
            Finding::ok("unknown: the first record of this board is lost")
        }
        (None, _) if record.wants_reading() => Finding::warning(
            "not known yet: not every source that could tell it has been read",
            "see environment and serial-number; it is taken over when all can be read",
        ),
        (None, _) => Finding::ok("unknown: the board has no MAC address of its own"),
    }
}

/// The environment may have been written before the serial number was known.
fn is_same(known: &Identity, written: &Identity) -> bool {
    let serial_numbers = (&known.serial_number, &written.serial_number);
    known.mac == written.mac
        && match serial_numbers {
            (Some(known), Some(written)) => known == written,
            _ => true,
        }
}
