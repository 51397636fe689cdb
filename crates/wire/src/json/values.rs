//! Texts, numbers, lists, what may be absent, and types that are made of one of these.

use std::fmt::Display;
use std::str::FromStr;

use serde_json::Value;

use super::{DecodeError, FromJson};

impl FromJson for String {
    fn from_json(value: &Value) -> Result<Self, DecodeError> {
        text(value).map(str::to_owned)
    }
}

impl FromJson for bool {
    fn from_json(value: &Value) -> Result<Self, DecodeError> {
        value.as_bool().ok_or_else(|| DecodeError::new("must be true or false"))
    }
}

impl FromJson for i64 {
    fn from_json(value: &Value) -> Result<Self, DecodeError> {
        value.as_i64().ok_or_else(|| DecodeError::new("must be a whole number"))
    }
}

macro_rules! from_unsigned {
    ($($type:ident),*) => {$(
        impl FromJson for $type {
            fn from_json(value: &Value) -> Result<Self, DecodeError> {
                value.as_u64().and_then(|number| number.try_into().ok()).ok_or_else(|| {
                    DecodeError::new(format!("must be a whole number from 0 to {}", $type::MAX))
                })
            }
        }
    )*};
}
from_unsigned!(u8, u32, u64, usize);

/// As it is.
impl FromJson for Value {
    fn from_json(value: &Value) -> Result<Self, DecodeError> {
        Ok(value.clone())
    }
}

/// `null` is `None`.
impl<T: FromJson> FromJson for Option<T> {
    fn from_json(value: &Value) -> Result<Self, DecodeError> {
        match value {
            Value::Null => Ok(None),
            value => T::from_json(value).map(Some),
        }
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: &Value) -> Result<Self, DecodeError> {
        let list = value.as_array().ok_or_else(|| DecodeError::new("must be a list"))?;
        let mut read = Vec::with_capacity(list.len());
        for (at, value) in list.iter().enumerate() {
            read.push(T::from_json(value).map_err(|error| error.in_field(&at.to_string()))?);
        }
        Ok(read)
    }
}

/// A list of two.
impl<A: FromJson, B: FromJson> FromJson for (A, B) {
    fn from_json(value: &Value) -> Result<Self, DecodeError> {
        match value.as_array().map(Vec::as_slice) {
            Some([a, b]) => Ok((
                A::from_json(a).map_err(|error| error.in_field("0"))?,
                B::from_json(b).map_err(|error| error.in_field("1"))?,
            )),
            _ => Err(DecodeError::new("must be a list of two")),
        }
    }
}

/// Reads a type that is parsed from a text.
///
/// # Errors
/// The value is not a text, or the text is not one of that type.
pub fn parse_text<T: FromStr<Err: Display>>(value: &Value) -> Result<T, DecodeError> {
    text(value)?.parse().map_err(|why: T::Err| DecodeError::new(why.to_string()))
}

fn text(value: &Value) -> Result<&str, DecodeError> {
    value.as_str().ok_or_else(|| DecodeError::new("must be a text"))
}

/// Writes types as the text of their `Display` and reads them by their `FromStr`.
#[macro_export]
macro_rules! json_text {
    ($($type:ty),+) => {$(
        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl $crate::json::FromJson for $type {
            fn from_json(
                value: &$crate::json::Value,
            ) -> ::std::result::Result<Self, $crate::json::DecodeError> {
                $crate::json::parse_text(value)
            }
        }
    )+};
}

/// Writes and reads a type as the one that it wraps.
#[macro_export]
macro_rules! json_newtype {
    ($type:ident) => {
        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                ::serde::Serialize::serialize(&self.0, serializer)
            }
        }

        impl $crate::json::FromJson for $type {
            fn from_json(
                value: &$crate::json::Value,
            ) -> ::std::result::Result<Self, $crate::json::DecodeError> {
                $crate::json::FromJson::from_json(value).map($type)
            }
        }
    };
}
