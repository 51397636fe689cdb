//! What a decision is made from: how the request came, and what the board is.

use std::fmt;

use intercom_wire::signature::Signature;
use intercom_wire::{BoardName, Mac, Request, RequestId};

use crate::record::{Cause, Current, Entry, Ledger, MacOrigin, SeqMark};

/// How a request came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// By which way.
    pub via: Via,
    /// Whether somebody sent it just now.
    pub timing: Timing,
    /// What its signature proves.
    pub signature: Signature,
    /// Whether it names a nonce of this connection's presence, or over HTTP one of this start of the
    /// daemon. A request with an issuer counts only then: any other is an old one.
    pub is_fresh: bool,
    /// How often it was deferred because another board had its new MAC.
    pub deferrals: u8,
}

/// The way by which a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// The topic of the board's current MAC.
    MacTopic,
    /// The topic of the board's name.
    BoardTopic,
    /// The list of pending requests.
    PendingList,
    /// An installer at the board.
    Installer,
}

/// Whether a delivery can be an old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// Somebody sent it just now.
    Live,
    /// Retained, redelivered or listed: it may have been sent and decided long ago.
    Again,
    /// Its change was taken back, and the board tries it once more by itself.
    Retried,
}

/// What the board knows, at the moment of the decision.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// Whether unsigned requests are ignored.
    pub require_signature: bool,
    /// The current identity and where it came from.
    pub current: &'a Current,
    /// The board's stable name.
    pub board: &'a BoardName,
    /// The intercom's ID, where it is known.
    pub id: Option<OwnId>,
    /// The models that the board answers to; empty if none is known.
    pub models: &'a [String],
    /// Who else has the request's `new_mac`.
    pub owner: MacOwner,
    /// Whether a change is in progress.
    pub changing: bool,
    /// The request behind it.
    pub in_progress: Option<&'a Cause>,
    /// Whether the board's own identity could not be read yet, and may still be before long.
    pub still_reading: bool,
    /// How earlier requests ended.
    pub past: Past<'a>,
}

/// The intercom's ID with how the board came to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnId {
    /// The configuration says it.
    Configured(i64),
    /// A confirmed request said it. The intercom may have got another board since.
    Learnt(i64),
}

/// Who else has a MAC address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MacOwner {
    /// Nobody has looked yet.
    NotLookedUp,
    /// It could not be found out, perhaps since the broker withholds a topic. That is no proof that nobody
    /// has it.
    Unknown(Option<WithheldTopic>),
    /// No other board answers to it.
    Nobody,
    /// Another board has it now; its name, where it told one.
    AnotherBoard(Option<BoardName>),
}

/// A topic on which the panel asks, or is answered, and which the broker does not let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithheldTopic {
    /// The topic, filled in.
    pub topic: String,
    /// What the panel has to be granted to write, for every MAC address.
    pub write: String,
    /// The same to read.
    pub read: String,
}

/// A clause of its own, with what to do.
impl fmt::Display for WithheldTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WithheldTopic { topic, write, read } = self;
        write!(f, "the broker does not give {topic} to this panel at QoS 0; ")?;
        write!(f, "let its access rules grant it to write {write} and to read {read}")
    }
}

/// The durable ledger, and the outcomes that are kept in memory alone.
#[derive(Debug, Clone, Copy)]
pub struct Past<'a> {
    /// From the record.
    pub durable: &'a Ledger,
    /// Rejections and failures since the daemon started.
    pub volatile: &'a Ledger,
}

impl<'a> Past<'a> {
    pub(super) fn by_id(self, id: &RequestId) -> Option<&'a Entry> {
        self.durable.by_id(id).or_else(|| self.volatile.by_id(id))
    }

    /// The highest `seq` that was decided for the request's issuer and intercom, if the request's own
    /// is not above it. One that is tried again was decided itself.
    pub(super) fn overtaken_by(self, request: &Request, timing: Timing) -> Option<u64> {
        let mark = SeqMark::of(request)?;
        let (durable, volatile) = (&self.durable.marks, &self.volatile.marks);
        let highest = durable.highest(&mark).max(volatile.highest(&mark))?;
        let is_overtaken = match timing {
            Timing::Live | Timing::Again => mark.seq <= highest,
            Timing::Retried => mark.seq < highest,
        };
        is_overtaken.then_some(highest)
    }
}

impl Facts<'_> {
    /// Whether the board's own MAC address is not known yet, and may be before long.
    pub(super) fn awaits_mac(&self) -> bool {
        self.still_reading && self.current.mac_origin == MacOrigin::Unread
    }
}

impl OwnId {
    /// The ID, however it is known.
    pub fn value(self) -> i64 {
        match self {
            OwnId::Configured(id) | OwnId::Learnt(id) => id,
        }
    }
}

/// How a target fits the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mine {
    pub(super) by_mac: bool,
    pub(super) by_id: bool,
    pub(super) by_board: bool,
}

impl Mine {
    /// The target is mine by my current MAC, by my board name, or by my ID. The factory MAC is not
    /// mine once I have given it up. A learnt ID does not stand against the target's MAC: the panel
    /// that was replaced and still runs on a workbench has learnt the same ID.
    pub(super) fn of(request: &Request, facts: &Facts<'_>) -> Self {
        let target = &request.target;
        let by_mac = target.mac == Some(facts.current.identity.mac);
        let by_board = target.board.as_ref() == Some(facts.board);
        let by_id = match facts.id {
            Some(OwnId::Configured(id)) => target.id == Some(id),
            Some(OwnId::Learnt(id)) => target.id == Some(id) && (by_mac || target.mac.is_none()),
            None => false,
        };
        Mine { by_mac, by_id, by_board }
    }

    pub(super) fn at_all(self) -> bool {
        self.by_mac || self.by_id || self.by_board
    }

    pub(super) fn only_by_mac(self) -> bool {
        self.by_mac && !self.by_id && !self.by_board
    }
}

/// The MAC address that a request asks for, if that much of it is valid.
pub(super) fn new_mac(request: &Request) -> Option<Mac> {
    request.content.as_ref().ok().and_then(|patch| patch.new_mac)
}
