//! What was let go for want of room, and when it is asked for again.

use std::time::Duration;

use crate::clock::Moment;

/// How long it is not asked again after it was asked: twice as long each time, up to the longest.
const SHORTEST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(60);

/// Messages that were let go unacknowledged: upstream delivers them again.
#[derive(Debug)]
pub(super) struct Overflow {
    is_any: bool,
    /// The place of the first request among them.
    first: Option<u64>,
    not_before: Moment,
    gap: Duration,
}

impl Default for Overflow {
    /// Nothing was let go. Also when all connections are made anew: everything comes again then.
    fn default() -> Self {
        Overflow { is_any: false, first: None, not_before: Moment::BOOT, gap: SHORTEST }
    }
}

impl Overflow {
    /// Something was let go that is decided already, and only to be reported.
    pub(super) fn let_go(&mut self) {
        self.is_any = true;
    }

    /// A request was let go. Those that come after it are let go too, so that none overtakes it.
    pub(super) fn let_request_go(&mut self, arrival: u64) {
        self.is_any = true;
        self.first.get_or_insert(arrival);
    }

    /// Whether a request was let go that came before this one.
    pub(super) fn is_before(&self, arrival: u64) -> bool {
        self.first.is_some_and(|first| first < arrival)
    }

    /// When upstream may be asked for it; `None` if nothing was let go.
    pub(super) fn due(&self) -> Option<Moment> {
        self.is_any.then_some(self.not_before)
    }

    /// Upstream is asked now.
    pub(super) fn asked(&mut self, now: Moment) {
        let gap = (self.gap * 2).min(LONGEST);
        *self = Overflow { is_any: false, first: None, not_before: now + self.gap, gap };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::fixtures::NOW;

    #[test]
    fn what_comes_after_one_that_was_let_go_is_let_go_too() {
        let mut overflow = Overflow::default();
        assert!(!overflow.is_before(8));
        overflow.let_request_go(7);
        overflow.let_request_go(9);
        assert!(!overflow.is_before(7) && overflow.is_before(8));
        overflow.asked(NOW);
        assert!(!overflow.is_before(8));
    }

    #[test]
    fn upstream_is_asked_less_and_less_often() {
        let mut overflow = Overflow::default();
        assert_eq!(overflow.due(), None);
        let (mut now, mut gaps) = (NOW, Vec::new());
        for _ in 0..6 {
            overflow.let_go();
            let due = overflow.due().expect("something was let go").max(now);
            gaps.push(due.since(now).as_secs());
            now = due;
            overflow.asked(now);
        }
        assert_eq!((gaps, overflow.due()), (vec![0, 5, 10, 20, 40, 60], None));
    }
}
