//! What a board says of itself, and whether that is new.

use intercom_wire::{BoardName, Identity, Mac, Nonce};

use super::column::parsed_or_null;
use super::engine::Row;
use super::statement::statements;
use super::{Result, Snapshot};
use crate::offer::{POLLS_UNTIL_GONE, UNTIL_FURTHER_NOTICE};

/// A presence is written again only if it is prolonged by at least this, to spare the disk.
const WORTH_WRITING_MS: i64 = 30_000;

/// A board that shows itself.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The board.
    pub board: BoardName,
    /// What it says that it carries. In mid-change it claims nothing, and its last claim stays.
    pub claim: Option<Identity>,
    /// It is in the middle of a change: it is offered nothing until that has ended.
    pub changing: bool,
    /// How it shows itself.
    pub channel: Channel,
}

/// How a board shows itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Channel {
    /// It is connected to the broker until it or its last will says otherwise. A request that does
    /// not name the nonce of its presence is worth nothing to it.
    Broker(Option<Nonce>),
    /// It polls, every so many milliseconds.
    Poll(i64),
}

impl Seen {
    /// Until when it counts as there, Unix time in milliseconds.
    pub(super) fn until(&self, now_ms: i64) -> i64 {
        match self.channel {
            Channel::Broker(_) => UNTIL_FURTHER_NOTICE,
            Channel::Poll(every_ms) => {
                now_ms.saturating_add(every_ms.saturating_mul(POLLS_UNTIL_GONE))
            }
        }
    }
}

statements! {
    BY_NAME = "
        SELECT mac, serial_number, nonce, changing, present_until_ms, conflict, twins_until_ms,
            conflict IS NULL AND EXISTS (SELECT 1 FROM macs
                WHERE macs.mac = boards.mac AND poll_ms IS NULL) AS never_polled
        FROM boards WHERE board = ?1";
}

/// What is known of a board.
pub(super) struct Known {
    pub(super) claim: Option<Identity>,
    pub(super) nonce: Option<Nonce>,
    pub(super) changing: bool,
    pub(super) until_ms: i64,
    pub(super) conflict: Option<String>,
    pub(super) twins_until_ms: Option<i64>,
    /// Its MAC address is its own, and was only seen on the broker yet.
    pub(super) never_polled: bool,
}

impl Known {
    fn read(row: &Row<'_>) -> Result<Self> {
        let serial_number = parsed_or_null(row, "serial_number")?;
        let mac: Option<Mac> = parsed_or_null(row, "mac")?;
        Ok(Known {
            claim: mac.map(|mac| Identity { mac, serial_number }),
            nonce: parsed_or_null(row, "nonce")?,
            changing: row.get("changing")?,
            until_ms: row.get("present_until_ms")?,
            conflict: row.get("conflict")?,
            twins_until_ms: row.get("twins_until_ms")?,
            never_polled: row.get("never_polled")?,
        })
    }

    /// Whether what is said now may come from another board with the same name: another MAC address,
    /// which this one did not say that it is changing to, or that nobody asked it to take. The broker
    /// lets only one of them in at a time.
    pub(super) fn is_of_another_board(&self, seen: &Seen, is_unasked: bool) -> bool {
        let other_mac = match (&self.claim, &seen.claim) {
            (Some(before), Some(now)) => before.mac != now.mac,
            _ => false,
        };
        other_mac && matches!(seen.channel, Channel::Broker(_)) && (is_unasked || !self.changing)
    }

    /// Whether what the board says now is known already, and it is known to be there for about as
    /// long.
    pub(super) fn has(&self, seen: &Seen, now_ms: i64) -> bool {
        let same_claim = seen.claim.is_none() || seen.claim == self.claim;
        let same_channel = match &seen.channel {
            Channel::Broker(nonce) => *nonce == self.nonce,
            // How long a replacement has to show up depends on whether it polls.
            Channel::Poll(_) => !self.never_polled,
        };
        let prolonged = seen.until(now_ms).saturating_sub(self.until_ms) >= WORTH_WRITING_MS;
        let same_phase = seen.changing == self.changing;
        same_claim && same_channel && same_phase && self.until_ms >= now_ms && !prolonged
    }
}

/// What is known of a board, if it is remembered.
pub(super) fn known(snapshot: &Snapshot<'_>, board: &BoardName) -> Result<Option<Known>> {
    snapshot.first(BY_NAME, [board.as_str()], Known::read)
}

/// Whether the board would only say again what is known.
pub fn is_known(snapshot: &Snapshot<'_>, seen: &Seen, now_ms: i64) -> Result<bool> {
    Ok(known(snapshot, &seen.board)?.is_some_and(|known| known.has(seen, now_ms)))
}
