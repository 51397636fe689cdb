//! Why the database does not do what it should.

use std::fmt::{self, Display};
use std::sync::Arc;

/// The result of a call to the store.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call fails.
#[derive(Debug)]
pub enum Error {
    /// SQLite says so.
    Sqlite(rusqlite::Error),
    /// PostgreSQL says so, or is not reached.
    Postgres(postgres::Error),
    /// Another process leads since the leader of this epoch began the call.
    Deposed(i64),
    /// There is no row where there is always one.
    NoRow,
    /// A column holds what this service never writes there.
    Column {
        /// Its name, or its place in the row.
        name: String,
        /// What is wrong with it.
        why: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A value cannot be written as JSON.
    Json(serde_json::Error),
    /// The commit that the call shared with others has failed.
    Commit(Arc<Error>),
    /// The call has panicked.
    Panicked,
    /// No connection is free, although one was promised.
    NoConnection,
}

impl Error {
    pub(super) fn column(
        name: impl Display,
        why: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Error::Column { name: name.to_string(), why: why.into() }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Error::Sqlite(error)
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Error::Json(error)
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Sqlite(why) => why.fmt(f),
            Error::Postgres(why) => postgres_text(why, f),
            Error::Deposed(epoch) => {
                write!(f, "another process leads: epoch {epoch} is over")
            }
            Error::NoRow => f.write_str("a row that is always there is missing"),
            Error::Column { name, why } => write!(f, "the column {name}: {why}"),
            Error::Json(why) => write!(f, "a value cannot be written as JSON: {why}"),
            Error::Commit(why) => why.fmt(f),
            Error::Panicked => f.write_str("the call has panicked"),
            Error::NoConnection => f.write_str("no connection is free"),
        }
    }
}

/// With what the server says, which the library leaves to the source.
fn postgres_text(why: &postgres::Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match (why.as_db_error(), std::error::Error::source(why)) {
        (Some(said), _) => {
            write!(f, "PostgreSQL: {} (SQLSTATE {})", said.message(), said.code().code())
        }
        (None, Some(source)) => write!(f, "{why}: {source}"),
        (None, None) => why.fmt(f),
    }
}

impl std::error::Error for Error {}
