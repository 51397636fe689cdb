//! The ledger: how requests ended, so that a repeat is answered and never applied again.

use intercom_wire::{ContentHash, Outcome, Report, RequestId, SerialNumber, json_object};

use super::bounds::last_that_fit;
use super::{Cause, MacOrigin, SeqMarks};
use crate::clock::WallTime;

json_object! {
    /// The last outcomes, oldest first, and the marks of `seq`.
    #[derive(Debug, Clone, Default, PartialEq)]
    pub struct Ledger {
        entries: Vec<Entry>,
        /// The highest `seq` decided for each issuer and intercom.
        #[serde(rename = "seq_marks")]
        pub marks: SeqMarks,
    }
}

json_object! {
    /// How one request ended.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Entry {
        /// The request's ID.
        pub request_id: Option<RequestId>,
        /// The hash of what it says.
        pub hash: ContentHash,
        /// When it ended, by the board's wall clock; `None` in a record of a version that did not keep it.
        pub at: Option<WallTime>,
        /// What was reported.
        pub report: Report,
        /// Where the MAC address before it came from; `None` for what only memory keeps, and in a
        /// record of a version that did not keep it.
        pub previous_mac_origin: Option<MacOrigin>,
    }
}

impl Entry {
    /// How the request behind `cause` ended, and when.
    pub fn new(cause: &Cause, report: Report, at: WallTime) -> Self {
        Entry {
            request_id: cause.request_id.clone(),
            hash: cause.hash.clone(),
            at: Some(at),
            report,
            previous_mac_origin: None,
        }
    }
}

impl Ledger {
    /// How many outcomes are kept: far more than an installer's day brings, and a few KiB of flash.
    pub const MAX_ENTRIES: usize = 16;
    /// How many bytes of JSON they may have.
    const MAX_BYTES: usize = 20 * 1024;

    /// Adds an outcome; the oldest makes room.
    pub fn add(&mut self, entry: Entry) {
        self.entries.retain(|old| old.request_id.is_none() || old.request_id != entry.request_id);
        self.entries.push(entry);
        let reports = self.entries.iter().map(|entry| &entry.report);
        let fit = last_that_fit(reports, Self::MAX_ENTRIES, Self::MAX_BYTES);
        self.entries.drain(..self.entries.len() - fit);
    }

    /// The outcome of the request with this ID.
    pub fn by_id(&self, id: &RequestId) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.request_id.as_ref() == Some(id))
    }

    /// The last outcome of a request that said the same.
    pub fn by_hash(&self, hash: &ContentHash) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.hash == *hash)
    }

    /// The last request that changed the identity: what a rollback by hand takes back.
    pub fn last_installed_change(&self) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| {
            entry.report.outcome() == Some(Outcome::Installed)
                && Some(&entry.report.previous) != entry.report.identity().as_ref()
        })
    }

    /// Whether the board had this serial number before or after one of the requests.
    pub(super) fn tells_of(&self, serial_number: &SerialNumber) -> bool {
        self.entries.iter().any(|Entry { report, .. }| {
            let serials = [&report.previous.serial_number, &report.intercom.serial_number];
            serials.into_iter().flatten().any(|known| known == serial_number)
        })
    }

    /// The outcomes, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}
