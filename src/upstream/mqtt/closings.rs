//! What it means that the broker closes one connection after the other.
//!
//! MQTT 3.1.1 gives no reason, so only the repetition shows it. In a client-ID takeover two clients use one
//! client ID, and the broker closes the connection of each when the other connects, a moment after. What
//! lies between the panel and the broker, and ends connections that are idle, always does so after the
//! same silence.

use std::time::Duration;

use super::turn::LONGEST_PAUSE;
use crate::upstream::cause::MqttCause;

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

impl Closings {
    /// The broker has closed a connection that lasted for `alive`, the last part of it in `silence`.
    /// What that means, after the ones before.
    pub(super) fn closed_after(&mut self, alive: Duration, silence: Duration) -> MqttCause {
        let last = self.last_silence.replace(silence);
        let alike = last.is_some_and(|last| last.abs_diff(silence) <= ALIKE);
        // The other client of a takeover that goes on backs off too.
        let soon = if self.soon < OFTEN { SOON } else { 2 * LONGEST_PAUSE };
        if silence >= SILENT && alike && self.soon < OFTEN {
            self.soon = 0;
            return MqttCause::Idle { silence: silence.as_secs() };
        }
        self.soon = if alive < soon { self.soon + 1 } else { 0 };
        match self.soon >= OFTEN {
            true => MqttCause::TakenOver,
            false => MqttCause::Closed { silence: silence.as_secs() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn chance(silence: u64) -> MqttCause {
        MqttCause::Closed { silence }
    }

    #[test]
    fn only_repetition_is_a_conflict_and_it_lasts_while_both_back_off() {
        let mut closings = Closings::default();
        let mut closed_after = |alive| closings.closed_after(alive * SECOND, alive * SECOND / 2);
        assert_eq!([1, 2, 9].map(&mut closed_after), [0, 1, 4].map(chance));
        for alive in [1, 100, 120] {
            assert_eq!(closed_after(alive), MqttCause::TakenOver);
        }
        assert_eq!(closed_after(300), chance(150), "the other one is gone");
        assert_eq!(closed_after(1), chance(0));
    }

    #[test]
    fn the_same_silence_each_time_is_an_idle_limit() {
        let mut closings = Closings::default();
        let silence = 10 * SECOND;
        assert_eq!(closings.closed_after(silence, silence), chance(10), "once");
        for _ in 0..2 * OFTEN {
            let meaning = closings.closed_after(11 * SECOND, silence);
            assert_eq!(meaning, MqttCause::Idle { silence: 10 });
        }
        let differs = closings.closed_after(silence, 5 * SECOND);
        assert_eq!(differs, chance(5));
    }
}
