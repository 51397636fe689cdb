//! Reads typed fields out of a JSON object, collecting what is wrong with each.

use std::str::FromStr;

use serde_json::{Map, Value};

use super::{Errors, InvalidMac, InvalidSerialNumber, Mac, SerialNumber};

/// One pass over an object. `null` counts as absent, as Laravel's nullable fields do.
pub struct Fields<'a> {
    body: &'a Map<String, Value>,
    errors: Errors,
}

impl<'a> Fields<'a> {
    /// Starts a pass with nothing wrong so far.
    pub fn new(body: &'a Map<String, Value>) -> Self {
        Fields { body, errors: Errors::none() }
    }

    /// The field's value, `null` counting as absent.
    pub fn get(&self, field: &str) -> Option<&'a Value> {
        self.body.get(field).filter(|value| !value.is_null())
    }

    /// Whether the field is there.
    pub fn has(&self, field: &str) -> bool {
        self.get(field).is_some()
    }

    /// Adds an error to a field.
    pub fn error(&mut self, field: &str, text: impl Into<String>) {
        self.errors.add(field, text);
    }

    /// A 64-bit integer; anything else is an error. Absent is `None`.
    pub fn integer(&mut self, field: &str) -> Option<i64> {
        let value = self.get(field)?;
        let integer = value.as_i64();
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

    /// A string; anything else is an error. Absent is `None`.
    pub fn string(&mut self, field: &str) -> Option<&'a str> {
        let value = self.get(field)?;
        let string = value.as_str();
        if string.is_none() {
            self.error(field, format!("The {} field must be a string.", spoken(field)));
        }
        string
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

/// A field's name as Laravel writes it in a sentence: `new_mac` is "new mac".
pub(super) fn spoken(field: &str) -> String {
    field.replace('_', " ")
}
