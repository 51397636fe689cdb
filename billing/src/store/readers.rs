//! The connections that only read: what they are asked for does not wait until a write has reached
//! the disk.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::access::Snapshot;
use super::connection::Connection;
use super::{Error, Result};
use crate::host::Host;

/// How many snapshots are read at once.
pub(super) const READERS: usize = 4;

pub(super) struct Readers {
    host: Arc<dyn Host>,
    idle: Mutex<Vec<Box<dyn Connection>>>,
    /// One permit for each idle connection.
    permits: Arc<Semaphore>,
}

/// Gives its connection back when it is dropped, after a panic too.
struct Lent<'a> {
    connection: Option<Box<dyn Connection>>,
    readers: &'a Readers,
}

impl Readers {
    pub(super) fn new(idle: Vec<Box<dyn Connection>>, host: Arc<dyn Host>) -> Self {
        let permits = Arc::new(Semaphore::new(idle.len()));
        Readers { host, idle: Mutex::new(idle), permits }
    }

    /// Runs `work` on the state that the database has now.
    pub(super) async fn read<T, E, F>(self: Arc<Self>, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&Snapshot<'_>) -> Result<T, E> + Send + 'static,
    {
        // The semaphore is never closed.
        let permit = self.permits.clone().acquire_owned().await;
        let done = spawn_blocking(move || {
            let _until_given_back = permit;
            self.run(work)
        });
        done.await.unwrap_or_else(|_| Err(Error::Panicked.into()))
    }

    fn run<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&Snapshot<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let connection = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut lent = Lent { connection, readers: self };
        let connection = lent.connection.as_mut().ok_or(Error::NoConnection)?;
        let (mut work, mut done) = (Some(work), None);
        connection.read(&mut |engine| {
            done = work.take().map(|work| work(&Snapshot::on(engine, &*self.host)));
        })?;
        done.unwrap_or_else(|| Err(Error::NoConnection.into()))
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut idle = self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.extend(self.connection.take());
    }
}
