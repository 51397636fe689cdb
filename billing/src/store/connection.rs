//! What an engine gives the store: connections to read and to write by.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::access::{Said, Transaction};
use super::engine::Engine;
use super::{Error, Result};
use crate::host::Host;

/// A connection to a database.
pub(super) trait Connection: Send {
    /// Runs `work` on one consistent state.
    fn read(&mut self, work: &mut dyn FnMut(&dyn Engine)) -> Result<()>;

    /// Runs the calls as one transaction, each in a savepoint of its own, so that an error undoes
    /// only that call. What they have said is on the disk when this returns.
    fn write(&mut self, calls: &mut [Box<dyn Call>], host: &dyn Host) -> Result<Said>;
}

/// A call whose kind of answer only its caller knows.
pub(super) trait Call: Send {
    /// The epoch of the leader whose call it is; `None`: anybody's.
    fn epoch(&self) -> Option<i64>;
    /// It is not to be done.
    fn refuse(&mut self, why: Error);
    /// Does its work; false if that is to be undone.
    fn work(&mut self, transaction: &Transaction<'_>) -> bool;
    /// Answers, now that the commit has returned.
    fn answer(self: Box<Self>, committed: &Result<(), Arc<Error>>);
}

/// Runs one call; false if what it did is to be undone. A panic undoes its call as an error does.
pub(super) fn run(call: &mut dyn Call, access: &Transaction<'_>) -> bool {
    catch_unwind(AssertUnwindSafe(|| call.work(access))).unwrap_or(false)
}
