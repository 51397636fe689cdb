//! Client-ID takeover: two clients use one client ID, and the broker closes the connection of each when
//! the other connects.
//!
//! MQTT 3.1.1 gives no reason, so only the repetition shows it.

use std::time::Duration;

use super::LONGEST_PAUSE;

/// A broker that closes this many connections in a row, each this soon, does not do it by chance.
const SOON: Duration = Duration::from_secs(30);
const OFTEN: u32 = 4;

/// What it means to the operator of the panel.
pub(super) const IN_WORDS: &str = "identity conflict: the broker closes each connection soon after it \
    was made, probably since another panel connects under this board name too; give one of the two \
    another `board_name`";

/// How often in a row the broker has closed a connection soon after it was made.
#[derive(Debug, Default)]
pub(super) struct TakenOver(u32);

impl TakenOver {
    /// The broker has closed a connection after this time. True if another client has probably taken it
    /// over.
    pub(super) fn closed_after(&mut self, alive: Duration) -> bool {
        // The other client backs off too.
        let soon = if self.0 < OFTEN { SOON } else { 2 * LONGEST_PAUSE };
        self.0 = if alive < soon { self.0 + 1 } else { 0 };
        self.0 >= OFTEN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn only_repetition_is_a_conflict_and_it_lasts_while_both_back_off() {
        let mut taken_over = TakenOver::default();
        assert_eq!([1, 2, 9].map(|alive| taken_over.closed_after(alive * SECOND)), [false; 3]);
        assert_eq!([1, 100, 120].map(|alive| taken_over.closed_after(alive * SECOND)), [true; 3]);
        assert!(!taken_over.closed_after(300 * SECOND), "the other one is gone");
        assert!(!taken_over.closed_after(SECOND));
    }
}
