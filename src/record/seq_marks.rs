//! The marks of `seq`: the highest one that was decided, for each issuer and intercom.

use std::fmt;

use intercom_wire::json::{DecodeError, FromJson, Value};
use intercom_wire::{Issuer, Mac, Request, Target, json_enum, json_object};
use serde::Serialize;

use super::Cause;

/// For how many intercoms there is a mark. A board is one intercom, rarely two.
const MAX_MARKS: usize = 8;

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

json_object! {
    /// One mark. Each issuer counts for itself.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct SeqMark {
        /// The billing database; `None` for requests that name none.
        pub issuer: Option<Issuer>,
        /// The intercom.
        pub intercom: SeqKey,
        /// The `seq`.
        pub seq: u64,
    }
}

/// The last marks, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct SeqMarks(Vec<SeqMark>);

/// A record of a version before marks had issuers has none: its own are forgotten.
impl FromJson for SeqMarks {
    fn from_json(value: &Value) -> Result<Self, DecodeError> {
        Option::from_json(value).map(|marks| SeqMarks(marks.unwrap_or_default()))
    }
}

impl fmt::Display for SeqKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SeqKey::Id(id) => write!(f, "the intercom {id}"),
            SeqKey::Mac(mac) => write!(f, "the intercom with the MAC {mac}"),
        }
    }
}

impl SeqMark {
    /// The mark that a request leaves; `None` if it has no `seq`, or only names its board.
    pub fn of(request: &Request) -> Option<Self> {
        Self::new(request.issuer.as_ref(), &request.target, request.seq)
    }

    fn decided(cause: &Cause) -> Option<Self> {
        Self::new(cause.issuer.as_ref(), &cause.target, cause.seq)
    }

    fn new(issuer: Option<&Issuer>, target: &Target, seq: Option<u64>) -> Option<Self> {
        let intercom = target.id.map(SeqKey::Id).or(target.mac.map(SeqKey::Mac))?;
        Some(SeqMark { issuer: issuer.cloned(), intercom, seq: seq? })
    }

    /// Whether it is of a request that the other one's overtakes.
    pub fn is_below(&self, other: &SeqMark) -> bool {
        self.counts_like(other) && self.seq < other.seq
    }

    fn counts_like(&self, other: &SeqMark) -> bool {
        self.issuer == other.issuer && self.intercom == other.intercom
    }
}

impl SeqMarks {
    /// The request behind `cause` is decided.
    pub fn decided(&mut self, cause: &Cause) {
        if let Some(mark) = SeqMark::decided(cause) {
            self.set(mark);
        }
    }

    /// Sets a mark, unless there is a higher one; the oldest makes room.
    pub fn set(&mut self, mut mark: SeqMark) {
        mark.seq = self.highest(&mark).map_or(mark.seq, |old| old.max(mark.seq));
        self.0.retain(|other| !other.counts_like(&mark));
        self.0.push(mark);
        self.0.drain(..self.0.len().saturating_sub(MAX_MARKS));
    }

    /// The highest `seq` that was decided for the same issuer and intercom.
    pub fn highest(&self, like: &SeqMark) -> Option<u64> {
        self.0.iter().find(|mark| mark.counts_like(like)).map(|mark| mark.seq)
    }

    /// All of them, oldest first.
    pub fn all(&self) -> &[SeqMark] {
        &self.0
    }

    /// Forgets all of them, and gives them back.
    pub fn forget(&mut self) -> Vec<SeqMark> {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(issuer: Option<&str>, id: i64, seq: u64) -> SeqMark {
        SeqMark { issuer: issuer.and_then(|name| name.parse().ok()), intercom: SeqKey::Id(id), seq }
    }

    #[test]
    fn each_issuer_counts_for_itself_and_a_mark_never_sinks() {
        let mut marks = SeqMarks::default();
        for seq in [7, 9, 3] {
            marks.set(mark(Some("billing-1"), 5, seq));
        }
        assert_eq!(marks.highest(&mark(Some("billing-1"), 5, 0)), Some(9));
        for other in
            [mark(Some("billing-2"), 5, 0), mark(None, 5, 0), mark(Some("billing-1"), 6, 0)]
        {
            assert_eq!(marks.highest(&other), None, "{other:?}");
        }
    }

    #[test]
    fn the_oldest_mark_makes_room() {
        let mut marks = SeqMarks::default();
        for id in 0..20 {
            marks.set(mark(None, id, 1));
        }
        assert_eq!(marks.all().len(), MAX_MARKS);
        assert_eq!(marks.highest(&mark(None, 0, 0)), None);
        assert_eq!(marks.highest(&mark(None, 19, 0)), Some(1));
        assert_eq!((marks.forget().len(), marks.all().len()), (MAX_MARKS, 0));
    }
}
