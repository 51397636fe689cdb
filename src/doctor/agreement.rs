//! Whether what tells the board's identity agrees: record, U-Boot environment, link, runtime files.
//!
//! The record counts; the others are its copies, or what it was made from. Each check holds one of
//! them against the record as it is on the disk.

mod environment;
mod factory;
mod link;
mod runtime_files;

pub(super) use environment::AGREES as ENVIRONMENT;
pub(super) use factory::AGREES as FACTORY;
pub(super) use link::AGREES as LINK;
pub(super) use runtime_files::AGREE as RUNTIME_FILES;

use super::Finding;
use crate::panel::Panel;
use crate::record::Record;
use crate::record_store::RecordStore;

/// Compares with the record as it is on the disk.
fn with_record(panel: &Panel, compare: impl FnOnce(&Record) -> Finding) -> Finding {
    match RecordStore::new(panel.state()).peek() {
        Ok(Some(record)) => compare(&record),
        Ok(None) => Finding::ok("there is no record yet to compare with"),
        Err(why) => Finding::warning(
            format!("not compared: the record cannot be read: {why}"),
            "see record",
        ),
    }
}

/// What is compared could not be read. Another check says what to do about that.
fn not_compared(why: &str, see: &str) -> Finding {
    Finding::warning(format!("not compared: {why}"), format!("see {see}"))
}
