//! All SQL. One SQLite file; what one call changes is one transaction, durable when the call returns.

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

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};

/// The database. Cheap to clone; calls wait for each other.
#[derive(Clone)]
pub struct Store(Arc<Mutex<Connection>>);

/// Why the database cannot be used.
#[derive(Debug)]
pub enum OpenError {
    /// SQLite says so.
    Sqlite(rusqlite::Error),
    /// A newer version of this service wrote it.
    Newer(i64),
}

impl Store {
    /// Opens a database file, made if it is not there and brought to this version's tables.
    ///
    /// # Errors
    /// It cannot be opened or written, is not a database, or a newer version wrote it.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let mut connection = Connection::open(path)?;
        schema::prepare(&mut connection)?;
        Ok(Store(Arc::new(Mutex::new(connection))))
    }

    /// Runs one transaction on a thread that may block; an error undoes all of it.
    ///
    /// # Errors
    /// What `work` or SQLite says.
    pub async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<rusqlite::Error> + From<tokio::task::JoinError> + Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    {
        let store = self.clone();
        tokio::task::spawn_blocking(move || store.transact(work)).await?
    }

    fn transact<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        // A panic in the middle of a transaction has rolled it back: the connection is sound.
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Immediate: what was read stays true until the commit, whoever else has the file open.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        OpenError::Sqlite(error)
    }
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OpenError::Sqlite(error) => error.fmt(f),
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
