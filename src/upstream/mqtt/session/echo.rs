//! The echo of the panel's own presence: the proof that what the panel says arrives, and that it hears
//! what arrives.
//!
//! A connection that merely stays open proves nothing: a path that is cut is silent. Each question has a
//! new nonce, so that neither a retained message nor an earlier echo is taken for the answer.

use std::time::Duration;

use intercom_wire::Nonce;
use tokio::time::Instant;

use crate::random::{self, NoRandomNumbers};

/// How often the presence is published until it comes back: the broker may drop it at QoS 0.
const REPEAT: Duration = Duration::from_secs(2);

/// How many nonces of a connection count: a request that answers the one before the last may still be on
/// its way.
const MOST: usize = 8;

/// What the presence of one connection says, and whether the broker still has to give it back.
#[derive(Debug)]
pub(super) struct Echo {
    nonce: Nonce,
    /// The ones before it, oldest first.
    earlier: Vec<Nonce>,
    /// How many there were before this one.
    number: u64,
    /// When to publish it again; `None` while it is not waited for.
    repeat_at: Option<Instant>,
}

impl Echo {
    pub(super) fn new() -> Result<Self, NoRandomNumbers> {
        Ok(Echo { nonce: fresh()?, earlier: Vec::new(), number: 0, repeat_at: None })
    }

    /// The nonce of the presence that is to be published.
    pub(super) fn nonce(&self) -> &Nonce {
        &self.nonce
    }

    /// Waits for the presence with a new nonce, which is to be published now.
    pub(super) fn ask(&mut self, now: Instant) -> Result<(), NoRandomNumbers> {
        let nonce = fresh()?;
        self.earlier.push(std::mem::replace(&mut self.nonce, nonce));
        self.number += 1;
        self.earlier.drain(..self.earlier.len().saturating_sub(MOST));
        self.repeat_at = Some(now + REPEAT);
        Ok(())
    }

    /// The number of the last nonce. They are counted from the start of the connection.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The number of this nonce, if the panel has said it on this connection.
    pub(super) fn number_of(&self, nonce: &Nonce) -> Option<u64> {
        let later_first = std::iter::once(&self.nonce).chain(self.earlier.iter().rev());
        let found = (0..).zip(later_first).find(|(_, said)| *said == nonce);
        found.map(|(back, _): (u64, _)| self.number - back)
    }

    /// The panel's own presence has come, with this nonce. True if it is the one that is waited for.
    pub(super) fn is_returned(&mut self, nonce: Option<&Nonce>) -> bool {
        nonce == Some(&self.nonce) && self.repeat_at.take().is_some()
    }

    /// Whether the presence is to be published again by now.
    pub(super) fn is_to_be_repeated(&mut self, now: Instant) -> bool {
        let is_due = self.repeat_at.is_some_and(|at| at <= now);
        if is_due {
            self.repeat_at = Some(now + REPEAT);
        }
        is_due
    }

    /// When it is to be published again.
    pub(super) fn due(&self) -> Option<Instant> {
        self.repeat_at
    }
}

fn fresh() -> Result<Nonce, NoRandomNumbers> {
    random::number().map(Nonce::of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_nonce_that_was_asked_for_is_an_answer_and_it_is_one_once() {
        let (mut echo, now) = (Echo::new().expect("a nonce"), Instant::now());
        let nobody_asked = echo.nonce().clone();
        assert!(!echo.is_returned(Some(&nobody_asked)));
        echo.ask(now).expect("a nonce");
        let first = echo.nonce().clone();
        assert!(!echo.is_returned(Some(&nobody_asked)), "retained from before");
        assert!(!echo.is_returned(None), "of an older agent");
        assert!(echo.is_returned(Some(&first)));
        assert!(!echo.is_returned(Some(&first)), "delivered twice");
        echo.ask(now).expect("a nonce");
        assert!(!echo.is_returned(Some(&first)), "the answer to the question before");
    }

    #[test]
    fn the_last_nonces_of_the_connection_count_and_no_others() {
        let (mut echo, now) = (Echo::new().expect("a nonce"), Instant::now());
        let first = echo.nonce().clone();
        for _ in 0..MOST {
            echo.ask(now).expect("a nonce");
            assert_eq!(echo.number_of(&first), Some(0));
            assert_eq!(echo.number_of(echo.nonce()), Some(echo.number()));
        }
        echo.ask(now).expect("a nonce");
        assert_eq!(echo.number_of(&first), None, "long ago");
        let other = Echo::new().expect("a nonce");
        assert_eq!(other.number_of(echo.nonce()), None);
    }

    #[test]
    fn it_is_repeated_every_two_seconds_until_it_comes_back() {
        let (mut echo, now) = (Echo::new().expect("a nonce"), Instant::now());
        assert_eq!(echo.due(), None);
        echo.ask(now).expect("a nonce");
        let nonce = echo.nonce().clone();
        assert!(!echo.is_to_be_repeated(now));
        assert!(echo.is_to_be_repeated(now + REPEAT));
        assert_eq!((echo.due(), echo.nonce()), (Some(now + 2 * REPEAT), &nonce));
        assert!(echo.is_returned(Some(&nonce)));
        assert_eq!(echo.due(), None);
    }
}
