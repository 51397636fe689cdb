//! The runtime files, which the panel's other software reads, and the record.

use super::super::{Check, Finding, Look};
use super::with_record;
use crate::agent::runtime_files;
use crate::board::FileState;
use crate::panel::Panel;
use crate::record::Record;

pub(in super::super) const AGREE: Check = Check {
    id: "runtime-files",
    description: "the runtime files tell the identity of the record",
    look: Look::Board(|panel| with_record(panel, |record| judge(panel, record))),
};

fn judge(panel: &Panel, record: &Record) -> Finding {
    let wanted = record.carried();
    let files = runtime_files(&panel.rules(), record, wanted);
    let dir = panel.runtime_dir();
    let told: Vec<String> = files
        .states(&dir)
        .into_iter()
        .filter_map(|(name, state)| match state {
            FileState::Same => None,
            FileState::Missing => Some(format!("{name} is not there")),
            FileState::Other => Some(format!("{name} does not say what the record says")),
            FileState::Unreadable(why) => Some(format!("{name} cannot be read: {why}")),
        })
        .collect();
    if told.is_empty() {
        return Finding::ok(format!("both in {} tell it", dir.display()));
    }
    Finding::warning(
        format!("in {}, {}; other software goes by them", dir.display(), told.join(", ")),
        "start the daemon, or run `intercom-agent restore`; after a change of the configuration \
         restart the daemon",
    )
}
