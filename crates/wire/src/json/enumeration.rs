//! Enumerations whose variants hold data.

use serde_json::Value;

use super::{DecodeError, Object};

/// The name and the content of a variant that is written as the one key of an object, or as a text
/// if there is nothing in it.
///
/// # Errors
/// The value is neither.
pub fn external_tag(value: &Value) -> Result<(String, &Value), DecodeError> {
    match value {
        Value::String(name) => Ok((name.clone(), &Value::Null)),
        value => Object::of(value)?.only().map(|(name, content)| (name.to_owned(), content)),
    }
}

/// The name of a variant that stands in the field `tag`, beside the variant's own fields.
///
/// # Errors
/// The value is not an object with this field.
pub fn internal_tag<'a>(value: &'a Value, tag: &str) -> Result<(String, &'a Value), DecodeError> {
    Ok((Object::of(value)?.field(tag)?, value))
}

/// Defines an enumeration, its writer (serde's derive) and its reader ([`FromJson`](crate::json::FromJson)).
///
/// Each variant has its name in JSON and holds fields, one value, or nothing. The name is the one
/// key of an object; with `#[serde(tag = "…")]` it stands in that field, beside the others.
///
/// ```
/// intercom_wire::json_enum! {
///     /// What happened.
///     #[derive(Debug, PartialEq)]
///     pub enum Event {
///         /// Somebody rang.
///         Rang = "rang" {
///             /// Where.
///             flat: u32,
///         },
///         /// The door was opened, by whom.
///         Opened = "opened" (String),
///         /// Nothing more will happen.
///         Ended = "ended",
///     }
/// }
/// let event: Event = intercom_wire::json::read(br#"{"rang": {"flat": 7}}"#)?;
/// assert_eq!(event, Event::Rang { flat: 7 });
/// # Ok::<_, intercom_wire::json::DecodeError>(())
/// ```
#[macro_export]
macro_rules! json_enum {
    (
        $(#[$($meta:tt)*])*
        $vis:vis enum $name:ident {
            $(
                $(#[$variant_meta:meta])*
                $variant:ident = $key:literal
                $({ $($(#[$field_meta:meta])* $field:ident: $type:ty),* $(,)? })?
                $(($inner:ty))?
            ),* $(,)?
        }
    ) => {
        #[derive(::serde::Serialize)]
        $(#[$($meta)*])*
        $vis enum $name {
            $(
                $(#[$variant_meta])*
                #[serde(rename = $key)]
                $variant $({ $($(#[$field_meta])* $field: $type,)* })? $(($inner))?,
            )*
        }

        impl $crate::json::FromJson for $name {
            fn from_json(
                value: &$crate::json::Value,
            ) -> ::std::result::Result<Self, $crate::json::DecodeError> {
                let (name, content) = $crate::json_enum!(@tag value $([$($meta)*])*);
                match name.as_str() {
                    $($key => Ok($name::$variant
                        $({ $($field: $crate::json::Object::of(content)?.field(stringify!($field))?,)* })?
                        $((<$inner as $crate::json::FromJson>::from_json(content)?))?
                    ),)*
                    _ => Err($crate::json::DecodeError::new(
                        concat!("must be one of:" $(, " ", $key)*)
                    )),
                }
            }
        }
    };

    // Where the name stands, by the attributes of the enumeration.
    (@tag $value:ident) => {
        $crate::json::external_tag($value)?
    };
    (@tag $value:ident [serde(tag = $tag:literal)] $($more:tt)*) => {
        $crate::json::internal_tag($value, $tag)?
    };
    (@tag $value:ident [$($other:tt)*] $($more:tt)*) => {
        $crate::json_enum!(@tag $value $($more)*)
    };
}
