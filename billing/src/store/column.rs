//! Values of the contract as columns: text that is parsed again when it is read.

use std::fmt::Display;
use std::str::FromStr;

use intercom_wire::Identity;

use super::engine::Row;
use super::{Error, Result};
use crate::replacement::Carried;

/// A text column as the value it holds.
pub fn parsed<T: FromStr>(row: &Row<'_>, column: &str) -> Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: String = row.get(column)?;
    text.parse().map_err(|why| Error::column(column, Box::new(why) as Box<_>))
}

/// A text column that may be NULL.
pub fn parsed_or_null<T: FromStr>(row: &Row<'_>, column: &str) -> Result<Option<T>>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: Option<String> = row.get(column)?;
    let parsed = text.map(|text| text.parse()).transpose();
    parsed.map_err(|why| Error::column(column, Box::new(why) as Box<_>))
}

/// A value as the text that [`parsed_or_null`] reads back.
pub fn text<T: Display>(value: Option<&T>) -> Option<String> {
    value.map(T::to_string)
}

/// The three columns `{prefix}_mac`, `{prefix}_serial_number`, `{prefix}_model`.
pub fn carried(row: &Row<'_>, prefix: &str) -> Result<Carried> {
    Ok(Carried {
        identity: Identity {
            mac: parsed(row, &format!("{prefix}_mac"))?,
            serial_number: parsed_or_null(row, &format!("{prefix}_serial_number"))?,
        },
        model: row.get(format!("{prefix}_model").as_str())?,
    })
}
