//! The record: all of the agent's state, as one durable file holds it. Pure: `record_store` reads and
//! writes the file.
//!
//! A transition is one atomic replacement of it, so there is no second file to disagree with it. The
//! link's MAC, the U-Boot environment and the runtime files are copies of what it says.

mod board_reading;
mod bounds;
mod change;
mod ledger;
mod outbox;
mod own_identity;
mod seq_marks;
#[cfg(test)]
mod tests;
mod transitions;

use intercom_wire::{BoardName, FactoryIdentity, Identity, NotTold, json_object, string_enum};

use crate::clock::{BootId, Moment, WallTime};

pub use board_reading::{BoardReading, Earlier, MacKind, OwnMac, Reading};
pub use change::{Cause, Change, Goal};
pub use ledger::{Entry, Ledger};
pub use outbox::{OutboxEntry, Route};
pub use own_identity::NoMac;
pub use seq_marks::{SeqKey, SeqMark, SeqMarks};

/// The format that this version reads and writes.
pub const FORMAT: u32 = 1;

json_object! {
    /// All that the agent must not forget.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Record {
        /// [`FORMAT`].
        pub format: u32,
        /// The board's stable name.
        pub board: BoardName,
        /// What the board had when the agent first ran; `None` until every source that could tell it
        /// has answered. Written once.
        pub factory: Option<FactoryIdentity>,
        /// The last identity that was confirmed.
        pub current: Current,
        /// The interface that its MAC address belongs to.
        pub interface: Option<String>,
        /// The boot in which the link keeps the address that it has: the board's own was read late, and
        /// a live link is not given another one without a word; or a change was taken back to an
        /// address that is not known to be the board's own.
        pub link_kept_in: Option<BootId>,
        /// The intercom's ID, learnt from a confirmed request.
        pub learnt_id: Option<i64>,
        /// The change in progress; at most one.
        pub change: Option<Change>,
        /// Reports that upstream has not acknowledged yet.
        pub outbox: Vec<OutboxEntry>,
        /// The number of the next one.
        #[serde(rename = "next_parcel")]
        pub next_number: u64,
        /// How requests ended.
        pub ledger: Ledger,
        /// When changes were begun lately, for the limit on changes per hour.
        pub recent_changes: Vec<Begun>,
        /// What has happened so far.
        pub counters: Counters,
        /// The wall clock's time at the last transition by which a server's certificate was valid.
        pub last_good_time: Option<WallTime>,
        /// The outcomes whose reports had to make room.
        pub outcomes_not_told: Option<NotTold>,
        /// Why the last change back by hand was itself taken back; `None` once another change is begun.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub rollback_undone: Option<String>,
    }
}

json_object! {
    /// An identity with what is known of where it came from.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Current {
        /// The identity itself.
        #[serde(flatten)]
        pub identity: Identity,
        /// Where the MAC address came from.
        pub mac_origin: MacOrigin,
        /// Where the serial number came from; `None` if every source was read and has none.
        pub serial_origin: Option<SerialOrigin>,
    }
}

string_enum! {
    /// Where a MAC address came from.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum MacOrigin {
        /// The board's own: from its environment or its link.
        Board = "board",
        /// An address that boot scripts set on boards without one: many boards share it.
        Placeholder = "placeholder",
        /// Invented by the driver: nobody's.
        Random = "random",
        /// Given by a request.
        Request = "request",
        /// What the link has: the board's own could not be read yet.
        Unread = "unread",
    }
}

string_enum! {
    /// Where a serial number came from.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum SerialOrigin {
        /// A source on the board gave it.
        Board = "board",
        /// A request gave it.
        Request = "request",
        /// There is none yet: a source that may have one could not be read.
        Unread = "unread",
    }
}

json_object! {
    /// When a change was begun.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Begun {
        /// In which boot.
        pub boot_id: BootId,
        /// When in that boot.
        pub at: Moment,
    }
}

json_object! {
    /// What has happened since the record began.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct Counters {
        /// Deliveries of any kind.
        pub delivered: u64,
        /// Deliveries that were not this board's business.
        pub ignored: u64,
        /// Deliveries of a request that was decided before.
        pub repeated: u64,
        /// Requests refused.
        pub rejected: u64,
        /// Requests that were already installed.
        #[serde(rename = "confirmed")]
        pub already_installed: u64,
        /// Changes begun.
        pub begun: u64,
        /// Changes confirmed and committed.
        pub installed: u64,
        /// Changes taken back.
        pub rolled_back: u64,
        /// Changes that could not be begun.
        pub failed: u64,
        /// Reports that upstream acknowledged.
        pub reported: u64,
        /// Reports that upstream never took and that had to make room for later ones.
        pub unreported: u64,
        /// Runs of the daemon since the last boot that ended without having been asked to; `None` in
        /// a record that no running daemon has written yet.
        pub unclean_ends: Option<u64>,
    }
}

impl Record {
    /// What the board is to carry now: the new identity during a change, the current one otherwise.
    pub fn carried(&self) -> &Current {
        self.change.as_ref().map_or(&self.current, |change| &change.to)
    }

    /// Whether nothing has been decided since it began: the first start, or the state directory was wiped
    /// since.
    pub fn is_new(&self) -> bool {
        let Counters { rejected, already_installed, begun, failed, .. } = self.counters;
        self.ledger.entries().is_empty() && rejected + already_installed + begun + failed == 0
    }
}
