//! All SQL. One SQLite file; what one call changes is one transaction, durable when the call returns.
//! Calls that come together share a commit.

pub mod boards;
pub mod column;
pub mod groups;
pub mod history;
pub mod intercoms;
pub mod offers;
pub mod pending;
pub mod reports;
pub mod requests;
mod schema;
pub mod taken;
mod writer;

use std::io;
use std::path::Path;
use std::thread;

use rusqlite::{Connection, Error};
use tokio::sync::{mpsc, oneshot};

use writer::{Call, MOST, Waiting};

/// The database. Cheap to clone; calls are served in order by one thread, which ends with the last
/// clone.
#[derive(Clone)]
pub struct Store(mpsc::Sender<Box<dyn Call>>);

/// Why the database cannot be used.
#[derive(Debug)]
pub enum OpenError {
    /// SQLite says so.
    Sqlite(Error),
    /// A newer version of this service wrote it.
    Newer(i64),
    /// Its thread cannot be started.
    Thread(io::Error),
}

impl Store {
    /// Opens a database file, made if it is not there and brought to this version's tables.
    ///
    /// # Errors
    /// It cannot be opened or written, is not a database, or a newer version wrote it.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let mut connection = Connection::open(path)?;
        schema::prepare(&mut connection)?;
        let (calls_in, calls) = mpsc::channel(MOST);
        thread::Builder::new()
            .name("database".to_owned())
            .spawn(move || writer::serve(connection, calls))
            .map_err(OpenError::Thread)?;
        Ok(Store(calls_in))
    }

    /// Runs one call as a transaction of its own, durable when this returns; an error undoes all of
    /// it.
    ///
    /// # Errors
    /// What `work` or SQLite says.
    pub async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        // If the thread has ended, so has the caller's channel.
        let _ = self.0.send(Box::new(Waiting::new(work, caller))).await;
        answer.await.unwrap_or_else(|_| Err(Error::UnwindingPanic.into()))
    }
}

impl From<Error> for OpenError {
    fn from(error: Error) -> Self {
        OpenError::Sqlite(error)
    }
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OpenError::Sqlite(error) => error.fmt(f),
            OpenError::Thread(error) => write!(f, "its thread cannot be started: {error}"),
            OpenError::Newer(version) => write!(
                f,
                "it has tables of version {version}, which a newer intercom-billing wrote; \
                 use that one, or another file"
            ),
        }
    }
}

impl std::error::Error for OpenError {}

#[cfg(test)]
mod tests;
