//! A value and where it was read.

use std::fmt;

use serde::Serialize;

/// A value with its provenance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Known<T> {
    /// The value.
    pub value: T,
    /// Where it was read: a path, `env ethaddr`, `configuration` …
    pub source: String,
}

impl<T> Known<T> {
    /// A value and where it was read.
    pub fn new(value: T, source: impl Into<String>) -> Self {
        Known { value, source: source.into() }
    }
}

impl<T: fmt::Display> fmt::Display for Known<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.value, self.source)
    }
}
