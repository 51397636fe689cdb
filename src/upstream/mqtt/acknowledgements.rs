//! Acknowledging in the order of arrival, as MQTT demands, whatever is decided first.

use std::collections::VecDeque;

use rumqttc::{Publish, QoS};

use crate::agent::seams::AckToken;
use crate::upstream::cause::MqttCause;

/// Upper bound on unacknowledged messages; a broker that exceeds it is faulty or hostile.
const MOST: usize = 4096;

/// Messages of one connection that have not been acknowledged yet, in the order of arrival.
/// Outlives connections, so that no token is given to two messages.
#[derive(Debug, Default)]
pub(super) struct Acknowledgements {
    open: VecDeque<Open>,
    last_token: u64,
}

/// What identifies a message's packet, without its payload.
#[derive(Debug)]
struct Open {
    ack_token: AckToken,
    qos: QoS,
    pkid: u16,
    done: bool,
}

impl Acknowledgements {
    /// A message has arrived; the token under which it is acknowledged.
    ///
    /// # Errors
    /// When too many are unacknowledged.
    pub(super) fn open(&mut self, message: &Publish) -> Result<AckToken, MqttCause> {
        if self.open.len() >= MOST {
            return Err(MqttCause::TooManyUnacknowledged { count: MOST });
        }
        self.last_token += 1;
        let ack_token = AckToken(self.last_token);
        self.open.push_back(Open { ack_token, qos: message.qos, pkid: message.pkid, done: false });
        Ok(ack_token)
    }

    /// The connection is gone, and what was not acknowledged comes again under another token.
    pub(super) fn connection_lost(&mut self) {
        self.open.clear();
    }

    /// A message is done with.
    pub(super) fn done(&mut self, ack_token: AckToken) {
        if let Some(message) = self.open.iter_mut().find(|message| message.ack_token == ack_token) {
            message.done = true;
        }
    }

    /// The message to acknowledge next, if it can be now.
    pub(super) fn ready(&self) -> Option<Publish> {
        let message = self.open.front().filter(|message| message.done)?;
        let mut bare = Publish::new("", message.qos, Vec::new());
        bare.pkid = message.pkid;
        Some(bare)
    }

    /// The one that was ready is acknowledged.
    pub(super) fn acknowledged(&mut self) {
        self.open.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use rumqttc::QoS;

    use super::*;

    fn message(pkid: u16) -> Publish {
        let mut message = Publish::new("t", QoS::AtLeastOnce, "a payload");
        message.pkid = pkid;
        message
    }

    fn done(acknowledgements: &mut Acknowledgements, ack_token: u64) -> Vec<u16> {
        acknowledgements.done(AckToken(ack_token));
        let mut pkids = Vec::new();
        while let Some(message) = acknowledgements.ready() {
            pkids.push(message.pkid);
            acknowledgements.acknowledged();
        }
        pkids
    }

    #[test]
    fn a_later_message_waits_for_the_one_before_it() {
        let mut acknowledgements = Acknowledgements::default();
        for number in 1..=3 {
            acknowledgements.open(&message(number)).expect("room");
        }
        assert_eq!(done(&mut acknowledgements, 2), [0; 0]);
        assert_eq!(done(&mut acknowledgements, 1), [1, 2]);
        assert_eq!(done(&mut acknowledgements, 3), [3]);
    }

    #[test]
    fn a_token_of_an_earlier_connection_acknowledges_nothing() {
        let mut acknowledgements = Acknowledgements::default();
        acknowledgements.open(&message(1)).expect("room");
        acknowledgements.connection_lost();
        acknowledgements.open(&message(1)).expect("room");
        assert_eq!(done(&mut acknowledgements, 1), [0; 0]);
        assert_eq!(done(&mut acknowledgements, 2), [1]);
    }

    #[test]
    fn unacknowledged_messages_have_an_upper_bound() {
        let mut acknowledgements = Acknowledgements::default();
        let mut open = || acknowledgements.open(&message(1));
        assert!((0..MOST).all(|_| open().is_ok()));
        assert!(open().is_err());
    }
}
