//! A database moves from a file into PostgreSQL, in steps that can be gone on with, and is compared at the
//! end: each table has the same rows, by their count and by a digest over all of them in the order of
//! their key.
//!
//! ```text
//! file ── rows after the last one that is there ──► COPY (a transaction for each batch) ──► PostgreSQL
//!   └───────────────────────── digest ══ digest ────────────────────────────────────────────────┘
//! ```

mod digest;
mod source;
mod tables;
mod target;

use std::fmt;
use std::path::Path;

use super::postgres::Server;
use super::{Error, OpenError};
use digest::Digest;
use source::Source;
use tables::TABLES;
use target::Target;

/// How many rows are one transaction. It bounds the memory, too.
const BATCH: usize = 10_000;

/// A table that was copied and compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Its name.
    pub table: &'static str,
    /// How many rows it has.
    pub rows: u64,
    /// SHA-256 over them, the same on both sides, in hexadecimal.
    pub digest: String,
}

/// Why there is no copy, or only a part of one.
#[derive(Debug)]
pub enum CopyError {
    /// The file or the server cannot be used.
    Open(OpenError),
    /// The file has tables of another version than this program's.
    OtherVersion(i64),
    /// A service uses the PostgreSQL database.
    InUse,
    /// There is already something else in the database.
    NotEmpty,
    /// A table is not the same on both sides.
    Differs {
        /// Its name.
        table: &'static str,
        /// How many rows it has in the file.
        from: u64,
        /// How many it has in PostgreSQL.
        to: u64,
    },
    /// A statement has failed.
    Database(Error),
}

/// Whether a file is one that this version can copy.
///
/// # Errors
/// It cannot be read, or has tables of another version or program.
pub fn is_ours(from: &Path) -> Result<(), CopyError> {
    Source::open(from).map(drop)
}

/// Copies a database that no service uses. A copy that was cut off is gone on with. `copied` is told of each
/// table once it is whole.
///
/// # Errors
/// The file or the server cannot be used, there is something else in the database, or what was copied is
/// not the same.
pub fn copy(
    from: &Path,
    to: &Server,
    mut copied: impl FnMut(&Copied) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let source = Source::open(from)?;
    let mut target = Target::begin(to, &source.issuer()?)?;
    for table in TABLES {
        let columns = source.columns(table)?;
        loop {
            let last = target.last(table)?;
            let rows = source.after(table, &columns, &last, BATCH)?;
            if rows.is_empty() {
                break;
            }
            target.add(table, &columns, &rows)?;
        }
        let ours = source.digest(table, &columns)?;
        let theirs = target.digest(table, &columns)?;
        if ours != theirs {
            let (from, to) = (ours.rows(), theirs.rows());
            return Err(CopyError::Differs { table: table.name, from, to }.into());
        }
        copied(&Copied { table: table.name, rows: ours.rows(), digest: ours.text() })?;
    }
    target.end(&source.sequences()?)?;
    Ok(())
}

impl From<OpenError> for CopyError {
    fn from(error: OpenError) -> Self {
        CopyError::Open(error)
    }
}

impl From<Error> for CopyError {
    fn from(error: Error) -> Self {
        CopyError::Database(error)
    }
}

impl From<rusqlite::Error> for CopyError {
    fn from(error: rusqlite::Error) -> Self {
        CopyError::Database(error.into())
    }
}

impl From<postgres::Error> for CopyError {
    fn from(error: postgres::Error) -> Self {
        CopyError::Database(error.into())
    }
}

impl fmt::Display for CopyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CopyError::Open(error) => error.fmt(f),
            CopyError::OtherVersion(version) => write!(
                f,
                "the file has tables of version {version}, which are not this version's: where they are older, \
                 `intercom-billing token list` brings them up to date; where they are newer, take the \
                 intercom-billing that wrote them"
            ),
            CopyError::InUse => f.write_str("a service uses the PostgreSQL database: stop it first"),
            CopyError::NotEmpty => f.write_str(
                "there is something in the PostgreSQL database already, and no copy of this file that was \
                 cut off: give it an empty one",
            ),
            CopyError::Differs { table, from, to } => write!(
                f,
                "the table {table} is not the same: {from} rows in the file, {to} in PostgreSQL; the \
                 service does not start on it; something has changed one of them: make the PostgreSQL \
                 database anew, and copy again"
            ),
            CopyError::Database(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CopyError {}
