//! All SQL: an operation a function, in the module of its table. What one call changes is one
//! transaction, durable when the call returns.
//!
//! ```text
//! Store ── write ──► writer (one thread; calls that come together share a commit) ──► Changes
//!       └─ read ───► readers (a few connections, which do not wait for the writer)
//! an operation ──► Snapshot, Transaction ──► engine ──► sqlite
//! ```

pub mod audit;
pub mod boards;
pub mod by_hand;
pub mod credentials;
pub mod deliveries;
pub mod delivery_log;
pub mod disputes;
pub mod doors;
pub mod factories;
pub mod figures;
pub mod groups;
pub mod hardware;
pub mod history;
pub mod holders;
pub mod import_rows;
pub mod imports;
pub mod intercom_list;
pub mod intercoms;
pub mod macs;
pub mod offers;
pub mod pending;
pub mod presence;
pub mod quiet_hours;
pub mod replaced;
pub mod reports;
pub mod request_list;
pub mod requests;
pub mod retention;
pub mod seen;
pub mod sessions;
pub mod sightings;
pub mod swaps;
pub mod taken;
pub mod tokens;
pub mod webhooks;

mod access;
mod changes;
mod column;
mod counters;
mod engine;
mod error;
mod paging;
mod readers;
mod sqlite;
mod statement;
mod writer;

pub use access::{Snapshot, Transaction};
pub use changes::{Changed, Changes};
pub use counters::{Counted, Counters};
pub use error::{Error, Result};
pub use sqlite::backup;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use tokio::sync::{mpsc, oneshot};
use tracing::Span;

use crate::host::{Host, System};
use engine::Connection;
use readers::{READERS, Readers};
use writer::{AfterCommit, Call, MOST, Waiting};

/// The database. Cheap to clone; its threads and connections end with the last clone.
#[derive(Clone)]
pub struct Store {
    calls: mpsc::Sender<Box<dyn Call>>,
    readers: Arc<Readers>,
    changes: Arc<Changes>,
    counters: Counters,
    path: Arc<Path>,
    host: Arc<dyn Host>,
}

/// Why the database cannot be used.
#[derive(Debug)]
pub enum OpenError {
    /// The database says so.
    Database(Error),
    /// There is no such file.
    Missing,
    /// The file cannot be made.
    File(io::Error),
    /// Another program's tables are in it.
    Foreign,
    /// A newer version of this service wrote it.
    Newer(i64),
    /// Its thread cannot be started.
    Thread(io::Error),
}

impl Store {
    /// Opens a database file that is there, as [`Store::open`] does.
    ///
    /// # Errors
    /// As there, or there is no such file.
    pub fn open_existing(path: &Path) -> Result<Self, OpenError> {
        match path.exists() {
            true => Self::open(path),
            false => Err(OpenError::Missing),
        }
    }

    /// Opens a database file, made if it is not there and brought to this version's tables.
    ///
    /// # Errors
    /// It cannot be opened or written, is not a database of this service, or a newer version wrote it.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_on(path, Arc::new(System))
    }

    /// The same on another host than the system itself.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_on(path: &Path, host: Arc<dyn Host>) -> Result<Self, OpenError> {
        let writer = sqlite::Connection::to_write(path)?;
        let reader = |_| Ok(Box::new(sqlite::Connection::to_read(path)?) as Box<dyn Connection>);
        let idle = (0..READERS).map(reader).collect::<Result<Vec<_>>>()?;
        let readers = Arc::new(Readers::new(idle, host.clone()));
        let changes = Arc::new(Changes::default());
        let (calls, calls_out) = mpsc::channel(MOST);
        let counters = Counters::new();
        let after = AfterCommit { changes: changes.clone(), counters: counters.clone() };
        let on = host.clone();
        thread::Builder::new()
            .name("database".to_owned())
            .spawn(move || writer::serve(Box::new(writer), calls_out, &after, &*on))
            .map_err(OpenError::Thread)?;
        Ok(Store { calls, readers, changes, counters, path: path.into(), host })
    }

    /// Runs one call as a transaction of its own, durable when this returns; an error undoes all of
    /// it. Calls are served in order.
    ///
    /// # Errors
    /// What `work` or the database says.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        // What it logs belongs to the call that it is part of.
        let span = Span::current();
        let work = move |transaction: &Transaction<'_>| span.in_scope(|| work(transaction));
        // If the thread has ended, so has the caller's channel.
        let _ = self.calls.send(Box::new(Waiting::new(work, caller))).await;
        answer.await.unwrap_or_else(|_| Err(Error::Panicked.into()))
    }

    /// Runs one call on what is committed when it begins, beside whatever is being written.
    ///
    /// # Errors
    /// What `work` or the database says.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&Snapshot<'_>) -> Result<T, E> + Send + 'static,
    {
        let span = Span::current();
        let work = move |snapshot: &Snapshot<'_>| span.in_scope(|| work(snapshot));
        self.readers.clone().read(work).await
    }

    /// What the wall clock says, Unix time in milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.host.now_ms()
    }

    /// What was committed through this store.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// What was committed through this store, counted.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl From<Error> for OpenError {
    fn from(error: Error) -> Self {
        OpenError::Database(error)
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        OpenError::Database(error.into())
    }
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OpenError::Database(error) => error.fmt(f),
            OpenError::Missing => f.write_str("there is no such file"),
            OpenError::File(error) => write!(f, "it cannot be made: {error}"),
            OpenError::Foreign => f.write_str("it is no database of intercom-billing"),
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
