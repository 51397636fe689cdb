//! Values as PostgreSQL sends them and takes them, in the terms of SQLite's.

use bytes::BytesMut;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};

use crate::store::engine::Param;
use crate::store::{Error, Result};

/// A value for a statement.
#[derive(Debug)]
pub(in crate::store) struct Bound(Value);

impl From<Value> for Bound {
    fn from(value: Value) -> Self {
        Bound(value)
    }
}

impl Bound {
    pub(super) fn of(param: &Param<'_>) -> Result<Self> {
        Ok(Bound(match param.bound()? {
            ToSqlOutput::Borrowed(value) => {
                value.try_into().map_err(|why| Error::column("?", why))?
            }
            ToSqlOutput::Owned(value) => value,
            _ => return Err(Error::column("?", "a value of SQLite alone")),
        }))
    }

    /// Its type, where the value shows it.
    pub(super) fn kind(&self) -> Type {
        match self.0 {
            Value::Null => Type::UNKNOWN,
            Value::Integer(_) => Type::INT8,
            Value::Real(_) => Type::FLOAT8,
            Value::Text(_) => Type::TEXT,
            Value::Blob(_) => Type::BYTEA,
        }
    }
}

impl ToSql for Bound {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match &self.0 {
            Value::Null => Ok(IsNull::Yes),
            Value::Integer(number) => number.to_sql(kind, out),
            Value::Real(number) => number.to_sql(kind, out),
            Value::Text(text) => text.to_sql(kind, out),
            Value::Blob(bytes) => bytes.to_sql(kind, out),
        }
    }

    /// Each is sent as the type that its statement was prepared with.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// The value of a column.
pub(in crate::store) fn value(row: &postgres::Row, place: usize) -> Result<ValueRef<'_>> {
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
pub(in crate::store) fn place(row: &postgres::Row, name: &str) -> Result<usize> {
    let place = row.columns().iter().position(|column| column.name() == name);
    place.ok_or_else(|| Error::column(name, "there is no such column"))
}
