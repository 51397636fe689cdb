//! Who is offered a request, and when.
//!
//! A request without `new_mac` is for the board of the door, at once. One with `new_mac` goes
//!
//! 1. to the board that already carries it: the replacement on the wall. It must be there, belong to
//!    no other door, and not contradict the serial number that was asked for;
//! 2. to nobody while the MAC address is known to be a spare's own and that spare is not there: it
//!    may lie in the installer's bag. An operator can still give it to the door's board;
//! 3. to the board of the door when the grace time is over. Otherwise an old panel that is still
//!    powered on a workbench would take the replacement's MAC address.
//!
//! Nobody is offered a request before its time (`not_before`) or after it (`expires`). In the quiet hours
//! of its group the door's board is offered nothing, since that would have to change; a replacement
//! only says what it is.
//!
//! A request of a swap goes to the other door's board while that carries the MAC address, and to nobody
//! else: no panel changes its identity for a swap.
//!
//! A claim that is not believed counts for nothing: anybody can make it, and a panel looks for another
//! owner itself before it takes a MAC address. Whoever was offered the request before and is not any
//! more is struck out.

mod turn;
mod waiting;

pub use turn::Turn;
pub use waiting::{Claimant, Half, Waiting};

use intercom_wire::Mac;

/// How many of the polls that it announced a board may miss before it counts as gone.
pub const POLLS_UNTIL_GONE: i64 = 3;

/// How often a board polls that does not say so, in milliseconds.
pub const POLL_MS: i64 = 60_000;

/// How long a board that is asked whether it is there, as each one is after a connect to the broker,
/// has to show itself: twice the time over which the answers to "who is there" are spread. In
/// milliseconds.
pub const ANSWERS_WITHIN_MS: i64 = 120_000;

/// A panel connects again within this time after the broker has come back: its longest pause between
/// two attempts. In milliseconds.
pub const CONNECTS_AGAIN_WITHIN_MS: i64 = 120_000;

/// How long a board that is there may leave a request without an answer, in milliseconds.
pub const ANSWER_MS: i64 = 1_800_000;

/// How often a board that keeps everybody waiting is asked whether it is still there, in milliseconds.
pub const ASKED_EVERY_MS: i64 = 1_800_000;

/// A board that is connected to the broker is there until it or its last will says otherwise.
pub const UNTIL_FURTHER_NOTICE: i64 = i64::MAX;

/// What the rule depends on besides the request. Times are Unix times in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// How long the board at `new_mac` has to show up.
    pub grace_ms: i64,
    /// Since when boards can show themselves: this service's start, or its last connect to the
    /// broker.
    pub since_ms: i64,
}

impl Rule {
    /// The MAC address of the replacement, where the request may be for one.
    fn replacement(waiting: &Waiting) -> Option<Mac> {
        waiting.new_mac.filter(|mac| *mac != waiting.confirmed_mac)
    }

    /// Whose turn a request is at.
    pub fn turn(&self, waiting: &Waiting, now_ms: i64) -> Turn {
        if waiting.schedule.is_over(now_ms) {
            return Turn::Expired;
        }
        if let Some(from_ms) = waiting.schedule.waits_until(now_ms) {
            return Turn::NotBefore(from_ms);
        }
        if let Some(half) = &waiting.half {
            return waiting.halfs_turn(half, now_ms);
        }
        if Self::replacement(waiting).is_none() {
            return waiting.doors_turn(now_ms);
        }
        let there = || waiting.believed().filter(|claimant| claimant.until_ms > now_ms);
        if let Some(replacement) = there().find(|claimant| claimant.may_have(waiting)) {
            return Turn::Replacement(replacement.board.clone());
        }
        if let Some(other) = there().next() {
            return Turn::Conflict(other.board.clone());
        }
        if waiting.is_spares && !waiting.is_for_the_door {
            return Turn::Spare;
        }
        let from_ms = self.grace_ends(waiting);
        match now_ms >= from_ms {
            true => waiting.doors_turn(now_ms),
            false => Turn::Grace(from_ms),
        }
    }

    /// When a replacement has had its time to show up.
    fn grace_ends(&self, waiting: &Waiting) -> i64 {
        let polls_ms = waiting.polls_every_ms.unwrap_or(0).saturating_mul(POLLS_UNTIL_GONE);
        let grace_ms = self.grace_ms.max(polls_ms);
        let left_ms = waiting.believed().map(|claimant| claimant.until_ms).max();
        let begins_ms = waiting.asked_ms.max(left_ms.unwrap_or(0));
        let ends_ms = begins_ms.saturating_add(grace_ms);
        // The door's board may have begun with what it was offered.
        if waiting.asked_ms >= self.since_ms || waiting.is_offered_to_the_door {
            return ends_ms;
        }
        // The replacement may have been about to show up when nobody could.
        ends_ms.max(self.since_ms.saturating_add(grace_ms.max(CONNECTS_AGAIN_WITHIN_MS)))
    }

    /// When a request's turn may become another's by itself.
    pub fn next_turn(&self, waiting: &Waiting, now_ms: i64) -> Option<i64> {
        let ends = |claimant: &Claimant| claimant.until_ms;
        let turn = match self.turn(waiting, now_ms) {
            Turn::Grace(from_ms) => Some(from_ms),
            Turn::Replacement(_) | Turn::Conflict(_) => waiting
                .believed()
                .map(ends)
                .filter(|until_ms| *until_ms > now_ms && *until_ms != UNTIL_FURTHER_NOTICE)
                .min(),
            Turn::Twins(_) => waiting.twins_until_ms,
            Turn::Spare
            | Turn::Door(_)
            | Turn::Exchanged(_)
            | Turn::OtherHalf
            | Turn::NotBefore(_)
            | Turn::Quiet(_)
            | Turn::Expired => None,
        };
        turn.into_iter().chain(waiting.schedule.next_ms(now_ms)).min()
    }
}

#[cfg(test)]
mod tests;
