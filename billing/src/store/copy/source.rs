//! The file that is copied.

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};

use super::tables::Table;
use super::{CopyError, Digest};
use crate::store::sqlite;

pub(super) struct Source(Connection);

impl Source {
    /// It is only read.
    pub(super) fn open(file: &Path) -> Result<Self, CopyError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        match sqlite::of_another_version(&connection)? {
            None => Ok(Source(connection)),
            Some(version) => Err(CopyError::OtherVersion(version)),
        }
    }

    pub(super) fn issuer(&self) -> Result<String, CopyError> {
        Ok(self.0.query_row("SELECT issuer FROM service", [], |row| row.get(0))?)
    }

    /// The names of a table's columns, in the order of the alphabet: both engines have the same.
    pub(super) fn columns(&self, table: Table) -> Result<Vec<String>, CopyError> {
        let mut names = self.0.prepare("SELECT name FROM pragma_table_info(?1) ORDER BY name")?;
        let names = names.query_map([table.name], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// The next rows after the one with that key; those of the beginning after none.
    pub(super) fn after(
        &self,
        table: Table,
        columns: &[String],
        last: &[Value],
        limit: usize,
    ) -> Result<Vec<Vec<Value>>, CopyError> {
        let mut rows = Vec::new();
        self.each(table, columns, last, limit, |row| rows.push(row))?;
        Ok(rows)
    }

    pub(super) fn digest(&self, table: Table, columns: &[String]) -> Result<Digest, CopyError> {
        let mut digest = Digest::new();
        self.each(table, columns, &[], usize::MAX, |row| digest.add(&row))?;
        Ok(digest)
    }

    fn each(
        &self,
        table: Table,
        columns: &[String],
        last: &[Value],
        limit: usize,
        mut each: impl FnMut(Vec<Value>),
    ) -> Result<(), CopyError> {
        let (names, key) = (columns.join(", "), table.key.join(", "));
        let places = vec!["?"; table.key.len()].join(", ");
        let after = match last {
            [] => String::new(),
            _ => format!("WHERE ({key}) > ({places})"),
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let text =
            format!("SELECT {names} FROM {} {after} ORDER BY {key} LIMIT {limit}", table.name);
        let mut statement = self.0.prepare_cached(&text)?;
        let mut rows = statement.query(params_from_iter(last))?;
        while let Some(row) = rows.next()? {
            let values = (0..columns.len()).map(|place| row.get(place).map(without_nul));
            each(values.collect::<Result<_, _>>()?);
        }
        Ok(())
    }

    /// The highest number that each table has ever given.
    pub(super) fn sequences(&self) -> Result<Vec<(String, i64)>, CopyError> {
        let mut all = self.0.prepare("SELECT name, seq FROM sqlite_sequence ORDER BY name")?;
        let all = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(all.collect::<Result<_, _>>()?)
    }
}

/// As a service keeps a text now. A file from before may have a NUL, which PostgreSQL's texts cannot.
fn without_nul(value: Value) -> Value {
    match value {
        Value::Text(text) if text.contains('\0') => Value::Text(text.replace('\0', "\u{FFFD}")),
        value => value,
    }
}
