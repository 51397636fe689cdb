//! One row of a result, whichever engine it is from. The values of rusqlite stand for those of each.

use ::postgres::types::Type;
use rusqlite::types::{FromSql, ValueRef};

use super::{Error, Result};

/// One row of a result.
pub(super) enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r ::postgres::Row),
}

/// What a column is named by: its place or its name.
pub(super) trait Column: std::fmt::Display + Copy {
    fn sqlite<'r>(self, row: &'r rusqlite::Row<'_>) -> rusqlite::Result<ValueRef<'r>>;
    fn postgres(self, row: &::postgres::Row) -> Result<usize>;
}

impl Column for usize {
    fn sqlite<'r>(self, row: &'r rusqlite::Row<'_>) -> rusqlite::Result<ValueRef<'r>> {
        row.get_ref(self)
    }

    fn postgres(self, _: &::postgres::Row) -> Result<usize> {
        Ok(self)
    }
}

impl Column for &str {
    fn sqlite<'r>(self, row: &'r rusqlite::Row<'_>) -> rusqlite::Result<ValueRef<'r>> {
        row.get_ref(self)
    }

    fn postgres(self, row: &::postgres::Row) -> Result<usize> {
        place(row, self)
    }
}

impl Row<'_> {
    /// The value of a column.
    pub(super) fn get<C: Column, T: FromSql>(&self, column: C) -> Result<T> {
        let value = match self {
            Row::Sqlite(row) => column.sqlite(row)?,
            Row::Postgres(row) => value(row, column.postgres(row)?)?,
        };
        T::column_result(value).map_err(|why| Error::column(column, why))
    }
}

/// The value of a column.
pub(super) fn value(row: &::postgres::Row, place: usize) -> Result<ValueRef<'_>> {
    let column = row.columns().get(place).ok_or(Error::NoRow)?;
    let integer = |number: Option<i64>| number.map_or(ValueRef::Null, ValueRef::Integer);
    Ok(match *column.type_() {
        Type::INT8 => integer(row.try_get(place)?),
        Type::INT4 => integer(row.try_get::<_, Option<i32>>(place)?.map(i64::from)),
        Type::BOOL => integer(row.try_get::<_, Option<bool>>(place)?.map(i64::from)),
        Type::BYTEA => {
            row.try_get::<_, Option<&[u8]>>(place)?.map_or(ValueRef::Null, ValueRef::Blob)
        }
        _ => {
            let text = row.try_get::<_, Option<&str>>(place)?;
            text.map_or(ValueRef::Null, |text| ValueRef::Text(text.as_bytes()))
        }
    })
}

/// The place of a column of that name.
fn place(row: &::postgres::Row, name: &str) -> Result<usize> {
    let place = row.columns().iter().position(|column| column.name() == name);
    place.ok_or_else(|| Error::column(name, "there is no such column"))
}
