//! Writing types as JSON and reading them back.
//!
//! serde_json parses and writes. The readers are made by this module's macros and not by serde's
//! derive, whose code for each type costs 25 KB in the program that goes on a panel.
//!
//! | macro | defines |
//! | --- | --- |
//! | [`json_object!`](crate::json_object) | a structure: an object whose keys are the names of the fields |
//! | [`json_enum!`](crate::json_enum) | an enumeration whose variants hold data |
//! | [`string_enum!`](crate::string_enum) | an enumeration whose variants are words |
//! | [`json_text!`](crate::json_text) | the JSON form of a type that is parsed from a text |
//! | [`json_newtype!`](crate::json_newtype) | the JSON form of a type that wraps another one |
//!
//! If a key stands twice in an object, the last value counts. Unknown keys are ignored.

mod enumeration;
mod error;
mod object;
mod string_enum;
mod values;

#[cfg(test)]
mod tests;

pub use serde_json::Value;

pub use enumeration::{external_tag, internal_tag};
pub use error::DecodeError;
pub use object::Object;
pub use values::parse_text;

/// A type that can be read from a JSON value.
pub trait FromJson: Sized {
    /// # Errors
    /// The value is not what the type needs.
    fn from_json(value: &Value) -> Result<Self, DecodeError>;
}

/// Reads one JSON text.
///
/// # Errors
/// The bytes are not JSON, or not what the type needs.
pub fn read<T: FromJson>(bytes: &[u8]) -> Result<T, DecodeError> {
    let value = serde_json::from_slice(bytes)
        .map_err(|why| DecodeError::new(format!("is not JSON: {why}")))?;
    T::from_json(&value)
}
