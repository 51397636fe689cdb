//! MAC look-ups: which board has a MAC address now. The other panels are asked, and whoever has it
//! answers.

use std::time::Duration;

use intercom_wire::{BoardName, Mac};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::decide::{MacOwner, WithheldTopic};
use crate::upstream::mqtt::topics::LookupTopics;

/// How many look-ups are under way at once; the others wait for their turn.
const AT_ONCE: usize = 8;
/// How long the broker may take to grant a subscription; on a slow link that takes seconds.
const SUBSCRIBE: Duration = Duration::from_secs(30);
/// How often it is asked: a question or its answer may be lost at QoS 0.
const QUESTIONS: u8 = 3;
/// How long after each question the next one follows.
const PAUSE: Duration = Duration::from_millis(300);
/// How long the answer to the last one may take, beside the way to the broker and back.
const SILENCE: Duration = Duration::from_millis(400);

/// What the panel says beside each question where the others answer: an answer would come back to it, too.
/// Unlike one, which is empty, it says nothing about the address.
pub(super) const ASKING: &str = "asking";

/// The MAC addresses that are looked up on one connection.
#[derive(Debug, Default)]
pub(super) struct MacLookups {
    /// In the order of their start.
    under_way: Vec<MacLookup>,
    /// The topics of look-ups that have ended, to be unsubscribed from.
    left: Vec<LookupTopics>,
}

#[derive(Debug)]
struct MacLookup {
    mac: Mac,
    topics: LookupTopics,
    progress: Progress,
    askers: Vec<oneshot::Sender<MacOwner>>,
}

/// How far a look-up has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// It waits for its turn.
    Waiting,
    /// The broker has not granted the subscription. If it does not in time, the owner is unknown.
    Subscribing { pkid: Option<u16>, since: Instant },
    /// The broker has granted the subscription, after `way`. So many questions were asked; the next one,
    /// or after the last one the end, is at the moment. Silence means that nobody has the address if both
    /// came back, a question and what the panel says where it is answered: the broker delivers them, and
    /// no access rule withholds one of them.
    Asking { asked: u8, at: Instant, way: Duration, question: bool, answer: bool },
    /// The broker has refused the subscription to this one of the filters, so that the owner is unknown.
    Refused { at: Instant, filter: usize },
}

