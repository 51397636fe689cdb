//! When a board that a request waits for, and that says nothing, is asked by name whether it is there. A broker
//! loses messages on a living connection too: the offer, or the presence that it would answer.

use std::collections::BTreeMap;

use intercom_wire::{BoardName, RequestId};

use crate::offer::ASKED_EVERY_MS;

/// How long a board may be silent before it is asked, in milliseconds.
const FIRST_MS: i64 = 30_000;

/// The board that a request waits for: whose turn it is at, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Awaited {
    /// The board.
    pub(super) board: BoardName,
    /// When it was heard last about the request, or showed itself; Unix time in milliseconds.
    pub(super) heard_ms: i64,
    /// It is asked at once: the time that it has may be over before a silence is noticed.
    pub(super) at_once: bool,
}

/// The boards that are silent over one connection, each with its request.
#[derive(Default)]
pub(super) struct Silences(BTreeMap<RequestId, Silence>);

struct Silence {
    awaited: Awaited,
    since_ms: i64,
    asked_ms: i64,
}

/// What follows from a silence.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// The board is asked now.
    pub(super) asks: bool,
    /// When that is looked at again, Unix time in milliseconds.
    pub(super) next_ms: i64,
}

impl Silences {
    /// A request was planned: it waits for this board. That is asked after half a minute (and before, if at
    /// once) and then, each time, after twice as long, up to half an hour.
    pub(super) fn waits_for(
        &mut self,
        request_id: &RequestId,
        awaited: Awaited,
        now_ms: i64,
    ) -> Due {
        let (silence, begins) = match self.0.remove(request_id) {
            // A clock that was set back would keep it from being asked.
            Some(known)
                if known.awaited == awaited && known.asked_ms <= now_ms.max(known.since_ms) =>
            {
                (known, false)
            }
            _ => {
                let since_ms = awaited.heard_ms.max(now_ms);
                (Silence { awaited, since_ms, asked_ms: since_ms }, true)
            }
        };
        let pause_ms = |silence: &Silence| {
            (silence.asked_ms.saturating_sub(silence.since_ms)).clamp(FIRST_MS, ASKED_EVERY_MS)
        };
        let asks = begins && silence.awaited.at_once
            || now_ms >= silence.asked_ms.saturating_add(pause_ms(&silence));
        let silence = if asks { Silence { asked_ms: now_ms, ..silence } } else { silence };
        let next_ms = silence.asked_ms.saturating_add(pause_ms(&silence));
        self.0.insert(request_id.clone(), silence);
        Due { asks, next_ms }
    }

    /// A request was planned, and it waits for no board.
    pub(super) fn waits_for_nobody(&mut self, request_id: &RequestId) {
        self.0.remove(request_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn gate(board: &str, heard_ms: i64) -> Awaited {
        Awaited { board: board.parse().expect("a board"), heard_ms, at_once: false }
    }

    fn request() -> RequestId {
        "r-1".parse().expect("an ID")
    }

    /// When the board of the turn is asked until `end`, where something makes billing plan each second.
    fn asked(silences: &mut Silences, turn: &Awaited, from: i64, end: i64) -> Vec<i64> {
        let planned = (from..=end).step_by(1_000);
        planned
            .filter(|now| {
                let due = silences.waits_for(&request(), turn.clone(), *now);
                assert!(due.next_ms > *now, "planned again, later");
                due.asks
            })
            .map(|now| (now - from) / 1_000)
            .collect()
    }

    #[test]
    fn a_silent_board_is_asked_at_intervals_that_grow_to_half_an_hour() {
        let turn = gate("gate-1", 5);
        let all = asked(&mut Silences::default(), &turn, 1_000_000, 1_000_000 + 130 * MINUTE);
        assert_eq!(all, [30, 60, 120, 240, 480, 960, 1_920, 3_720, 5_520, 7_320]);
    }

    #[test]
    fn silence_begins_with_the_turn_and_not_with_the_request() {
        let (mut silences, old) = (Silences::default(), gate("gate-1", 5));
        assert_eq!(asked(&mut silences, &old, 10_000_000, 10_000_000 + MINUTE), [30, 60]);
        let other = gate("gate-2", 5);
        assert_eq!(asked(&mut silences, &other, 20_000_000, 20_000_000 + MINUTE), [30, 60]);
        silences.waits_for_nobody(&request());
        assert_eq!(asked(&mut silences, &other, 30_000_000, 30_000_000 + MINUTE), [30, 60]);
    }

    #[test]
    fn a_board_that_was_heard_is_asked_from_then_on() {
        let mut silences = Silences::default();
        let turn = gate("gate-1", 5);
        assert_eq!(asked(&mut silences, &turn, MINUTE, 10 * MINUTE), [30, 60, 120, 240, 480]);
        let deferred = gate("gate-1", 15 * MINUTE);
        let due = silences.waits_for(&request(), deferred.clone(), 10 * MINUTE);
        assert_eq!(due, Due { asks: false, next_ms: 15 * MINUTE + FIRST_MS });
        assert_eq!(asked(&mut silences, &deferred, 10 * MINUTE, 16 * MINUTE), [330, 360]);
    }

    #[test]
    fn where_the_time_is_short_it_is_asked_at_once_and_after_another_turn_again() {
        let mut silences = Silences::default();
        let (turn, grace) = (gate("gate-1", 0), Awaited { at_once: true, ..gate("gate-1", 0) });
        assert_eq!(asked(&mut silences, &turn, MINUTE, 2 * MINUTE), [30, 60]);
        for from in [3 * MINUTE, 30 * MINUTE] {
            assert_eq!(asked(&mut silences, &grace, from, from + MINUTE), [0, 30, 60]);
            silences.waits_for_nobody(&request());
        }
    }

    #[test]
    fn plans_that_change_nothing_are_due_at_one_time() {
        let (mut silences, turn) = (Silences::default(), gate("gate-1", 5));
        let due = |now: i64| silences.waits_for(&request(), turn.clone(), now).next_ms;
        let times: std::collections::BTreeSet<i64> = (1_000..30_000).map(due).collect();
        assert_eq!(times, [31_000].into());
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_from_being_asked() {
        let (mut silences, turn) = (Silences::default(), gate("gate-1", 5));
        let year = 365 * 24 * 60 * MINUTE;
        assert_eq!(asked(&mut silences, &turn, year, year + MINUTE), [30, 60]);
        assert_eq!(asked(&mut silences, &turn, MINUTE, 3 * MINUTE), [30, 60, 120]);
    }
}
