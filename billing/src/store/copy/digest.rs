//! A digest over the rows of a table, the same whichever engine they are read from.

use std::fmt::Write;

use ring::digest::{Context, SHA256};
use rusqlite::types::Value;

pub(super) struct Digest {
    context: Context,
    rows: u64,
}

impl Digest {
    pub(super) fn new() -> Self {
        Digest { context: Context::new(&SHA256), rows: 0 }
    }

    /// Each value with its kind and its length, so that no two rows have the same bytes.
    pub(super) fn add(&mut self, row: &[Value]) {
        self.rows += 1;
        for value in row {
            let (kind, bytes): (u8, &[u8]) = match value {
                Value::Null => (0, &[]),
                Value::Integer(number) => (1, &number.to_le_bytes()),
                Value::Real(number) => (2, &number.to_le_bytes()),
                Value::Text(text) => (3, text.as_bytes()),
                Value::Blob(bytes) => (4, bytes),
            };
            self.context.update(&[kind]);
            self.context.update(&(bytes.len() as u64).to_le_bytes());
            self.context.update(bytes);
        }
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// In hexadecimal.
    pub(super) fn text(&self) -> String {
        let digest = self.context.clone().finish();
        digest.as_ref().iter().fold(String::new(), |mut text, byte| {
            // Writing to a string never fails.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows && self.text() == other.text()
    }
}