/// What the client is asked to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Call<'a> {
    /// Subscribe to the questions and the answers, with a SUBSCRIBE of its own.
    Subscribe(&'a LookupTopics),
    /// Ask, and say so where it is answered.
    Ask(&'a LookupTopics),
    /// Unsubscribe from them.
    Unsubscribe(&'a LookupTopics),
}

impl MacLookups {
    /// Adds a look-up, or joins the one that is under way for this address: all askers get the
    /// answer. The agent bounds how many there are.
    pub(super) fn add(&mut self, mac: Mac, topics: LookupTopics, asker: oneshot::Sender<MacOwner>) {
        if let Some(lookup) = self.under_way.iter_mut().find(|lookup| lookup.mac == mac) {
            lookup.askers.push(asker);
            return;
        }
        self.left.retain(|left| *left != topics);
        self.under_way.push(MacLookup {
            mac,
            topics,
            progress: Progress::Waiting,
            askers: vec![asker],
        });
    }

    /// Hands calls to the client while it accepts them. Its queue may be full; each packet that it
    /// sends comes back as an event, after which the rest follows.
    pub(super) fn hand_over(&mut self, now: Instant, mut accepts: impl FnMut(Call<'_>) -> bool) {
        while let Some(topics) = self.left.last() {
            if !accepts(Call::Unsubscribe(topics)) {
                return;
            }
            self.left.pop();
        }
        for lookup in self.under_way.iter_mut().take(AT_ONCE) {
            match &mut lookup.progress {
                Progress::Waiting => {
                    if !accepts(Call::Subscribe(&lookup.topics)) {
                        return;
                    }
                    lookup.progress = Progress::Subscribing { pkid: None, since: now };
                }
                Progress::Asking { asked, at, way, .. } if *asked < QUESTIONS && *at <= now => {
                    if !accepts(Call::Ask(&lookup.topics)) {
                        return;
                    }
                    *asked += 1;
                    *at = now + if *asked < QUESTIONS { PAUSE } else { SILENCE + *way };
                }
                _ => {}
            }
        }
    }

    /// The client has sent a SUBSCRIBE with this packet ID. It sends them in the order in which they
    /// were handed over.
    pub(super) fn sent_as(&mut self, sent: u16) {
        let pkids = self.under_way.iter_mut().filter_map(|lookup| match &mut lookup.progress {
            Progress::Subscribing { pkid, .. } => Some(pkid),
            _ => None,
        });
        if let Some(pkid) = pkids.into_iter().find(|pkid| pkid.is_none()) {
            *pkid = Some(sent);
        }
    }

    /// The broker has answered the SUBSCRIBE with this packet ID: the questions come next. False if the
    /// SUBSCRIBE does not belong to a look-up.
    pub(super) fn subscribed(
        &mut self,
        answered: u16,
        refused: Option<usize>,
        now: Instant,
    ) -> bool {
        for lookup in &mut self.under_way {
            if let Progress::Subscribing { pkid, since } = lookup.progress
                && pkid == Some(answered)
            {
                lookup.progress = match refused {
                    None => Progress::Asking {
                        asked: 0,
                        at: now,
                        way: now - since,
                        question: false,
                        answer: false,
                    },
                    Some(filter) => Progress::Refused { at: now, filter },
                };
                return true;
            }
        }
        false
    }

    /// A question has come on this topic: the panel's own, or another's.
    pub(super) fn question_came_back(&mut self, who: &str) {
        for lookup in self.under_way.iter_mut().filter(|lookup| lookup.topics.who == who) {
            if let Progress::Asking { question, .. } = &mut lookup.progress {
                *question = true;
            }
        }
    }

    /// What the panel itself has said has come below this topic, where answers come.
    pub(super) fn heard_itself(&mut self, here: &str) {
        for lookup in self.under_way.iter_mut().filter(|lookup| lookup.topics.here == here) {
            if let Progress::Asking { answer, .. } = &mut lookup.progress {
                *answer = true;
            }
        }
    }

    /// Another board has answered below this topic, which ends its look-up.
    pub(super) fn answered(&mut self, here: &str, board: &BoardName) {
        let asked = |lookup: &MacLookup| match lookup.progress {
            Progress::Subscribing { .. } | Progress::Asking { .. } => lookup.topics.here == here,
            Progress::Waiting | Progress::Refused { .. } => false,
        };
        if let Some(at) = self.under_way.iter().position(asked) {
            self.end(at, MacOwner::AnotherBoard(Some(board.clone())));
        }
    }

    /// Ends the look-ups whose time is over.
    pub(super) fn end_due(&mut self, now: Instant) {
        let is_over = |lookup: &MacLookup| lookup.until().is_some_and(|until| until <= now);
        while let Some(at) = self.under_way.iter().position(is_over) {
            let owner = self.under_way[at].without_answer();
            self.end(at, owner);
        }
    }

    fn end(&mut self, at: usize, owner: MacOwner) {
        let lookup = self.under_way.remove(at);
        for asker in lookup.askers {
            // Who asked may have had another answer by now.
            let _ = asker.send(owner.clone());
        }
        self.left.push(lookup.topics);
    }

    /// The broker could not have answered until now.
    pub(super) fn postpone(&mut self, now: Instant) {
        for lookup in &mut self.under_way {
            match &mut lookup.progress {
                Progress::Subscribing { since, .. } => *since = now,
                Progress::Asking { asked: QUESTIONS, at, way, .. } => *at = now + SILENCE + *way,
                Progress::Waiting | Progress::Asking { .. } | Progress::Refused { .. } => {}
            }
        }
    }

    /// When the next question is due, or the time of the next look-up is over.
    pub(super) fn due(&self) -> Option<Instant> {
        let due = self.under_way.iter().filter_map(|lookup| match lookup.progress {
            Progress::Asking { at, .. } => Some(at),
            _ => lookup.until(),
        });
        due.min()
    }
}

impl MacLookup {
    /// When its time is over.
    fn until(&self) -> Option<Instant> {
        match self.progress {
            Progress::Subscribing { since, .. } => Some(since + SUBSCRIBE),
            Progress::Asking { asked: QUESTIONS, at, .. } | Progress::Refused { at, .. } => {
                Some(at)
            }
            Progress::Waiting | Progress::Asking { .. } => None,
        }
    }

    /// What it means that no answer has come until then.
    fn without_answer(&self) -> MacOwner {
        let LookupTopics { who, here, own_here } = &self.topics;
        // Each MAC address has topics of its own, and a rule is for all of them.
        let every = |topic: &str| topic.replace(&self.mac.to_string(), "+");
        let answers = format!("{here}/+");
        let questions_withheld = || (who, every(who), every(who));
        let answers_withheld = |topic| (topic, every(own_here), every(&answers));
        let (topic, write, read) = match self.progress {
            Progress::Asking { question: true, answer: true, .. } => return MacOwner::Nobody,
            Progress::Asking { question: false, .. } => questions_withheld(),
            Progress::Asking { answer: false, .. } => answers_withheld(own_here),
            Progress::Refused { filter: 0, .. } => questions_withheld(),
            Progress::Refused { .. } => answers_withheld(&answers),
            Progress::Waiting | Progress::Subscribing { .. } => return MacOwner::Unknown(None),
        };
        MacOwner::Unknown(Some(WithheldTopic { topic: topic.clone(), write, read }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Answer = oneshot::Receiver<MacOwner>;

    fn mac(number: usize) -> Mac {
        format!("AA:BB:CC:DD:EE:{number:02X}").parse().expect("a MAC")
    }

    fn here(number: usize) -> String {
        format!("here/{number}")
    }

    fn topics(number: usize) -> LookupTopics {
        LookupTopics {
            who: format!("who/{number}"),
            here: here(number),
            own_here: format!("{}/gate-1", here(number)),
        }
    }

    fn board() -> BoardName {
        "gate-2".parse().expect("a name")
    }

    fn add(lookups: &mut MacLookups, number: usize) -> Answer {
        let (asker, answer) = oneshot::channel();
        lookups.add(mac(number), topics(number), asker);
        answer
    }

    fn lookups(count: usize) -> (MacLookups, Vec<Answer>) {
        let mut lookups = MacLookups::default();
        let answers = (0..count).map(|number| add(&mut lookups, number)).collect();
        (lookups, answers)
    }

    /// What the topics of these tests do not name is the MAC address.
    fn withheld(topic: &str) -> Option<MacOwner> {
        let (write, read) = match topic.strip_prefix("here/0") {
            None => (topic, topic),
            Some(_) => ("here/0/gate-1", "here/0/+"),
        };
        let [topic, write, read] = [topic, write, read].map(str::to_owned);
        Some(MacOwner::Unknown(Some(WithheldTopic { topic, write, read })))
    }

    fn another() -> Option<MacOwner> {
        Some(MacOwner::AnotherBoard(Some(board())))
    }

    /// What a client is asked to do that accepts this many calls.
    fn calls(lookups: &mut MacLookups, now: Instant, room: usize) -> Vec<String> {
        let mut calls = Vec::new();
        lookups.hand_over(now, |call| {
            let has_room = calls.len() < room;
            if has_room {
                calls.push(match call {
                    Call::Subscribe(topics) => format!("+{}", topics.here),
                    Call::Ask(topics) => topics.who.clone(),
                    Call::Unsubscribe(topics) => format!("-{}", topics.here),
                });
            }
            has_room
        });
        calls
    }

    /// What is answered when this moment has come.
    fn answer(lookups: &mut MacLookups, now: Instant, answer: &mut Answer) -> Option<MacOwner> {
        lookups.end_due(now);
        answer.try_recv().ok()
    }

    /// The broker delivers a question and what the panel says where it is answered.
    fn comes_back(lookups: &mut MacLookups, number: usize) {
        lookups.question_came_back(&topics(number).who);
        lookups.heard_itself(&here(number));
    }

    /// Asks all three questions of the look-ups that are granted; when their time is over.
    fn ask(lookups: &mut MacLookups, mut now: Instant) -> Instant {
        for _ in 0..QUESTIONS {
            calls(lookups, now, 99);
            (0..AT_ONCE).for_each(|number| comes_back(lookups, number));
            now = lookups.due().expect("under way");
        }
        now
    }

    #[test]
    fn three_questions_are_asked_within_a_second_and_silence_counts_after_the_last() {
        let ((mut lookups, mut answers), granted) = (lookups(1), Instant::now());
        assert_eq!(calls(&mut lookups, granted, 9), ["+here/0"]);
        assert_eq!(calls(&mut lookups, granted, 9), [""; 0], "subscribed to once");
        lookups.sent_as(7);
        assert_eq!(answer(&mut lookups, granted + SILENCE, &mut answers[0]), None);
        assert!(!lookups.subscribed(6, None, granted), "another packet");
        assert!(lookups.subscribed(7, None, granted));
        let mut now = granted;
        for _ in 0..QUESTIONS {
            assert_eq!(lookups.due(), Some(now));
            assert_eq!(answer(&mut lookups, now, &mut answers[0]), None, "not all was asked");
            assert_eq!(calls(&mut lookups, now, 0), [""; 0], "a full client");
            assert_eq!(calls(&mut lookups, now, 9), ["who/0"]);
            assert_eq!(calls(&mut lookups, now, 9), [""; 0], "one at a time");
            comes_back(&mut lookups, 0);
            now = lookups.due().expect("under way");
        }
        assert_eq!(now, granted + Duration::from_secs(1));
        lookups.postpone(now);
        let in_a_packet = answer(&mut lookups, now, &mut answers[0]);
        assert_eq!(in_a_packet, None, "the broker was in the middle of a packet");
        let over = answer(&mut lookups, now + SILENCE, &mut answers[0]);
        assert_eq!(over, Some(MacOwner::Nobody));
        assert_eq!(calls(&mut lookups, now, 9), ["-here/0"]);
        assert_eq!(lookups.due(), None);
    }

    #[test]
    fn silence_of_a_broker_that_does_not_deliver_questions_and_answers_is_no_answer() {
        let silence = |delivers: fn(&mut MacLookups)| {
            let ((mut lookups, mut answers), granted) = (lookups(1), Instant::now());
            calls(&mut lookups, granted, 9);
            lookups.sent_as(1);
            comes_back(&mut lookups, 0);
            assert!(lookups.subscribed(1, None, granted));
            let mut now = granted;
            for _ in 0..QUESTIONS {
                calls(&mut lookups, now, 9);
                comes_back(&mut lookups, 1);
                delivers(&mut lookups);
                now = lookups.due().expect("under way");
            }
            answer(&mut lookups, now, &mut answers[0])
        };
        assert_eq!(silence(|_| ()), withheld("who/0"));
        let question = silence(|lookups| lookups.question_came_back("who/0"));
        assert_eq!(question, withheld("here/0/gate-1"));
        assert_eq!(silence(|lookups| lookups.heard_itself("here/0")), withheld("who/0"));
        assert_eq!(silence(|lookups| comes_back(lookups, 0)), Some(MacOwner::Nobody));
    }

    #[test]
    fn a_slow_way_to_the_broker_is_no_silence() {
        let ((mut lookups, _answers), now) = (lookups(1), Instant::now());
        calls(&mut lookups, now, 9);
        lookups.sent_as(1);
        let way = Duration::from_secs(4);
        assert!(lookups.subscribed(1, None, now + way));
        assert_eq!(ask(&mut lookups, now + way), now + way + Duration::from_secs(1) + way);
    }

    #[test]
    fn a_subscription_that_is_refused_or_not_granted_in_time_leaves_the_owner_unknown() {
        let ((mut lookups, mut answers), now) = (lookups(2), Instant::now());
        calls(&mut lookups, now, 9);
        lookups.sent_as(1);
        lookups.sent_as(2);
        assert!(lookups.subscribed(1, Some(1), now));
        assert_eq!(answer(&mut lookups, now, &mut answers[0]), withheld("here/0/+"));
        assert_eq!(answer(&mut lookups, now, &mut answers[1]), None);
        let late = now + SUBSCRIBE;
        let late = answer(&mut lookups, late, &mut answers[1]);
        assert_eq!(late, Some(MacOwner::Unknown(None)));
    }

    #[test]
    fn packet_ids_belong_to_the_look_ups_in_the_order_of_their_start() {
        let ((mut lookups, mut answers), now) = (lookups(3), Instant::now());
        assert_eq!(calls(&mut lookups, now, 9).len(), 3);
        lookups.answered(&here(0), &board());
        assert_eq!(answers[0].try_recv().ok(), another(), "before its SUBACK");
        lookups.sent_as(1);
        lookups.sent_as(2);
        assert!(lookups.subscribed(2, None, now));
        let end = ask(&mut lookups, now);
        assert_eq!(answer(&mut lookups, end, &mut answers[2]), Some(MacOwner::Nobody));
        lookups.answered(&here(1), &board());
        assert_eq!(answers[1].try_recv().ok(), another());
    }

    #[test]
    fn a_few_are_under_way_at_once_and_the_others_take_their_turn() {
        let ((mut lookups, mut answers), now) = (lookups(AT_ONCE + 2), Instant::now());
        assert_eq!(calls(&mut lookups, now, 99).len(), AT_ONCE);
        assert_eq!(calls(&mut lookups, now, 99), [""; 0]);
        lookups.answered(&here(AT_ONCE), &board());
        assert_eq!(answers[AT_ONCE].try_recv().ok(), None, "not subscribed to yet");
        lookups.answered(&here(3), &board());
        assert_eq!(answers[3].try_recv().ok(), another());
        let next = here(AT_ONCE);
        assert_eq!(calls(&mut lookups, now, 99), ["-here/3".to_owned(), format!("+{next}")]);
    }

    #[test]
    fn what_a_full_client_does_not_accept_is_handed_over_later() {
        let ((mut lookups, _answers), now) = (lookups(2), Instant::now());
        assert_eq!(calls(&mut lookups, now, 1), ["+here/0"]);
        lookups.answered(&here(0), &board());
        assert_eq!(calls(&mut lookups, now, 0), [""; 0]);
        assert_eq!(calls(&mut lookups, now, 9), ["-here/0", "+here/1"]);
    }

    #[test]
    fn an_address_is_looked_up_once_at_a_time_for_all_who_ask() {
        let ((mut lookups, mut answers), now) = (lookups(1), Instant::now());
        assert_eq!(calls(&mut lookups, now, 9), ["+here/0"]);
        let mut last = add(&mut lookups, 0);
        assert_eq!(calls(&mut lookups, now, 9), [""; 0]);
        lookups.answered(&here(0), &board());
        assert_eq!((answers[0].try_recv().ok(), last.try_recv().ok()), (another(), another()));
        let _again = add(&mut lookups, 0);
        assert_eq!(calls(&mut lookups, now, 9), ["+here/0"], "again, for a new answer");
    }
}
