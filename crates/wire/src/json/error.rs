//! Why a JSON value cannot be read as a type.

use std::fmt;

/// A value that is not what the type needs, and the place where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    /// The names of the fields from the outermost on, separated by dots; empty for the whole text.
    path: String,
    problem: String,
}

impl DecodeError {
    /// `problem` is the rest of a sentence that begins with the value: "must be a text".
    pub fn new(problem: impl Into<String>) -> Self {
        DecodeError { path: String::new(), problem: problem.into() }
    }

    /// The same error, seen from the object or list that holds the value in this field.
    pub fn in_field(mut self, name: &str) -> Self {
        if !self.path.is_empty() {
            self.path.insert(0, '.');
        }
        self.path.insert_str(0, name);
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "it {}", self.problem),
            path => write!(f, "`{path}` {}", self.problem),
        }
    }
}

impl std::error::Error for DecodeError {}
