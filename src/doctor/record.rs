//! The record: whole, and nothing set aside.

use std::io;

use super::{Check, Finding, Look};
use crate::control::NEW_RECORD;
use crate::panel::Panel;
use crate::record_store::{Loaded, RecordStore};

pub(super) const GOOD: Check =
    Check { id: "record", description: "the record is whole", look: Look::Board(look) };

fn look(panel: &Panel) -> Finding {
    judge(panel).unwrap_or_else(|why| {
        Finding::failed(
            format!("the record cannot be read: {why}"),
            "run this as root; if that does not help, the flash or its file system is failing",
        )
    })
}

fn judge(panel: &Panel) -> io::Result<Finding> {
    let mut store = RecordStore::new(panel.state());
    let set_aside = store.set_aside()?;
    Ok(match (store.look()?, set_aside) {
        (Loaded::Good(record), None) if record.is_new() => {
            Finding::ok(format!("whole: {}; {NEW_RECORD}", record.current.identity))
        }
        (Loaded::Good(record), None) => Finding::ok(format!("whole: {}", record.current.identity)),
        (Loaded::Good(record), Some(name)) => Finding::warning(
            format!("whole: {}; a damaged one was set aside as {name}", record.current.identity),
            format!(
                "compare `intercom-agent status` with what this panel should be; then remove {}",
                panel.settings.state_dir.join(name).display()
            ),
        ),
        (Loaded::Nothing, None) => Finding::ok("none yet: the first start makes it"),
        (Loaded::Previous(record, damage), _) => Finding::warning(
            format!("{damage}; its last good copy says {}", record.current.identity),
            "start the daemon: it goes on from that copy and reports what it is",
        ),
        (Loaded::Lost(damage), _) => Finding::failed(
            format!("{damage}, and there is no good copy of it"),
            "start the daemon: it goes on from what the board itself says; then compare \
             `intercom-agent status` with what this panel should be",
        ),
        (Loaded::Nothing, Some(name)) => Finding::failed(
            format!("there is none; a damaged one was set aside as {name}"),
            "start the daemon: it goes on from what the board itself says; then compare \
             `intercom-agent status` with what this panel should be",
        ),
    })
}
