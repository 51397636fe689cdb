//! The record in memory, and whether the disk has it.

use std::io;
use std::ops::Deref;
use std::time::Duration;

use crate::clock::{Moment, WallTime};
use crate::record::{Counters, Record};
use crate::record_store::RecordStore;
use crate::storage::Disk;

/// How often a record that could not be written is tried again.
const SAVE_AGAIN: Duration = Duration::from_secs(60);

/// The record. Anybody may read it; it only changes by a transition that is saved, but for the
/// counters, which are saved along with the next one.
#[derive(Debug)]
pub(super) struct DurableRecord {
    record: Record,
    /// When to try again to make it durable; `None` while it is.
    save_again: Option<Moment>,
}

impl DurableRecord {
    /// The record as it is; `save_again` is now if the disk did not take it.
    pub(super) fn new(record: Record, save_again: Option<Moment>) -> Self {
        DurableRecord { record, save_again }
    }

    /// Whether the disk has it as it is.
    pub(super) fn is_durable(&self) -> bool {
        self.save_again.is_none()
    }

    /// When it is tried again to save it.
    pub(super) fn due(&self) -> Option<Moment> {
        self.save_again
    }

    /// What has happened so far. No count is worth a write of its own.
    pub(super) fn counters(&mut self) -> &mut Counters {
        &mut self.record.counters
    }

    /// Makes one transition durable, or leaves the record as it was. `good_time` is what the wall
    /// clock says, if a server's certificate is valid by it.
    ///
    /// # Errors
    /// As the disk's.
    pub(super) fn transition(
        &mut self,
        store: &mut RecordStore<impl Disk>,
        good_time: Option<WallTime>,
        change: impl FnOnce(&mut Record),
    ) -> io::Result<()> {
        let mut next = self.record.clone();
        change(&mut next);
        next.last_good_time = good_time.or(next.last_good_time);
        store.save(&next)?;
        self.record = next;
        self.save_again = None;
        Ok(())
    }

    /// Makes a transition in memory in any case, and durable as soon as the disk takes it.
    ///
    /// # Errors
    /// As the disk's, if it does not take it now.
    pub(super) fn transition_regardless(
        &mut self,
        store: &mut RecordStore<impl Disk>,
        good_time: Option<WallTime>,
        now: Moment,
        change: impl FnOnce(&mut Record),
    ) -> io::Result<()> {
        change(&mut self.record);
        // Written along with what is written anyway: a board without a clock starts from it next time.
        self.record.last_good_time = good_time.or(self.record.last_good_time);
        let saved = store.save(&self.record);
        self.save_again = saved.is_err().then_some(now + SAVE_AGAIN);
        saved
    }
}

impl Deref for DurableRecord {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.record
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::agent::fixtures::{NOW, record};
    use crate::record_store::Loaded;
    use crate::storage::StateDir;
    use crate::testing::Sandbox;

    /// A disk that fails until it is mended.
    struct FailingDisk {
        sandbox: Sandbox,
        store: RecordStore<StateDir>,
    }

    impl FailingDisk {
        fn new() -> Self {
            let sandbox = Sandbox::new();
            let store = RecordStore::new(StateDir::new(sandbox.root(), "/state".as_ref()));
            FailingDisk { sandbox, store }
        }

        fn mend(&self) {
            fs::create_dir(self.sandbox.root().path("/state")).expect("a directory");
        }

        fn learnt_id(&mut self) -> Option<i64> {
            match self.store.load() {
                Loaded::Good(record) => record.learnt_id,
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_transition_that_the_disk_does_not_take_did_not_happen() {
        let mut disk = FailingDisk::new();
        let mut record = DurableRecord::new(record(), None);
        let learn = |record: &mut Record| record.learnt_id = Some(7);
        record.transition(&mut disk.store, None, learn).expect_err("no directory");
        assert_eq!((record.learnt_id, record.is_durable()), (None, true));
        disk.mend();
        record.transition(&mut disk.store, None, learn).expect("saved");
        assert_eq!((record.learnt_id, disk.learnt_id()), (Some(7), Some(7)));
    }

    #[test]
    fn a_transition_that_must_happen_is_saved_later() {
        let mut disk = FailingDisk::new();
        let mut record = DurableRecord::new(record(), None);
        let learn = |record: &mut Record| record.learnt_id = Some(7);
        let saved = record.transition_regardless(&mut disk.store, None, NOW, learn);
        saved.expect_err("no directory");
        assert_eq!((record.learnt_id, record.due()), (Some(7), Some(NOW + SAVE_AGAIN)));
        disk.mend();
        record.transition_regardless(&mut disk.store, None, NOW, |_| {}).expect("saved");
        assert_eq!((disk.learnt_id(), record.due()), (Some(7), None));
    }

    #[test]
    fn any_later_transition_saves_what_was_not() {
        let mut disk = FailingDisk::new();
        disk.mend();
        let mut record = DurableRecord::new(record(), Some(NOW));
        assert_eq!((record.due(), record.is_durable()), (Some(NOW), false));
        record.transition(&mut disk.store, None, |_| {}).expect("saved");
        assert_eq!((record.due(), record.is_durable()), (None, true));
    }

    #[test]
    fn the_last_good_time_is_kept_until_there_is_a_later_one() {
        let mut disk = FailingDisk::new();
        disk.mend();
        let mut record = DurableRecord::new(record(), None);
        let good = WallTime::from_unix_seconds(1_800_000_000);
        record.transition_regardless(&mut disk.store, Some(good), NOW, |_| {}).expect("saved");
        record.transition(&mut disk.store, None, |_| {}).expect("saved");
        assert_eq!(record.last_good_time, Some(good));
    }
}
