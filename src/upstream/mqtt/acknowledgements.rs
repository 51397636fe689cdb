//! Acknowledging in the order of arrival, as MQTT demands, whatever is decided first.

use std::collections::VecDeque;

use rumqttc::Publish;

use crate::agent::seams::Ticket;

/// Messages of one connection that have not been acknowledged yet, in the order of arrival.
#[derive(Debug, Default)]
pub(super) struct Acknowledgements {
    open: VecDeque<(Ticket, Publish, bool)>,
}

impl Acknowledgements {
    /// A message has come. Only what names its packet is kept, not what it says.
    pub(super) fn open(&mut self, ticket: Ticket, message: &Publish) {
        let mut bare = Publish::new("", message.qos, Vec::new());
        bare.pkid = message.pkid;
        self.open.push_back((ticket, bare, false));
    }

    /// A message is done with.
    pub(super) fn done(&mut self, ticket: Ticket) {
        if let Some(message) = self.open.iter_mut().find(|message| message.0 == ticket) {
            message.2 = true;
        }
    }

    /// The message to acknowledge next, if it can be now.
    pub(super) fn ready(&self) -> Option<&Publish> {
        self.open.front().filter(|message| message.2).map(|(_, message, _)| message)
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

    fn done(acknowledgements: &mut Acknowledgements, ticket: u64) -> Vec<u16> {
        acknowledgements.done(Ticket(ticket));
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
            acknowledgements.open(Ticket(number.into()), &message(number));
        }
        assert_eq!(done(&mut acknowledgements, 2), [0; 0]);
        assert_eq!(done(&mut acknowledgements, 1), [1, 2]);
        assert_eq!(done(&mut acknowledgements, 3), [3]);
    }

    #[test]
    fn a_ticket_of_an_earlier_connection_is_nothing() {
        let mut acknowledgements = Acknowledgements::default();
        acknowledgements.open(Ticket(7), &message(1));
        assert_eq!(done(&mut acknowledgements, 6), [0; 0]);
        assert_eq!(done(&mut acknowledgements, 7), [1]);
    }
}
