//! SQLite: one file, one writer, and readers that do not wait for it.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::{OpenFlags, Statement, TransactionBehavior, ffi};

use super::access::{Said, Transaction};
use super::connection::{self, Call, run};
use super::engine::{Engine, More, Param, Row};
use super::statement::Sql;
use super::{OpenError, Result};
use crate::host::Host;

pub mod backup;
mod schema;

pub(super) use schema::of_another_version;

#[cfg(test)]
mod query_plans;

/// A connection to a file.
pub(super) struct Connection(rusqlite::Connection);

impl Connection {
    /// The one that writes; the file is made if it is not there, and brought to this version's tables.
    pub(super) fn to_write(path: &Path) -> Result<Self, OpenError> {
        make_private(path).map_err(OpenError::File)?;
        let mut connection = rusqlite::Connection::open(path)?;
        schema::prepare(&mut connection)?;
        Ok(Connection(connection))
    }

    /// One that reads. The file must have its tables already.
    pub(super) fn to_read(path: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = rusqlite::Connection::open_with_flags(path, flags)?;
        schema::set_up(&connection)?;
        Ok(Connection(connection))
    }
}

impl connection::Connection for Connection {
    fn read(&mut self, work: &mut dyn FnMut(&dyn Engine)) -> Result<()> {
        // What several statements read is one state.
        let transaction = self.0.unchecked_transaction()?;
        work(&*transaction);
        Ok(())
    }

    fn write(&mut self, calls: &mut [Box<dyn Call>], host: &dyn Host) -> Result<Said> {
        // Immediate: what was read stays true until the commit, even if another process has the file
        // open.
        let mut transaction = self.0.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut said = Said::default();
        for call in calls {
            let savepoint = transaction.savepoint()?;
            let access = Transaction::on(&*savepoint, host);
            if run(&mut **call, &access) {
                said.append(access.into_said());
                savepoint.commit()?;
            } else {
                savepoint.finish()?;
            }
            if transaction.is_autocommit() {
                // SQLite undoes the whole transaction on some errors, such as a full disk. Further
                // calls would then run outside any transaction.
                let text = "SQLite has rolled the transaction back".to_owned();
                let aborted = ffi::Error::new(ffi::SQLITE_ABORT);
                return Err(rusqlite::Error::SqliteFailure(aborted, Some(text)).into());
            }
        }
        transaction.commit()?;
        Ok(said)
    }
}

impl Engine for rusqlite::Connection {
    fn rows(
        &self,
        sql: Sql,
        params: &[Param<'_>],
        read: &mut dyn FnMut(&Row<'_>) -> Result<More>,
    ) -> Result<()> {
        let mut statement = self.prepare_cached(sql.sqlite())?;
        bind(&mut statement, params)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            if read(&Row::Sqlite(row))? == More::Enough {
                break;
            }
        }
        Ok(())
    }

    fn execute(&self, sql: Sql, params: &[Param<'_>]) -> Result<usize> {
        let mut statement = self.prepare_cached(sql.sqlite())?;
        bind(&mut statement, params)?;
        Ok(statement.raw_execute()?)
    }
}

fn bind(statement: &mut Statement<'_>, params: &[Param<'_>]) -> Result<()> {
    for (place, param) in (1..).zip(params) {
        match param.name {
            None => statement.raw_bind_parameter(place, param.bound()?)?,
            Some(name) => statement.raw_bind_parameter(name, param.bound()?)?,
        }
    }
    Ok(())
}

/// It has secrets, such as those of webhooks. SQLite gives what it keeps beside it the same mode.
fn make_private(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(why) if why.kind() != io::ErrorKind::AlreadyExists => Err(why),
        _ => Ok(()),
    }
}
