//! When the panel says once more that it is there, because somebody asks.

use std::time::Duration;

use tokio::time::Instant;

use crate::upstream::backoff::{Backoff, Jitter};

/// Over which time the answers of all panels are spread that are asked at once.
const SPREAD: Duration = Duration::from_secs(60);
/// Up to which delay the first old request is answered, and up to which any further one.
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(600);

/// The next announcement of one connection. The panel itself also says that it is there on other
/// occasions.
#[derive(Debug)]
pub(super) struct Announcement {
    due: Option<Instant>,
    jitter: Jitter,
    /// What is retained or queued may come again and again.
    after_old_requests: Backoff,
}

impl Announcement {
    pub(super) fn new(board: &str) -> Self {
        Announcement {
            due: None,
            jitter: Jitter::new(board),
            after_old_requests: Backoff::new(board, FIRST_DELAY, LONGEST_DELAY),
        }
    }

    /// All panels are asked.
    pub(super) fn everybody_asked(&mut self, now: Instant) {
        let delay = self.jitter.up_to(SPREAD);
        self.at(now + delay);
    }

    /// An old request has come: whoever asks for it has not heard the last announcement.
    pub(super) fn old_request(&mut self, now: Instant) {
        if self.due.is_none() {
            let delay = self.after_old_requests.next();
            self.at(now + delay);
        }
    }

    /// Whether it is time; once.
    pub(super) fn take_due(&mut self, now: Instant) -> bool {
        self.due.take_if(|due| *due <= now).is_some()
    }

    /// When it is time.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    fn at(&mut self, at: Instant) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_to_all_is_answered_once_within_a_minute() {
        let (mut announcement, now) = (Announcement::new("gate-1"), Instant::now());
        assert_eq!(announcement.due(), None);
        for _ in 0..9 {
            announcement.everybody_asked(now);
        }
        let due = announcement.due().expect("one");
        assert!(due <= now + SPREAD);
        assert!(announcement.take_due(due) && !announcement.take_due(due));
    }

    #[test]
    fn old_requests_are_answered_with_growing_delays() {
        let (mut announcement, mut now) = (Announcement::new("gate-1"), Instant::now());
        let mut delays = Vec::new();
        for _ in 0..50 {
            announcement.old_request(now);
            announcement.old_request(now);
            let due = announcement.due().expect("one");
            delays.push(due - now);
            assert!(announcement.take_due(due));
            now = due;
        }
        assert!(delays[0] <= FIRST_DELAY && delays.iter().all(|delay| *delay <= LONGEST_DELAY));
        assert!(delays.iter().any(|delay| *delay > LONGEST_DELAY / 2), "{delays:?}");
    }
}
