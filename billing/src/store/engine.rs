//! What every operation of the store runs on: statements with parameters, and rows. The values of
//! rusqlite stand for those of each engine.

pub(super) use rusqlite::types::ToSql;
pub(super) use rusqlite::{named_params, params};

use rusqlite::types::{ToSqlOutput, Value, ValueRef};

use super::Result;
pub(super) use super::row::Row;
use super::statement::Sql;

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
