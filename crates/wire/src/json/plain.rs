//! What is no object of ours: texts, numbers, lists, and what may be absent.

use std::fmt::Display;
use std::str::FromStr;

use serde_json::Value;

use super::{FromJson, Unfit};

impl FromJson for String {
    fn from_json(value: &Value) -> Result<Self, Unfit> {
        text(value).map(str::to_owned)
    }
}

impl FromJson for bool {
    fn from_json(value: &Value) -> Result<Self, Unfit> {
        value.as_bool().ok_or_else(|| Unfit::new("must be true or false"))
    }
}

impl FromJson for i64 {
    fn from_json(value: &Value) -> Result<Self, Unfit> {
        value.as_i64().ok_or_else(|| Unfit::new("must be a whole number"))
    }
}

macro_rules! from_unsigned {
    ($($type:ident),*) => {$(
        impl FromJson for $type {
            fn from_json(value: &Value) -> Result<Self, Unfit> {
                value.as_u64().and_then(|number| number.try_into().ok()).ok_or_else(|| {
                    Unfit::new(format!("must be a whole number from 0 to {}", $type::MAX))
                })
            }
        }
    )*};
}
from_unsigned!(u8, u32, u64, usize);

/// As it stands.
impl FromJson for Value {
    fn from_json(value: &Value) -> Result<Self, Unfit> {
        Ok(value.clone())
    }
}

/// `null` is none.
impl<T: FromJson> FromJson for Option<T> {
    fn from_json(value: &Value) -> Result<Self, Unfit> {
        match value {
            Value::Null => Ok(None),
            value => T::from_json(value).map(Some),
        }
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: &Value) -> Result<Self, Unfit> {
        let list = value.as_array().ok_or_else(|| Unfit::new("must be a list"))?;
        let mut read = Vec::with_capacity(list.len());
        for (at, value) in list.iter().enumerate() {
            read.push(T::from_json(value).map_err(|unfit| unfit.in_field(&at.to_string()))?);
        }
        Ok(read)
    }
}

/// A list of two.
impl<A: FromJson, B: FromJson> FromJson for (A, B) {
    fn from_json(value: &Value) -> Result<Self, Unfit> {
        match value.as_array().map(Vec::as_slice) {
            Some([a, b]) => Ok((
                A::from_json(a).map_err(|unfit| unfit.in_field("0"))?,
                B::from_json(b).map_err(|unfit| unfit.in_field("1"))?,
            )),
            _ => Err(Unfit::new("must be a list of two")),
        }
    }
}

/// Reads a type that is parsed from a text.
///
/// # Errors
/// The value is no text, or the text is not one of that type.
pub fn parsed<T: FromStr<Err: Display>>(value: &Value) -> Result<T, Unfit> {
    text(value)?.parse().map_err(|why: T::Err| Unfit::new(why.to_string()))
}

/// Reads a type that is parsed from a text.
#[macro_export]
macro_rules! from_text {
    ($type:ident) => {
        impl $crate::json::FromJson for $type {
            fn from_json(value: &serde_json::Value) -> Result<Self, $crate::json::Unfit> {
                $crate::json::parsed(value)
            }
        }
    };
}
pub use crate::from_text;

/// Reads a type that is another one with a name.
#[macro_export]
macro_rules! from_inner {
    ($type:ident) => {
        impl $crate::json::FromJson for $type {
            fn from_json(value: &serde_json::Value) -> Result<Self, $crate::json::Unfit> {
                $crate::json::FromJson::from_json(value).map($type)
            }
        }
    };
}
pub use crate::from_inner;

fn text(value: &Value) -> Result<&str, Unfit> {
    value.as_str().ok_or_else(|| Unfit::new("must be a text"))
}
