//! The one thread that writes: calls that wait when a commit begins share that commit.
//!
//! A durable commit waits for the disk, however little is in it. Each call has its own savepoint,
//! so an error undoes only that call. No call is answered before the commit has returned.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::access::Transaction;
use super::changes::Changes;
use super::connection::{Call, Connection};
use super::counters::Counters;
use super::{Error, Result};
use crate::host::Host;

/// Upper bound on the calls that wait for their turn, and on those that share a commit.
pub(super) const MOST: usize = 256;

/// A call and its waiting caller.
pub(super) struct Waiting<F, T, E> {
    epoch: Option<i64>,
    work: Option<F>,
    done: Option<Result<T, E>>,
    caller: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Waiting<F, T, E> {
    pub(super) fn new(epoch: Option<i64>, work: F, caller: oneshot::Sender<Result<T, E>>) -> Self {
        Waiting { epoch, work: Some(work), done: None, caller }
    }
}

impl<F, T, E> Call for Waiting<F, T, E>
where
    F: FnOnce(&Transaction<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn epoch(&self) -> Option<i64> {
        self.epoch
    }

    fn refuse(&mut self, why: Error) {
        self.done = Some(Err(why.into()));
    }

    fn work(&mut self, transaction: &Transaction<'_>) -> bool {
        self.done = self.work.take().map(|work| work(transaction));
        matches!(self.done, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, committed: &Result<(), Arc<Error>>) {
        let answer = match (self.done, committed) {
            (Some(Err(why)), _) => Err(why),
            (_, Err(why)) => Err(Error::Commit(why.clone()).into()),
            (Some(done), Ok(())) => done,
            (None, Ok(())) => Err(Error::Panicked.into()),
        };
        // The caller may have given up.
        let _ = self.caller.send(answer);
    }
}

/// Who is told what was committed.
pub(super) struct AfterCommit {
    pub(super) changes: Arc<Changes>,
    pub(super) counters: Counters,
}

/// Serves calls until the last store is dropped.
pub(super) fn serve(
    mut connection: Box<dyn Connection>,
    mut calls: mpsc::Receiver<Box<dyn Call>>,
    after: &AfterCommit,
    host: &dyn Host,
) {
    let mut batch = Vec::with_capacity(MOST);
    while let Some(call) = calls.blocking_recv() {
        batch.push(call);
        while batch.len() < MOST
            && let Ok(call) = calls.try_recv()
        {
            batch.push(call);
        }
        let committed = connection.write(&mut batch, host).map_err(Arc::new);
        let committed = committed.map(|said| {
            after.counters.add(said.counted);
            after.changes.add(said.changed);
        });
        for call in batch.drain(..) {
            call.answer(&committed);
        }
    }
}
