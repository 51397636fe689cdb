//! Reading JSON into the agent's types.
//!
//! serde_json parses and writes. What an object's fields hold is read here and not by serde's
//! derived code, which makes a reader for each type: 40 KB of the binary that goes on a panel. Of a key
//! that stands twice the last value counts.

mod object;
mod plain;
mod unfit;
mod words;

#[cfg(test)]
mod tests;

use serde_json::Value;

pub use object::Object;
pub use unfit::Unfit;

pub use object::from_object;
pub use plain::{from_inner, from_text, parsed};
pub use words::words;

/// What can be read out of a JSON value.
pub trait FromJson: Sized {
    /// # Errors
    /// What it should be and is not, and where.
    fn from_json(value: &Value) -> Result<Self, Unfit>;
}

/// Reads one JSON text.
///
/// # Errors
/// Not JSON, or as [`FromJson::from_json`].
pub fn read<T: FromJson>(bytes: &[u8]) -> Result<T, Unfit> {
    let value =
        serde_json::from_slice(bytes).map_err(|why| Unfit::new(format!("is not JSON: {why}")))?;
    T::from_json(&value)
}
