//! Rule 10: the record is at most 64 KiB, and no text from outside in it is longer than its bound.

use intercom_agent::record::Record;
use intercom_wire::{MAX_TEXT_CHARS, Report};
use serde_json::Value;

use super::rules::Watch;
use super::world::Hardware;

const RULE: u8 = 10;
const MAX_RECORD_BYTES: usize = 64 * 1024;
const MAX_REASON_CHARS: usize = 300;
/// In JSON.
const MAX_LOG_EXTRA_BYTES: usize = 2048;

/// Checked when the record has been written.
pub fn hold(world: &Hardware, record: &Record, watch: &mut Watch) {
    if watch.bounded_records.replace(world.disk.records) == Some(world.disk.records) {
        return;
    }
    let size = world.disk.file("record.json").map_or(0, <[u8]>::len);
    if size > MAX_RECORD_BYTES {
        watch.broke(RULE, format!("the record has {size} bytes"));
    }
    let ledger = record.ledger.entries().iter().map(|entry| &entry.report);
    for report in ledger.chain(record.outbox.iter().map(|entry| &entry.report)) {
        let Report { intercom, reason, log_extra, .. } = report;
        texts(intercom.model.as_deref(), reason.as_deref(), log_extra.as_ref(), watch);
    }
    if let Some(change) = &record.change {
        texts(change.cause.model.as_deref(), None, change.cause.log_extra.as_ref(), watch);
    }
}

fn texts(model: Option<&str>, reason: Option<&str>, log_extra: Option<&Value>, watch: &mut Watch) {
    let chars = |text: Option<&str>| text.map_or(0, |text| text.chars().count());
    let bytes = log_extra.map_or(0, |value| value.to_string().len());
    for (name, length, most) in [
        ("model", chars(model), MAX_TEXT_CHARS),
        ("reason", chars(reason), MAX_REASON_CHARS),
        ("log_extra", bytes, MAX_LOG_EXTRA_BYTES),
    ] {
        if length > most {
            watch.broke(RULE, format!("a {name} of {length} is in the record"));
        }
    }
}
