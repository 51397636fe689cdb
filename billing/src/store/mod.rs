//! All SQL: an operation a function, in the module of its table. What one call changes is one
//! transaction, durable when the call returns.
//!
//! ```text
//! Store ── write ──► writer (one thread; calls that come together share a commit) ──► Changes
//!       └─ read ───► readers (a few connections, which do not wait for the writer)
//! an operation ──► Snapshot, Transaction ──► engine ──► sqlite, postgres
//! ```

pub mod audit;
pub mod boards;
pub mod by_hand;
pub mod copy;
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
pub mod import_rows;
pub mod imports;
pub mod intercom_list;
pub mod intercoms;
pub mod macs;
pub mod offers;
pub mod owners;
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
mod connection;
mod counters;
mod engine;
mod error;
mod location;
mod paging;
mod postgres;
mod readers;
mod row;
mod sqlite;
mod statement;
mod writer;

pub use access::{Snapshot, Transaction};
pub use changes::{Changed, Changes};
pub use counters::{Counted, Counters};
pub use error::{Error, Result};
pub use location::Location;
pub(crate) use location::is_url;
pub use postgres::{GivenBack, Lead, Lease, Server, Standing};
pub use sqlite::backup;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;

use tokio::sync::{mpsc, oneshot};
use tracing::Span;

use crate::host::{Host, System};
use connection::{Call, Connection};
use postgres::Feed;
use readers::{READERS, Readers};
use writer::{AfterCommit, MOST, Waiting};

/// The database. Cheap to clone; its threads and connections end with the last clone.
#[derive(Clone)]
pub struct Store {
    calls: mpsc::Sender<Box<dyn Call>>,
    readers: Arc<Readers>,
    changes: Arc<Changes>,
    counters: Counters,
    location: Arc<Location>,
    host: Arc<dyn Host>,
    since_ms: Arc<AtomicI64>,
    /// Whose writes these are: a leader's, or anybody's.
    lead: Option<Lead>,
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
    /// That is no URL of a PostgreSQL database.
    Url(String),
    /// Its texts are in an encoding that has not every character.
    Encoding(String),
    /// A copy into it was cut off.
    Unfinished,
    /// No authority can be trusted for TLS.
    Tls(String),
}

impl Store {
    /// Opens a database that is there, as [`Store::open`] does.
    ///
    /// # Errors
    /// As there, or there is no such file.
    pub fn open_existing(location: impl Into<Location>) -> Result<Self, OpenError> {
        let location = location.into();
        match location.file() {
            Some(file) if !file.exists() => Err(OpenError::Missing),
            _ => Self::open(location),
        }
    }

    /// Opens a database and brings it to this version's tables. A file is made if it is not there.
    ///
    /// # Errors
    /// It cannot be opened or written, is not a database of this service, or a newer version wrote it.
    pub fn open(location: impl Into<Location>) -> Result<Self, OpenError> {
        Self::open_on(location, Arc::new(System))
    }

    /// The same on another host than the system itself.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_on(location: impl Into<Location>, host: Arc<dyn Host>) -> Result<Self, OpenError> {
        let location = location.into();
        let (changes, since_ms) = (Arc::new(Changes::default()), Arc::default());
        let (writer, readers) = connections(&location, &changes, &since_ms)?;
        let readers = Arc::new(Readers::new(readers, host.clone()));
        let (calls, calls_out) = mpsc::channel(MOST);
        let counters = Counters::new();
        let after = AfterCommit { changes: changes.clone(), counters: counters.clone() };
        let on = host.clone();
        thread::Builder::new()
            .name("database".to_owned())
            .spawn(move || writer::serve(writer, calls_out, &after, &*on))
            .map_err(OpenError::Thread)?;
        let location = Arc::new(location);
        Ok(Store { calls, readers, changes, counters, location, host, since_ms, lead: None })
    }

    /// Takes part in the choice of the process that leads; `None`: this one has the database alone.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn lease(&self) -> Result<Option<(Lease, GivenBack)>, OpenError> {
        match &*self.location {
            Location::File(_) => Ok(None),
            Location::Postgres(server) => {
                Lease::start((**server).clone()).map(Some).map_err(OpenError::Thread)
            }
        }
    }

    /// The same store, whose writes are refused once another process leads.
    #[must_use]
    pub fn led(&self, lead: &Lead) -> Self {
        Store { lead: Some(lead.clone()), ..self.clone() }
    }

    /// Whether nobody else leads, as far as this process can know without asking.
    pub fn leads(&self) -> bool {
        self.lead.as_ref().is_none_or(Lead::holds)
    }

    /// Since when boards can show themselves, Unix time in milliseconds, whichever process leads.
    pub fn since_ms(&self) -> i64 {
        self.since_ms.load(Ordering::Relaxed)
    }

    /// Boards can show themselves from now on.
    pub(crate) fn set_since_ms(&self, since_ms: i64) {
        self.since_ms.store(since_ms, Ordering::Relaxed);
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
        let epoch = self.lead.as_ref().map(Lead::epoch);
        // What it logs belongs to the call that it is part of.
        let span = Span::current();
        let work = move |transaction: &Transaction<'_>| span.in_scope(|| work(transaction));
        // If the thread has ended, so has the caller's channel.
        let _ = self.calls.send(Box::new(Waiting::new(epoch, work, caller))).await;
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

    /// Where it is.
    pub fn location(&self) -> &Location {
        &self.location
    }
}

/// The connection that writes, and those that only read. What other processes commit is followed from now
/// on.
#[expect(clippy::type_complexity, reason = "it is named once")]
fn connections(
    location: &Location,
    changes: &Arc<Changes>,
    since_ms: &Arc<AtomicI64>,
) -> Result<(Box<dyn Connection>, Vec<Box<dyn Connection>>), OpenError> {
    match location {
        Location::File(file) => {
            let writer = Box::new(sqlite::Connection::to_write(file)?);
            let reader =
                |_| Ok(Box::new(sqlite::Connection::to_read(file)?) as Box<dyn Connection>);
            Ok((writer, (0..READERS).map(reader).collect::<Result<_>>()?))
        }
        Location::Postgres(server) => {
            // The library has an asynchronous runtime of its own, which cannot begin inside another one.
            let prepared =
                thread::scope(|scope| scope.spawn(|| postgres::prepare_to_serve(server)).join());
            let last = prepared.unwrap_or(Err(Error::Panicked.into()))?;
            Feed::start(server, last, changes, since_ms.clone()).map_err(OpenError::Thread)?;
            let reader = |_| Box::new(postgres::Connection::to(server)) as Box<dyn Connection>;
            let writer = Box::new(postgres::Connection::to(server));
            Ok((writer, (0..READERS).map(reader).collect()))
        }
    }
}

impl From<Error> for OpenError {
    fn from(error: Error) -> Self {
        OpenError::Database(error)
    }
}

impl From<::postgres::Error> for OpenError {
    fn from(error: ::postgres::Error) -> Self {
        OpenError::Database(error.into())
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
            OpenError::Url(why) => write!(f, "it is no URL of a PostgreSQL database: {why}"),
            OpenError::Encoding(encoding) => write!(
                f,
                "it is encoded in {encoding}, which has not every character: make it with UTF-8 \
                 (`createdb --encoding UTF8`)"
            ),
            OpenError::Unfinished => f.write_str(
                "a copy into it was cut off: `intercom-billing copy` with the same file goes on with it",
            ),
            OpenError::Tls(why) => f.write_str(why),
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
mod every_statement;
#[cfg(test)]
pub(crate) mod tests;
