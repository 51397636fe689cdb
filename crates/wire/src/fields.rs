//! Reads typed fields out of a JSON object, collecting what is wrong with each.

use std::str::FromStr;

use serde_json::{Map, Value};

use super::{Errors, InvalidMac, InvalidSerialNumber, Mac, SerialNumber};

/// The longest text of a field, in characters, as the documented platform has it.
pub const MAX_TEXT_CHARS: usize = 255;

/// One pass over an object. As on the documented platform, texts are trimmed, and `null` and blank
/// texts count as absent.
pub struct Fields<'a> {
    body: &'a Map<String, Value>,
    errors: Errors,
}

impl<'a> Fields<'a> {
    /// Starts a pass with nothing wrong so far.
    pub fn new(body: &'a Map<String, Value>) -> Self {
        Fields { body, errors: Errors::none() }
    }

    /// The field's value as it was sent; only `null` counts as absent.
    pub fn untouched(&self, field: &str) -> Option<&'a Value> {
        self.body.get(field).filter(|value| !value.is_null())
    }

    /// The field's value, `null` and blank texts counting as absent.
    pub fn get(&self, field: &str) -> Option<&'a Value> {
        let blank = |value: &Value| value.as_str().is_some_and(|text| text.trim().is_empty());
        self.untouched(field).filter(|value| !blank(value))
    }

    /// Whether the field is there.
    pub fn has(&self, field: &str) -> bool {
        self.get(field).is_some()
    }

    /// A field that is not there is an error.
    pub fn require(&mut self, field: &str) {
        if !self.has(field) {
            self.error(field, format!("The {} field is required.", spoken(field)));
        }
    }

    /// Adds an error to a field.
    pub fn error(&mut self, field: &str, text: impl Into<String>) {
        self.errors.add(field, text);
    }

    /// A 64-bit integer, also as digits in a string; anything else is an error. Absent is `None`.
    pub fn integer(&mut self, field: &str) -> Option<i64> {
        let value = self.get(field)?;
        let integer = integer(value);
        if integer.is_none() {
            self.error(field, format!("The {} field must be an integer.", spoken(field)));
        }
        integer
    }

    /// An integer that names a row: 1 or more.
    pub fn id(&mut self, field: &str) -> Option<i64> {
        let id = self.integer(field)?;
        if id < 1 {
            self.error(field, format!("The {} field must be at least 1.", spoken(field)));
            return None;
        }
        Some(id)
    }

    /// A string of at most [`MAX_TEXT_CHARS`], trimmed; anything else is an error. Absent is `None`.
    pub fn string(&mut self, field: &str) -> Option<&'a str> {
        self.string_up_to(MAX_TEXT_CHARS, field)
    }

    /// The same of at most `max_chars` characters.
    pub fn string_up_to(&mut self, max_chars: usize, field: &str) -> Option<&'a str> {
        let value = self.get(field)?;
        let Some(text) = value.as_str().map(str::trim) else {
            self.error(field, format!("The {} field must be a string.", spoken(field)));
            return None;
        };
        if text.chars().count() > max_chars {
            let name = spoken(field);
            let text = format!("The {name} field must not be greater than {max_chars} characters.");
            self.error(field, text);
            return None;
        }
        Some(text)
    }

    /// A MAC address that one interface can own; anything else is an error.
    pub fn mac(&mut self, field: &str) -> Option<Mac> {
        let text = self.string(field)?;
        match Mac::from_str(text) {
            Ok(mac) => Some(mac),
            Err(why) => {
                let name = spoken(field);
                self.error(
                    field,
                    match why {
                        InvalidMac::Malformed => {
                            format!("The {name} field must be a valid MAC address.")
                        }
                        InvalidMac::Zero => {
                            format!("The {name} field must not be the all-zero MAC address.")
                        }
                        InvalidMac::Multicast => {
                            format!("The {name} field must not be a multicast MAC address.")
                        }
                    },
                );
                None
            }
        }
    }

    /// A serial number; anything else is an error.
    pub fn serial_number(&mut self, field: &str) -> Option<SerialNumber> {
        let text = self.string(field)?;
        match SerialNumber::from_str(text) {
            Ok(serial_number) => Some(serial_number),
            Err(why) => {
                let name = spoken(field);
                self.error(
                    field,
                    match why {
                        InvalidSerialNumber::Empty => format!("The {name} field is required."),
                        InvalidSerialNumber::TooLong => format!(
                            "The {name} field must not be greater than {} characters.",
                            SerialNumber::MAX_CHARS
                        ),
                        InvalidSerialNumber::Malformed => {
                            format!("The {name} field format is invalid.")
                        }
                    },
                );
                None
            }
        }
    }

    /// What was read, unless anything at all was wrong.
    ///
    /// # Errors
    /// Every error of the pass. `read` must be `Some` unless an error was added.
    pub fn finish<T>(self, read: Option<T>) -> Result<T, Errors> {
        match read {
            Some(valid) if self.errors.is_none() => Ok(valid),
            _ => Err(self.errors),
        }
    }
}

/// A 64-bit integer, also as digits in a string.
pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::String(digits) => digits.trim().parse().ok(),
        _ => value.as_i64(),
    }
}

/// A field's name as Laravel writes it in a sentence: `new_mac` is "new mac".
pub(super) fn spoken(field: &str) -> String {
    field.replace('_', " ")
}
