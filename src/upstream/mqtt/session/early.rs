//! Requests that come before the broker has granted all of the panel's topics.
//!
//! A broker sends what it kept in the session at once. If it then refuses a topic, the panel could not
//! confirm what it had begun. So these requests wait, unacknowledged. If the connection ends first, they
//! come again.

use rumqttc::Publish;

use crate::agent::Delivery;
use crate::upstream::cause::MqttCause;
use crate::upstream::mqtt::line;

/// How many bytes of payload wait at most. A broker sends some twenty messages without an acknowledgement.
const MOST: usize = 1 << 20;

/// The requests that wait, in the order of arrival.
#[derive(Debug, Default)]
pub(super) struct Early {
    waiting: Vec<Delivery>,
    bytes: usize,
}

impl Early {
    /// # Errors
    /// When too much waits.
    pub(super) fn keep(&mut self, delivery: Delivery, message: &Publish) -> Result<(), MqttCause> {
        // Nothing is kept of a message that is too large.
        if !line::is_too_large(message) {
            self.bytes += message.payload.len();
        }
        if self.bytes > MOST {
            return Err(MqttCause::TooMuchBeforeSubAck { limit: MOST });
        }
        self.waiting.push(delivery);
        Ok(())
    }

    pub(super) fn take(&mut self) -> Vec<Delivery> {
        self.bytes = 0;
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use intercom_wire::signature::Keys;
    use rumqttc::QoS;

    use super::*;
    use crate::agent::seams::AckToken;
    use crate::decide::Via;
    use crate::upstream::mqtt::delivery::delivery;

    fn keep(early: &mut Early, bytes: usize) -> Result<(), MqttCause> {
        let message = Publish::new("t", QoS::AtLeastOnce, vec![b'x'; bytes]);
        let keys = Keys::default();
        early.keep(
            delivery(&message, &keys, AckToken(1), Via::MacTopic, None, |_, _| false),
            &message,
        )
    }

    #[test]
    fn what_waits_has_an_upper_bound_and_what_is_too_large_takes_no_room() {
        let mut early = Early::default();
        for _ in 0..100 {
            assert!(keep(&mut early, MOST).is_ok());
        }
        let largest = MOST / 32;
        assert!((0..32).all(|_| keep(&mut early, largest).is_ok()));
        assert!(matches!(keep(&mut early, 1), Err(MqttCause::TooMuchBeforeSubAck { .. })));
        assert_eq!(early.take().len(), 132);
        assert!(keep(&mut early, 1).is_ok(), "there is room again");
    }
}
