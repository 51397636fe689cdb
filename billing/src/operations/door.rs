//! A door as the page shows it: the record, the board in its place, and what was asked of it.

use intercom_wire::{BoardName, Mac};

use super::{Billing, Refusal, find, with_turns};
use crate::replacement::Carried;
use crate::store::boards::{self, Presence};
use crate::store::history::{self, Entry};
use crate::store::intercoms::{self, Name, Record};
use crate::store::macs;

/// How many of its requests are shown.
const SHOWN: i64 = 50;
/// How many pending requests are shown as old.
const OLD: i64 = 20;
/// A request that has been pending for this long needs somebody to look, in milliseconds: a board that
/// is there has answered by then, or its request has ended.
const OLD_MS: i64 = crate::offer::ANSWER_MS;

/// A live intercom with all that is known of it.
#[derive(Debug, Clone)]
pub struct Door {
    /// The record.
    pub record: Record,
    /// The board in its place, where it is known.
    pub board: Option<BoardName>,
    /// When that board was there, if it was seen lately.
    pub presence: Option<Presence>,
    /// Now, Unix time in milliseconds.
    pub now_ms: i64,
    /// Its requests, the newest first.
    pub requests: Vec<Entry>,
}

/// What is found by one word.
#[derive(Debug, Clone)]
pub struct Found {
    /// The intercoms.
    pub records: Vec<Record>,
    /// The board whose the MAC address is, where the word is one.
    pub owner: Option<(Mac, BoardName)>,
}

impl Door {
    /// What the panel is known to carry, where that is not what the record promises.
    pub fn confirmed_until_then(&self) -> Option<&Carried> {
        Some(&self.record.confirmed).filter(|confirmed| **confirmed != self.record.desired)
    }
}

impl Billing {
    /// One door.
    ///
    /// # Errors
    /// Not found, or the database fails.
    pub async fn door(&self, id: i64) -> Result<Door, Refusal> {
        let rule = self.rule();
        self.store
            .read(move |snapshot| {
                let record = find(snapshot, &Name::Id(id))?;
                let board = intercoms::board(snapshot, id)?;
                let presence = board.as_ref().map(|board| boards::presence(snapshot, board));
                let now_ms = snapshot.now_ms();
                let requests = history::list(snapshot, Some(id), now_ms, SHOWN)?;
                Ok(Door {
                    record,
                    board,
                    presence: presence.transpose()?.flatten(),
                    now_ms,
                    requests: with_turns(snapshot, rule, requests)?,
                })
            })
            .await
    }

    /// The intercoms with exactly this MAC address, ID or external ID.
    ///
    /// # Errors
    /// The database fails.
    pub async fn search(&self, word: &str) -> Result<Found, Refusal> {
        let mac: Option<Mac> = word.parse().ok();
        let names = [
            mac.map(Name::Mac),
            word.parse().ok().map(Name::Id),
            Some(Name::ExternalId(word.to_owned())),
        ];
        self.store
            .read(move |snapshot| {
                let mut records: Vec<Record> = Vec::new();
                for name in names.into_iter().flatten() {
                    let record = intercoms::find(snapshot, &name)?;
                    let is_new = |record: &Record| records.iter().all(|r| r.id != record.id);
                    records.extend(record.filter(is_new));
                }
                let owner = match mac {
                    Some(mac) => macs::owner(snapshot, mac)?.map(|(board, _)| (mac, board)),
                    None => None,
                };
                Ok(Found { records, owner })
            })
            .await
    }

    /// The requests that have been pending for long, the oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn pending_for_long(&self) -> Result<Vec<Entry>, Refusal> {
        let rule = self.rule();
        self.store
            .read(move |snapshot| {
                let now = snapshot.now_ms();
                let entries = history::pending_since(snapshot, now - OLD_MS, now, OLD)?;
                with_turns(snapshot, rule, entries)
            })
            .await
    }
}
