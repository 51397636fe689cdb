//! Acknowledging in the order of arrival, as MQTT demands, whatever is decided first.

use std::collections::VecDeque;

use rumqttc::{Publish, QoS};

use crate::agent::seams::AckToken;

/// So many messages no broker sends without waiting for acknowledgements, unless it means harm.
const MOST: usize = 4096;

/// Messages of one connection that have not been acknowledged yet, in the order of arrival.
#[derive(Debug, Default)]
pub(super) struct Acknowledgements {
    open: VecDeque<Open>,
}

/// What names a message's packet; not what it says.
#[derive(Debug)]
struct Open {
    ack_token: AckToken,
    qos: QoS,
    pkid: u16,
    done: bool,
}

impl Acknowledgements {
    /// A message has come.
    ///
    /// # Errors
    /// When there are too many to be kept in mind.
    pub(super) fn open(&mut self, ack_token: AckToken, message: &Publish) -> Result<(), String> {
        if self.open.len() >= MOST {
            return Err(format!(
                "the broker has sent {MOST} messages without waiting for acknowledgements"
            ));
        }
        self.open.push_back(Open { ack_token, qos: message.qos, pkid: message.pkid, done: false });
        Ok(())
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
            acknowledgements.open(AckToken(number.into()), &message(number)).expect("room");
        }
        assert_eq!(done(&mut acknowledgements, 2), [0; 0]);
        assert_eq!(done(&mut acknowledgements, 1), [1, 2]);
        assert_eq!(done(&mut acknowledgements, 3), [3]);
    }

    #[test]
    fn a_ticket_of_an_earlier_connection_is_nothing() {
        let mut acknowledgements = Acknowledgements::default();
        acknowledgements.open(AckToken(7), &message(1)).expect("room");
        assert_eq!(done(&mut acknowledgements, 6), [0; 0]);
        assert_eq!(done(&mut acknowledgements, 7), [1]);
    }

    #[test]
    fn a_broker_that_waits_for_nothing_is_not_listened_to_for_ever() {
        let mut acknowledgements = Acknowledgements::default();
        let mut open = |number| acknowledgements.open(AckToken(number), &message(1));
        assert!((0..MOST as u64).all(|number| open(number).is_ok()));
        assert!(open(MOST as u64).is_err());
    }
}
