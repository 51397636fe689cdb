//! What it means that the broker closes one connection after the other.
//!
//! MQTT 3.1.1 gives no reason, so only the repetition shows it. In a client-ID takeover two clients use one
//! client ID, and the broker closes the connection of each when the other connects, a moment after. What
//! lies between the panel and the broker, and ends connections that are idle, always does so after the
//! same silence.

use std::time::Duration;

use super::LONGEST_PAUSE;

/// A broker that closes this many connections in a row, each this soon, does not do it by chance.
const SOON: Duration = Duration::from_secs(30);
const OFTEN: u32 = 4;
/// No idle limit is shorter. The other client of a takeover is back earlier at first.
const SILENT: Duration = Duration::from_secs(4);
/// How much two silences differ that one limit ends.
const ALIKE: Duration = Duration::from_millis(1500);

/// The connections that the broker has closed in a row.
#[derive(Debug, Default)]
pub(super) struct Closings {
    soon: u32,
    last_silence: Option<Duration>,
}

/// What they mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing that is known.
    Chance,
    /// Another client has probably taken the connection over, or an idle limit is very short.
    TakenOver,
    /// Something ends the connection after this silence.
    Idle(Duration),
}

impl Closings {
    /// The broker has closed a connection that lasted for `alive`, the last part of it in `silence`.
    pub(super) fn closed_after(&mut self, alive: Duration, silence: Duration) -> Meaning {
        let last = self.last_silence.replace(silence);
        let alike = last.is_some_and(|last| last.abs_diff(silence) <= ALIKE);
        // The other client of a takeover that goes on backs off too.
        let soon = if self.soon < OFTEN { SOON } else { 2 * LONGEST_PAUSE };
        if silence >= SILENT && alike && self.soon < OFTEN {
            self.soon = 0;
            return Meaning::Idle(silence);
        }
        self.soon = if alive < soon { self.soon + 1 } else { 0 };
        if self.soon >= OFTEN { Meaning::TakenOver } else { Meaning::Chance }
    }
}

/// What a takeover means to the operator of the panel. An idle limit that no `keep_alive` can stay below
/// looks the same.
pub(super) const TAKEN_OVER: &str = "the broker closes each connection soon after it was made: either \
    another panel connects under this board name too (identity conflict: give one of the two another \
    `board_name`), or what lies between the panel and the broker ends connections that are idle for less \
    than 5 s, the least `keep_alive` (raise its limit)";

/// What an idle limit means to the operator of the panel.
pub(super) fn idle(silence: Duration) -> String {
    format!(
        "the connection is closed each time that it was silent for {} s: set `keep_alive` below the idle \
         limit of what lies between the panel and the broker; if that does not help, another client \
         connects under this board name at fixed intervals",
        silence.as_secs()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn only_repetition_is_a_conflict_and_it_lasts_while_both_back_off() {
        let mut closings = Closings::default();
        let mut closed_after = |alive| closings.closed_after(alive * SECOND, alive * SECOND / 2);
        assert_eq!([1, 2, 9].map(&mut closed_after), [Meaning::Chance; 3]);
        assert_eq!([1, 100, 120].map(&mut closed_after), [Meaning::TakenOver; 3]);
        assert_eq!(closed_after(300), Meaning::Chance, "the other one is gone");
        assert_eq!(closed_after(1), Meaning::Chance);
    }

    #[test]
    fn the_same_silence_each_time_is_an_idle_limit() {
        let mut closings = Closings::default();
        let silence = 10 * SECOND;
        assert_eq!(closings.closed_after(silence, silence), Meaning::Chance, "once");
        for _ in 0..2 * OFTEN {
            assert_eq!(closings.closed_after(11 * SECOND, silence), Meaning::Idle(silence));
        }
        let differs = closings.closed_after(silence, 5 * SECOND);
        assert_eq!(differs, Meaning::Chance);
    }
}
