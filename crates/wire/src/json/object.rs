//! Structures: objects whose keys are the fields' names.

use serde_json::{Map, Value};

use super::{FromJson, Unfit};

/// An object that is being read. Keys that nobody asks for mean nothing.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a>(&'a Map<String, Value>);

impl<'a> Object<'a> {
    /// # Errors
    /// The value is no object.
    pub fn of(value: &'a Value) -> Result<Self, Unfit> {
        value.as_object().map(Object).ok_or_else(|| Unfit::new("must be an object"))
    }

    /// One field; a key that is not there counts as `null`.
    ///
    /// # Errors
    /// As the field's type has it.
    pub fn field<T: FromJson>(self, name: &str) -> Result<T, Unfit> {
        let value = self.0.get(name);
        T::from_json(value.unwrap_or(&Value::Null)).map_err(|unfit| match value {
            Some(_) => unfit.in_field(name),
            None => Unfit::new("is missing").in_field(name),
        })
    }

    /// The key and the value of an object that has no other: one of several kinds, by name.
    ///
    /// # Errors
    /// No key, or more than one.
    pub fn only(self) -> Result<(&'a str, &'a Value), Unfit> {
        let mut fields = self.0.iter();
        match (fields.next(), fields.next()) {
            (Some((name, value)), None) => Ok((name, value)),
            _ => Err(Unfit::new("must be an object with one key")),
        }
    }
}

/// Reads a structure field by field; what stands after `..` has its keys in the same object.
#[macro_export]
macro_rules! from_object {
    ($type:ident { $($field:ident),* $(, ..$inner:ident)? }) => {
        impl $crate::json::FromJson for $type {
            fn from_json(value: &serde_json::Value) -> Result<Self, $crate::json::Unfit> {
                let object = $crate::json::Object::of(value)?;
                Ok($type {
                    $($field: object.field(stringify!($field))?,)*
                    $($inner: $crate::json::FromJson::from_json(value)?,)?
                })
            }
        }
    };
}
pub use crate::from_object;
