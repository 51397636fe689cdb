//! What is to be published: one message at a time is on its way, and leaves with its PubAck.

use std::collections::VecDeque;

use intercom_wire::Report;
use tokio::time::Instant;

use super::report_size::ReportSize;
use crate::agent::seams::ReportId;

/// Messages that wait, in order. Outlives connections.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    queue: VecDeque<Message>,
    on_its_way: Option<OnItsWay>,
    /// The last report that has arrived for good. The agent, told at the same time that the broker is
    /// reached, may want it sent once more.
    arrived: Option<ReportId>,
    size: ReportSize,
}

/// One message to publish.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Message {
    /// A report.
    Report(ReportId, Box<Report>),
    /// This board is online.
    Presence,
}

/// The message on its way, and its packet id once the client has given it one.
#[derive(Debug)]
struct OnItsWay {
    message: Message,
    pkid: Option<u16>,
    since: Instant,
    /// The size of its packet, once that is known.
    bytes: usize,
}

impl Outgoing {
    pub(super) fn report(&mut self, id: ReportId, report: &Report) {
        if self.arrived == Some(id) {
            return;
        }
        self.push(Message::Report(id, Box::new(report.clone())));
    }

    pub(super) fn presence(&mut self) {
        self.push(Message::Presence);
    }

    /// This board is online, before all else: whether it comes back tells whether the rest arrives.
    pub(super) fn presence_first(&mut self) {
        self.queue.retain(|message| *message != Message::Presence);
        self.queue.push_front(Message::Presence);
    }

    pub(super) fn presence_is_next(&self) -> bool {
        self.queue.front() == Some(&Message::Presence)
    }

    /// The next message to publish, if none is on its way. It is on its way then.
    pub(super) fn next(&mut self) -> Option<&Message> {
        if self.on_its_way.is_some() {
            return None;
        }
        let message = self.queue.pop_front()?;
        Some(
            &self
                .on_its_way
                .insert(OnItsWay { message, pkid: None, since: Instant::now(), bytes: 0 })
                .message,
        )
    }

    /// The report as JSON, as much of it as the broker takes beside `others` bytes.
    pub(super) fn fit(&self, report: &Report, others: usize) -> Option<Vec<u8>> {
        self.size.fit(report, others, Instant::now())
    }

    /// The message on its way is a packet of so many bytes.
    pub(super) fn has_size(&mut self, bytes: usize) {
        if let Some(on_its_way) = &mut self.on_its_way {
            on_its_way.bytes = bytes;
        }
    }

    /// The broker has closed the connection: the size of the report that was on its way then, and
    /// whether it is too large for the broker.
    pub(super) fn closed_over_report(&mut self) -> Option<(usize, bool)> {
        let on_its_way = self.on_its_way.as_ref();
        let report = on_its_way.filter(|way| matches!(way.message, Message::Report(..)))?;
        Some((report.bytes, self.size.closed_over(report.bytes, Instant::now())))
    }

    /// Since when a message waits for its acknowledgement.
    pub(super) fn unacknowledged_since(&self) -> Option<Instant> {
        self.on_its_way.as_ref().map(|on_its_way| on_its_way.since)
    }

    /// The broker could not have acknowledged the message on its way until now.
    pub(super) fn postpone(&mut self, now: Instant) {
        if let Some(on_its_way) = &mut self.on_its_way {
            on_its_way.since = now;
        }
    }

    /// The client has given the message on its way this packet id.
    pub(super) fn sent_as(&mut self, pkid: u16) {
        if let Some(on_its_way) = &mut self.on_its_way {
            on_its_way.pkid.get_or_insert(pkid);
        }
    }

    /// The broker has acknowledged this packet id; the message, if it was ours.
    pub(super) fn acknowledged(&mut self, pkid: u16) -> Option<Message> {
        let on_its_way = self.on_its_way.take_if(|on_its_way| on_its_way.pkid == Some(pkid))?;
        if let Message::Report(id, report) = &on_its_way.message {
            self.arrived = Some(*id).filter(|_| !report.is_answered());
            self.size.arrived();
        }
        Some(on_its_way.message)
    }

    /// The message on its way was not taken: it is the next one again.
    pub(super) fn put_back(&mut self) {
        if let Some(OnItsWay { message, .. }) = self.on_its_way.take() {
            self.queue.push_front(message);
        }
    }

    /// The message on its way is not to be sent after all.
    pub(super) fn skip(&mut self) {
        self.on_its_way = None;
    }

    /// Nobody will acknowledge the message on its way any more: it is the next one again.
    pub(super) fn connection_lost(&mut self) {
        if let Some(OnItsWay { message, .. }) = self.on_its_way.take()
            && !self.queue.contains(&message)
        {
            self.queue.push_front(message);
        }
        // A new connection publishes its presence anyway.
        self.queue.retain(|message| *message != Message::Presence);
    }

    fn push(&mut self, message: Message) {
        let on_its_way = self.on_its_way.as_ref().is_some_and(|way| way.message == message);
        // A presence on its way may be older than what made us say it again.
        let said_already = on_its_way && message != Message::Presence;
        if !said_already && !self.queue.contains(&message) {
            self.queue.push_back(message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::mqtt::report_size::tests::report;

    fn outgoing(ids: &[u64]) -> Outgoing {
        let mut outgoing = Outgoing::default();
        ids.iter().for_each(|id| outgoing.report(ReportId::Durable(*id), &report()));
        outgoing
    }

    fn id(message: Option<&Message>) -> Option<u64> {
        match message? {
            Message::Report(ReportId::Durable(id), _) => Some(*id),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_message_is_on_its_way_until_it_is_acknowledged() {
        let mut outgoing = outgoing(&[1, 2]);
        assert_eq!(id(outgoing.next()), Some(1));
        outgoing.sent_as(5);
        assert_eq!(outgoing.next(), None);
        assert_eq!(outgoing.acknowledged(4), None, "somebody else's");
        assert_eq!(id(outgoing.acknowledged(5).as_ref()), Some(1));
        assert_eq!(id(outgoing.next()), Some(2));
    }

    #[test]
    fn a_lost_connection_loses_no_message_and_doubles_none() {
        let mut outgoing = Outgoing::default();
        outgoing.presence();
        outgoing.report(ReportId::Durable(1), &report());
        assert_eq!(outgoing.next(), Some(&Message::Presence));
        outgoing.connection_lost();
        outgoing.report(ReportId::Durable(1), &report());
        assert_eq!(id(outgoing.next()), Some(1));
        outgoing.report(ReportId::Durable(1), &report());
        outgoing.connection_lost();
        assert_eq!(id(outgoing.next()), Some(1));
        outgoing.sent_as(1);
        assert!(outgoing.acknowledged(1).is_some());
        assert_eq!(outgoing.next(), None);
    }

    #[test]
    fn a_report_that_billing_answers_is_sent_again_when_the_agent_wants_it() {
        let issuer = "billing-1".parse().ok();
        for (issuer, again) in [(None, None), (issuer, Some(1))] {
            let mut outgoing = Outgoing::default();
            let report = Report { issuer, ..report() };
            outgoing.report(ReportId::Durable(1), &report);
            outgoing.next();
            outgoing.sent_as(1);
            assert!(outgoing.acknowledged(1).is_some());
            outgoing.report(ReportId::Durable(1), &report);
            assert_eq!(id(outgoing.next()), again);
        }
    }
}
