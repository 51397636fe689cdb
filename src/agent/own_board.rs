//! What of the board itself could not be read yet, and when to ask for it again.

use std::time::Duration;

use super::growing_delay::{GrowingDelay, LONGEST_DELAY};
use crate::clock::Moment;
use crate::record::{BoardReading, Record};

/// After this long, what cannot be read counts as unknown: an environment that was never saved has a
/// bad checksum for ever.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(600);

/// Asks for what the record does not know yet.
#[derive(Debug)]
pub(super) struct OwnBoard {
    /// Why the record does not know all; empty if it does.
    not_read: Vec<String>,
    /// Whether something of the current identity is among it.
    is_unread: bool,
    started: Moment,
    /// When to ask again; `None` when nothing is open.
    again: Option<Moment>,
    delay: GrowingDelay,
    /// Whether the board is being read.
    is_reading: bool,
}

impl OwnBoard {
    /// Begins with what restore has read.
    pub(super) fn new(record: &Record, reading: &BoardReading, now: Moment) -> Self {
        let mut own_board = OwnBoard {
            not_read: Vec::new(),
            is_unread: false,
            started: now,
            again: None,
            delay: GrowingDelay::default(),
            is_reading: false,
        };
        own_board.answered(record, reading, now);
        own_board
    }

    /// The board was read, and the record has taken over what it could.
    pub(super) fn answered(&mut self, record: &Record, reading: &BoardReading, now: Moment) {
        self.is_reading = false;
        self.is_unread = record.has_unread();
        if !record.wants_reading() {
            self.not_read.clear();
            self.again = None;
            return;
        }
        self.not_read.clone_from(&reading.warnings);
        self.again = Some(now + self.delay.next());
    }

    /// The record has changed: what did not matter before may have to be known now, before the
    /// environment is written.
    pub(super) fn record_changed(&mut self, record: &Record, now: Moment) {
        if record.wants_reading() && self.again.is_none() {
            self.delay = GrowingDelay::default();
            self.again = Some(now);
        }
    }

    /// When the board is to be read again.
    pub(super) fn due(&self) -> Option<Moment> {
        self.again
    }

    /// The board is being read. An answer that does not come is asked for again too.
    pub(super) fn asked(&mut self, now: Moment) {
        self.again = Some(now + LONGEST_DELAY);
        self.is_reading = true;
    }

    /// Whether the board is being read.
    pub(super) fn is_reading(&self) -> bool {
        self.is_reading
    }

    /// What could not be read, and why.
    pub(super) fn not_read(&self) -> &[String] {
        &self.not_read
    }

    /// Whether requests wait for what could not be read yet.
    pub(super) fn is_awaited(&self, now: Moment) -> bool {
        self.is_unread && now < self.given_up_at()
    }

    /// When what could not be read counts as unknown.
    pub(super) fn given_up_at(&self) -> Moment {
        self.started + GIVEN_UP_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::fixtures::{NOW, record};
    use crate::record::{MacOrigin, Reading};

    fn unread() -> (Record, BoardReading) {
        let mut record = record();
        record.current.mac_origin = MacOrigin::Unread;
        let reading = BoardReading {
            interface: "eth0".to_owned(),
            link_mac: None,
            mac: Reading::Unreadable,
            serial_number: Reading::Absent,
            earlier: Reading::Unreadable,
            board: None,
            warnings: vec!["the lock is held".to_owned()],
        };
        (record, reading)
    }

    #[test]
    fn what_cannot_be_read_is_asked_for_with_growing_delays_up_to_ten_minutes() {
        let (unread, reading) = unread();
        let mut own_board = OwnBoard::new(&unread, &reading, NOW);
        let mut delays = Vec::new();
        for _ in 0..9 {
            delays.push(own_board.due().expect("asked again").since(NOW).as_secs());
            own_board.asked(NOW);
            assert_eq!(own_board.due(), Some(NOW + LONGEST_DELAY), "an answer is on its way");
            assert!(own_board.is_reading());
            own_board.answered(&unread, &reading, NOW);
            assert!(!own_board.is_reading());
        }
        assert_eq!(delays, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
        assert_eq!(own_board.not_read(), ["the lock is held"]);
        own_board.answered(&record(), &reading, NOW);
        assert_eq!((own_board.due(), own_board.not_read().len()), (None, 0), "all is known");
    }

    #[test]
    fn what_a_change_makes_worth_knowing_is_asked_for_at_once() {
        let (unread, reading) = unread();
        let mut own_board = OwnBoard::new(&record(), &reading, NOW);
        own_board.record_changed(&record(), NOW);
        assert_eq!(own_board.due(), None);
        own_board.record_changed(&unread, NOW);
        assert_eq!(own_board.due(), Some(NOW));
        own_board.asked(NOW);
        own_board.record_changed(&unread, NOW);
        assert_eq!(own_board.due(), Some(NOW + LONGEST_DELAY), "an answer is on its way");
    }

    #[test]
    fn requests_wait_for_it_for_ten_minutes() {
        let (unread, reading) = unread();
        let mut own_board = OwnBoard::new(&unread, &reading, NOW);
        let almost = NOW + GIVEN_UP_AFTER - Duration::from_millis(1);
        assert!(own_board.is_awaited(almost) && !own_board.is_awaited(NOW + GIVEN_UP_AFTER));
        own_board.answered(&record(), &reading, NOW);
        assert!(!own_board.is_awaited(NOW));
    }
}
