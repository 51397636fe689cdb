//! The one thread that has the database: what waits when a commit begins shares that commit.
//!
//! A commit that survives a power cut waits for the disk, whatever is in it. Each call has a
//! savepoint of its own, so that an error undoes that call alone; none is answered before the
//! commit has returned.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{Connection, Error, Result, TransactionBehavior, ffi};
use tokio::sync::{mpsc, oneshot};

/// So many calls wait for their turn, and so many share a commit, at most.
pub(super) const MOST: usize = 256;

/// A call whose kind of answer only its caller knows.
pub(super) trait Call: Send {
    /// Does its work; false if that is to be undone.
    fn work(&mut self, connection: &Connection) -> bool;
    /// Answers, now that the commit has returned.
    fn answer(self: Box<Self>, committed: &Result<()>);
}

/// A call and whoever waits for it.
pub(super) struct Waiting<F, T, E> {
    work: Option<F>,
    done: Option<Result<T, E>>,
    caller: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Waiting<F, T, E> {
    pub(super) fn new(work: F, caller: oneshot::Sender<Result<T, E>>) -> Self {
        Waiting { work: Some(work), done: None, caller }
    }
}

impl<F, T, E> Call for Waiting<F, T, E>
where
    F: FnOnce(&Connection) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn work(&mut self, connection: &Connection) -> bool {
        self.done = self.work.take().map(|work| work(connection));
        matches!(self.done, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, committed: &Result<()>) {
        let answer = match (self.done, committed) {
            (Some(Err(why)), _) => Err(why),
            (_, Err(why)) => Err(again(why).into()),
            (Some(done), Ok(())) => done,
            (None, Ok(())) => Err(Error::UnwindingPanic.into()),
        };
        // Whoever waited may have gone.
        let _ = self.caller.send(answer);
    }
}

/// Serves calls until nobody can make one any more.
pub(super) fn serve(mut connection: Connection, mut calls: mpsc::Receiver<Box<dyn Call>>) {
    let mut batch = Vec::with_capacity(MOST);
    while let Some(call) = calls.blocking_recv() {
        batch.push(call);
        while batch.len() < MOST
            && let Ok(call) = calls.try_recv()
        {
            batch.push(call);
        }
        let committed = commit(&mut connection, &mut batch);
        for call in batch.drain(..) {
            call.answer(&committed);
        }
    }
}

fn commit(connection: &mut Connection, batch: &mut [Box<dyn Call>]) -> Result<()> {
    // Immediate: what was read stays true until the commit, whoever else has the file open.
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for call in batch {
        let savepoint = transaction.savepoint()?;
        // A panic undoes its call as an error does.
        if catch_unwind(AssertUnwindSafe(|| call.work(&savepoint))).unwrap_or(false) {
            savepoint.commit()?;
        } else {
            savepoint.finish()?;
        }
        if transaction.is_autocommit() {
            // A full disk and its like undo the whole transaction, and what would follow now would
            // be none.
            let text = "the transaction was given up".to_owned();
            return Err(Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ABORT), Some(text)));
        }
    }
    transaction.commit()
}

/// An error for one more caller.
fn again(why: &Error) -> Error {
    match why {
        Error::SqliteFailure(code, text) => Error::SqliteFailure(*code, text.clone()),
        other => Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ERROR), Some(other.to_string())),
    }
}
