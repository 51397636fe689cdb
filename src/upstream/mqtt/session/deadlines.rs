//! The time limits of one connection: signs of life.

use std::time::Duration;

use tokio::time::Instant;

use crate::upstream::cause::{Cause, MqttCause};

/// The time limits of one connection.
#[derive(Debug)]
pub(super) struct Deadlines {
    /// A client that reports nothing for this long hangs: it pings the broker more often.
    pub(super) silence: Duration,
    silent_at: Instant,
}

impl Deadlines {
    pub(super) fn new(silence: Duration, now: Instant) -> Self {
        Deadlines { silence, silent_at: now + silence }
    }

    pub(super) fn client_is_alive(&mut self, now: Instant) {
        self.silent_at = now + self.silence;
    }

    /// When the first limit is reached. A message may wait for its acknowledgement since
    /// `unacknowledged_since`.
    pub(super) fn due(&self, unacknowledged_since: Option<Instant>) -> Instant {
        let acknowledged = unacknowledged_since.map(|since| since + self.silence);
        acknowledged.into_iter().fold(self.silent_at, Instant::min)
    }

    /// # Errors
    /// A limit is reached.
    pub(super) fn check(
        &self,
        now: Instant,
        unacknowledged_since: Option<Instant>,
    ) -> Result<(), Cause> {
        if self.silent_at <= now {
            return Err(MqttCause::client("it tells nothing, not even pings").into());
        }
        if unacknowledged_since.is_some_and(|since| since + self.silence <= now) {
            return Err(MqttCause::NotAcknowledged { within: self.silence.as_secs() }.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_silent_client_and_an_unacknowledged_message_end_the_session() {
        let now = Instant::now();
        let mut deadlines = Deadlines::new(10 * SECOND, now);
        assert_eq!(deadlines.due(None), now + 10 * SECOND);
        let silent = deadlines.check(now + 10 * SECOND, None);
        assert!(matches!(silent, Err(Cause::Mqtt(MqttCause::Client { .. }))));
        deadlines.client_is_alive(now + 9 * SECOND);
        assert!(deadlines.check(now + 10 * SECOND, Some(now + SECOND)).is_ok());
        assert_eq!(deadlines.due(Some(now + SECOND)), now + 11 * SECOND);
        let unacknowledged = deadlines.check(now + 11 * SECOND, Some(now + SECOND));
        assert!(matches!(unacknowledged, Err(Cause::Mqtt(MqttCause::NotAcknowledged { .. }))));
    }
}
