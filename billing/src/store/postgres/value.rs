//! Values for a statement as PostgreSQL takes them.

use bytes::BytesMut;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use rusqlite::types::{ToSqlOutput, Value};

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
