//! Reports that the broker has acknowledged and billing has not: a broker may acknowledge what it drops.
//! They are sent again until billing says that it has read them.

use std::time::Duration;

use super::seams::ReportId;
use crate::clock::Moment;

/// The first delay before a report is sent again, and the longest.
const FIRST_DELAY: Duration = Duration::from_secs(10);
const LONGEST_DELAY: Duration = Duration::from_secs(3600);
/// After this long, a report is only sent on each new connection.
const PATIENCE: Duration = Duration::from_secs(7 * 24 * 3600);

/// The reports that billing has not answered, oldest first.
#[derive(Debug, Default)]
pub(super) struct UnreadReports(Vec<UnreadReport>);

#[derive(Debug)]
struct UnreadReport {
    id: ReportId,
    since: Moment,
    delay: Duration,
    /// When it is sent again; `None` once it is, until the broker acknowledges it.
    due: Option<Moment>,
}

impl UnreadReports {
    /// The broker has acknowledged a report.
    pub(super) fn published(&mut self, id: ReportId, now: Moment) {
        let unread = match self.0.iter_mut().find(|unread| unread.id == id) {
            Some(unread) => {
                unread.delay = (unread.delay * 2).min(LONGEST_DELAY);
                unread
            }
            None => {
                self.0.push(UnreadReport { id, since: now, delay: FIRST_DELAY, due: None });
                let Some(unread) = self.0.last_mut() else { return };
                unread
            }
        };
        unread.due = (now < unread.since + PATIENCE).then_some(now + unread.delay);
    }

    /// A report is no longer waited for.
    pub(super) fn forget(&mut self, id: ReportId) {
        self.0.retain(|unread| unread.id != id);
    }

    /// The next report that is to be sent again by now; once.
    pub(super) fn take_due(&mut self, now: Moment) -> Option<ReportId> {
        let unread = self.0.iter_mut().find(|unread| unread.due.is_some_and(|due| due <= now))?;
        unread.due = None;
        Some(unread.id)
    }

    /// When the first is to be sent again.
    pub(super) fn due(&self) -> Option<Moment> {
        self.0.iter().filter_map(|unread| unread.due).min()
    }

    /// How many there are, and since when the first one waits.
    pub(super) fn shown(&self) -> Option<(usize, Moment)> {
        self.0.first().map(|first| (self.0.len(), first.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::fixtures::NOW;

    const ID: ReportId = ReportId::Durable(7);

    #[test]
    fn it_is_sent_again_with_growing_delays_and_after_a_week_only_on_a_new_connection() {
        let (mut unread, mut now) = (UnreadReports::default(), NOW);
        let mut delays = Vec::new();
        loop {
            unread.published(ID, now);
            let Some(due) = unread.due() else { break };
            assert_eq!(unread.take_due(now), None);
            assert_eq!(unread.take_due(due), Some(ID));
            assert_eq!(
                (unread.take_due(due), unread.due()),
                (None, None),
                "until the broker has it"
            );
            delays.push(due.since(now).as_secs());
            now = due;
        }
        assert_eq!(delays[..4], [10, 20, 40, 80]);
        assert_eq!((delays.iter().max(), delays.last()), (Some(&3600), Some(&3600)));
        assert!((PATIENCE..PATIENCE + LONGEST_DELAY).contains(&now.since(NOW)));
        assert_eq!(unread.shown(), Some((1, NOW)));
        unread.forget(ID);
        assert_eq!(unread.shown(), None);
    }
}
