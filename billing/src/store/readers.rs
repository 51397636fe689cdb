//! The connections that only read: what they are asked for does not wait until a write has reached
//! the disk.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Error, OpenFlags, Result};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::access::Snapshot;
use super::schema;
use crate::host::Host;

/// How many snapshots are read at once.
const READERS: usize = 4;

pub(super) struct Readers {
    host: Arc<dyn Host>,
    idle: Mutex<Vec<Connection>>,
    /// One permit for each idle connection.
    permits: Arc<Semaphore>,
}

/// Gives its connection back when it is dropped, after a panic too.
struct Lent<'a> {
    connection: Option<Connection>,
    readers: &'a Readers,
}

impl Readers {
    /// The file must have its tables already.
    pub(super) fn open(path: &Path, host: Arc<dyn Host>) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = |_| {
            let connection = Connection::open_with_flags(path, flags)?;
            schema::set_up(&connection)?;
            Ok(connection)
        };
        let idle = (0..READERS).map(open).collect::<Result<Vec<_>>>()?;
        let permits = Arc::new(Semaphore::new(READERS));
        Ok(Readers { host, idle: Mutex::new(idle), permits })
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
        done.await.unwrap_or_else(|_| Err(Error::UnwindingPanic.into()))
    }

    fn run<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&Snapshot<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let connection = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let lent = Lent { connection, readers: self };
        let connection = lent.connection.as_ref().ok_or(Error::InvalidQuery)?;
        // What several statements read is one state.
        let transaction = connection.unchecked_transaction()?;
        work(&Snapshot::on(&transaction, &*self.host))
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut idle = self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.extend(self.connection.take());
    }
}
