//! Structures.

use serde_json::{Map, Value};

use super::{DecodeError, FromJson};

/// An object that is being read.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a>(&'a Map<String, Value>);

impl<'a> Object<'a> {
    /// # Errors
    /// The value is not an object.
    pub fn of(value: &'a Value) -> Result<Self, DecodeError> {
        value.as_object().map(Object).ok_or_else(|| DecodeError::new("must be an object"))
    }

    /// One field; an absent key counts as `null`.
    ///
    /// # Errors
    /// The value is not what the field's type needs.
    pub fn field<T: FromJson>(self, name: &str) -> Result<T, DecodeError> {
        let value = self.0.get(name);
        T::from_json(value.unwrap_or(&Value::Null)).map_err(|error| match value {
            Some(_) => error.in_field(name),
            None => DecodeError::new("is missing").in_field(name),
        })
    }

    /// A field that is true or absent; `null` and `false` count as absent.
    ///
    /// # Errors
    /// The value is neither true nor false.
    pub fn flag(self, name: &str) -> Result<bool, DecodeError> {
        self.field::<Option<bool>>(name).map(|flag| flag == Some(true))
    }

    /// The key and the value of an object that has only one.
    ///
    /// # Errors
    /// The object has no key, or more than one.
    pub fn only(self) -> Result<(&'a str, &'a Value), DecodeError> {
        let mut fields = self.0.iter();
        match (fields.next(), fields.next()) {
            (Some((name, value)), None) => Ok((name, value)),
            _ => Err(DecodeError::new("must be an object with one key")),
        }
    }
}

/// Defines a structure, its writer (serde's derive) and its reader ([`FromJson`]).
///
/// It looks like a structure with `#[derive(Serialize)]`. Three attributes of serde are
/// understood: `flatten`, `rename`, and `skip_serializing_if` for what may be absent: an option, or
/// with `std::ops::Not::not` a flag. The crate needs `serde`.
///
/// ```
/// intercom_wire::json_object! {
///     /// A door.
///     #[derive(Debug, PartialEq)]
///     pub struct Door {
///         /// What stands on it.
///         pub name: String,
///         /// Absent where nobody knows.
///         #[serde(skip_serializing_if = "Option::is_none")]
///         pub width: Option<u32>,
///     }
/// }
/// let door: Door = intercom_wire::json::read(br#"{"name": "front"}"#)?;
/// assert_eq!(door, Door { name: "front".to_owned(), width: None });
/// # Ok::<_, intercom_wire::json::DecodeError>(())
/// ```
#[macro_export]
macro_rules! json_object {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($(#[$($attribute:tt)*])* $field_vis:vis $field:ident: $type:ty),* $(,)?
        }
    ) => {
        #[derive(::serde::Serialize)]
        $(#[$meta])*
        $vis struct $name {
            $($(#[$($attribute)*])* $field_vis $field: $type,)*
        }

        impl $crate::json::FromJson for $name {
            fn from_json(
                value: &$crate::json::Value,
            ) -> ::std::result::Result<Self, $crate::json::DecodeError> {
                let object = $crate::json::Object::of(value)?;
                Ok($name {
                    $($field: $crate::json_object!(
                        @read value object $field $([$($attribute)*])*
                    ),)*
                })
            }
        }
    };

    // One field, by its attributes.
    (@read $value:ident $object:ident $field:ident) => {
        $object.field(stringify!($field))?
    };
    (@read $value:ident $object:ident $field:ident [serde(flatten)] $($more:tt)*) => {
        $crate::json::FromJson::from_json($value)?
    };
    (@read $value:ident $object:ident $field:ident [serde(rename = $key:literal)] $($more:tt)*) => {
        $object.field($key)?
    };
    (@read $value:ident $object:ident $field:ident
        [serde(skip_serializing_if = "std::ops::Not::not")] $($more:tt)*
    ) => {
        $object.flag(stringify!($field))?
    };
    (@read $value:ident $object:ident $field:ident
        [serde(skip_serializing_if = $absent:literal)] $($more:tt)*
    ) => {
        $crate::json_object!(@read $value $object $field $($more)*)
    };
    (@read $value:ident $object:ident $field:ident [serde($($other:tt)*)] $($more:tt)*) => {
        compile_error!("json_object! cannot read a field with this attribute of serde")
    };
    (@read $value:ident $object:ident $field:ident [$($other:tt)*] $($more:tt)*) => {
        $crate::json_object!(@read $value $object $field $($more)*)
    };
}
