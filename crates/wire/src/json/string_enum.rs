//! Enumerations whose variants are words.

/// Defines an enumeration, and the word for each variant: in JSON, in `Display`, in `FromStr`.
///
/// ```
/// intercom_wire::string_enum! {
///     /// A side of the house.
///     #[derive(Debug, Clone, Copy, PartialEq)]
///     pub enum Side {
///         /// Towards the street.
///         Front = "front",
///         /// Towards the yard.
///         Back = "back",
///     }
/// }
/// assert_eq!("back".parse(), Ok(Side::Back));
/// assert_eq!(Side::Back.to_string(), "back");
/// ```
#[macro_export]
macro_rules! string_enum {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident = $word:literal),* $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis enum $name {
            $($(#[$variant_meta])* $variant,)*
        }

        impl $name {
            /// The word for it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::json::DecodeError;

            fn from_str(text: &str) -> ::std::result::Result<Self, $crate::json::DecodeError> {
                match text {
                    $($word => Ok($name::$variant),)*
                    _ => Err($crate::json::DecodeError::new(
                        concat!("must be one of:" $(, " ", $word)*)
                    )),
                }
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl $crate::json::FromJson for $name {
            fn from_json(
                value: &$crate::json::Value,
            ) -> ::std::result::Result<Self, $crate::json::DecodeError> {
                // What is not a text is none of the words, as the empty text is none.
                value.as_str().unwrap_or_default().parse()
            }
        }
    };
}
