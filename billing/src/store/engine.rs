//! What every operation of the store runs on: statements with parameters, and rows. The values of
//! rusqlite stand for those of each engine.

pub(super) use rusqlite::types::{FromSql, ToSql};
pub(super) use rusqlite::{named_params, params};

use ::postgres as postgres_driver;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};

use super::statement::Sql;
use super::writer::Call;
use super::{Error, Result, access::Said, postgres};
use crate::host::Host;

/// A connection to a database.
pub(super) trait Connection: Send {
    /// Runs `work` on one consistent state.
    fn read(&mut self, work: &mut dyn FnMut(&dyn Engine)) -> Result<()>;

    /// Runs the calls as one transaction, each in a savepoint of its own, so that an error undoes
    /// only that call. What they have said is on the disk when this returns.
    fn write(&mut self, calls: &mut [Box<dyn Call>], host: &dyn Host) -> Result<Said>;
}

/// A connection within a transaction.
pub(super) trait Engine {
    /// Hands the rows over one by one, as long as `read` wants more.
    fn rows(
        &self,
        sql: Sql,
        params: &[Param<'_>],
        read: &mut dyn FnMut(&Row<'_>) -> Result<More>,
    ) -> Result<()>;

    /// How many rows were changed.
    fn execute(&self, sql: Sql, params: &[Param<'_>]) -> Result<usize>;
}

/// Whether the next row is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum More {
    Wanted,
    Enough,
}

/// A value for a statement: by its name, such as `:id`, or in the order of `?1`, `?2`.
pub(super) struct Param<'p> {
    pub(super) name: Option<&'p str>,
    pub(super) value: &'p dyn ToSql,
}

impl Param<'_> {
    /// The value as both engines can keep it. PostgreSQL's texts have no NUL: U+FFFD stands for it.
    pub(super) fn bound(&self) -> Result<ToSqlOutput<'_>> {
        let value = self.value.to_sql()?;
        let text = match &value {
            ToSqlOutput::Borrowed(ValueRef::Text(text)) => text,
            ToSqlOutput::Owned(Value::Text(text)) => text.as_bytes(),
            _ => return Ok(value),
        };
        if !text.contains(&0) {
            return Ok(value);
        }
        let text = String::from_utf8_lossy(text).replace('\0', "\u{FFFD}");
        Ok(ToSqlOutput::Owned(Value::Text(text)))
    }
}

/// The values for a statement.
pub(super) trait Params {
    fn bound(&self) -> Vec<Param<'_>>;
}

impl Params for () {
    fn bound(&self) -> Vec<Param<'_>> {
        Vec::new()
    }
}

impl<T: ToSql, const N: usize> Params for [T; N] {
    fn bound(&self) -> Vec<Param<'_>> {
        self.iter().map(|value| Param { name: None, value }).collect()
    }
}

impl Params for &[&dyn ToSql] {
    fn bound(&self) -> Vec<Param<'_>> {
        self.iter().map(|value| Param { name: None, value: *value }).collect()
    }
}

impl Params for &[(&str, &dyn ToSql)] {
    fn bound(&self) -> Vec<Param<'_>> {
        self.iter().map(|(name, value)| Param { name: Some(name), value: *value }).collect()
    }
}

/// One row of a result.
pub(super) enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r postgres_driver::Row),
}

/// What a column is named by: its place or its name.
pub(super) trait Column: std::fmt::Display + Copy {
    fn sqlite<'r>(self, row: &'r rusqlite::Row<'_>) -> rusqlite::Result<ValueRef<'r>>;
    fn postgres(self, row: &postgres_driver::Row) -> Result<usize>;
}

impl Column for usize {
    fn sqlite<'r>(self, row: &'r rusqlite::Row<'_>) -> rusqlite::Result<ValueRef<'r>> {
        row.get_ref(self)
    }

    fn postgres(self, _: &postgres_driver::Row) -> Result<usize> {
        Ok(self)
    }
}

impl Column for &str {
    fn sqlite<'r>(self, row: &'r rusqlite::Row<'_>) -> rusqlite::Result<ValueRef<'r>> {
        row.get_ref(self)
    }

    fn postgres(self, row: &postgres_driver::Row) -> Result<usize> {
        postgres::place(row, self)
    }
}

impl Row<'_> {
    /// The value of a column.
    pub(super) fn get<C: Column, T: FromSql>(&self, column: C) -> Result<T> {
        let value = match self {
            Row::Sqlite(row) => column.sqlite(row)?,
            Row::Postgres(row) => postgres::value(row, column.postgres(row)?)?,
        };
        T::column_result(value).map_err(|why| Error::column(column, why))
    }
}
