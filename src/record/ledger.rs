//! The ledger: how requests ended, so that a repeat is answered and never applied again.

use intercom_wire::{ContentHash, Mac, Outcome, Report, RequestId, Target, json_enum, json_object};

use super::bounds::last_that_fit;
use super::{Cause, MacOrigin};

json_object! {
    /// The last outcomes, oldest first, and the highest `seq` decided for each intercom.
    #[derive(Debug, Clone, Default, PartialEq)]
    pub struct Ledger {
        entries: Vec<Entry>,
        highest_seq: Vec<(SeqKey, u64)>,
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
        /// What was reported.
        pub report: Report,
        /// Where the MAC address before it came from; `None` for what only memory keeps, and in a
        /// record of a version that did not keep it.
        pub previous_mac_origin: Option<MacOrigin>,
    }
}

json_enum! {
    /// The intercom that a `seq` counts for: its ID where the request tells it, else the MAC it names.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum SeqKey {
        /// By ID.
        Id = "id" (i64),
        /// By the MAC address that the request names.
        Mac = "mac" (Mac),
    }
}

impl Entry {
    /// How the request behind `cause` ended.
    pub fn new(cause: &Cause, report: Report) -> Self {
        Entry {
            request_id: cause.request_id.clone(),
            hash: cause.hash.clone(),
            report,
            previous_mac_origin: None,
        }
    }
}

impl SeqKey {
    /// The intercom with the `seq` that was decided for it, where the request has both.
    pub fn decided(cause: &Cause) -> Option<(Self, u64)> {
        Self::of(&cause.target).zip(cause.seq)
    }

    /// The intercom that a request is for; `None` if it is named by its board alone.
    pub fn of(target: &Target) -> Option<Self> {
        target.id.map(SeqKey::Id).or(target.mac.map(SeqKey::Mac))
    }
}

impl Ledger {
    /// How many outcomes are kept: far more than an installer's day brings, and a few KiB of flash.
    pub const MAX_ENTRIES: usize = 16;
    /// How many bytes of JSON they may have.
    const MAX_BYTES: usize = 20 * 1024;
    /// For how many intercoms the highest `seq` is kept. A board is one intercom, rarely two.
    pub const MAX_SEQ_KEYS: usize = 8;

    /// Adds an outcome; the oldest makes room.
    pub fn add(&mut self, entry: Entry, decided: Option<(SeqKey, u64)>) {
        self.entries.retain(|old| old.request_id.is_none() || old.request_id != entry.request_id);
        self.entries.push(entry);
        let reports = self.entries.iter().map(|entry| &entry.report);
        let fit = last_that_fit(reports, Self::MAX_ENTRIES, Self::MAX_BYTES);
        keep_last(&mut self.entries, fit);
        if let Some((intercom, seq)) = decided {
            let highest = self.highest_seq(&intercom).map_or(seq, |old| old.max(seq));
            self.highest_seq.retain(|(other, _)| *other != intercom);
            self.highest_seq.push((intercom, highest));
            keep_last(&mut self.highest_seq, Self::MAX_SEQ_KEYS);
        }
    }

    /// The outcome of the request with this ID.
    pub fn by_id(&self, id: &RequestId) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.request_id.as_ref() == Some(id))
    }

    /// The last outcome of a request that said the same.
    pub fn by_hash(&self, hash: &ContentHash) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.hash == *hash)
    }

    /// The highest `seq` decided for an intercom.
    pub fn highest_seq(&self, intercom: &SeqKey) -> Option<u64> {
        self.highest_seq.iter().find(|(other, _)| other == intercom).map(|(_, seq)| *seq)
    }

    /// The last request that changed the identity: what a rollback by hand takes back.
    pub fn last_installed_change(&self) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| {
            entry.report.outcome() == Some(Outcome::Installed)
                && Some(&entry.report.previous) != entry.report.identity().as_ref()
        })
    }

    /// The outcomes, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

fn keep_last<T>(list: &mut Vec<T>, most: usize) {
    list.drain(..list.len().saturating_sub(most));
}
